//! The decision table: each row is one way in which a failed run may not be excused.
//!
//! A run whose runner exited with 0 has passed. Any other is excused only if no row of [`TABLE`]
//! objects; else the first row that does is the reason, and the others stand behind it.

use super::expected::Expected;
use super::facts::{
    CoverFact, Ending, Facts, Flaw, Freshness, HistoryFact, ListFact, ReportFact, TestFact,
};
use super::reason::{FileFlaw, Reason};
use super::record::Worse;
use super::runners::RunnerFact;
use super::settings::{ExpectedRule, GateSettings};

/// What becomes of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The runner exited with 0, which stays.
    Passed,
    /// All that failed is excused: exit with 0.
    Excused,
    /// The runner's own code is kept.
    Kept {
        /// The first reason.
        why: Reason,
        /// What else speaks against an excuse.
        also: Vec<Reason>,
    },
}

impl Decision {
    /// The exit code, where the runner ended like this: 0 only for what passed or is excused.
    #[must_use]
    pub fn exit(&self, ending: Ending) -> u8 {
        match self {
            Self::Passed | Self::Excused => 0,
            Self::Kept { .. } => ending.code().max(1),
        }
    }

    /// The stable word of JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Excused => "excused",
            Self::Kept { .. } => "kept",
        }
    }
}

/// One row of the table.
pub struct Row {
    /// What must hold for an excuse, in words.
    pub must: &'static str,
    /// Why it does not hold.
    pub objects: fn(&Facts, &GateSettings) -> Option<Reason>,
}

const fn row(must: &'static str, objects: fn(&Facts, &GateSettings) -> Option<Reason>) -> Row {
    Row { must, objects }
}

/// Everything that must hold for an excuse, in the order in which reasons are named.
pub const TABLE: &[Row] = &[
    row("the runner ended by itself", by_itself),
    row("flakedb could do its own work", no_trouble),
    row("the runner's code says \"tests failed\"", tests_failed),
    row("every retry ended with \"passed\" or \"tests failed\"", retries),
    row("there is a report", has_report),
    row("every report can be read", readable),
    row("every report is whole", whole),
    row("every report has a test", not_empty),
    row("it is known which runner it was", runner_known),
    row("declared counts agree with what reports show", counts_agree),
    row("no suite failed outside its tests", no_suite_error),
    row("it is known when the tests started", start_known),
    row("every report is newer than the start", fresh),
    row("every test has a name", named),
    row("at least one test failed", has_failure),
    row("the list can be read", list_readable),
    row("there is a list", has_list),
    row("no failing test is one that may never be quarantined", never),
    row("every failing test has an entry", covered),
    row("no entry of a failing test has expired", not_expired),
    row("the history can be used", history_usable),
    row("the history says which tests should have run", expected_known),
    row("the tests that should have run did run", expected_ran),
    row("no quarantined test is worse than its own record", not_worse),
];

/// What becomes of a run.
#[must_use]
pub fn decide(facts: &Facts, settings: &GateSettings) -> Decision {
    if facts.ending == Ending::Exited(0) {
        return Decision::Passed;
    }
    let mut reasons = TABLE.iter().filter_map(|row| (row.objects)(facts, settings));
    match reasons.next() {
        None => Decision::Excused,
        Some(why) => Decision::Kept { why, also: reasons.collect() },
    }
}

/// What the reports of a run that exited with 0 say against it: worth a warning, never a code.
#[must_use]
pub fn doubts(facts: &Facts, settings: &GateSettings) -> Vec<Reason> {
    let rows = [no_trouble, readable, whole, counts_agree, no_suite_error, stale, expected_ran];
    let tests: Vec<String> = failing(facts).map(TestFact::name).collect();
    let failed = (!tests.is_empty()).then_some(Reason::ZeroWithFailures { tests });
    failed.into_iter().chain(rows.iter().filter_map(|row| row(facts, settings))).collect()
}

fn by_itself(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    match facts.ending {
        Ending::Exited(_) => None,
        ending => Some(Reason::NotByItself { ending }),
    }
}

fn no_trouble(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    facts.trouble.first().map(|message| Reason::Trouble { message: message.clone() })
}

