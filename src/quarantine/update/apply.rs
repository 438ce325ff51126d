//! The list after a plan.

use super::Update;
use crate::quarantine::list::List;

/// The list with all changes of a plan that was made for it.
#[must_use]
pub fn apply(list: &List, update: &Update) -> List {
    let mut after = list.clone();
    let mut removed = Vec::new();
    for change in &update.changes {
        match (change.at, change.action.removes()) {
            (Some(at), true) => removed.push(at),
            (Some(at), false) => {
                if let Some(entry) = after.entries.get_mut(at) {
                    *entry = change.entry.clone();
                }
            }
            (None, _) => {}
        }
    }
    removed.sort_unstable();
    for at in removed.into_iter().rev() {
        if at < after.entries.len() {
            after.entries.remove(at);
        }
    }
    for change in update.changes.iter().filter(|change| change.at.is_none()) {
        let place = after.place_for(&change.entry);
        after.entries.insert(place, change.entry.clone());
    }
    after
}
