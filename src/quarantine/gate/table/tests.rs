//! One test for each row, and the property that nothing outside the table gives 0.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::expected::Missing;
use super::super::facts::{Entry, ReportFact};
use super::super::news::News;
use super::super::record::Record;
use super::super::runners::{Runner, identify};
use super::*;
use crate::model::{Lane, Outcome, TestId, Timestamp};

const START: Timestamp = Timestamp(1_795_305_600_000);

fn pytest() -> RunnerFact {
    identify(Some("pytest"), &[], &[], &Default::default())
}

fn entry() -> Entry {
    Entry {
        place: "quarantine.toml:7".into(),
        expires: Some("2026-12-01".into()),
        ..Entry::default()
    }
}

fn test(label: &str) -> TestFact {
    TestFact {
        id: TestId([0; 16]),
        label: label.into(),
        variant: String::new(),
        file: String::new(),
        line: None,
        owners: Vec::new(),
        first: Outcome::Failed,
        outcome: Outcome::Failed,
        headline: String::new(),
        cover: CoverFact::Live(entry()),
        record: Record { everywhere: rarely(), branch: Vec::new() },
        news: News::KnownFlaky { bad: 3, runs: 100 },
    }
}

/// Three failures in 100 runs, and one now.
fn rarely() -> Vec<bool> {
    let mut runs: Vec<bool> = (0..100).map(|run| run % 33 == 7).collect();
    runs.push(true);
    runs
}

fn report(file: &str) -> ReportFact {
    ReportFact { file: file.into(), freshness: Freshness::Fresh, flaws: Vec::new() }
}

fn known(missing: Vec<Missing>) -> Expected {
    Expected::Known { lane: Lane::Change, runs: 20, tests: 40, missing }
}

fn missing(name: &str, skipped: bool) -> Missing {
    Missing { name: name.into(), skipped, removed: false }
}

/// A run that is excused; each test below spoils one thing.
fn good() -> Facts {
    Facts {
        ending: Ending::Exited(1),
        retries: Vec::new(),
        runner: pytest(),
        started: Some(START),
        reports: vec![report("a.xml"), report("b.xml")],
        tests: vec![test("a::flaky")],
        list: ListFact::Read { file: "quarantine.toml".into() },
        history: HistoryFact::Read,
        expected: known(Vec::new()),
        trouble: Vec::new(),
    }
}

fn settings() -> GateSettings {
    GateSettings::default()
}

/// The only reason against an excuse.
fn only(facts: &Facts) -> Reason {
    only_with(facts, &settings())
}

fn only_with(facts: &Facts, settings: &GateSettings) -> Reason {
    match decide(facts, settings) {
        Decision::Kept { why, also } => {
            assert_eq!(also, Vec::new());
            why
        }
        other => panic!("{other:?}"),
    }
}

fn flawed_twice(flaw: Flaw) -> Facts {
    let mut facts = good();
    facts.reports.push(report("c.xml"));
    facts.reports[1].flaws = vec![flaw.clone()];
    facts.reports[2].flaws = vec![flaw];
    facts
}

fn in_b(message: &str) -> FileFlaw {
    FileFlaw { file: "b.xml".into(), message: message.into(), more: 1 }
}

#[test]
fn everything_in_order_is_excused() {
    assert_eq!(decide(&good(), &settings()), Decision::Excused);
    assert_eq!(Decision::Excused.exit(Ending::Exited(1)), 0);
    let several = Facts { tests: vec![test("a"), test("b")], ..good() };
    assert_eq!(decide(&several, &settings()), Decision::Excused);
}

#[test]
fn zero_has_passed_whatever_else_is_wrong() {
    let facts = Facts {
        ending: Ending::Exited(0),
        reports: Vec::new(),
        trouble: vec!["x".into()],
        ..good()
    };
    assert_eq!(decide(&facts, &settings()), Decision::Passed);
    assert_eq!(Decision::Passed.exit(Ending::Exited(0)), 0);
}

