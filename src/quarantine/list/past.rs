//! What became of entries, told by the versions of the list.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::model::{Entry, List};

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// It came on the list.
    Entered,
    /// Its end moved to a later day, or away.
    Extended {
        /// The end before.
        from: Option<NaiveDate>,
    },
    /// Its end moved to an earlier day.
    Shortened {
        /// The end before; `None` where it had none.
        from: Option<NaiveDate>,
    },
    /// It went off the list.
    Left,
}

/// Something that happened to an entry between two versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEvent {
    /// The version that has it, as a place in what [`events`] was given.
    pub version: usize,
    /// What happened.
    pub happening: Happening,
    /// The entry as the version has it; one that left as it was before.
    pub entry: Entry,
}

/// What happened to the entries that `means` picks, oldest first.
///
/// `versions` are the list's, oldest first, `None` where one cannot be read, which is passed over.
/// Where they are `whole`, there was nothing before the first.
#[must_use]
pub fn events(
    versions: &[Option<List>],
    whole: bool,
    means: &dyn Fn(&Entry) -> bool,
) -> Vec<ListEvent> {
    let mut known: Option<BTreeMap<(String, String), Entry>> = whole.then(BTreeMap::new);
    let mut events = Vec::new();
    for (version, list) in versions.iter().enumerate() {
        let Some(list) = list else { continue };
        let picked = list.entries.iter().rev().filter(|entry| means(entry));
        // Of two entries of one key the first in the file counts.
        let now: BTreeMap<(String, String), Entry> =
            picked.map(|entry| (entry.key(), entry.clone())).collect();
        let left = known.iter().flatten().filter(|(key, _)| !now.contains_key(*key));
        for (_, before) in left {
            events.push(ListEvent { version, happening: Happening::Left, entry: before.clone() });
        }
        for (key, entry) in &now {
            let Some(known) = &known else { continue };
            let happening = match known.get(key) {
                None => Some(Happening::Entered),
                Some(before) => moved(before.expires, entry.expires),
            };
            let event = |happening| ListEvent { version, happening, entry: entry.clone() };
            events.extend(happening.map(event));
        }
        known = Some(now);
    }
    events
}

/// How an end moved; `None` where it stands.
fn moved(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Option<Happening> {
    // Without an end a term is longer than any.
    let end = |day: Option<NaiveDate>| day.unwrap_or(NaiveDate::MAX);
    match end(to).cmp(&end(from)) {
        std::cmp::Ordering::Greater => Some(Happening::Extended { from }),
        std::cmp::Ordering::Less => Some(Happening::Shortened { from }),
        std::cmp::Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn version(text: &str) -> Option<List> {
        parse(text).ok()
    }

    #[test]
    fn an_entry_enters_is_extended_and_leaves() {
        let entry = |end: &str| format!("[[entry]]\ntest = \"a\"\nexpires = {end}\n");
        let versions = [
            version("[[entry]]\ntest = \"b\"\n"),
            version(&entry("2026-12-10")),
            version("no toml ["),
            version(&entry("2026-12-24")),
            version(&entry("2026-12-24")),
            version("[[entry]]\ntest = \"a\"\n"),
            version(&entry("2026-12-01")),
            version(""),
        ];
        let means = |entry: &Entry| entry.target.means("a");
        let day = |text: &str| text.parse::<NaiveDate>().ok();
        let seen: Vec<(usize, Happening)> = events(&versions, true, &means)
            .iter()
            .map(|one| (one.version, one.happening))
            .collect();
        let wanted = [
            (1, Happening::Entered),
            (3, Happening::Extended { from: day("2026-12-10") }),
            (5, Happening::Extended { from: day("2026-12-24") }),
            (6, Happening::Shortened { from: None }),
            (7, Happening::Left),
        ];
        assert_eq!(seen, wanted);
        // Nobody knows when what stood in the first known version came in.
        assert_eq!(events(&versions[3..5], false, &means), []);
        assert_eq!(events(&versions[3..5], true, &means).len(), 1);
    }
}
