//! The questions of `flakedb report`, on a history whose counts are known by construction.

use serde_json::Value;

use crate::command::{Said, Sandbox, git, report};

/// Forty runs of four tests, one each six hours from 2026-11-01 on, on revisions r00 to r39:
/// `a` flakes in 5, 13, 21, 29 and 37; `b` fails in the same runs but 21; `c` breaks with r30 until
/// r33; `slow` takes 1 s, and 3 s from r24 on; `late` comes with r36; `early` goes after r35.
const RUNS: usize = 40;

fn strip(failed: &[usize]) -> impl Fn(usize) -> bool + '_ {
    move |run| failed.contains(&run)
}

fn xml(run: usize) -> String {
    let mut cases = String::new();
    let mut case = |class: &str, name: &str, seconds: f64, failure: Option<&str>| {
        let inside = failure.map_or(String::new(), |message| {
            format!("<failure type=\"E\" message=\"{message}\">{message} at line {run}</failure>")
        });
        cases += &format!(
            "<testcase classname=\"app.{class}\" name=\"{name}\" file=\"{class}.py\" time=\"{seconds}\">\
             {inside}</testcase>\n"
        );
    };
    let port = format!("port {} is taken", 8_000 + run);
    case("shop", "a", 0.01, strip(&[5, 13, 21, 29, 37])(run).then_some(port.as_str()));
    case("shop", "b", 0.01, strip(&[5, 13, 29, 37])(run).then_some(port.as_str()));
    case("shop", "c", 0.01, (30..34).contains(&run).then_some("no disk"));
    let jitter = (run * 37 % 20) as f64 / 1_000.0;
    case("cart", "slow", if run < 24 { 1.0 } else { 3.0 } + jitter, None);
    if run >= 36 {
        case("cart", "late", 0.01, None);
    }
    if run <= 35 {
        case("cart", "early", 0.01, None);
    }
    for other in 0..12 {
        case("rest", &format!("t{other}"), 0.01, None);
    }
    format!("<testsuites><testsuite name=\"s\">\n{cases}</testsuite></testsuites>\n")
}

fn history() -> Sandbox {
    let sandbox = Sandbox::new();
    for run in 0..RUNS {
        sandbox.write(&format!("run-{run:02}/r.xml"), xml(run));
        let (day, hour) = (1 + run / 4, run % 4 * 6);
        sandbox.write(
            &format!("run-{run:02}/flakedb-run.toml"),
            format!(
                "project = \"shop\"\nrevision = \"r{run:02}\"\nbranch = \"main\"\nlane = \"default\"\n\
                 build = \"{run}\"\nstarted = 2026-11-{day:02}T{hour:02}:00:00Z\n"
            ),
        );
    }
    sandbox.run(&["ingest", "."]).exits(0);
    sandbox
}

fn ask(sandbox: &Sandbox, question: &[&str]) -> Value {
    let arguments: Vec<&str> =
        ["report", "--format", "json"].iter().chain(question).copied().collect();
    sandbox.run(&arguments).exits(0).json()
}

fn names(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["test"].as_str().unwrap()).collect()
}

