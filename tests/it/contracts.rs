//! `flakedb contracts`: a node of another language under contract, and its results in the history.

use crate::command::{Sandbox, project};

fn echo() -> String {
    project("examples/contracts/python/echo_node.py").to_str().unwrap().to_owned()
}

#[test]
fn a_python_node_keeps_its_promises_and_its_report_is_ingested() {
    let sandbox = Sandbox::new();
    let node = echo();
    let order = ["contracts", "--complete", "--format", "junit", "-o", "contracts.xml", "--"];
    sandbox.run(&[&order[..], &["python3", &node]].concat()).exits(0);
    sandbox.run(&["validate", "contracts.xml", "--strict"]).exits(0);
    sandbox.run(&["ingest", "contracts.xml"]).exits(0);
    let shown = sandbox.run(&["show", "NC-22 succeeds"]).exits(0).stdout;
    assert!(shown.contains("contracts.echo (python)::NC-22 succeeds"), "{shown}");
}

#[test]
fn the_table_and_json_say_the_same() {
    let sandbox = Sandbox::new();
    let node = echo();
    let table = sandbox.run(&["contracts", "--", "python3", &node]).exits(0).stdout;
    let json =
        sandbox.run(&["contracts", "--format", "json", "--", "python3", &node]).exits(0).json();
    let clauses = json["clauses"].as_array().unwrap();
    assert_eq!(json["counts"]["pass"], clauses.len());
    assert!(table.contains("conforms"), "{table}");
    for clause in clauses {
        assert!(table.contains(clause["id"].as_str().unwrap()), "{table}");
    }
}

/// The example, broken on purpose: it says that its answers come from someone else.
#[test]
fn a_node_that_breaks_a_promise_is_told_which_and_why() {
    let sandbox = Sandbox::new();
    let folder = project("examples/contracts/python");
    for name in ["echo_node.py", "flakedb_contract.py"] {
        let code = std::fs::read_to_string(folder.join(name)).unwrap();
        sandbox
            .write(name, code.replace("\"source_node\": source_node", "\"source_node\": \"me\""));
    }
    let said = sandbox.run(&["contracts", "--", "python3", "echo_node.py"]).exits(1);
    assert!(said.stdout.contains("does not conform"), "{}", said.stdout);
    let said = sandbox
        .run(&["contracts", "--clause", "source_node", "--", "python3", "echo_node.py"])
        .exits(1);
    for part in ["NC-10", "why it matters"] {
        assert!(said.stdout.contains(part), "{}", said.stdout);
    }
    let fine = ["contracts", "--clause", "NC-01", "--", "python3", "echo_node.py"];
    sandbox.run(&fine).exits(0);
}

#[test]
fn what_cannot_be_spoken_to_is_named_with_the_mend() {
    let sandbox = Sandbox::new();
    let node = echo();
    for (arguments, code, says) in [
        (&["contracts"][..], 2, "<CMD>"),
        (&["contracts", "--", "no-such-command"], 3, "no-such-command"),
        (&["contracts", "--", "python3", "-c", ""], 3, "ended"),
        (&["contracts", "--", "python3", "-c", "print('hi')"], 3, "no JSON"),
        (&["contracts", "--clause", "sourcenode", "--", "python3", &node], 2, "source_node"),
        (&["contracts", "--list", "--format", "junit"], 2, "--format table"),
    ] {
        let said = sandbox.run(arguments).exits(code);
        assert!(said.stderr.contains(says), "{arguments:?}: {}", said.stderr);
    }
    let clauses = sandbox.run(&["contracts", "--list", "--format", "json"]).exits(0).json();
    assert!(clauses.as_array().unwrap().len() >= 40);
}