fn runner_known(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    match &facts.runner {
        RunnerFact::Known(runners) if !runners.is_empty() => None,
        RunnerFact::Known(_) => Some(Reason::RunnerUnknown { producers: Vec::new() }),
        RunnerFact::NoSuch(name) => Some(Reason::NoSuchRunner { name: name.clone() }),
        RunnerFact::Unknown(producers) => {
            Some(Reason::RunnerUnknown { producers: producers.clone() })
        }
    }
}

/// Where reports come from several runners, the code must mean the same to all of them.
fn tests_failed(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    let (Ending::Exited(code), RunnerFact::Known(runners)) = (facts.ending, &facts.runner) else {
        return None;
    };
    let other = runners.iter().find(|runner| !runner.means_failed(code))?;
    Some(Reason::OtherCode {
        code,
        runner: other.name.clone(),
        wanted: other.codes(),
        meaning: other.others.iter().find(|(known, _)| *known == code).map(|(_, words)| *words),
    })
}

fn retries(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    let fine = |ending: &Ending| match (ending, &facts.runner) {
        (Ending::Exited(0), _) => true,
        (Ending::Exited(code), RunnerFact::Known(runners)) => {
            runners.iter().all(|runner| runner.means_failed(*code))
        }
        // Another row objects to the runner itself.
        (Ending::Exited(_), _) => true,
        _ => false,
    };
    let (place, ending) = facts.retries.iter().enumerate().find(|(_, ending)| !fine(ending))?;
    Some(Reason::RetryBroke { retry: place + 1, ending: *ending })
}

fn has_report(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    facts.reports.is_empty().then_some(Reason::NoReport)
}

/// The first report with a flaw that `pick` describes, and how many more have one.
fn flawed<'a, T>(
    facts: &'a Facts,
    pick: impl Fn(&'a Flaw) -> Option<T>,
) -> Option<(&'a str, T, usize)> {
    let mut found = facts
        .reports
        .iter()
        .filter_map(|report| Some((report.file.as_str(), report.flaws.iter().find_map(&pick)?)));
    let (file, first) = found.next()?;
    Some((file, first, found.count()))
}

fn file_flaw(found: Option<(&str, String, usize)>) -> Option<FileFlaw> {
    let (file, message, more) = found?;
    Some(FileFlaw { file: file.to_owned(), message, more })
}

fn coded(code: &str, message: &str) -> String {
    format!("{code}: {message}")
}

fn readable(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    file_flaw(flawed(facts, |flaw| match flaw {
        Flaw::Unreadable { code, message } => Some(coded(code, message)),
        _ => None,
    }))
    .map(Reason::Unreadable)
}

fn whole(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    file_flaw(flawed(facts, |flaw| match flaw {
        Flaw::Damaged { code, message } => Some(coded(code, message)),
        _ => None,
    }))
    .map(Reason::Damaged)
}

fn not_empty(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    file_flaw(flawed(facts, |flaw| match flaw {
        Flaw::Empty => Some("has no test".to_owned()),
        _ => None,
    }))
    .map(Reason::Empty)
}

fn counts_agree(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    file_flaw(flawed(facts, |flaw| match flaw {
        Flaw::Counts { message } => Some(message.clone()),
        _ => None,
    }))
    .map(Reason::Counts)
}

fn no_suite_error(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    let (file, (suite, message), more) = flawed(facts, |flaw| match flaw {
        Flaw::SuiteError { suite, message } => Some((suite, message)),
        _ => None,
    })?;
    let (suite, message) = (suite.clone(), message.clone());
    Some(Reason::SuiteError { file: file.to_owned(), suite, message, more })
}

fn named(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    file_flaw(flawed(facts, |flaw| match flaw {
        Flaw::Nameless(1) => Some("has a test without a name, which no entry can cover".to_owned()),
        Flaw::Nameless(n) => {
            Some(format!("has {n} tests without a name, which no entry can cover"))
        }
        _ => None,
    }))
    .map(Reason::Nameless)
}

fn start_known(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    facts.started.is_none().then_some(Reason::StartUnknown)
}

fn fresh(facts: &Facts, settings: &GateSettings) -> Option<Reason> {
    facts.started?;
    let unknown = |report: &&ReportFact| report.freshness == Freshness::Unknown;
    stale(facts, settings).or_else(|| {
        let file = facts.reports.iter().find(unknown)?.file.clone();
        Some(Reason::AgeUnknown { file })
    })
}