#[test]
fn every_question_is_answered_with_the_numbers_of_the_history() {
    let sandbox = history();

    let costs = ask(&sandbox, &["--costs"]);
    assert_eq!(costs["schema"], "flakedb.report.costs.v1");
    assert_eq!(names(&costs["tests"]), ["app.shop::c", "app.shop::a", "app.shop::b"]);
    // Four builds for `c` alone; of five builds `a` has one alone and four halves, `b` the others.
    let shares: Vec<f64> =
        (0..3).map(|place| costs["tests"][place]["harm"]["share"].as_f64().unwrap()).collect();
    assert_eq!(shares, [4.0, 3.0, 2.0]);
    assert_eq!((costs["builds"].as_f64(), costs["most"].as_u64()), (Some(9.0), Some(3)));
    assert_eq!(costs["runs"]["red"], 9);

    let clusters = ask(&sandbox, &["--clusters"]);
    let first = &clusters["clusters"][0];
    assert_eq!(
        (&clusters["failures"], clusters["clusters"].as_array().unwrap().len()),
        (&13.into(), 2)
    );
    assert_eq!((&first["failures"], &first["runs"]), (&9.into(), &5.into()));
    assert_eq!(names(&first["tests"]), ["app.shop::a", "app.shop::b"]);
    assert_eq!(first["headline"], "port 8037 is taken");
    assert_eq!(first["last"], "2026-11-10T06:00:00Z");
    let group = &clusters["together"][0];
    assert_eq!(names(&group["tests"]), ["app.shop::a", "app.shop::b"]);
    assert_eq!((&group["runs"], &group["together"]), (&5.into(), &4.into()));
    assert_eq!(clusters["together"].as_array().unwrap().len(), 1);

    let slower = ask(&sandbox, &["--slower"]);
    assert_eq!(names(&slower["slower"]), ["app.cart::slow"]);
    assert_eq!(slower["slower"][0]["revision"], "r24");
    assert_eq!(slower["slower"][0]["revision_before"], "r23");
    assert_eq!(slower["slower"][0]["passes_before"], 24);
    assert_eq!(slower["asked"], 1);

    let healed = ask(&sandbox, &["--healed"]);
    let c = healed["tests"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["test"] == "app.shop::c")
        .unwrap();
    assert_eq!((&c["failed_runs"], &c["clean_runs"]), (&4.into(), &6.into()));
    assert_eq!((&c["revision"], &c["bad_since"]), (&"r34".into(), &"2026-11-08T12:00:00Z".into()));

    let associations = ask(&sandbox, &["--associations"]);
    assert_eq!(associations["false_discovery_rate"], 0.05);
}

#[test]
fn what_is_new_is_told_from_what_was() {
    let sandbox = history();
    // r28 is the first run of 2026-11-08.
    let since = ask(&sandbox, &["--compare", "2026-11-08"]);
    assert_eq!(since["moment"], "2026-11-08T00:00:00Z");
    assert_eq!(
        (&since["red_before"]["runs"], &since["red_since"]["runs"]),
        (&28.into(), &12.into())
    );
    assert_eq!(
        (&since["red_before"]["failed"], &since["red_since"]["failed"]),
        (&3.into(), &6.into())
    );
    assert_eq!(names(&since["appeared"]), ["app.cart::late"]);
    // By a revision and by a span it is the same moment: the last run started at 18:00 on the 10th.
    for moment in ["r28", "66h"] {
        let other = ask(&sandbox, &["--compare", moment]);
        assert_eq!(other["moment"], since["moment"], "{moment}");
        assert_eq!(other["newly_broken"], since["newly_broken"]);
    }
    let broken = ask(&sandbox, &["--until", "2026-11-09T12:00:00Z", "--compare", "2026-11-08"]);
    assert_eq!(names(&broken["newly_broken"]), ["app.shop::c"]);
    let fixed = ask(&sandbox, &["--compare", "2026-11-09T12:00:00Z"]);
    assert_eq!(names(&fixed["fixed"]), ["app.shop::c"]);
    let text = sandbox.run(&["report", "--compare", "1w"]).exits(0).stdout;
    assert!(text.contains("What is new since 2026-11-03 18:00"), "{text}");
}

#[test]
fn a_revision_is_told_by_its_first_characters() {
    let sandbox = history();
    let brought = ask(&sandbox, &["--revision", "r30"]);
    assert_eq!((&brought["revision"], &brought["previous"]), (&"r30".into(), &"r29".into()));
    assert_eq!(names(&brought["failed"]), ["app.shop::c"]);
    assert_eq!((&brought["failed"][0]["kind"], &brought["passed"]), (&"began".into(), &16.into()));
    assert_eq!(ask(&sandbox, &["--revision", "r31"])["failed"][0]["kind"], "continued");
    let gone = ask(&sandbox, &["--revision", "r36"]);
    assert_eq!(names(&gone["appeared"]), ["app.cart::late"]);
    assert_eq!(names(&gone["vanished"]), ["app.cart::early"]);
    assert_eq!(names(&ask(&sandbox, &["--revision", "r24"])["slower"]), ["app.cart::slow"]);
    let several = sandbox.run(&["report", "--revision", "r3"]).exits(2);
    assert!(several.stderr.contains("`r3` could be 10 revisions:\n  r30\n"), "{several:?}");
    let none = sandbox.run(&["report", "--compare", "nope"]).exits(2);
    assert!(none.stderr.contains("the latest are:\n  r39\n"), "{none:?}");
}

