use std::collections::BTreeSet;

use super::*;
use crate::analysis::split::Balance;
use crate::junit::{self, ReadOptions};
use crate::model::facts::PartFacts;
use crate::model::{Lane, RunContext, TestName, Timestamp};
use crate::ops::Unwatched;
use crate::store::sqlite::{OpenMode, SqliteStore};
use crate::store::{BatchBuilder, ReportMeta, Store as _};

const TESTS: u64 = 2_000;
const FILE: u64 = 20;
const HOUR: i64 = 3_600_000;

/// A number between 0 and 1 that depends on nothing but these two.
fn drawn(what: u64, place: u64) -> f64 {
    let mut z = (what << 32 ^ place).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64
}

/// Seconds that a test takes in a night: most take milliseconds, the last files, which talk to a
/// database, up to ten seconds; each night up to a tenth more or less.
fn seconds(test: u64, night: u64) -> f64 {
    let slow = if test / FILE >= 88 { 20.0 } else { 1.0 };
    let base = (0.004 * (drawn(1, test) * 5.5).exp() * slow).min(10.0);
    base * (0.9 + 0.2 * drawn(night, test))
}

/// A suite as one runner lists and reports it.
struct Suite {
    lister: &'static Lister,
    /// Classname, name and line of the listing.
    of: fn(u64) -> [String; 3],
}

const PYTEST: fn(u64) -> [String; 3] = |test| {
    let (file, name) = (test / FILE, format!("test_case[{}-a::b]", test % FILE));
    [
        format!("tests.part.test_{file:02}.TestIt"),
        name.clone(),
        format!("tests/part/test_{file:02}.py::TestIt::{name}"),
    ]
};
const NEXTEST: fn(u64) -> [String; 3] = |test| {
    let (binary, name) = (format!("shop::t{:02}", test / FILE), format!("m::case_{}", test % FILE));
    [binary.clone(), name.clone(), format!("{binary} {name}")]
};

impl Suite {
    fn all() -> [Self; 2] {
        [("pytest", PYTEST), ("nextest", NEXTEST)]
            .map(|(name, of)| Self { lister: Lister::find(name).unwrap(), of })
    }

    fn listing(&self, tests: u64) -> Listing {
        let lines: String = (0..tests).map(|test| (self.of)(test)[2].clone() + "\n").collect();
        (self.lister.read)(&lines).unwrap()
    }

    /// The report of some tests in a night.
    fn report(&self, tests: impl Iterator<Item = u64>, night: u64) -> String {
        let (document, suite) = match self.lister.name {
            "pytest" => ("pytest tests", "pytest"),
            _ => ("nextest-run", "shop"),
        };
        let cases: String = tests
            .map(|test| {
                let [class, name, _] = (self.of)(test);
                let time = seconds(test, night);
                format!("<testcase classname=\"{class}\" name=\"{name}\" time=\"{time:.3}\"/>\n")
            })
            .collect();
        format!(
            "<testsuites name=\"{document}\"><testsuite name=\"{suite}\">{cases}</testsuite></testsuites>"
        )
    }
}

struct History {
    _folder: tempfile::TempDir,
    store: SqliteStore,
}

impl History {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("h.db"), OpenMode::Create).unwrap();
        Self { _folder: folder, store }
    }

    fn add(&mut self, xml: &str, build: &str, hour: i64, source: &str) {
        self.add_shard(xml, build, hour, source, None);
    }

    fn add_shard(&mut self, xml: &str, build: &str, hour: i64, source: &str, shard: Option<&str>) {
        self.add_as(xml, Some(build), None, hour, source, shard);
    }

    fn add_as(
        &mut self,
        xml: &str,
        build: Option<&str>,
        revision: Option<&str>,
        hour: i64,
        source: &str,
        shard: Option<&str>,
    ) {
        let reading = junit::read(xml.as_bytes(), &ReadOptions::default());
        let builder = BatchBuilder::new(Timestamp(1_000 * HOUR));
        let context = RunContext {
            project: "p".into(),
            lane: Lane::Default,
            build: build.map(str::to_owned),
            revision: revision.map(str::to_owned),
            attempt: 1,
            ..RunContext::default()
        };
        let meta = ReportMeta {
            hash: ReportHash::of(xml.as_bytes()),
            source: source.into(),
            started: Timestamp(hour * HOUR),
            group: None,
            warnings: 0,
            part: PartFacts { shard: shard.map(str::to_owned), ..PartFacts::default() },
            context,
        };
        builder.add(meta, &reading.report).unwrap();
        self.store.append(&builder.finish()).unwrap();
    }

    fn times(&self, without_build: Option<&str>) -> Times {
        let request = TimesRequest {
            project: "p".into(),
            without_build: without_build.map(str::to_owned),
            ..TimesRequest::default()
        };
        Times::read(&self.store, &request, &Unwatched).unwrap()
    }
}

