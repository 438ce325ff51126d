//! Changes to the quarantine list on a terminal.

use super::super::limits::{CHANGES_SHOWN_MAX, HEADLINE_CHARS_MAX, NAME_CHARS_MAX};
use super::super::palette::Tone;
use super::super::view::{Applied, ChangeView, UpdateView};
use super::super::{escape, sentence, standing};
use super::page::Page;

pub(super) fn lay_out(view: &UpdateView, page: &mut Page) {
    let list = page.mark(Tone::Strong, &escape::line(&view.list));
    let mut head = vec![format!("{list}: {}", standing::counted(view))];
    let about = [&view.project, &view.window, &view.today];
    head.extend(
        about.into_iter().filter(|text| !text.is_empty()).map(|text| escape::line(text).into()),
    );
    page.prose(&head.join(" · "));
    for (action, title, meaning) in standing::ACTIONS {
        let changes: Vec<&ChangeView> = view.of(action).collect();
        if changes.is_empty() {
            continue;
        }
        page.section(title);
        // Whoever typed the test knows what it means.
        if !view.policy.is_empty() {
            let meaning = page.mark(Tone::Faint, meaning);
            page.prose(&meaning);
        }
        list_of(&changes, page);
    }
    if !view.refused.is_empty() {
        page.section("Over the budget: these would enter if there were room");
        list_of(&view.refused.iter().collect::<Vec<_>>(), page);
    }
    if !view.withheld.is_empty() {
        page.section("Not for the list");
        for withheld in &view.withheld {
            page.bullet(&format!("{}: {}", shown(&withheld.test), escape::line(&withheld.why)));
        }
    }
    page.blank();
    let closing: Vec<String> =
        [standing::kept(view), standing::budget(view)].into_iter().flatten().collect();
    if !closing.is_empty() {
        page.prose(&closing.join(". "));
    }
    let apply = ("flakedb quarantine update --apply".to_owned(), "write these changes to the file");
    let body = (
        "flakedb quarantine update --format markdown".to_owned(),
        "the same as the body of a pull request",
    );
    match (view.state, view.changes.is_empty()) {
        (Applied::Proposed, false) => page.hints(&[apply, body]),
        (Applied::Written, false) => {
            page.hints(&[("git diff".to_owned(), "what was written, for review")]);
        }
        (_, true) => {}
    }
}

fn shown(name: &str) -> String {
    escape::shortened(&escape::line(name), NAME_CHARS_MAX).into_owned()
}

fn list_of(changes: &[&ChangeView], page: &mut Page) {
    for change in changes.iter().take(CHANGES_SHOWN_MAX) {
        let name = page.mark(Tone::Strong, &shown(&change.name()));
        page.bullet(&name);
        if !change.why.is_empty() {
            page.quoted(4, &escape::shortened(&escape::line(&change.why), HEADLINE_CHARS_MAX));
        }
        let details: Vec<String> = standing::details(change)
            .into_iter()
            .map(|(word, text)| format!("{word}{}", shown(&text)))
            .collect();
        if !details.is_empty() {
            let details = page.mark(Tone::Faint, &details.join(" · "));
            page.quoted(4, &details);
        }
    }
    if let more @ 1.. = changes.len().saturating_sub(CHANGES_SHOWN_MAX) {
        let more = sentence::count(more as u64, "more entry");
        page.bullet(&format!("{more} not shown here; --format json has all of them"));
    }
}
