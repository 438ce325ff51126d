//! Which worker, shard and random order a document says its tests ran in.
//!
//! Producers write them as properties, at the root, on suites or on cases. What holds for a case is
//! the innermost. A shard and a seed are the whole document's: where it names several, it was put
//! together from others, and names none.

use crate::model::{Shard, Workers, limits};

use super::element::OpenSuite;

/// What a property is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    Worker,
    Shard,
    Seed,
}

/// Names of properties, in small letters and without `-` and `_`.
const NAMES: [(&str, About); 15] = [
    ("flakedb.worker", About::Worker),
    ("worker", About::Worker),
    ("workerid", About::Worker),
    ("workernumber", About::Worker),
    // pytest-xdist, in the words of its fixtures and variables.
    ("pytestxdistworker", About::Worker),
    // Surefire writes the system properties of the process that ran the tests.
    ("surefire.forknumber", About::Worker),
    ("org.gradle.test.worker", About::Worker),
    ("flakedb.shard", About::Shard),
    ("shard", About::Shard),
    ("flakedb.seed", About::Seed),
    // rspec, ExUnit.
    ("seed", About::Seed),
    // Catch2 (`random-seed`), Ginkgo (`RandomSeed`).
    ("randomseed", About::Seed),
    ("randomizeseed", About::Seed),
    ("rspec.seed", About::Seed),
    // pytest-randomly, in the words of its option.
    ("randomlyseed", About::Seed),
];

fn about(name: &str) -> Option<(About, bool)> {
    const LONGEST: usize = 30;
    if name.len() > LONGEST {
        return None;
    }
    let kept = name.chars().filter(|c| !matches!(c, '-' | '_'));
    let plain: String = kept.map(|c| c.to_ascii_lowercase()).collect();
    let found = NAMES.iter().find(|(known, _)| *known == plain)?;
    Some((found.1, plain.starts_with("flakedb.")))
}

/// A value that is a name: short, on one line.
fn label(value: &str) -> Option<&str> {
    let value = value.trim();
    let fits = !value.is_empty()
        && value.len() <= limits::LABEL_BYTES_MAX
        && !value.chars().any(char::is_control);
    fits.then_some(value)
}

/// One value for the whole document.
#[derive(Debug, Default)]
struct Stated {
    value: String,
    several: bool,
    /// flakedb itself wrote it, which counts more than what a runner wrote.
    is_ours: bool,
}

impl Stated {
    fn see(&mut self, value: &str, is_ours: bool) {
        if self.value.is_empty() || (is_ours && !self.is_ours) {
            *self = Self { value: value.to_owned(), several: false, is_ours };
        } else if is_ours == self.is_ours {
            self.several |= self.value != value;
        }
    }

    fn get(self) -> String {
        if self.several { String::new() } else { self.value }
    }
}

/// A worker that holds for a whole element.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Worker {
    /// Its number; 0 for none.
    pub(super) number: u16,
    is_ours: bool,
}

impl Worker {
    fn see(&mut self, number: u16, is_ours: bool) {
        if is_ours || !self.is_ours {
            *self = Self { number, is_ours };
        }
    }
}

/// What a document said so far.
#[derive(Debug, Default)]
pub(super) struct Circumstances {
    shard: Stated,
    seed: Stated,
    root: Worker,
    /// Results that the document had when its root began: all of them stand below it.
    root_first: usize,
    pub(super) workers: Workers,
}

impl Circumstances {
    /// Another root element begins.
    pub(super) fn start_root(&mut self, results: usize) {
        self.root = Worker::default();
        self.root_first = results;
    }

    /// GoogleTest writes the seed as an attribute of the root.
    pub(super) fn see_seed(&mut self, value: &str) {
        if let Some(value) = label(value) {
            self.seed.see(value, false);
        }
    }

    /// Takes note of a property outside of cases; `results` is how many there are so far.
    ///
    /// Some stand behind the cases that they hold for.
    pub(super) fn see(
        &mut self,
        name: &str,
        value: &str,
        suite: Option<&mut OpenSuite<'_>>,
        results: usize,
    ) {
        let (Some((about, is_ours)), Some(value)) = (about(name), label(value)) else { return };
        match about {
            About::Shard => {
                let shard = value.parse::<Shard>().map(|shard| shard.to_string());
                self.shard.see(&shard.unwrap_or_else(|_| value.to_owned()), is_ours);
            }
            About::Seed => self.seed.see(value, is_ours),
            About::Worker => {
                let number = self.workers.number(value);
                let (worker, first) = match suite {
                    Some(suite) => (&mut suite.worker, suite.first_result),
                    None => (&mut self.root, self.root_first),
                };
                let was_named = worker.number > 0;
                worker.see(number, is_ours);
                let number = worker.number;
                // Later properties find no result that has none: each would look through all.
                if was_named {
                    return;
                }
                for result in first..results {
                    if self.workers.number_of(result) == 0 {
                        self.workers.set(result, number);
                    }
                }
            }
        }
    }

    /// Takes note of a property of a case.
    pub(super) fn see_in_case(&mut self, name: &str, value: &str, worker: &mut Worker) {
        if let (Some((About::Worker, is_ours)), Some(value)) = (about(name), label(value)) {
            worker.see(self.workers.number(value), is_ours);
        }
    }

