//! Random histories: whatever order reports come in, the history is the same, and every count is
//! the one that the raw reports give.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::model::{Attempt, Micros, PartFacts, Variant, VariantIndex};
use crate::store::query::ResultRow;

const HISTORIES: u32 = 300;
const DIALECTS: [&str; 2] = ["browser=chrome", "browser=firefox"];

#[derive(Debug, Clone)]
struct Record {
    test: u8,
    dialect: Option<u16>,
    attempts: Vec<Outcome>,
    duration: Option<u32>,
}

#[derive(Debug, Clone)]
pub(super) struct Document {
    build: u8,
    os: Option<bool>,
    branch: Option<u8>,
    lane: u8,
    url: Option<u8>,
    stated: Option<i64>,
    started: i64,
    complete: bool,
    suite_failures: u8,
    file: u8,
    records: Vec<Record>,
}

fn record() -> impl Strategy<Value = Record> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Passed),
        3 => Just(Outcome::Failed),
        1 => Just(Outcome::Errored),
        1 => Just(Outcome::Skipped),
    ];
    let attempts = prop_oneof![
        3 => proptest::collection::vec(outcome.clone(), 1),
        1 => proptest::collection::vec(outcome, 1..4),
    ];
    let dialect = proptest::option::weighted(0.2, 0..2_u16);
    (0..6_u8, dialect, attempts, proptest::option::of(any::<u32>())).prop_map(
        |(test, dialect, attempts, duration)| Record { test, dialect, attempts, duration },
    )
}

pub(super) fn document() -> impl Strategy<Value = Document> {
    let context = (
        0..4_u8,
        proptest::option::weighted(0.3, any::<bool>()),
        proptest::option::of(0..3_u8),
        0..3_u8,
        proptest::option::of(0..3_u8),
        proptest::option::weighted(0.2, 0..50_i64),
    );
    let contents = (
        0..50_i64,
        proptest::bool::weighted(0.9),
        prop_oneof![5 => Just(0_u8), 1 => 1..3_u8],
        0..3_u8,
        proptest::collection::vec(record(), 0..7),
    );
    (context, contents).prop_map(|(context, contents)| {
        let (build, os, branch, lane, url, stated) = context;
        let (started, complete, suite_failures, file, mut records) = contents;
        let mut seen = BTreeSet::new();
        records.retain(|record| seen.insert((record.test, record.dialect)));
        Document {
            build,
            os,
            branch,
            lane,
            url,
            stated,
            started,
            complete,
            suite_failures,
            file,
            records,
        }
    })
}

/// What the reader makes of the attempts of one test in one report.
fn understood(attempts: &[Outcome]) -> (Outcome, Repeat) {
    let bad = attempts.iter().filter(|outcome| outcome.is_bad()).count();
    let last = *attempts.last().unwrap();
    match (attempts.len(), bad) {
        (1, _) => (last, Repeat::Single),
        (all, 0) if attempts.iter().filter(|one| **one == Outcome::Passed).count() == all => {
            (Outcome::Passed, Repeat::Repeated)
        }
        (all, bad) if bad == all => (last, Repeat::Retried),
        (all, bad) if bad == all - 1 && last == Outcome::Passed => (last, Repeat::Retried),
        _ => (worst(attempts.iter().copied()), Repeat::Ambiguous),
    }
}

fn worst(outcomes: impl Iterator<Item = Outcome>) -> Outcome {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Skipped => 0,
        Outcome::Passed => 1,
        Outcome::Failed => 2,
        Outcome::Errored => 3,
    };
    outcomes.max_by_key(rank).unwrap()
}

fn variant_of(document: &Document, dialect: Option<u16>) -> String {
    let os = document.os.map(|linux| if linux { "os=linux" } else { "os=macos" });
    let dialect = dialect.map(|place| DIALECTS[place as usize]);
    dialect.into_iter().chain(os).collect::<Vec<_>>().join(",")
}

impl Document {
    fn hash(&self) -> ReportHash {
        ReportHash::of(format!("{self:?}").as_bytes())
    }

    fn meta(&self) -> ReportMeta {
        ReportMeta {
            context: RunContext {
                project: format!("p{}", self.build % 2),
                revision: Some(format!("r{}", self.build / 2)),
                branch: self.branch.map(|branch| format!("b{branch}")),
                lane: Lane::from_code(self.lane).unwrap(),
                variant: variant_of(self, None).parse::<Variant>().unwrap(),
                build: Some(self.build.to_string()),
                attempt: 1,
                url: self.url.map(|url| format!("u{url}")),
                started: self.stated.map(Timestamp),
                ..RunContext::default()
            },
            hash: self.hash(),
            source: format!("{}.xml", self.started),
            started: Timestamp(self.started),
            group: None,
            warnings: 0,
            part: PartFacts {
                shard: self.url.map(|url| format!("{}/3", url + 1)),
                ..PartFacts::default()
            },
        }
    }

