//! Screens of the gate, one for each row of its table, kept as snapshots.

use super::view::{GateInput, GateView};
use super::{Format, Palette, Screen, View, github, render};
use crate::model::{Lane, Outcome, RunContext, TestId, Timestamp};
use crate::quarantine::gate::expected::Missing;
use crate::quarantine::gate::facts::Entry;
use crate::quarantine::gate::{
    CoverFact, Ending, Expected, Facts, Flaw, Freshness, GateSettings, HistoryFact, ListFact, News,
    Record, ReportFact, RunnerFact, TestFact, decide, runners,
};

/// 2026-11-22T08:22:18Z.
const START: Timestamp = Timestamp(1_795_335_738_000);

fn entry(line: usize) -> Entry {
    Entry {
        place: format!("quarantine.toml:{line}"),
        owner: Some("@shop/cart".into()),
        reason: "passed on retry in 3 runs".into(),
        ticket: Some("SHOP-12".into()),
        expires: Some("2026-12-06".into()),
    }
}

fn test(label: &str, cover: CoverFact, news: News) -> TestFact {
    TestFact {
        id: TestId([label.len() as u8; 16]),
        label: label.into(),
        variant: "os=linux".into(),
        file: "shop/test_cart.py".into(),
        line: Some(12),
        owners: vec!["@shop/cart".into()],
        first: Outcome::Failed,
        outcome: Outcome::Failed,
        headline: "AssertionError: expected 2 items, got 3".into(),
        cover,
        record: Record { everywhere: record(1), branch: Vec::new() },
        news,
    }
}

/// Four failures in 180 runs, then so many in a row.
fn record(now: usize) -> Vec<bool> {
    (0..180).map(|run| run % 45 == 7).chain(std::iter::repeat_n(true, now)).collect()
}

fn flaky() -> TestFact {
    let news = News::KnownFlaky { bad: 4, runs: 180 };
    test("shop.test_cart::test_add", CoverFact::Live(entry(3)), news)
}

fn named(label: &str, cover: CoverFact) -> TestFact {
    test(label, cover, News::NewFailure)
}

fn report(file: &str, flaws: Vec<Flaw>) -> ReportFact {
    ReportFact { file: file.into(), freshness: Freshness::Fresh, flaws }
}

fn expected(missing: Vec<Missing>) -> Expected {
    Expected::Known { lane: Lane::Change, runs: 20, tests: 1_204, missing }
}

fn good() -> Facts {
    Facts {
        ending: Ending::Exited(1),
        retries: Vec::new(),
        runner: runners::identify(Some("pytest"), &[], &[], &Default::default()),
        started: Some(START),
        reports: vec![report("out/unit.xml", Vec::new()), report("out/api.xml", Vec::new())],
        tests: vec![flaky()],
        list: ListFact::Read { file: "quarantine.toml".into() },
        history: HistoryFact::Read,
        expected: expected(Vec::new()),
        trouble: Vec::new(),
    }
}

fn flawed(flaw: Flaw) -> Facts {
    Facts { reports: vec![report("out/unit.xml", vec![flaw])], ..good() }
}

fn aged(freshness: Freshness) -> Facts {
    let mut facts = good();
    facts.reports[0].freshness = freshness;
    facts
}

fn tested(tests: Vec<TestFact>) -> Facts {
    Facts { tests: tests.into_iter().chain([flaky()]).collect(), ..good() }
}

fn missing(name: &str, skipped: bool, removed: bool) -> Missing {
    Missing { name: name.into(), skipped, removed }
}

fn view(facts: &Facts) -> GateView {
    let settings = GateSettings::default();
    let context = RunContext {
        project: "acme/shop".into(),
        revision: Some("1f3a9c04e5d2b7a8c6f0e1d2c3b4a5968778695a".into()),
        branch: Some("feature/discounts".into()),
        lane: Lane::Change,
        variant: "os=linux".parse().unwrap(),
        attempt: 1,
        ..RunContext::default()
    };
    let decision = decide(facts, &settings);
    GateView::new(&GateInput { facts, decision: &decision, context: &context, settings: &settings })
}

