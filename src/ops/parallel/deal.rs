//! Which tests a worker gets next: batches that grow smaller, from the longest tests to the
//! shortest, pure.
//!
//! A batch is a process, and a process has to start: few large batches waste least. But nobody
//! knows exactly how long tests take, and the last worker to end is what people wait for: small
//! batches balance best. So the first batch of a worker is a good part of its fair share, and each
//! one after it as much of what is left, until starting another process would cost more than it
//! could still balance.

use std::collections::{BTreeMap, VecDeque};

use crate::listing::{ListedTest, Lister};

/// What must stay in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dist {
    /// Nothing: each test goes where there is room.
    #[default]
    Load,
    /// The tests of a class or module.
    Scope,
    /// The tests of a file.
    File,
    /// The tests of a group, where the runner lists groups.
    Group,
}

impl Dist {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Load, Self::Scope, Self::File, Self::Group];

    /// The word that selects it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Scope => "loadscope",
            Self::File => "loadfile",
            Self::Group => "loadgroup",
        }
    }

    /// The same for a runner; where its names say no file, files stay whole: the same name elsewhere
    /// would run as well.
    #[must_use]
    pub fn for_runner(self, runner: &str) -> Self {
        let whole = || Lister::find(runner).is_some_and(|lister| lister.takes.whole_files());
        if self == Self::Load && whole() { Self::File } else { self }
    }

    /// What a test stays together with; `None` where it stands alone.
    fn key(self, test: &ListedTest) -> Option<&str> {
        let name = &test.test;
        let key = match self {
            Self::Load => return None,
            Self::Scope => &name.classname,
            Self::File if name.file.is_empty() => &name.classname,
            Self::File => &name.file,
            Self::Group => return test.group.as_deref(),
        };
        (!key.is_empty()).then_some(key)
    }
}

/// What a test is taken to last where nothing is known of any.
const UNKNOWN_SECONDS: f64 = 0.1;
/// The first batches are this part of a fair share where all times are known.
const KNOWN_PART: f64 = 0.8;
/// And this where none is.
const UNKNOWN_PART: f64 = 0.5;
/// What would be held back for later batches must last as long as so many starts of a process.
const STARTS_MIN: f64 = 3.0;

/// Tests that stay together.
#[derive(Debug, Clone, PartialEq)]
struct Unit {
    /// Places in the list of tests.
    tests: Vec<usize>,
    /// What is known of their time, in seconds.
    known: f64,
    /// How many of them nothing is known of.
    unknown: usize,
}

/// What a worker is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// These tests, by their places, in the order of the list.
    Batch(Vec<usize>),
    /// Wait: others may still give something back.
    Wait,
    /// Nothing is left, for anybody.
    Over,
}

/// The tests that are still to be dealt.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    /// The longest first.
    units: VecDeque<Unit>,
    /// Batches that must be run as they are: one of their tests crashes.
    suspects: VecDeque<Vec<usize>>,
    /// When each worker that works is expected to be done, in seconds since the start.
    ends: Vec<Option<f64>>,
    /// What starting a process takes, in seconds.
    start_up: f64,
    /// Seconds and number of tests of which nothing was known and that ran meanwhile.
    seen: (f64, usize),
    unknown_seconds: f64,
    /// The part of all tests whose time is known.
    known_share: f64,
    /// Of each test, the unit that it stays in and its seconds where they are known.
    origins: Vec<(usize, Option<f64>)>,
}

impl Deal {
    /// Deals these tests, whose seconds are known or not, to so many workers.
    pub(super) fn new(
        tests: &[ListedTest],
        seconds: &[Option<f64>],
        dist: Dist,
        workers: usize,
        start_up: f64,
    ) -> Self {
        let mut units: Vec<Unit> = Vec::new();
        let mut places: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        let (mut known, mut origins) = (Vec::new(), Vec::new());
        for (place, test) in tests.iter().enumerate() {
            let time = seconds.get(place).copied().flatten();
            known.extend(time);
            let at = match dist.key(test) {
                Some(key) => *places.entry(key).or_insert(units.len()),
                None => units.len(),
            };
            if at == units.len() {
                units.push(Unit { tests: Vec::new(), known: 0.0, unknown: 0 });
            }
            origins.push((at, time));
            if let Some(unit) = units.get_mut(at) {
                unit.tests.push(place);
                unit.known += time.unwrap_or(0.0);
                unit.unknown += usize::from(time.is_none());
            }
        }
        known.sort_by(f64::total_cmp);
        let unknown_seconds = known.get(known.len() / 2).copied().unwrap_or(UNKNOWN_SECONDS);
        let length = |unit: &Unit| unit.known + unit.unknown as f64 * unknown_seconds;
        // The sort is stable: ties stay in the order of the list.
        units.sort_by(|a, b| length(b).total_cmp(&length(a)));
        Self {
            units: units.into(),
            suspects: VecDeque::new(),
            ends: vec![None; workers],
            start_up,
            seen: (0.0, 0),
            unknown_seconds,
            known_share: known.len() as f64 / tests.len().max(1) as f64,
            origins,
        }
    }

