//! Which failures are one and the same cause: those that look alike, and tests that fail together.

use std::collections::HashMap;

use serde::Serialize;

use super::super::super::limits::SHEET_NAMES_MAX;
use super::super::super::sentence;
use super::super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetHint, SheetTable};
use super::super::TestLabel;
use super::{AboutView, NamedTest, digits};
use crate::analysis::alike::AlikeFailures;
use crate::analysis::company::{Company, CompanySettings};
use crate::model::{Failure, Timestamp};
use crate::store::query::{FailureNo, TestNo};

/// Failures by what they look like, and tests that fail together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClustersView {
    /// What was looked at.
    #[serde(flatten)]
    pub about: AboutView,
    /// Failed attempts in all clusters.
    pub failures: u32,
    /// Failed attempts of which no report says why.
    pub unexplained: u32,
    /// Failed attempts in outages, which are left out.
    pub outage_failures: u32,
    /// The outages that these were in.
    pub outages: u32,
    /// Failures that look alike, the most frequent first.
    pub clusters: Vec<ClusterView>,
    /// Tests that fail together, the largest group first.
    pub together: Vec<TogetherGroup>,
    /// Tests that were compared with each other.
    pub tests_compared: u32,
    /// Tests that failed too rarely to compare, or of which there were too many.
    pub tests_left_out: u32,
    /// Pairs of tests that were compared.
    pub pairs: u64,
    /// Share of the pairs told that may be chance.
    pub false_discovery_rate: f64,
}

/// Failures that look alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClusterView {
    /// What they share, in hexadecimal.
    pub signature: String,
    /// Failed attempts.
    pub failures: u32,
    /// Runs with one of them.
    pub runs: u32,
    /// The tests that failed so, the most frequent first.
    pub tests: Vec<ClusterTest>,
    /// The variants of these runs.
    pub variants: Vec<String>,
    /// When the first such run started.
    pub first: String,
    /// When the last such run started.
    pub last: String,
    /// The type of the latest example; may be empty.
    pub kind: String,
    /// The headline of the latest example.
    pub headline: String,
    /// Its text; only of the most frequent clusters, empty for the others.
    pub text: String,
}

/// A test with how often it failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClusterTest {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// Failed attempts of a cluster, or runs of a group.
    pub failures: u32,
}

/// Tests that fail in the same runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TogetherGroup {
    /// The tests, the most frequent first.
    pub tests: Vec<ClusterTest>,
    /// Runs in which one of them failed.
    pub runs: u32,
    /// Of these, in how many several did.
    pub together: u32,
    /// When the first of these runs started.
    pub first: String,
    /// When the last of these runs started.
    pub last: String,
    /// The largest adjusted p-value of the pairs that make the group.
    pub q: f64,
}

const TITLE: &str = "Which failures are one and the same cause";