    fn report(&self) -> Report {
        let mut report = Report { complete: self.complete, ..Report::default() };
        report.variants = DIALECTS.iter().map(|text| text.parse().unwrap()).collect();
        for record in &self.records {
            self.add(record, &mut report);
        }
        for place in 0..self.suite_failures {
            let failure = report.failures.len() as u32;
            report.failures.push(Failure { message: "suite".into(), ..Failure::default() });
            let suite = format!("suite {place}");
            report.suite_failures.push(crate::model::SuiteFailure { suite, failure });
        }
        report
    }

    fn add(&self, record: &Record, report: &mut Report) {
        let name = format!("t{}", record.test);
        let file = format!("f{}", self.file);
        let identity = TestIdentity {
            id: TestId(KeyHasher::new("t").part(name.as_bytes()).finish()),
            suite: "",
            classname: "c",
            name: &name,
            file: &file,
            qualified: true,
        };
        let test = report.tests.intern(&identity).unwrap();
        let (outcome, repeat) = understood(&record.attempts);
        let mut attempts = Vec::new();
        for (place, &outcome) in record.attempts.iter().enumerate() {
            let failure = outcome.is_bad().then_some(report.failures.len() as u32);
            if outcome.is_bad() {
                let message = format!("{name} attempt {place}");
                report.failures.push(Failure { message, ..Failure::default() });
            }
            let duration = record.duration.map(|micros| Micros(u64::from(micros)));
            attempts.push(Attempt { outcome, duration, failure });
        }
        let last = attempts[attempts.len() - 1];
        if attempts.len() == 1 {
            attempts.clear();
        }
        report.counts.add(outcome, repeat == Repeat::Retried && outcome == Outcome::Passed);
        let worker = ["", "gw0", "gw1"][usize::from(record.test + self.file) % 3];
        let worker = report.workers.number(worker);
        report.workers.set(report.results.len(), worker);
        report.results.push(TestResult {
            test,
            variant: record.dialect.and_then(|place| VariantIndex::new(usize::from(place))),
            outcome,
            repeat,
            duration: last.duration,
            failure: last.failure,
            attempts: attempts.into(),
        });
    }
}

/// A run as the raw documents give it: build and variant, and for each test all that is known.
#[derive(Debug, PartialEq, Eq, Default)]
struct Recount {
    reports: u32,
    started: i64,
    complete: bool,
    bad_attempts: usize,
    cases: u64,
    results: BTreeMap<String, (Outcome, Repeat, u32, u32)>,
}

/// What one document says about one run.
type Part<'a> = (&'a Document, Vec<&'a Record>);
type Recounts = BTreeMap<(String, String), Recount>;

fn recount(documents: &[Document]) -> Recounts {
    let mut by_run: BTreeMap<(String, String), Vec<Part<'_>>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for document in documents.iter().filter(|document| seen.insert(document.hash())) {
        let mut dialects: BTreeMap<Option<u16>, Vec<&Record>> = BTreeMap::new();
        for record in &document.records {
            dialects.entry(record.dialect).or_default().push(record);
        }
        if dialects.is_empty() {
            dialects.insert(None, Vec::new());
        }
        for (dialect, records) in dialects {
            let key = (document.build.to_string(), variant_of(document, dialect));
            by_run.entry(key).or_default().push((document, records));
        }
    }
    by_run.into_iter().map(|(key, reports)| (key, recount_run(reports))).collect()
}

fn recount_run(mut reports: Vec<Part<'_>>) -> Recount {
    reports.sort_by_key(|(document, _)| (document.started, document.hash()));
    let stated = reports.iter().filter_map(|(document, _)| document.stated).min();
    let first = reports.iter().map(|(document, _)| document.started).min();
    let mut run = Recount {
        reports: reports.len() as u32,
        started: stated.or(first).unwrap(),
        complete: reports.iter().all(|(document, _)| document.complete),
        ..Recount::default()
    };
    for (_, records) in reports {
        run.cases += records.len() as u64;
        let name = |record: &Record| format!("t{}", record.test);
        let was_bad =
            |record: &&Record| run.results.get(&name(record)).is_some_and(|r| r.0.is_bad());
        let rerun = !records.is_empty() && records.iter().all(was_bad);
        for record in records {
            let (outcome, repeat) = understood(&record.attempts);
            let bad = record.attempts.iter().filter(|outcome| outcome.is_bad()).count();
            run.bad_attempts += bad;
            let now = (outcome, repeat, record.attempts.len() as u32, bad as u32);
            let Some(before) = run.results.get(&name(record)).copied() else {
                run.results.insert(name(record), now);
                continue;
            };
            run.results.insert(name(record), both(before, now, rerun));
        }
    }
    run
}

