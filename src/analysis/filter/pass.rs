//! The pass over the runs of one variant, oldest first: explain each run, then learn from it.
//!
//! A pass is incremental: stop after any run, clone it, go on later, and nothing differs from a
//! pass in one go. Its cost per run is O(slots that ran); tests that never failed and always ran
//! together share a slot.

use std::collections::BTreeMap;

use super::belief::{
    Broken, Circumstance, Drift, Likelihood, Observed, fails, next_revision, suspect_commit, weigh,
};
use super::explain::{
    Failures, Groups, ModuleCount, ModuleExplained, RunCount, Weights, module, whole,
};
use super::lasting::{Look, Rows};
use super::model::{CLASSES, Classes, Model};
use super::replay::OUTAGE_CERTAIN;
use crate::model::Timestamp;

/// A test, or several that cannot be told apart: they never failed and ran in the same runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The module of its tests.
    pub module: u32,
    /// How many tests it stands for.
    pub tests: u32,
}

/// A run as the pass needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunAbout {
    /// The branch, as a number; `None` for the main line.
    pub branch: Option<u32>,
    /// The revision, as a number; a run without one has a number of its own.
    pub revision: u32,
    /// When it started.
    pub started: Timestamp,
}

/// A slot's result in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotResult {
    /// The slot.
    pub slot: u32,
    /// What each of its tests did.
    pub observed: Observed,
    /// What its failure shares with failures that look alike, as a number; `None` where nothing
    /// tells.
    pub signature: Option<u32>,
}

/// A run, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The line of revisions that it belongs to; a branch that was forgotten gets another number.
    pub line: u32,
    /// The line is the main one.
    pub is_main: bool,
    /// The revision, as a number.
    pub revision: u32,
    /// The line's run before was of another revision.
    pub fresh: bool,
    /// How often the line's revision changed so far.
    pub epoch: u32,
    /// Tests that ran.
    pub tests: u32,
    /// Tests that failed at the first attempt.
    pub failing: u32,
    /// The explanations of the failures of the whole run.
    pub weights: Weights,
    whole: Circumstance,
    /// The modules with a failure, by number.
    pub modules: Vec<ModuleExplained>,
}

impl Explained {
    /// The explanation of a module with a failure.
    #[must_use]
    pub fn module(&self, module: u32) -> Option<&ModuleExplained> {
        let place = self.modules.binary_search_by_key(&module, |explained| explained.module);
        place.ok().and_then(|place| self.modules.get(place))
    }

    /// Says that the run, or a module of it, was no outage after all, but a breakage.
    pub(super) fn take_back(&mut self, module: Option<u32>) {
        let Some(module) = module else {
            self.weights = Weights::LASTING;
            self.whole.outage = 0.0;
            // What a module's own failures say of it stands until it lasts, too.
            let by_run = |one: &&mut ModuleExplained| one.weights.outage < OUTAGE_CERTAIN;
            for one in self.modules.iter_mut().filter(by_run) {
                one.around.outage = 0.0;
            }
            return;
        };
        let place = self.modules.binary_search_by_key(&module, |explained| explained.module);
        if let Some(explained) = place.ok().and_then(|place| self.modules.get_mut(place)) {
            explained.take_back();
        }
    }

    /// What holds for the tests of a module.
    #[must_use]
    pub fn around(&self, module: u32) -> Circumstance {
        self.module(module).map_or(self.whole, |explained| explained.around)
    }
}

/// A line of revisions with each slot's breakage on it.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    number: u32,
    branch: Option<u32>,
    revision: Option<u32>,
    epoch: u32,
    used: Timestamp,
    broken: Vec<Broken>,
    /// One more than the last revision that each slot saw here; 0 for none.
    seen: Vec<u32>,
    rows: Rows,
}

/// What was first explained as an outage, and was none. Runs are numbered as the pass counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenBack {
    /// The run that showed it.
    pub learnt: u32,
    /// The run that was explained otherwise, an earlier one.
    pub run: u32,
    /// The module; `None` for the whole run.
    pub module: Option<u32>,
}

/// The state of a pass.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass<'m> {
    model: &'m Model,
    slots: Vec<Slot>,
    classes: Vec<Classes>,
    ran: Vec<bool>,
    /// In the order in which they were first met; the main line, once met, is never forgotten.
    lines: Vec<Line>,
    lines_met: u32,
    groups: BTreeMap<u32, Groups>,
    runs: u32,
    modules: u32,
    taken_back: Vec<TakenBack>,
}

impl<'m> Pass<'m> {
    /// A pass over these slots that has seen no run.
    #[must_use]
    pub fn new(model: &'m Model, slots: Vec<Slot>) -> Self {
        Self {
            model,
            classes: vec![model.prior(); slots.len()],
            ran: vec![false; slots.len()],
            lines: Vec::new(),
            lines_met: 0,
            groups: BTreeMap::new(),
            runs: 0,
            modules: slots.iter().map(|slot| slot.module + 1).max().unwrap_or(0),
            taken_back: Vec::new(),
            slots,
        }
    }

