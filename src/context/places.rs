//! Where a test command writes its reports: by its own words, else where its runner always does.

use std::ffi::OsString;
use std::path::PathBuf;

/// An option for reports of any kind, of which a name ending in `.xml` is taken.
pub(super) const ANY_OUTPUT: &str = "--outputFile";

/// Options that name the file of a JUnit report, whatever runner has them.
pub(super) const OPTIONS: [&str; 11] = [
    "--junitxml",                  // pytest
    "--junit-xml",                 // pytest
    "--junitfile",                 // gotestsum
    "--junit-report",              // ginkgo
    "--output-junit",              // ctest
    "--log-junit",                 // phpunit, pest, paratest
    "--xunit-output",              // swift test
    ANY_OUTPUT,                    // vitest
    "--outputFile.junit",          // vitest
    "--test-reporter-destination", // node --test
    "--reporter-outfile",          // bun
];

/// The same where the file stands behind a mark within a word.
pub(super) const MARKS: [&str; 3] = [
    "--gtest_output=xml:", // googletest
    "mochaFile=",          // mocha --reporter-options
    "--junit-path=",       // deno test
];

/// Variables that tell a runner where to write.
pub(super) const VARIABLES: [&str; 6] = [
    "JEST_JUNIT_OUTPUT_FILE",
    "MOCHA_FILE",
    "PLAYWRIGHT_JUNIT_OUTPUT_FILE",
    "PLAYWRIGHT_JUNIT_OUTPUT_NAME",
    "GOTESTSUM_JUNITFILE",
    "BUN_TEST_REPORTER_OUTFILE",
];

/// A program with the places that it writes to by itself or by custom.
struct Custom {
    /// Its words, side by side in a command.
    words: &'static [&'static str],
    places: &'static [&'static str],
}

const MAVEN: &[&str] =
    &["**/target/surefire-reports/TEST-*.xml", "**/target/failsafe-reports/TEST-*.xml"];
const GRADLE: &[&str] =
    &["**/build/test-results/**/TEST-*.xml", "**/build/outputs/androidTest-results/**/TEST-*.xml"];
const BAZEL: &[&str] = &["bazel-testlogs/**/test.xml"];

const CUSTOMS: [Custom; 16] = [
    Custom { words: &["mvn"], places: MAVEN },
    Custom { words: &["mvnw"], places: MAVEN },
    Custom { words: &["mvnd"], places: MAVEN },
    Custom { words: &["gradle"], places: GRADLE },
    Custom { words: &["gradlew"], places: GRADLE },
    Custom { words: &["bazel"], places: BAZEL },
    Custom { words: &["bazelisk"], places: BAZEL },
    Custom { words: &["nextest"], places: &["target/nextest/*/junit.xml"] },
    Custom { words: &["cargo-nextest"], places: &["target/nextest/*/junit.xml"] },
    Custom { words: &["sbt"], places: &["**/target/test-reports/*.xml"] },
    Custom { words: &["jest"], places: &["junit.xml"] },
    Custom { words: &["mocha"], places: &["test-results.xml"] },
    Custom { words: &["dotnet", "test"], places: &["**/TestResults/*.xml"] },
    Custom { words: &["mix", "test"], places: &["_build/test/lib/*/test-junit-report.xml"] },
    Custom { words: &["rails", "test"], places: &["test/reports/*.xml"] },
    Custom { words: &["ant"], places: &["**/TEST-*.xml"] },
];

/// Where a command will write its reports by its own options, or by the environment.
///
/// The script of `sh -c` and its like is looked into, unless a shell would have more to do with it
/// than split it.
///
/// ```
/// use flakedb::context::places::told;
/// let words = ["pytest", "-q", "--junitxml=out/report.xml"].map(Into::into);
/// assert_eq!(told(&words, &|_| None), [std::path::PathBuf::from("out/report.xml")]);
/// ```
#[must_use]
pub fn told(words: &[OsString], variable: &dyn Fn(&str) -> Option<String>) -> Vec<PathBuf> {
    let words = plain(words);
    let mut found = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let value = OPTIONS.iter().find_map(|option| {
            let value = match word.strip_prefix(option)? {
                "" => words.get(place + 1).map(String::as_str),
                rest => rest.strip_prefix('='),
            };
            value.filter(|value| *option != ANY_OUTPUT || value.ends_with(".xml"))
        });
        let marked = MARKS.iter().find_map(|mark| {
            let (_, rest) = word.split_once(mark)?;
            rest.split(',').next()
        });
        let is_file = |value: &&str| !value.is_empty() && !matches!(*value, "stdout" | "stderr");
        found.extend(value.or(marked).filter(is_file).map(PathBuf::from));
    }
    let set = VARIABLES.iter().filter_map(|name| variable(name));
    found.extend(set.filter(|value| !value.is_empty()).map(PathBuf::from));
    found.sort();
    found.dedup();
    found
}