fn request<'a>(listing: &'a Listing, lister: &'static Lister, shards: u32) -> SplitRequest<'a> {
    let format = lister.name;
    SplitRequest { listing, lister, format, by: By::Test, shards, shard: None, project: None }
}

/// How even shards of these tests are by the times of a night, added up anew.
fn real(shard_of: &[u32], shards: u32, night: u64) -> f64 {
    let mut sums = vec![0.0_f64; shards as usize];
    for (test, shard) in shard_of.iter().enumerate() {
        sums[*shard as usize] += seconds(test as u64, night);
    }
    sums.iter().copied().fold(0.0, f64::max) / (sums.iter().sum::<f64>() / f64::from(shards))
}

#[test]
fn one_night_of_history_balances_the_next_morning_within_5_percent_for_pytest_and_nextest() {
    for suite in Suite::all() {
        let mut history = History::new();
        history.add(&suite.report(0..TESTS, 7), "night", 1, "r.xml");
        let times = history.times(None);
        let listing = suite.listing(TESTS);
        for shards in [2, 4, 8, 16] {
            let outcome = deal(&request(&listing, suite.lister, shards), &times);
            let name = suite.lister.name;
            assert_eq!(outcome.view.times.history, TESTS, "{name}");
            let predicted = outcome.view.balance.unwrap().imbalance;
            assert!(predicted < 1.001, "{name}, {shards} shards: {predicted}");
            let balanced = real(&outcome.shard_of, shards, 8);
            let count: Vec<u32> =
                (0..TESTS).map(|test| (test * u64::from(shards) / TESTS) as u32).collect();
            let counted = real(&count, shards, 8);
            assert!(balanced <= 1.05, "{name}, {shards} shards: {balanced}");
            // Two shards cannot be farther apart than twice their mean.
            assert!(counted >= if shards == 2 { 1.7 } else { 2.0 }, "{name}, {shards}: {counted}");
            let by_count = outcome.view.by_count.unwrap().imbalance;
            assert!((by_count - counted).abs() < 0.2, "{by_count} against {counted}");
        }
    }
}

#[test]
fn every_node_computes_the_same_shards_and_each_test_is_in_one_of_them() {
    for suite in Suite::all() {
        let mut history = History::new();
        history.add(&suite.report(0..300, 7), "night", 1, "r.xml");
        let times = history.times(None);
        let listing = suite.listing(400);
        // pytest-randomly and the like list in another order on each node.
        let mut other = listing.clone();
        other.tests.sort_by_key(|test| std::cmp::Reverse(test.word.clone()));
        for by in By::ALL {
            let plan = |listing: &Listing| {
                let outcome =
                    deal(&SplitRequest { by, ..request(listing, suite.lister, 5) }, &times);
                let shards = (0..5).map(|place| {
                    let shard = Shard::new(place, 5).unwrap();
                    let tests = outcome.tests_of(listing, shard);
                    tests.iter().map(|test| test.word.clone()).collect::<BTreeSet<String>>()
                });
                (outcome.view.plan.clone(), shards.collect::<Vec<_>>())
            };
            let (hash, shards) = plan(&listing);
            assert_eq!(plan(&other), (hash, shards.clone()), "{by:?}");
            assert_eq!(shards.iter().map(BTreeSet::len).sum::<usize>(), 400);
            assert_eq!(shards.iter().flatten().collect::<BTreeSet<_>>().len(), 400);
        }
    }
}

