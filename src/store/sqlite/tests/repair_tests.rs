//! Damage of every kind: found, and repaired as far as anything is left.

use std::collections::HashSet;

use super::answer_tests;
use super::append_tests::without_first;
use super::*;
use crate::model::random::Random;
use crate::store::sqlite::open::with_ending;
use crate::store::sqlite::repair::{Repaired, repair_in_place, repair_to};

pub(super) const PAGE: usize = 16_384;

/// A history whose larger tables have pages below others, and runs with and without a build.
fn many(place: &Place) -> Vec<u8> {
    let mut store = create(place);
    for no in 0..12_usize {
        let build = (no % 3 > 0).then(|| (no / 2).to_string());
        let mut strip = ".F..E.s.".repeat(40 + no);
        strip.replace_range(no..=no, "F");
        let mut report = report(&strip);
        report.suite_failures.push(crate::model::SuiteFailure {
            suite: format!("suite {no}"),
            failure: (no % report.failures.len()) as u32,
        });
        let mut meta = meta(build.as_deref(), 10 + no as i64, &no.to_string());
        meta.context.revision = Some(format!("revision-{}", no / 2));
        append(&mut store, vec![(meta, report)]);
    }
    drop(store);
    fs::read(&place.path).unwrap()
}

fn contents_of(path: &Path) -> Contents {
    SqliteStore::open(path, OpenMode::ReadOnly).unwrap().contents().unwrap()
}

/// What checksums, keys and second copies protect: everything but words that stand once.
fn protected(contents: &Contents) -> HashSet<&str> {
    let words = ["result ", "slot ", "repeat ", "why ", "bad "];
    let lines = contents.0.iter().map(String::as_str);
    lines.filter(|line| words.iter().any(|word| line.starts_with(word))).collect()
}

/// The keys that a repair says are lost or made up.
fn named(repaired: &Repaired) -> HashSet<&str> {
    let texts = repaired.lost.iter().flat_map(|one| [one.place.as_str(), one.problem.as_str()]);
    let words = texts.flat_map(|text| text.split([' ', ',']));
    words.filter(|word| word.len() >= 32).collect()
}

pub(super) fn repaired(place: &Place) -> Result<(Repaired, Contents), StoreError> {
    let target = place.path.with_file_name("new.db");
    let _ = fs::remove_file(&target);
    let repaired = repair_to(&place.path, &target)?;
    let store = SqliteStore::open(&target, OpenMode::ReadOnly).unwrap();
    assert_eq!(store.check().unwrap(), []);
    Ok((repaired, store.contents().unwrap()))
}

/// Nothing is in the repaired file that was not in the whole one, but for what is named.
fn assert_only_loss(seed: u64, before: &Contents, repaired: &Repaired, after: &Contents) {
    let (old, new, named) = (protected(before), protected(after), named(repaired));
    for line in &new {
        let is_named = || line.split(' ').any(|word| named.contains(word));
        assert!(old.contains(line) || is_named(), "seed {seed}: {line}\n{:#?}", repaired.lost);
    }
    if new.len() < old.len() {
        assert!(!repaired.lost.is_empty(), "seed {seed}: lost in silence");
    }
}

#[test]
fn a_whole_file_is_repaired_into_its_equal() {
    let place = place();
    many(&place);
    let (repaired, contents) = repaired(&place).unwrap();
    assert_eq!(repaired.lost, []);
    assert_eq!(contents, contents_of(&place.path));
    assert_eq!(repaired.kept.runs, 10);
}

#[test]
fn a_history_outside_of_a_repository_is_repaired_into_its_equal() {
    let place = place();
    let mut store = create(&place);
    for build in [None, Some("1")] {
        let mut bare = meta(build, 10, &format!("{build:?}"));
        (bare.context.revision, bare.context.branch) = (None, None);
        append(&mut store, vec![(bare, report(".F"))]);
    }
    drop(store);
    let (repaired, contents) = repaired(&place).unwrap();
    assert_eq!(repaired.lost, []);
    assert_eq!(contents, contents_of(&place.path));
}

