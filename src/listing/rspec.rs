//! RSpec: `--dry-run --format json`.

use serde_json::Value;

use super::{ListedTest, Lister, Listing, ListingError, Takes, json, missing, text_of, with};
use crate::model::TestName;

pub(super) const LISTER: Lister = Lister {
    name: "rspec",
    summary: "what `rspec --dry-run --format json` prints",
    command,
    read,
    looks: |text| text.contains("\"examples\"") && text.contains("\"full_description\""),
    takes: Takes::Words,
};

fn command(words: &[String]) -> Option<Vec<String>> {
    // The formatters of the command would write a report in which every example passed.
    let mut skip = false;
    let words = words.iter().filter(|word| {
        let value = std::mem::take(&mut skip);
        let option = ["-f", "--format", "-o", "--out"].contains(&word.as_str());
        skip = option;
        let long = word.starts_with("--format=") || word.starts_with("--out=");
        !value && !option && !long
    });
    Some(with(words.cloned().collect(), &["--dry-run", "--format", "json"]))
}

fn read(text: &str) -> Result<Listing, ListingError> {
    // What specs print while they are loaded stands around it.
    let line = text.lines().find(|line| line.starts_with('{')).unwrap_or(text);
    let document = json(line)?;
    let examples = document.get("examples").and_then(Value::as_array);
    let examples = examples.ok_or_else(|| missing("`examples`"))?;
    Ok(Listing::of(examples.iter().map(test)))
}

/// An example; its id begins with the file that runs it, which reports name.
fn test(example: &Value) -> ListedTest {
    let id = text_of(example, "id");
    let file = id.rsplit_once('[').map_or(id, |(file, _)| file);
    let file = file.strip_prefix("./").unwrap_or(file);
    let classname = file.strip_suffix(".rb").unwrap_or(file).replace('/', ".");
    let name = text_of(example, "full_description").trim().to_owned();
    let names = TestName {
        label: format!("{classname}::{name}"),
        suite: "rspec".to_owned(),
        classname,
        name,
        file: file.to_owned(),
    };
    ListedTest::new(id, names)
}
