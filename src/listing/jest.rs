//! jest: `--listTests` names files, one a line or as JSON; it has no way to list tests.

use serde_json::Value;

use super::{ListedTest, Lister, Listing, ListingError, Takes, json, with};
use crate::model::TestName;

pub(super) const LISTER: Lister = Lister {
    name: "jest",
    summary: "what `jest --listTests` prints, with --json or without: files",
    command: |words| Some(with(words.to_vec(), &["--listTests", "--json"])),
    read,
    looks: |text| {
        let first = text.trim_start().lines().next().unwrap_or("").trim_start_matches("[\"");
        first.starts_with('/') && !first.contains("::") && !first.contains('\t')
    },
    takes: Takes::Files { file: |test| test.word.clone(), seen: |test| test.word.clone() },
};

fn read(text: &str) -> Result<Listing, ListingError> {
    let text = text.trim();
    if !text.starts_with('[') {
        return Ok(Listing::of(
            text.lines().map(str::trim).filter(|line| !line.is_empty()).map(file),
        ));
    }
    let document = json(text)?;
    let files = document.as_array().into_iter().flatten().filter_map(Value::as_str);
    Ok(Listing::of(files.map(file)))
}

fn file(path: &str) -> ListedTest {
    let names = TestName { label: path.to_owned(), file: path.to_owned(), ..TestName::default() };
    ListedTest::new(path, names)
}
