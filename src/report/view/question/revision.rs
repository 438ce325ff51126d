//! What one revision brought.

use serde::Serialize;

use super::super::super::sentence;
use super::super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetHint, SheetTable};
use super::super::TestLabel;
use super::{AboutView, NamedTest, PaceView};
use crate::analysis::at_revision::{AtRevision, FailureKind};
use crate::analysis::verdict::{JudgedRun, Judgement, Status};
use crate::store::query::TestNo;

/// What the runs of one revision show that the runs before did not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RevisionView {
    /// What was looked at.
    #[serde(flatten)]
    pub about: AboutView,
    /// The revision.
    pub revision: String,
    /// The revision before it on its branch, or else on the main line.
    pub previous: Option<String>,
    /// Its runs, oldest first.
    pub revision_runs: Vec<RevisionRun>,
    /// Tests that passed in all its runs.
    pub passed: u32,
    /// Tests that failed in one of them, what began first.
    pub failed: Vec<FailedTest>,
    /// Tests that ran in it and in no earlier run of the window.
    pub appeared: Vec<NamedTest>,
    /// Tests that the revision before executed and this one did not.
    pub vanished: Vec<NamedTest>,
    /// Tests that take longer since one of its runs.
    pub slower: Vec<PaceView>,
    /// Tests that take less time since one of its runs.
    pub faster: Vec<PaceView>,
}

/// One run of the revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RevisionRun {
    /// When it started.
    pub started: String,
    /// The branch under test.
    pub branch: Option<String>,
    /// The matrix cell; empty where runs have none.
    pub variant: String,
    /// The CI build.
    pub build: Option<String>,
    /// The attempt of that build.
    pub attempt: u32,
    /// Where a person finds its log.
    pub url: Option<String>,
    /// Tests that ran.
    pub executed: u32,
    /// Tests that failed in the end.
    pub failed: u32,
    /// A test failed, or a whole suite before its tests could.
    pub red: bool,
    /// Far more tests failed in it than tests explain.
    pub outage: bool,
}

/// A test that failed on the revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailedTest {
    /// The test.
    #[serde(flatten)]
    pub test: NamedTest,
    /// What it is now, in the whole window.
    pub status: Status,
    /// What its failures here are.
    pub kind: FailureKind,
    /// Runs of the revision in which it failed in the end.
    pub failed: u32,
    /// Runs in which it passed only after a failed attempt.
    pub retried: u32,
    /// Runs of the revision in which it ran.
    pub ran: u32,
    /// Why it is what it is now.
    pub reason: String,
}

/// What the view is made of.
#[derive(Clone, Copy)]
pub struct RevisionInput<'a> {
    /// The revision.
    pub revision: &'a str,
    /// The verdicts.
    pub judgement: &'a Judgement,
    /// What was found.
    pub found: &'a AtRevision,
    /// Tests that take longer since, and those that take less time.
    pub pace: [&'a [PaceView]; 2],
    /// The names of the tests.
    pub names: &'a dyn Fn(TestNo) -> TestLabel,
}