#[test]
fn each_lost_page_costs_what_was_on_it_and_no_more() {
    let place = place();
    let whole = many(&place);
    let before = contents_of(&place.path);
    let old = protected(&before);
    let pages = whole.len() / PAGE;
    assert!(pages > 20, "{pages}");
    let mut kept = 0;
    for page in 0..pages {
        let mut bytes = whole.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        fs::write(&place.path, &bytes).unwrap();
        let found = read_all(&place.path).is_err();
        assert!(found, "page {page} is gone, and check does not see it");
        match repaired(&place) {
            Ok((repaired, after)) => {
                assert_only_loss(page as u64, &before, &repaired, &after);
                kept += protected(&after).len();
            }
            // All reports stand on one page here.
            Err(error) => assert!(error.to_string().contains("nothing in it"), "{page}: {error}"),
        }
    }
    // On average a lost page of so many takes no more than its share twice over.
    let share = kept as f64 / (old.len() * pages) as f64;
    assert!(share > 1.0 - 2.0 / pages as f64, "{share}");
}

#[test]
fn random_damage_is_found_or_harmless_and_repair_invents_nothing() {
    let place = place();
    let whole = many(&place);
    let before = contents_of(&place.path);
    let mut salvaged = 0;
    // The proof tries more.
    let seeds = if std::env::var_os("FLAKEDB_FAULTS_ALL").is_some() { 300 } else { 48 };
    for seed in 0..seeds {
        let mut random = Random(seed);
        let mut bytes = whole.clone();
        match seed % 6 {
            0 | 1 => {
                for _ in 0..1 + random.below(4) {
                    let at = random.below(bytes.len());
                    bytes[at] ^= 1 << random.below(8);
                }
            }
            2 => {
                let at = random.below(bytes.len() / 512) * 512;
                bytes[at..at + 512].fill(0);
            }
            3 => {
                let at = random.below(bytes.len() / PAGE) * PAGE;
                bytes[at..at + PAGE].iter_mut().for_each(|byte| *byte = random.below(256) as u8);
            }
            4 => {
                // Written to the wrong place.
                let from = random.below(bytes.len() / PAGE) * PAGE;
                let to = random.below(bytes.len() / PAGE) * PAGE;
                bytes.copy_within(from..from + PAGE, to);
            }
            _ => bytes.truncate(1 + random.below(whole.len())),
        }
        fs::write(&place.path, &bytes).unwrap();
        let found = read_all(&place.path).is_err();
        if !found {
            let after = contents_of(&place.path);
            assert_eq!(protected(&after), protected(&before), "seed {seed}: changed in silence");
        }
        fs::write(&place.path, &bytes).unwrap();
        if let Ok((repaired, after)) = repaired(&place) {
            assert_only_loss(seed, &before, &repaired, &after);
            salvaged += 1;
        }
    }
    assert!(salvaged > seeds * 3 / 4, "{salvaged}");
}

#[test]
fn repair_keeps_the_damaged_file_and_leaves_the_history_in_its_place() {
    let place = place();
    let mut bytes = many(&place);
    // The first pages of the revisions and the runs, and of some indexes.
    for page in [3, 9, 11, 12] {
        bytes[page * PAGE..(page + 1) * PAGE].fill(0x5a);
    }
    fs::write(&place.path, &bytes).unwrap();
    let (repaired, kept) = repair_in_place(&place.path).unwrap();
    assert!(!repaired.lost.is_empty());
    assert_eq!(kept, place.path.with_file_name("history.db.damaged-1"));
    assert_eq!(fs::read(&kept).unwrap().len(), bytes.len());
    assert!(read_all(&place.path).is_ok());
    let names = fs::read_dir(place.path.parent().unwrap()).unwrap().count();
    assert_eq!(names, 2, "nothing else is left");
    // And it can be written again.
    let mut store = SqliteStore::open(&place.path, OpenMode::ReadWrite).unwrap();
    append(&mut store, vec![(meta(Some("again"), 99, "again"), report(".F"))]);
    drop(store);
    assert!(read_all(&place.path).is_ok());
}

