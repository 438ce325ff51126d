//! What is new since a moment.

use serde::Serialize;

use super::super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetHint, SheetTable};
use super::super::super::{phrase, sentence};
use super::super::{ShareView, TestLabel, WindowText, WindowView};
use super::{AboutView, NamedTest, digits};
use crate::analysis::changes::{self, Changes, Moved, RateChange};
use crate::analysis::direction::Direction;
use crate::analysis::verdict::{Judgement, Status};
use crate::model::Timestamp;
use crate::store::query::TestNo;

/// What changed from the window that ended at a moment to the one that ends now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SinceView {
    /// What was looked at.
    #[serde(flatten)]
    pub about: AboutView,
    /// The moment between before and now.
    pub moment: String,
    /// How the moment was given, where it is a revision.
    pub revision: Option<String>,
    /// The window that ended there.
    pub before: WindowView,
    /// Its runs.
    pub runs_before: u64,
    /// When the later window begins, where that is after the moment.
    pub begins_late: Option<String>,
    /// Red runs before the moment and all of them, outages left out.
    pub red_before: ShareView,
    /// The same since.
    pub red_since: ShareView,
    /// Whether fewer runs are red since than chance explains, or more.
    pub direction: Direction,
    /// Tests that fail now and did not before.
    pub newly_broken: Vec<MovedTest>,
    /// Tests that are flaky now and were not before.
    pub newly_flaky: Vec<MovedTest>,
    /// Tests that were broken and pass.
    pub fixed: Vec<MovedTest>,
    /// Tests that were flaky and are not called so any more.
    pub healed: Vec<MovedTest>,
    /// Tests that ran for the first time since.
    pub appeared: Vec<NamedTest>,
    /// Tests that ran before and do not any more.
    pub vanished: Vec<MovedTest>,
    /// Tests that fail more or less often than before, the surest first.
    pub rates: Vec<RateMoved>,
    /// Tests whose rates were compared.
    pub rates_asked: u32,
    /// Share of the changed rates that may be chance.
    pub false_discovery_rate: f64,
}

/// A test whose verdict changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MovedTest {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// What it was; null where it had no result.
    pub was: Option<Status>,
    /// What it is; null where it has no result.
    pub now: Option<Status>,
    /// Why, in one sentence.
    pub reason: String,
}

/// A test whose rate of failures changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RateMoved {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// What it is.
    pub status: Option<Status>,
    /// Runs before with a failed attempt.
    pub before: ShareView,
    /// Runs since with a failed attempt.
    pub since: ShareView,
    /// The chance of a difference this large where there is none.
    pub p: f64,
    /// The same, adjusted for all tests that were asked.
    pub q: f64,
}

/// What the view is made of.
#[derive(Clone, Copy)]
pub struct SinceInput<'a> {
    /// The moment.
    pub moment: Timestamp,
    /// The revision that it was given as.
    pub revision: Option<&'a str>,
    /// The question that selected the earlier runs.
    pub window_before: &'a WindowText,
    /// The verdicts of the earlier window.
    pub before: &'a Judgement,
    /// The verdicts of the later window.
    pub now: &'a Judgement,
    /// What changed.
    pub changes: &'a Changes,
    /// Tests that ran for the first time since.
    pub appeared: &'a [TestNo],
    /// The names of the tests.
    pub names: &'a dyn Fn(TestNo) -> TestLabel,
}

const TITLE: &str = "What is new";

