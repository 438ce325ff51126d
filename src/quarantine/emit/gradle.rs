//! Gradle: an init script that filters every test task.
//!
//! The command line can only choose (`--tests`), only right behind a test task, and fails for
//! modules without a match; a script can leave out, too, and does not fail. It acts after all
//! projects are evaluated, so that their own filters are set before. A filter names methods with
//! all their rows of data, inner classes are `Outer$Inner`, and only `*` is special.
//! `excludeTestsMatching` is of Gradle 5; choosing was measured on Gradle 4.4.

use super::request::{Expressed, Request, Words};
use super::selected::{FILE, Place, Selected, SelectedFile, Selection};
use super::{Emitted, Format, TestName, jvm};

pub(super) const FORMAT: Format = Format {
    name: "gradle",
    aliases: &[],
    summary: "an init script for Gradle (5 and later)",
    usage: "write it to a file that ends in .gradle, then: gradle --init-script FILE test",
    producers: &["gradle"],
    emit,
    only: Some(Selection {
        make: only,
        place: Place::End,
        not_with: &["--"],
        usage: "write it to a file that ends in .gradle, then: gradle --init-script FILE test",
    }),
};

const WHY: &str = "Gradle knows methods, not their rows of data";

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    let words = request.express(method, &mut emitted.notes);
    let lines = words.by_word.keys().map(|word| format!("excludeTestsMatching '{word}'"));
    emitted.text = script(lines);
    note_collateral(request, &words, &mut emitted.notes);
    emitted
}

fn only(request: &Request<'_>) -> Option<Selected> {
    let mut notes = Vec::new();
    let words = request.express(method, &mut notes);
    if words.by_word.is_empty() {
        return None;
    }
    let listed: Vec<String> = words.by_word.keys().map(|word| format!("'{word}'")).collect();
    let text = script(std::iter::once(format!("setIncludePatterns({})", listed.join(", "))));
    note_collateral(request, &words, &mut notes);
    Some(Selected {
        arguments: vec!["--init-script".to_owned(), FILE.to_owned()],
        file: Some(SelectedFile { name: "flakedb_only.gradle", text, path_variable: None }),
        missing: words.missing.into_iter().cloned().collect(),
        notes,
        ..Selected::default()
    })
}

fn method(test: &TestName) -> Expressed {
    match jvm::method(test) {
        Ok((class, method)) => Expressed::As(format!("{class}.{method}")),
        Err(why) => Expressed::Not(why.to_owned()),
    }
}

fn note_collateral(request: &Request<'_>, words: &Words<'_>, notes: &mut Vec<String>) {
    let goes_along =
        |test: &TestName| jvm::caught(test).iter().any(|word| words.by_word.contains_key(word));
    request.note_collateral(goes_along, WHY, notes);
}

/// A Groovy script; identifiers need no escape in single quotes.
fn script(lines: impl Iterator<Item = String>) -> String {
    let mut out = String::from(
        "// Written by flakedb for: gradle --init-script FILE test\n\
         gradle.projectsEvaluated {\n\
         \x20   gradle.rootProject.allprojects {\n\
         \x20       tasks.withType(Test) {\n\
         \x20           filter {\n\
         \x20               failOnNoMatchingTests = false\n",
    );
    for line in lines {
        out.push_str(&format!("                {line}\n"));
    }
    out.push_str("            }\n        }\n    }\n}\n");
    out
}
