//! What one ingest writes: reports in, one canonical batch out.
//!
//! Many threads add reports to a [`BatchBuilder`]; hashing, masking, compression and column
//! encoding happen outside its lock. [`BatchBuilder::finish`] sorts everything by content, so that
//! the batch, and all numbers that a database gives out for it, do not depend on the threads.

mod group;
mod part;
mod places;
mod spill;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use self::part::{Part, parts};
pub(super) use self::places::Places;
pub(super) use self::spill::{Body, Held, Spill};
use super::failure_text::StoredText;
use super::segment::{BadMark, Columns, Encoder, RepeatMark, fits};
use crate::model::hash::{FailureId, ReportHash, RunKey, SignatureId};
use crate::model::tests::TableFull;
use crate::model::{
    Counts, Failure, PartFacts, Report, RunContext, TestId, TestIdentity, TestIndex, TestResult,
    TestTable, Timestamp,
};

thread_local! {
    // Setting up a compressor costs more than compressing one report.
    static ENCODER: RefCell<Encoder> = RefCell::default();
}

/// What is known about a report besides what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMeta {
    /// The run that it belongs to.
    pub context: RunContext,
    /// The hash of its bytes.
    pub hash: ReportHash,
    /// Where it came from, for people.
    pub source: String,
    /// When its tests started, with the best guess where the report does not say.
    pub started: Timestamp,
    /// Reports of one group (a folder) that share no test are one run where no build says so.
    pub group: Option<String>,
    /// How many warnings the reader had about it.
    pub warnings: u32,
    /// The shard and the seed, where somebody said so.
    pub part: PartFacts,
}

/// One report of one run, ready to be written.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) hash: ReportHash,
    pub(super) started: Timestamp,
    pub(super) source: String,
    pub(super) producer: String,
    pub(super) host: String,
    /// The worker that ran all of it.
    pub(super) worker: String,
    /// Which worker ran which result, where several did: as stored.
    pub(super) workers: Option<Vec<u8>>,
    pub(super) shard: String,
    pub(super) seed: String,
    pub(super) warnings: u32,
    pub(super) complete: bool,
    pub(super) nameless: u64,
    pub(super) counts: Counts,
    /// The test of each result, as a place in the project's [`Names`].
    pub(super) tests: Places,
    /// The failures in the order of their slots, as places in [`Batch::failures`].
    pub(super) failures: Vec<u32>,
    pub(super) body: Body,
    pub(super) bad: Vec<BadMark>,
    /// Errors of whole suites: the suite, and a place in [`Batch::failures`].
    pub(super) suite_failures: Vec<(String, u32)>,
}

/// A failure that a database may not have yet.
#[derive(Debug, Clone)]
pub(super) struct NewFailure {
    pub(super) id: FailureId,
    pub(super) signature: SignatureId,
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) text: StoredText,
}

/// The reports that arrived for one run, in the order of their start and hash.
#[derive(Debug, Clone)]
pub(super) struct BatchRun {
    pub(super) context: RunContext,
    pub(super) entries: Vec<Entry>,
}

impl BatchRun {
    /// The key that these reports give the run: with a build always the same, else that of the
    /// smallest hash.
    pub(super) fn key(&self) -> RunKey {
        let smallest = self.entries.iter().map(|entry| entry.hash).min();
        self.context.key(smallest.unwrap_or(ReportHash([0; 32])))
    }

    fn started(&self) -> Timestamp {
        let first = self.entries.iter().map(|entry| entry.started).min();
        self.context.started.or(first).unwrap_or_default()
    }

    /// Takes over what another report says about the same run; the order does not matter.
    pub(super) fn absorb(&mut self, other: &RunContext) {
        let ours = &mut self.context;
        ours.lane = ours.lane.min(other.lane);
        ours.branch = smaller(ours.branch.take(), other.branch.clone());
        ours.job = smaller(ours.job.take(), other.job.clone());
        ours.url = smaller(ours.url.take(), other.url.clone());
        ours.started = smaller(ours.started, other.started);
    }
}

/// The smaller of two values; any value rather than none.
pub(super) fn smaller<T: Ord>(left: Option<T>, right: Option<T>) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

