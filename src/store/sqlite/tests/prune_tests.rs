//! Pruning: what goes, what stays, and what happens when others write meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use proptest::prelude::*;

use super::history_tests::{Document, document, ingest};
use super::*;
use crate::store::sqlite::prune::{self, Piece};
use crate::store::watcher::{Unwatched, Watcher};

/// Pieces so small that every history has several.
const SMALL: Piece = Piece { runs: 1, failures: 1 };

/// Runs that start at these times, each of two tests, one of which fails with a text of its own.
fn filled(place: &Place, starts: &[i64]) -> SqliteStore {
    let mut store = create(place);
    for start in starts {
        let name = start.to_string();
        append(&mut store, vec![(meta(Some(&name), *start, &name), own_failure(&name))]);
    }
    store
}

/// A passed and a failed test, whose failure no other report has.
fn own_failure(name: &str) -> Report {
    let mut report = report(".F");
    report.failures[0].text = format!("only in {name}");
    report
}

fn starts(store: &SqliteStore) -> Vec<i64> {
    store.runs("p", &Window::default()).unwrap().iter().map(|run| run.started.0).collect()
}

fn prune_small(store: &mut SqliteStore, keep: Keep, watcher: &dyn Watcher) -> Pruned {
    let plans = store.plan_prune(None, keep).unwrap();
    prune::prune(store, &plans, SMALL, watcher).unwrap()
}

#[test]
fn a_run_goes_only_where_every_rule_lets_it_go() {
    const DAY: i64 = Timestamp::DAY_MS;
    let place = place();
    let store = filled(&place, &[DAY, 2 * DAY, 3 * DAY, 10 * DAY]);
    let going = |keep: Keep| {
        let plans = store.plan_prune(None, keep).unwrap();
        let plan = &plans[0];
        assert_eq!(plan.goes.runs + plan.stays.runs, 4, "{keep:?}");
        assert_eq!(plan.goes.results, 2 * plan.goes.runs, "{keep:?}");
        plan.goes.runs
    };
    let [runs, days, since] = [
        |runs| Keep { runs: Some(runs), ..Keep::default() },
        |days| Keep { days: Some(days), ..Keep::default() },
        |day: u32| Keep { since: Some(Timestamp(i64::from(day) * DAY)), ..Keep::default() },
    ];
    assert_eq!([1, 2, 4, 9].map(|n| going(runs(n))), [3, 2, 0, 0]);
    // The last run is of day 10: seven days before it is day 3, which is kept.
    assert_eq!([1, 7, 8, 99].map(|n| going(days(n))), [3, 2, 1, 0]);
    assert_eq!([1, 2, 3, 11].map(|n| going(since(n))), [0, 1, 2, 4]);
    assert_eq!(going(Keep { runs: Some(2), ..since(11) }), 2);
    assert_eq!(going(Keep { days: Some(8), ..runs(1) }), 1);
    assert_eq!(going(Keep::default()), 0);
    let other = store.plan_prune(Some("other"), runs(1)).unwrap();
    assert_eq!(other, []);
    let plan = &store.plan_prune(Some("p"), runs(2)).unwrap()[0];
    assert_eq!((plan.goes.first, plan.goes.last), (Some(Timestamp(DAY)), Some(Timestamp(2 * DAY))));
    assert_eq!(plan.stays.first, Some(Timestamp(3 * DAY)));
    assert_eq!(starts(&store), [DAY, 2 * DAY, 3 * DAY, 10 * DAY]);
}

#[test]
fn runs_go_with_what_only_they_had_and_tests_keep_their_first_day() {
    let place = place();
    let mut store = filled(&place, &[10, 20, 30]);
    let shared = ("40", "30");
    append(&mut store, vec![(meta(Some(shared.0), 40, shared.0), own_failure(shared.1))]);
    let plans = store.plan_prune(None, Keep { runs: Some(1), ..Keep::default() }).unwrap();
    let pruned = store.prune(&plans, &Unwatched).unwrap();
    // The failure of run 30 is that of run 40 too.
    assert_eq!((pruned.runs, pruned.failures), (3, 2));
    assert_eq!(starts(&store), [40]);
    assert_eq!(store.check().unwrap(), []);
    let tests = store.all_tests("p").unwrap();
    assert_eq!(tests.iter().map(|test| test.first_seen.0).collect::<Vec<_>>(), [10, 10]);
    let info = store.info().unwrap();
    assert_eq!((info.runs, info.reports, info.results, info.failures), (1, 1, 2, 1));
    let again = store.prune(&plans, &Unwatched).unwrap();
    assert_eq!(again, Pruned::default());
}