#[test]
fn row_by_itself() {
    for ending in [
        Ending::Signalled(9),
        Ending::Signalled(11),
        Ending::TimedOut,
        Ending::NotExecutable,
        Ending::NotFound,
    ] {
        let facts = Facts { ending, ..good() };
        assert_eq!(only(&facts), Reason::NotByItself { ending });
        let decision = decide(&facts, &settings());
        assert_eq!(decision.exit(ending), ending.code());
    }
}

#[test]
fn row_no_trouble() {
    let facts = Facts { trouble: vec!["no room".into(), "no more".into()], ..good() };
    assert_eq!(only(&facts), Reason::Trouble { message: "no room".into() });
}

#[test]
fn row_runner_known() {
    let of = |runner| only(&Facts { runner, ..good() });
    let producers = vec!["unknown".to_owned()];
    assert_eq!(of(RunnerFact::Unknown(producers.clone())), Reason::RunnerUnknown { producers });
    assert_eq!(of(RunnerFact::NoSuch("x".into())), Reason::NoSuchRunner { name: "x".into() });
    assert_eq!(of(RunnerFact::Known(Vec::new())), Reason::RunnerUnknown { producers: Vec::new() });
}

#[test]
fn row_tests_failed() {
    for (code, meaning) in [
        (2, Some("pytest was interrupted, or could not collect the tests")),
        (3, Some("an internal error of pytest")),
        (4, Some("pytest was called wrongly")),
        (5, Some("pytest found no tests")),
        (6, None),
        (125, None),
        (128, None),
        (255, None),
        (256, None),
        (-1, None),
    ] {
        let facts = Facts { ending: Ending::Exited(code), ..good() };
        let reason = only(&facts);
        let (runner, wanted) = ("pytest".to_owned(), "1".to_owned());
        assert_eq!(reason, Reason::OtherCode { code, runner, wanted, meaning });
        assert_ne!(decide(&facts, &settings()).exit(facts.ending), 0);
    }
}

#[test]
fn row_tests_failed_holds_for_every_runner_of_the_reports() {
    let named = |name: &str, code| Runner {
        name: name.into(),
        failed: vec![(code, code)],
        others: Vec::new(),
    };
    let of = |runners| decide(&Facts { runner: RunnerFact::Known(runners), ..good() }, &settings());
    assert_eq!(of(vec![named("a", 1), named("b", 1)]), Decision::Excused);
    let Decision::Kept { why: Reason::OtherCode { runner, .. }, .. } =
        of(vec![named("a", 1), named("b", 3)])
    else {
        panic!("excused");
    };
    assert_eq!(runner, "b");
}

#[test]
fn row_retries() {
    for ending in [Ending::Exited(0), Ending::Exited(1)] {
        let facts = Facts { retries: vec![Ending::Exited(1), ending], ..good() };
        assert_eq!(decide(&facts, &settings()), Decision::Excused);
    }
    for ending in [Ending::Exited(2), Ending::Signalled(9), Ending::TimedOut, Ending::NotFound] {
        let facts = Facts { retries: vec![Ending::Exited(0), ending, ending], ..good() };
        assert_eq!(only(&facts), Reason::RetryBroke { retry: 2, ending });
    }
}

#[test]
fn row_has_report() {
    let facts = Facts { reports: Vec::new(), ..good() };
    assert_eq!(only(&facts), Reason::NoReport);
}

#[test]
fn row_readable() {
    let flaw = Flaw::Unreadable { code: "HTML".into(), message: "a web page".into() };
    assert_eq!(only(&flawed_twice(flaw)), Reason::Unreadable(in_b("HTML: a web page")));
}

#[test]
fn row_whole() {
    let flaw = Flaw::Damaged { code: "TRUNCATED".into(), message: "cut off".into() };
    assert_eq!(only(&flawed_twice(flaw)), Reason::Damaged(in_b("TRUNCATED: cut off")));
}

#[test]
fn row_not_empty() {
    assert_eq!(only(&flawed_twice(Flaw::Empty)), Reason::Empty(in_b("has no test")));
}

#[test]
fn row_counts_agree() {
    let flaw = Flaw::Counts { message: "3 declared, 2 shown".into() };
    assert_eq!(only(&flawed_twice(flaw)), Reason::Counts(in_b("3 declared, 2 shown")));
}