/// Everything that one ingest writes, in canonical order.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(super) ingested: Timestamp,
    /// The tests of each project.
    pub(super) names: BTreeMap<String, Names>,
    pub(super) failures: Vec<Held>,
    /// What of bodies and failures is not in memory.
    pub(super) spill: Spill,
    pub(super) runs: Vec<BatchRun>,
    /// Reports that came twice.
    pub(super) repeated: u64,
}

impl Batch {
    /// True where there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

/// Any text rather than none, else the smaller: whatever order reports come in, the same one wins.
pub(super) fn settled<'a>(left: &'a str, right: &'a str) -> &'a str {
    match (left.is_empty(), right.is_empty()) {
        (true, _) => right,
        (_, true) => left,
        (false, false) => left.min(right),
    }
}

/// The tests of one project in one batch.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    tests: TestTable,
    /// Suite and file of tests for which reports disagree: the smallest of each.
    places: HashMap<u32, (String, String)>,
    /// Where the next test is likely to be: behind the one before, as in the report before.
    next: u32,
}

impl Names {
    pub(super) const fn len(&self) -> usize {
        self.tests.len()
    }

    /// The place of the test of this identity, where the batch has it.
    pub(super) fn place_of(&self, id: TestId) -> Option<u32> {
        self.tests.find(id).map(|index| index.0)
    }

    /// A test with the suite and file that all reports of the batch agree on.
    pub(super) fn test(&self, place: u32) -> Option<TestIdentity<'_>> {
        let mut test = self.tests.get(TestIndex(place))?;
        if let Some((suite, file)) = self.places.get(&place) {
            test.suite = suite;
            test.file = file;
        }
        Some(test)
    }

    /// The places of all tests of a report, which are added where they are new.
    fn intern_all(&mut self, tests: &TestTable) -> Result<Vec<u32>, TableFull> {
        let mut places = Vec::with_capacity(tests.len());
        // Neighbours share suite and file, so those of a report and of the batch are compared once.
        let mut compared = None;
        for place in 0..tests.len() {
            let index = TestIndex(u32::try_from(place).map_err(|_| TableFull)?);
            let (id, scope) = tests.key(index).ok_or(TableFull)?;
            if let Some((known, own_scope)) = self.tests.key(TestIndex(self.next))
                && known == id
                && compared == Some((scope, own_scope))
            {
                places.push(self.next);
                self.next += 1;
                continue;
            }
            let place = self.intern(&tests.get(index).ok_or(TableFull)?)?;
            places.push(place);
            let own_scope = self.tests.key(TestIndex(place)).map(|(_, scope)| scope);
            compared = own_scope.filter(|_| self.places.is_empty()).map(|own| (scope, own));
        }
        Ok(places)
    }

    /// The place of a test, which is added where it is new.
    pub(super) fn intern(&mut self, test: &TestIdentity<'_>) -> Result<u32, TableFull> {
        let guess = TestIndex(self.next);
        let (index, first) = match self.tests.get(guess).filter(|first| first.id == test.id) {
            Some(first) => (guess, first),
            None => {
                let index = self.tests.intern(test)?;
                (index, self.tests.get(index).ok_or(TableFull)?)
            }
        };
        self.next = index.0.saturating_add(1);
        if (first.suite, first.file) == (test.suite, test.file) && self.places.is_empty() {
            return Ok(index.0);
        }
        let (suite, file) = match self.places.get(&index.0) {
            Some((suite, file)) => (suite.as_str(), file.as_str()),
            None => (first.suite, first.file),
        };
        let best = (settled(suite, test.suite), settled(file, test.file));
        if best != (suite, file) {
            let best = (best.0.to_owned(), best.1.to_owned());
            self.places.insert(index.0, best);
        }
        Ok(index.0)
    }
}

struct Pending {
    context: RunContext,
    group: Option<String>,
    entry: Entry,
}

#[derive(Default)]
struct Gathered {
    names: BTreeMap<String, Names>,
    failures: Vec<Held>,
    spill: Spill,
    failure_places: HashMap<FailureId, u32>,
    pending: Vec<Pending>,
}

