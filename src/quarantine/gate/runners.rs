//! What runners exit with where tests failed: a table, one row for each runner.
//!
//! Only these codes may be excused. Codes that a runner also uses for its own trouble stand here
//! only where the reports tell the two apart (docs/GATE.md names the sources).

use std::collections::BTreeMap;

use super::facts::Ending;

/// How a runner ends where tests failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunnerCodes {
    /// The name that is typed.
    pub name: &'static str,
    /// Beginnings of commands that start it: words that stand side by side in a command.
    pub words: &'static [&'static [&'static str]],
    /// The producers of its reports, as the reader of reports names them.
    pub producers: &'static [&'static str],
    /// The codes that mean "tests failed", as ranges with both ends.
    pub failed: &'static [(i32, i32)],
    /// What its other codes mean, to be continued behind "exit code 5:".
    pub others: &'static [(i32, &'static str)],
}

/// Most failures that a runner which exits with their number can tell from a timeout or signal.
const COUNT_MAX: i32 = 123;

const ONE: &[(i32, i32)] = &[(1, 1)];
const COUNT: &[(i32, i32)] = &[(1, COUNT_MAX)];

const fn row(
    name: &'static str,
    words: &'static [&'static [&'static str]],
    producers: &'static [&'static str],
    failed: &'static [(i32, i32)],
    others: &'static [(i32, &'static str)],
) -> RunnerCodes {
    RunnerCodes { name, words, producers, failed, others }
}

/// All runners.
pub const RUNNERS: &[RunnerCodes] = &[
    row(
        "pytest",
        &[&["pytest"], &["py.test"]],
        &["pytest"],
        ONE,
        &[
            (2, "pytest was interrupted, or could not collect the tests"),
            (3, "an internal error of pytest"),
            (4, "pytest was called wrongly"),
            (5, "pytest found no tests"),
        ],
    ),
    row(
        "nextest",
        &[&["cargo", "nextest"], &["cargo-nextest"]],
        &["cargo-nextest"],
        &[(100, 100)],
        &[
            (4, "no tests were selected"),
            (101, "the tests could not be built"),
            (102, "cargo metadata failed"),
            (104, "the tests could not be listed"),
            (105, "a setup script failed"),
        ],
    ),
    row("cargo-test", &[&["cargo", "test"], &["cargo", "t"]], &["libtest"], &[(101, 101)], &[]),
    row(
        "go",
        &[&["go", "test"], &["gotestsum"]],
        &["gotestsum"],
        ONE,
        &[(2, "go was called wrongly")],
    ),
    row("ginkgo", &[&["ginkgo"]], &["ginkgo"], ONE, &[]),
    row("jest", &[&["jest"]], &["jest-junit"], ONE, &[]),
    row("vitest", &[&["vitest"]], &["vitest"], ONE, &[]),
    row("mocha", &[&["mocha"]], &["mocha", "mocha-junit-reporter"], COUNT, &[]),
    row("playwright", &[&["playwright", "test"]], &["playwright"], ONE, &[]),
    row("karma", &[&["karma"]], &["karma"], ONE, &[]),
    row("bun", &[&["bun", "test"]], &["bun"], ONE, &[]),
    row("deno", &[&["deno", "test"]], &["deno"], ONE, &[]),
    row("cucumber", &[&["cucumber-js"], &["cucumber"]], &["cucumber"], ONE, &[]),
    row("gtest", &[], &["gtest"], ONE, &[]),
    row("ctest", &[&["ctest"]], &["ctest"], &[(8, 8)], &[]),
    row("rspec", &[&["rspec"]], &["rspec"], ONE, &[]),
    row("minitest", &[], &["minitest"], ONE, &[]),
    row(
        "phpunit",
        &[&["phpunit"], &["paratest"], &["pest"]],
        &["phpunit"],
        &[(1, 2)],
        &[(255, "PHP itself failed")],
    ),
    row("gradle", &[&["gradle"], &["gradlew"]], &["gradle"], ONE, &[]),
    row("maven", &[&["mvn"], &["mvnw"], &["mvnd"]], &["surefire"], ONE, &[]),
    row("ant", &[&["ant"]], &["ant"], ONE, &[]),
    row(
        "bazel",
        &[&["bazel"], &["bazelisk"]],
        &["bazel"],
        &[(3, 3)],
        &[
            (1, "the build failed"),
            (2, "bazel was called wrongly"),
            (4, "no tests were found"),
            (8, "bazel was interrupted"),
        ],
    ),
    row("dotnet", &[&["dotnet", "test"], &["dotnet", "vstest"]], &[], ONE, &[]),
    row(
        "dotnet-testing-platform",
        &[],
        &[],
        &[(2, 2)],
        &[
            (1, "an unknown error of the test platform"),
            (3, "the session was aborted"),
            (5, "the test program was called wrongly"),
            (7, "the session crashed"),
            (8, "no tests ran"),
            (10, "the tests could not be started"),
        ],
    ),
    row("unittest", &[&["unittest"], &["xmlrunner"]], &["xmlrunner"], ONE, &[(5, "no tests ran")]),
    row("behave", &[&["behave"]], &["behave"], ONE, &[]),
    row("bats", &[&["bats"]], &["bats"], ONE, &[]),
    row("lit", &[&["lit"], &["llvm-lit"]], &["lit"], ONE, &[]),
    row("exunit", &[&["mix", "test"]], &["exunit"], &[(2, 2)], &[(1, "mix itself failed")]),
];