#[test]
fn what_stays_together_is_in_one_shard() {
    let [pytest, _] = Suite::all();
    let listing = pytest.listing(400);
    let shard_of = |by| {
        let outcome =
            deal(&SplitRequest { by, ..request(&listing, pytest.lister, 3) }, &Times::default());
        outcome.shard_of
    };
    for by in [By::File, By::Class] {
        let shards = shard_of(by);
        for (place, shard) in shards.iter().enumerate() {
            assert_eq!(*shard, shards[place / FILE as usize * FILE as usize], "{by:?}");
        }
    }
    let lines = Lister::find("lines").unwrap();
    let text: String =
        (0..30).map(|test| format!("a::t{test}\t{}\n", ["", "db"][test % 2])).collect();
    let listing = (lines.read)(&text).unwrap();
    let outcome =
        deal(&SplitRequest { by: By::Group, ..request(&listing, lines, 3) }, &Times::default());
    let of_group: BTreeSet<u32> = outcome.shard_of.iter().skip(1).step_by(2).copied().collect();
    assert_eq!(of_group.len(), 1);
    let tests: Vec<u64> = outcome.view.shards.iter().map(|shard| shard.tests).collect();
    assert_eq!(tests, [15, 8, 7]);
}

#[test]
fn a_new_test_takes_the_median_of_its_file_else_class_else_suite_else_all() {
    let mut history = History::new();
    let case = |class: &str, name: &str, time: u32| {
        format!("<testcase classname=\"{class}\" name=\"{name}\" time=\"{time}\"/>")
    };
    let cases = [
        case("t.test_a", "one", 1),
        case("t.test_a", "two", 2),
        case("t.test_a.TestC", "three", 30),
        case("t.test_b", "four", 40),
        "<testcase classname=\"t.test_b\" name=\"off\" time=\"0\"><skipped/></testcase>".to_owned(),
        "<testcase classname=\"t.test_b\" name=\"broken\" time=\"9\"><failure/></testcase>"
            .to_owned(),
    ];
    history.add(&format!("<testsuites name=\"pytest tests\"><testsuite name=\"pytest\">{}</testsuite></testsuites>", cases.concat()), "b", 1, "r.xml");
    let times = history.times(None);
    let pytest = Lister::find("pytest").unwrap();
    let text = "t/test_a.py::one\nt/test_a.py::two\nt/test_a.py::TestC::three\nt/test_b.py::four\n\
                t/test_b.py::off\nt/test_b.py::broken\nt/test_a.py::new\nt/test_c.py::new\n";
    let listing = (pytest.read)(text).unwrap();
    let found: Vec<(u64, Source)> = times
        .estimate(&listing.tests, producer(pytest))
        .iter()
        .map(|one| (one.time.0 / 1_000_000, one.source))
        .collect();
    use Source::{File, History as Own, Skipped, Suite};
    let wanted =
        [(1, Own), (2, Own), (30, Own), (40, Own), (0, Skipped), (40, File), (2, File), (2, Suite)];
    assert_eq!(found, wanted);
    // Of a list whose tests are all new the history still says how long tests take.
    let lines = Lister::find("lines").unwrap();
    let listing = (lines.read)("x::y\n").unwrap();
    let notes = deal(&request(&listing, lines, 1), &times).view.notes;
    assert!(notes[0].contains("no time of 1 of 1 tests"), "{notes:?}");
    let found = times.estimate(&listing.tests, producer(lines));
    assert_eq!((found[0].time.0 / 1_000_000, found[0].source), (2, Source::All));
}

#[test]
fn files_take_what_their_tests_take_together() {
    let mut history = History::new();
    let xml = "<testsuites name=\"vitest tests\"><testsuite name=\"src/a.test.ts\">\
               <testcase classname=\"src/a.test.ts\" name=\"one\" time=\"1.5\"/>\
               <testcase classname=\"src/a.test.ts\" name=\"two\" time=\"2\"/></testsuite></testsuites>";
    history.add(xml, "b", 1, "r.xml");
    history.add("<testsuite name=\"pytest\"><testcase classname=\"t.test_a.TestC\" name=\"one\" time=\"4\"/></testsuite>", "b", 1, "p.xml");
    let times = history.times(None);
    let listed = read("/w/src/a.test.ts\n/w/src/b.test.ts\n/w/t/test_a.py\n", None, "/w").unwrap();
    assert_eq!(listed.lister.name, "jest");
    let found = times.estimate(&listed.listing.tests, producer(listed.lister));
    let seconds: Vec<f64> = found.iter().map(|one| one.time.as_seconds()).collect();
    assert_eq!(seconds, [3.5, 3.5, 4.0]);
    assert_eq!((found[0].source, found[1].source), (Source::History, Source::All));
}

