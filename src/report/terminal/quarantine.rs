//! The quarantine list on a terminal.

use super::super::limits::{FIELD_CHARS_MAX, HEADLINE_CHARS_MAX, NAME_CHARS_MAX};
use super::super::palette::Tone;
use super::super::view::{QuarantineEntry, QuarantineView};
use super::super::{escape, sentence, standing};
use super::page::{Column, Fit, Grid, NO_BREAK, Page};

/// From this width on everything stands side by side.
const SIDE_BY_SIDE_FROM: u16 = 110;

pub(super) fn lay_out(view: &QuarantineView, page: &mut Page) {
    let project = page.mark(Tone::Strong, &escape::line(&view.project));
    let entries = match view.entries.len() {
        0 => "nothing to quarantine".to_owned(),
        n if view.list.is_some() => format!("{} in quarantine", sentence::count(n as u64, "entry")),
        // Without a file nothing is fenced off yet: this is what would be.
        n => format!("{} to quarantine", sentence::count(n as u64, "test")),
    };
    let mut head = vec![format!("{project}: {entries}")];
    let origin: &[&String] = match view.entries.as_slice() {
        [] => &[&view.window],
        _ => &[&view.source, &view.window],
    };
    head.extend(
        origin.iter().filter(|text| !text.is_empty()).map(|text| escape::line(text).into_owned()),
    );
    if let (Some(held), Some(cap)) = (view.held, view.cap) {
        let cap = sentence::count(cap, "test");
        head.push(format!("covers {} of at most {cap}", sentence::number(held)));
    }
    page.prose(&head.join(" · "));
    page.blank();
    match page.width() {
        width if width < SIDE_BY_SIDE_FROM => stacked(view, page),
        _ => side_by_side(view, page),
    }
    page.blank();
    if view.left_out > 0 {
        let cap = view.cap.map_or(String::new(), |cap| format!(" of {}", sentence::number(cap)));
        page.prose(&format!(
            "{} left out: the list is at its cap{cap}",
            sentence::count(view.left_out, "more test")
        ));
    }
    if !view.rules.is_empty() {
        page.section("Rules");
    }
    for rule in &view.rules {
        let name = escape::shortened(&escape::line(&rule.test), NAME_CHARS_MAX).into_owned();
        let reason =
            escape::shortened(&escape::line(&rule.reason), HEADLINE_CHARS_MAX).into_owned();
        let tests = sentence::count(rule.tests, "test");
        page.bullet(&format!("{} {name} ({tests}): {reason}", rule.rule));
    }
    for note in &view.notes {
        page.prose(&escape::line(note));
    }
    if !view.entries.is_empty() {
        page.hints(&[
            (
                "flakedb quarantine --emit pytest".to_owned(),
                "the list for a runner; --help names them",
            ),
            match view.list {
                Some(_) => ("flakedb quarantine update".to_owned(), "what should change, and why"),
                None => (
                    "flakedb quarantine update --apply".to_owned(),
                    "makes it a file to review, which the gate goes by",
                ),
            },
        ]);
    }
}

fn name(entry: &QuarantineEntry) -> String {
    let label = match entry.variant.as_str() {
        "" => escape::line(&entry.test).into_owned(),
        variant => format!("{} [{}]", escape::line(&entry.test), escape::line(variant)),
    };
    escape::shortened(&label, NAME_CHARS_MAX).into_owned()
}

fn reason(entry: &QuarantineEntry) -> String {
    escape::shortened(&escape::line(&entry.reason), HEADLINE_CHARS_MAX).into_owned()
}

fn text(field: Option<&String>) -> String {
    let field = field.map_or("", String::as_str);
    escape::shortened(&escape::line(field), FIELD_CHARS_MAX).into_owned()
}

/// Each entry's name on lines of its own, and below it, set in, what there is to say.
fn stacked(view: &QuarantineView, page: &mut Page) {
    for entry in &view.entries {
        page.blank();
        let name = page.mark(Tone::Strong, &name(entry));
        page.prose(&name);
        let details: Vec<String> = [
            ("owner ", &entry.owner),
            ("", &entry.ticket),
            ("since ", &standing::since(entry)),
            ("until ", &standing::until(entry)),
        ]
        .into_iter()
        .map(|(word, field)| (word, text(field.as_ref())))
        .filter(|(_, field)| !field.is_empty())
        .map(|(word, field)| format!("{word}{field}").replace(' ', NO_BREAK))
        .collect();
        let now =
            entry.now.as_ref().map_or(String::new(), |now| format!("now {}", standing::now(now)));
        let details = page.mark(Tone::Faint, &details.join(" · "));
        for line in [reason(entry), now, details] {
            if !line.is_empty() {
                page.quoted(2, &line);
            }
        }
    }
}

fn side_by_side(view: &QuarantineView, page: &mut Page) {
    let dated = view.list.is_none();
    let row = |entry: &QuarantineEntry| {
        let age = entry.age_days.map(|days| sentence::count(days.max(0).unsigned_abs(), "day"));
        let left = match entry.days_left {
            None => String::new(),
            Some(..=0) => "\nexpired".to_owned(),
            Some(days) => format!("\n{} left", sentence::count(days.unsigned_abs(), "day")),
        };
        vec![
            name(entry),
            reason(entry),
            entry.now.as_ref().map(standing::now).unwrap_or_default(),
            text(entry.owner.as_ref()),
            text(entry.ticket.as_ref()),
            text(if dated { entry.since.as_ref() } else { age.as_ref() }),
            text(entry.expires.as_ref()) + &left,
        ]
    };
    let mut rows: Vec<Vec<String>> = view.entries.iter().map(row).collect();
    let mut columns = vec![
        Column("Test", Fit::Name),
        Column("Reason", Fit::Wrap),
        Column("Now", Fit::Wrap),
        Column("Owner", Fit::Content),
        Column("Ticket", Fit::Wrap),
        Column(if dated { "Since" } else { "Age" }, Fit::Content),
        Column("Until", Fit::Content),
    ];
    // A column that says nothing is left out.
    for place in (2..columns.len()).rev() {
        let empty = |row: &Vec<String>| row.get(place).is_none_or(String::is_empty);
        if rows.iter().all(empty) {
            columns.remove(place);
            rows.iter_mut().for_each(|row| _ = row.remove(place));
        }
    }
    page.grid(&Grid { columns, rows, ..Grid::default() });
}
