//! The list, its changes and its findings as Markdown. The changes are the body of a pull request:
//! a reviewer decides from them.

use super::super::limits::{BACKTEST_FLAGS_SHOWN_MAX, BACKTEST_HIDDEN_SHOWN_MAX};
use super::super::view::{
    Applied, ChangeView, LintView, QuarantineEntry, QuarantineView, SimulationView, UpdateView,
};
use super::super::{sentence, simulation, standing};
use super::document::{Document, code, text};
use crate::model::in_variant;

pub(super) fn list(view: &QuarantineView, document: &mut Document) {
    document.heading(2, &format!("{}: quarantine", text(&view.project)));
    let mut head = vec![match view.entries.len() {
        0 => "Nothing to quarantine".to_owned(),
        n if view.list.is_some() => sentence::count(n as u64, "entry"),
        n => sentence::count(n as u64, "test"),
    }];
    head.extend([&view.source, &view.window].into_iter().map(|part| text(part)));
    if let (Some(held), Some(cap)) = (view.held, view.cap) {
        let cap = sentence::count(cap, "test");
        head.push(format!("{} of at most {cap}", sentence::number(held)));
    }
    head.retain(|part| !part.is_empty());
    document.paragraph(&head.join(" · "));
    let rows: Vec<Vec<String>> = view.entries.iter().map(entry).collect();
    match view.list.is_some() {
        false => {
            document.table(&["Test", "Reason", "Owner", "Ticket", "Since", "Until"], &rows, "test");
        }
        true => {
            let now =
                |entry: &QuarantineEntry| entry.now.as_ref().map_or(String::new(), standing::now);
            let rows: Vec<Vec<String>> = rows
                .into_iter()
                .zip(&view.entries)
                .map(|(mut row, entry)| {
                    row.insert(2, text(&now(entry)));
                    row
                })
                .collect();
            let titles = ["Test", "Reason", "Now", "Owner", "Ticket", "Since", "Until"];
            document.table(&titles, &rows, "entry");
        }
    }
    let rules: Vec<String> = view
        .rules
        .iter()
        .map(|rule| {
            let tests = sentence::count(rule.tests, "test");
            format!("{} {} ({tests}): {}", rule.rule, code(&rule.test), text(&rule.reason))
        })
        .collect();
    if !rules.is_empty() {
        document.list(&rules);
    }
    if view.left_out > 0 {
        document.paragraph(&format!(
            "{} left out: the list is at its cap.",
            sentence::count(view.left_out, "more test")
        ));
    }
    if !view.notes.is_empty() {
        let notes: Vec<String> = view.notes.iter().map(|note| text(note)).collect();
        document.list(&notes);
    }
}

fn entry(entry: &QuarantineEntry) -> Vec<String> {
    let name = in_variant(&entry.test, &entry.variant);
    let field = |field: Option<String>| code(&field.unwrap_or_default());
    vec![
        code(&name),
        text(&entry.reason),
        field(entry.owner.clone()),
        field(entry.ticket.clone()),
        field(standing::since(entry)),
        field(standing::until(entry)),
    ]
}

pub(super) fn update(view: &UpdateView, document: &mut Document) {
    document.heading(2, &format!("Quarantine: {}", standing::counted(view)));
    let mut about: Vec<String> =
        [&view.project, &view.window, &view.today].into_iter().map(|part| text(part)).collect();
    about.retain(|part| !part.is_empty());
    about.insert(0, code(&view.list));
    document.paragraph(&about.join(" · "));
    let closing: Vec<String> =
        [standing::budget(view), standing::kept(view)].into_iter().flatten().collect();
    if !closing.is_empty() {
        document.paragraph(&format!("{}.", closing.join(". ")));
    }
    for (action, title, meaning) in standing::ACTIONS {
        let changes: Vec<&ChangeView> = view.of(action).collect();
        if !changes.is_empty() {
            document.heading(3, &format!("{title} ({})", changes.len()));
            document
                .paragraph(&format!("{meaning}{}", if meaning.ends_with('?') { "" } else { "." }));
            table(&changes, document);
        }
    }
    if !view.refused.is_empty() {
        document.heading(3, &format!("Over the budget ({})", view.refused.len()));
        document.paragraph("These would enter if there were room: mend some, or raise the budget.");
        table(&view.refused.iter().collect::<Vec<_>>(), document);
    }
    if !view.withheld.is_empty() {
        document.heading(3, &format!("Not for the list ({})", view.withheld.len()));
        let items: Vec<String> = view
            .withheld
            .iter()
            .map(|withheld| format!("{}: {}", code(&withheld.test), text(&withheld.why)))
            .collect();
        document.list(&items);
    }
    if !view.policy.is_empty() && view.state == Applied::Proposed {
        document.heading(3, "How this was decided");
        document.list(&view.policy.iter().map(|line| text(line)).collect::<Vec<_>>());
        document.paragraph("`flakedb show TEST` has the whole evidence for a test.");
    }
}

