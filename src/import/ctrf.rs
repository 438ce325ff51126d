//! CTRF, the Common Test Report Format (<https://ctrf.io>): one report of one run as JSON.
//!
//! Its reporters name tests each in their own way; those of runners whose JUnit XML is known are
//! turned into the names that it has.

use std::collections::HashMap;

use serde_json::Value;

use super::draft::Draft;
use super::finding::{Code, Findings};
use super::lenient::{outcome, seconds, unix};
use super::name::{PYTEST, UNKNOWN, identify_node_id, is_node_id};
use super::tree::{at, list, number, parse, text};
use super::{Extent, Format, Run, Sink, Source};
use crate::junit::collector::Execution;
use crate::junit::identity::{Explained, RawIdentity, identify};
use crate::model::{Facts, Failure, Micros, Outcome, ReportHash, Started, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "ctrf",
    summary: "a report in the Common Test Report Format (ctrf.io)",
    extent: Extent::Report,
    file_names: &["ctrf-report.json", ".ctrf.json"],
    companion: None,
    sniff: |shape| {
        shape.says("reportFormat", "CTRF") || shape.has_below("results", &["tool", "tests"])
    },
    reader: read,
};

/// Times before this (2000-01-01) are made up: reporters write 0 for what they do not know.
const STARTED_MIN: Timestamp = Timestamp(946_684_800_000);
/// Most reporters join the names of nested suites by this.
const SUITE_JOINT: &str = " > ";

fn read(source: &Source<'_>, findings: &mut Findings, sink: Sink<'_>) -> u64 {
    let (document, is_whole) = parse(source.bytes, source.truncated, findings);
    let tests = at(&document, &["results", "tests"]).and_then(Value::as_array);
    let Some(tests) = tests.filter(|tests| is_whole || !tests.is_empty()) else {
        if !findings.is_invalid() {
            let message = "there is no list `results.tests`, so this is no CTRF report; look at \
                           what wrote it";
            findings.add(Code::WrongFormat, 1, 1, message);
        }
        return 0;
    };
    let results = document.get("results").unwrap_or(&Value::Null);
    let tool = at(results, &["tool"]).and_then(|tool| text(tool, "name")).unwrap_or_default();
    let mut namer = Namer { runner: runner(&tool), first_titles: HashMap::new() };
    let mut draft = Draft::new(namer.runner, 0);
    let mut implausible = 0;
    let mut found = Vec::new();
    for (place, test) in tests.iter().enumerate() {
        let name = text(test, "name").unwrap_or_default();
        let Some(executions) = executions(test, &mut implausible) else {
            let message = format!(
                "`{name}`, test {} of the report, has no status that CTRF knows and was left out",
                place + 1
            );
            findings.add(Code::BadResult, 0, 0, message);
            continue;
        };
        let (identity, variant) = namer.identify(test, &name);
        let variant = variant.as_ref().map(|(key, value)| (*key, value.as_str()));
        draft.add(&identity.identity(), variant, executions);
    }
    if implausible > 0 {
        let message = format!("durations that no test has: {implausible}; write milliseconds");
        findings.add(Code::BadTime, 0, 0, message);
    }
    let mut report = draft.finish(&mut found);
    found.into_iter().for_each(|finding| findings.push(finding));
    report.complete = is_whole;
    let started = started(results).map(Started::At);
    report.started = started;
    let hash = ReportHash::of(source.bytes);
    sink(Run { facts: facts(results), started, place: 0, hash, report });
    1
}

/// The earliest start that the report gives.
fn started(results: &Value) -> Option<Timestamp> {
    let real = |number: f64| unix(number).filter(|time| *time >= STARTED_MIN);
    let stated = at(results, &["summary"]).and_then(|summary| number(summary, "start"));
    stated.and_then(real).or_else(|| {
        let starts = list(results, "tests").iter().filter_map(|test| number(test, "start"));
        starts.filter_map(real).min()
    })
}

