//! Gradle: an init script that filters every test task.
//!
//! The command line can only choose (`--tests`), only right behind a test task, and fails for
//! modules without a match; a script can leave out, too, and does not fail. It acts after all
//! projects are evaluated, so that their own filters are set before. Inner classes are
//! `Outer$Inner`. JUnit 4 has its rows as methods of their own, `method[text]`; JUnit 5 knows no
//! rows. Only `*` is special. `excludeTestsMatching` is of Gradle 5; choosing was measured on
//! Gradle 4.4 with JUnit 4.13.

use super::jvm::{self, JvmTest, Part};
use super::language::{Frame, Language, Only};
use super::request::Expressed;
use super::selected::{FILE, Place, Selection};
use super::{Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "gradle",
    aliases: &[],
    summary: "an init script for Gradle (5 and later)",
    usage: "write it to a file that ends in .gradle, then: gradle --init-script FILE test",
    producers: &["gradle"],
    emit: |request| LANGUAGE.leave_out(request),
    only: Some(Selection {
        make: |request| LANGUAGE.only(request),
        place: Place::End,
        not_with: &["--"],
        usage: "write it to a file that ends in .gradle, then: gradle --init-script FILE test",
    }),
};

const LANGUAGE: Language = Language {
    words: |test| match jvm::parse(test) {
        // What would end a string of Groovy: any text, which `*` is.
        Ok(parsed) => Expressed::As(name(test, parsed).replace(['\'', '\\'], "*")),
        Err(why) => Expressed::Not(why.to_owned()),
    },
    caught: |test| jvm::parse(test).map(|parsed| name(test, parsed)).into_iter().collect(),
    globs: true,
    why: "Gradle cannot tell these rows of data from the listed ones",
    leave_out: Frame {
        before: "\
// Written by `flakedb quarantine --emit gradle`.
// Use: gradle --init-script FILE test
gradle.projectsEvaluated {
    gradle.rootProject.allprojects {
        tasks.withType(Test) {
            filter {
                failOnNoMatchingTests = false
                excludeTestsMatching '",
        between: "'\n                excludeTestsMatching '",
        after: "'
            }
        }
    }
}
",
        empty: "// Written by `flakedb quarantine --emit gradle`: the list is empty.\n",
    },
    only: Only::File(
        &["--init-script", FILE],
        "flakedb_only.gradle",
        Frame {
            before: "\
// Written by flakedb: runs only the listed tests.
// Use: gradle --init-script FILE test
gradle.projectsEvaluated {
    gradle.rootProject.allprojects {
        tasks.withType(Test) {
            filter {
                failOnNoMatchingTests = false
                setIncludePatterns(
                    '",
            between: "',\n                    '",
            after: "'
                )
            }
        }
    }
}
",
            empty: "",
        },
    ),
    // No argument, so no limit.
    bytes_max: Some((usize::MAX, "")),
};

fn name(test: &TestName, parsed: JvmTest<'_>) -> String {
    let JvmTest { class, method, part } = parsed;
    match part {
        Part::Whole => format!("{class}.{method}"),
        Part::Row | Part::Numbered => format!("{class}.{}", test.name),
    }
}