impl ClustersView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.clusters.v1";
    /// Clusters that keep the text of an example.
    pub const TEXTS_MAX: usize = 50;

    /// Describes what was found; `examples` are the failures that clusters name.
    #[must_use]
    pub fn new(
        about: AboutView,
        alike: &AlikeFailures,
        examples: &HashMap<FailureNo, Failure>,
        company: &Company,
        names: &dyn Fn(TestNo) -> TestLabel,
    ) -> Self {
        let named = |tests: &[(TestNo, u32)]| -> Vec<ClusterTest> {
            let test = |(test, failures): &(TestNo, u32)| ClusterTest {
                test: NamedTest::new(names(*test), ""),
                failures: *failures,
            };
            tests.iter().map(test).collect()
        };
        let clusters = alike.groups.iter().enumerate().map(|(place, group)| {
            let example = examples.get(&group.example);
            let text = example.filter(|_| place < Self::TEXTS_MAX).map(|one| one.text.clone());
            ClusterView {
                signature: group.signature.to_string(),
                failures: group.failures,
                runs: group.runs,
                tests: named(&group.tests),
                variants: group.variants.clone(),
                first: group.first.to_rfc3339(),
                last: group.last.to_rfc3339(),
                kind: example.map(|one| one.kind.clone()).unwrap_or_default(),
                headline: example.map(|one| one.headline().to_owned()).unwrap_or_default(),
                text: text.unwrap_or_default(),
            }
        });
        let together = company.groups.iter().map(|group| TogetherGroup {
            tests: named(&group.tests),
            runs: group.runs,
            together: group.together,
            first: Timestamp::to_rfc3339(group.first),
            last: Timestamp::to_rfc3339(group.last),
            q: digits(group.q),
        });
        Self {
            about,
            failures: alike.failures,
            unexplained: alike.unexplained,
            outage_failures: alike.in_outages,
            outages: alike.outages,
            clusters: clusters.collect(),
            together: together.collect(),
            tests_compared: company.compared,
            tests_left_out: company.left_out,
            pairs: company.pairs,
            false_discovery_rate: CompanySettings::default().false_discovery_rate,
        }
    }

    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let tables = vec![self.alike_table(), self.together_table()];
        let first = self.clusters.first().and_then(|cluster| cluster.tests.first());
        let hint = first.map(|one| SheetHint::show(&one.test.test, &one.test.id));
        let answer = Sheet {
            lead: self.lead(),
            tables,
            notes: self.notes(),
            hints: hint.into_iter().collect(),
            ..Sheet::default()
        };
        self.about.head(TITLE, answer)
    }

    fn lead(&self) -> Vec<String> {
        if self.failures == 0 {
            return vec!["No failure in this window says what it looks like.".to_owned()];
        }
        let shared = self.clusters.iter().filter(|cluster| cluster.tests.len() > 1).count();
        let mut lead = vec![format!(
            "{} of {}, {} in more than one test",
            sentence::count(self.failures, "failure"),
            sentence::count(self.clusters.len() as u64, "kind"),
            match shared {
                0 => "none of them".to_owned(),
                shared => format!("{} of them", sentence::number(shared as u64)),
            },
        )];
        if self.tests_compared > 1 {
            lead.push(match self.together.len() {
                0 => "No tests fail together more than chance explains".to_owned(),
                1 => "1 group of tests fails together".to_owned(),
                groups => {
                    format!("{} groups of tests fail together", sentence::number(groups as u64))
                }
            });
        }
        lead
    }

    fn alike_table(&self) -> SheetTable {
        let columns = [
            ("Failure", ColumnKind::Words),
            ("Failures", ColumnKind::Number),
            ("Runs", ColumnKind::Number),
            ("Tests", ColumnKind::Number),
            ("First", ColumnKind::Word),
            ("Last", ColumnKind::Word),
            ("Which tests", ColumnKind::Words),
            ("Variants", ColumnKind::Words),
        ];
        let rows = self.clusters.iter().map(|cluster| {
            let headline = match cluster.headline.is_empty() {
                true => "(no message)".to_owned(),
                false => cluster.headline.clone(),
            };
            vec![
                SheetCell::Words(headline),
                SheetCell::Count(cluster.failures.into()),
                SheetCell::Count(cluster.runs.into()),
                SheetCell::Count(cluster.tests.len() as u64),
                SheetCell::Day(cluster.first.clone()),
                SheetCell::Day(cluster.last.clone()),
                SheetCell::Words(some_names(&cluster.tests)),
                SheetCell::Words(cluster.variants.join("; ")),
            ]
        });
        SheetTable::new("Failures that look alike", &columns, "kind").with(rows)
    }

    fn together_table(&self) -> SheetTable {
        let columns = [
            ("Tests that fail together", ColumnKind::Words),
            ("Tests", ColumnKind::Number),
            ("Runs", ColumnKind::Number),
            ("Together", ColumnKind::Number),
            ("Last", ColumnKind::Word),
            ("q", ColumnKind::Number),
        ];
        let rows = self.together.iter().map(|group| {
            vec![
                SheetCell::Words(some_names(&group.tests)),
                SheetCell::Count(group.tests.len() as u64),
                SheetCell::Count(group.runs.into()),
                SheetCell::Count(group.together.into()),
                SheetCell::Day(group.last.clone()),
                SheetCell::Chance(group.q),
            ]
        });
        SheetTable::new("Tests that fail in the same runs", &columns, "group").with(rows)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.outage_failures > 0 {
            notes.push(format!(
                "Left out: {} in {}, where everything fails with everything",
                sentence::count(self.outage_failures, "failure"),
                sentence::count(self.outages, "outage"),
            ));
        }
        if self.unexplained > 0 {
            notes.push(format!(
                "{} came without a message and belong to no kind",
                sentence::count(self.unexplained, "more failure"),
            ));
        }
        if !self.clusters.is_empty() {
            notes.push(
                "Failures look alike where they differ in numbers, addresses, paths and times alone"
                    .to_owned(),
            );
        }
        if self.pairs > 0 {
            notes.push(format!(
                "Fail together: at least half of their failing runs in common, tested over {} of {} \
                 (hypergeometric, Benjamini-Hochberg): of the pairs told, at most {} is chance",
                sentence::count(self.pairs, "pair"),
                sentence::count(self.tests_compared, "test"),
                sentence::percent(self.false_discovery_rate),
            ));
        }
        if self.tests_left_out > 0 {
            notes.push(format!(
                "{} failed too rarely to compare",
                sentence::count(self.tests_left_out, "more test")
            ));
        }
        notes
    }
}

/// The first names, and how many more there are.
fn some_names(tests: &[ClusterTest]) -> String {
    let mut names: Vec<String> =
        tests.iter().take(SHEET_NAMES_MAX).map(|one| one.test.label()).collect();
    let more = tests.len().saturating_sub(SHEET_NAMES_MAX);
    if more > 0 {
        names.push(format!("{} more", sentence::number(more as u64)));
    }
    names.join(", ")
}
