//! go test: `-list . ./...`, with `-json` or without. It lists no sub-tests: they run within theirs.

use serde_json::Value;

use super::{ListedTest, Lister, Listing, ListingError, Takes, text_of, with};
use crate::model::TestName;

pub(super) const LISTER: Lister = Lister {
    name: "go",
    summary: "what `go test -list . ./...` prints, with -json or without",
    command,
    read,
    looks: |text| text.lines().any(|line| closing(line).is_some() || is_event(line)),
    takes: Takes::Files {
        file: |test| test.test.classname.clone(),
        // `-run` knows no package.
        seen: |test| test.test.name.clone(),
    },
};

/// What `go test` runs by itself; it lists benchmarks as well.
const RUNS: [&str; 3] = ["Test", "Example", "Fuzz"];

/// `go test`, and gotestsum where a `--` says what it hands to `go test`.
fn command(words: &[String]) -> Option<Vec<String>> {
    let is = |word: &str, name: &str| word.rsplit('/').next() == Some(name);
    if words.iter().any(|word| is(word, "gotestsum")) {
        let at = words.iter().position(|word| word == "--")?;
        let go = ["go", "test"].map(str::to_owned);
        return command(&[&go, words.get(at + 1..)?].concat());
    }
    let test = words
        .windows(2)
        .position(|two| matches!(two, [go, test] if is(go, "go") && test == "test"))?;
    let (head, tail) = words.split_at_checked(test + 2)?;
    let tail = tail.iter().filter(|word| !["-v", "-json"].contains(&word.as_str()));
    let mut words = with(head.to_vec(), &["-list", ".", "-json"]);
    words.extend(tail.cloned());
    Some(words)
}

fn is_event(line: &str) -> bool {
    line.starts_with('{') && line.contains("\"Action\"") && line.contains("\"Package\"")
}

/// The package that a line ends, as in `ok example.com/a 0.003s`, with tabs between the words.
fn closing(line: &str) -> Option<&str> {
    let mut parts = line.split('\t');
    let word = parts.next()?.trim();
    let package = parts.next()?.trim();
    (["ok", "?", "FAIL"].contains(&word) && !package.is_empty()).then_some(package)
}

fn read(text: &str) -> Result<Listing, ListingError> {
    let mut tests = Vec::new();
    // Names stand in front of their package.
    let mut waiting: Vec<&str> = Vec::new();
    let mut last = 0;
    for (place, line) in text.lines().enumerate() {
        last = place + 1;
        if is_event(line) {
            tests.extend(of_event(line, last)?);
        } else if let Some(package) = closing(line) {
            tests.extend(waiting.drain(..).map(|name| test(package, name)));
        } else if runs(line.trim()) {
            waiting.push(line.trim());
        }
    }
    if !waiting.is_empty() {
        let message = "the line that names their package, as in `ok  \texample.com/a\t0.003s`, is \
                       missing behind these tests"
            .to_owned();
        return Err(ListingError { line: last, message });
    }
    Ok(Listing::of(tests))
}

fn of_event(line: &str, number: usize) -> Result<Option<ListedTest>, ListingError> {
    let event: Value = serde_json::from_str(line).map_err(|error| ListingError {
        line: number,
        message: format!("this is no event of go test: {error}"),
    })?;
    let name = text_of(&event, "Output").trim();
    let is_name = text_of(&event, "Action") == "output" && runs(name);
    Ok(is_name.then(|| test(text_of(&event, "Package"), name)))
}

fn runs(name: &str) -> bool {
    RUNS.iter().any(|start| name.starts_with(start)) && !name.contains(char::is_whitespace)
}

fn test(package: &str, name: &str) -> ListedTest {
    let names = TestName {
        label: format!("{package}::{name}"),
        suite: package.to_owned(),
        classname: package.to_owned(),
        name: name.to_owned(),
        file: String::new(),
    };
    ListedTest::new(format!("{package}.{name}"), names)
}
