//! What becomes of the tests of a process that ended: which have a result, which one took the
//! process with it, which are to be dealt again; pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::context::child::How;
use crate::model::{Outcome, TestName};
use crate::quarantine::gate::runners::Runner;

/// What a report says of a test.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) test: TestName,
    pub(super) outcome: Outcome,
    pub(super) seconds: Option<f64>,
    /// Why it failed, in one line.
    pub(super) failure: String,
}

/// What the tests themselves told while they ran.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Told {
    /// The test that had begun and not ended.
    pub(super) running: Option<String>,
    /// Tests that had passed, with their seconds.
    pub(super) passed: BTreeMap<String, f64>,
    /// Tests that ended, in whatever way.
    pub(super) ended: usize,
    /// Tests that failed.
    pub(super) failed: usize,
}

impl Told {
    /// Reads the lines of a runner's plugin: `start`, `passed`, `failed`, each with the runner's
    /// word for the test; a line that was cut off says nothing.
    pub(super) fn read(text: &str) -> Self {
        let mut told = Self::default();
        let whole = text.rfind('\n').and_then(|end| text.get(..end)).unwrap_or_default();
        for line in whole.lines() {
            let mut fields = line.splitn(3, '\t');
            let (what, seconds, word) = (fields.next(), fields.next(), fields.next());
            let (Some(what), Some(seconds), Some(word)) = (what, seconds, word) else { continue };
            if what == "start" {
                told.running = Some(word.to_owned());
                continue;
            }
            if told.running.as_deref() == Some(word) {
                told.running = None;
            }
            told.ended += 1;
            match what {
                "passed" => {
                    let seconds = seconds.parse().unwrap_or(0.0);
                    told.passed.insert(word.to_owned(), seconds);
                }
                "failed" => told.failed += 1,
                _ => {}
            }
        }
        told
    }
}

/// The tests of a batch once its process has ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fate {
    /// Tests that passed before the process died, whose report died with it: place and seconds.
    pub(super) passed: Vec<(usize, f64)>,
    /// The test that took the process with it.
    pub(super) culprit: Option<usize>,
    /// Tests to deal again; no suspicion lies on them.
    pub(super) again: Vec<usize>,
    /// Tests one of which crashed, in halves that are to be run apart.
    pub(super) suspects: Vec<Vec<usize>>,
    /// Tests that have no result and will get none.
    pub(super) without: Vec<usize>,
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The runner came to its end and said so.
    Whole,
    /// The process died, or its report did.
    Crashed,
    /// The runner refused: it ended by itself, without any result.
    Refused,
    /// It was told to end.
    Stopped,
}

/// How a batch ended, by its process and its report.
pub(super) fn end_of(how: How, is_told: bool, is_whole: bool, seen: usize, runner: &Runner) -> End {
    let says_so = match how {
        How::Exited(code) => code == 0 || runner.means_failed(code),
        How::Signalled(_) | How::TimedOut => false,
    };
    match (is_told || how == How::TimedOut, says_so && is_whole) {
        (true, _) => End::Stopped,
        (false, true) => End::Whole,
        (false, false) if is_whole && seen == 0 && matches!(how, How::Exited(_)) => End::Refused,
        (false, false) if is_whole && matches!(how, How::Exited(_)) => End::Whole,
        (false, false) => End::Crashed,
    }
}