#[test]
fn runs_of_this_build_move_nothing() {
    let [pytest, _] = Suite::all();
    let mut history = History::new();
    history.add(&pytest.report(0..100, 7), "night", 1, "r.xml");
    let listing = pytest.listing(100);
    let plan = |history: &History| {
        deal(&request(&listing, pytest.lister, 4), &history.times(Some("today"))).view.plan
    };
    let before = plan(&history);
    history.add(&pytest.report(0..25, 9), "today", 2, "1.xml");
    assert_eq!(plan(&history), before);
    let open = deal(&request(&listing, pytest.lister, 4), &history.times(None)).view.plan;
    assert_ne!(open, before, "else the test above would show nothing");
}

#[test]
fn without_a_history_shards_have_equal_numbers_and_no_times() {
    let [pytest, _] = Suite::all();
    let listing = pytest.listing(10);
    let view = deal(&request(&listing, pytest.lister, 4), &Times::default()).view;
    let mut tests: Vec<u64> = view.shards.iter().map(|shard| shard.tests).collect();
    tests.sort_unstable();
    assert_eq!(tests, [2, 2, 3, 3]);
    assert!(view.balance.is_none() && view.longest.is_none() && view.dealt[0].seconds.is_none());
    assert!(view.notes[0].contains("knows none of these tests"), "{:?}", view.notes);
}

#[test]
fn an_older_report_is_a_list_of_its_tests() {
    let [pytest, _] = Suite::all();
    let listed = read(&pytest.report(0..3, 1), None, "/w").unwrap();
    assert_eq!((listed.format, listed.listing.tests.len()), ("junit", 3));
    assert_eq!(listed.listing.tests[0].word, "tests.part.test_00.TestIt::test_case[0-a::b]");
    assert!(read("<html>", None, "/w").is_err());
    assert!(read("x", Some("nonsense"), "/w").unwrap_err().to_string().contains("nextest"));
}

#[test]
fn shards_are_printed_as_their_runner_takes_them() {
    let lines = |runner: &str, text: &str, by, print| {
        let listed = read(text, Some(runner), "/w").unwrap();
        let all = &listed.listing.tests;
        let shard: Vec<&ListedTest> = all.iter().take(2).collect();
        let writing = Writing { lister: listed.lister, print, by, command: &[] };
        write(&writing, &shard, all).map(|written| written.lines)
    };
    let auto = |runner, text, by| lines(runner, text, by, Print::Auto).unwrap();
    assert_eq!(
        auto("pytest", "a.py::x\na.py::C::y\nb.py::z\n", By::Test),
        ["a.py::x", "a.py::C::y"]
    );
    assert_eq!(
        auto("nextest", "demo::api a\ndemo b\ndemo c\n", By::Test),
        ["-E", "(binary_id(=demo) & (test(=b))) | (binary_id(=demo::api) & (test(=a)))"]
    );
    let go = "TestA\nTestB\nok  \tex.com/a\t0.1s\nTestC\nok  \tex.com/b\t0.1s\n";
    assert_eq!(auto("go", go, By::File), ["ex.com/a"]);
    assert_eq!(auto("go", go, By::Test), ["-run", "^TestA$|^TestB$", "ex.com/a"]);
    assert_eq!(
        auto("jest", "/w/a.test.js\n/w/b.test.js\n", By::File),
        ["/w/a.test.js", "/w/b.test.js"]
    );
    let vitest = "a.test.ts > x\na.test.ts > y\n";
    assert_eq!(auto("vitest", vitest, By::File), ["a.test.ts"]);
    assert_eq!(lines("pytest", "a.py::C::y\n", By::Test, Print::Names).unwrap(), ["a.C::y"]);
    assert_eq!(auto("nextest", "", By::Test), [""; 0]);
    let listed = read("demo a\n", Some("nextest"), "/w").unwrap();
    let command = ["cargo", "nextest", "run", "-E", "test(a)"].map(str::to_owned);
    let (print, by) = (Print::Auto, By::Test);
    let writing = Writing { lister: listed.lister, print, by, command: &command };
    let all = &listed.listing.tests;
    let refused = write(&writing, &[&all[0]], all).unwrap_err();
    assert!(refused.to_string().contains("`-E` of the command"), "{refused}");
}