#[test]
fn a_file_in_use_of_another_program_or_of_a_later_flakedb_is_not_repaired() {
    let place = place();
    many(&place);
    let other = SqliteStore::open(&place.path, OpenMode::ReadOnly).unwrap();
    other.projects().unwrap();
    drop(other);
    let raw = Connection::open(&place.path).unwrap();
    raw.pragma_update(None, "user_version", SCHEMA + 1).unwrap();
    let refused = repair_in_place(&place.path).unwrap_err();
    assert!(matches!(refused, StoreError::Locked { .. }), "{refused}");
    drop(raw);
    let refused = repair_in_place(&place.path).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { .. }), "{refused}");
    let raw = Connection::open(&place.path).unwrap();
    raw.pragma_update(None, "application_id", 77).unwrap();
    drop(raw);
    let refused = repair_in_place(&place.path).unwrap_err();
    assert!(matches!(refused, StoreError::Foreign { application_id: 77, .. }), "{refused}");
    let text = place.path.with_file_name("text");
    fs::write(&text, "no history at all\n".repeat(9_000)).unwrap();
    let refused = repair_to(&text, &place.path.with_file_name("x.db")).unwrap_err();
    assert!(matches!(refused, StoreError::BeyondRepair { .. }), "{refused}");
    assert!(!place.path.with_file_name("x.db").exists());
}

#[test]
fn a_writer_whose_file_was_replaced_or_upgraded_meanwhile_writes_nothing() {
    let place = place();
    filled(&place);
    let mut store = SqliteStore::open(&place.path, OpenMode::ReadWrite).unwrap();
    let raw = Connection::open(&place.path).unwrap();
    let batch = || {
        let builder = BatchBuilder::new(Timestamp(99));
        builder.add(meta(Some("new"), 10, "new"), &report(".")).unwrap();
        builder.finish()
    };
    raw.pragma_update(None, "user_version", SCHEMA + 1).unwrap();
    let refused = store.append(&batch()).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { .. }), "{refused}");
    raw.pragma_update(None, "user_version", SCHEMA).unwrap();
    store.append(&batch()).unwrap();
    drop(raw);
    if cfg!(unix) {
        let other = place.path.with_file_name("other.db");
        fs::copy(&place.path, &other).unwrap();
        fs::rename(&other, &place.path).unwrap();
        let refused = store.append(&batch()).unwrap_err();
        assert!(matches!(refused, StoreError::Replaced { .. }), "{refused}");
        fs::remove_file(&place.path).unwrap();
        assert!(matches!(store.append(&batch()).unwrap_err(), StoreError::Replaced { .. }));
    }
}

