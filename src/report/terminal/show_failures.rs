//! The failures of one test on a terminal, and what differs among those that look alike.

use super::super::contrast::SKIPPED;
use super::super::limits::{
    DIFFERENCE_LINES_MAX, FAILURE_LINE_CHARS_MAX, FAILURES_SHOWN_MAX, HEADLINE_CHARS_MAX,
};
use super::super::palette::Tone;
use super::super::view::{DifferenceView, FailureView};
use super::super::{differing, escape, excerpt, sentence};
use super::page::Page;

/// The failures by signature; `full` prints their texts whole.
pub(super) fn failures(failures: &[FailureView], full: bool, page: &mut Page) {
    if failures.is_empty() {
        return;
    }
    page.section(match failures {
        [_] => "Every failure looks like this",
        _ => "Failures that look alike, together",
    });
    let most = if full { failures.len() } else { FAILURES_SHOWN_MAX };
    for failure in failures.iter().take(most) {
        cluster(failure, full, page);
    }
    let more = failures.len().saturating_sub(most);
    if more > 0 {
        let more = sentence::count(more as u64, "rarer failure");
        page.quoted(2, &format!("{more} not shown here; --full has them"));
    }
}

fn cluster(failure: &FailureView, full: bool, page: &mut Page) {
    let kind = match failure.kind.as_str() {
        "" => String::new(),
        kind => format!("{}: ", escape::line(kind)),
    };
    let headline = match failure.headline.as_str() {
        "" => "no message".to_owned(),
        headline => escape::shortened(&escape::line(headline), HEADLINE_CHARS_MAX).into_owned(),
    };
    // Many runners repeat the type at the start of the message.
    let kind = if headline.starts_with(kind.trim_end()) { String::new() } else { kind };
    let title = page.mark(Tone::Bad, &format!("{kind}{headline}"));
    page.bullet(&format!("{}: {title}", differing::when(failure)));
    if let Some(variants) = differing::variants(failure) {
        page.quoted(4, &page.mark(Tone::Faint, &variants));
    }
    let text = match full {
        true => excerpt::whole(&failure.text, &failure.headline),
        false => excerpt::of(&failure.text, &failure.headline),
    };
    for line in text {
        page.quoted(4, &line);
    }
    if let Some(difference) = &failure.difference {
        contrast(failure, difference, full, page);
    }
}

fn contrast(failure: &FailureView, difference: &DifferenceView, full: bool, page: &mut Page) {
    page.quoted(4, &page.mark(Tone::Faint, &differing::title(failure, difference)));
    let most = if full { difference.lines.len() } else { DIFFERENCE_LINES_MAX };
    for line in difference.lines.iter().take(most) {
        let text = differing::line(line, FAILURE_LINE_CHARS_MAX);
        let text = match line.sign {
            '-' => page.mark(Tone::Bad, &text),
            '+' => page.mark(Tone::Good, &text),
            SKIPPED => page.mark(Tone::Faint, &text),
            _ => text,
        };
        page.quoted(6, &text);
    }
    let more = difference.lines.len().saturating_sub(most);
    if more > 0 {
        let more = sentence::count(more as u64, "more line");
        page.quoted(6, &format!("[{more} not shown; --full has them]"));
    }
}