fn table(changes: &[&ChangeView], document: &mut Document) {
    let row = |change: &&ChangeView| {
        let field = |field: &Option<String>| code(field.as_deref().unwrap_or_default());
        let until = match change.action {
            "enter" | "extend" => field(&change.expires),
            _ => String::new(),
        };
        vec![
            code(&change.name()),
            text(&change.why),
            field(&change.owner),
            field(&change.ticket),
            field(&change.since),
            until,
        ]
    };
    let mut rows: Vec<Vec<String>> = changes.iter().map(row).collect();
    let mut titles = vec!["Test", "Why", "Owner", "Ticket", "Since", "Until"];
    // A column that says nothing is left out.
    for place in (2..titles.len()).rev() {
        if rows.iter().all(|row| row.get(place).is_none_or(String::is_empty)) {
            titles.remove(place);
            rows.iter_mut().for_each(|row| _ = row.remove(place));
        }
    }
    document.table(&titles, &rows, "entry");
}

pub(super) fn lint(view: &LintView, document: &mut Document) {
    document.heading(2, "Quarantine checked");
    let entries = sentence::count(view.entries, "entry");
    document.paragraph(&format!(
        "{}: {entries} and {}, {}.",
        code(&view.list),
        sentence::count(view.rules, "rule"),
        match view.findings.len() {
            0 => "nothing to mend".to_owned(),
            n => sentence::count(n as u64, "finding"),
        }
    ));
    let rows: Vec<Vec<String>> = view
        .findings
        .iter()
        .map(|finding| {
            vec![
                code(&format!("{}:{}", view.list, finding.line)),
                code(finding.code),
                code(&finding.test),
                text(&finding.message),
                text(&finding.mend),
            ]
        })
        .collect();
    document.table(&["Place", "Code", "Test", "What is wrong", "Mend"], &rows, "finding");
    if !view.notes.is_empty() {
        document.list(&view.notes.iter().map(|note| text(note)).collect::<Vec<_>>());
    }
}

pub(super) fn simulated(view: &SimulationView, document: &mut Document) {
    document.heading(2, &format!("{}: quarantine simulated", text(&view.project)));
    document.paragraph(&format!("{}.", simulation::subject(view)));
    document.list(&simulation::sentences(view));
    let hidden = view.hidden.iter().take(BACKTEST_HIDDEN_SHOWN_MAX).map(|hidden| {
        let test = code(&simulation::label(&hidden.test, &hidden.variant));
        format!("{test}: {}", text(&simulation::regression(hidden)))
    });
    section("Regressions that it would have hidden, the longest first", hidden, document);
    let terms = view.terms.iter().take(BACKTEST_FLAGS_SHOWN_MAX).map(|term| {
        let test = code(&simulation::label(&term.test, &term.variant));
        format!("{test}: {}", text(&simulation::term(term)))
    });
    section("What it would have listed, latest first", terms, document);
    let left = view.hidden.len().saturating_sub(BACKTEST_HIDDEN_SHOWN_MAX)
        + view.terms.len().saturating_sub(BACKTEST_FLAGS_SHOWN_MAX);
    if left > 0 {
        let more = sentence::count(left as u64, "more line");
        document.paragraph(&format!("{more} not shown here; the JSON format has all of them."));
    }
    document.paragraph(&format!("{}.", simulation::CAUTION));
}

fn section(title: &str, items: impl Iterator<Item = String>, document: &mut Document) {
    let items: Vec<String> = items.collect();
    if !items.is_empty() {
        document.heading(3, title);
        document.list(&items);
    }
}
