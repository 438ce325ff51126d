//! Help, reference and manual pages say the same and are up to date.

use crate::command::{Sandbox, project};
use clap::Command;
use flakedb::cli::Arguments;
use flakedb::import::Code as ImportCode;
use flakedb::junit::Code;
use flakedb::testkit::nodes::Rule;
use flakedb::testkit::nodes::field::{Kind, Presence, Shape};
use flakedb::testkit::nodes::types::BUILT_IN;

/// Set to rewrite `docs/CLI.md` instead of comparing it.
const REWRITE: &str = "FLAKEDB_REWRITE_DOCS";

fn reference() -> String {
    let mut text = String::from(
        "# The command line\n\nGenerated from `flakedb help`; \
         rewrite it with `FLAKEDB_REWRITE_DOCS=1 cargo test reference`.\n",
    );
    let mut command = Arguments::command().term_width(100).max_term_width(100).version("VERSION");
    command.build();
    describe(&mut command, "flakedb", &mut text);
    text
}

fn describe(command: &mut Command, name: &str, text: &mut String) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    *text += &format!("\n## `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    let below: Vec<String> = command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
        .map(|below| below.get_name().to_owned())
        .collect();
    for below in below {
        let inner = command.find_subcommand_mut(&below).unwrap();
        describe(inner, &format!("{name} {below}"), text);
    }
}

#[test]
fn the_reference_is_what_help_prints() {
    let path = project("docs/CLI.md");
    let wanted = reference();
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "docs/CLI.md is out of date: run with {REWRITE}=1");
}

/// The table of codes as `docs/READING.md` shows it.
fn codes() -> String {
    let mut text = String::from("| code | level | meaning |\n| --- | --- | --- |\n");
    for code in Code::ALL {
        let (name, level) = (code.as_str(), code.level().word());
        text += &format!("| `{name}` | {level} | {} |\n", code.explanation());
    }
    text
}

#[test]
fn the_tables_of_codes_are_complete() {
    table_is("docs/READING.md", &codes());
    table_is("docs/IMPORT.md", &import_codes());
}

fn table_is(page: &str, wanted: &str) {
    part_is(page, "<!-- codes:begin -->\n", "<!-- codes:end -->", wanted);
}

/// Holds what stands between two marks of a page against what should.
fn part_is(page: &str, begin: &str, end: &str, wanted: &str) {
    let path = project(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(begin).unwrap();
    let (found, after) = rest.split_once(end).unwrap();
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, format!("{before}{begin}{wanted}{end}{after}")).unwrap();
        return;
    }
    assert!(found == wanted, "{page} is out of date: run with {REWRITE}=1");
}

/// The table of codes as `docs/IMPORT.md` shows it.
fn import_codes() -> String {
    let mut text = String::from("| code | level | meaning |\n| --- | --- | --- |\n");
    for code in ImportCode::ALL {
        let (name, level) = (code.as_str(), code.level().word());
        text += &format!("| `{name}` | {level} | {} |\n", code.explanation());
    }
    text
}

#[test]
fn every_command_has_a_summary_examples_and_a_manual_page() {
    let sandbox = Sandbox::new();
    let pages = sandbox.path("man");
    sandbox.run(&["man", "--output-dir", pages.to_str().unwrap()]).exits(0);
    let readme = std::fs::read_to_string(project("README.md")).unwrap();
    for command in Arguments::command().get_subcommands() {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name} has no summary");
        let said = sandbox.run(&[name, "--help"]).exits(0);
        assert!(said.stdout.contains("Examples:"), "{name} --help shows no example");
        let page = std::fs::read_to_string(pages.join(format!("flakedb-{name}.1"))).unwrap();
        assert!(page.contains("flakedb"), "{name} has no manual page");
        assert!(readme.contains(&format!("flakedb {name}")), "README does not name {name}");
    }
}

#[test]
fn wrong_usage_is_exit_code_two_and_help_is_zero() {
    let sandbox = Sandbox::new();
    let said = sandbox.run(&["reprot"]).exits(2);
    assert!(said.stderr.contains("report"), "{said:?}");
    sandbox.run(&["--help"]).exits(0);
    sandbox.run(&["--version"]).exits(0);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = sandbox.run(&["completions", shell]).exits(0);
        assert!(said.stdout.contains("quarantine"), "{shell}");
    }
}

/// What a field holds, as docs/nodes.md writes it.
fn held(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Length(least, usize::MAX) => format!("text of {least} or more characters"),
        Kind::Length(least, greatest) => format!("text of {least} to {greatest} characters"),
        Kind::Identifier => "identifier".to_owned(),
        Kind::Version => "version".to_owned(),
        Kind::Time => "time".to_owned(),
        Kind::Choice(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Kind::Integer(i64::MIN, i64::MAX) => "whole number".to_owned(),
        Kind::Integer(least, i64::MAX) => format!("whole number from {least}"),
        Kind::Integer(least, greatest) => format!("{least} to {greatest}"),
        Kind::Number(least, greatest) => format!("number from {least} to {greatest}"),
        Kind::Boolean => "true or false".to_owned(),
        Kind::List(0, of) => format!("list of {}", held(of)),
        Kind::List(least, of) => format!("list of at least {least}: {}", held(of)),
        Kind::Object(shape) => {
            let names: Vec<&str> = shape.fields.iter().map(|field| field.name).collect();
            format!("{{{}}}", names.join(", "))
        }
        Kind::Map => "object".to_owned(),
        Kind::MapOf(of) => format!("object of {}", held(of)),
        Kind::Any => "anything".to_owned(),
    }
}

fn settings(shape: &Shape) -> String {
    let mut text = String::from("| setting | holds | default |\n| --- | --- | --- |\n");
    for field in shape.fields {
        let default = match field.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional => "none".to_owned(),
            Presence::Default(literal) => format!("`{}`", literal.to_value()),
        };
        text += &format!("| `{}` | {} | {default} |\n", field.name, held(&field.kind));
    }
    text
}

#[test]
fn the_tables_of_nodes_are_those_of_the_code() {
    for built_in in &BUILT_IN {
        let begin = format!("<!-- settings: {} -->\n", built_in.node_type);
        part_is("docs/nodes.md", &begin, "<!-- /settings -->", &settings(built_in.shape));
    }
    let mut rules = String::from("| rule | what it asks for |\n| --- | --- |\n");
    for rule in Rule::ALL {
        rules += &format!("| `{rule}` | {} |\n", rule.description());
    }
    part_is("docs/nodes.md", "<!-- rules -->\n", "<!-- /rules -->", &rules);
}
