//! Why a runner's exit code is kept: what happened, and what to do about it.

use crate::model::{Timestamp, counted};

use super::facts::{Ending, Entry, Freshness};
use super::record::Worse;

/// Names that one sentence lists; the rest are only counted.
const NAMES_MAX: usize = 3;

/// Why a runner's exit code is kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// The runner, or a retry of it, did not end by itself.
    NotByItself {
        /// How it ended.
        ending: Ending,
    },
    /// Nothing tells which runner it was, so nothing tells what its code means.
    RunnerUnknown {
        /// The producers of the reports.
        producers: Vec<String>,
    },
    /// A runner was named that no table has.
    NoSuchRunner {
        /// The name.
        name: String,
    },
    /// The code does not say "tests failed".
    OtherCode {
        /// The code.
        code: i32,
        /// The runner.
        runner: String,
        /// The codes that would say so, in words.
        wanted: String,
        /// What this one means.
        meaning: Option<&'static str>,
    },
    /// A retry ended otherwise than by passing or by "tests failed".
    RetryBroke {
        /// Which one, from 1.
        retry: usize,
        /// How it ended.
        ending: Ending,
    },
    /// We could not do our own work.
    Trouble {
        /// Why.
        message: String,
    },
    /// There is no report.
    NoReport,
    /// Reports that cannot be read.
    Unreadable(FileFlaw),
    /// Reports that were cut off or damaged.
    Damaged(FileFlaw),
    /// Reports without a single test.
    Empty(FileFlaw),
    /// Reports whose declared counts differ from what they show.
    Counts(FileFlaw),
    /// No start was given, so nothing shows that the reports are this run's.
    StartUnknown,
    /// Reports from before the start.
    Stale {
        /// The first one.
        file: String,
        /// What tells.
        why: Freshness,
        /// When the tests started.
        started: Timestamp,
        /// How many more there are.
        more: usize,
    },
    /// Reports of which nothing tells when they were written.
    AgeUnknown {
        /// The first one.
        file: String,
    },
    /// Suites that failed outside their tests.
    SuiteError {
        /// The first file.
        file: String,
        /// The suite, or empty.
        suite: String,
        /// What happened.
        message: String,
        /// How many more there are.
        more: usize,
    },
    /// Tests without a name.
    Nameless(FileFlaw),
    /// The runner says "tests failed", and no report shows a failure.
    NoFailure,
    /// The runner exited with 0, and reports show failures.
    ZeroWithFailures {
        /// The tests.
        tests: Vec<String>,
    },
    /// The list cannot be read.
    ListUnreadable {
        /// What is wrong, with file and line.
        message: String,
    },
    /// There is no list.
    NoList {
        /// Failing tests.
        tests: Vec<String>,
    },
    /// Failing tests that may never be excused.
    Never {
        /// The tests.
        tests: Vec<String>,
        /// The rule of the first.
        rule: Entry,
    },
    /// Failing tests whose entries have expired.
    Expired {
        /// The tests.
        tests: Vec<String>,
        /// The entry of the first.
        entry: Entry,
    },
    /// Failing tests that no entry names.
    Uncovered {
        /// The tests.
        tests: Vec<String>,
        /// How many of them this change brought.
        new: usize,
    },
    /// The history cannot be used.
    HistoryUnusable {
        /// What is wrong, and the mend.
        message: String,
    },
    /// There is no history.
    NoHistory,
    /// The history has too few runs to say which tests should have run.
    ExpectedUnknown {
        /// Runs that tell.
        runs: u32,
        /// Runs that are needed.
        needed: u32,
    },
    /// Tests that should have run did not.
    Missing {
        /// Tests that are not there.
        absent: Vec<String>,
        /// Tests that are there and were skipped.
        skipped: Vec<String>,
        /// Runs that expect them.
        runs: u32,
    },
    /// Quarantined tests that are worse than their own records.
    Worse {
        /// The tests, the clearest first.
        tests: Vec<String>,
        /// The numbers of the first.
        worse: Worse,
    },
}

/// What is wrong with a file, and with how many more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFlaw {
    /// The first file.
    pub file: String,
    /// What is wrong with it, in words.
    pub message: String,
    /// How many more there are.
    pub more: usize,
}

/// `n` of a thing, in words: `1 test`, `3 tests`.
fn count(n: usize, noun: &str) -> String {
    counted(n as u64, noun)
}