fn facts(results: &Value) -> Facts {
    let Some(about) = at(results, &["environment"]) else { return Facts::default() };
    // A name without its owner is not how a project is called elsewhere.
    let named = text(about, "repositoryName").filter(|name| name.contains('/'));
    Facts {
        project: text(about, "repositoryUrl").or(named),
        revision: text(about, "commit"),
        branch: text(about, "branchName"),
        build: text(about, "buildId").or_else(|| text(about, "buildNumber")),
        url: text(about, "buildUrl"),
        ..Facts::default()
    }
}

/// The runner as the reader of JUnit XML calls it.
fn runner(tool: &str) -> &'static str {
    const TOOLS: [(&str, &str); 6] = [
        ("pytest", PYTEST),
        ("jest", "jest-junit"),
        ("vitest", "vitest"),
        ("playwright", "playwright"),
        ("gotest", "gotestsum"),
        ("go", "gotestsum"),
    ];
    let tool = tool.to_ascii_lowercase();
    TOOLS.iter().find(|(known, _)| *known == tool).map_or(UNKNOWN, |(_, runner)| *runner)
}

/// Turns the names of a reporter into those of the runner's JUnit XML.
struct Namer {
    runner: &'static str,
    /// The first title around the first test of each file, which jest-junit names its suite by.
    first_titles: HashMap<String, String>,
}