fn stale(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    let started = facts.started?;
    let old = |freshness: &Freshness| !matches!(freshness, Freshness::Fresh | Freshness::Unknown);
    let mut stale = facts.reports.iter().filter(|report| old(&report.freshness));
    let first = stale.next()?;
    let (file, why) = (first.file.clone(), first.freshness.clone());
    Some(Reason::Stale { file, why, started, more: stale.count() })
}

/// What failed before our own retries counts: that is what the runner's code speaks of. Where a
/// report lacks something, the failure may stand in what is lacking.
fn has_failure(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    let failed = facts.tests.iter().any(|test| test.first.is_bad() || test.is_failing());
    let flawless = facts.reports.iter().all(|report| report.flaws.is_empty());
    (!failed && flawless && !facts.reports.is_empty()).then_some(Reason::NoFailure)
}

fn failing(facts: &Facts) -> impl Iterator<Item = &TestFact> {
    facts.tests.iter().filter(|test| test.is_failing())
}

fn list_readable(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    match &facts.list {
        ListFact::Unreadable { message } => {
            Some(Reason::ListUnreadable { message: message.clone() })
        }
        ListFact::Read { .. } | ListFact::Absent => None,
    }
}

fn has_list(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    let tests: Vec<String> = failing(facts).map(TestFact::name).collect();
    let absent = facts.list == ListFact::Absent && !tests.is_empty();
    absent.then_some(Reason::NoList { tests })
}

fn never(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    let tests = || failing(facts).filter(|test| matches!(test.cover, CoverFact::Never(_)));
    let rule = tests().next()?.cover.entry()?.clone();
    Some(Reason::Never { tests: tests().map(TestFact::name).collect(), rule })
}

fn covered(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    if facts.list == ListFact::Absent {
        return None;
    }
    let bare = || failing(facts).filter(|test| test.cover == CoverFact::None);
    bare().next()?;
    Some(Reason::Uncovered {
        tests: bare().map(TestFact::name).collect(),
        new: bare().filter(|test| test.news.is_new()).count(),
    })
}

fn not_expired(facts: &Facts, _: &GateSettings) -> Option<Reason> {
    let tests = || failing(facts).filter(|test| matches!(test.cover, CoverFact::Expired(_)));
    let entry = tests().next()?.cover.entry()?.clone();
    Some(Reason::Expired { tests: tests().map(TestFact::name).collect(), entry })
}

fn history_usable(facts: &Facts, settings: &GateSettings) -> Option<Reason> {
    match (&facts.history, settings.expected) {
        (HistoryFact::Unusable { message }, _) => {
            Some(Reason::HistoryUnusable { message: message.clone() })
        }
        (HistoryFact::Absent, ExpectedRule::Require) => Some(Reason::NoHistory),
        (HistoryFact::Absent, ExpectedRule::IfKnown) | (HistoryFact::Read, _) => None,
    }
}

fn expected_known(facts: &Facts, settings: &GateSettings) -> Option<Reason> {
    match (&facts.history, &facts.expected, settings.expected) {
        (HistoryFact::Read, Expected::Unknown { runs, needed }, ExpectedRule::Require) => {
            Some(Reason::ExpectedUnknown { runs: *runs, needed: *needed })
        }
        _ => None,
    }
}

fn expected_ran(facts: &Facts, settings: &GateSettings) -> Option<Reason> {
    let Expected::Known { runs, missing, .. } = &facts.expected else { return None };
    let missing = || missing.iter().filter(|test| !test.removed);
    if missing().count() <= settings.tolerance as usize {
        return None;
    }
    let of = |skipped| {
        missing().filter(|test| test.skipped == skipped).map(|test| test.name.clone()).collect()
    };
    Some(Reason::Missing { absent: of(false), skipped: of(true), runs: *runs })
}

fn not_worse(facts: &Facts, settings: &GateSettings) -> Option<Reason> {
    let excused = failing(facts).filter(|test| test.cover.excuses());
    let mut worse: Vec<(&TestFact, Worse)> =
        excused.filter_map(|test| Some((test, test.record.worse(settings.p)?))).collect();
    worse.sort_by(|(_, one), (_, other)| one.p.total_cmp(&other.p));
    let (_, first) = worse.first()?;
    let first = *first;
    let tests = worse.iter().map(|(test, _)| test.name()).collect();
    Some(Reason::Worse { tests, worse: first })
}

#[cfg(test)]
mod tests;
