//! docs/generators.md lists what there is.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::KINDS;
use crate::testkit::generators::junit::{Clock, DIALECTS, Retries};

fn kinds() -> String {
    let mut text =
        String::from("| kind | what | formats | `--with` |\n| --- | --- | --- | --- |\n");
    for kind in KINDS {
        let formats: Vec<&str> = kind.formats.iter().map(|format| format.word()).collect();
        let settings: Vec<String> =
            kind.settings.iter().map(|setting| format!("`{}`", setting.name)).collect();
        let (name, about) = (kind.name, kind.about);
        let (formats, settings) = (formats.join(", "), settings.join(", "));
        writeln!(text, "| `{name}` | {about} | {formats} | {settings} |").expect("written");
    }
    text
}

fn dialects() -> String {
    let mut text = String::from(
        "| dialect | runner | of an attempt that failed before | files | left out |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for dialect in DIALECTS {
        let retries = match dialect.retries {
            Retries::LastOnly => "nothing",
            Retries::Nested => "an element of its own",
            Retries::Records => "a record of the same name",
            Retries::EmptyRecords => "a record that reads as passed",
            Retries::FailuresOnly => "a failure more, where all failed",
            Retries::Marked => "a record marked as a repetition",
        };
        let files = if dialect.file_per_module { "one a class" } else { "one" };
        let mut left_out = Vec::new();
        if !dialect.tells_errors {
            left_out.push("errors (failures)");
        }
        if !dialect.writes_skips {
            left_out.push("skipped tests");
        }
        match dialect.clock {
            Clock::Utc => {}
            Clock::Local => left_out.push("the time zone"),
            Clock::None => left_out.push("the time of day"),
        }
        let (name, runner, left_out) = (dialect.name, dialect.runner, left_out.join(", "));
        writeln!(text, "| `{name}` | {runner} | {retries} | {files} | {left_out} |")
            .expect("written");
    }
    text
}

/// `FLAKEDB_WRITE_GOLDEN=1` writes the tables anew.
#[test]
fn the_page_lists_every_kind_and_dialect() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/generators.md");
    let page = fs::read_to_string(&path).expect("docs/generators.md");
    let mut due = page.clone();
    for (name, table) in [("kinds", kinds()), ("dialects", dialects())] {
        let (start, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let from = due.find(&start).expect("the start of a table") + start.len();
        let to = due.find(&end).expect("the end of a table");
        due.replace_range(from..to, &table);
    }
    if std::env::var_os("FLAKEDB_WRITE_GOLDEN").is_some() {
        fs::write(&path, &due).expect("written");
        return;
    }
    assert!(page == due, "docs/generators.md is out of date: run with FLAKEDB_WRITE_GOLDEN=1");
}
