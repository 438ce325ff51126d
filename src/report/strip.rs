//! The outcome strip: one mark for each run, the most recent at the right.

use crate::analysis::verdict::{Cell, JudgedRun};
use crate::model::Outcome;

/// The mark of a pass that needed a retry.
pub const RETRIED: char = 'r';
/// The mark of a failure during an outage, which counts against nobody.
pub const OUTAGE: char = 'x';
/// The mark of several runs of which only some failed.
pub const MIXED: char = 'f';

/// Between older runs, several to a mark, and recent ones, a mark for each.
pub const FOLD: char = ':';

/// What the marks mean, for the foot of a screen; items keep together where a line wraps.
pub const LEGEND: [&str; 6] = [
    ".\u{a0}passed",
    "F\u{a0}failed",
    "E\u{a0}errored",
    "r\u{a0}passed\u{a0}on\u{a0}retry",
    "s\u{a0}skipped",
    "x\u{a0}failed\u{a0}with\u{a0}many\u{a0}others",
];
/// What a strip that was too long shows in addition.
pub const LEGEND_FOLDED: &str =
    "Left of a colon each mark stands for several runs: f where only some of them failed.";

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
/// Of too long a strip the recent runs keep a mark each; left of a [`FOLD`] each mark stands for
/// the same number of older runs. A failure is never folded away, nor is a pass between failures:
/// runs of which only some failed become [`MIXED`].
///
/// ```
/// use flakedb::report::strip::folded;
/// assert_eq!(folded("..F.E", 5), "..F.E");
/// assert_eq!(folded("......F.FF...F.", 9), "..ff:..F.");
/// ```
#[must_use]
pub fn folded(strip: &str, width: usize) -> String {
    let marks: Vec<char> = strip.chars().collect();
    if marks.len() <= width {
        return strip.to_owned();
    }
    let exact = width / 2;
    match (width.saturating_sub(exact + 1), marks.split_at_checked(marks.len() - exact)) {
        (1.., Some((older, recent))) => {
            let older = evenly(older, width - exact - 1);
            older.into_iter().chain([FOLD]).chain(recent.iter().copied()).collect()
        }
        _ => evenly(&marks, width.max(1)).into_iter().collect(),
    }
}

/// The marks in at most `width` groups of one size, counted from the most recent.
fn evenly(marks: &[char], width: usize) -> Vec<char> {
    let each = marks.len().div_ceil(width).max(1);
    let mut out: Vec<char> = marks.rchunks(each).map(fold).collect();
    out.reverse();
    out
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
            ("F......", 4, "f:.."),
            (".F......", 4, "f:.."),
            ("FFFFFF..", 4, "F:.."),
            ("FFFF", 2, "FF"),
            ("sssx", 2, "sx"),
            ("..r.", 2, ".r"),
            ("EF.", 0, "f"),
            ("......F.FF...F.", 9, "..ff:..F."),
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
