//! vitest: `list --json` names files and tests, `list --filesOnly --json` files, `list` lines.

use serde_json::Value;

use super::{ListedTest, Lister, Listing, ListingError, Takes, json, text_of, with};
use crate::model::TestName;

pub(super) const LISTER: Lister = Lister {
    name: "vitest",
    summary: "what `vitest list` prints, with --json or without",
    command,
    read,
    looks: |text| {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
        let json = text.trim_start().starts_with('[') && text.contains("\"file\"");
        json || (lines.peek().is_some() && lines.all(is_line))
    },
    takes: Takes::Files { file: |test| test.test.file.clone(), seen },
};

/// What joins the titles of blocks and test, in reports and in lists.
const JOINT: &str = " > ";

fn command(words: &[String]) -> Option<Vec<String>> {
    let at = words.iter().position(|word| {
        let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
        name == "vitest" || name.starts_with("vitest.")
    })?;
    let mut words = words.to_vec();
    match words.get_mut(at + 1).filter(|word| ["run", "watch", "dev"].contains(&word.as_str())) {
        Some(word) => "list".clone_into(word),
        None => words.insert(at + 1, "list".to_owned()),
    }
    // A reporter would write its report of no tests.
    words.retain(|word| !word.starts_with("--reporter") && !word.starts_with("--outputFile"));
    Some(with(words, &["--json"]))
}

/// What `--testNamePattern` sees: titles joined by spaces, whatever joins them here.
fn seen(test: &ListedTest) -> String {
    let words = test.test.name.split_whitespace().filter(|word| *word != JOINT.trim());
    words.collect::<Vec<_>>().join(" ")
}

/// `src/a.test.ts > Outer > passes`.
fn is_line(line: &str) -> bool {
    let file = without_project(line).split_once(JOINT).map(|(file, _)| file);
    let ending = file.and_then(|file| file.rsplit_once('.')).map(|(_, ending)| ending);
    ending.is_some_and(|ending| {
        let ending = ending.strip_prefix(['c', 'm']).unwrap_or(ending);
        ["js", "jsx", "ts", "tsx"].contains(&ending)
    })
}

/// A line without the name of its project, `[unit] src/a.test.ts > passes`; reports lack it.
fn without_project(line: &str) -> &str {
    let inner = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    inner.map_or(line, |(_, rest)| rest)
}

fn read(text: &str) -> Result<Listing, ListingError> {
    let text = text.trim();
    if !text.starts_with('[') {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return Ok(once(lines.map(|line| match without_project(line).split_once(JOINT) {
            Some((file, name)) => test(file, name),
            None => test(without_project(line), ""),
        })));
    }
    let document = json(text)?;
    let items = document.as_array().into_iter().flatten();
    let known = items.filter(|item| item.get("file").and_then(Value::as_str).is_some());
    Ok(once(known.map(|item| test(text_of(item, "file"), text_of(item, "name")))))
}

/// A test stands there once for each project; the command line selects projects otherwise.
fn once(tests: impl Iterator<Item = ListedTest>) -> Listing {
    Listing { notes: Vec::new(), ..Listing::of(tests) }
}

/// A test, or a file where the name is empty. Reports have the file for the class.
fn test(file: &str, name: &str) -> ListedTest {
    let word = match name.is_empty() {
        true => file.to_owned(),
        false => format!("{file}{JOINT}{name}"),
    };
    let names = TestName {
        label: word.replacen(JOINT, "::", 1),
        suite: file.to_owned(),
        classname: file.to_owned(),
        name: name.to_owned(),
        file: file.to_owned(),
    };
    ListedTest::new(word, names)
}