impl RevisionView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.revision.v1";

    /// Describes what a revision brought.
    #[must_use]
    pub fn new(about: AboutView, input: RevisionInput<'_>) -> Self {
        let RevisionInput { revision, judgement, found, pace: [slower, faster], names } = input;
        let run = |place: &u32| judgement.runs.get(*place as usize).map(RevisionRun::new);
        let failed = found.failed.iter().filter_map(|one| {
            let verdict = judgement.verdicts.get(one.verdict)?;
            Some(FailedTest {
                test: NamedTest::new(names(verdict.test), &verdict.variant),
                status: verdict.status,
                kind: one.kind,
                failed: one.failed,
                retried: one.retried,
                ran: one.ran,
                reason: sentence::reason(verdict, &judgement.runs),
            })
        });
        Self {
            about,
            revision: revision.to_owned(),
            previous: found.previous.clone(),
            revision_runs: found.runs.iter().filter_map(run).collect(),
            passed: found.passed,
            failed: failed.collect(),
            appeared: found.appeared.iter().map(|test| NamedTest::new(names(*test), "")).collect(),
            vanished: found
                .vanished
                .iter()
                .map(|(test, variant)| NamedTest::new(names(*test), variant))
                .collect(),
            slower: slower.to_vec(),
            faster: faster.to_vec(),
        }
    }

    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let title = format!("What revision {} brought", sentence::revision(&self.revision));
        let hint = self.failed.first().map(|one| SheetHint::show(&one.test.test, &one.test.id));
        let answer = Sheet {
            lead: self.lead(),
            tables: self.tables(),
            notes: self.notes(),
            hints: hint.into_iter().collect(),
            ..Sheet::default()
        };
        self.about.head(&title, answer)
    }

    fn lead(&self) -> Vec<String> {
        let runs = self.revision_runs.len() as u64;
        let red = self.revision_runs.iter().filter(|run| run.red).count() as u64;
        let of = |kind: FailureKind| self.failed.iter().filter(|one| one.kind == kind).count();
        let outages = self.revision_runs.iter().filter(|run| run.outage).count() as u64;
        let mut lead = vec![format!(
            "{}, {} red{}",
            sentence::count(runs, "run"),
            sentence::number(red),
            match outages {
                0 => String::new(),
                outages => format!(", of these {}", sentence::count(outages, "outage")),
            }
        )];
        let kinds = [
            (of(FailureKind::Began), "began to fail"),
            (of(FailureKind::Unclear), "may have begun to"),
            (of(FailureKind::Continued), "failed before already"),
            (of(FailureKind::Flake), "flaked"),
            (of(FailureKind::Outage), "failed in an outage"),
        ];
        let counts: Vec<String> = kinds
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", sentence::number(count as u64)))
            .collect();
        let passed = sentence::number(self.passed.into());
        lead.push(match counts.is_empty() {
            true => format!("No test failed, {passed} passed"),
            false => format!("Tests: {}, {passed} passed", counts.join(", ")),
        });
        lead
    }

    fn tables(&self) -> Vec<SheetTable> {
        let kinds = [
            (FailureKind::Began, "Began to fail with it"),
            (FailureKind::Unclear, "May have begun to fail with it"),
            (FailureKind::Flake, "Flaked on it"),
            (FailureKind::Continued, "Failed before already"),
            (FailureKind::Outage, "Failed in an outage"),
        ];
        let mut tables: Vec<SheetTable> =
            kinds.into_iter().map(|(kind, caption)| self.failed_table(kind, caption)).collect();
        for (caption, tests) in [("New tests", &self.appeared), ("Gone", &self.vanished)] {
            let columns = [("Test", ColumnKind::Name), ("Owners", ColumnKind::Words)];
            let rows = tests.iter().map(|test| {
                vec![SheetCell::Name(test.label()), SheetCell::Words(test.owners.join(", "))]
            });
            tables.push(SheetTable::new(caption, &columns, "test").with(rows));
        }
        for (caption, tests) in [
            ("Slower since one of its runs, or one close to them", &self.slower),
            ("Faster", &self.faster),
        ] {
            let rows = tests.iter().map(PaceView::row);
            tables.push(SheetTable::new(caption, &PaceView::COLUMNS, "test").with(rows));
        }
        tables
    }

    fn failed_table(&self, kind: FailureKind, caption: &str) -> SheetTable {
        let columns = [
            ("Test", ColumnKind::Name),
            ("Failed here", ColumnKind::Word),
            ("Is now", ColumnKind::Word),
            ("Why", ColumnKind::Words),
        ];
        let rows = self.failed.iter().filter(|one| one.kind == kind).map(|one| {
            let bad = sentence::number((one.failed + one.retried).into());
            vec![
                SheetCell::Name(one.test.label()),
                SheetCell::Words(format!("{bad} of {}", sentence::number(one.ran.into()))),
                SheetCell::Status(one.status),
                SheetCell::Words(one.reason.clone()),
            ]
        });
        SheetTable::new(caption, &columns, "test").with(rows)
    }

    fn notes(&self) -> Vec<String> {
        vec![match &self.previous {
            Some(previous) => format!(
                "Compared with revision {}, the one before on its line; what a test is now is the \
                 verdict of the whole window",
                sentence::revision(previous)
            ),
            None => {
                "No earlier revision stands in this window, so that new and gone tests are not \
                     known"
                    .to_owned()
            }
        }]
    }
}

impl RevisionRun {
    fn new(run: &JudgedRun) -> Self {
        Self {
            started: run.started.to_rfc3339(),
            branch: run.branch.clone(),
            variant: run.variant.clone(),
            build: run.build.clone(),
            attempt: run.attempt,
            url: run.url.clone(),
            executed: run.executed,
            failed: run.bad,
            red: run.is_red(),
            outage: run.outage,
        }
    }
}