/// Collects reports from many threads into one [`Batch`].
pub struct BatchBuilder {
    ingested: Timestamp,
    gathered: Mutex<Gathered>,
}

impl BatchBuilder {
    /// An empty batch that is ingested now, at `ingested`.
    #[must_use]
    pub fn new(ingested: Timestamp) -> Self {
        Self { ingested, gathered: Mutex::default() }
    }

    /// Adds one report; a report with dialect variants becomes part of one run for each of them.
    ///
    /// # Errors
    /// [`TableFull`] when the names of all tests need more than 4 GiB, or one report has more
    /// results than a segment holds.
    pub fn add(&self, meta: ReportMeta, report: &Report) -> Result<(), TableFull> {
        let ids: Vec<FailureId> = report.failures.iter().map(Failure::id).collect();
        let mut pending = Vec::new();
        let document = Document { meta, report };
        for part in parts(&document.meta.context, report) {
            let columns = columns(&part.results);
            if !fits(columns.slots()) {
                return Err(TableFull);
            }
            let entry = ENCODER.with_borrow_mut(|encoder| document.entry(&part, columns, encoder));
            let group = document.meta.group.clone();
            pending.push(Pending { context: part.context, group, entry });
        }
        let fresh = self.fresh_failures(&ids, &report.failures);
        let mut gathered = self.lock();
        for failure in fresh {
            gathered.add_failure(failure)?;
        }
        gathered.add_pending(pending, report, &ids)
    }

    /// Failures that nobody added yet, compressed outside the lock.
    fn fresh_failures(&self, ids: &[FailureId], failures: &[Failure]) -> Vec<NewFailure> {
        if ids.is_empty() {
            return Vec::new();
        }
        let fresh: Vec<(&FailureId, &Failure)> = {
            let gathered = self.lock();
            ids.iter()
                .zip(failures)
                .filter(|(id, _)| !gathered.failure_places.contains_key(id))
                .collect()
        };
        let new_failure = |(id, failure): (&FailureId, &Failure)| NewFailure {
            id: *id,
            signature: failure.signature(),
            kind: failure.kind.clone(),
            message: failure.message.clone(),
            text: StoredText::of(&failure.text),
        };
        fresh.into_iter().map(new_failure).collect()
    }

    /// How many results were added so far.
    #[must_use]
    pub fn results(&self) -> usize {
        self.lock().pending.iter().map(|pending| pending.entry.tests.len()).sum()
    }