#[test]
fn a_review_sets_what_shards_took_beside_what_was_likely() {
    let [pytest, _] = Suite::all();
    let mut history = History::new();
    history.add(&pytest.report(0..400, 7), "night", 1, "r.xml");
    history.add(&pytest.report(0..100, 8), "today", 2, "shard-1.xml");
    history.add(&pytest.report(100..400, 8), "today", 2, "shard-2.xml");
    let request = TimesRequest { project: "p".into(), ..TimesRequest::default() };
    let view = review(&history.store, &request, None, &Unwatched).unwrap();
    let sum = |from: u64, to: u64, night| (from..to).map(|test| seconds(test, night)).sum::<f64>();
    assert_eq!(view.build.as_deref(), Some("today"));
    let shards: Vec<&str> = view.shards.iter().map(|shard| shard.shard.as_str()).collect();
    assert_eq!(shards, ["shard-2.xml", "shard-1.xml"]);
    let slow = &view.shards[0];
    assert!((slow.seconds - sum(100, 400, 8)).abs() < 0.2, "{slow:?}");
    assert!((slow.predicted_seconds.unwrap() - sum(100, 400, 7)).abs() < 0.2, "{slow:?}");
    let times = [Micros((sum(0, 100, 8) * 1e6) as u64), Micros((sum(100, 400, 8) * 1e6) as u64)];
    let wanted = Balance::of(times).unwrap().imbalance;
    assert!((view.real.unwrap().imbalance - wanted).abs() < 0.01);
    assert!(view.possible.unwrap().imbalance < 1.01);
    assert!(review(&history.store, &request, Some("other"), &Unwatched).is_err());
    // Reports that name their shard are put together by it.
    for (place, from) in [0, 100, 200].into_iter().enumerate() {
        let shard = ["1/2", "2/2", "2/2"][place];
        let xml = pytest.report(from..from + 100, 9);
        history.add_shard(&xml, "tomorrow", 3, &format!("{place}.xml"), Some(shard));
    }
    let view = review(&history.store, &request, None, &Unwatched).unwrap();
    let mut shards: Vec<(&str, u64)> =
        view.shards.iter().map(|shard| (shard.shard.as_str(), shard.tests)).collect();
    shards.sort_unstable();
    assert_eq!(shards, [("1/2", 100), ("2/2", 200)]);
}

#[test]
fn a_shard_of_thousands_of_nextest_tests_becomes_several_expressions_that_name_each_once() {
    let name = |test: u64| format!("module_with_a_name::case_number_{test:05}");
    let text: String =
        (0..9_000).map(|test| format!("shop::t{} {}\n", test % 2, name(test))).collect();
    let listed = read(&text, Some("nextest"), "/w").unwrap();
    let all = &listed.listing.tests;
    let (print, by) = (Print::Auto, By::Test);
    let writing = Writing { lister: listed.lister, print, by, command: &[] };
    let shard: Vec<&ListedTest> = all.iter().take(8_000).collect();
    let lines = write(&writing, &shard, all).unwrap().lines;
    assert!(lines.len() > 2 && lines.len().is_multiple_of(2));
    for pair in lines.chunks(2) {
        assert_eq!(pair[0], "-E");
        assert!(pair[1].len() <= crate::quarantine::emit::ARGUMENT_BYTES_MAX);
        assert_eq!(pair[1].matches('(').count(), pair[1].matches(')').count());
    }
    let text = lines.join("\n");
    let named: Vec<&str> =
        text.split("test(=").skip(1).map(|part| part.split(')').next().unwrap()).collect();
    let wanted: BTreeSet<String> = (0..8_000).map(name).collect();
    assert_eq!(named.len(), 8_000);
    assert_eq!(named.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), wanted);
}

/// A real list and the report of the same suite, as their runner wrote them.
macro_rules! real {
    ($runner:literal, $list:literal) => {
        (
            $runner,
            include_str!(concat!("../../../fixtures/listing/", $list)),
            include_str!(concat!("../../../fixtures/listing/", $runner, ".xml")),
        )
    };
}

const REAL: [(&str, &str, &str); 11] = [
    real!("pytest", "pytest.txt"),
    real!("nextest", "nextest.json"),
    real!("nextest", "nextest.txt"),
    real!("go", "go.json"),
    real!("go", "go.txt"),
    real!("jest", "jest.json"),
    real!("jest", "jest.txt"),
    real!("vitest", "vitest.json"),
    real!("vitest", "vitest.txt"),
    real!("playwright", "playwright.json"),
    real!("playwright", "playwright.txt"),
];