/// The first few names, and how many more there are.
fn names(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn and_more(more: usize, noun: &str) -> String {
    if more == 0 { String::new() } else { format!(" (and {} more)", count(more, noun)) }
}

fn place(entry: &Entry) -> String {
    if entry.place.is_empty() { String::new() } else { format!(" ({})", entry.place) }
}

/// The names of the signals that end test runs.
fn signal_name(signal: i32) -> Option<&'static str> {
    let names = [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (3, "SIGQUIT"),
        (4, "SIGILL"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (14, "SIGALRM"),
        (15, "SIGTERM"),
    ];
    names.iter().find(|(number, _)| *number == signal).map(|(_, name)| *name)
}

/// How a runner ended, to be continued behind its name.
fn ended(ending: Ending) -> String {
    match ending {
        Ending::Exited(code) => format!("exited with {code}"),
        Ending::Signalled(signal) => match signal_name(signal) {
            Some(name) => format!("was ended by {name} (signal {signal})"),
            None => format!("was ended by signal {signal}"),
        },
        Ending::TimedOut => "was stopped because its time was up".to_owned(),
        Ending::NotExecutable => "could not be started: not executable".to_owned(),
        Ending::NotFound => "could not be started: command not found".to_owned(),
    }
}

impl Freshness {
    /// What tells that a report is old, to be continued behind its file.
    fn says(&self) -> String {
        match self {
            Self::OldFile { written } => format!("was written at {}", written.to_rfc3339()),
            Self::OldClock { says } => format!("says that its tests started at {says}"),
            Self::KnownBytes { run } => {
                format!("is in the history already, from the run of {}", run.to_rfc3339())
            }
            Self::Fresh | Self::Unknown => "does not say when it was written".to_owned(),
        }
    }
}

impl Reason {
    /// The stable word of JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotByItself { .. } => "not-by-itself",
            Self::RunnerUnknown { .. } => "runner-unknown",
            Self::NoSuchRunner { .. } => "no-such-runner",
            Self::OtherCode { .. } => "other-code",
            Self::RetryBroke { .. } => "retry-broke",
            Self::Trouble { .. } => "trouble",
            Self::NoReport => "no-report",
            Self::Unreadable(_) => "report-unreadable",
            Self::Damaged(_) => "report-damaged",
            Self::Empty(_) => "report-empty",
            Self::Counts(_) => "report-counts",
            Self::StartUnknown => "start-unknown",
            Self::Stale { .. } => "report-stale",
            Self::AgeUnknown { .. } => "report-age-unknown",
            Self::SuiteError { .. } => "suite-error",
            Self::Nameless(_) => "nameless",
            Self::NoFailure => "no-failure",
            Self::ZeroWithFailures { .. } => "zero-with-failures",
            Self::ListUnreadable { .. } => "list-unreadable",
            Self::NoList { .. } => "no-list",
            Self::Never { .. } => "never",
            Self::Expired { .. } => "expired",
            Self::Uncovered { .. } => "uncovered",
            Self::HistoryUnusable { .. } => "history-unusable",
            Self::NoHistory => "no-history",
            Self::ExpectedUnknown { .. } => "expected-unknown",
            Self::Missing { .. } => "missing",
            Self::Worse { .. } => "worse",
        }
    }

    /// True where it is our own trouble, and not the run's.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::Trouble { .. } | Self::ListUnreadable { .. } | Self::HistoryUnusable { .. }
        )
    }

    /// What happened, in one clause; names stand in it as reports gave them.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::NotByItself { ending } => format!("the runner {}", ended(*ending)),
            Self::RetryBroke { retry, ending } => format!("retry {retry} {}", ended(*ending)),
            Self::RunnerUnknown { .. } | Self::NoSuchRunner { .. } | Self::OtherCode { .. } => {
                self.text_of_runner()
            }
            Self::Trouble { message } | Self::ListUnreadable { message } => message.clone(),
            Self::HistoryUnusable { message } => format!("the history cannot be used: {message}"),
            Self::NoHistory => "there is no history to say which tests should have run".to_owned(),
            Self::ExpectedUnknown { runs, needed } => format!(
                "{} of this lane and variant cannot say which tests should have run; {needed} can",
                count(*runs as usize, "earlier run")
            ),
            Self::Never { .. }
            | Self::Expired { .. }
            | Self::Uncovered { .. }
            | Self::NoList { .. }
            | Self::ZeroWithFailures { .. }
            | Self::Missing { .. }
            | Self::Worse { .. } => self.text_of_tests(),
            _ => self.text_of_reports(),
        }
    }

    fn text_of_runner(&self) -> String {
        match self {
            Self::RunnerUnknown { producers } => match names(producers) {
                all if all.is_empty() => {
                    "nothing tells which runner it was, so what its code means".to_owned()
                }
                all => format!("no runner is known that writes all of the reports ({all})"),
            },
            Self::NoSuchRunner { name } => format!("no runner is called `{name}`"),
            Self::OtherCode { code, runner, wanted, meaning } => {
                let meaning = meaning.map(|words| format!(" ({words})")).unwrap_or_default();
                format!(
                    "the runner exited with {code}{meaning}; {runner} says \"tests failed\" with \
                     {wanted}"
                )
            }
            _ => String::new(),
        }
    }

    fn text_of_reports(&self) -> String {
        match self {
            Self::NoReport => "no report was found".to_owned(),
            Self::Unreadable(flaw)
            | Self::Damaged(flaw)
            | Self::Empty(flaw)
            | Self::Counts(flaw)
            | Self::Nameless(flaw) => {
                format!("{}: {}{}", flaw.file, flaw.message, and_more(flaw.more, "report"))
            }
            Self::StartUnknown => {
                "nothing says when the tests started, so the reports may be old ones".to_owned()
            }
            Self::Stale { file, why, started, more } => format!(
                "{file} {}, before the tests started at {}{}",
                why.says(),
                started.to_rfc3339(),
                and_more(*more, "report")
            ),
            Self::AgeUnknown { file } => format!("nothing tells when {file} was written"),
            Self::SuiteError { file, suite, message, more } => {
                let suite = if suite.is_empty() { "a suite" } else { suite };
                let message =
                    if message.is_empty() { String::new() } else { format!(": {message}") };
                format!(
                    "{suite} failed outside its tests{message} ({file}){}",
                    and_more(*more, "suite")
                )
            }
            _ => "the runner says that tests failed, but no report shows a failure".to_owned(),
        }
    }

    fn text_of_tests(&self) -> String {
        match self {
            Self::ZeroWithFailures { tests } => {
                format!("{} failed, by the reports: {}", count(tests.len(), "test"), names(tests))
            }
            Self::NoList { tests } => {
                format!("{} failed, and there is no quarantine.toml", names(tests))
            }
            Self::Never { tests, rule } => {
                format!("{} failed and may never be quarantined{}", names(tests), place(rule))
            }
            Self::Expired { tests, entry } => {
                let on = entry.expires.as_ref().map(|day| format!(" on {day}")).unwrap_or_default();
                format!(
                    "{} failed, and the quarantine entry expired{on}{}",
                    names(tests),
                    place(entry)
                )
            }
            Self::Uncovered { tests, new } => {
                let entries = if tests.len() == 1 { "it" } else { "them" };
                let new = match (*new, tests.len()) {
                    (0, _) => String::new(),
                    (1, 1) => "; it never failed without this change".to_owned(),
                    (new, _) => format!("; {new} of them never failed without this change"),
                };
                format!("{} failed, and no quarantine entry covers {entries}{new}", names(tests))
            }
            Self::Missing { absent, skipped, runs } => missing(absent, skipped, *runs),
            Self::Worse { tests, worse } => format!(
                "{} is quarantined but fails more than its own record: {} of the last {} runs, \
                 {} of the {} before (p = {:.1e}){}",
                tests.first().map_or("", String::as_str),
                worse.recent_bad,
                worse.recent,
                worse.record_bad,
                worse.record,
                worse.p,
                and_more(tests.len().saturating_sub(1), "test"),
            ),
            _ => String::new(),
        }
    }

    /// What to do about it, as an instruction; empty where the runner's own output says it.
    #[must_use]
    pub fn mend(&self) -> &'static str {
        match self {
            Self::NotByItself { .. }
            | Self::OtherCode { .. }
            | Self::RetryBroke { .. }
            | Self::NoFailure
            | Self::ZeroWithFailures { .. }
            | Self::SuiteError { .. } => "look at the runner's own output",
            Self::RunnerUnknown { .. } | Self::NoSuchRunner { .. } => {
                "name it with --runner (`flakedb gate --help` lists them), or its codes under \
                 [gate.runners] in flakedb.toml"
            }
            Self::Trouble { .. } | Self::HistoryUnusable { .. } => {
                "mend what flakedb says; the tests themselves were not judged"
            }
            Self::NoReport => "check the paths, and that the runner writes JUnit XML there",
            Self::Empty(_) => "leave a report that never has a test out of the paths",
            Self::Unreadable(_) | Self::Damaged(_) | Self::Counts(_) => {
                "see `flakedb validate` for the place; the runner may have died while it wrote"
            }
            Self::StartUnknown => {
                "touch a file before the tests and give it as --started FILE, or a time"
            }
            Self::Stale { .. } => "delete old reports before the tests run",
            Self::AgeUnknown { .. } => "let the runner write a file, and give its path",
            Self::Nameless(_) => "give every test a name",
            Self::ListUnreadable { .. } => "mend the file; `flakedb quarantine lint` checks it",
            Self::NoList { .. } | Self::Uncovered { .. } => {
                "mend the tests, or let the team review an entry in quarantine.toml"
            }
            Self::Never { .. } => "mend the tests; the rule was reviewed",
            Self::Expired { .. } => "mend the tests, or renew the entry with its reason",
            Self::NoHistory | Self::ExpectedUnknown { .. } => {
                "ingest a few runs, or set gate.expected = \"if-known\" to go on without"
            }
            Self::Missing { .. } => {
                "find out why they did not run; --removed PATTERN names tests removed on purpose"
            }
            Self::Worse { .. } => "it is broken now, not flaky: mend it",
        }
    }
}

fn missing(absent: &[String], skipped: &[String], runs: u32) -> String {
    let verb = |n: usize| if n == 1 { "was" } else { "were" };
    let mut parts = Vec::new();
    if !absent.is_empty() {
        parts.push(format!(
            "{} did not run: {}",
            count(absent.len(), "expected test"),
            names(absent)
        ));
    }
    if !skipped.is_empty() {
        parts.push(format!(
            "{} {} skipped that always ran: {}",
            count(skipped.len(), "test"),
            verb(skipped.len()),
            names(skipped)
        ));
    }
    format!("{} (of the last {})", parts.join("; "), count(runs as usize, "run"))
}

#[cfg(test)]
mod tests;