    /// The batch of all reports added, in an order that depends on their contents only.
    #[must_use]
    pub fn finish(self) -> Batch {
        let gathered = self.gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
        let added = gathered.pending.len();
        let mut runs = group::runs(gathered.pending);
        runs.sort_by_cached_key(|run| (run.context.project.clone(), run.started(), run.key()));
        let kept: usize = runs.iter().map(|run| run.entries.len()).sum();
        Batch {
            ingested: self.ingested,
            names: gathered.names,
            failures: gathered.failures,
            spill: gathered.spill,
            runs,
            repeated: (added - kept) as u64,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn add_failure(&mut self, failure: NewFailure) -> Result<(), TableFull> {
        let place = u32::try_from(self.failures.len()).map_err(|_| TableFull)?;
        if let std::collections::hash_map::Entry::Vacant(slot) =
            self.failure_places.entry(failure.id)
        {
            slot.insert(place);
            self.failures.push(self.spill.failure(failure));
        }
        Ok(())
    }

    /// Exchanges the report's own places for those of the batch.
    fn add_pending(
        &mut self,
        pending: Vec<Pending>,
        report: &Report,
        ids: &[FailureId],
    ) -> Result<(), TableFull> {
        let failures: Vec<u32> =
            ids.iter().map(|id| self.failure_places.get(id).copied().unwrap_or(0)).collect();
        let Some(project) = pending.first().map(|one| one.context.project.clone()) else {
            return Ok(());
        };
        let names = self.names.entry(project).or_default();
        let tests = names.intern_all(&report.tests)?;
        let exchange = |place: &mut u32, table: &[u32]| {
            *place = table.get(*place as usize).copied().unwrap_or(0);
        };
        for mut one in pending {
            let place_of = |place: u32| tests.get(place as usize).copied().unwrap_or(0);
            one.entry.tests = one.entry.tests.iter().map(place_of).collect();
            if let Body::Here(body) = &mut one.entry.body {
                one.entry.body = self.spill.body(std::mem::take(body));
            }
            one.entry.failures.iter_mut().for_each(|place| exchange(place, &failures));
            one.entry.suite_failures.iter_mut().for_each(|(_, place)| exchange(place, &failures));
            self.pending.push(one);
        }
        Ok(())
    }
}

/// The columns of a report's results, with the report's own places for tests and failures.
fn columns(results: &[Cow<'_, TestResult>]) -> Columns {
    let mut columns = Columns {
        tests: results.iter().map(|result| result.test.0).collect(),
        outcomes: results.iter().map(|result| result.outcome).collect(),
        durations: results.iter().map(|result| result.duration).collect(),
        ..Columns::default()
    };
    for (place, result) in results.iter().enumerate() {
        if let Some(failure) = result.failure {
            columns.failure_slots.push(place as u32);
            columns.failures.push(failure);
        }
    }
    for (place, result) in results.iter().enumerate() {
        if result.attempts.is_empty() && result.repeat == crate::model::Repeat::Single {
            continue;
        }
        columns.repeats.push(RepeatMark {
            result: place as u32,
            repeat: result.repeat,
            attempts: result.attempts.len() as u32,
        });
        for attempt in &result.attempts {
            if let Some(failure) = attempt.failure {
                columns.failure_slots.push(columns.outcomes.len() as u32);
                columns.failures.push(failure);
            }
            columns.outcomes.push(attempt.outcome);
            columns.durations.push(attempt.duration);
        }
    }
    columns
}

/// A report with what is known about it.
struct Document<'a> {
    meta: ReportMeta,
    report: &'a Report,
}

impl Document<'_> {
    fn entry(&self, part: &Part<'_>, columns: Columns, encoder: &mut Encoder) -> Entry {
        let Self { meta, report } = self;
        let counted = || {
            part.results.iter().fold(Counts::default(), |mut counts, result| {
                counts.add(result.outcome, result.is_flaky());
                counts
            })
        };
        let (worker, workers) = self.workers(part, encoder);
        let stated =
            |said: &Option<String>, own: &str| said.clone().unwrap_or_else(|| own.to_owned());
        let by_job = meta.part.shard_of_job.as_deref().unwrap_or_default();
        let own_shard = if report.shard.is_empty() { by_job } else { &report.shard };
        let suites = if part.first { report.suite_failures.as_slice() } else { &[] };
        Entry {
            hash: meta.hash,
            started: meta.started,
            source: meta.source.clone(),
            producer: report.producer.to_owned(),
            host: report.host.clone(),
            worker,
            workers,
            shard: stated(&meta.part.shard, own_shard),
            seed: stated(&meta.part.seed, &report.seed),
            warnings: meta.warnings,
            complete: report.complete,
            nameless: if part.first { report.nameless } else { 0 },
            counts: if part.whole { report.counts } else { counted() },
            body: Body::Here(encoder.body(&columns)),
            bad: columns.bad_marks(),
            tests: columns.tests.into_iter().collect(),
            failures: columns.failures,
            suite_failures: suites
                .iter()
                .filter(|suite| (suite.failure as usize) < report.failures.len())
                .map(|suite| (suite.suite.clone(), suite.failure))
                .collect(),
        }
    }

    /// The one worker of all results, or what is stored where there are several.
    fn workers(&self, part: &Part<'_>, encoder: &mut Encoder) -> (String, Option<Vec<u8>>) {
        if self.report.workers.names().is_empty() {
            return (String::new(), None);
        }
        let workers = self.report.workers.pick(part.places.iter().copied());
        let results = part.places.len();
        match workers.only(results) {
            Some(only) => (only.to_owned(), None),
            None if workers.is_empty() => (String::new(), None),
            None => (String::new(), Some(encoder.workers(&workers, results))),
        }
    }
}

#[cfg(test)]
mod tests;