#[test]
fn names_that_no_run_has_any_more_go_and_shared_ones_stay() {
    let place = place();
    let mut store = create(&place);
    for (start, revision, branch, variant) in
        [(10, "old", "topic", "os=linux"), (20, "abc", "main", ""), (30, "abc", "main", "")]
    {
        let name = start.to_string();
        let mut meta = meta(Some(&name), start, &name);
        meta.context.revision = Some(revision.into());
        meta.context.branch = Some(branch.into());
        meta.context.variant = variant.parse().unwrap();
        append(&mut store, vec![(meta, report("."))]);
    }
    let pruned = prune_small(&mut store, Keep { runs: Some(1), ..Keep::default() }, &Unwatched);
    assert_eq!((pruned.runs, pruned.names), (2, 3));
    let run = &store.runs("p", &Window::default()).unwrap()[0];
    assert_eq!((run.revision.as_deref(), run.branch.as_deref()), (Some("abc"), Some("main")));
}

#[test]
fn the_texts_of_skipped_tests_stay_while_a_run_has_them() {
    let place = place();
    let mut store = create(&place);
    for start in [10, 20] {
        let name = start.to_string();
        let mut report = report("s");
        report
            .failures
            .push(Failure { message: format!("skipped in {name}"), ..Failure::default() });
        report.results[0].failure = Some(0);
        append(&mut store, vec![(meta(Some(&name), start, &name), report)]);
    }
    let pruned = prune_small(&mut store, Keep { runs: Some(1), ..Keep::default() }, &Unwatched);
    assert_eq!((pruned.runs, pruned.failures), (1, 1));
    assert_eq!(store.check().unwrap(), []);
}

/// Does something at every step that it watches, from a connection of its own.
struct Meddler<F>(Mutex<F>, Mutex<&'static str>);

impl<F: FnMut(&'static str) + Send> Watcher for Meddler<F> {
    fn phase(&self, name: &'static str) {
        *self.1.lock().unwrap() = name;
        (self.0.lock().unwrap())(name);
    }

    fn steps(&self, _all: u64) {}

    fn step(&self) {
        let phase = *self.1.lock().unwrap();
        (self.0.lock().unwrap())(phase);
    }
}

#[test]
fn others_write_between_the_pieces_and_what_they_name_stays() {
    let place = place();
    let mut store = filled(&place, &[10, 20, 30, 40, 50]);
    let mut other = create(&place);
    // New runs come in meanwhile, some with the very failures that are about to go.
    let mut named = ["30", "40", "10"].into_iter();
    let mut next = 100;
    let meddle = |phase: &'static str| {
        let failure = match phase {
            "removing runs" => "new",
            "removing failures" if next >= 105 => named.next().unwrap_or("new"),
            _ => "new",
        };
        next += 1;
        let name = next.to_string();
        append(&mut other, vec![(meta(Some(&name), next, &name), own_failure(failure))]);
    };
    let pruned = {
        let meddler = Meddler(Mutex::new(meddle), Mutex::new(""));
        prune_small(&mut store, Keep { runs: Some(1), ..Keep::default() }, &meddler)
    };
    assert_eq!(pruned.runs, 4);
    assert_eq!(store.check().unwrap(), []);
    let kept = starts(&store);
    assert_eq!((kept[0], kept.len() as i64), (50, 1 + next - 100));
    let all: Vec<_> = store.runs("p", &Window::default()).unwrap();
    let bad = store.bad_results("p", &all, None).unwrap();
    let numbers: Vec<_> = bad.iter().filter_map(|row| row.failure).collect();
    let texts = store.failures(&numbers).unwrap().into_iter().map(|failure| failure.text);
    let texts: BTreeSet<String> = texts.collect();
    for name in ["30", "40", "10", "new", "50"] {
        assert!(texts.contains(&format!("only in {name}")), "{name}: {texts:?}");
    }
    assert_eq!(store.info().unwrap().failures, texts.len() as u64);
}

#[test]
fn a_prune_that_was_cut_off_is_finished_by_another() {
    let whole = place();
    let mut expected = filled(&whole, &[10, 20, 30, 40, 50]);
    let keep = Keep { runs: Some(2), ..Keep::default() };
    prune_small(&mut expected, keep, &Unwatched);
    for stop_at in 1..8 {
        let place = place();
        let mut store = filled(&place, &[10, 20, 30, 40, 50]);
        let mut steps = 0;
        let stop = |_: &'static str| {
            steps += 1;
            assert!(steps < stop_at, "cut off");
        };
        let stopper = Meddler(Mutex::new(stop), Mutex::new(""));
        let cut = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            prune_small(&mut store, keep, &stopper)
        }));
        assert!(cut.is_err());
        assert_eq!(store.check().unwrap(), [], "cut off at {stop_at}");
        prune_small(&mut store, keep, &Unwatched);
        assert_eq!(store.contents().unwrap(), expected.contents().unwrap(), "{stop_at}");
    }
}

