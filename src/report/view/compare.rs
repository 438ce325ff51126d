//! Several methods side by side on one window: `flakedb compare-methods`.

use serde::{Serialize, Serializer};

use super::super::{explanation, sentence, strip};
use super::{RateView, RunsView, TestLabel, WindowText, WindowView, rounded};
use crate::analysis::disagreement::{Call, Dispute, agreement};
use crate::analysis::filter::ledger::Kind;
use crate::analysis::method;
use crate::analysis::verdict::{Fact, JudgedRun, Judgement, Status, Verdict};
use crate::model::in_variant;

/// Sentences that say why a method does not call a test flaky or broken.
const WHY_NOT_MAX: usize = 2;

/// What a comparison is made of besides the judgements.
#[derive(Debug, Clone, Copy)]
pub struct CompareInput<'a> {
    /// The project.
    pub project: &'a str,
    /// The question that selected the runs.
    pub window: &'a WindowText,
    /// The method that the others are compared with.
    pub reference: &'a str,
}

/// What one method flags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MethodView {
    /// Its name.
    pub method: &'static str,
    /// What it looks for.
    pub summary: &'static str,
    /// Verdicts that say flaky.
    pub flaky: u64,
    /// Verdicts that say suspect.
    pub suspect: u64,
    /// Verdicts that say broken, newly or not.
    pub broken: u64,
    /// Verdicts that recommend quarantine.
    pub quarantine: u64,
    /// Flaky by this method and by the reference.
    pub both: u64,
    /// Flaky by this method only.
    pub only_this: u64,
    /// Flaky by the reference only.
    pub only_reference: u64,
}

/// What one method says of one test.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OpinionView {
    /// The method.
    pub method: &'static str,
    /// What it calls the test.
    #[serde(serialize_with = "status_word")]
    #[cfg_attr(test, schemars(with = "Status"))]
    pub status: Status,
    /// The method's own number, where it has one.
    pub score: Option<f64>,
    /// It recommends quarantine.
    pub quarantine: bool,
    /// Why, in sentences.
    pub why: Vec<String>,
}

/// What some methods say of a test, for the same reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Said<'a> {
    /// What they call it.
    pub status: Status,
    /// Which methods.
    pub methods: Vec<&'static str>,
    /// Why, in sentences.
    pub why: &'a [String],
}

/// A test on which the methods differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DisputeView {
    /// The test as it is printed and typed.
    pub test: String,
    /// The matrix cell; empty where runs have none.
    pub variant: String,
    /// The test's identity, in hexadecimal.
    pub id: String,
    /// Its source file; empty where unknown.
    pub file: String,
    /// Its owners.
    pub owners: Vec<String>,
    /// Methods that call it other than most do.
    pub dissent: u64,
    /// Runs in which it passed or failed, as the reference counts them.
    pub executions: u32,
    /// Of these, how many ended badly.
    pub failures: u32,
    /// Runs in which it passed only after a failed attempt.
    pub retried: u32,
    /// Share of executions with a failed attempt.
    pub rate: RateView,
    /// Builds that were red for this test alone.
    pub reddened_alone: u32,
    /// One mark for each run, the most recent last: see `report::strip`.
    pub strip: String,
    /// What each method says, in the order of `methods`.
    pub opinions: Vec<OpinionView>,
}

impl DisputeView {
    /// The test with its variant behind it, as one prints it.
    #[must_use]
    pub fn label(&self) -> String {
        in_variant(&self.test, &self.variant)
    }

    /// What is said, alarming things first, with the methods that say it for the same reasons.
    #[must_use]
    pub fn said(&self) -> Vec<Said<'_>> {
        let mut said: Vec<Said<'_>> = Vec::new();
        for opinion in &self.opinions {
            let same = |one: &&mut Said<'_>| one.status == opinion.status && one.why == opinion.why;
            match said.iter_mut().find(same) {
                Some(one) => one.methods.push(opinion.method),
                None => said.push(Said {
                    status: opinion.status,
                    methods: vec![opinion.method],
                    why: &opinion.why,
                }),
            }
        }
        said.sort_by_key(|one| one.status);
        said
    }

    /// True where all methods say the same of both tests, for the same reasons.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let said = |view: &Self| -> Vec<(Status, Vec<String>)> {
            view.opinions.iter().map(|one| (one.status, one.why.clone())).collect()
        };
        said(self) == said(other)
    }
}

/// Several methods side by side on one window.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CompareView {
    /// The name and version of this shape.
    pub schema: &'static str,
    /// The project.
    pub project: String,
    /// Which runs were looked at.
    pub window: WindowView,
    /// The runs of the window, as the reference sees them.
    pub runs: RunsView,
    /// The method that the others are compared with; the first of `methods`.
    pub reference: String,
    /// Verdicts of each method: tests counted once for each variant.
    pub verdicts: u64,
    /// What each method flags.
    pub methods: Vec<MethodView>,
    /// The tests on which they differ, the most disputed first, then the most harmful.
    pub disputes: Vec<DisputeView>,
}

impl CompareView {
    /// The version of this shape.
    pub const SCHEMA: &'static str = "flakedb.compare.v1";

