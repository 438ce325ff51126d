//! What got well.

use serde::Serialize;

use super::super::super::sentence;
use super::super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetHint, SheetTable};
use super::super::TestLabel;
use super::{AboutView, NamedTest};
use crate::analysis::healed::{Healed, Healing};
use crate::analysis::verdict::{Judgement, Status, Verdict};
use crate::model::Timestamp;

/// Tests that were broken or flaky and pass now.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HealedView {
    /// What was looked at.
    #[serde(flatten)]
    pub about: AboutView,
    /// Those that are well for certain first, of each the latest first.
    pub tests: Vec<HealedTest>,
}

/// One test that got well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HealedTest {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// What it is now.
    pub status: Status,
    /// How it got well: `fixed`, `no-longer-flaky` or `recovering`.
    pub healing: &'static str,
    /// When its last bad time began, as far back as the window reaches.
    pub bad_since: String,
    /// When it failed last.
    pub bad_until: String,
    /// Runs in which it failed, or passed only on retry, in that time.
    pub failed_runs: u32,
    /// When it first ran without a failure since.
    pub well_since: String,
    /// The first passing revision, where a broken test was mended and it is known.
    pub revision: Option<String>,
    /// Runs since, all without a failure.
    pub clean_runs: u32,
    /// What is still missing, where something is.
    pub next: Option<String>,
}

const TITLE: &str = "What healed";

impl HealedView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.healed.v1";

    /// Describes what got well.
    #[must_use]
    pub fn new(
        about: AboutView,
        judgement: &Judgement,
        healed: &[Healed],
        names: &dyn Fn(&Verdict) -> TestLabel,
    ) -> Self {
        let test = |one: &Healed| {
            let verdict = judgement.verdicts.get(one.verdict)?;
            Some(HealedTest {
                test: NamedTest::new(names(verdict), &verdict.variant),
                status: verdict.status,
                healing: word(one.healing),
                bad_since: one.bad_since.to_rfc3339(),
                bad_until: one.bad_until.to_rfc3339(),
                failed_runs: one.failed_runs,
                well_since: Timestamp::to_rfc3339(one.well_since),
                revision: one.revision.clone(),
                clean_runs: one.clean_runs,
                next: verdict
                    .next
                    .first()
                    // Of what is mended nothing is left to do.
                    .filter(|_| one.healing != Healing::Fixed)
                    .map(|step| sentence::next(*step)),
            })
        };
        Self { about, tests: healed.iter().filter_map(test).collect() }
    }

    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let columns = [
            ("Test", ColumnKind::Name),
            ("Well since", ColumnKind::Word),
            ("Revision", ColumnKind::Word),
            ("Clean runs", ColumnKind::Number),
            ("Failed runs", ColumnKind::Number),
            ("Bad from", ColumnKind::Word),
            ("Bad until", ColumnKind::Word),
            ("Still to do", ColumnKind::Words),
        ];
        let row = |test: &HealedTest| {
            vec![
                SheetCell::Name(test.test.label()),
                SheetCell::Day(test.well_since.clone()),
                SheetCell::revision(test.revision.as_ref()),
                SheetCell::Count(test.clean_runs.into()),
                SheetCell::Count(test.failed_runs.into()),
                SheetCell::Day(test.bad_since.clone()),
                SheetCell::Day(test.bad_until.clone()),
                SheetCell::Words(test.next.clone().unwrap_or_default()),
            ]
        };
        let kinds = [
            (Healing::Fixed, "Fixed: broken before"),
            (Healing::NoLongerFlaky, "No longer flaky"),
            (Healing::Recovering, "Recovering: it passes, but not yet often enough"),
        ];
        let tables = kinds.into_iter().map(|(healing, caption)| {
            let rows = self.tests.iter().filter(|test| test.healing == word(healing)).map(row);
            SheetTable::new(caption, &columns, "test").with(rows)
        });
        let hint = self.tests.first().map(|one| SheetHint::show(&one.test.test, &one.test.id));
        let answer = Sheet {
            lead: vec![self.lead()],
            tables: tables.collect(),
            notes: match self.tests.is_empty() {
                true => Vec::new(),
                false => vec![
                    "Revision: the first that passed, of tests that were broken. A flaky test that \
                     passes does not tell which revision mended it"
                        .to_owned(),
                ],
            },
            hints: hint.into_iter().collect(),
            ..Sheet::default()
        };
        self.about.head(TITLE, answer)
    }

    fn lead(&self) -> String {
        let count =
            |healing| self.tests.iter().filter(|test| test.healing == word(healing)).count() as u64;
        if self.tests.is_empty() {
            return "No test that was broken or flaky in this window got well".to_owned();
        }
        format!(
            "{} fixed, {} no longer flaky, {} recovering",
            sentence::count(count(Healing::Fixed), "test"),
            sentence::number(count(Healing::NoLongerFlaky)),
            sentence::number(count(Healing::Recovering))
        )
    }
}

const fn word(healing: Healing) -> &'static str {
    match healing {
        Healing::Fixed => "fixed",
        Healing::NoLongerFlaky => "no-longer-flaky",
        Healing::Recovering => "recovering",
    }
}
