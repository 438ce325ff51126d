//! Which tests cost most, in builds and in time.

use serde::Serialize;

use super::super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetHint, SheetTable};
use super::super::super::{phrase, sentence};
use super::super::{HarmView, TestLabel, rounded};
use super::{AboutView, NamedTest};
use crate::analysis::harm::Harm;
use crate::analysis::verdict::{Judgement, Status, Verdict};

/// The tests that cost anything, the dearest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CostsView {
    /// What was looked at.
    #[serde(flatten)]
    pub about: AboutView,
    /// Red builds that tests turned red, all together.
    pub builds: f64,
    /// Test time to be run again, in seconds, all together.
    pub lost_seconds: f64,
    /// So many of the first tests make [`most_share`](Self::most_share) of the builds.
    pub most: u64,
    /// See [`most`](Self::most).
    pub most_share: f64,
    /// The tests, the dearest first.
    pub tests: Vec<CostView>,
}

/// What one test cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CostView {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// What it is now.
    pub status: Status,
    /// What it cost.
    pub harm: HarmView,
    /// The share of all builds that it and those before it make.
    pub cumulative: f64,
}

/// What most of the cost is.
const MOST_SHARE: f64 = 0.8;

const TITLE: &str = "Which tests cost most";

impl CostsView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.costs.v1";

    /// True where a test cost anything, so that its name is needed.
    #[must_use]
    pub fn lists(verdict: &Verdict) -> bool {
        verdict.harm.compared_to(&Harm::default()).is_gt()
    }

    /// Sums up a judgement.
    #[must_use]
    pub fn new(
        about: AboutView,
        judgement: &Judgement,
        names: &dyn Fn(&Verdict) -> TestLabel,
    ) -> Self {
        let mut dear: Vec<&Verdict> =
            judgement.verdicts.iter().filter(|verdict| Self::lists(verdict)).collect();
        // Stable: of equals the more urgent first.
        dear.sort_by(|one, other| other.harm.compared_to(&one.harm));
        let builds: f64 = dear.iter().map(|verdict| verdict.harm.share).sum();
        let lost: f64 = dear.iter().map(|verdict| verdict.harm.lost.as_seconds()).sum();
        let mut sum = 0.0;
        let tests: Vec<CostView> = dear
            .into_iter()
            .map(|verdict| {
                sum += verdict.harm.share;
                CostView {
                    test: NamedTest::new(names(verdict), &verdict.variant),
                    status: verdict.status,
                    harm: verdict.harm.into(),
                    cumulative: if builds > 0.0 { rounded((sum / builds).min(1.0)) } else { 0.0 },
                }
            })
            .collect();
        let most = tests.iter().position(|test| test.cumulative >= MOST_SHARE);
        Self {
            about,
            builds: rounded(builds),
            lost_seconds: rounded(lost),
            most: most.map_or(0, |place| place as u64 + 1),
            most_share: MOST_SHARE,
            tests,
        }
    }

    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let columns = [
            ("Test", ColumnKind::Name),
            ("Status", ColumnKind::Word),
            ("Red builds", ColumnKind::Number),
            ("Of all", ColumnKind::Number),
            ("So far", ColumnKind::Number),
            ("Alone", ColumnKind::Number),
            ("Time lost", ColumnKind::Number),
            ("Owners", ColumnKind::Words),
        ];
        let rows = self.tests.iter().map(|test| {
            vec![
                SheetCell::Name(test.test.label()),
                SheetCell::Status(test.status),
                SheetCell::Parts(test.harm.share),
                SheetCell::Share(if self.builds > 0.0 {
                    test.harm.share / self.builds
                } else {
                    0.0
                }),
                SheetCell::Share(test.cumulative),
                SheetCell::Count(test.harm.alone.into()),
                SheetCell::Seconds(test.harm.lost_seconds),
                SheetCell::Words(test.test.owners.join(", ")),
            ]
        });
        let table = SheetTable::new("Tests, the dearest first", &columns, "test").with(rows);
        let hint = self.tests.first().map(|one| SheetHint::show(&one.test.test, &one.test.id));
        let answer = Sheet {
            lead: self.lead(),
            tables: vec![table],
            notes: vec![
                "Red builds: runs of the main line and of changes, each in equal shares for the \
                 tests that failed in it; outages and failures that one change alone has are left \
                 out. Alone: builds that were red for this test alone. Time lost: test time to be \
                 run again, and repeated attempts"
                    .to_owned(),
            ],
            hints: hint.into_iter().collect(),
            ..Sheet::default()
        };
        self.about.head(TITLE, answer)
    }

    fn lead(&self) -> Vec<String> {
        if self.tests.is_empty() {
            return vec!["No test cost anything in this window".to_owned()];
        }
        let tests = sentence::count(self.tests.len() as u64, "test");
        let builds = format!(
            "{tests} cost {} of {} and {} of test time",
            phrase::parts(self.builds),
            sentence::count(self.about.runs.red, "red build"),
            sentence::rough(self.lost_seconds)
        );
        let most = (self.most > 0 && self.tests.len() > 1).then(|| {
            let these = match self.most {
                1 => "The first of them makes".to_owned(),
                most => format!("The first {} make", sentence::number(most)),
            };
            let share = self.tests.get(self.most as usize - 1).map_or(1.0, |test| test.cumulative);
            format!("{these} {} of the builds", sentence::percent(share))
        });
        std::iter::once(builds).chain(most).collect()
    }
}
