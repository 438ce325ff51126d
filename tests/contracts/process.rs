//! Nodes in other languages, over stdin and stdout.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use flakedb::testkit::contracts::process::{Limits, Process, ProcessError};
use flakedb::testkit::contracts::{
    Case, Scenario, Setup, Subject as _, Verdict, run_one, run_subject,
};
use serde_json::json;

fn python(code: &[&str]) -> Command {
    let mut command = Command::new("python3");
    command.args(code);
    command
}

const EXAMPLE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/contracts/python/echo_node.py");

fn example() -> Process {
    Process::start(python(&[EXAMPLE]), Limits::default()).unwrap()
}

#[test]
fn the_python_example_keeps_every_promise() {
    let report = run_subject(example());
    assert!(report.is_complete(), "{report}");
    assert_eq!(report.count(Verdict::Pass), 40, "{report}");
    assert_eq!(report.subject, "echo (python)");
}

/// Greets as it should and then does `then` with every line.
fn greeter(then: &str) -> Command {
    let hello =
        r#"{"id":1,"ok":{"protocol":1,"name":"g","type":"g","types":["g"],"cases":{"usual":{}}}}"#;
    python(&[
        "-c",
        &format!(
            "import sys,time\nsys.stdin.readline()\nprint('{hello}',flush=True)\nfor line in sys.stdin:\n  {then}"
        ),
    ])
}

async fn create(command: Command, limits: Limits) -> String {
    let process = Process::start(command, limits).unwrap();
    let definition = process.profile().definition(&Case::default().config);
    match process.create(&definition).await {
        Ok(_) => "made".to_owned(),
        Err(trouble) => trouble.to_string(),
    }
}

fn created(then: &str, limits: Limits) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(create(greeter(then), limits))
}

#[test]
fn a_process_that_dies_is_named_with_its_last_words() {
    let said = created("sys.exit('no model is loaded')", Limits::default());
    assert!(
        said.contains("ended (exit status: 1)") && said.contains("no model is loaded"),
        "{said}"
    );
}

#[test]
fn a_process_that_prints_to_stdout_is_told_where_to_print() {
    let said = created("print('debug: here',flush=True)", Limits::default());
    assert!(said.contains("`debug: here`") && said.contains("print to stderr"), "{said}");
}

#[test]
fn an_answer_that_says_nothing_is_no_answer() {
    let said = created("print('{\"id\":2}',flush=True)", Limits::default());
    assert!(said.contains("one of `ok`, `refused`"), "{said}");
    let said = created("print('{\"id\":2,\"ok\":{}}',flush=True)", Limits::default());
    assert!(said.contains("must hold a number `node`"), "{said}");
}

#[test]
fn a_process_that_is_silent_is_given_up() {
    let limits = Limits { answer: Duration::from_secs(2), ..Limits::default() };
    let said = created("time.sleep(60)", limits);
    assert_eq!(said, "no answer to `create` after 2 s");
}

#[test]
fn a_process_that_hangs_is_not_waited_for_again() {
    let limits = Limits { answer: Duration::from_secs(1), ..Limits::default() };
    let report = run_subject(Process::start(greeter("time.sleep(600)"), limits).unwrap());
    assert!(!report.conforms());
    // One clause waited; what follows is told why there is nothing to wait for.
    let said = |id: &str| report.judgement(id).unwrap().evidence.clone();
    assert_eq!(said("NC-02"), "no answer to `create` after 1 s");
    assert_eq!(said("NC-33"), "no answer to `create` after 1 s");
}

#[test]
fn a_process_that_never_ends_an_execution_is_given_up_after_three() {
    let answers = "import json;r=json.loads(line);r['op']=='execute' or \
                   print(json.dumps({'id':r['id'],'ok':{'node':1}}),flush=True)";
    let limits = Limits { answer: Duration::from_millis(500), ..Limits::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let process = Process::start(greeter(answers), limits).unwrap();
        let definition = process.profile().definition(&Case::default().config);
        for _ in 0..3 {
            let node = process.create(&definition).await.unwrap();
            let said = node.execute(&Case::default().execution()).await.unwrap_err();
            assert_eq!(said.to_string(), "no answer to `execute` after 0.5 s");
        }
        let said = process.create(&definition).await.map(drop).unwrap_err();
        assert_eq!(said.to_string(), "no answer to `execute` after 0.5 s");
    });
}

/// The example, with one thing in its code replaced.
fn changed(from: &str, to: &str) -> Process {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/contracts/python");
    let code = std::fs::read_to_string(EXAMPLE).unwrap();
    assert!(code.contains(from), "{from}");
    let code = format!("import sys\nsys.path.insert(0, {folder:?})\n{}", code.replace(from, to));
    Process::start(python(&["-c", &code]), Limits::default()).unwrap()
}