    /// What a worker does next, so many seconds after the start.
    pub(super) fn next(&mut self, worker: usize, now: f64) -> Next {
        if let Some(end) = self.ends.get_mut(worker) {
            *end = None;
        }
        let (tests, seconds) = match self.suspects.pop_front() {
            Some(tests) => (tests, self.start_up),
            None if self.units.is_empty() => {
                let busy = self.ends.iter().any(Option::is_some);
                return if busy { Next::Wait } else { Next::Over };
            }
            None => self.take(now),
        };
        if let Some(end) = self.ends.get_mut(worker) {
            *end = Some(now + self.start_up + seconds);
        }
        Next::Batch(tests)
    }

    fn take(&mut self, now: f64) -> (Vec<usize>, f64) {
        let target = self.target(now);
        let (mut tests, mut seconds) = (Vec::new(), 0.0);
        while let Some(unit) = self.units.front() {
            let more = self.length(unit);
            // Half of a test too much is as good as half of one too little.
            if !tests.is_empty() && seconds + more / 2.0 > target {
                break;
            }
            seconds += more;
            tests.extend(self.units.pop_front().into_iter().flat_map(|unit| unit.tests));
        }
        let rest: f64 = self.units.iter().map(|unit| self.length(unit)).sum();
        if !self.is_blind() && rest < self.start_up / 2.0 {
            // Another process for so little would take longer than the little itself.
            seconds += rest;
            tests.extend(self.units.drain(..).flat_map(|unit| unit.tests));
        }
        tests.sort_unstable();
        (tests, seconds)
    }

    /// How many seconds of tests the next batch should have.
    fn target(&self, now: f64) -> f64 {
        if self.ends.len() <= 1 {
            return f64::INFINITY;
        }
        let fair = self.fair(now);
        let part = KNOWN_PART * self.known_share + UNKNOWN_PART * (1.0 - self.known_share);
        // What is held back can balance no more than it lasts, and costs a start.
        let pays = fair * (1.0 - part) >= STARTS_MIN * self.start_up;
        if pays || self.is_blind() { fair * part } else { fair }
    }

    /// Nothing is known yet of how long most tests take.
    fn is_blind(&self) -> bool {
        self.seen.1 == 0 && self.known_share < 0.5
    }

    /// What this worker would do if all were to end together, each starting once more.
    fn fair(&self, now: f64) -> f64 {
        let remaining: f64 = self.units.iter().map(|unit| self.length(unit)).sum();
        let left = |end: &Option<f64>| end.map_or(0.0, |end| (end - now).max(0.0));
        let mut busy: Vec<f64> = self.ends.iter().map(left).collect();
        busy.sort_by(f64::total_cmp);
        // The workers that are free first share what remains, as many as come in time for it.
        let (mut sum, mut end) = (remaining, f64::INFINITY);
        for (place, left) in busy.iter().enumerate() {
            let free = left + self.start_up;
            if free >= end {
                break;
            }
            sum += free;
            end = sum / (place + 1) as f64;
        }
        (end - self.start_up).max(0.0)
    }

    fn length(&self, unit: &Unit) -> f64 {
        unit.known + unit.unknown as f64 * self.unknown_seconds
    }

    /// Learns from a batch: what starting its process took, and how long tests took of which
    /// nothing was known.
    pub(super) fn learn(&mut self, start_up: Option<f64>, unknown: (f64, usize)) {
        if let Some(start_up) = start_up {
            self.start_up = (self.start_up + start_up) / 2.0;
        }
        self.seen.0 += unknown.0;
        self.seen.1 += unknown.1;
        if self.seen.1 > 0 {
            self.unknown_seconds = self.seen.0 / self.seen.1 as f64;
        }
    }

    /// Takes back tests that a process which died had not begun.
    pub(super) fn put_back(&mut self, tests: Vec<usize>) {
        let mut back: BTreeMap<usize, Unit> = BTreeMap::new();
        for place in tests {
            let (unit, time) = self.origins.get(place).copied().unwrap_or((place, None));
            let empty = || Unit { tests: Vec::new(), known: 0.0, unknown: 0 };
            let unit = back.entry(unit).or_insert_with(empty);
            unit.tests.push(place);
            unit.known += time.unwrap_or(0.0);
            unit.unknown += usize::from(time.is_none());
        }
        if back.is_empty() {
            return;
        }
        self.units.extend(back.into_values());
        let unknown = self.unknown_seconds;
        let length = |unit: &Unit| unit.known + unit.unknown as f64 * unknown;
        self.units.make_contiguous().sort_by(|a, b| length(b).total_cmp(&length(a)));
    }