#[test]
fn row_no_suite_error() {
    let flaw = Flaw::SuiteError { suite: "s".into(), message: "died".into() };
    let (file, suite, message) = ("b.xml".into(), "s".into(), "died".into());
    assert_eq!(only(&flawed_twice(flaw)), Reason::SuiteError { file, suite, message, more: 1 });
}

#[test]
fn row_named() {
    let text = "has a test without a name, which no entry can cover";
    assert_eq!(only(&flawed_twice(Flaw::Nameless(1))), Reason::Nameless(in_b(text)));
    let text = "has 2 tests without a name, which no entry can cover";
    assert_eq!(only(&flawed_twice(Flaw::Nameless(2))), Reason::Nameless(in_b(text)));
}

#[test]
fn row_start_known() {
    assert_eq!(only(&Facts { started: None, ..good() }), Reason::StartUnknown);
}

#[test]
fn row_fresh() {
    let before = Timestamp(START.0 - 1_000);
    for why in [
        Freshness::OldFile { written: before },
        Freshness::OldClock { says: "2026-11-20T00:00:00".into() },
        Freshness::KnownBytes { run: before },
    ] {
        let mut facts = good();
        facts.reports.push(report("c.xml"));
        facts.reports[1].freshness = why.clone();
        facts.reports[2].freshness = why.clone();
        let (file, started) = ("b.xml".into(), START);
        assert_eq!(only(&facts), Reason::Stale { file, why, started, more: 1 });
    }
    let mut facts = good();
    facts.reports[1].freshness = Freshness::Unknown;
    assert_eq!(only(&facts), Reason::AgeUnknown { file: "b.xml".into() });
}

#[test]
fn row_has_failure() {
    assert_eq!(only(&Facts { tests: Vec::new(), ..good() }), Reason::NoFailure);
    let retried_by_the_runner =
        TestFact { first: Outcome::Passed, outcome: Outcome::Passed, ..test("a") };
    let facts = Facts { tests: vec![retried_by_the_runner], ..good() };
    assert_eq!(only(&facts), Reason::NoFailure);
}

#[test]
fn a_failure_that_may_stand_in_what_a_report_lacks_is_not_missed() {
    let facts = Facts { tests: Vec::new(), ..flawed_twice(Flaw::Empty) };
    assert_eq!(only(&facts).word(), "report-empty");
    let facts = Facts { tests: Vec::new(), reports: Vec::new(), ..good() };
    assert_eq!(only(&facts), Reason::NoReport);
}

#[test]
fn a_retry_of_an_unknown_runner_is_no_reason_of_its_own() {
    let runner = RunnerFact::NoSuch("x".into());
    let facts = Facts { runner, retries: vec![Ending::Exited(1)], ..good() };
    assert_eq!(only(&facts).word(), "no-such-runner");
}

#[test]
fn what_failed_first_and_passed_on_our_retry_is_excused_without_an_entry() {
    let passed = TestFact { outcome: Outcome::Passed, cover: CoverFact::None, ..test("a") };
    let facts = Facts { tests: vec![passed], retries: vec![Ending::Exited(0)], ..good() };
    assert_eq!(decide(&facts, &settings()), Decision::Excused);
    let absent = Facts { list: ListFact::Absent, ..facts };
    assert_eq!(decide(&absent, &settings()), Decision::Excused);
}

#[test]
fn what_passed_first_and_failed_on_our_retry_needs_an_entry() {
    let failed = TestFact { first: Outcome::Passed, cover: CoverFact::None, ..test("a") };
    let facts = Facts { tests: vec![failed], ..good() };
    assert_eq!(only(&facts), Reason::Uncovered { tests: vec!["a".into()], new: 0 });
}

#[test]
fn row_list_readable() {
    let message = "quarantine.toml:3:1: no".to_owned();
    let facts = Facts { list: ListFact::Unreadable { message: message.clone() }, ..good() };
    assert_eq!(only(&facts), Reason::ListUnreadable { message });
}

#[test]
fn row_has_list() {
    let bare = TestFact { cover: CoverFact::None, ..test("a") };
    let facts = Facts { list: ListFact::Absent, tests: vec![bare], ..good() };
    assert_eq!(only(&facts), Reason::NoList { tests: vec!["a".into()] });
}