#[test]
fn shrinking_gives_free_pages_back_and_changes_nothing_else() {
    let place = place();
    let mut store = create(&place);
    for build in 0..40_i64 {
        let name = build.to_string();
        let mut report = report(&".F".repeat(40));
        for failure in &mut report.failures {
            failure.text = format!("{} {name}", failure.message).repeat(9);
        }
        append(&mut store, vec![(meta(Some(&name), build, &name), report)]);
    }
    prune_small(&mut store, Keep { runs: Some(2), ..Keep::default() }, &Unwatched);
    let contents = store.contents().unwrap();
    let before = store.info().unwrap();
    assert!(before.free_bytes > 0, "{before:?}");
    store.shrink().unwrap();
    let after = store.info().unwrap();
    assert_eq!((after.free_bytes, after.schema), (0, SCHEMA));
    assert!(after.file_bytes < before.file_bytes, "{before:?} {after:?}");
    assert_eq!(store.contents().unwrap(), contents);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn a_damaged_report_stops_the_search_for_what_nothing_names() {
    let place = place();
    let mut store = filled(&place, &[10, 20, 30]);
    let raw = Connection::open(&place.path).unwrap();
    raw.execute_batch("UPDATE report SET segment = x'0102' WHERE report_id = 3").unwrap();
    let plans = store.plan_prune(None, Keep { runs: Some(2), ..Keep::default() }).unwrap();
    let error = store.prune(&plans, &Unwatched).unwrap_err();
    assert!(matches!(error, StoreError::Segment { .. }), "{error}");
    assert_eq!(store.info().unwrap().failures, 3);
}

/// What the history says of the last `runs` runs of each project, from what it said of all: every
/// line of a run names its key, and a failure stays where such a line names it.
fn expected(store: &SqliteStore, runs: u32) -> Vec<String> {
    // The keys of the runs that stay, and their projects as lines show them.
    let mut kept = BTreeMap::new();
    for project in store.projects().unwrap() {
        let all = store.runs(&project.name, &Window::default()).unwrap();
        let mut all: Vec<_> = all.iter().map(|run| (run.started, run.key)).collect();
        all.sort_unstable();
        let last = all.iter().rev().take(runs as usize);
        kept.extend(last.map(|(_, key)| (key.to_string(), format!("{:?}", project.name))));
    }
    let lines = store.contents().unwrap().0;
    let project_of = |line: &str| line.split(' ').find_map(|word| kept.get(word).cloned());
    let word = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let (apart, of_runs): (Vec<String>, Vec<String>) =
        lines.into_iter().partition(|line| ["test", "failure"].contains(&word(line).as_str()));
    let mut stays: Vec<String> =
        of_runs.into_iter().filter(|line| project_of(line).is_some()).collect();
    let mut named: BTreeSet<(String, String)> = BTreeSet::new();
    for line in &stays {
        let project = project_of(line).unwrap_or_default();
        named.extend(line.split(' ').map(|word| (project.clone(), word.to_owned())));
    }
    let is_named = |line: &String| {
        let mut words = line.split(' ').map(str::to_owned);
        let (kind, project, id) = (words.next(), words.next(), words.next());
        kind.as_deref() == Some("test")
            || project.zip(id).is_some_and(|of_project| named.contains(&of_project))
    };
    stays.extend(apart.into_iter().filter(is_named));
    stays.sort_unstable();
    stays
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stays_is_what_was_there_of_the_runs_that_stay(
        documents in proptest::collection::vec(document(), 1..9),
        later in proptest::collection::vec(document(), 0..3),
        runs in 1..5_u32,
    ) {
        let place = place();
        let mut store = create(&place);
        ingest(&mut store, &documents);
        let expected = expected(&store, runs);
        prune_small(&mut store, Keep { runs: Some(runs), ..Keep::default() }, &Unwatched);
        prop_assert_eq!(store.contents().unwrap().0, expected);
        prop_assert_eq!(store.check().unwrap(), vec![]);
        let later: Vec<Document> = later;
        ingest(&mut store, &later);
        prop_assert_eq!(store.check().unwrap(), vec![]);
    }
}