#[test]
fn what_is_not_there_is_not_repaired() {
    let place = place();
    let refused = repair_in_place(&place.path).unwrap_err();
    assert!(matches!(refused, StoreError::Missing { .. }), "{refused}");
    let refused = repair_to(&place.path, &place.path.with_file_name("new.db")).unwrap_err();
    assert!(matches!(refused, StoreError::Missing { .. }), "{refused}");
    assert_eq!(fs::read_dir(place.path.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn what_only_the_log_holds_is_repaired_as_well() {
    let [place, killed] = [place(), self::place()];
    filled(&place);
    let mut store = SqliteStore::open(&place.path, OpenMode::ReadWrite).unwrap();
    append(&mut store, vec![(meta(Some("last"), 50, "last"), report(".F"))]);
    // As a writer leaves them that was killed behind its commit.
    for ending in ["", "-wal"] {
        let [from, to] = [&place, &killed].map(|place| with_ending(&place.path, ending));
        fs::copy(from, to).unwrap();
    }
    let (repaired, contents) = repaired(&killed).unwrap();
    assert_eq!((repaired.kept.runs, repaired.lost), (41, vec![]));
    assert_eq!(contents, store.contents().unwrap());
}

#[cfg(unix)]
#[test]
fn a_history_whose_log_cannot_be_opened_is_not_repaired_in_place() {
    let place = place();
    let before = filled(&place);
    let log = place.path.with_file_name("log");
    fs::write(&log, "").unwrap();
    // The engine follows no link to a log.
    std::os::unix::fs::symlink(&log, with_ending(&place.path, "-wal")).unwrap();
    let refused = repair_in_place(&place.path).unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

/// A history whose classes take more than a page, and the page of their table that leads to the others.
fn of_many_classes(place: &Place) -> (Contents, usize) {
    let classes: Vec<String> =
        (0..200).map(|no| format!("class_{no}_{}", "x".repeat(200))).collect();
    let tests: Vec<[&str; 4]> = classes.iter().map(|class| ["s", class, "test", "f"]).collect();
    let mut store = create(place);
    append(&mut store, vec![(meta(Some("1"), 10, "a"), answer_tests::named(&tests))]);
    append(&mut store, vec![(meta(Some("2"), 20, "b"), report(".F"))]);
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'scope'";
    let root: u32 = store.connection.query_row(sql, [], |row| row.get(0)).unwrap();
    (store.contents().unwrap(), root as usize)
}

#[test]
fn rows_that_no_page_leads_to_any_more_are_found_where_they_lie() {
    let place = place();
    let (before, root) = of_many_classes(&place);
    let mut bytes = fs::read(&place.path).unwrap();
    let page = &mut bytes[(root - 1) * PAGE..root * PAGE];
    assert_eq!(page[0], 5, "it has pages below");
    page.fill(0);
    fs::write(&place.path, bytes).unwrap();
    let (repaired, contents) = repaired(&place).unwrap();
    assert_eq!(repaired.lost.len(), 1, "{:?}", repaired.lost);
    assert_eq!(contents, before);
}

#[test]
fn rows_are_found_where_they_lie_though_their_table_is_looked_for_elsewhere() {
    let place = place();
    let (before, _) = of_many_classes(&place);
    let raw = Connection::open(&place.path).unwrap();
    raw.execute_batch(
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage =
         (SELECT rootpage FROM sqlite_schema WHERE name = 'bad') WHERE name = 'scope'",
    )
    .unwrap();
    drop(raw);
    let (repaired, contents) = repaired(&place).unwrap();
    let problems: Vec<_> = repaired.lost.iter().map(|finding| finding.problem.as_str()).collect();
    assert_eq!(problems, ["1 row cannot be of this table"]);
    assert_eq!(contents, before);
}

#[test]
fn a_run_of_no_build_whose_first_report_is_lost_is_known_by_the_next() {
    let place = place();
    let mut store = create(&place);
    let grouped = |hash: &str| ReportMeta { group: Some("x".into()), ..meta(None, 10, hash) };
    let reports = vec![(grouped("a"), report(".")), (grouped("b"), without_first(".."))];
    assert_eq!(append(&mut store, reports).runs_new, 1);
    drop(store);
    let raw = Connection::open(&place.path).unwrap();
    raw.execute_batch(
        "PRAGMA foreign_keys = OFF;
         DELETE FROM report WHERE content_hash = (SELECT min(content_hash) FROM report)",
    )
    .unwrap();
    drop(raw);
    let (repaired, contents) = repaired(&place).unwrap();
    let left = ["a", "b"].map(|hash| ReportHash::of(hash.as_bytes())).into_iter().max().unwrap();
    let key = grouped("a").context.key(left);
    let known = format!("known as {key} now, as its first report is lost");
    assert!(repaired.lost.iter().any(|finding| finding.problem == known), "{:?}", repaired.lost);
    assert!(contents.0.iter().any(|line| line.starts_with(&format!("run \"p\" {key} "))));
}