    /// Takes back tests one of which crashes, to be run as one batch of their own.
    pub(super) fn suspect(&mut self, tests: Vec<usize>) {
        if !tests.is_empty() {
            self.suspects.push_back(tests);
        }
    }

    /// A worker works no more.
    pub(super) fn leave(&mut self, worker: usize) {
        if let Some(end) = self.ends.get_mut(worker) {
            *end = None;
        }
    }

    /// Takes all that is left, which nobody will run.
    pub(super) fn give_up(&mut self) -> Vec<usize> {
        let units = self.units.drain(..).flat_map(|unit| unit.tests);
        let mut left: Vec<usize> = units.chain(self.suspects.drain(..).flatten()).collect();
        left.sort_unstable();
        left
    }
}

#[cfg(test)]
mod unit {
    use proptest::prelude::*;

    use super::*;
    use crate::model::TestName;

    fn tests(count: usize) -> Vec<ListedTest> {
        let test = |n: usize| ListedTest {
            word: n.to_string(),
            test: TestName {
                classname: format!("m{}", n / 4),
                name: n.to_string(),
                ..TestName::default()
            },
            group: n.is_multiple_of(2).then(|| "even".to_owned()),
        };
        (0..count).map(test).collect()
    }

    /// Workers in simulated time; returns the batches with their workers, and when all was done.
    fn simulate(
        deal: &mut Deal,
        real: &[f64],
        workers: usize,
        start: f64,
        is_known: bool,
    ) -> (Vec<(usize, Vec<usize>)>, f64) {
        let mut free: Vec<(f64, usize, Option<Vec<usize>>)> =
            (0..workers).map(|worker| (0.0, worker, None)).collect();
        let (mut batches, mut end) = (Vec::new(), 0.0_f64);
        while !free.is_empty() {
            free.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (now, worker, done) = free.remove(0);
            end = end.max(now);
            if let Some(done) = done {
                let seconds: f64 = done.iter().map(|&test| real[test]).sum();
                let unknown = if is_known { (0.0, 0) } else { (seconds, done.len()) };
                deal.learn(Some(start), unknown);
            }
            if let Next::Batch(tests) = deal.next(worker, now) {
                let took: f64 = start + tests.iter().map(|&test| real[test]).sum::<f64>();
                batches.push((worker, tests.clone()));
                free.push((now + took, worker, Some(tests)));
            }
        }
        (batches, end)
    }

    #[test]
    fn waiting_tests_of_equal_length_take_a_seventh_of_the_time_with_eight_workers() {
        let real = vec![0.5; 400];
        for is_known in [true, false] {
            let seconds: Vec<Option<f64>> =
                real.iter().map(|time| is_known.then_some(*time)).collect();
            let mut deal = Deal::new(&tests(400), &seconds, Dist::Load, 8, 0.5);
            let (batches, end) = simulate(&mut deal, &real, 8, 0.5, is_known);
            assert!(end < (200.0 + 0.5) / 7.0, "{end} s in {} batches", batches.len());
        }
    }

    #[test]
    fn short_tests_are_not_spread_over_more_processes_than_pay() {
        let real = vec![0.001; 2_000];
        let seconds: Vec<Option<f64>> = real.iter().copied().map(Some).collect();
        let mut deal = Deal::new(&tests(2_000), &seconds, Dist::Load, 4, 0.4);
        let (batches, _) = simulate(&mut deal, &real, 4, 0.4, true);
        assert!(batches.len() <= 5, "{} batches", batches.len());
    }

    #[test]
    fn what_stays_together_is_in_one_batch() {
        let all = tests(40);
        for (dist, together) in [(Dist::Scope, [4, 5, 6, 7]), (Dist::File, [8, 9, 10, 11])] {
            let mut deal = Deal::new(&all, &[None; 40], dist, 3, 0.01);
            let (batches, _) = simulate(&mut deal, &[0.1; 40], 3, 0.01, false);
            let holds = |batch: &&(usize, Vec<usize>)| batch.1.contains(&together[0]);
            let batch = &batches.iter().find(holds).unwrap().1;
            assert!(together.iter().all(|test| batch.contains(test)), "{batch:?}");
        }
        let mut deal = Deal::new(&all, &[None; 40], Dist::Group, 3, 0.01);
        let Next::Batch(first) = deal.next(0, 0.0) else { panic!("there is work") };
        assert_eq!(first, (0..40).step_by(2).collect::<Vec<_>>());
    }

