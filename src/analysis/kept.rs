//! Results that are kept, turned from run by run, as they come, to test by test.
//!
//! Each test's list lies somewhere else in memory, and a visit costs more than what is written there.
//! Results are therefore staged for a few runs, put in order of tests, and appended several at once.

use super::history::Seen;

/// Runs that are staged before the lists are visited.
const STAGED_RUNS: usize = 8;
/// Room that a list of results gets at first.
const LIST_AT_FIRST: usize = 16;

/// Lists of results, one for each test in each variant that keeps them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    lists: Vec<Vec<Seen>>,
    /// The results of the last few runs, each with its list.
    staged: Vec<(u32, Seen)>,
    staged_runs: usize,
    /// The same in order of lists; kept for its room.
    ordered: Vec<Seen>,
    /// For each list, where its staged results end in `ordered`.
    ends: Vec<u32>,
}

impl Kept {
    /// Opens another list; returns its number.
    pub(super) fn open(&mut self) -> u32 {
        self.lists.push(Vec::new());
        self.lists.len() as u32 - 1
    }

    /// Adds a result to a list.
    pub(super) fn push(&mut self, list: u32, seen: Seen) {
        self.staged.push((list, seen));
    }

    /// Ends a run; at most `left` more come for any list.
    pub(super) fn end_run(&mut self, left: usize) {
        self.staged_runs += 1;
        if self.staged_runs >= STAGED_RUNS {
            self.settle(left);
        }
    }

    /// The lists, each in the order in which its results came.
    pub(super) fn finish(mut self) -> Vec<Vec<Seen>> {
        self.settle(0);
        self.lists
    }

    /// Moves what is staged to its lists, by counting sort.
    fn settle(&mut self, left: usize) {
        self.staged_runs = 0;
        let Some((_, any)) = self.staged.first().copied() else { return };
        self.ends.clear();
        self.ends.resize(self.lists.len(), 0);
        for (list, _) in &self.staged {
            if let Some(end) = self.ends.get_mut(*list as usize) {
                *end += 1;
            }
        }
        let mut start = 0;
        for end in &mut self.ends {
            start += std::mem::replace(end, start);
        }
        self.ordered.clear();
        self.ordered.resize(self.staged.len(), any);
        for (list, seen) in self.staged.drain(..) {
            let Some(end) = self.ends.get_mut(list as usize) else { continue };
            if let Some(place) = self.ordered.get_mut(*end as usize) {
                *place = seen;
                *end += 1;
            }
        }
        let mut from = 0;
        for (list, end) in self.lists.iter_mut().zip(&self.ends) {
            let until = *end as usize;
            let more = self.ordered.get(from..until).unwrap_or_default();
            append_tight(list, more, left);
            from = until;
        }
    }
}

/// Appends with a quarter more room, not twice as much: one outage makes every test keep its
/// results, and then their lists are most of the memory. At most `left` more are still to come.
fn append_tight(list: &mut Vec<Seen>, more: &[Seen], left: usize) {
    let needed = list.len() + more.len();
    if needed > list.capacity() {
        let spare = (needed / 4).max(LIST_AT_FIRST).min(left);
        list.reserve_exact(more.len() + spare);
    }
    list.extend_from_slice(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{HistoryBuilder, Settings};
    use crate::model::Outcome;
    use crate::store::query::{ResultRow, RunRow, TestNo};

    /// A result as a history keeps it.
    fn result() -> Seen {
        let outage = Settings::default().outage;
        let mut builder = HistoryBuilder::new(&[RunRow::bare(1)], [TestNo(1)].into(), &outage);
        builder.add(0, &[ResultRow::bare(1, Outcome::Failed)]);
        builder.finish().units[0].seen[0]
    }

    #[test]
    fn lists_are_visited_once_for_eight_runs() {
        let (mut kept, seen) = (Kept::default(), result());
        let list = kept.open();
        for run in 1..=STAGED_RUNS {
            assert_eq!((kept.staged.len(), kept.lists[0].len()), (run - 1, 0));
            kept.push(list, seen);
            kept.end_run(100);
        }
        assert_eq!((kept.staged.len(), kept.lists[0].len()), (0, STAGED_RUNS));
    }

    #[test]
    fn a_list_gets_a_quarter_more_room_than_it_needs() {
        let seen = result();
        // What it holds and has room for, what comes, what may still come, the room it gets.
        for (held, room, more, left, wanted) in [
            (0, 0, 8, 100, 24),
            (0, 0, 8, 3, 11),
            (0, 0, 8, 0, 8),
            (92, 92, 8, 1_000, 125),
            (16, 24, 8, 100, 24),
        ] {
            let mut list = Vec::with_capacity(room);
            list.resize(held, seen);
            append_tight(&mut list, &vec![seen; more], left);
            assert_eq!((list.len(), list.capacity()), (held + more, wanted), "{held} and {more}");
        }
    }
}
