//! The page about contracts says what the table of clauses says.

use std::fmt::Write as _;
use std::path::Path;

use flakedb::testkit::contracts::{Clause, Scope, clauses};

const REWRITE: &str = "FLAKEDB_REWRITE_DOCS";
const BEGIN: &str = "<!-- clauses:begin -->\n";
const END: &str = "<!-- clauses:end -->";

fn tables() -> String {
    let mut text = String::new();
    table(&mut text, "All nodes", |scope| scope == Scope::Nodes);
    table(&mut text, "Nodes of one type", |scope| matches!(scope, Scope::Type(_)));
    table(&mut text, "Registries", |scope| scope == Scope::Registries);
    text
}

fn table(text: &mut String, title: &str, of: impl Fn(Scope) -> bool) {
    let head = "| clause | promise | why | broken, for example |\n| --- | --- | --- | --- |";
    writeln!(text, "### {title}\n\n{head}").unwrap();
    for clause in clauses().filter(|clause| of(clause.scope)) {
        let Clause { id, name, promise, reason, violation, .. } = clause;
        let bound = match clause.scope {
            Scope::Type(node_type) => format!(" ({node_type})"),
            Scope::Nodes | Scope::Registries => String::new(),
        };
        writeln!(text, "| **{id}** {name}{bound} | {promise} | {reason} | {violation} |").unwrap();
    }
    text.push('\n');
}

#[test]
fn the_page_has_every_clause_as_it_runs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/contracts.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let wanted = tables();
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert!(found == wanted, "docs/contracts.md is out of date: run with {REWRITE}=1");
}

#[test]
fn the_page_shows_the_example_as_it_is() {
    let page = include_str!("../../docs/contracts.md");
    let example = include_str!("../../examples/contracts/python/echo_node.py");
    let (_, rest) = page.split_once("class EchoFixture:").unwrap();
    let (shown, _) = rest.split_once("\n\n\nserve(").unwrap();
    let example = example.replace(
        "\"\"\"How the suite makes the node, and the cases to see it in.\"\"\"\n\n    ",
        "",
    );
    assert!(example.contains(&format!("class EchoFixture:{shown}")), "{shown}");
}