#[test]
fn row_never() {
    let barred = |label| TestFact { cover: CoverFact::Never(entry()), ..test(label) };
    let facts = Facts { tests: vec![test("a"), barred("b"), barred("c")], ..good() };
    let tests = vec!["b".to_owned(), "c".to_owned()];
    assert_eq!(only(&facts), Reason::Never { tests, rule: entry() });
}

#[test]
fn row_covered() {
    let bare = |label, news| TestFact { cover: CoverFact::None, news, ..test(label) };
    let tests = vec![
        test("a"),
        bare("b", News::NewFailure),
        bare("c", News::KnownBroken { runs: 3 }),
        bare("d", News::NewFlake),
    ];
    let tests_named = ["b", "c", "d"].map(str::to_owned).to_vec();
    let facts = Facts { tests, ..good() };
    assert_eq!(only(&facts), Reason::Uncovered { tests: tests_named, new: 2 });
}

#[test]
fn a_standing_rule_covers_like_an_entry() {
    let always = TestFact { cover: CoverFact::Always(entry()), ..test("a") };
    let facts = Facts { tests: vec![always], ..good() };
    assert_eq!(decide(&facts, &settings()), Decision::Excused);
}

#[test]
fn row_not_expired() {
    let expired = TestFact { cover: CoverFact::Expired(entry()), ..test("b") };
    let facts = Facts { tests: vec![test("a"), expired], ..good() };
    assert_eq!(only(&facts), Reason::Expired { tests: vec!["b".into()], entry: entry() });
}

#[test]
fn tests_that_passed_need_no_entry() {
    let expired = TestFact {
        first: Outcome::Passed,
        outcome: Outcome::Passed,
        cover: CoverFact::Expired(entry()),
        ..test("b")
    };
    let never = TestFact { cover: CoverFact::Never(entry()), ..expired.clone() };
    let none = TestFact { cover: CoverFact::None, ..expired.clone() };
    let facts = Facts { tests: vec![test("a"), expired, never, none], ..good() };
    assert_eq!(decide(&facts, &settings()), Decision::Excused);
}

fn if_known() -> GateSettings {
    GateSettings { expected: ExpectedRule::IfKnown, ..settings() }
}

#[test]
fn row_history_usable() {
    let message = "locked".to_owned();
    let facts = Facts { history: HistoryFact::Unusable { message: message.clone() }, ..good() };
    assert_eq!(only(&facts), Reason::HistoryUnusable { message: message.clone() });
    assert_eq!(only_with(&facts, &if_known()), Reason::HistoryUnusable { message });
    let unknown = Expected::Unknown { runs: 0, needed: 5 };
    let facts = Facts { history: HistoryFact::Absent, expected: unknown, ..good() };
    assert_eq!(only(&facts), Reason::NoHistory);
    assert_eq!(decide(&facts, &if_known()), Decision::Excused);
}

#[test]
fn row_expected_known() {
    let facts = Facts { expected: Expected::Unknown { runs: 4, needed: 5 }, ..good() };
    assert_eq!(only(&facts), Reason::ExpectedUnknown { runs: 4, needed: 5 });
    assert_eq!(decide(&facts, &if_known()), Decision::Excused);
}

#[test]
fn row_expected_ran() {
    let gone = vec![missing("x", false), missing("y", true), missing("z", false)];
    let facts = Facts { expected: known(gone), ..good() };
    let absent = vec!["x".to_owned(), "z".to_owned()];
    let wanted = Reason::Missing { absent, skipped: vec!["y".into()], runs: 20 };
    assert_eq!(only(&facts), wanted);
    assert_eq!(only_with(&facts, &if_known()), wanted);
    let tolerant = |tolerance| GateSettings { tolerance, ..settings() };
    assert_eq!(only_with(&facts, &tolerant(2)), wanted);
    assert_eq!(decide(&facts, &tolerant(3)), Decision::Excused);
}