#[test]
fn a_revision_may_be_called_as_git_calls_it() {
    let sandbox = Sandbox::new();
    let (fails, passes) = (report(&[("pays", 'F')]), report(&[("pays", '.')]));
    sandbox.write("report.xml", &passes);
    sandbox.run(&["ingest", "report.xml", "--project", "shop"]).exits(0);
    let none = sandbox.run(&["report", "--revision", "HEAD"]).exits(2);
    assert!(none.stderr.contains("no run of this window has a revision"), "{none:?}");
    assert!(git(&sandbox, &["init", "-q"]));
    for (started, xml) in [("2026-11-01", &passes), ("2026-11-02", &fails)] {
        assert!(git(&sandbox, &["commit", "-q", "--allow-empty", "-m", started]));
        sandbox.write("report.xml", xml);
        let ingest = ["ingest", "report.xml", "--project", "shop", "--started", started];
        sandbox.run(&ingest).exits(0);
    }
    for (name, red) in [("HEAD", 1), ("HEAD~1", 0)] {
        let brought = ask(&sandbox, &["--revision", name]);
        assert_eq!(brought["failed"].as_array().unwrap().len(), red, "{brought}");
    }
    // A suite that failed before its tests could turns its run red as well.
    assert!(git(&sandbox, &["commit", "-q", "--allow-empty", "-m", "suite"]));
    let suite = passes.replacen("<testcase", "<error message=\"boom\"/><testcase", 1);
    sandbox.write("report.xml", &suite);
    sandbox.run(&["ingest", "report.xml", "--project", "shop", "--started", "2026-11-03"]).exits(0);
    assert_eq!(ask(&sandbox, &["--revision", "HEAD"])["revision_runs"][0]["red"], true);
    let unknown = sandbox.run(&["report", "--revision", "HEAD~9"]).exits(2);
    assert!(unknown.stderr.contains("begins with `HEAD~9`"), "{unknown:?}");
}

#[test]
fn owners_answer_for_their_tests() {
    let sandbox = history();
    sandbox.write("CODEOWNERS", "shop.py @shop/core\ncart.py @cart\n");
    let owners = ask(&sandbox, &["--owners"]);
    let rows = owners["owners"].as_array().unwrap();
    let row = |name: Value| rows.iter().find(|row| row["owner"] == name).unwrap();
    assert_eq!((rows.len(), &owners["known"]), (3, &true.into()));
    let core = row("@shop/core".into());
    assert_eq!((&core["tests"], core["builds"].as_f64()), (&3.into(), Some(9.0)));
    assert_eq!(core["worst"]["test"], "app.shop::c");
    assert_eq!(row("@cart".into())["tests"], 3);
    assert_eq!(row(Value::Null)["tests"], 12);
}

#[test]
fn one_question_is_asked_at_a_time_and_found_in_help() {
    let sandbox = Sandbox::new();
    sandbox.run(&["report", "--costs", "--slower"]).exits(2);
    sandbox.run(&["report", "--costs", "--backtest"]).exits(2);
    sandbox.run(&["report", "--healed", "--fail-on", "flaky"]).exits(2);
    let Said { stdout: help, .. } = sandbox.run(&["report", "--help"]).exits(0);
    let (_, questions) = help.split_once("\nQuestions:\n").unwrap();
    for flag in
        ["costs", "compare", "revision", "clusters", "owners", "associations", "slower", "healed"]
    {
        assert!(questions.contains(&format!("--{flag}")), "{flag}");
        assert!(help.contains(&format!("flakedb report --{flag}")), "no example of --{flag}");
    }
}

#[test]
fn an_answer_has_every_format_of_a_table() {
    let sandbox = history();
    let csv = sandbox.run(&["report", "--costs", "--format", "csv"]).exits(0).stdout;
    let mut lines = csv.lines();
    assert!(lines.next().unwrap().starts_with("table,test,status,red_builds,"), "{csv}");
    assert!(lines.next().unwrap().contains(",app.shop::c,"), "{csv}");
    assert_eq!(lines.count(), 2);
    let markdown = sandbox.run(&["report", "--clusters", "--format", "markdown"]).exits(0).stdout;
    assert!(markdown.contains("| port 8037 is taken | 9 | 5 | 2 |"), "{markdown}");
    let refused = sandbox.run(&["report", "--costs", "--format", "junit"]).exits(2);
    assert!(refused.stderr.contains("csv"), "{refused:?}");
}