    /// The result at a place is new: its worker is that of the case, else of the innermost suite
    /// that names one, else of the root.
    pub(super) fn place(&mut self, result: usize, case: Worker, suites: &[OpenSuite<'_>]) {
        let around = || suites.iter().rev().map(|suite| suite.worker.number);
        let number = std::iter::once(case.number).chain(around()).find(|number| *number > 0);
        self.workers.set(result, number.unwrap_or(self.root.number));
    }

    /// Shard, seed and workers.
    pub(super) fn finish(self) -> (String, String, Workers) {
        let workers = if self.workers.is_empty() { Workers::default() } else { self.workers };
        (self.shard.get(), self.seed.get(), workers)
    }
}

#[cfg(test)]
mod tests {
    use crate::junit::{ReadOptions, read};
    use crate::model::Report;

    fn report(document: &str) -> Report {
        read(document.as_bytes(), &ReadOptions::default()).report
    }

    fn properties(pairs: &[(&str, &str)]) -> String {
        let property =
            |(name, value): &(&str, &str)| format!("<property name=\"{name}\" value=\"{value}\"/>");
        format!("<properties>{}</properties>", pairs.iter().map(property).collect::<String>())
    }

    fn case(name: &str, inside: &str) -> String {
        format!("<testcase classname=\"a.B\" name=\"{name}\">{inside}</testcase>")
    }

    fn suite(inside: &str) -> String {
        format!("<testsuite name=\"s\">{inside}</testsuite>")
    }

    fn workers(report: &Report) -> Vec<&str> {
        (0..report.results.len()).map(|at| report.workers.of(at).unwrap_or("-")).collect()
    }

    #[test]
    fn the_innermost_property_says_which_worker_ran_a_test() {
        let document = format!(
            "<testsuites>{}{}{}{}</testsuites>",
            properties(&[("worker", "root")]),
            suite(&format!("{}{}", properties(&[("flakedb.worker", "3")]), case("a", ""))),
            suite(&format!(
                "{}{}{}",
                case("b", &properties(&[("worker_id", " gw1 ")])),
                suite(&format!("{}{}", properties(&[("worker", "in")]), case("c", ""))),
                case("d", "")
            )),
            suite(&format!("{}{}", case("e", ""), properties(&[("Worker-ID", "late")]))),
        );
        let report = report(&document);
        // A suite that names its worker late has it from the root by then.
        assert_eq!(workers(&report), ["3", "gw1", "in", "root", "root"]);
        let late = format!("{}{}", case("e", ""), properties(&[("Worker-ID", "late")]));
        assert_eq!(workers(&self::report(&suite(&late))), ["late"]);
    }

    #[test]
    fn what_flakedb_wrote_counts_more_than_what_a_runner_wrote() {
        let pairs = [("worker", "gw0"), ("flakedb.worker", "2"), ("worker", "gw1")];
        let shards = [("shard", "1/2"), ("flakedb.shard", " 2 / 4 "), ("shard", "2/2")];
        let seeds = [("seed", "1"), ("seed", "2"), ("flakedb.seed", "77")];
        let all = [&pairs[..], &shards[..], &seeds[..]].concat();
        let report = report(&suite(&format!("{}{}", properties(&all), case("a", ""))));
        assert_eq!(workers(&report), ["2"]);
        assert_eq!((report.shard.as_str(), report.seed.as_str()), ("2/4", "77"));
    }

    #[test]
    fn a_document_of_several_seeds_names_none_and_a_repeated_test_keeps_its_first_worker() {
        let part = |worker, seed| {
            suite(&format!(
                "{}{}",
                properties(&[("worker", worker), ("seed", seed)]),
                case("a", "")
            ))
        };
        let both = format!("<testsuites>{}{}</testsuites>", part("1", "5"), part("2", "6"));
        let report = report(&both);
        assert_eq!((workers(&report), report.seed.as_str()), (vec!["1"], ""));
    }

    #[test]
    fn what_is_no_name_is_left_out_and_costs_nothing() {
        let long = "w".repeat(200);
        for value in ["", "  ", long.as_str(), "a&#10;b"] {
            let report =
                report(&suite(&format!("{}{}", properties(&[("worker", value)]), case("a", ""))));
            assert_eq!((workers(&report), report.workers.names().len()), (vec!["-"], 0), "{value}");
        }
    }

    #[test]
    fn real_reports_tell_their_seed() {
        let documents: [(&[u8], &str); 3] = [
            (include_bytes!("../../fixtures/junit/rspec/rspec_env2.xml"), "34243"),
            (include_bytes!("../../fixtures/junit/exunit/exunit.xml"), "806073"),
            (include_bytes!("../../fixtures/junit/gtest/gtest_shuffled_disabled.xml"), "7"),
        ];
        for (document, seed) in documents {
            assert_eq!(read(document, &ReadOptions::default()).report.seed, seed);
        }
    }

    #[test]
    fn a_repeated_test_adds_no_worker_beyond_the_results() {
        let part =
            |worker| suite(&format!("{}{}", properties(&[("worker", worker)]), case("a", "")));
        let report = report(&format!("<testsuites>{}{}</testsuites>", part("1"), part("2")));
        assert_eq!((report.results.len(), report.workers.len()), (1, 1));
    }

    #[test]
    fn dashes_of_a_name_count_for_nothing_until_it_is_too_long_for_any_known_one() {
        let of = |dashes: usize| {
            let name = format!("{}worker", "-".repeat(dashes));
            let document = format!("{}{}", properties(&[(name.as_str(), "w1")]), case("a", ""));
            report(&suite(&document)).workers.of(0).map(str::to_owned)
        };
        assert_eq!([of(1), of(24)], [Some("w1".to_owned()), Some("w1".to_owned())]);
        assert_eq!(of(25), None);
    }
}
