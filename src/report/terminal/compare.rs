//! Several methods side by side on a terminal.

use super::super::limits::{ALIKE_SHOWN_MAX, DISPUTES_SHOWN_MAX, NAME_CHARS_MAX, STRIP_COLUMN_MAX};
use super::super::palette::Tone;
use super::super::view::{CompareView, DisputeView, MethodView};
use super::super::{escape, sentence, strip};
use super::page::{Column, Fit, Grid, Page};
use super::report;
use crate::analysis::disagreement::Call;
use crate::analysis::verdict::Status;

/// From this width on the numbers of a method have columns of their own.
const TABLE_FROM: u16 = 84;
/// From this width on they have room for what the method looks for.
const SUMMARY_FROM: u16 = 140;
/// From this width on the statuses of all methods fit in one row.
const MATRIX_FROM: u16 = 120;

pub(super) fn lay_out(view: &CompareView, page: &mut Page) {
    report::head(&view.project, &view.window, &view.runs, page);
    if view.runs.total == 0 {
        return report::nothing_yet(page);
    }
    let verdicts = sentence::count(view.verdicts, "test");
    let methods = sentence::count(view.methods.len() as u64, "method");
    page.prose(&format!(
        "{verdicts} judged by {methods}, each variant for itself; the others are compared with {}",
        view.reference
    ));
    page.blank();
    match page.width() {
        width if width < TABLE_FROM => stacked_methods(view, page),
        width => methods_table(view, width >= SUMMARY_FROM, page),
    }
    set_aside(view, page);
    disputes(view, page);
    page.hints(&hints(view, page));
}

/// Why rules that others ship flag what failed with its machine.
fn set_aside(view: &CompareView, page: &mut Page) {
    if view.runs.outages == 0 {
        return;
    }
    page.blank();
    page.prose(&format!(
        "{} sets aside {} in which many tests failed together. Rules count such runs unless told \
         otherwise, by --set judging.METHOD.outages=leave-out",
        view.reference,
        sentence::count(view.runs.outages, "run"),
    ));
}

/// Method at the left, its numbers in words.
fn stacked_methods(view: &CompareView, page: &mut Page) {
    let row = |method: &MethodView| {
        let mut lines = vec![
            method.summary.to_owned(),
            format!(
                "{} flaky, {} suspect, {} broken, {} for quarantine",
                sentence::number(method.flaky),
                sentence::number(method.suspect),
                sentence::number(method.broken),
                sentence::number(method.quarantine),
            ),
        ];
        if method.method != view.reference {
            lines.push(format!(
                "flaky here and by {0} {1}, only here {2}, only by {0} {3}",
                view.reference,
                sentence::number(method.both),
                sentence::number(method.only_this),
                sentence::number(method.only_reference),
            ));
        }
        vec![page.mark(Tone::Strong, method.method), lines.join("\n")]
    };
    let rows = view.methods.iter().map(row).collect();
    let columns = vec![Column("Method", Fit::Content), Column("What it flags", Fit::Wrap)];
    page.grid(&Grid { columns, rows, ..Grid::default() });
}

fn methods_table(view: &CompareView, summaries: bool, page: &mut Page) {
    let row = |method: &MethodView| {
        let mut row = vec![page.mark(Tone::Strong, method.method)];
        let counts = [method.flaky, method.suspect, method.broken, method.quarantine];
        row.extend(counts.map(sentence::number));
        let compared = [method.both, method.only_this, method.only_reference];
        row.extend(compared.map(|count| match method.method == view.reference {
            true => String::new(),
            false => sentence::number(count),
        }));
        if summaries {
            row.push(method.summary.to_owned());
        }
        row
    };
    let rows = view.methods.iter().map(row).collect();
    let mut columns = vec![Column("Method", Fit::Content)];
    columns.extend(
        ["Flaky", "Suspect", "Broken", "Quarantine", "Both", "Only it", "Not it"]
            .map(|title| Column(title, Fit::Number)),
    );
    if summaries {
        columns.push(Column("What it looks for", Fit::Wrap));
    }
    page.grid(&Grid { columns, rows, ..Grid::default() });
    page.blank();
    let legend = format!(
        "Both, only it, not it: tests that this method and {0} call flaky, that only this method \
         does, that only {0} does",
        view.reference
    );
    let legend = page.mark(Tone::Faint, &legend);
    page.prose(&legend);
}

/// A dispute with the others of which every method says the very same.
struct Group<'a> {
    first: &'a DisputeView,
    alike: Vec<&'a DisputeView>,
}

fn groups(disputes: &[DisputeView]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for dispute in disputes {
        match groups.iter_mut().find(|group| group.first.is_like(dispute)) {
            Some(group) => group.alike.push(dispute),
            None => groups.push(Group { first: dispute, alike: Vec::new() }),
        }
    }
    groups
}