/// The classes and names of a report that ran, without the sub-tests of go, which no list has.
fn ran_of(xml: &str) -> BTreeSet<(String, String)> {
    let reading = junit::read(xml.as_bytes(), &ReadOptions::default());
    let tests = reading.report.tests.iter().map(|test| TestName::of(&test));
    let tests = tests
        .filter(|test| !(test.classname.starts_with("example.com") && test.name.contains('/')));
    tests.map(|test| (test.classname, test.name.trim().to_owned())).collect()
}

#[test]
fn every_test_of_a_real_list_is_known_from_the_report_of_its_runner() {
    for (runner, list, xml) in REAL {
        // As it is read without --runner.
        let listed = read(list, None, "/w").unwrap();
        assert_eq!(listed.lister.name, runner, "{list}");
        let mut history = History::new();
        history.add(xml, "night", 1, "r.xml");
        let request = request(&listed.listing, listed.lister, 2);
        let view = deal(&request, &history.times(None)).view;
        let strange: Vec<_> = view
            .dealt
            .iter()
            .filter(|test| !["history", "skipped"].contains(&test.source))
            .map(|test| &test.test)
            .collect();
        assert!(strange.is_empty(), "{runner}: {strange:?}");
        let wanted = ran_of(xml);
        let tests = listed.listing.tests.iter().map(|one| &one.test);
        let names: BTreeSet<_> =
            tests.map(|test| (test.classname.clone(), test.name.trim().to_owned())).collect();
        let lacks: Vec<_> = wanted.difference(&names).map(|(_, name)| name.as_str()).collect();
        match runner {
            // It lists only files.
            "jest" => assert_eq!(names.len(), 1),
            "vitest" => assert_eq!(lacks, ["Outer > is skipped", "Outer > is to do"]),
            _ => assert!(lacks.is_empty(), "{runner} does not list {lacks:?}"),
        }
    }
}

#[test]
fn tests_of_one_line_of_playwright_are_all_counted_and_named_by_one_word() {
    let (_, list, xml) = REAL[9];
    let listed = read(list, None, "/w").unwrap();
    assert_eq!(listed.listing.tests.len(), 10);
    let mut history = History::new();
    history.add(xml, "night", 1, "r.xml");
    let request = request(&listed.listing, listed.lister, 3);
    let outcome = deal(&request, &history.times(None));
    let mut words = Vec::new();
    for place in 0..3 {
        let tests = outcome.tests_of(&listed.listing, Shard::new(place, 3).unwrap());
        let writing =
            Writing { lister: listed.lister, print: Print::Auto, by: By::Test, command: &[] };
        words.extend(write(&writing, &tests, &listed.listing.tests).unwrap().lines);
    }
    words.sort_unstable();
    let lines = ["a.spec.js:2", "a.spec.js:4", "a.spec.js:5", "a.spec.js:6", "a.spec.js:7"];
    let deep = ["deep/a.spec.js:2", "deep/a.spec.js:3", "deep/a.spec.js:4"];
    let wanted: Vec<_> = lines.iter().chain(&deep).map(|end| format!("/w/tests/{end}")).collect();
    assert_eq!(words, wanted);
}

#[test]
fn tests_that_their_runner_cannot_tell_apart_are_in_one_shard() {
    for place in [3, 7] {
        let (runner, list, xml) = REAL[place];
        let listed = read(list, None, "/w").unwrap();
        let mut history = History::new();
        history.add(xml, "night", 1, "r.xml");
        for shards in 2..6 {
            let request = request(&listed.listing, listed.lister, shards);
            let outcome = deal(&request, &history.times(None));
            for shard in 0..shards {
                let shard = Shard::new(shard, shards).unwrap();
                let tests = outcome.tests_of(&listed.listing, shard);
                let writing = Writing {
                    lister: listed.lister,
                    print: Print::Auto,
                    by: By::Test,
                    command: &[],
                };
                let written = write(&writing, &tests, &listed.listing.tests).unwrap();
                let more = written.notes.iter().find(|note| note.contains("also runs"));
                assert_eq!(more, None, "{runner} {shard}");
            }
        }
    }
}

#[test]
fn nodes_that_check_out_to_other_directories_say_the_same_plan() {
    for (runner, list, _) in REAL {
        let plan = |list: &str, directory: &str| {
            let listed = read(list, None, directory).unwrap();
            let outcome = deal(&request(&listed.listing, listed.lister, 2), &Times::default());
            outcome.view.plan
        };
        let moved = list.replace("\"/w", "\"/agent-2/z").replace("\n/w/", "\n/agent-2/z/");
        let moved =
            moved.strip_prefix("/w/").map_or(moved.clone(), |rest| format!("/agent-2/z/{rest}"));
        assert_eq!(plan(list, "/w"), plan(&moved, "/agent-2/z"), "{runner}");
    }
}