fn both(
    before: (Outcome, Repeat, u32, u32),
    now: (Outcome, Repeat, u32, u32),
    rerun: bool,
) -> (Outcome, Repeat, u32, u32) {
    let skipped = Outcome::Skipped;
    if before.0 != skipped && now.0 == skipped {
        return before;
    }
    if before.0 == skipped && now.0 != skipped {
        return now;
    }
    let ambiguous = before.1 == Repeat::Ambiguous || now.1 == Repeat::Ambiguous;
    let retried = before.1 == Repeat::Retried || now.1 == Repeat::Retried;
    let (outcome, repeat) = if rerun {
        let kept = before.1 == Repeat::Ambiguous;
        (now.0, if kept { Repeat::Ambiguous } else { Repeat::Retried })
    } else if before.0 == skipped {
        (skipped, Repeat::Repeated)
    } else if ambiguous || before.0.is_bad() != now.0.is_bad() {
        (worst([before.0, now.0].into_iter()), Repeat::Ambiguous)
    } else {
        let repeat = if retried { Repeat::Retried } else { Repeat::Repeated };
        (worst([before.0, now.0].into_iter()), repeat)
    };
    (outcome, repeat, before.2 + now.2, before.3 + now.3)
}

fn stored(store: &SqliteStore) -> Recounts {
    let mut all = Recounts::new();
    for project in store.projects().unwrap() {
        let runs = store.runs(&project.name, &Window::default()).unwrap();
        let mut folded: Vec<Vec<ResultRow>> = vec![Vec::new(); runs.len()];
        store.fold(&runs, &mut |place, rows| folded[place] = rows.to_vec()).unwrap();
        for (run, rows) in runs.iter().zip(folded) {
            let alone = std::slice::from_ref(run);
            let bad = store.bad_results(&project.name, alone, None).unwrap();
            let numbers: Vec<_> = rows.iter().map(|row| row.test).collect();
            let names = store.tests(&numbers).unwrap();
            let result =
                |row: &ResultRow| (row.outcome, row.repeat, row.attempts, row.bad_attempts);
            let recount = Recount {
                reports: run.reports,
                started: run.started.0,
                complete: run.complete,
                bad_attempts: bad.len(),
                cases: run.counts.cases,
                results: names
                    .iter()
                    .map(|test| test.name.clone())
                    .zip(rows.iter().map(result))
                    .collect(),
            };
            all.insert((run.build.clone().unwrap(), run.variant.clone()), recount);
        }
    }
    all
}

pub(super) fn ingest(store: &mut SqliteStore, documents: &[Document]) {
    append(store, documents.iter().map(|document| (document.meta(), document.report())).collect());
}

/// The lines that only one of two histories has.
fn differences(store: &SqliteStore, expected: &Contents) -> Vec<String> {
    let found: BTreeSet<String> = store.contents().unwrap().0.into_iter().collect();
    let expected: BTreeSet<String> = expected.0.iter().cloned().collect();
    found.symmetric_difference(&expected).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: HISTORIES, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_gives_one_history(
        (documents, shuffled) in proptest::collection::vec(document(), 1..9)
            .prop_flat_map(|documents| (Just(documents.clone()), Just(documents).prop_shuffle())),
        cuts in proptest::collection::vec(1..4_usize, 1..5),
        share in any::<proptest::sample::Index>(),
    ) {
        let places = [place(), place(), place(), place()];
        let [mut whole, mut pieces, mut left, mut right] = places.each_ref().map(create);
        ingest(&mut whole, &documents);
        prop_assert_eq!(stored(&whole), recount(&documents));
        let contents = whole.contents().unwrap();

        // In pieces, in another order, the first piece once more at the end.
        let mut rest = shuffled.as_slice();
        for cut in cuts.iter().cycle() {
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            ingest(&mut pieces, piece);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        ingest(&mut pieces, &shuffled[..cuts[0].min(shuffled.len())]);
        prop_assert_eq!(differences(&pieces, &contents), [] as [String; 0]);

        // As two histories that overlap, merged both ways.
        let middle = share.index(shuffled.len());
        ingest(&mut left, &shuffled[..=middle]);
        ingest(&mut right, &shuffled[middle..]);
        drop(right);
        left.merge_from(&places[3].path).unwrap();
        prop_assert_eq!(differences(&left, &contents), [] as [String; 0]);
        let mut right = create(&places[3]);
        drop(left);
        right.merge_from(&places[2].path).unwrap();
        prop_assert_eq!(differences(&right, &contents), [] as [String; 0]);
        prop_assert_eq!(right.check().unwrap(), vec![]);
    }
}