fn disputes(view: &CompareView, page: &mut Page) {
    page.blank();
    if view.disputes.is_empty() {
        return page.prose("They call the same tests flaky and the same tests broken.");
    }
    let count = sentence::count(view.disputes.len() as u64, "test");
    page.section(&format!("Where they differ: {count}"));
    page.prose(
        "At least one method calls such a test flaky or broken and another does not; the most \
         disputed first, then what cost most",
    );
    let groups = groups(&view.disputes);
    let shown = match (groups.get(..DISPUTES_SHOWN_MAX), page.is_piped()) {
        (Some(first), false) => first,
        _ => groups.as_slice(),
    };
    if page.width() >= MATRIX_FROM {
        matrix(view, shown, page);
    }
    for group in shown {
        dispute(group, &view.reference, page);
    }
    page.blank();
    let hidden: usize = groups.iter().skip(shown.len()).map(|group| 1 + group.alike.len()).sum();
    if hidden > 0 {
        page.prose(&format!(
            "{} not shown here; --format json has all of them",
            sentence::count(hidden as u64, "more test")
        ));
    }
    let legend = page.mark(Tone::Faint, &strip::LEGEND.join("   "));
    page.prose(&legend);
}

fn name(dispute: &DisputeView) -> String {
    escape::shortened(&escape::line(&dispute.label()), NAME_CHARS_MAX).into_owned()
}

fn matrix(view: &CompareView, groups: &[Group<'_>], page: &mut Page) {
    page.blank();
    let row = |group: &Group<'_>| {
        let more = match group.alike.len() {
            0 => String::new(),
            more => format!(" (and {} alike)", sentence::number(more as u64)),
        };
        let statuses = group
            .first
            .opinions
            .iter()
            .map(|opinion| page.mark(tone(opinion.status), short(opinion.status)));
        std::iter::once(name(group.first) + &more).chain(statuses).collect()
    };
    let rows = groups.iter().map(row).collect();
    let mut columns = vec![Column("Test", Fit::Name)];
    columns.extend(view.methods.iter().map(|method| Column(method.method, Fit::Content)));
    page.grid(&Grid { columns, rows, ..Grid::default() });
}

/// A status in a column as narrow as possible.
fn short(status: Status) -> &'static str {
    match status {
        Status::NewlyBroken => Status::Broken.word(),
        other => other.word(),
    }
}

fn tone(status: Status) -> Tone {
    match Call::of(status) {
        Call::Neither => Tone::Faint,
        Call::Broken | Call::Flaky => sentence::tone(status),
    }
}

/// One test: its runs, and what each method says and why.
fn dispute(group: &Group<'_>, reference: &str, page: &mut Page) {
    let first = group.first;
    page.blank();
    let heading = page.mark(Tone::Strong, &name(first));
    page.prose(&heading);
    if !group.alike.is_empty() {
        page.prose(&alike(&group.alike));
    }
    if !first.strip.is_empty() {
        let width = usize::from(page.width()).saturating_sub(2).min(2 * STRIP_COLUMN_MAX);
        let marks: String = strip::folded(&first.strip, width)
            .chars()
            .map(|mark| page.mark(report::tone(mark), &mark.to_string()))
            .collect();
        page.quoted(2, &marks);
    }
    page.quoted(2, &cost(first, reference));
    let row = |said: super::super::view::Said<'_>| {
        let status = page.mark(tone(said.status), sentence::status(said.status));
        vec![status, said.methods.join("\n"), said.why.join("\n")]
    };
    let rows = first.said().into_iter().map(row).collect();
    let columns = [Fit::Content, Fit::Content, Fit::Wrap].map(|fit| Column("", fit)).to_vec();
    page.grid(&Grid { columns, rows, indent: 2, ..Grid::default() });
}

/// The tests of which the methods say the very same, by name as far as that is of use.
fn alike(others: &[&DisputeView]) -> String {
    let mut names: Vec<String> =
        others.iter().take(ALIKE_SHOWN_MAX).map(|dispute| name(dispute)).collect();
    let more = others.len().saturating_sub(ALIKE_SHOWN_MAX);
    if more > 0 {
        names.push(sentence::count(more as u64, "more test"));
    }
    format!("and just so {}", sentence::list(&names))
}

fn cost(dispute: &DisputeView, reference: &str) -> String {
    let bad = u64::from(dispute.failures) + u64::from(dispute.retried);
    let mut cost = format!(
        "As {reference} counts, failed in {} of {}",
        sentence::number(bad),
        sentence::count(dispute.executions, "run"),
    );
    if let Some(harm) = sentence::reddened_alone(dispute.reddened_alone) {
        cost += &format!("; {}", harm.to_lowercase());
    }
    cost
}

fn hints(view: &CompareView, page: &Page) -> Vec<(String, &'static str)> {
    let mut hints = Vec::new();
    if let Some(first) = view.disputes.first() {
        let test = page.typed_in_hint(&first.test, &first.id);
        hints.push((format!("flakedb show {test}"), "the evidence on the first of them"));
    }
    if let Some(other) = view.methods.get(1) {
        let command = format!("flakedb report --method {}", other.method);
        hints.push((command, "all that one method says"));
    }
    hints
}