/// What is known of the runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunnerFact {
    /// It is known; several where the reports come from several.
    Known(Vec<Runner>),
    /// Somebody named a runner that no table has.
    NoSuch(String),
    /// Nothing tells; with the producers of the reports.
    Unknown(Vec<String>),
}

/// One runner with its codes, from the table or from the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runner {
    /// Its name.
    pub name: String,
    /// The codes that mean "tests failed", as ranges with both ends.
    pub failed: Vec<(i32, i32)>,
    /// What its other codes mean.
    pub others: Vec<(i32, &'static str)>,
}

impl Runner {
    fn of(row: &RunnerCodes, configured: &BTreeMap<String, Vec<i32>>) -> Self {
        Self {
            name: row.name.to_owned(),
            failed: configured
                .get(row.name)
                .map_or_else(|| row.failed.to_vec(), |own| singles(own)),
            others: row.others.to_vec(),
        }
    }

    /// True where the runner says "tests failed" with this code.
    #[must_use]
    pub fn means_failed(&self, code: i32) -> bool {
        may_mean_tests_failed(code).is_ok()
            && self.failed.iter().any(|(low, high)| (*low..=*high).contains(&code))
    }

    /// Its codes in words: `1`, `1 to 123`, `1, 3`.
    #[must_use]
    pub fn codes(&self) -> String {
        let range = |(low, high): &(i32, i32)| match low == high {
            true => low.to_string(),
            false => format!("{low} to {high}"),
        };
        self.failed.iter().map(range).collect::<Vec<_>>().join(", ")
    }
}

fn singles(codes: &[i32]) -> Vec<(i32, i32)> {
    codes.iter().map(|&code| (code, code)).collect()
}

/// Refuses codes that can never mean "tests failed".
///
/// # Errors
/// What the code means instead.
pub fn may_mean_tests_failed(code: i32) -> Result<(), &'static str> {
    match Ending::of_code(code) {
        Ending::Exited(0) => Err("0 says that the tests passed"),
        Ending::Exited(125) => Err("125 is what flakedb and container tools fail with themselves"),
        Ending::Exited(1..=255) => Ok(()),
        Ending::Exited(_) => Err("an exit code lies between 0 and 255"),
        Ending::TimedOut => Err("124 says that the time was up"),
        Ending::NotExecutable | Ending::NotFound => Err("126 and 127 say that nothing ran"),
        Ending::Signalled(_) => Err("129 to 192 say that a signal ended the runner"),
    }
}