fn page(view: &GateView, format: Format, width: Option<u16>) -> String {
    let mut out = Vec::new();
    let screen = Screen { width, palette: Palette::Plain };
    render(View::Gate(view), format, screen, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Every decision, by the row of the table that makes it.
fn decisions() -> Vec<(&'static str, Facts)> {
    let old = Timestamp(START.0 - 86_400_000);
    let message = || "the document was cut off; only its whole cases were kept".to_owned();
    let passed = |test: TestFact| TestFact { outcome: Outcome::Passed, ..test };
    let worse = |test: TestFact| TestFact {
        record: Record { everywhere: record(5), branch: Vec::new() },
        ..test
    };
    let none = || CoverFact::None;
    vec![
        ("passed", Facts { ending: Ending::Exited(0), tests: Vec::new(), ..good() }),
        ("passed_doubted", Facts { ending: Ending::Exited(0), ..good() }),
        ("excused", good()),
        (
            "excused_on_retry",
            Facts {
                retries: vec![Ending::Exited(0)],
                ..tested(vec![passed(named("shop.test_pay::test_refund", none()))])
            },
        ),
        ("not_by_itself", Facts { ending: Ending::Signalled(9), ..good() }),
        ("timed_out", Facts { ending: Ending::TimedOut, ..good() }),
        (
            "trouble",
            Facts { trouble: vec!["flakedb.toml:3:1: unknown field `x`".into()], ..good() },
        ),
        ("other_code", Facts { ending: Ending::Exited(5), ..good() }),
        ("retry_broke", Facts { retries: vec![Ending::Signalled(11)], ..good() }),
        ("no_report", Facts { reports: Vec::new(), tests: Vec::new(), ..good() }),
        (
            "unreadable",
            flawed(Flaw::Unreadable { code: "EMPTY".into(), message: "the file is empty".into() }),
        ),
        ("damaged", flawed(Flaw::Damaged { code: "TRUNCATED".into(), message: message() })),
        ("empty", flawed(Flaw::Empty)),
        ("runner_unknown", Facts { runner: RunnerFact::Unknown(vec!["unknown".into()]), ..good() }),
        ("no_such_runner", Facts { runner: RunnerFact::NoSuch("nose".into()), ..good() }),
        ("counts", flawed(Flaw::Counts { message: "line 2: 4 are declared, 1 is shown".into() })),
        (
            "suite_error",
            flawed(Flaw::SuiteError { suite: "shop".into(), message: "no database".into() }),
        ),
        ("start_unknown", Facts { started: None, ..aged(Freshness::Unknown) }),
        ("old_file", aged(Freshness::OldFile { written: old })),
        ("old_clock", aged(Freshness::OldClock { says: "2026-11-21T08:22:18".into() })),
        ("known_bytes", aged(Freshness::KnownBytes { run: old })),
        ("age_unknown", aged(Freshness::Unknown)),
        ("nameless", flawed(Flaw::Nameless(2))),
        ("no_failure", Facts { tests: Vec::new(), ..good() }),
        (
            "list_unreadable",
            Facts {
                list: ListFact::Unreadable {
                    message: "quarantine.toml:2:1: unknown key `tst`".into(),
                },
                ..good()
            },
        ),
        (
            "no_list",
            Facts {
                list: ListFact::Absent,
                tests: vec![named("shop.test_pay::test_refund", none())],
                ..good()
            },
        ),
        ("never", tested(vec![named("shop.test_pay::test_refund", CoverFact::Never(entry(30)))])),
        ("uncovered", tested(vec![named("shop.test_pay::test_refund", none())])),
        (
            "expired",
            tested(vec![named("shop.test_pay::test_refund", CoverFact::Expired(entry(9)))]),
        ),
        (
            "history_unusable",
            Facts {
                history: HistoryFact::Unusable {
                    message: ".flakedb/history.db is locked by another process for 10 s".into(),
                },
                expected: Expected::Unknown { runs: 0, needed: 5 },
                ..good()
            },
        ),
        (
            "no_history",
            Facts {
                history: HistoryFact::Absent,
                expected: Expected::Unknown { runs: 0, needed: 5 },
                ..good()
            },
        ),
        (
            "expected_unknown",
            Facts { expected: Expected::Unknown { runs: 3, needed: 5 }, ..good() },
        ),
        (
            "missing",
            Facts {
                expected: expected(vec![
                    missing("shop.test_api::test_get [os=linux]", false, false),
                    missing("shop.test_api::test_put [os=linux]", true, false),
                    missing("shop.test_old::test_gone [os=linux]", false, true),
                ]),
                ..good()
            },
        ),
        ("worse", Facts { tests: vec![worse(flaky())], ..good() }),
    ]
}

#[test]
fn every_decision_has_its_screen() {
    for (name, facts) in decisions() {
        let view = view(&facts);
        insta::assert_snapshot!(format!("gate_{name}"), page(&view, Format::Table, Some(80)));
    }
}

#[test]
fn the_first_line_is_the_decision_at_any_width_and_nothing_else_is_wider() {
    for (name, facts) in decisions() {
        let view = view(&facts);
        for width in [40, 60, 80, 120, 200] {
            let text = page(&view, Format::Table, Some(width));
            let mut lines = text.lines();
            assert_eq!(lines.next(), Some(view.headline.as_str()), "{name}");
            for line in lines.filter(|line| !line.contains("flakedb ")) {
                let columns = line.chars().count();
                let word = line.trim_start().contains(' ');
                assert!(columns <= usize::from(width) || !word, "{name} {width}: {line}");
            }
        }
    }
}

/// Something of everything.
fn full() -> GateView {
    let mut facts = tested(vec![
        named("shop.test_pay::test_refund", CoverFact::None),
        test("shop.test_pay::test_card", CoverFact::None, News::KnownBroken { runs: 3 }),
        named("shop.test_pay::test_iban", CoverFact::Expired(entry(9))),
    ]);
    let retried = flaky();
    facts.tests.push(TestFact {
        label: "shop.test_cart::test_undo".into(),
        first: Outcome::Passed,
        outcome: Outcome::Passed,
        news: News::NewFlake,
        cover: CoverFact::None,
        ..retried
    });
    facts.expected = expected(vec![missing("shop.test_api::test_get [os=linux]", false, false)]);
    view(&facts)
}

#[test]
fn every_format_has_its_screen() {
    let view = full();
    for (label, width) in [("60", Some(60)), ("120", Some(120)), ("piped", None)] {
        insta::assert_snapshot!(format!("gate_full_{label}"), page(&view, Format::Table, width));
    }
    insta::assert_snapshot!("gate_full_markdown", page(&view, Format::Markdown, None));
    insta::assert_snapshot!("gate_full_json", page(&view, Format::Json, None));
    insta::assert_snapshot!("gate_full_github", github::gate(&view));
    let excused = self::view(&good());
    insta::assert_snapshot!("gate_excused_markdown", page(&excused, Format::Markdown, None));
    insta::assert_snapshot!("gate_excused_github", github::gate(&excused));
}

#[test]
fn long_lists_are_cut_and_counted() {
    let none = || CoverFact::None;
    let tests: Vec<TestFact> =
        (0..45).map(|n| named(&format!("shop.test_pay::test_{n:02}"), none())).collect();
    let gone = (0..25).map(|n| missing(&format!("shop.test_api::test_{n:02}"), false, false));
    let facts = Facts { tests, expected: expected(gone.collect()), ..good() };
    let view = view(&facts);
    let text = page(&view, Format::Table, Some(80));
    assert!(text.contains("Not excused (45)") && text.contains("15 more; --format json"), "{text}");
    assert!(text.contains("Did not run (25)") && text.contains("5 more; --format json"), "{text}");
    let annotations = github::gate(&view);
    assert_eq!(annotations.matches("::error ").count(), 10, "the decision is one of them");
    assert!(annotations.contains("36 more annotations not shown"), "{annotations}");
    assert!(page(&view, Format::Markdown, None).contains("- 5 more"));
}

#[test]
fn no_name_acts_on_a_terminal_or_breaks_out_of_a_document() {
    let name = "a\u{1b}[2Jb\n::error::x\n| <script>`@all`\u{202e}";
    let mut facts = tested(vec![named(
        name,
        CoverFact::Expired(Entry {
            place: name.into(),
            owner: Some(name.into()),
            reason: name.into(),
            ticket: Some(name.into()),
            expires: Some(name.into()),
        }),
    )]);
    facts.tests[0].headline = name.into();
    facts.tests[0].file = name.into();
    facts.tests[0].owners = vec![name.into()];
    facts.reports[0].file = name.into();
    facts.reports[0].flaws = vec![
        Flaw::Damaged { code: name.into(), message: name.into() },
        Flaw::SuiteError { suite: name.into(), message: name.into() },
    ];
    facts.expected = expected(vec![missing(name, false, false)]);
    let view = view(&facts);
    for text in [
        page(&view, Format::Table, Some(80)),
        page(&view, Format::Markdown, None),
        github::gate(&view),
    ] {
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        assert!(!text.lines().skip(1).any(|line| line.starts_with("::error::")), "{text}");
    }
    let markdown = page(&view, Format::Markdown, None);
    assert!(!markdown.contains("<script>`") || markdown.contains("&#"), "{markdown}");
}
