//! As much of a failure's text as a screen holds.

use super::escape;
use super::limits::{FAILURE_LINE_CHARS_MAX, FAILURE_LINES_MAX};
use super::sentence;

/// The first and last lines of a text, escaped: the call that failed stands at either end.
///
/// What is left out between them is counted. Empty where the text says no more than `headline`.
#[must_use]
pub fn of(text: &str, headline: &str) -> Vec<String> {
    let shortened = |line: String| escape::shortened(&line, FAILURE_LINE_CHARS_MAX).into_owned();
    let lines: Vec<String> = whole(text, headline).into_iter().map(shortened).collect();
    let half = FAILURE_LINES_MAX / 2;
    let hidden = lines.len().saturating_sub(2 * half);
    match (lines.get(..half), lines.get(half + hidden..)) {
        (Some(first), Some(last)) if lines.len() > FAILURE_LINES_MAX => {
            let gap = [format!("[{} not shown]", sentence::count(hidden as u64, "line"))];
            first.iter().chain(&gap).chain(last).cloned().collect()
        }
        _ => lines,
    }
}

/// All lines of a text, escaped; none where it says no more than `headline`.
#[must_use]
pub fn whole(text: &str, headline: &str) -> Vec<String> {
    let lines: Vec<String> = escape::lines(text.trim_end()).collect();
    match lines.as_slice() {
        [] => lines,
        [only] if only.trim() == escape::line(headline).trim() => Vec::new(),
        _ => lines,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_both_ends_and_counts_the_middle() {
        let text: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let kept = of(&text.join("\n"), "");
        assert_eq!(kept.len(), FAILURE_LINES_MAX + 1);
        assert_eq!(kept[FAILURE_LINES_MAX / 2], "[84 lines not shown]");
        assert_eq!(kept[FAILURE_LINES_MAX], "99");
        assert_eq!(of("boom\n", "boom"), Vec::<String>::new());
        assert_eq!(of("", "boom"), Vec::<String>::new());
        assert_eq!(of("a\nb", "a"), ["a", "b"]);
    }
}