#[test]
fn what_was_removed_on_purpose_is_not_missed() {
    let removed = Missing { removed: true, ..missing("x", false) };
    let facts = Facts { expected: known(vec![removed.clone()]), ..good() };
    assert_eq!(decide(&facts, &settings()), Decision::Excused);
    let facts = Facts { expected: known(vec![removed, missing("y", true)]), ..good() };
    let wanted = Reason::Missing { absent: Vec::new(), skipped: vec!["y".into()], runs: 20 };
    assert_eq!(only(&facts), wanted);
}

fn always_now(runs: usize) -> Record {
    let mut everywhere = rarely();
    everywhere.extend(vec![true; runs]);
    Record { everywhere, branch: Vec::new() }
}

#[test]
fn row_not_worse() {
    let worse = |label, runs| TestFact { record: always_now(runs), ..test(label) };
    let facts = Facts { tests: vec![test("a"), worse("b", 4), worse("c", 9)], ..good() };
    let numbers = always_now(9).worse(0.01).unwrap();
    let tests = vec!["c".to_owned(), "b".to_owned()];
    assert_eq!(only(&facts), Reason::Worse { tests, worse: numbers });
    let lenient = GateSettings { p: 1e-30, ..settings() };
    assert_eq!(decide(&facts, &lenient), Decision::Excused);
    // What passed in the end is no failure now, whatever its record.
    let passed = TestFact { outcome: Outcome::Passed, ..worse("b", 9) };
    let facts = Facts { tests: vec![test("a"), passed], ..good() };
    assert_eq!(decide(&facts, &settings()), Decision::Excused);
}

#[test]
fn the_first_reason_in_the_order_of_the_table_leads() {
    let facts = Facts {
        ending: Ending::Signalled(9),
        started: None,
        tests: Vec::new(),
        history: HistoryFact::Absent,
        ..good()
    };
    let Decision::Kept { why, also } = decide(&facts, &settings()) else { panic!("excused") };
    assert_eq!(why.word(), "not-by-itself");
    let also: Vec<&str> = also.iter().map(Reason::word).collect();
    assert_eq!(also, ["start-unknown", "no-failure", "no-history"]);
}

#[test]
fn a_run_that_exited_with_zero_is_doubted_but_passes() {
    let words = |facts: &Facts| -> Vec<&str> {
        doubts(facts, &settings()).iter().map(Reason::word).collect()
    };
    let passed = |label| TestFact { outcome: Outcome::Passed, ..test(label) };
    let zero = Facts { ending: Ending::Exited(0), tests: vec![passed("a")], ..good() };
    assert_eq!(words(&zero), [] as [&str; 0]);
    // What a green run is not asked for.
    let bare = Facts {
        started: None,
        list: ListFact::Absent,
        history: HistoryFact::Absent,
        runner: RunnerFact::Unknown(Vec::new()),
        reports: Vec::new(),
        tests: Vec::new(),
        ..zero.clone()
    };
    assert_eq!(words(&bare), [] as [&str; 0]);
    let mut wrong = Facts { tests: vec![test("a")], trouble: vec!["t".into()], ..zero };
    wrong.reports[0].freshness = Freshness::OldFile { written: START };
    wrong.reports[1].flaws = vec![
        Flaw::Unreadable { code: String::new(), message: String::new() },
        Flaw::Damaged { code: String::new(), message: String::new() },
        Flaw::Counts { message: String::new() },
        Flaw::SuiteError { suite: String::new(), message: String::new() },
    ];
    wrong.expected = known(vec![missing("x", false)]);
    assert_eq!(
        words(&wrong),
        [
            "zero-with-failures",
            "trouble",
            "report-unreadable",
            "report-damaged",
            "report-counts",
            "suite-error",
            "report-stale",
            "missing",
        ]
    );
    assert_eq!(decide(&wrong, &settings()), Decision::Passed);
}

#[test]
fn every_row_says_what_must_hold() {
    let rows: std::collections::BTreeSet<&str> = TABLE.iter().map(|row| row.must).collect();
    assert_eq!(rows.len(), TABLE.len());
    let page = include_str!("../../../../docs/GATE.md");
    for row in TABLE {
        assert!(page.contains(&format!("| {} |", row.must)), "docs/GATE.md lacks: {}", row.must);
    }
}

