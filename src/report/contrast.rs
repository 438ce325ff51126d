//! Two texts of one kind of failure against each other: what differs, line by line.

use similar::{Algorithm, ChangeTag, TextDiff};

/// Lines of one text that are compared: beyond that it is a log.
pub(super) const COMPARED_LINES_MAX: usize = 1_000;
/// Lines that are the same on both sides, shown around a difference.
const AROUND: usize = 1;
/// The sign of a line that stands for lines left out, because both texts have them.
pub const SKIPPED: char = '@';

/// A line of the difference: ` ` both texts have it, `-` only the earlier one, `+` only the later
/// one, [`SKIPPED`] between parts that are apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub sign: char,
    /// The text, raw.
    pub text: String,
}

/// What differs, as a diff shows it; empty where the compared lines are the same.
///
/// ```
/// use flakedb::report::contrast::lines;
/// let signs: String = lines("a\nb\nc\nd", "a\nb\nC\nd").iter().map(|line| line.sign).collect();
/// assert_eq!(signs, " -+ ");
/// ```
#[must_use]
pub fn lines(earlier: &str, later: &str) -> Vec<Line> {
    let of = |text: &'_ str| -> Vec<String> {
        text.lines().take(COMPARED_LINES_MAX).map(|line| line.trim_end().to_owned()).collect()
    };
    let (earlier, later) = (of(earlier), of(later));
    let [old, new]: [Vec<&str>; 2] =
        [&earlier, &later].map(|lines| lines.iter().map(String::as_str).collect());
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_slices(&old, &new);
    let mut out = Vec::new();
    for (place, part) in diff.grouped_ops(AROUND).iter().enumerate() {
        if place > 0 {
            out.push(Line { sign: SKIPPED, text: String::new() });
        }
        for change in part.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            out.push(Line { sign, text: change.value().to_owned() });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_the_same_far_from_a_difference_is_left_out() {
        let text = |changed: &[usize]| {
            let line =
                |n: usize| if changed.contains(&n) { format!("new {n}") } else { n.to_string() };
            (0..30).map(line).collect::<Vec<_>>().join("\n")
        };
        let seen: Vec<String> = lines(&text(&[]), &text(&[3, 20]))
            .iter()
            .map(|l| format!("{}{}", l.sign, l.text))
            .collect();
        let wanted = [" 2", "-3", "+new 3", " 4", "@", " 19", "-20", "+new 20", " 21"];
        assert_eq!(seen, wanted);
        assert_eq!(lines("a\nb  ", "a\nb\n"), []);
    }

    proptest! {
        /// Applied to the earlier text, the signs give the later one.
        #[test]
        fn the_difference_leads_from_one_text_to_the_other(old in "[ab]{0,12}", new in "[ab]{0,12}") {
            let text = |letters: &str| letters.chars().map(|c| format!("{c}\n")).collect::<String>();
            let of = |keep: [char; 2]| -> usize {
                lines(&text(&old), &text(&new)).iter().filter(|line| keep.contains(&line.sign)).count()
            };
            let grown = of(['+', '+']) as i64 - of(['-', '-']) as i64;
            prop_assert_eq!(grown, new.len() as i64 - old.len() as i64);
            prop_assert_eq!(lines(&text(&old), &text(&new)).is_empty(), old == new);
        }
    }
}
