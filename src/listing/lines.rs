//! One test a line, as flakedb prints tests: `classname::name`; a line without `::` is a file. A tab
//! and a word behind it name the group that the test must stay with.

use super::{ListedTest, Lister, Listing, ListingError, Takes};
use crate::model::TestName;

pub(super) const LISTER: Lister = Lister {
    name: "lines",
    summary: "one test a line, as flakedb prints them, or one file a line",
    command: |_| None,
    read,
    looks: |_| false,
    takes: Takes::Words,
};

#[expect(clippy::unnecessary_wraps, reason = "a lister may refuse its text; lines never do")]
fn read(text: &str) -> Result<Listing, ListingError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(Listing::of(lines.map(|line| {
        let (word, group) = match line.split_once('\t') {
            Some((word, group)) => (word.trim_end(), Some(group.trim().to_owned())),
            None => (line, None),
        };
        let group = group.filter(|group| !group.is_empty());
        ListedTest { group, ..ListedTest::new(word, test(word)) }
    })))
}

fn test(word: &str) -> TestName {
    let label = word.to_owned();
    // Parameters may hold anything, `::` too.
    let bare = word.split('[').next().unwrap_or(word);
    let parts = bare.rfind("::").and_then(|at| Some((word.get(..at)?, word.get(at + 2..)?)));
    match parts {
        Some((classname, name)) => TestName {
            label,
            classname: classname.to_owned(),
            name: name.to_owned(),
            ..TestName::default()
        },
        None => TestName { file: word.to_owned(), label, ..TestName::default() },
    }
}