impl SinceView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.since.v1";

    /// Describes what changed.
    #[must_use]
    pub fn new(about: AboutView, input: SinceInput<'_>) -> Self {
        let changes = input.changes;
        let moved =
            |moved: &[Moved]| moved.iter().filter_map(|one| moved_test(one, &input)).collect();
        let share = |(failed, runs): (u32, u32)| ShareView { failed, runs };
        let rate = |one: &RateChange| {
            let moved = moved_test(&one.moved, &input)?;
            Some(RateMoved {
                test: moved.test,
                status: moved.now,
                before: share(one.before),
                since: share(one.since),
                p: digits(one.p),
                q: digits(one.q),
            })
        };
        Self {
            about,
            moment: input.moment.to_rfc3339(),
            revision: input.revision.map(str::to_owned),
            before: WindowView::new(input.window_before),
            runs_before: input.before.runs.len() as u64,
            begins_late: input
                .now
                .runs
                .iter()
                .map(|run| run.started)
                .min()
                .filter(|first| *first > input.moment && !input.before.runs.is_empty())
                .map(Timestamp::to_rfc3339),
            red_before: share(changes.runs_before),
            red_since: share(changes.runs_since),
            direction: changes.direction,
            newly_broken: moved(&changes.newly_broken),
            newly_flaky: moved(&changes.newly_flaky),
            fixed: moved(&changes.fixed),
            healed: moved(&changes.healed),
            appeared: input
                .appeared
                .iter()
                .map(|test| NamedTest::new((input.names)(*test), ""))
                .collect(),
            vanished: moved(&changes.vanished),
            rates: changes.rates.iter().filter_map(rate).collect(),
            rates_asked: changes.asked,
            false_discovery_rate: changes::FALSE_DISCOVERY_RATE,
        }
    }

    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let title = format!("{TITLE} since {}", self.moment_words());
        let first = [&self.newly_broken, &self.newly_flaky].into_iter().flatten().next();
        let hint = first.map(|one| SheetHint::show(&one.test.test, &one.test.id));
        let answer = Sheet {
            lead: self.lead(),
            tables: self.tables(),
            notes: self.notes(),
            hints: hint.into_iter().collect(),
            ..Sheet::default()
        };
        self.about.head(&title, answer)
    }

    fn moment_words(&self) -> String {
        let minute = phrase::minute(&self.moment);
        match &self.revision {
            Some(revision) => format!("{} ({minute})", sentence::revision(revision)),
            None => minute,
        }
    }

    fn lead(&self) -> Vec<String> {
        if self.runs_before == 0 {
            return vec![format!(
                "No run of this window started before, so that everything is new: {} since",
                sentence::count(self.red_since.runs, "run")
            )];
        }
        let counts = [
            (self.newly_broken.len(), "newly broken"),
            (self.newly_flaky.len(), "newly flaky"),
            (self.fixed.len(), "fixed"),
            (self.healed.len(), "no longer flaky"),
            (self.appeared.len(), "new"),
            (self.vanished.len(), "gone"),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .map(|(count, what)| format!("{} {what}", sentence::number(count as u64)))
            .collect();
        let answer = match self.direction {
            Direction::Better => "It is getting better",
            Direction::Worse => "It is getting worse",
            Direction::Unclear => "No clear change",
        };
        let share = |share: ShareView| {
            let all = sentence::count(share.runs, "run");
            format!("{} of {all}", sentence::number(share.failed.into()))
        };
        vec![
            format!("Tests: {}", counts.join(", ")),
            format!(
                "{answer}: {} red since, {} before",
                share(self.red_since),
                share(self.red_before)
            ),
        ]
    }

    fn tables(&self) -> Vec<SheetTable> {
        let columns = [
            ("Test", ColumnKind::Name),
            ("Was", ColumnKind::Word),
            ("Is", ColumnKind::Word),
            ("Why", ColumnKind::Words),
        ];
        let status = |status: Option<Status>| status.map_or(SheetCell::Empty, SheetCell::Status);
        let row = |one: &MovedTest| {
            vec![
                SheetCell::Name(one.test.label()),
                status(one.was),
                status(one.now),
                SheetCell::Words(one.reason.clone()),
            ]
        };
        let moved = [
            ("Newly broken", &self.newly_broken),
            ("Newly flaky", &self.newly_flaky),
            ("Fixed", &self.fixed),
            ("No longer flaky", &self.healed),
            ("Gone", &self.vanished),
        ];
        let mut tables: Vec<SheetTable> = moved
            .into_iter()
            .map(|(caption, tests)| {
                SheetTable::new(caption, &columns, "test").with(tests.iter().map(row))
            })
            .collect();
        tables.push(self.rates_table());
        let columns = [("Test", ColumnKind::Name), ("Owners", ColumnKind::Words)];
        let row = |test: &NamedTest| {
            vec![SheetCell::Name(test.label()), SheetCell::Words(test.owners.join(", "))]
        };
        let table = SheetTable::new("New tests", &columns, "test");
        tables.push(table.with(self.appeared.iter().map(row)));
        tables
    }

    fn rates_table(&self) -> SheetTable {
        let columns = [
            ("Test", ColumnKind::Name),
            ("Failed before", ColumnKind::Word),
            ("Failed since", ColumnKind::Word),
            ("Is", ColumnKind::Word),
            ("q", ColumnKind::Number),
        ];
        let share = |share: ShareView| {
            let numbers = [share.failed, share.runs].map(|count| sentence::number(count.into()));
            SheetCell::Words(numbers.join(" of "))
        };
        let row = |one: &RateMoved| {
            vec![
                SheetCell::Name(one.test.label()),
                share(one.before),
                share(one.since),
                one.status.map_or(SheetCell::Empty, SheetCell::Status),
                SheetCell::Chance(one.q),
            ]
        };
        SheetTable::new("Fails more or less often", &columns, "test")
            .with(self.rates.iter().map(row))
    }

    fn notes(&self) -> Vec<String> {
        let late = self.begins_late.as_ref().map(|begins| {
            let begins = phrase::minute(begins);
            format!(
                "The later window begins only at {begins}: runs between the moment and then, if there \
                 are any, belong to neither side; widen it with --runs, --days or --since"
            )
        });
        let notes = [
            format!(
                "Two windows, judged by {}: {}; and {}",
                self.about.method, self.before.text, self.about.window.text
            ),
            format!(
                "How often tests fail, and how many runs are red, is compared on the runs before and \
                 since (Fisher's exact test; over {} with Benjamini-Hochberg: of the changes told, at \
                 most {} is chance)",
                sentence::count(self.rates_asked, "test"),
                sentence::percent(self.false_discovery_rate)
            ),
        ];
        late.into_iter().chain(notes).collect()
    }
}

/// The test with what it was and is; the reason is the later one.
fn moved_test(moved: &Moved, input: &SinceInput<'_>) -> Option<MovedTest> {
    let before = moved.before.and_then(|place| input.before.verdicts.get(place));
    let now = moved.now.and_then(|place| input.now.verdicts.get(place));
    let verdict = now.or(before)?;
    let reason = match now {
        Some(now) => sentence::reason(now, &input.now.runs),
        None => format!("Ran last on {}", verdict.last_run.to_date()),
    };
    Some(MovedTest {
        test: NamedTest::new((input.names)(verdict.test), &verdict.variant),
        was: before.map(|verdict| verdict.status),
        now: now.map(|verdict| verdict.status),
        reason,
    })
}
