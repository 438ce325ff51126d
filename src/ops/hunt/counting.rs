//! What the runs of a hunt add up to.

use std::collections::{BTreeMap, HashMap};

use super::one::One;
use super::{HuntOutcome, HuntRequest};
use crate::analysis::hunt::{Company, Finding, Goal, Ledger, Seen};
use crate::model::TestId;
use crate::report::view::{ChanceView, EndingView, FailedRun, HuntView, HuntedTest, SightingView};

/// Flake rates that a person has a feeling for, to say what a hunt could have found.
const TELLING_RATES: [f64; 4] = [0.001, 0.005, 0.01, 0.05];
/// Remarks about reports that are kept; the rest are like them.
const NOTES_MAX: usize = 10;

pub(super) struct Counting<'a> {
    request: &'a HuntRequest,
    pub(super) command: Ledger,
    tests: HashMap<TestId, Ledger>,
    /// Names and first failures of tests that failed.
    failed: HashMap<TestId, (String, String)>,
    endings: BTreeMap<String, u32>,
    first: Option<FailedRun>,
    notes: Vec<String>,
}

impl<'a> Counting<'a> {
    pub(super) fn new(request: &'a HuntRequest) -> Self {
        Self {
            request,
            command: Ledger::default(),
            tests: HashMap::new(),
            failed: HashMap::new(),
            endings: BTreeMap::new(),
            first: None,
            notes: Vec::new(),
        }
    }

    /// Counts a run; of the first that failed alone, else at all, everything is kept.
    pub(super) fn add(&mut self, done: &One) {
        self.command.add(done.company, done.seen());
        *self.endings.entry(done.how.words()).or_default() += 1;
        for problem in &done.problems {
            self.note(format!("run {}: {problem}", done.number));
        }
        let mut failed = done.seen() == Seen::Failed;
        for test in &done.tests {
            self.tests.entry(test.id).or_default().add(done.company, test.seen);
            if test.seen != Seen::Passed {
                failed = true;
                let named = || (test.label.clone(), test.failure.clone());
                self.failed.entry(test.id).or_insert_with(named);
            }
        }
        let alone = done.company == Company::Alone;
        let tells_more = self.first.as_ref().is_none_or(|first| alone && !first.alone);
        if failed && tells_more {
            self.first = Some(FailedRun {
                run: done.number,
                how: done.how.words(),
                alone,
                output: done.output(),
                log: Some(done.log.display().to_string()),
            });
        } else {
            done.clear();
        }
    }

    pub(super) fn note(&mut self, text: String) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(text);
        }
    }

    fn all(&self) -> impl Iterator<Item = &Ledger> {
        std::iter::once(&self.command).chain(self.tests.values())
    }

    /// True once anything failed.
    pub(super) fn has_failed(&self) -> bool {
        self.all().any(|ledger| ledger.failed() > 0)
    }

    /// True where a test failed and passed in one run, which needs no other to be believed.
    pub(super) fn is_shown_in_one_run(&self) -> bool {
        self.all().any(|ledger| ledger.alone.both > 0)
    }

    /// True where the command fails all the time, and not because of a flake.
    pub(super) fn is_broken(&self) -> bool {
        self.command.is_broken()
    }

    /// As many runs alone as what failed most rarely needs.
    pub(super) fn runs_to_verify(&self) -> u32 {
        let goal = &self.request.goal;
        let failed = self.all().filter(|ledger| ledger.beside.failed > 0);
        failed.map(|ledger| ledger.runs_to_verify(goal)).max().unwrap_or(goal.runs)
    }

    /// What the command and its tests come to: a flake before what needs company before a breakage.
    pub(super) fn finding(&self) -> Finding {
        let findings: Vec<Finding> = self.all().map(Ledger::finding).collect();
        let order = [Finding::Flaky, Finding::UnderLoad, Finding::AlwaysFails];
        order.into_iter().find(|finding| findings.contains(finding)).unwrap_or(Finding::Clean)
    }

    pub(super) fn finish(self, interrupted: bool) -> HuntOutcome {
        let finding = self.finding();
        let Goal { runs, confidence } = self.request.goal;
        let made = Goal { runs: self.command.runs(), confidence };
        let power = |rate: f64| ChanceView::new(rate, made.power(rate));
        let words: Vec<String> =
            self.request.command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let mut endings: Vec<EndingView> = self
            .endings
            .iter()
            .map(|(how, runs)| EndingView { how: how.clone(), runs: *runs })
            .collect();
        endings.sort_by(|a, b| b.runs.cmp(&a.runs).then_with(|| a.how.cmp(&b.how)));
        let view = HuntView {
            schema: HuntView::SCHEMA,
            command: words.join(" "),
            planned: runs,
            confidence,
            could_find: TELLING_RATES.map(power).to_vec(),
            finding: finding.word(),
            interrupted,
            seen: SightingView::new(&self.command, confidence),
            endings,
            tests: self.hunted(confidence),
            tests_seen: self.tests.len() as u64,
            first_failure: self.first,
            history: None,
            notes: self.notes,
        };
        HuntOutcome { view, finding, stored: false }
    }

    fn hunted(&self, confidence: f64) -> Vec<HuntedTest> {
        let hunted = |(id, (label, failure)): (&TestId, &(String, String))| {
            let seen = SightingView::new(self.tests.get(id)?, confidence);
            Some(HuntedTest { test: label.clone(), seen, failure: failure.clone() })
        };
        let mut hunted: Vec<HuntedTest> = self.failed.iter().filter_map(hunted).collect();
        hunted.sort_by(|a, b| a.test.cmp(&b.test));
        hunted
    }
}
