//! Lines as people and simulators write them.

use super::super::tests::read;
use super::super::{Code, Format};
use super::FORMAT;
use crate::junit::Verdict;
use crate::model::{Lane, Outcome, Repeat, Started, Timestamp};

/// `test outcome repeat strip` of every result of every run.
fn results(text: &str) -> Vec<Vec<String>> {
    let (runs, account) = read(&FORMAT, text.as_bytes());
    assert_eq!(account.runs, runs.len() as u64);
    let of_run = |run: &super::Run| {
        let one = |result: &crate::model::TestResult| {
            let test = run.report.tests.get(result.test).unwrap().label();
            let attempts = result.attempts.iter().map(|attempt| attempt.outcome.strip_char());
            format!(
                "{test} {} {:?} {}",
                result.outcome.strip_char(),
                result.repeat,
                attempts.collect::<String>()
            )
        };
        run.report.results.iter().map(one).collect()
    };
    runs.iter().map(of_run).collect()
}

/// `line code` of every finding.
fn findings(text: &str) -> Vec<String> {
    let (_, account) = read(&FORMAT, text.as_bytes());
    let one = |finding: &super::Finding| format!("{} {}", finding.line, finding.code);
    account.findings.iter().map(one).collect()
}

#[test]
fn a_simulated_history_is_read_as_it_is() {
    let text = r#"{"type": "meta", "regime": "oss", "cfg": {"days": 1}, "tests": ["mod01::a", "mod01::b", "mod02::c"]}
{"type": "run", "i": 0, "ts": 4805, "branch": "main", "commit": "m1", "base": "m1", "attempt": 1, "host": "w6", "results": [["mod01::b", "fail", 7.546, "flake:5", ["fail"]], ["mod02::c", "pass", 0.5, "flake:6", ["fail", "pass"]]], "passed": [0], "hidden": {"outage": false}}
{"type": "run", "i": 1, "ts": 6305, "branch": "pr/1", "commit": "m1", "base": "m1", "attempt": 2, "host": "w1", "results": [["mod01::b", "fail", 1, "assert:1:2", ["fail", "fail"]]], "passed": [0, 2], "hidden": {}}
"#;
    assert_eq!(
        results(text),
        [
            vec!["mod01::b F Single ", "mod02::c . Retried F.", "mod01::a . Single "],
            vec!["mod01::b F Retried FF", "mod01::a . Single ", "mod02::c . Single "],
        ]
    );
    let (runs, account) = read(&FORMAT, text.as_bytes());
    assert_eq!((account.verdict(), account.findings.len()), (Verdict::Accept, 0));
    let second = &runs[1];
    assert_eq!(second.started, Some(Started::At(Timestamp(6_305_000))));
    assert_eq!(second.facts.revision.as_deref(), Some("m1"));
    assert_eq!((second.facts.attempt, second.facts.branch.as_deref()), (Some(2), Some("pr/1")));
    assert_eq!(second.report.host, "w1");
    let failure = &runs[0].report.failures[0];
    assert_eq!((&*failure.kind, &*failure.message), ("flake:5", "flake:5"));
    assert_eq!(runs[0].report.counts.flaky, 1);
    assert_eq!(Format::detect(text.as_bytes()).map(|format| format.name), Some("jsonl"));
}

#[test]
fn every_way_to_say_the_same_is_read() {
    let text = r#"{"started":"2026-11-22T08:22:18Z","project":"p","branch":"b","lane":"change","revision":"r","build":4711,"attempt":3,"job":"j","url":"u","variant":{"os":"linux","python":3.12},"results":[{"test":"a.B::t","outcome":"Passed","duration":1.5},{"classname":"a.B","name":"u","outcome":"error","type":"T","message":"m","text":"x"},{"test":{"suite":"s","name":"v","file":"f.js"},"status":"skipped"},{"test":"a.B::w","attempts":[{"outcome":"fail","duration":1,"message":"no"},"pass"]},{"test":"a.B::x","outcome":"pass","attempts":["fail"]}],"passed":["a.B::y"],"skipped":["a.B::z"],"unknown":[1,{"x":null}]}"#;
    assert_eq!(
        results(text),
        [[
            "a.B::t . Single ",
            "a.B::u E Single ",
            "f.js::s::v s Single ",
            "a.B::w . Retried F.",
            "a.B::x . Retried F.",
            "a.B::y . Single ",
            "a.B::z s Single ",
        ]]
    );
    let (runs, account) = read(&FORMAT, text.as_bytes());
    assert_eq!(account.verdict(), Verdict::Accept, "{account:?}");
    let facts = &runs[0].facts;
    assert_eq!(facts.lane, Some(Lane::Change));
    assert_eq!(facts.build.as_deref(), Some("4711"));
    assert_eq!(facts.variant.as_ref().unwrap().to_string(), "os=linux,python=3.12");
    assert_eq!(runs[0].started, Some(Started::At(Timestamp(1_795_335_738_000))));
    let last = &runs[0].report.results[1];
    assert_eq!((last.outcome, last.repeat), (Outcome::Errored, Repeat::Single));
}