/// Where the runner of a command writes its reports by itself or by custom; empty where no runner
/// is known that does.
#[must_use]
pub fn customary(words: &[OsString]) -> Vec<PathBuf> {
    let words = plain(words);
    let names: Vec<&str> = words.iter().map(|word| program(word)).collect();
    let has = |wanted: &[&str]| names.windows(wanted.len()).any(|beside| beside == wanted);
    let customs = CUSTOMS.iter().filter(|custom| has(custom.words));
    let mut places: Vec<PathBuf> =
        customs.flat_map(|custom| custom.places).map(PathBuf::from).collect();
    places.dedup();
    places
}

/// The words of a command, those of a simple inner command (`sh -c`) among them.
fn plain(words: &[OsString]) -> Vec<String> {
    let mut plain: Vec<String> = Vec::new();
    for word in words.iter().map(|word| word.to_string_lossy()) {
        let before = plain.last().map_or("", String::as_str);
        let is_script = before.starts_with('-') && before.ends_with('c');
        let is_simple = !word.chars().any(|c| "'\"`$\\(){}<>*?[]#~".contains(c));
        if is_script && is_simple {
            let parts = word.split([' ', ';', '&', '|', '\n']).filter(|part| !part.is_empty());
            plain.extend(parts.map(str::to_owned));
        } else {
            plain.push(word.into_owned());
        }
    }
    plain
}

/// The name of a program as typed: without folders and the endings that Windows adds.
pub(super) fn program(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let ends = [".exe", ".cmd", ".bat"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &[&str]) -> Vec<OsString> {
        line.iter().map(OsString::from).collect()
    }

    #[test]
    fn options_of_many_runners_name_their_report() {
        for (line, wanted) in [
            (&["pytest", "--junitxml", "r.xml"][..], &["r.xml"][..]),
            (&["python", "-m", "pytest", "--junit-xml=a b.xml"], &["a b.xml"]),
            (&["sh", "-c", "make test && pytest --junitxml=r.xml -q"], &["r.xml"]),
            (&["./suite", "--gtest_output=xml:out/g.xml"], &["out/g.xml"]),
            (&["mocha", "--reporter-options", "mochaFile=m.xml,x=1"], &["m.xml"]),
            (&["ctest", "--output-junit", "c.xml"], &["c.xml"]),
            (&["vitest", "--outputFile=v.xml"], &["v.xml"]),
            (&["vitest", "--outputFile=v.json"], &[]),
            (&["vitest", "--outputFile.junit=v.xml"], &["v.xml"]),
            (&["node", "--test", "--test-reporter-destination=stdout"], &[]),
            (&["sh", "-c", "pytest --junitxml=$OUT"], &[]),
            (&["pytest", "--junitxml"], &[]),
            (&["pytest", "--junitxmlish=no.xml"], &[]),
        ] {
            let wanted: Vec<PathBuf> = wanted.iter().map(PathBuf::from).collect();
            assert_eq!(told(&words(line), &|_| None), wanted, "{line:?}");
        }
    }

    #[test]
    fn variables_name_reports_too() {
        let set = |name: &str| (name == "JEST_JUNIT_OUTPUT_FILE").then(|| "j.xml".to_owned());
        assert_eq!(told(&words(&["npm", "test"]), &set), [PathBuf::from("j.xml")]);
    }

    #[test]
    fn customs_go_by_the_program() {
        let first = |line: &[&str]| customary(&words(line)).first().cloned();
        let surefire = Some(PathBuf::from("**/target/surefire-reports/TEST-*.xml"));
        assert_eq!(first(&["./mvnw", "-q", "verify"]), surefire);
        assert_eq!(first(&["sh", "-c", "cd x && mvn verify"]), surefire);
        let nextest = Some(PathBuf::from("target/nextest/*/junit.xml"));
        assert_eq!(first(&["cargo", "nextest", "run"]), nextest);
        assert_eq!(first(&["dotnet", "build"]), None);
        assert_eq!(first(&["pytest"]), None);
    }
}