#[test]
fn a_kept_code_is_never_zero() {
    let kept = Decision::Kept { why: Reason::NoReport, also: Vec::new() };
    for (ending, code) in [(0, 1), (1, 1), (2, 2), (137, 137), (256, 255), (-1, 255)] {
        assert_eq!(kept.exit(Ending::of_code(ending)), code);
    }
    assert_eq!(
        [Decision::Passed, Decision::Excused, kept].map(|d| d.word()),
        ["passed", "excused", "kept"]
    );
}

/// What must hold for an excuse, said once more and otherwise, as the property to hold the table to.
fn may_be_excused(facts: &Facts, settings: &GateSettings) -> bool {
    let says_failed = |code: i32| match &facts.runner {
        RunnerFact::Known(all) => {
            !all.is_empty()
                && (1..=255).contains(&code)
                && ![124, 125, 126, 127].contains(&code)
                && !(129..=192).contains(&code)
                && all.iter().all(|one| one.failed.iter().any(|(a, b)| *a <= code && code <= *b))
        }
        _ => false,
    };
    let Ending::Exited(code) = facts.ending else { return false };
    let retried =
        |ending: &Ending| matches!(ending, Ending::Exited(c) if *c == 0 || says_failed(*c));
    let clean =
        |report: &ReportFact| report.flaws.is_empty() && report.freshness == Freshness::Fresh;
    let bad = |test: &&TestFact| matches!(test.outcome, Outcome::Failed | Outcome::Errored);
    let fine = |test: &TestFact| {
        matches!(test.cover, CoverFact::Live(_) | CoverFact::Always(_))
            && test.record.worse(settings.p).is_none()
            && facts.list != ListFact::Absent
    };
    let any_bad = facts.tests.iter().any(|test| {
        [test.first, test.outcome].iter().any(|o| matches!(o, Outcome::Failed | Outcome::Errored))
    });
    let required = settings.expected == ExpectedRule::Require;
    let history = match facts.history {
        HistoryFact::Read => !matches!(facts.expected, Expected::Unknown { .. }) || !required,
        HistoryFact::Absent => !required,
        HistoryFact::Unusable { .. } => false,
    };
    let ran = match &facts.expected {
        Expected::Known { missing, .. } => {
            missing.iter().filter(|one| !one.removed).count() <= settings.tolerance as usize
        }
        Expected::Unknown { .. } => true,
    };
    says_failed(code)
        && facts.retries.iter().all(retried)
        && facts.trouble.is_empty()
        && facts.started.is_some()
        && !facts.reports.is_empty()
        && facts.reports.iter().all(clean)
        && any_bad
        && !matches!(facts.list, ListFact::Unreadable { .. })
        && facts.tests.iter().filter(bad).all(fine)
        && history
        && ran
}

fn any_ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        4 => Just(Ending::Exited(1)),
        2 => (-2..300).prop_map(Ending::of_code),
        1 => any::<i32>().prop_map(Ending::Exited),
        1 => any::<i32>().prop_map(Ending::Signalled),
        1 => select(vec![Ending::TimedOut, Ending::NotExecutable, Ending::NotFound]),
    ]
}

fn any_runner() -> impl Strategy<Value = RunnerFact> {
    let own = vec((any::<i32>(), any::<i32>()), 0..3).prop_map(|failed| Runner {
        name: "own".into(),
        failed,
        others: Vec::new(),
    });
    let all =
        Just(Runner { name: "all".into(), failed: vec![(i32::MIN, i32::MAX)], others: vec![] });
    prop_oneof![
        5 => Just(pytest()),
        2 => vec(prop_oneof![own, all], 0..3).prop_map(RunnerFact::Known),
        1 => Just(RunnerFact::Unknown(vec!["x".into()])),
        1 => Just(RunnerFact::NoSuch("x".into())),
    ]
}

fn any_flaw() -> impl Strategy<Value = Flaw> {
    select(vec![
        Flaw::Unreadable { code: "EMPTY".into(), message: String::new() },
        Flaw::Damaged { code: "TRUNCATED".into(), message: String::new() },
        Flaw::Empty,
        Flaw::Counts { message: String::new() },
        Flaw::SuiteError { suite: String::new(), message: String::new() },
        Flaw::Nameless(1),
    ])
}