/// What becomes of the tests of a batch: their places, names and words.
pub(super) fn fate(
    batch: &[(usize, &TestName, &str)],
    seen: &[Seen],
    end: End,
    told: &Told,
) -> Fate {
    let names: BTreeSet<(&str, &str)> =
        seen.iter().map(|one| (one.test.classname.as_str(), one.test.name.as_str())).collect();
    let files: BTreeSet<&str> = seen.iter().map(|one| one.test.file.as_str()).collect();
    let has_result = |test: &TestName| match test.name.is_empty() {
        // Which tests a file has is not known; a whole report has them.
        true => end == End::Whole || files.contains(test.file.as_str()),
        false => names.contains(&(test.classname.as_str(), test.name.as_str())),
    };
    let left: Vec<&(usize, &TestName, &str)> =
        batch.iter().filter(|(_, test, _)| !has_result(test)).collect();
    let mut fate = Fate::default();
    if end != End::Crashed {
        fate.without = left.iter().map(|(place, ..)| *place).collect();
        return fate;
    }
    for (place, _, word) in left {
        match told.passed.get(*word) {
            Some(seconds) => fate.passed.push((*place, *seconds)),
            None if told.running.as_deref() == Some(*word) => fate.culprit = Some(*place),
            None => fate.again.push(*place),
        }
    }
    if fate.culprit.is_some() {
        return fate;
    }
    // Nobody told which test was running: halves, until one crashes alone.
    let rest = std::mem::take(&mut fate.again);
    match rest.as_slice() {
        [] => {}
        [one] => fate.culprit = Some(*one),
        many => {
            let (first, second) = many.split_at(many.len() / 2);
            fate.suspects = vec![first.to_vec(), second.to_vec()];
        }
    }
    fate
}

#[cfg(test)]
mod unit {
    use super::*;

    fn names(count: usize) -> Vec<TestName> {
        let name = |n: usize| TestName {
            classname: "m".into(),
            name: n.to_string(),
            ..TestName::default()
        };
        (0..count).map(name).collect()
    }

    fn seen(test: &TestName) -> Seen {
        Seen { test: test.clone(), outcome: Outcome::Passed, seconds: None, failure: String::new() }
    }

    fn runner() -> Runner {
        Runner { name: "pytest".into(), failed: vec![(1, 1)], others: Vec::new() }
    }

    #[test]
    fn the_running_test_is_the_culprit_and_what_passed_before_it_stays() {
        let names = names(4);
        let words = ["a", "b", "c", "d"];
        let batch: Vec<_> = (0..4).map(|n| (n, &names[n], words[n])).collect();
        let told =
            Told::read("start\t\ta\npassed\t0.25\ta\nstart\t\tb\nfailed\t0.1\tb\nstart\t\tc\nsta");
        assert_eq!((told.ended, told.failed), (2, 1));
        let fate = fate(&batch, &[], End::Crashed, &told);
        assert_eq!(fate.passed, [(0, 0.25)]);
        assert_eq!(fate.culprit, Some(2));
        // What failed has lost its reason with the report.
        assert_eq!(fate.again, [1, 3]);
    }

    #[test]
    fn without_a_word_the_rest_is_halved_until_one_crashes_alone() {
        let names = names(8);
        let mut queue: Vec<Vec<usize>> = vec![(0..8).collect()];
        let (mut runs, mut culprits) = (0, Vec::new());
        while let Some(places) = queue.pop() {
            runs += 1;
            let batch: Vec<_> = places.iter().map(|&n| (n, &names[n], "")).collect();
            // The fifth test crashes; the report dies with the process.
            let crashes = places.contains(&5);
            let seen: Vec<Seen> =
                places.iter().filter(|_| !crashes).map(|&n| seen(&names[n])).collect();
            let end = if crashes { End::Crashed } else { End::Whole };
            let fate = fate(&batch, &seen, end, &Told::default());
            culprits.extend(fate.culprit);
            queue.extend(fate.suspects);
            assert_eq!((fate.again, fate.without), (vec![], vec![]));
        }
        assert_eq!((culprits, runs), (vec![5], 7));
    }

    #[test]
    fn an_end_is_told_by_the_code_the_report_and_who_asked_for_it() {
        let runner = runner();
        for (how, told, whole, seen, wanted) in [
            (How::Exited(0), false, true, 3, End::Whole),
            (How::Exited(1), false, true, 3, End::Whole),
            (How::Exited(1), false, false, 0, End::Crashed),
            (How::Exited(2), false, true, 0, End::Refused),
            (How::Exited(3), false, true, 2, End::Whole),
            (How::Exited(139), false, false, 2, End::Crashed),
            (How::Signalled(11), false, true, 2, End::Crashed),
            (How::Signalled(2), true, false, 2, End::Stopped),
            (How::TimedOut, false, false, 2, End::Stopped),
        ] {
            assert_eq!(end_of(how, told, whole, seen, &runner), wanted, "{how:?}");
        }
    }
}