    /// Describes judgements of one window, that of the reference first; `names` gives each disputed
    /// test its label.
    #[must_use]
    pub fn new(
        judgements: &[Judgement],
        disputes: &[Dispute<'_>],
        names: &dyn Fn(&Verdict) -> TestLabel,
        input: CompareInput<'_>,
    ) -> Self {
        let reference = judgements.first();
        let runs = reference.map(|judgement| judgement.runs.as_slice()).unwrap_or_default();
        let methods = judgements.iter().filter_map(|one| Some(method_view(one, reference?)));
        Self {
            schema: Self::SCHEMA,
            project: input.project.to_owned(),
            window: WindowView::new(input.window),
            runs: RunsView::new(runs),
            reference: input.reference.to_owned(),
            verdicts: reference.map_or(0, |judgement| judgement.verdicts.len() as u64),
            methods: methods.collect(),
            disputes: disputes
                .iter()
                .filter_map(|dispute| dispute_view(dispute, judgements, names))
                .collect(),
        }
    }
}

fn method_view(judgement: &Judgement, reference: &Judgement) -> MethodView {
    let counts = agreement(judgement, reference);
    MethodView {
        method: judgement.method,
        summary: method::find(judgement.method).map_or("", |entry| entry.summary),
        flaky: counts.flaky,
        suspect: counts.suspect,
        broken: counts.broken,
        quarantine: counts.quarantine,
        both: counts.both,
        only_this: counts.only_this,
        only_reference: counts.only_other,
    }
}

fn dispute_view(
    dispute: &Dispute<'_>,
    judgements: &[Judgement],
    names: &dyn Fn(&Verdict) -> TestLabel,
) -> Option<DisputeView> {
    let first = dispute.verdicts.first()?;
    let label = names(first);
    let opinions =
        dispute.verdicts.iter().zip(judgements).map(|(verdict, judgement)| OpinionView {
            method: judgement.method,
            status: verdict.status,
            score: verdict.score.map(rounded),
            quarantine: verdict.quarantine,
            why: why(verdict, &judgement.runs),
        });
    // A verdict of one outage alone has no cells; another method may not have set it aside.
    let telling =
        dispute.verdicts.iter().zip(judgements).find(|(verdict, _)| !verdict.cells.is_empty());
    Some(DisputeView {
        test: label.label,
        variant: first.variant.clone(),
        id: label.id.to_string(),
        file: label.file,
        owners: label.owners,
        dissent: dispute.dissent() as u64,
        executions: first.executions,
        failures: first.failures,
        retried: first.retried,
        rate: first.rate.into(),
        reddened_alone: first.harm.alone,
        strip: telling.map_or_else(String::new, |(verdict, judgement)| {
            strip::full(&verdict.cells, &judgement.runs)
        }),
        opinions: opinions.collect(),
    })
}

/// Why a method says what it says, from its own facts.
fn why(verdict: &Verdict, runs: &[JudgedRun]) -> Vec<String> {
    let rule = verdict.facts.iter().find(|fact| matches!(fact, Fact::Rule { .. }));
    let unremarkable =
        verdict.status == Status::Healthy && Call::of(verdict.status) == Call::Neither;
    match (rule, unremarkable) {
        (Some(rule), _) => vec![sentence::fact(rule, runs)],
        (None, false) => {
            let reason = sentence::reason(verdict, runs);
            std::iter::once(reason).chain(doubt(verdict)).collect()
        }
        (None, true) => why_not(verdict, runs),
    }
}

/// How likely a suspect is to be flaky, where the method says.
fn doubt(verdict: &Verdict) -> Option<String> {
    let suspect = verdict.status == Status::Suspect;
    verdict.probability.filter(|_| suspect).map(likely)
}

/// Whole percents, so that tests of which the same is to be said read the same.
fn likely(probability: f64) -> String {
    match probability * 100.0 {
        percent if percent < 1.0 => "Less than 1 % likely to be flaky".to_owned(),
        percent if percent > 99.0 => "More than 99 % likely to be flaky".to_owned(),
        percent => format!("{percent:.0} % likely to be flaky"),
    }
}

/// Why a test that failed is nothing to a method that weighs: what explains its failures.
fn why_not(verdict: &Verdict, runs: &[JudgedRun]) -> Vec<String> {
    let mut reasons: Vec<String> = match verdict.weighing.as_deref() {
        Some(weighing) => weighing
            .entries
            .iter()
            .filter(|(kind, entry)| *kind != Kind::Passes && entry.count > 0)
            .map(|(kind, entry)| explanation::entry(*kind, *entry, weighing, runs))
            .collect(),
        None => {
            let explains = |fact: &&Fact| {
                matches!(
                    fact,
                    Fact::IgnoredOutages { .. }
                        | Fact::IgnoredChanges { .. }
                        | Fact::Ambiguous { .. }
                        | Fact::PassesSince { .. }
                )
            };
            verdict.facts.iter().filter(explains).map(|fact| sentence::fact(fact, runs)).collect()
        }
    };
    reasons.truncate(WHY_NOT_MAX);
    if reasons.is_empty() {
        reasons.push(sentence::reason(verdict, runs));
    }
    reasons.extend(verdict.probability.map(likely));
    reasons
}

fn status_word<S: Serializer>(status: &Status, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.word())
}
