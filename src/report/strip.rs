//! The outcome strip: one mark for each run, the most recent at the right.

use crate::analysis::verdict::{Cell, JudgedRun};
use crate::model::Outcome;

/// The mark of a pass that needed a retry.
pub const RETRIED: char = 'r';
/// The mark of a failure during an outage, which counts against nobody.
pub const OUTAGE: char = 'x';
/// The mark of several runs of which only some failed.
pub const MIXED: char = 'f';

/// What the marks mean, for the foot of a screen.
pub const LEGEND: &str =
    ". passed   F failed   E errored   r passed on retry   s skipped   x failed in an outage";
/// What a strip that was too long shows in addition.
pub const LEGEND_FOLDED: &str = "A strip longer than its column shows several runs as one mark, f where only some of them failed.";

/// The strip of these cells in full.
#[must_use]
pub fn full(cells: &[Cell], runs: &[JudgedRun]) -> String {
    cells.iter().map(|cell| mark(cell, runs)).collect()
}

/// The mark of one cell.
#[must_use]
pub fn mark(cell: &Cell, runs: &[JudgedRun]) -> char {
    let outage = runs.get(cell.run as usize).is_some_and(|run| run.outage);
    match (cell.outcome, cell.retried, outage) {
        (Outcome::Failed | Outcome::Errored, _, true) => OUTAGE,
        (Outcome::Passed, true, _) => RETRIED,
        (outcome, ..) => outcome.strip_char(),
    }
}

/// The strip in at most `width` marks.
///
/// Too long a strip is folded: each mark then stands for the same number of runs, counted from the
/// most recent. A failure is never folded away, nor is a pass between failures: runs of which only
/// some failed become [`MIXED`].
///
/// ```
/// use flakedb::report::strip::folded;
/// assert_eq!(folded("..F.E", 5), "..F.E");
/// assert_eq!(folded("......F.FF", 5), "...fF");
/// ```
#[must_use]
pub fn folded(strip: &str, width: usize) -> String {
    let marks: Vec<char> = strip.chars().collect();
    let each = marks.len().div_ceil(width.max(1)).max(1);
    let mut out: Vec<char> = marks.rchunks(each).map(fold).collect();
    out.reverse();
    out.into_iter().collect()
}

fn fold(marks: &[char]) -> char {
    let has = |wanted: &[char]| marks.iter().any(|mark| wanted.contains(mark));
    let first_of = |wanted: &[char]| marks.iter().copied().find(|mark| wanted.contains(mark));
    match (has(&['F', 'E']), has(&['.', RETRIED]), first_of(&[RETRIED])) {
        (true, true, _) => MIXED,
        (true, false, _) => first_of(&['F', 'E']).unwrap_or(MIXED),
        (false, _, Some(retried)) => retried,
        (false, _, None) => first_of(&[OUTAGE])
            .or_else(|| first_of(&['.']))
            .or_else(|| first_of(&['s']))
            .unwrap_or('.'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folding_counts_from_the_right_and_hides_no_failure() {
        for (strip, width, shown) in [
            ("", 5, ""),
            ("F", 1, "F"),
            ("F......", 4, "F..."),
            (".F......", 4, "f..."),
            ("FFFF", 2, "FF"),
            ("sssx", 2, "sx"),
            ("..r.", 2, ".r"),
            ("EF.", 0, "f"),
        ] {
            assert_eq!(folded(strip, width), shown, "{strip} in {width}");
        }
    }

    proptest! {
        #[test]
        fn a_folded_strip_fits_and_fails_where_the_full_one_does(strip in "[.FErsx]{0,300}", width in 1_usize..60) {
            let shown = folded(&strip, width);
            prop_assert!(shown.chars().count() <= width);
            prop_assert_eq!(shown.contains(['F', 'E', 'f']), strip.contains(['F', 'E']));
            prop_assert_eq!(shown.is_empty(), strip.is_empty());
        }
    }
}
