//! Who owns the tests that need a person, and what they cost.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::super::sheet::{ColumnKind, Sheet, SheetCell, SheetHint, SheetTable};
use super::super::super::{phrase, sentence};
use super::super::{TestLabel, rounded};
use super::{AboutView, NamedTest};
use crate::analysis::harm::Harm;
use crate::analysis::verdict::{Judgement, Status, Verdict};

/// What each owner's tests are, and what they cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OwnersView {
    /// What was looked at.
    #[serde(flatten)]
    pub about: AboutView,
    /// Whether a CODEOWNERS file was found at all.
    pub known: bool,
    /// Tests with several owners, which count for each of them.
    pub shared: u64,
    /// The owners, the one whose tests cost most first.
    pub owners: Vec<OwnerView>,
}

/// What one owner's tests are.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OwnerView {
    /// The owner as CODEOWNERS names it; null for tests of nobody.
    pub owner: Option<String>,
    /// Tests, counted once for each variant, healthy ones included.
    pub tests: u64,
    /// Of these, how many are broken or newly broken.
    pub broken: u64,
    /// How many are flaky.
    pub flaky: u64,
    /// How many are suspect.
    pub suspect: u64,
    /// Red builds, each in equal shares for the tests that failed in it.
    pub builds: f64,
    /// Test time lost, in seconds.
    pub lost_seconds: f64,
    /// The test that cost most, where one cost anything.
    pub worst: Option<NamedTest>,
}

/// What the answer is made of besides the judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnersInput {
    /// A CODEOWNERS file was found.
    Known,
    /// There is none.
    Unknown,
}

/// What is summed for one owner.
#[derive(Default)]
struct Sum<'a> {
    tests: u64,
    broken: u64,
    flaky: u64,
    suspect: u64,
    harm: Harm,
    worst: Option<&'a Verdict>,
}

impl<'a> Sum<'a> {
    fn add(&mut self, verdict: &'a Verdict) {
        self.tests += 1;
        self.broken += u64::from(matches!(verdict.status, Status::NewlyBroken | Status::Broken));
        self.flaky += u64::from(verdict.status == Status::Flaky);
        self.suspect += u64::from(verdict.status == Status::Suspect);
        self.harm.share += verdict.harm.share;
        self.harm.lost.0 = self.harm.lost.0.saturating_add(verdict.harm.lost.0);
        let costs = verdict.harm.compared_to(&Harm::default()).is_gt();
        let more = self.worst.is_none_or(|worst| verdict.harm.compared_to(&worst.harm).is_gt());
        if costs && more {
            self.worst = Some(verdict);
        }
    }
}

const TITLE: &str = "Who owns the tests that fail";

impl OwnersView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.report.owners.v1";

    /// Sums up a judgement; `names` gives each test its label with its owners.
    #[must_use]
    pub fn new(
        about: AboutView,
        judgement: &Judgement,
        input: OwnersInput,
        names: &dyn Fn(&Verdict) -> TestLabel,
    ) -> Self {
        let mut sums: BTreeMap<Option<String>, Sum<'_>> = BTreeMap::new();
        let mut shared = 0;
        for verdict in &judgement.verdicts {
            let mut owners = names(verdict).owners;
            owners.sort_unstable();
            owners.dedup();
            shared += u64::from(owners.len() > 1);
            if owners.is_empty() {
                sums.entry(None).or_default().add(verdict);
            }
            for owner in owners {
                sums.entry(Some(owner)).or_default().add(verdict);
            }
        }
        let mut sums: Vec<(Option<String>, Sum<'_>)> = sums.into_iter().collect();
        let trouble = |sum: &Sum<'_>| (sum.broken, sum.flaky, sum.suspect);
        sums.sort_by(|(one_name, one), (other_name, other)| {
            let harm = other.harm.compared_to(&one.harm);
            harm.then(trouble(other).cmp(&trouble(one))).then_with(|| one_name.cmp(other_name))
        });
        let owner = |(owner, sum): (Option<String>, Sum<'_>)| OwnerView {
            owner,
            tests: sum.tests,
            broken: sum.broken,
            flaky: sum.flaky,
            suspect: sum.suspect,
            builds: rounded(sum.harm.share),
            lost_seconds: rounded(sum.harm.lost.as_seconds()),
            worst: sum.worst.map(|verdict| NamedTest::new(names(verdict), &verdict.variant)),
        };
        Self {
            about,
            known: input == OwnersInput::Known,
            shared,
            owners: sums.into_iter().map(owner).collect(),
        }
    }

    /// The answer as a sheet.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        let columns = [
            ("Owner", ColumnKind::Name),
            ("Tests", ColumnKind::Number),
            ("Broken", ColumnKind::Number),
            ("Flaky", ColumnKind::Number),
            ("Suspect", ColumnKind::Number),
            ("Red builds", ColumnKind::Number),
            ("Time lost", ColumnKind::Number),
            ("Worst test", ColumnKind::Words),
        ];
        let rows = self.owners.iter().map(|owner| {
            vec![
                SheetCell::Name(owner.owner.clone().unwrap_or_else(|| "nobody".to_owned())),
                SheetCell::Count(owner.tests),
                SheetCell::Count(owner.broken),
                SheetCell::Count(owner.flaky),
                SheetCell::Count(owner.suspect),
                SheetCell::Parts(owner.builds),
                SheetCell::Seconds(owner.lost_seconds),
                owner.worst.as_ref().map_or(SheetCell::Empty, |one| SheetCell::Words(one.label())),
            ]
        });
        let table =
            SheetTable::new("Owners, by what their tests cost", &columns, "owner").with(rows);
        let worst = self.owners.iter().find_map(|owner| owner.worst.as_ref());
        let hints = worst.map(|one| SheetHint::show(&one.test, &one.id));
        let answer = Sheet {
            lead: vec![self.lead()],
            tables: vec![table],
            notes: self.notes(),
            hints: hints.into_iter().collect(),
            ..Sheet::default()
        };
        self.about.head(TITLE, answer)
    }

    fn lead(&self) -> String {
        let nobody = self.owners.iter().find(|owner| owner.owner.is_none());
        let first = self.owners.first().filter(|owner| owner.builds > 0.0);
        let costs = match first {
            Some(owner) if !self.known => {
                format!("{}, and no owner is known", red_builds(owner.builds))
            }
            None => "No test turned a build red in this window".to_owned(),
            Some(OwnerView { owner: Some(name), builds, .. }) => {
                format!("The tests of {name} cost most: {}", red_builds(*builds))
            }
            Some(OwnerView { builds, .. }) => {
                format!("The tests of nobody cost most: {}", red_builds(*builds))
            }
        };
        match nobody {
            Some(nobody) if self.known => {
                format!("{costs}; {} no owner", has(nobody.tests))
            }
            _ => costs,
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.known {
            notes.push(
                "No CODEOWNERS file was found here, so that no test has an owner: it stands in the \
                 repository, in .github/, .gitlab/ or docs/"
                    .to_owned(),
            );
        }
        if self.shared > 0 {
            notes.push(format!("{} several owners and counts for each of them", has(self.shared)));
        }
        notes.push(
            "Red builds: each in equal shares for the tests that failed in it. Time lost: test time \
             to be run again"
                .to_owned(),
        );
        notes
    }
}

fn red_builds(builds: f64) -> String {
    match phrase::parts(builds).as_str() {
        "1" => "1 red build".to_owned(),
        number => format!("{number} red builds"),
    }
}

fn has(tests: u64) -> String {
    let verb = if tests == 1 { "has" } else { "have" };
    format!("{} {verb}", sentence::count(tests, "test"))
}
