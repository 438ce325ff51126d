//! Does it only fail on one machine, shard, variant or hour: all hints of the window.

use serde::Serialize;

use super::super::super::sentence;
use super::super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetHint, SheetTable};
use super::super::{HintView, TestLabel};
use super::{AboutView, NamedTest};
use crate::analysis::verdict::{Judgement, Status, Verdict};

/// What the failures of all tests go together with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AssociationsView {
    /// What was looked at.
    #[serde(flatten)]
    pub about: AboutView,
    /// Tests with enough failures to ask, counted once for each variant.
    pub tests: u64,
    /// Failures that a test must have for that.
    pub failures_min: u32,
    /// Questions asked of all of them together.
    pub questions: u64,
    /// Share of the associations told that may be chance.
    pub false_discovery_rate: f64,
    /// What was found, the surest first.
    pub associations: Vec<AssociationView>,
}

/// One association.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AssociationView {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// What it is.
    pub status: Status,
    /// What its failures go together with.
    pub hint: HintView,
}

const TITLE: &str = "What failures go together with";

impl AssociationsView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.associations.v1";

    /// Gathers the hints of a judgement.
    #[must_use]
    pub fn new(
        about: AboutView,
        judgement: &Judgement,
        failures_min: u32,
        names: &dyn Fn(&Verdict) -> TestLabel,
    ) -> Self {
        let mut associations: Vec<AssociationView> = Vec::new();
        for verdict in &judgement.verdicts {
            for hint in &verdict.hints {
                associations.push(AssociationView {
                    test: NamedTest::new(names(verdict), &verdict.variant),
                    status: verdict.status,
                    hint: HintView::new(hint),
                });
            }
        }
        // Stable: of equals the more urgent test first. What was only counted comes last.
        let p = |one: &AssociationView| one.hint.p.unwrap_or(1.0);
        associations.sort_by(|one, other| p(one).total_cmp(&p(other)));
        Self {
            about,
            tests: judgement.causes.examined.len() as u64,
            failures_min,
            questions: judgement.causes.family.size() as u64,
            false_discovery_rate: judgement.causes.false_discovery_rate,
            associations,
        }
    }

    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let columns = [
            ("Test", ColumnKind::Name),
            ("Goes with", ColumnKind::Word),
            ("What was counted", ColumnKind::Words),
            ("p", ColumnKind::Number),
            ("q", ColumnKind::Number),
        ];
        let chance = |chance: Option<f64>| chance.map_or(SheetCell::Empty, SheetCell::Chance);
        let rows = self.associations.iter().map(|one| {
            vec![
                SheetCell::Name(one.test.label()),
                SheetCell::Words(one.hint.kind.to_owned()),
                SheetCell::Words(one.hint.sentence.clone()),
                chance(one.hint.p),
                chance(one.hint.q),
            ]
        });
        let table =
            SheetTable::new("Associations, the surest first", &columns, "association").with(rows);
        let first = self.associations.first();
        let hint = first.map(|one| SheetHint::show(&one.test.test, &one.test.id));
        let answer = Sheet {
            lead: vec![self.lead()],
            tables: vec![table],
            notes: self.notes(),
            hints: hint.into_iter().collect(),
            ..Sheet::default()
        };
        self.about.head(TITLE, answer)
    }

    fn lead(&self) -> String {
        if self.tests == 0 {
            return format!(
                "No test has the {} that are needed to tell anything from chance",
                sentence::count(self.failures_min, "failure")
            );
        }
        let asked = format!(
            "{} asked of {}",
            sentence::count(self.questions, "question"),
            sentence::count(self.tests, "test")
        );
        match self.associations.len() {
            0 => format!("{asked}: no failures go together with anything beyond chance"),
            found => format!("{asked}: {} found", sentence::count(found as u64, "association")),
        }
    }

    fn notes(&self) -> Vec<String> {
        if self.tests == 0 {
            return Vec::new();
        }
        vec![
            format!(
                "Asked is for the order of tests, shard, machine, variant, time, duration, other \
                 tests and the run before, of each test with at least {} that are its own",
                sentence::count(self.failures_min, "failure")
            ),
            format!(
                "p: the chance of a difference this large where there is none. q: the same over all \
                 {} (Benjamini-Hochberg); told up to {}, so that of all that are told at most so many \
                 are chance. They say what goes together, not what is to blame",
                sentence::count(self.questions, "question"),
                sentence::percent(self.false_discovery_rate)
            ),
        ]
    }
}