    #[test]
    fn suspects_come_first_and_nobody_ends_while_somebody_works() {
        let mut deal = Deal::new(&tests(2), &[None; 2], Dist::Load, 2, 0.1);
        assert!(matches!(deal.next(0, 0.0), Next::Batch(_)));
        let Next::Batch(second) = deal.next(1, 0.0) else { panic!("there is work") };
        assert_eq!(deal.next(0, 1.0), Next::Wait);
        deal.suspect(second.clone());
        deal.put_back(vec![7]);
        assert_eq!(deal.next(0, 1.0), Next::Batch(second));
        deal.leave(1);
        assert_eq!(deal.next(0, 2.0), Next::Batch(vec![7]));
        assert_eq!(deal.next(0, 3.0), Next::Over);
    }

    #[test]
    fn what_a_crash_gives_back_is_shared_out_again() {
        let known: Vec<Option<f64>> = (0..40).map(|_| Some(1.0)).collect();
        let mut deal = Deal::new(&tests(40), &known, Dist::Load, 2, 0.1);
        let take = |deal: &mut Deal, worker| match deal.next(worker, 0.0) {
            Next::Batch(tests) => tests,
            other => panic!("there is work: {other:?}"),
        };
        let (first, second) = (take(&mut deal, 0), take(&mut deal, 1));
        assert_eq!((first.len(), second.len()), (16, 16));
        for (worker, lost) in [first, second].into_iter().enumerate() {
            deal.leave(worker);
            deal.put_back(lost);
        }
        // As one block the first lost batch would come on top of a share.
        assert_eq!((take(&mut deal, 0).len(), take(&mut deal, 1).len()), (16, 16));
        assert_eq!(deal.give_up().len(), 8);
        // What stays together does so the second time as well.
        let mut deal = Deal::new(&tests(8), &[None; 8], Dist::Scope, 2, 0.1);
        assert_eq!(deal.give_up().len(), 8);
        deal.put_back(vec![5, 1, 6, 2]);
        assert_eq!(deal.next(0, 0.0), Next::Batch(vec![1, 2]));
        assert_eq!(deal.next(1, 0.0), Next::Batch(vec![5, 6]));
    }

    #[test]
    fn with_a_history_few_batches_are_enough_whatever_it_is_worth() {
        // Uneven tests, and a history that is wrong by up to the factor of two.
        let times: Vec<f64> = (1..=2_000_u32).map(|n| 0.02 + 30.0 / f64::from(n)).collect();
        let wrong = |n: usize| [0.5, 0.8, 1.0, 1.3, 2.0][n * 7 % 5];
        let real: Vec<f64> = times.iter().enumerate().map(|(n, time)| time * wrong(n)).collect();
        let seconds: Vec<Option<f64>> = times.iter().copied().map(Some).collect();
        for (workers, start) in [(2, 0.3), (4, 0.3), (8, 0.8), (8, 0.0)] {
            let mut deal = Deal::new(&tests(2_000), &seconds, Dist::Load, workers, start);
            let (batches, end) = simulate(&mut deal, &real, workers, start, true);
            let told = format!("{} batches of {workers} workers, {end} s", batches.len());
            assert!(batches.len() <= 6 * workers, "{told}");
            let longest = real.iter().copied().fold(0.0, f64::max);
            let fair = real.iter().sum::<f64>() / workers as f64;
            assert!(end <= fair.max(longest) * 1.1 + 6.0 * start, "{told}");
        }
    }

    proptest! {
        #[test]
        fn every_test_is_dealt_once_and_no_worker_ends_far_behind(
            real in prop::collection::vec(0.001_f64..2.0, 1..200),
            workers in 1_usize..9,
            known in prop::bool::ANY,
        ) {
            let all = tests(real.len());
            let seconds: Vec<Option<f64>> = real.iter().map(|time| known.then_some(*time)).collect();
            let mut deal = Deal::new(&all, &seconds, Dist::Load, workers, 0.1);
            let (batches, end) = simulate(&mut deal, &real, workers, 0.1, known);
            let mut dealt: Vec<usize> = batches.iter().flat_map(|(_, tests)| tests.clone()).collect();
            dealt.sort_unstable();
            prop_assert_eq!(dealt, (0..real.len()).collect::<Vec<_>>());
            if known {
                // No schedule beats the mean; no batch here is larger than what would balance it.
                let fair = real.iter().sum::<f64>() / workers as f64;
                let starts = batches.len() as f64 * 0.1;
                let bound = fair + starts + 2.0 * (2.0 + 0.3);
                prop_assert!(end <= bound, "{} > {}", end, bound);
            }
        }
    }

    #[test]
    fn files_stay_whole_where_names_say_no_file() {
        assert_eq!(Dist::Load.for_runner("vitest"), Dist::File);
        assert_eq!(Dist::Load.for_runner("pytest"), Dist::Load);
        assert_eq!(Dist::Group.for_runner("vitest"), Dist::Group);
    }
}
