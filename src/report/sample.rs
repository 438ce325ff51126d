//! Judgements and views to render in tests: one usual history, one hostile, built from strips.

pub(super) mod hunt;
pub(super) mod order;
pub(super) mod question;
mod show;
pub(super) mod split;
pub(super) mod workers;

pub(super) use show::{hostile_show, show, show_broken, show_healthy};

use super::view::{
    BacktestInput, BacktestView, CompareInput, CompareView, Explain, FileProblem, FileVerdict,
    FileView, IngestView, LatestFailureView, Level, Listing, Phase, QuarantineEntry,
    QuarantineView, ReportInput, ReportView, TestLabel, ValidateView, WarningView, WindowText,
};
use crate::analysis::Settings;
use crate::analysis::backtest::{Backtest, Flag, Hidden, Rule, Subject, Trial};
use crate::analysis::cause::{Cause, Causes, Hint, Share, Split};
use crate::analysis::direction::Direction;
use crate::analysis::disagreement::disputes;
use crate::analysis::harm::Harm;
use crate::analysis::verdict::{Cell, Fact, JudgedRun, Judgement, NextStep, Rate, Status, Verdict};
use crate::model::hash::TestId;
use crate::model::{Counts, Failure, Lane, Micros, Outcome, Timestamp};
use crate::store::query::{RunNo, TestNo};

/// 2026-11-08T06:00:00Z.
const START: i64 = 1_794_117_600_000;
const SIX_HOURS: i64 = 21_600_000;