#[test]
fn an_answer_that_json_cannot_hold_is_broken_and_the_next_one_is_not() {
    let metadata = r#""metadata": {}}"#;
    for (value, why) in [
        ("time", "not JSON serializable"),
        ("float('nan')", "not JSON compliant"),
        ("'\\ud800'", "surrogates not allowed"),
    ] {
        let process = changed(metadata, &format!(r#""metadata": {{"of": {value}}}}}"#));
        let said = run_one(Arc::new(process), "NC-07").unwrap();
        assert_eq!(said.verdict, Verdict::Fail, "{value}: {}", said.evidence);
        assert!(said.evidence.contains(why), "{value}: {}", said.evidence);
    }
    assert_eq!(run_one(Arc::new(example()), "NC-07").unwrap().verdict, Verdict::Pass);
}

#[test]
fn an_execution_that_goes_on_in_the_process_after_a_cancel_is_seen() {
    let leaving = changed(
        "            await asyncio.sleep(60)\n",
        "            await asyncio.shield(asyncio.create_task(asyncio.sleep(60)))\n",
    );
    let said = run_one(Arc::new(leaving), "NC-31").unwrap();
    assert_eq!(said.verdict, Verdict::Fail, "{}", said.evidence);
    assert!(said.evidence.contains("left tasks behind: 3"), "{}", said.evidence);
}

#[test]
fn a_line_without_end_is_given_up() {
    let limits = Limits { line_bytes: 1000, ..Limits::default() };
    let said = created("print('x'*5000,flush=True)", limits);
    assert!(said.starts_with("the process wrote a line of more than 1000 bytes"), "{said}");
}

#[test]
fn a_process_that_dies_half_way_fails_what_follows_and_nothing_hangs() {
    let report = run_subject(Process::start(greeter("sys.exit(3)"), Limits::default()).unwrap());
    assert!(!report.conforms());
    // What needs no node was said in the greeting.
    assert_eq!(report.judgement("NC-01").unwrap().verdict, Verdict::Pass, "{report}");
    assert_eq!(report.judgement("NC-02").unwrap().verdict, Verdict::Fail, "{report}");
    assert!(report.judgement("NC-33").unwrap().evidence.contains("exit status: 3"), "{report}");
}

#[test]
fn what_cannot_be_started_or_greets_wrongly_is_an_error() {
    let start = |command| Process::start(command, Limits::default()).unwrap_err();
    let missing = start(Command::new("no-such-program"));
    assert!(matches!(missing, ProcessError::Start { .. }), "{missing}");
    assert!(missing.to_string().contains("`no-such-program` could not be started"), "{missing}");
    let says = |answer: &str| python(&["-c", &format!("input();print('{answer}')")]);
    let other = start(says(r#"{"id":1,"ok":{"protocol":2}}"#));
    assert!(matches!(&other, ProcessError::Version { found } if *found == json!(2)), "{other}");
    let little = start(says(r#"{"id":1,"ok":{"protocol":1}}"#));
    assert!(matches!(little, ProcessError::Hello(_)), "{little}");
    let nothing = start(python(&["-c", ""]));
    assert!(nothing.to_string().contains("ended"), "{nothing}");
}

#[test]
fn a_greeting_says_how_each_scenario_comes_about_or_why_it_cannot() {
    let hello = json!({"id": 1, "ok": {
        "protocol": 1, "name": "g", "type": "g", "types": ["g"],
        "cases": {
            "usual": {"config": {"a": 1}, "payload": {"content": "x"}},
            "slow": {"impossible": "it waits for nothing"},
            "failing": "unset",
        },
    }});
    let process =
        Process::start(python(&["-c", &format!("input();print('{hello}')")]), Limits::default());
    let cases = process.unwrap().profile().cases.clone();
    let usual = Case::config(json!({"a": 1})).payload(json!({"content": "x"}));
    assert_eq!(cases[&Scenario::Usual], Setup::Case(usual));
    assert_eq!(cases[&Scenario::Slow], Setup::impossible("it waits for nothing"));
    assert_eq!(cases[&Scenario::Failing], Setup::Unset);
    assert_eq!(cases.get(&Scenario::Troubled), None);
    let wrong = json!({"id": 1, "ok": {
        "protocol": 1, "name": "g", "type": "g", "types": ["g"], "cases": {"usual": {"settings": {}}},
    }});
    let process =
        Process::start(python(&["-c", &format!("input();print('{wrong}')")]), Limits::default());
    assert!(matches!(process.unwrap_err(), ProcessError::Hello(_)));
}

#[test]
fn a_cancelled_execution_ends_in_the_process_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let process = example();
        let Some(Setup::Case(slow)) = process.profile().cases.get(&Scenario::Slow) else {
            panic!("the example has a slow case")
        };
        let node = process.create(&process.profile().definition(&slow.config)).await.unwrap();
        let order = slow.execution();
        let begun = async {
            while process.work().await != Ok(Some(1)) {}
            // The execution, and whatever tasks it began.
            assert!(process.running().await.unwrap() > Some(0));
        };
        tokio::select! {
            done = node.execute(&order) => panic!("{done:?}"),
            () = begun => {}
        }
        // The process is asked for other things meanwhile, and answers them.
        assert_eq!(node.describe().await.unwrap()["stats"]["total_executions"], 0);
        // It ends in the process, in a moment.
        while process.running().await != Ok(Some(0)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // What was cancelled wrote its farewell to nobody, and broke nothing.
        assert_eq!(process.work().await, Ok(Some(1)));
        assert_eq!(process.stderr(), "");
    });
}
