//! One kind of failure in words, and how its texts differ; shared by the terminal and Markdown.

use super::contrast::{COMPARED_LINES_MAX, SKIPPED};
use super::phrase::day;
use super::view::{DifferenceLine, DifferenceView, FailureView};
use super::{escape, sentence};

/// How often and when: `11 times (2026-11-08 to 2026-11-18)`.
#[must_use]
pub fn when(failure: &FailureView) -> String {
    let (first, last) = (day(&failure.first), day(&failure.last));
    let days = if first == last { format!("on {first}") } else { format!("{first} to {last}") };
    let often = match failure.count {
        1 => "Once".to_owned(),
        count => format!("{} times", sentence::number(count.into())),
    };
    format!("{often} ({days})")
}

/// In which variants; `None` where runs have none.
#[must_use]
pub fn variants(failure: &FailureView) -> Option<String> {
    let named = failure.variants.iter().any(|one| !one.variant.is_empty());
    let each = failure.variants.iter().map(|one| {
        let name = if one.variant.is_empty() { "no variant" } else { one.variant.as_str() };
        match failure.variants.len() {
            1 => format!("[{}]", escape::line(name)),
            _ => format!("[{}] {}", escape::line(name), sentence::number(one.count.into())),
        }
    });
    named.then(|| format!("in {}", each.collect::<Vec<_>>().join(", ")))
}

/// What stands above a difference.
#[must_use]
pub fn title(failure: &FailureView, difference: &DifferenceView) -> String {
    let texts = sentence::count(failure.texts, "text");
    let day = day(&difference.other_last);
    match (difference.alike, difference.lines.is_empty()) {
        (_, true) => format!(
            "{texts} that differ in white space alone, or beyond their first {} lines",
            sentence::number(COMPARED_LINES_MAX as u64)
        ),
        (true, false) => {
            format!(
                "{texts} that differ in numbers, addresses, paths or times; from {day} to the latest:"
            )
        }
        (false, _) => format!(
            "{texts}; what differs from {day} to the latest, apart from numbers, addresses, paths and times:"
        ),
    }
}

/// A line of a difference, escaped.
#[must_use]
pub fn line(line: &DifferenceLine, chars: usize) -> String {
    match line.sign {
        SKIPPED => "…".to_owned(),
        sign => {
            let text = escape::line(&line.text);
            format!("{sign} {}", escape::shortened(&text, chars))
        }
    }
}
