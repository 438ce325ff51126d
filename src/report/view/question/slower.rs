//! Which tests got slower, since when and by how much.

use serde::Serialize;

use super::super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetHint, SheetTable};
use super::super::super::{phrase, sentence};
use super::super::{TestLabel, rounded};
use super::{AboutView, NamedTest, digits};
use crate::analysis::slower::{PASSES_KEPT, Pace, PaceChange, PaceSettings};
use crate::analysis::verdict::JudgedRun;
use crate::store::query::TestNo;

/// Tests that take another time than before.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SlowerView {
    /// What was looked at.
    #[serde(flatten)]
    pub about: AboutView,
    /// Tests that take longer, the largest difference first.
    pub slower: Vec<PaceView>,
    /// Tests that take less time, the largest difference first.
    pub faster: Vec<PaceView>,
    /// Tests that were asked, counted once for each variant.
    pub asked: u32,
    /// Tests with too few passes on the main line to ask.
    pub too_few: u32,
    /// Tests whose times all lie too close together to matter.
    pub too_quick: u32,
    /// Fewest passes of a test that is asked.
    pub passes_min: u64,
    /// Only a change by this ratio is told.
    pub ratio: f64,
    /// Only a change by so many seconds is told.
    pub seconds: f64,
    /// Share of the changes that may be chance.
    pub false_discovery_rate: f64,
}

/// One test that takes another time than before.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PaceView {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// The median of its passes before, in seconds.
    pub before_seconds: f64,
    /// The median of its passes since, in seconds.
    pub after_seconds: f64,
    /// The second over the first.
    pub ratio: f64,
    /// Passes before that were compared.
    pub passes_before: u32,
    /// Passes since that were compared.
    pub passes_since: u32,
    /// When the first run since started.
    pub since: Option<String>,
    /// Its revision, where known.
    pub revision: Option<String>,
    /// The revision of the last run before that was compared, where known.
    pub revision_before: Option<String>,
    /// The chance of a change this large where there is none.
    pub p: f64,
    /// The same, adjusted for all tests that were asked.
    pub q: f64,
}

impl PaceView {
    /// Describes a change.
    #[must_use]
    pub fn new(change: &PaceChange, runs: &[JudgedRun], label: TestLabel) -> Self {
        let run = |place: u32| runs.get(place as usize);
        let revision = |place: u32| run(place).and_then(|run| run.revision.clone());
        let (before, after) = (change.before.as_seconds(), change.after.as_seconds());
        Self {
            test: NamedTest::new(label, &change.variant),
            before_seconds: before,
            after_seconds: after,
            ratio: rounded(after / before.max(1e-6)),
            passes_before: change.passes.0,
            passes_since: change.passes.1,
            since: run(change.first_after).map(|run| run.started.to_rfc3339()),
            revision: revision(change.first_after),
            revision_before: revision(change.last_before),
            p: digits(change.p),
            q: digits(change.q),
        }
    }

    /// The row of a table of [`COLUMNS`](Self::COLUMNS).
    #[must_use]
    pub fn row(&self) -> Vec<SheetCell> {
        vec![
            SheetCell::Name(self.test.label()),
            SheetCell::Seconds(self.before_seconds),
            SheetCell::Seconds(self.after_seconds),
            SheetCell::Times(self.ratio),
            self.since.clone().map_or(SheetCell::Empty, SheetCell::Day),
            SheetCell::revision(self.revision.as_ref()),
            SheetCell::Chance(self.q),
        ]
    }

    /// The columns of a table of such tests.
    pub const COLUMNS: [(&'static str, ColumnKind); 7] = [
        ("Test", ColumnKind::Name),
        ("Before", ColumnKind::Number),
        ("Since", ColumnKind::Number),
        ("Ratio", ColumnKind::Number),
        ("First run since", ColumnKind::Word),
        ("Revision", ColumnKind::Word),
        ("q", ColumnKind::Number),
    ];
}

/// Tests that began together at one run and so may share a reason: from this many on it is said.
const SAME_RUN_MIN: usize = 5;

const TITLE: &str = "Which tests got slower";

impl SlowerView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.slower.v1";