/// Which runner it was: by its name, else by the words of its command, which is what exits, else by
/// the producers of its reports.
#[must_use]
pub fn identify(
    name: Option<&str>,
    words: &[String],
    producers: &[String],
    configured: &BTreeMap<String, Vec<i32>>,
) -> RunnerFact {
    if let Some(name) = name {
        return match by_name(name, configured) {
            Some(runner) => RunnerFact::Known(vec![runner]),
            None => RunnerFact::NoSuch(name.to_owned()),
        };
    }
    if let Some(row) = by_words(words) {
        return RunnerFact::Known(vec![Runner::of(row, configured)]);
    }
    let rows = producers
        .iter()
        .map(|producer| RUNNERS.iter().find(|row| row.producers.contains(&producer.as_str())));
    let known: Option<Vec<&RunnerCodes>> = rows.collect();
    match known {
        Some(mut rows) if !rows.is_empty() => {
            rows.dedup();
            RunnerFact::Known(rows.into_iter().map(|row| Runner::of(row, configured)).collect())
        }
        _ => RunnerFact::Unknown(producers.to_vec()),
    }
}

fn by_name(name: &str, configured: &BTreeMap<String, Vec<i32>>) -> Option<Runner> {
    if let Some(row) = RUNNERS.iter().find(|row| row.name == name) {
        return Some(Runner::of(row, configured));
    }
    let own = configured.get(name)?;
    Some(Runner { name: name.to_owned(), failed: singles(own), others: Vec::new() })
}

/// The runner whose words stand earliest in a command; of two in one place the longer.
fn by_words(words: &[String]) -> Option<&'static RunnerCodes> {
    let bare: Vec<&str> = words.iter().map(|word| bare(word)).collect();
    (0..bare.len()).find_map(|start| {
        let here = bare.get(start..)?;
        let begins = |row: &&RunnerCodes| row.words.iter().any(|words| here.starts_with(words));
        RUNNERS.iter().filter(begins).max_by_key(|row| {
            row.words.iter().filter(|words| here.starts_with(words)).map(|words| words.len()).max()
        })
    })
}

