//! Which runs are the main line, the one that everything merges into.

use crate::model::Lane;
use crate::store::query::RunRow;

/// The main line of some runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MainLine<'a> {
    /// The default branch.
    Default,
    /// This branch is taken for it; runs without a branch have none.
    Assumed(Option<&'a str>),
    /// Changes alone.
    None,
}

impl<'a> MainLine<'a> {
    /// The default branch, where there are runs of it. Reports without CI around them know none:
    /// then it is the branch that has most runs of all that are no changes, the first of several.
    #[must_use]
    pub(super) fn of(runs: &'a [RunRow]) -> Self {
        if runs.iter().any(|run| run.lane == Lane::Default) {
            return Self::Default;
        }
        let mut counts: Vec<(Option<&str>, u32)> = Vec::new();
        for run in runs.iter().filter(|run| run.lane == Lane::Other) {
            let name = run.branch.as_deref();
            match counts.iter_mut().find(|(branch, _)| *branch == name) {
                Some((_, count)) => *count += 1,
                None => counts.push((name, 1)),
            }
        }
        let most = counts.iter().rev().max_by_key(|(_, count)| *count);
        most.map_or(Self::None, |(branch, _)| Self::Assumed(*branch))
    }

    /// True where the run belongs to it.
    #[must_use]
    pub(super) fn has(self, run: &RunRow) -> bool {
        match self {
            Self::Default => run.lane == Lane::Default,
            Self::Assumed(branch) => run.lane == Lane::Other && run.branch.as_deref() == branch,
            Self::None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn runs(lines: &[(Lane, Option<&str>)]) -> Vec<RunRow> {
        let run = |(no, (lane, branch)): (u32, &(Lane, Option<&str>))| RunRow {
            started: Timestamp(i64::from(no)),
            branch: branch.map(str::to_owned),
            lane: *lane,
            ..RunRow::bare(no)
        };
        (0..).zip(lines).map(run).collect()
    }

    #[test]
    fn the_default_branch_else_the_branch_with_most_runs() {
        use Lane::{Change, Default, Other};
        let (dev, fix) = (Some("develop"), Some("fix"));
        for (lines, wanted, on_main) in [
            (vec![(Other, dev), (Other, dev), (Default, Some("main"))], MainLine::Default, 1),
            (vec![(Other, fix), (Other, dev), (Other, dev)], MainLine::Assumed(dev), 2),
            (vec![(Other, fix), (Other, dev)], MainLine::Assumed(fix), 1),
            (vec![(Other, None), (Other, None), (Other, dev)], MainLine::Assumed(None), 2),
            (vec![(Change, dev), (Other, fix)], MainLine::Assumed(fix), 1),
            (vec![(Change, dev)], MainLine::None, 0),
            (Vec::new(), MainLine::None, 0),
        ] {
            let runs = runs(&lines);
            let line = MainLine::of(&runs);
            assert_eq!(line, wanted, "{lines:?}");
            assert_eq!(runs.iter().filter(|run| line.has(run)).count(), on_main, "{lines:?}");
        }
    }
}