type Variant = (&'static str, String);

impl Namer {
    fn identify(&mut self, test: &Value, name: &str) -> (Explained, Option<Variant>) {
        let suites = suites(test);
        let file = text(test, "filePath").unwrap_or_default();
        let browser = text(test, "browser").and_then(|browser| {
            // The version changes, the cell does not.
            browser.split_whitespace().next().map(|name| ("browser", name.to_owned()))
        });
        if is_node_id(name) {
            return (identify_node_id(name), browser);
        }
        let raw = RawIdentity { producer: self.runner, name, ..RawIdentity::default() };
        let suites: Vec<&str> = suites.iter().map(String::as_str).collect();
        match (self.runner, suites.as_slice()) {
            ("playwright", suites) => {
                let (project, suites) = match suites {
                    [project, rest @ ..] if !is_script(project) => (Some(*project), rest),
                    suites => (None, suites),
                };
                let (file, titles) = suites.split_first().unwrap_or((&"", &[]));
                let name = [titles, &[name]].concat().join(" › ");
                let raw = RawIdentity { name: &name, classname: file, suites: &[file], ..raw };
                let project = project.map(|project| ("project", project.to_owned()));
                (identify(&raw), project.or(browser))
            }
            ("jest-junit", suites) => {
                let title = suites.get(1).copied().unwrap_or("undefined").to_owned();
                let title = self.first_titles.entry(file).or_insert(title);
                (identify(&RawIdentity { classname: name, suites: &[title], ..raw }), browser)
            }
            ("vitest", suites) => {
                let titles = suites.split_first().map_or(&[][..], |(_, titles)| titles);
                let joined = [titles, &[name]].concat().join(SUITE_JOINT);
                let name = if name.contains(SUITE_JOINT) { name } else { &joined };
                let file =
                    suites.first().copied().filter(|first| is_script(first)).unwrap_or(&file);
                (identify(&RawIdentity { name, classname: file, suites: &[file], ..raw }), browser)
            }
            (_, suites) => {
                let classname = suites.join(SUITE_JOINT);
                let raw = RawIdentity { classname: &classname, suites, file: &file, ..raw };
                (identify(&raw), browser)
            }
        }
    }
}

/// The suites around a test, outermost first.
fn suites(test: &Value) -> Vec<String> {
    let own = |value: &Value| value.as_str().map(str::to_owned);
    match test.get("suite") {
        Some(Value::Array(suites)) => suites.iter().filter_map(own).collect(),
        Some(Value::String(suites)) if !suites.is_empty() => {
            suites.split(SUITE_JOINT).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn is_script(name: &str) -> bool {
    const ENDS: [&str; 8] = [".ts", ".js", ".mts", ".mjs", ".cts", ".cjs", ".tsx", ".jsx"];
    ENDS.iter().any(|end| name.ends_with(end))
}

/// All attempts in order; `None` where the status is none.
fn executions(test: &Value, implausible: &mut u64) -> Option<Vec<Execution>> {
    let last = execution(test, implausible)?;
    let listed = list(test, "retryAttempts");
    let mut executions: Vec<Execution> =
        listed.iter().filter_map(|attempt| execution(attempt, implausible)).collect();
    let retries = number(test, "retries").map(|retries| retries as usize);
    let flaky = test.get("flaky").and_then(Value::as_bool) == Some(true);
    // Some reporters list the deciding attempt among the others, and some do not.
    let same = executions.last().is_some_and(|attempt| attempt.outcome == last.outcome);
    let listed_last = match retries {
        Some(retries) => listed.len() > retries,
        None => same && last.outcome == Outcome::Passed,
    };
    if same && listed_last {
        executions.pop();
    }
    if executions.is_empty() && flaky && last.outcome == Outcome::Passed {
        // How often it failed is known, and nothing else.
        let failed = Execution { outcome: Outcome::Failed, duration: None, failure: None };
        let count = retries.unwrap_or(1).clamp(1, crate::model::limits::ATTEMPTS_MAX);
        executions = vec![failed; count];
    }
    executions.push(last);
    Some(executions)
}

fn execution(test: &Value, implausible: &mut u64) -> Option<Execution> {
    let raw = text(test, "rawStatus").unwrap_or_default();
    let status = text(test, "status")?;
    let outcome = match (outcome(&status), outcome(&raw)) {
        (Some(Outcome::Failed), Some(Outcome::Errored)) => Outcome::Errored,
        (Some(Outcome::Failed), _) if ["setup_failed", "teardown_failed"].contains(&&*raw) => {
            Outcome::Errored
        }
        (Some(outcome), _) => outcome,
        (None, Some(outcome)) if status == "other" => outcome,
        // What was left to do, and whatever else is neither good nor bad.
        (None, _) if status == "other" => Outcome::Skipped,
        (None, _) => return None,
    };
    let duration = number(test, "duration").map(|millis| seconds(millis / 1000.0));
    *implausible += u64::from(matches!(duration, Some(Err(()))));
    let duration: Option<Micros> = duration.and_then(Result::ok);
    let (message, trace) = (text(test, "message"), text(test, "trace"));
    let failure = (message.is_some() || trace.is_some()).then(|| Failure {
        kind: String::new(),
        message: message.unwrap_or_default(),
        text: trace.unwrap_or_default(),
    });
    Some(Execution { outcome, duration, failure })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::*;
    use crate::junit::{self, ReadOptions, Verdict};
    use crate::model::Repeat;

    fn report(tool: &str, tests: &str) -> String {
        format!(
            "{{\"results\":{{\"tool\":{{\"name\":\"{tool}\"}},\"summary\":{{\"start\":0}},\"tests\":[{tests}]}}}}"
        )
    }

    #[test]
    fn names_are_those_that_the_runner_s_own_junit_xml_has() {
        for (tool, test, xml) in [
            (
                "playwright",
                r#"{"name":"logs in","suite":"chromium > sub/a.spec.ts > Outer > Inner"}"#,
                "<testsuites id='' name=''><testsuite name='sub/a.spec.ts' hostname='chromium' errors='0'>\
                 <testcase name='Outer › Inner › logs in' classname='sub/a.spec.ts'/></testsuite></testsuites>",
            ),
            (
                "jest",
                r#"{"name":"Outer adds","suite":"a.test.js > Outer","filePath":"/w/a.test.js"}"#,
                "<testsuites name='jest tests'><testsuite name='Outer'>\
                 <testcase classname='Outer adds' name='Outer adds'/></testsuite></testsuites>",
            ),
            (
                "vitest",
                r#"{"name":"adds","suite":["src/a.test.js","Outer"]}"#,
                "<testsuites name='vitest tests'><testsuite name='src/a.test.js'>\
                 <testcase classname='src/a.test.js' name='Outer &gt; adds'/></testsuite></testsuites>",
            ),
            (
                "pytest",
                r#"{"name":"tests/test_a.py::TestX::test_y[a]","suite":["tests/test_a.py","TestX"]}"#,
                "<testsuites name='pytest tests'><testsuite name='pytest'>\
                 <testcase classname='tests.test_a.TestX' name='test_y[a]'/></testsuite></testsuites>",
            ),
            (
                "gotest",
                r#"{"name":"TestA/sub","suite":["example.com/a"]}"#,
                "<testsuite name='example.com/a'><testcase classname='example.com/a' name='TestA/sub'/></testsuite>",
            ),
        ] {
            let test = test.replace("{\"name\"", "{\"status\":\"passed\",\"name\"");
            let (runs, account) = read(&FORMAT, report(tool, &test).as_bytes());
            assert_eq!(account.verdict(), Verdict::Accept, "{account:?}");
            let ours = runs[0].report.tests.iter().next().unwrap();
            let theirs = junit::read(xml.as_bytes(), &ReadOptions::default()).report;
            assert_eq!(ours.id, theirs.tests.iter().next().unwrap().id, "{tool}: {ours:?}");
            assert_eq!(runs[0].report.variants, theirs.variants, "{tool}");
        }
    }

    #[test]
    fn attempts_are_told_whether_the_last_one_is_listed_or_not() {
        let strip = |test: &str| {
            let test = format!("{{\"name\":\"t\",{test}}}");
            let (runs, _) = read(&FORMAT, report("x", &test).as_bytes());
            let result = runs[0].report.results[0].clone();
            let strip: String =
                result.attempts.iter().map(|attempt| attempt.outcome.strip_char()).collect();
            (result.outcome.strip_char(), result.repeat, strip)
        };
        let failed = r#"{"status":"failed"}"#;
        let flaky = ('.', Repeat::Retried, "F.".to_owned());
        let list = |attempts: &str| format!(r#""status":"passed","retryAttempts":[{attempts}]"#);
        assert_eq!(strip(&list(failed)), flaky);
        assert_eq!(strip(&list(&format!(r#"{failed},{{"status":"passed"}}"#))), flaky);
        assert_eq!(strip(&format!(r#"{},"retries":1"#, list(failed))), flaky);
        assert_eq!(strip(r#""status":"passed","retries":1,"flaky":true"#), flaky);
        assert_eq!(strip(r#""status":"passed","retries":3"#).1, Repeat::Single);
        let broken = format!(r#""status":"failed","retries":1,"retryAttempts":[{failed}]"#);
        assert_eq!(strip(&broken), ('F', Repeat::Retried, "FF".to_owned()));
        for (status, raw, outcome) in [
            ("failed", "setup_failed", 'E'),
            ("pending", "", 's'),
            ("other", "todo", 's'),
            ("other", "error", 'E'),
            ("skipped", "xfailed", 's'),
        ] {
            let said = strip(&format!(r#""status":"{status}","rawStatus":"{raw}""#));
            assert_eq!(said.0, outcome, "{status} {raw}");
        }
    }

    #[test]
    fn a_report_that_was_cut_off_keeps_its_whole_tests() {
        let whole = report("x", r#"{"name":"a","status":"passed"},{"name":"b","status":"failed"}"#);
        let cut = &whole[..whole.len() - 10];
        let (runs, account) = read(&FORMAT, cut.as_bytes());
        assert_eq!(
            (account.verdict(), account.findings[0].code),
            (Verdict::Salvage, Code::Truncated)
        );
        assert_eq!((runs[0].report.results.len(), runs[0].report.complete), (1, false));
        let (runs, account) =
            read(&FORMAT, report("x", r#"{"name":"a","status":"maybe"}"#).as_bytes());
        assert_eq!((runs.len(), account.findings[0].code), (1, Code::BadResult));
    }
}
