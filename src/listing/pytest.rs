//! pytest: `--collect-only -q` prints one node id a line.

use super::{ListedTest, Lister, Listing, ListingError, Takes, with, without};
use crate::model::TestName;

pub(super) const LISTER: Lister = Lister {
    name: "pytest",
    summary: "what `pytest --collect-only -q` prints",
    command,
    read,
    looks: |text| text.lines().next().is_some_and(|line| path_of(line).is_some()),
    takes: Takes::Words,
};

fn command(words: &[String]) -> Option<Vec<String>> {
    // A report would be overwritten by one of no tests.
    let words = without(words, &["--junitxml", "--junit-xml"]);
    // This one overrides any -q and -v of the command: two -q print only counts by file.
    Some(with(words, &["--collect-only", "--verbosity=-1", "--no-header", "--color=no"]))
}

fn read(text: &str) -> Result<Listing, ListingError> {
    let mut notes = Vec::new();
    let mut tests = Vec::new();
    // The summary stands behind an empty line.
    for line in text.lines().take_while(|line| !line.is_empty()) {
        match test(line) {
            Some(test) => tests.push(test),
            None => notes.push(format!("not a node id: {line}")),
        }
    }
    if let (true, Some(first)) = (tests.is_empty(), text.lines().find(|line| !line.is_empty())) {
        let found = first.chars().take(80).collect::<String>();
        // `pytest -qq` prints counts by file, plain `pytest` a tree.
        let message = format!("`{found}` is no node id; list with `pytest --collect-only -q`");
        return match first.contains("no tests") || first.contains("deselected") {
            true => Ok(Listing::default()),
            false => Err(ListingError { line: 1, message }),
        };
    }
    let mut listing = Listing::of(tests);
    listing.notes.splice(0..0, notes);
    Ok(listing)
}

/// The file of a node id.
fn path_of(id: &str) -> Option<&str> {
    let (path, _) = id.split_once("::")?;
    let is_file = path.ends_with(".py") || path.ends_with(".txt") || path.ends_with(".rst");
    is_file.then_some(path)
}

/// The test of a node id. Where tests are dealt by group, pytest-xdist puts `@group` behind the id.
fn test(id: &str) -> Option<ListedTest> {
    // The last `]` ends the parameters; no name of Python has an `@`.
    let from = id.rfind(']').unwrap_or(0);
    let at = id.get(from..)?.rfind('@').map(|at| from + at);
    let (word, group) = match at.and_then(|at| id.split_at_checked(at)) {
        Some((word, group)) => (word, group.strip_prefix('@')),
        None => (id, None),
    };
    let test = ListedTest::new(word, names(word)?);
    Some(ListedTest { group: group.map(str::to_owned), ..test })
}

/// The names that a report gives a node id.
fn names(id: &str) -> Option<TestName> {
    let path = path_of(id)?;
    let rest = id.get(path.len() + 2..)?;
    // Parameters may hold anything, `::` too.
    let bare = rest.split('[').next().unwrap_or(rest);
    let start = bare.rfind("::").map_or(0, |at| at + 2);
    let classes = rest.get(..start.saturating_sub(2)).unwrap_or("");
    let module = path.strip_suffix(".py").unwrap_or(path).replace('/', ".");
    let classes = classes.replace("::", ".");
    let classname = if classes.is_empty() { module } else { format!("{module}.{classes}") };
    let name = rest.get(start..)?.to_owned();
    Some(TestName {
        label: format!("{classname}::{name}"),
        suite: "pytest".to_owned(),
        classname,
        name,
        file: path.to_owned(),
    })
}
