//! What was known when: the explanations of runs as they stood at each moment.
//!
//! The replay of a test reads runs as they are explained in the end, outages that lasted taken
//! back. A back-test must not know that sooner than it could be known, so that the moments of a
//! course are read again under what was said then.

use super::pass::{Explained, TakenBack};
use super::replay::{Course, Moment};

/// The explanations of the runs of one variant, and from which run on they stood.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// Oldest first; the last is what is known in the end.
    stages: Vec<Stage>,
}

#[derive(Debug)]
struct Stage {
    from: u32,
    /// The modules that it explains otherwise than the stage before; `None` for all.
    changed: Vec<Option<u32>>,
    runs: Vec<Option<Explained>>,
}

impl Knowledge {
    /// From explanations as they were given first, and what of them was taken back.
    ///
    /// `places` are the runs of the variant, as places in the history.
    pub(super) fn new(
        first: &[Option<Explained>],
        taken_back: &[TakenBack],
        places: &[usize],
    ) -> Self {
        let mut stages = vec![Stage { from: 0, changed: Vec::new(), runs: first.to_vec() }];
        for TakenBack { learnt, run, module } in taken_back {
            let place = |run: u32| places.get(run as usize).copied();
            let (Some(from), Some(run)) = (place(*learnt), place(*run)) else { continue };
            let Some(last) = stages.last() else { continue };
            let Some(Some(before)) = last.runs.get(run) else { continue };
            let mut after = before.clone();
            after.take_back(*module);
            // What lasts longer is told again with each run.
            if after == *before {
                continue;
            }
            let from = from as u32;
            if last.from != from {
                stages.push(Stage { from, changed: Vec::new(), runs: last.runs.clone() });
            }
            let Some(stage) = stages.last_mut() else { continue };
            stage.changed.push(*module);
            if let Some(explained) = stage.runs.get_mut(run) {
                *explained = Some(after);
            }
        }
        Self { stages }
    }

    /// The moments of a test of `module` as each was believed then; `None` where nothing that was
    /// said of its module was ever taken back. `replay` gives them under fixed explanations.
    pub(super) fn moments(
        &self,
        module: u32,
        replay: &dyn Fn(&[Option<Explained>]) -> Option<Course>,
    ) -> Option<Vec<Moment>> {
        let concerns = |stage: &&Stage| {
            let of = |changed: &Option<u32>| changed.is_none_or(|changed| changed == module);
            stage.from == 0 || stage.changed.iter().any(of)
        };
        let stages: Vec<&Stage> = self.stages.iter().filter(concerns).collect();
        if stages.len() < 2 {
            return None;
        }
        let ends = stages.iter().skip(1).map(|stage| stage.from).chain([u32::MAX]);
        let mut moments = Vec::new();
        for (stage, until) in stages.iter().zip(ends) {
            let stood = |moment: &Moment| (stage.from..until).contains(&moment.run);
            let course = replay(&stage.runs);
            moments.extend(course.into_iter().flat_map(|course| course.moments).filter(stood));
        }
        Some(moments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_of_the_module_that_was_explained_otherwise_are_read_again() {
        let read_again = |changed: Option<u32>, module: u32| {
            let stage = |from, changed| Stage { from, changed, runs: Vec::new() };
            let stages = vec![stage(0, Vec::new()), stage(5, vec![changed])];
            Knowledge { stages }.moments(module, &|_| None).is_some()
        };
        assert_eq!([read_again(Some(7), 7), read_again(Some(7), 8)], [true, false]);
        assert_eq!([read_again(None, 7), read_again(None, 8)], [true; 2]);
    }
}