    /// Describes what changed its pace.
    #[must_use]
    pub fn new(
        about: AboutView,
        pace: &Pace,
        settings: &PaceSettings,
        runs: &[JudgedRun],
        names: &dyn Fn(TestNo) -> TestLabel,
    ) -> Self {
        let views = |changes: &[PaceChange]| -> Vec<PaceView> {
            changes.iter().map(|one| PaceView::new(one, runs, names(one.test))).collect()
        };
        Self {
            about,
            slower: views(&pace.slower),
            faster: views(&pace.faster),
            asked: pace.asked,
            too_few: pace.too_few,
            too_quick: pace.too_quick,
            passes_min: settings.passes_min as u64,
            ratio: settings.ratio,
            seconds: settings.difference.as_seconds(),
            false_discovery_rate: settings.false_discovery_rate,
        }
    }

    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let parts = [
            ("Slower, the largest difference first", &self.slower),
            ("Faster, the largest difference first", &self.faster),
        ];
        let tables = parts.into_iter().map(|(caption, tests)| {
            SheetTable::new(caption, &PaceView::COLUMNS, "test")
                .with(tests.iter().map(PaceView::row))
        });
        let first = self.slower.first().or(self.faster.first());
        let hints = first.map(|one| SheetHint::show(&one.test.test, &one.test.id));
        let answer = Sheet {
            lead: self.lead(),
            tables: tables.collect(),
            notes: self.notes(),
            hints: hints.into_iter().collect(),
            ..Sheet::default()
        };
        self.about.head(TITLE, answer)
    }

    fn lead(&self) -> Vec<String> {
        if self.asked == 0 && self.too_quick == 0 {
            return vec![format!(
                "No test passed {} times on the main line with a time, so there is nothing to compare",
                sentence::number(self.passes_min)
            )];
        }
        let sum = |tests: &[PaceView]| -> f64 {
            tests.iter().map(|one| one.after_seconds - one.before_seconds).sum()
        };
        let mut lead = vec![match self.slower.len() {
            0 => "No test got slower".to_owned(),
            slower => format!(
                "{} got slower: {} more test time in each run",
                sentence::count(slower as u64, "test"),
                sentence::rough(sum(&self.slower))
            ),
        }];
        if !self.faster.is_empty() {
            lead.push(format!(
                "{} got faster: {} less",
                sentence::count(self.faster.len() as u64, "test"),
                sentence::rough(-sum(&self.faster))
            ));
        }
        lead.extend(self.same_run());
        lead
    }

    /// Many tests that change at once point to the machine or to what all of them use.
    fn same_run(&self) -> Option<String> {
        let at = |run: &Option<String>| self.slower.iter().filter(|one| &one.since == run).count();
        let (count, since) =
            self.slower.iter().map(|one| (at(&one.since), one.since.as_ref())).max()?;
        let since = since.filter(|_| count >= SAME_RUN_MIN && 2 * count >= self.slower.len())?;
        Some(format!(
            "{} of them did so with the run of {}: look at the machine, or at what they all use",
            sentence::number(count as u64),
            phrase::minute(since)
        ))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let compared = format!(
            "Medians of passes on the main line, before and since the run where they change most \
             (Pettitt's test over {}, Benjamini-Hochberg): of the changes told, at most {} is chance. \
             Told from a ratio of {} and a difference of {} on. Of more than {} passes only some are \
             compared, evenly spread, so that the first run since may be somewhat late",
            sentence::count(self.asked, "test"),
            sentence::percent(self.false_discovery_rate),
            self.ratio,
            sentence::seconds(self.seconds),
            PASSES_KEPT,
        );
        if self.asked > 0 {
            notes.push(compared);
        }
        if self.too_quick + self.too_few > 0 {
            notes.push(format!(
                "Not asked: {} whose times all lie within {}, {} with fewer than {}",
                sentence::count(self.too_quick, "test"),
                sentence::seconds(self.seconds),
                sentence::number(self.too_few.into()),
                sentence::count(self.passes_min, "pass"),
            ));
        }
        notes
    }
}