fn any_report() -> impl Strategy<Value = ReportFact> {
    let freshness = prop_oneof![
        12 => Just(Freshness::Fresh),
        1 => Just(Freshness::OldFile { written: START }),
        1 => Just(Freshness::OldClock { says: String::new() }),
        1 => Just(Freshness::KnownBytes { run: START }),
        1 => Just(Freshness::Unknown),
    ];
    let flaws = prop_oneof![12 => Just(Vec::new()), 1 => vec(any_flaw(), 1..3)];
    (freshness, flaws).prop_map(|(freshness, flaws)| ReportFact {
        file: "r.xml".into(),
        freshness,
        flaws,
    })
}

fn any_test() -> impl Strategy<Value = TestFact> {
    let outcome = || select(Outcome::ALL.to_vec());
    let cover = prop_oneof![
        8 => Just(CoverFact::Live(entry())),
        2 => Just(CoverFact::Always(entry())),
        1 => Just(CoverFact::None),
        1 => Just(CoverFact::Never(entry())),
        1 => Just(CoverFact::Expired(entry())),
    ];
    let record = prop_oneof![
        6 => Just(rarely()),
        1 => Just(always_now(9).everywhere),
        1 => vec(any::<bool>(), 0..30),
    ];
    (outcome(), outcome(), cover, record).prop_map(|(first, outcome, cover, everywhere)| TestFact {
        first,
        outcome,
        cover,
        record: Record { everywhere, branch: Vec::new() },
        ..test("t")
    })
}

fn any_expected() -> impl Strategy<Value = Expected> {
    let one = (any::<bool>(), any::<bool>()).prop_map(|(skipped, removed)| Missing {
        name: "m".into(),
        skipped,
        removed,
    });
    prop_oneof![
        5 => Just(known(Vec::new())),
        2 => vec(one, 1..4).prop_map(known),
        1 => Just(Expected::Unknown { runs: 1, needed: 5 }),
    ]
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let retries = prop_oneof![4 => Just(Vec::new()), 1 => vec(any_ending(), 1..3)];
    let list = prop_oneof![
        8 => Just(ListFact::Read { file: String::new() }),
        1 => Just(ListFact::Absent),
        1 => Just(ListFact::Unreadable { message: String::new() }),
    ];
    let history = prop_oneof![
        8 => Just(HistoryFact::Read),
        1 => Just(HistoryFact::Absent),
        1 => Just(HistoryFact::Unusable { message: String::new() }),
    ];
    let trouble = prop_oneof![8 => Just(Vec::new()), 1 => Just(vec!["t".to_owned()])];
    let run = (any_ending(), retries, any_runner(), option::weighted(0.9, Just(START)));
    let seen = (vec(any_report(), 0..3), vec(any_test(), 0..3));
    (run, seen, list, history, any_expected(), trouble).prop_map(
        |(
            (ending, retries, runner, started),
            (reports, tests),
            list,
            history,
            expected,
            trouble,
        )| {
            Facts {
                ending,
                retries,
                runner,
                started,
                reports,
                tests,
                list,
                history,
                expected,
                trouble,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn nothing_outside_the_table_gives_zero(
        facts in any_facts(), tolerance in 0_u32..3, require in any::<bool>(),
    ) {
        let expected = if require { ExpectedRule::Require } else { ExpectedRule::IfKnown };
        let settings = GateSettings { tolerance, expected, ..settings() };
        let decision = decide(&facts, &settings);
        let passed = facts.ending == Ending::Exited(0);
        let excused = !passed && may_be_excused(&facts, &settings);
        prop_assert_eq!(decision == Decision::Passed, passed);
        prop_assert_eq!(decision == Decision::Excused, excused, "{:?}", decision);
        prop_assert_eq!(decision.exit(facts.ending) == 0, passed || excused);
        if !passed && !excused {
            prop_assert_eq!(decision.exit(facts.ending), facts.ending.code());
        }
    }
}