fn run(place: u32) -> JudgedRun {
    JudgedRun {
        no: RunNo(place + 1),
        started: Timestamp(START + i64::from(place) * SIX_HOURS),
        revision: Some(format!(
            "{:016x}{:024x}",
            u64::from(place / 2 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            place / 2
        )),
        branch: Some(if place % 5 == 4 { "feature/discounts" } else { "main" }.to_owned()),
        lane: if place % 5 == 4 { Lane::Change } else { Lane::Default },
        on_main: place % 5 != 4,
        variant: String::new(),
        build: Some((400 + place / 2).to_string()),
        attempt: place % 2 + 1,
        job: Some("unit".to_owned()),
        url: Some(format!("https://ci.example/builds/{}", 400 + place / 2)),
        executed: 38,
        bad: u32::from(place % 7 == 3) * 2,
        time: Micros(600_000_000),
        suite_failures: 0,
        outage: false,
    }
}

/// Runs of two weeks, the twelfth an outage.
fn runs(count: u32) -> Vec<JudgedRun> {
    let mut runs: Vec<JudgedRun> = (0..count).map(run).collect();
    if let Some(outage) = runs.get_mut(11) {
        *outage = JudgedRun { outage: true, bad: 31, ..outage.clone() };
    }
    runs
}

/// The verdict of a strip that ends with the last of `runs`.
fn verdict(no: u32, status: Status, strip: &str, runs: &[JudgedRun]) -> Verdict {
    let first = runs.len() - strip.len();
    let cells: Vec<Cell> = strip
        .chars()
        .enumerate()
        .map(|(place, mark)| Cell {
            run: (first + place) as u32,
            outcome: match mark {
                'F' => Outcome::Failed,
                'E' => Outcome::Errored,
                's' => Outcome::Skipped,
                _ => Outcome::Passed,
            },
            retried: mark == 'r',
            duration: Some(Micros(180_000 + u64::from(no) * 41_000)),
        })
        .collect();
    let count = |marks: &[char]| strip.chars().filter(|mark| marks.contains(mark)).count() as u32;
    let executions = count(&['.', 'F', 'E', 'r']);
    let bad = count(&['F', 'E', 'r']);
    Verdict {
        executions,
        failures: count(&['F', 'E']),
        retried: count(&['r']),
        skipped: count(&['s']),
        rate: wilson(bad.into(), executions.into()),
        last_failure: cells
            .iter()
            .rfind(|cell| cell.outcome.is_bad())
            .map(|cell| runs[cell.run as usize].started),
        last_run: runs[runs.len() - 1].started,
        duration_median: Some(Micros(180_000 + u64::from(no) * 41_000)),
        cells: if bad > 0 { cells } else { Vec::new() },
        ..Verdict::bare(no, status)
    }
}

/// The Wilson score interval at 95 %.
fn wilson(bad: f64, all: f64) -> Rate {
    if all == 0.0 {
        return Rate { value: 0.0, low: 0.0, high: 1.0 };
    }
    let (share, z2) = (bad / all, 1.96_f64.powi(2));
    let middle = (share + z2 / (2.0 * all)) / (1.0 + z2 / all);
    let half =
        (z2 * (share * (1.0 - share) / all + z2 / (4.0 * all * all))).sqrt() / (1.0 + z2 / all);
    Rate { value: share, low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
}

/// One of everything a project meets in two weeks.
pub(super) fn usual() -> Judgement {
    let runs = runs(52);
    let since = |place: usize| runs[place].started;
    let mut verdicts = vec![
        Verdict {
            facts: vec![Fact::FailsSince {
                runs: 3,
                first_bad: runs[49].revision.clone(),
                last_good: runs[47].revision.clone(),
                since: since(49),
            }],
            ..verdict(0, Status::NewlyBroken, &(".".repeat(49) + "FFF"), &runs)
        },
        Verdict {
            facts: vec![Fact::FailsSince {
                runs: 52,
                first_bad: None,
                last_good: None,
                since: since(0),
            }],
            ..verdict(1, Status::Broken, &"E".repeat(52), &runs)
        },
        Verdict {
            probability: Some(0.997),
            flips: 14,
            harm: Harm { reddened: 6, alone: 4, share: 4.75, lost: Micros(2_880_000_000) },
            direction: Direction::Worse,
            facts: vec![
                Fact::BothOnOneRevision {
                    revisions: 5,
                    last: "1f3a9c0a11b2c3d4e5f60718293a4b5c6d7e8f90".to_owned(),
                },
                Fact::PassedOnRetry { times: 2, last: RunNo(44) },
                Fact::Flips { flips: 14, pairs: 50 },
                Fact::IgnoredOutages { failures: 1 },
            ],
            next: vec![NextStep::CleanRuns { runs: 34 }],
            hints: hints("shop.tests.test_locale.TestLocale::test_sets_locale", "ci-worker-7"),
            ..verdict(
                2,
                Status::Flaky,
                "..F..r....FF..F..F.....F..F.....s..F....F.Fr....F...",
                &runs,
            )
        },
        Verdict {
            probability: Some(0.41),
            facts: vec![Fact::RecoveredByItself { times: 1 }],
            next: vec![NextStep::RerunRevision { times: 18 }],
            ..verdict(3, Status::Suspect, ".............F......", &runs)
        },
        Verdict {
            facts: vec![Fact::PassesSince {
                runs: 9,
                failed_runs: 6,
                first_good: runs[43].revision.clone(),
                since: since(43),
            }],
            ..verdict(4, Status::Fixed, &(".".repeat(30) + "FFFFFF" + &".".repeat(9)), &runs)
        },
        Verdict {
            next: vec![NextStep::MoreResults { runs: 2 }],
            ..verdict(5, Status::New, "F", &runs)
        },
        verdict(6, Status::New, "..", &runs),
        verdict(7, Status::Stale, &".".repeat(20), &runs),
    ];
    verdicts.extend((8..38).map(|no| verdict(no, Status::Healthy, &".".repeat(52), &runs)));
    Judgement { method: "evidence", runs, verdicts, events: Vec::new(), causes: causes() }
}

/// What an attacker would name a test.
pub(super) fn hostile_names() -> [String; 7] {
    [
        "\u{1b}[2J\u{1b}]0;owned\u{7}red".to_owned(),
        "abc\u{202e}txt.exe\u{2066}".to_owned(),
        "x".repeat(10_240),
        "a|b|`c`|<img src=x onerror=alert(1)>\n\n# heading".to_owned(),
        "<script>alert('1')</script> @everyone [link](javascript:1)".to_owned(),
        "\u{9b}31mC1 \u{200b}\u{feff} tab\there \u{e01e3}".to_owned(),
        "日本語のテスト 👩\u{200d}💻 naïve".to_owned(),
    ]
}

fn hints(test: &str, host: &str) -> Vec<Hint> {
    let share = |failed, runs| Share { failed, runs };
    let sure = |cause| Hint { cause, p: Some(5.656e-8), q: Some(2.3e-6) };
    vec![
        sure(Cause::Polluter {
            test: TestNo(9),
            name: test.to_owned(),
            in_worker: false,
            split: Split { inside: share(14, 15), outside: share(0, 37) },
            alike: Vec::new(),
            scopes: vec![host.to_owned()],
        }),
        sure(Cause::Host {
            host: host.to_owned(),
            split: Split { inside: share(9, 12), outside: share(5, 40) },
        }),
        sure(Cause::Together {
            test: TestNo(9),
            name: test.to_owned(),
            both: 11,
            either: 14,
            others: 2,
        }),
        Hint {
            cause: Cause::Signature {
                failures: 12,
                most: 11,
                kinds: 2,
                headline: format!("{test} did not answer within 2 s"),
            },
            p: None,
            q: None,
        },
    ]
}

/// Gives each test that failed its latest failure.
pub(super) fn fail(view: &mut ReportView) {
    for (number, test) in view.tests.iter_mut().enumerate() {
        if test.failures + test.retried == 0 {
            continue;
        }
        let failure = Failure {
            kind: "AssertionError".to_owned(),
            message: format!("assert {number} == <4>"),
            text: format!("  File \"/ci/{}\", line {}, in test\nno", test.file, number + 12),
        };
        let outcome = if number == 1 { Outcome::Errored } else { Outcome::Failed };
        let started = test.last_failure.clone().unwrap_or_default();
        let view = LatestFailureView::new(&failure, outcome, started, &test.file, "");
        test.latest_failure = Some(view);
    }
}

/// What hints come from, as far as screens show it.
fn causes() -> Causes {
    Causes { false_discovery_rate: 0.05, ..Causes::default() }
}

/// A judgement whose every text is hostile.
pub(super) fn hostile() -> Judgement {
    let runs: Vec<JudgedRun> = runs(14)
        .into_iter()
        .map(|run| JudgedRun {
            branch: Some("\u{1b}[31mmain|\u{202e}".to_owned()),
            revision: Some("\u{7}bell".to_owned()),
            build: Some("1\n2".to_owned()),
            url: Some("https://x/\u{1b}[0m".to_owned()),
            ..run
        })
        .collect();
    let verdicts = (0..7)
        .map(|no| Verdict {
            variant: "os=\u{1b}[1m".to_owned(),
            facts: vec![
                Fact::BothOnOneRevision { revisions: 1, last: "\u{1b}[31m".to_owned() },
                Fact::Rule { text: "rule\u{202e}".to_owned() },
            ],
            hints: hints(&hostile_names()[no as usize], "\u{1b}[41m\u{202e}h|`"),
            ..verdict(no, Status::Flaky, "..F..F", &runs)
        })
        .collect();
    Judgement { method: "evidence", runs, verdicts, events: Vec::new(), causes: causes() }
}

const NAMES: [&str; 8] = [
    "shop.tests.test_cart.TestCart::test_total_with_discount",
    "shop.tests.test_tax.TestTax::test_rounding[EUR-0.19]",
    "shop.tests.integration.test_checkout.TestCheckout::test_payment_is_retried_after_a_timeout",
    "shop.tests.test_search::test_ranking is stable",
    "shop.tests.test_mail::test_bounce",
    "shop.tests.test_stock::test_reserve",
    "shop.tests.test_stock::test_release",
    "shop.tests.test_old::test_legacy",
];

/// The name of a test of [`usual`].
pub(super) fn label(no: TestNo) -> TestLabel {
    let label = NAMES.get(no.0 as usize).map_or_else(
        || format!("shop.tests.test_views::test_page_{}", no.0),
        |name| (*name).to_owned(),
    );
    named(no, label)
}

fn named(no: TestNo, label: String) -> TestLabel {
    let mut id = [0x5a_u8; 16];
    id[15] = no.0 as u8;
    let (classname, name) = label.rsplit_once("::").unwrap_or(("", &label));
    TestLabel {
        id: TestId(id),
        suite: String::new(),
        classname: classname.to_owned(),
        name: name.to_owned(),
        label,
        file: "shop/tests/test_cart.py".to_owned(),
        owners: if no.0 == 2 {
            vec!["@shop/payments".to_owned(), "@kim".to_owned()]
        } else {
            Vec::new()
        },
    }
}

pub(super) fn window() -> WindowText {
    WindowText { last_runs: Some(60), ..WindowText::default() }
}

pub(super) fn report_of(judgement: &Judgement, listing: Listing) -> ReportView {
    let input = ReportInput {
        project: "acme/shop",
        window: &window(),
        listing,
        modules: &[],
        explain: Explain::No,
    };
    ReportView::new(judgement, &|verdict| label(verdict.test), input)
}

pub(super) fn hostile_report() -> ReportView {
    let names = hostile_names();
    let window = WindowText { branches: vec!["\u{1b}[7m".to_owned()], ..window() };
    let input = ReportInput {
        project: "p\u{202e}|`<b>",
        window: &window,
        listing: Listing::All,
        modules: &[],
        explain: Explain::Yes,
    };
    let name = |verdict: &Verdict| TestLabel {
        file: "\u{1b}f".to_owned(),
        owners: vec!["@\u{1b}o".to_owned()],
        ..named(verdict.test, names[verdict.test.0 as usize].clone())
    };
    ReportView::new(&hostile(), &name, input)
}

/// Judgements at the small end: no run at all, one, two.
pub(super) fn tiny(count: u32) -> Judgement {
    let runs = runs(count);
    let verdicts = match count {
        0 => Vec::new(),
        count => {
            (6..12).map(|no| verdict(no, Status::New, &".".repeat(count as usize), &runs)).collect()
        }
    };
    Judgement { method: "evidence", runs, verdicts, events: Vec::new(), causes: causes() }
}

pub(super) fn ingest() -> IngestView {
    IngestView {
        history: ".flakedb/history.db".to_owned(),
        projects: vec!["acme/shop".to_owned()],
        files: 15,
        bytes: 1_834_000,
        rejected: 1,
        salvaged: 1,
        reports_new: 12,
        reports_known: 2,
        runs_new: 3,
        tests_new: 38,
        failures_new: 4,
        results: Counts { cases: 1_204, passed: 1_190, failed: 9, errored: 1, skipped: 4, flaky: 3 },
        warnings: 2,
        problems: vec![
            FileProblem {
                file: "build/reports/index.xml".to_owned(),
                verdict: FileVerdict::Reject,
                code: "HTML".to_owned(),
                line: 1,
                column: 1,
                message: "this is an HTML page, probably an error page saved as the report; check the download step".to_owned(),
            },
            FileProblem {
                file: "build/reports/e2e.xml".to_owned(),
                verdict: FileVerdict::Salvage,
                code: "TRUNCATED".to_owned(),
                line: 214,
                column: 37,
                message: "the report ends inside a test case; 61 whole cases were kept".to_owned(),
            },
        ],
        notes: vec!["revision and branch are those of the git repository".to_owned()],
        ..IngestView::default()
    }
}

pub(super) fn phases() -> Vec<Phase> {
    vec![
        Phase { name: "read and parse", seconds: 0.0312 },
        Phase { name: "store", seconds: 0.0088 },
    ]
}

pub(super) fn validate() -> ValidateView {
    let counts = Counts { cases: 62, passed: 60, failed: 1, errored: 0, skipped: 1, flaky: 1 };
    let warning = |code: &str, level, line, message: &str| WarningView {
        code: code.to_owned(),
        level,
        line,
        column: 5,
        offset: 9_120,
        path: "testsuites/testsuite[1](\"e2e\")/testcase[62](\"pays\")".to_owned(),
        message: message.to_owned(),
    };
    ValidateView::new(vec![
        FileView {
            producer: "pytest".to_owned(),
            ..FileView::new("a.xml".to_owned(), FileVerdict::Accept, Some(counts))
        },
        FileView {
            code: "TRUNCATED".to_owned(),
            producer: "playwright".to_owned(),
            warnings: vec![
                warning(
                    "TRUNCATED",
                    Level::Invalid,
                    214,
                    "the report ends inside this test case; its whole cases were kept",
                ),
                warning(
                    "BAD_TIMESTAMP",
                    Level::SubOptimal,
                    2,
                    "`yesterday` is no time; write 2026-11-22T08:22:18Z",
                ),
                warning("LONG_NAME", Level::Note, 90, "the name has 9,812 characters"),
            ],
            ..FileView::new("build/e2e.xml".to_owned(), FileVerdict::Salvage, Some(counts))
        },
        FileView {
            code: "NOT_JUNIT".to_owned(),
            warnings: vec![WarningView {
                path: String::new(),
                ..warning(
                    "NOT_JUNIT",
                    Level::Invalid,
                    1,
                    "the root is <coverage>, so this is no JUnit report; name only test reports",
                )
            }],
            ..FileView::new("build/coverage.xml".to_owned(), FileVerdict::Reject, None)
        },
    ])
}

pub(super) fn quarantine() -> QuarantineView {
    let entry = |no: u32, owner: Option<&str>| QuarantineEntry {
        test: label(TestNo(no)).label,
        id: label(TestNo(no)).id.to_string(),
        owner: owner.map(str::to_owned),
        reason: "Failed and passed on revision 1f3a9c0a11 (and 4 more)".to_owned(),
        since: Some("2026-11-21".to_owned()),
        expires: Some("2026-12-21".to_owned()),
        ..QuarantineEntry::default()
    };
    QuarantineView {
        project: "acme/shop".to_owned(),
        window: "last 60 runs".to_owned(),
        source: "recommended by evidence".to_owned(),
        entries: vec![entry(2, Some("@shop/payments")), entry(3, None)],
        left_out: 3,
        cap: Some(2),
        ..QuarantineView::default()
    }
}

/// The usual judgement, and what two rules make of the same runs.
pub(super) fn compared() -> Vec<Judgement> {
    let usual = usual();
    let rule = |verdict: &mut Verdict, status: Status, score: f64, text: &str| {
        verdict.status = status;
        verdict.quarantine = status == Status::Flaky;
        (verdict.score, verdict.probability, verdict.weighing) = (Some(score), None, None);
        verdict.facts.insert(0, Fact::Rule { text: text.to_owned() });
    };
    let by = |method, says: &dyn Fn(u32) -> Option<(Status, f64, &'static str)>| {
        let mut judgement = Judgement { method, ..usual.clone() };
        for verdict in &mut judgement.verdicts {
            if let Some((status, score, text)) = says(verdict.test.0) {
                rule(verdict, status, score, text);
            }
        }
        judgement
    };
    let threshold = by("threshold", &|test| match test {
        0 => Some((
            Status::Flaky,
            0.3,
            "3 of the last 10 results failed (30 %); flaky from 30 % of at least 3 results, with passes among them",
        )),
        2..=3 => Some((
            Status::Suspect,
            0.2,
            "2 of the last 10 results failed (20 %); flaky from 30 % of at least 3 results, with passes among them",
        )),
        _ => None,
    });
    let wilson = by("wilson", &|test| match test {
        0 => Some((Status::NewlyBroken, 0.0, "The last 3 results failed; broken from 3 in a row")),
        2 | 20..=26 => Some((
            Status::Flaky,
            0.011,
            "2 of the last 52 results on the main line failed: a rate of 1.1 % to 12 %, 90 % sure; flaky from 1 % to 95 %",
        )),
        _ => None,
    });
    vec![Judgement { method: "evidence", ..usual }, threshold, wilson]
}

pub(super) fn compare_of(
    judgements: &[Judgement],
    names: &dyn Fn(&Verdict) -> TestLabel,
) -> CompareView {
    let input =
        CompareInput { project: "acme/shop", window: &window(), reference: judgements[0].method };
    CompareView::new(judgements, &disputes(judgements), names, input)
}

pub(super) fn compare() -> CompareView {
    compare_of(&compared(), &|verdict| label(verdict.test))
}

pub(super) fn hostile_compare(name: &str) -> CompareView {
    let hostile = hostile();
    let mut other = Judgement { method: "wilson", ..hostile.clone() };
    for verdict in &mut other.verdicts {
        verdict.status = Status::Healthy;
        verdict.facts.insert(0, Fact::Rule { text: name.to_owned() });
    }
    compare_of(&[hostile, other], &|verdict| named(verdict.test, name.to_owned()))
}

fn subject(no: u32) -> Subject {
    Subject {
        test: TestNo(no),
        variant: if no == 4 { "os=linux".to_owned() } else { String::new() },
    }
}

/// What each rule did in two weeks: the lower its threshold, the more.
pub(super) fn backtested(settings: &Settings) -> Backtest {
    let rules = Rule::all(&settings.filter, &settings.threshold);
    let last = rules.len() as u32 - 1;
    let flag = |no: u32, since, until, flakes, flakes_ever| Flag {
        subject: subject(no),
        since,
        until,
        flakes,
        flakes_ever,
    };
    let flags = [
        flag(2, 44, None, 2, 3),
        flag(4, 30, None, 1, 5),
        flag(3, 12, Some(31), 3, 3),
        flag(5, 8, Some(10), 0, 0),
        flag(6, 4, Some(19), 0, 2),
    ];
    let hidden = |no, from, failed, hidden, shown_from| Hidden {
        subject: subject(no),
        from,
        failed,
        hidden,
        shown_from,
    };
    let regressions =
        [hidden(4, 47, 5, 3, Some(50)), hidden(3, 20, 4, 4, None), hidden(6, 17, 1, 1, None)];
    let trials = (0..).zip(rules).map(|(place, rule)| {
        // 0.35 and 0.5 do the same.
        let strictness = if place == last { 0 } else { place.max(1) - u32::from(place > 1) };
        Trial {
            in_force: rule == Rule::filter(&settings.filter, settings.filter.enter()),
            rule,
            flags: flags.iter().take(5 - strictness as usize).cloned().collect(),
            greened: 6 - strictness,
            greened_wrongly: 2_u32.saturating_sub(strictness),
            hidden: regressions
                .iter()
                .take(3_usize.saturating_sub(strictness as usize))
                .cloned()
                .collect(),
            changes_hidden: 1_200_u32.saturating_sub(300 * strictness),
        }
    });
    Backtest { trials: trials.collect(), runs: runs(52), regressions: 4 }
}

pub(super) fn backtest_of(
    tested: &Backtest,
    settings: &Settings,
    names: &dyn Fn(TestNo) -> TestLabel,
) -> BacktestView {
    let input = BacktestInput { project: "acme/shop", window: &window(), settings };
    BacktestView::new(tested, names, input)
}

pub(super) fn backtest() -> BacktestView {
    let settings = Settings::default();
    backtest_of(&backtested(&settings), &settings, &label)
}

pub(super) fn hostile_backtest(name: &str) -> BacktestView {
    let settings = Settings { method: name.to_owned(), ..Settings::default() };
    let mut tested = backtested(&settings);
    for run in &mut tested.runs {
        run.revision = Some(name.to_owned());
    }
    for trial in &mut tested.trials {
        trial.in_force = false;
        trial.flags.iter_mut().for_each(|flag| flag.subject.variant = name.to_owned());
    }
    let view = backtest_of(&tested, &settings, &|test| named(test, name.to_owned()));
    BacktestView { project: name.to_owned(), ..view }
}