    /// Explains a run and learns from it; `results` names each slot that ran once.
    pub fn step(&mut self, about: &RunAbout, results: &[SlotResult]) -> Explained {
        let (at, fresh) = self.reach(about, results);
        let explained = self.explain(about, at, fresh, results);
        self.learn(at, results, &explained);
        self.runs += 1;
        explained
    }

    /// What is believed of a slot: its classes, and its breakage on the main line.
    #[must_use]
    pub fn belief(&self, slot: u32) -> Option<(Classes, Broken)> {
        let classes = *self.classes.get(slot as usize)?;
        let main = self.lines.iter().find(|line| line.branch.is_none());
        let broken = main.and_then(|line| line.broken.get(slot as usize)).copied();
        Some((classes, broken.unwrap_or([0.0; CLASSES])))
    }

    /// Runs, and modules of runs, that were first explained as outages and lasted, in the order in
    /// which that was learnt.
    #[must_use]
    pub fn taken_back(&self) -> &[TakenBack] {
        &self.taken_back
    }

    /// Moves the slots that ran to the run's revision; returns the place of the line, and whether
    /// its run before was of another revision.
    fn reach(&mut self, about: &RunAbout, results: &[SlotResult]) -> (usize, bool) {
        let at = match self.lines.iter().position(|line| line.branch == about.branch) {
            Some(at) => at,
            None => self.meet(about.branch),
        };
        let model = self.model;
        let main = self.lines.iter().position(|line| line.branch.is_none());
        // Taken out, so that the main line can be read while another is written.
        let mut line = self.lines.remove(at);
        let main = main.filter(|main| *main != at).map(|main| main - usize::from(main > at));
        let fresh = line.revision != Some(about.revision);
        line.epoch += u32::from(fresh);
        line.revision = Some(about.revision);
        line.used = about.started;
        let main = main.and_then(|main| self.lines.get(main));
        let drift = Drift::new(model);
        for result in results {
            let slot = result.slot as usize;
            let (Some(seen), Some(state), Some(classes), Some(ran)) = (
                line.seen.get_mut(slot),
                line.broken.get_mut(slot),
                self.classes.get_mut(slot),
                self.ran.get(slot),
            ) else {
                continue;
            };
            let revision = about.revision.saturating_add(1);
            if *seen == revision {
                continue;
            }
            let before = (*seen != 0).then_some(&*state);
            let on_main = match about.branch {
                None => None,
                Some(_) => Some(main.and_then(|main| main.broken.get(slot)).unwrap_or(&NOT_BROKEN)),
            };
            let reached = next_revision(model, before, on_main);
            *state = if *ran { reached } else { [model.born_broken; CLASSES] };
            *seen = revision;
            if about.branch.is_none() {
                drift.apply(classes);
            }
        }
        self.lines.insert(at, line);
        (self.forget(at), fresh)
    }

    fn meet(&mut self, branch: Option<u32>) -> usize {
        self.lines.push(Line {
            number: self.lines_met,
            branch,
            revision: None,
            epoch: 0,
            used: Timestamp::default(),
            broken: vec![NOT_BROKEN; self.slots.len()],
            seen: vec![0; self.slots.len()],
            rows: Rows::default(),
        });
        self.lines_met += 1;
        self.lines.len() - 1
    }

    /// Forgets a quarter of the branches where there are too many; returns the new place of the
    /// line at `at`.
    fn forget(&mut self, at: usize) -> usize {
        let kept = self.model.branches_kept as usize;
        if self.lines.len() <= kept {
            return at;
        }
        let present = self.lines.get(at).map(|line| line.number);
        let other = |line: &&Line| line.branch.is_some() && Some(line.number) != present;
        let mut oldest: Vec<(Timestamp, u32)> =
            self.lines.iter().filter(other).map(|line| (line.used, line.number)).collect();
        oldest.sort_by_key(|(used, _)| *used);
        oldest.truncate(kept.div_ceil(4));
        self.lines.retain(|line| oldest.iter().all(|(_, number)| *number != line.number));
        self.lines.iter().position(|line| Some(line.number) == present).unwrap_or(0)
    }