/// The name of a program without its folder and what systems put behind it.
fn bare(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let ends = [".exe", ".cmd", ".bat", ".phar", ".js"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn known(fact: &RunnerFact) -> Vec<&str> {
        match fact {
            RunnerFact::Known(runners) => runners.iter().map(|one| one.name.as_str()).collect(),
            RunnerFact::NoSuch(_) | RunnerFact::Unknown(_) => Vec::new(),
        }
    }

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    fn runner(name: &str) -> Runner {
        by_name(name, &BTreeMap::new()).unwrap()
    }

    #[test]
    fn names_and_producers_are_distinct_and_codes_possible() {
        let names: BTreeSet<&str> = RUNNERS.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), RUNNERS.len());
        let producers: Vec<&str> = RUNNERS.iter().flat_map(|row| row.producers).copied().collect();
        assert_eq!(producers.iter().collect::<BTreeSet<_>>().len(), producers.len());
        for row in RUNNERS {
            let runner = Runner::of(row, &BTreeMap::new());
            assert!(!row.failed.is_empty(), "{}", row.name);
            for (low, high) in row.failed {
                assert!(low <= high, "{}", row.name);
                for code in *low..=*high {
                    assert_eq!(may_mean_tests_failed(code), Ok(()), "{} {code}", row.name);
                    assert!(runner.means_failed(code), "{} {code}", row.name);
                }
            }
            for (code, words) in row.others {
                assert!(!runner.means_failed(*code), "{} {code} {words}", row.name);
            }
        }
    }

    #[test]
    fn each_runner_has_its_codes() {
        for (name, failed) in [
            ("pytest", "1"),
            ("cargo-test", "101"),
            ("nextest", "100"),
            ("go", "1"),
            ("jest", "1"),
            ("vitest", "1"),
            ("playwright", "1"),
            ("mocha", "1 to 123"),
            ("gtest", "1"),
            ("ctest", "8"),
            ("rspec", "1"),
            ("phpunit", "1 to 2"),
            ("gradle", "1"),
            ("maven", "1"),
            ("dotnet", "1"),
            ("dotnet-testing-platform", "2"),
            ("bazel", "3"),
            ("exunit", "2"),
        ] {
            assert_eq!(runner(name).codes(), failed, "{name}");
        }
        let several = Runner { failed: vec![(1, 1), (3, 5)], ..runner("go") };
        assert_eq!(several.codes(), "1, 3 to 5");
    }

    #[test]
    fn signals_timeouts_and_success_never_mean_failed() {
        let everything = Runner { failed: vec![(i32::MIN, i32::MAX)], ..runner("go") };
        let possible: Vec<i32> =
            (-300..600).filter(|&code| everything.means_failed(code)).collect();
        let wanted: Vec<i32> = (1..=123).chain([128]).chain(193..=255).collect();
        assert_eq!(possible, wanted);
    }

    #[test]
    fn the_edges_of_a_range_belong_to_it() {
        let mocha = runner("mocha");
        let found = [0, 1, 123, 124].map(|code| mocha.means_failed(code));
        assert_eq!(found, [false, true, true, false]);
        let phpunit = runner("phpunit");
        assert_eq!([1, 2, 3].map(|code| phpunit.means_failed(code)), [true, true, false]);
    }

    #[test]
    fn a_command_tells_its_runner() {
        for (command, name) in [
            ("pytest -x tests", Some("pytest")),
            ("python3 -m pytest", Some("pytest")),
            ("poetry run pytest", Some("pytest")),
            ("cargo nextest run", Some("nextest")),
            ("cargo test --lib", Some("cargo-test")),
            ("cargo build", None),
            ("/usr/local/go/bin/go test ./...", Some("go")),
            ("go build", None),
            ("gotestsum -- ./...", Some("go")),
            ("npx jest --ci", Some("jest")),
            ("npx playwright test", Some("playwright")),
            ("node_modules/.bin/mocha.cmd", Some("mocha")),
            ("./gradlew test", Some("gradle")),
            (".\\mvnw.cmd verify", Some("maven")),
            ("vendor/bin/phpunit.phar", Some("phpunit")),
            ("dotnet test", Some("dotnet")),
            ("make check", None),
            ("", None),
        ] {
            let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
            let found = by_words(&words).map(|row| row.name);
            assert_eq!(found, name, "{command}");
        }
    }

    #[test]
    fn a_name_wins_over_words_and_words_over_producers() {
        let none = BTreeMap::new();
        let words = owned(&["bazel", "test"]);
        let producers = owned(&["gtest"]);
        let of =
            |name, words: &[String], producers: &[String]| identify(name, words, producers, &none);
        assert_eq!(known(&of(Some("ctest"), &words, &producers)), ["ctest"]);
        assert_eq!(known(&of(None, &words, &producers)), ["bazel"]);
        assert_eq!(known(&of(None, &[], &producers)), ["gtest"]);
        assert_eq!(known(&of(None, &owned(&["make"]), &producers)), ["gtest"]);
        assert_eq!(of(Some("nose"), &words, &producers), RunnerFact::NoSuch("nose".into()));
        let both = owned(&["jest-junit", "pytest"]);
        assert_eq!(known(&of(None, &[], &both)), ["jest", "pytest"]);
        let same = owned(&["mocha", "mocha-junit-reporter"]);
        assert_eq!(known(&of(None, &[], &same)), ["mocha"]);
        // One report that nobody knows is enough to know nothing.
        let half = owned(&["jest-junit", "unknown"]);
        assert_eq!(of(None, &[], &half), RunnerFact::Unknown(half.clone()));
        assert_eq!(of(None, &[], &[]), RunnerFact::Unknown(Vec::new()));
    }

    #[test]
    fn the_configuration_replaces_codes_and_adds_runners() {
        let configured: BTreeMap<String, Vec<i32>> =
            [("jest".to_owned(), vec![7]), ("own".to_owned(), vec![3, 4])].into();
        let find = |name| match identify(Some(name), &[], &[], &configured) {
            RunnerFact::Known(runners) => runners.into_iter().next().unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(find("jest").codes(), "7");
        assert_eq!(find("own").codes(), "3, 4");
        assert!(find("own").means_failed(4) && !find("own").means_failed(1));
        assert_eq!(find("vitest").codes(), "1");
    }
}