#[test]
fn a_bad_line_never_hides_the_others() {
    let text = "{\"passed\":[\"a\"],\"ts\":1}\r\n\
                nonsense\n\
                \n\
                {\"ts\":2}\n\
                {\"passed\":[9],\"ts\":2}\n\
                {\"results\":[[\"a\",\"perhaps\"]],\"ts\":2}\n\
                {\"type\":\"walk\",\"passed\":[]}\n\
                {\"passed\":[\"a\"],\"ts\":\"soon\"}\n\
                {\"passed\":[\"a\"],\"ts\":3}\n\
                {\"passed\":[\"a\"]}\n\
                {\"passed\":[],\"ts\":4}\n\
                {\"passed\":[\"a\"],\"ts\":5,\"resu";
    assert_eq!(
        findings(text),
        [
            "2 BAD_LINE",
            "4 BAD_LINE",
            "5 BAD_LINE",
            "6 BAD_LINE",
            "7 BAD_LINE",
            "8 BAD_LINE",
            "10 NO_START",
            "11 NO_TESTS",
            "12 TRUNCATED"
        ]
    );
    let (runs, account) = read(&FORMAT, text.as_bytes());
    assert_eq!((runs.len(), account.verdict()), (4, Verdict::Salvage));
    let outcome = &account.findings[3];
    assert_eq!((outcome.line, outcome.column), (6, 26));
    assert!(outcome.message.contains("perhaps"), "{outcome:?}");
}

#[test]
fn concatenated_histories_each_have_their_table() {
    let text = "{\"type\":\"meta\",\"tests\":[\"a.A::a\"],\"project\":\"one\"}\n\
                {\"passed\":[0],\"ts\":1}\n\
                { \"type\" : \"meta\", \"tests\":[\"b.B::b\"]}\n\
                {\"passed\":[0],\"ts\":1}\n";
    assert_eq!(results(text), [["a.A::a . Single "], ["b.B::b . Single "]]);
    let (runs, _) = read(&FORMAT, text.as_bytes());
    assert_eq!(runs[0].facts.project.as_deref(), Some("one"));
    assert_eq!(runs[1].facts.project, None);
    // The lines are the same bytes, but they point to different tests.
    assert_ne!(runs[0].hash, runs[1].hash);
}

#[test]
fn what_an_editor_or_a_shell_does_to_a_file_does_no_harm() {
    let text = "{\"passed\":[\"a.B::ü\"],\"ts\":1}\r\n";
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for bytes in [text.as_bytes().to_vec(), marked, utf16] {
        let (runs, account) = read(&FORMAT, &bytes);
        assert_eq!((runs.len(), account.verdict()), (1, Verdict::Accept), "{account:?}");
        assert_eq!(Format::detect(&bytes).map(|format| format.name), Some("jsonl"));
    }
    let (_, account) = read(&FORMAT, b"{\"passed\":[\"a.B::\xff\"],\"ts\":1}");
    assert_eq!(account.findings[0].code, Code::InvalidUtf8);
}

#[test]
fn a_variant_without_a_key_is_a_bad_line() {
    let run = |variant: &str| format!("{{\"passed\":[\"a\"],\"ts\":1,\"variant\":{variant}}}\n");
    assert_eq!(findings(&run("{\"os\":\"linux\"}")), [""; 0]);
    for nameless in ["{\" \":\"linux\"}", "\"=linux\""] {
        assert_eq!(findings(&run(nameless)), ["1 BAD_LINE"], "{nameless}");
    }
}
