//! What lasts is no outage: the same tests failing together, run after run of one line.
//!
//! A dead machine and a revision that broke half of a suite look the same at first. The machine is
//! mended, or other tests are hit; the breakage stays and hits the same ones. So an explanation as
//! an outage is taken back, for the runs before as well, once the same group failed on more
//! revisions in a row than one outage spans. Re-runs of one revision do not count: that is what
//! people do while a machine is dead.

use std::collections::BTreeMap;

use super::explain::{OUTAGE_TESTS_MIN, common};
use super::model::Model;

/// Share of tests (Jaccard) that two groups must have in common to be the same: a breakage hits
/// exactly the same tests, an outage nearly never.
const SAME: f64 = 0.95;

/// Rows of runs of one line that looked like outages: of whole runs, and of each module.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rows {
    kept: BTreeMap<Option<u32>, Row>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Row {
    failing: Vec<u32>,
    runs: Vec<u32>,
    revisions: u32,
}

/// A run, or a module of it, that looks like an outage or does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    /// The run's number in the pass.
    pub(super) run: u32,
    /// It is the first run of its revision in a row.
    pub(super) fresh: bool,
    /// The module; `None` for the whole run.
    pub(super) module: Option<u32>,
    /// Its tests that failed, sorted.
    pub(super) failing: &'a [u32],
    /// It looks like an outage.
    pub(super) outage: bool,
}

impl Rows {
    /// Takes the next run of the line; the runs before it that were no outages either, where the
    /// row has become too long for one.
    pub(super) fn take(&mut self, model: &Model, look: &Look<'_>) -> Option<Vec<u32>> {
        if !look.outage || look.failing.len() < OUTAGE_TESTS_MIN as usize {
            self.kept.remove(&look.module);
            return None;
        }
        let row = self.kept.entry(look.module).or_default();
        let shared = common(&row.failing, look.failing);
        let all = row.failing.len() + look.failing.len() - shared;
        if (shared as f64) < SAME * all as f64 {
            row.runs.clear();
            row.revisions = 0;
        }
        look.failing.clone_into(&mut row.failing);
        let before = row.runs.clone();
        row.revisions += u32::from(look.fresh || before.is_empty());
        row.runs.push(look.run);
        (row.revisions > model.outage_revisions).then_some(before)
    }

    /// Forgets rows of modules without a failure in this run.
    pub(super) fn keep(&mut self, failing: &dyn Fn(u32) -> bool) {
        self.kept.retain(|module, _| module.is_none_or(failing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasts(groups: &[(&[u32], bool)]) -> Vec<bool> {
        lasts_on(groups, |_| true)
    }

    fn lasts_on(groups: &[(&[u32], bool)], fresh: fn(u32) -> bool) -> Vec<bool> {
        let model = Model { outage_revisions: 2, ..Model::default() };
        let mut rows = Rows::default();
        let look = |(run, (failing, outage)): (u32, &(&[u32], bool))| {
            let (failing, outage, fresh) = (*failing, *outage, fresh(run));
            let look = Look { run, fresh, module: None, failing, outage };
            rows.take(&model, &look).is_some()
        };
        (0..).zip(groups).map(look).collect()
    }

    const GROUP: &[u32] = &[1, 2, 3, 4, 5];

    #[test]
    fn reruns_of_one_revision_do_not_count() {
        // The revisions change with runs 0, 3 and 4.
        let fresh = |run| [0, 3, 4].contains(&run);
        let group = (GROUP, true);
        assert_eq!(lasts_on(&[group; 5], fresh), [false, false, false, false, true]);
    }

    #[test]
    fn the_third_run_of_one_group_in_a_row_is_no_outage() {
        let group = (GROUP, true);
        assert_eq!(lasts(&[group, group, group, group]), [false, false, true, true]);
        // Of many tests one more or less is the same group still; of few it is not.
        let many: Vec<u32> = (0..40).collect();
        let (all, most) = ((&many[..], true), (&many[1..], true));
        assert_eq!(lasts(&[all, most, all]), [false, false, true]);
        assert_eq!(lasts(&[group, (&[1, 2, 3, 4], true), group]), [false; 3]);
    }

    #[test]
    fn three_tests_are_enough_to_last() {
        assert_eq!(lasts(&[(&GROUP[..3], true); 3]), [false, false, true]);
    }

    #[test]
    fn a_run_in_which_a_module_does_not_fail_ends_its_row() {
        let model = Model { outage_revisions: 2, ..Model::default() };
        let lasts = |fails_between: bool| {
            let mut rows = Rows::default();
            let look = |run| {
                let module = Some(7);
                Look { run, fresh: true, module, failing: GROUP, outage: true }
            };
            let early = [0, 1].map(|run| rows.take(&model, &look(run)).is_some());
            rows.keep(&|module| module == 7 && fails_between);
            (early, rows.take(&model, &look(3)))
        };
        assert_eq!(lasts(true), ([false; 2], Some(vec![0, 1])));
        assert_eq!(lasts(false), ([false; 2], None));
    }

    #[test]
    fn other_tests_another_look_or_too_few_begin_anew() {
        let group = (GROUP, true);
        let others: (&[u32], bool) = (&[1, 2, 7, 8, 9], true);
        assert_eq!(lasts(&[group, group, others, group]), [false; 4]);
        assert_eq!(lasts(&[group, group, (GROUP, false), group, group]), [false; 5]);
        let few: (&[u32], bool) = (&[1, 2], true);
        assert_eq!(lasts(&[few, few, few, few]), [false; 4]);
    }

    #[test]
    fn groups_that_share_just_enough_are_one() {
        // 19 of 20 are 95 %.
        let many: Vec<u32> = (0..20).collect();
        let (all, most) = ((&many[..], true), (&many[1..], true));
        assert_eq!(lasts(&[all, most, all]), [false, false, true]);
    }
}