    fn explain(
        &mut self,
        about: &RunAbout,
        at: usize,
        fresh: bool,
        results: &[SlotResult],
    ) -> Explained {
        let model = self.model;
        let is_main = about.branch.is_none();
        let failing: u32 = results.iter().filter(|one| one.observed.troubled()).count() as u32;
        let slot = |one: &SlotResult| self.slots.get(one.slot as usize);
        let mut explained = Explained {
            line: self.lines.get(at).map_or(0, |line| line.number),
            is_main,
            revision: about.revision,
            fresh,
            epoch: self.lines.get(at).map_or(0, |line| line.epoch),
            tests: results.iter().filter_map(slot).map(|slot| slot.tests).sum(),
            failing,
            weights: Weights::QUIET,
            whole: Circumstance::USUAL,
            modules: Vec::new(),
        };
        if failing == 0 {
            return explained;
        }
        let prior = if is_main { model.bad_commit_main } else { model.bad_commit_branch };
        let (counts, failures) = self.counts(at, results);
        let run = RunCount { failures, bad_commit: fresh.then_some(prior), run: self.runs };
        (explained.weights, explained.whole) = whole(model, &run);
        let as_whole = explained.whole.outage;
        let mut all: Vec<u32> = counts.iter().flat_map(|count| &count.failing).copied().collect();
        all.sort_unstable();
        self.look(at, &mut explained, (None, as_whole), &all);
        for (number, count) in (0..).zip(counts) {
            if count.failing.is_empty() {
                continue;
            }
            let groups = self.groups.entry(number).or_default();
            let failing = count.failing.clone();
            let of_module = module(model, &run, &explained.whole, number, count, groups);
            let outage = of_module.around.outage.max(as_whole);
            explained.modules.push(of_module);
            self.look(at, &mut explained, (Some(number), outage), &failing);
        }
        if let Some(line) = self.lines.get_mut(at) {
            line.rows.keep(&|module| explained.module(module).is_some());
        }
        explained
    }

    /// Takes the outage of a run, or of a module in it, for a breakage where it lasts, in this run
    /// and in those before.
    fn look(
        &mut self,
        at: usize,
        explained: &mut Explained,
        (module, outage): (Option<u32>, f64),
        failing: &[u32],
    ) {
        let look = Look {
            run: self.runs,
            fresh: explained.fresh,
            module,
            failing,
            outage: outage >= OUTAGE_CERTAIN,
        };
        let row = self.lines.get_mut(at).and_then(|line| line.rows.take(self.model, &look));
        if let Some(before) = row {
            explained.take_back(module);
            let learnt = self.runs;
            let taken_back = |run| TakenBack { learnt, run, module };
            self.taken_back.extend(before.into_iter().map(taken_back));
        }
    }

    /// What each module did, and all of them together.
    fn counts(&self, at: usize, results: &[SlotResult]) -> (Vec<ModuleCount>, Failures) {
        let mut counts = vec![ModuleCount::default(); self.modules as usize];
        let mut all = Failures::default();
        let mut signatures: Vec<(u32, u32)> = Vec::new();
        let Some(line) = self.lines.get(at) else { return (counts, all) };
        for one in results {
            let place = one.slot as usize;
            let (Some(slot), Some(classes), Some(broken)) =
                (self.slots.get(place), self.classes.get(place), line.broken.get(place))
            else {
                continue;
            };
            let expected = f64::from(slot.tests) * fails(self.model, classes, broken);
            let troubled = one.observed.troubled();
            let Some(count) = counts.get_mut(slot.module as usize) else { continue };
            for failures in [&mut all, &mut count.failures] {
                failures.tests += slot.tests;
                failures.expected += expected;
                failures.failing += u32::from(troubled);
            }
            if troubled {
                count.failing.push(one.slot);
                signatures.extend(one.signature.map(|signature| (slot.module, signature)));
            }
        }
        signatures.sort_unstable();
        for alike in signatures.chunk_by(|one, other| one == other) {
            let module = alike.first().map_or(0, |(module, _)| *module);
            if let Some(count) = counts.get_mut(module as usize) {
                count.failures.alike = count.failures.alike.max(alike.len() as u32);
            }
        }
        signatures.sort_unstable_by_key(|(_, signature)| *signature);
        for alike in signatures.chunk_by(|one, other| one.1 == other.1) {
            all.alike = all.alike.max(alike.len() as u32);
        }
        counts.iter_mut().for_each(|count| count.failing.sort_unstable());
        (counts, all)
    }

    fn learn(&mut self, at: usize, results: &[SlotResult], explained: &Explained) {
        let pass = |around: &Circumstance| Likelihood::of(self.model, Observed::PASS, around);
        let elsewhere = pass(&explained.whole);
        // Almost all results are passes: what they say is the same throughout a module.
        let mut around = vec![(explained.whole, elsewhere); self.modules as usize];
        for module in &explained.modules {
            if let Some(of_module) = around.get_mut(module.module as usize) {
                *of_module = (module.around, pass(&module.around));
            }
        }
        let Some(line) = self.lines.get_mut(at) else { return };
        for one in results {
            let place = one.slot as usize;
            let (Some(slot), Some(classes), Some(broken), Some(ran)) = (
                self.slots.get(place),
                self.classes.get_mut(place),
                line.broken.get_mut(place),
                self.ran.get_mut(place),
            ) else {
                continue;
            };
            *ran = true;
            let Some((around, pass)) = around.get(slot.module as usize) else { continue };
            suspect_commit(broken, around.bad_commit);
            if one.observed == Observed::PASS {
                weigh(classes, broken, pass);
            } else {
                weigh(classes, broken, &Likelihood::of(self.model, one.observed, around));
            }
        }
    }
}

const NOT_BROKEN: Broken = [0.0; CLASSES];