#[test]
fn without_a_build_the_first_shards_of_a_run_do_not_move_the_others() {
    let suite = &Suite::all()[0];
    let mut history = History::new();
    // More runs than are read, so that each that is added would push one out.
    for night in 0..u64::from(DEFAULT_RUNS) + 3 {
        history.add(&suite.report(0..20, night), &format!("n{night}"), night as i64, "r.xml");
    }
    let listing = suite.listing(20);
    let of = ShardsOf { revision: "c0ffee".into(), all: 2 };
    let deal_now = |history: &History, without_shards: Option<&ShardsOf>| {
        let request_of = TimesRequest {
            project: "p".into(),
            without_shards: without_shards.cloned(),
            ..TimesRequest::default()
        };
        let times = Times::read(&history.store, &request_of, &Unwatched).unwrap();
        deal(&request(&listing, suite.lister, 2), &times)
    };
    let before = deal_now(&history, Some(&of));
    assert_eq!(before.view.runs, DEFAULT_RUNS);
    let told = |outcome: &SplitOutcome| {
        outcome.view.notes.iter().filter(|note| note.contains("left out")).count()
    };
    assert_eq!(told(&before), 0);
    let slow = suite.report(0..10, 999).replace("time=\"0", "time=\"70");
    history.add_as(&slow, None, Some("c0ffee"), 500, "1.xml", Some("1/2"));
    let after = deal_now(&history, Some(&of));
    assert_eq!(after.shard_of, before.shard_of);
    let seconds = |outcome: &SplitOutcome| {
        outcome.view.dealt.iter().map(|test| test.seconds).collect::<Vec<_>>()
    };
    assert_eq!(seconds(&after), seconds(&before));
    assert_eq!(told(&after), 1);
    // Seen with it, the window moves.
    assert_ne!(seconds(&deal_now(&history, None)), seconds(&before));
    // Another revision, another number of shards and a named build are history like any other.
    for (build, revision, shard) in
        [(None, "beef", "1/2"), (None, "c0ffee", "1/3"), (Some("b"), "c0ffee", "1/2")]
    {
        let xml = slow.replace("70", &format!("8{}", shard.len() + revision.len()));
        let xml = format!("<!-- {shard} {build:?} -->{xml}");
        history.add_as(&xml, build, Some(revision), 600, "o.xml", Some(shard));
    }
    let others = deal_now(&history, Some(&of));
    assert_eq!(told(&others), 1);
    assert_ne!(seconds(&others), seconds(&before));
}

#[test]
fn the_runs_of_a_build_push_no_others_out_of_the_window() {
    let suite = &Suite::all()[0];
    let mut history = History::new();
    for night in 0..u64::from(DEFAULT_RUNS) + 3 {
        history.add(&suite.report(0..20, night), &format!("n{night}"), night as i64, "r.xml");
    }
    history.add_shard(&suite.report(0..10, 999), "now", 500, "1.xml", Some("1/2"));
    assert_eq!(history.times(Some("now")).runs, DEFAULT_RUNS);
}

#[test]
fn without_a_build_a_review_takes_the_newest_report_of_each_shard_of_the_commit() {
    let suite = &Suite::all()[0];
    let mut history = History::new();
    history.add(&suite.report(0..20, 1), "night", 1, "r.xml");
    let shards =
        [("c0", "1/2", 0..5), ("c1", "1/2", 0..6), ("c1", "1/2", 0..8), ("c1", "2/2", 8..20)];
    for (place, (revision, shard, tests)) in shards.into_iter().enumerate() {
        let xml = suite.report(tests, 10 + place as u64);
        history.add_as(&xml, None, Some(revision), 10 + place as i64, "s.xml", Some(shard));
    }
    let request = TimesRequest { project: "p".into(), ..TimesRequest::default() };
    let view = review(&history.store, &request, None, &Unwatched).unwrap();
    let mut found: Vec<_> =
        view.shards.iter().map(|shard| (shard.shard.as_str(), shard.tests)).collect();
    found.sort_unstable();
    assert_eq!(found, [("1/2", 8), ("2/2", 12)]);
    assert!(view.notes[0].contains("newest reports"), "{:?}", view.notes);
}
