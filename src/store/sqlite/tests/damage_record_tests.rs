//! What each damage costs, as recorded: what `check` finds, and what a repair says and leaves.
//! `INSTA_UPDATE=always` records anew; the difference is then there to read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::repair_tests::{PAGE, repaired};
use super::worker_tests::worked;
use super::*;
use crate::model::SuiteFailure;
use crate::store::sqlite::check::Finding;
use crate::store::watcher::Unwatched;

/// Findings of one kind that are written out; of the others there is their number.
const TOLD_MAX: usize = 2;

/// A history with all that a file can have: pages below others and free ones, values that go on on
/// pages of their own, workers, a lost branch of an old run, two projects.
fn all_sorts(place: &Place) -> Vec<u8> {
    let mut store = create(place);
    for no in 0..9_usize {
        let build = (no % 3 > 0).then(|| (no / 2).to_string());
        let mut report = report(&".F..E.s.".repeat(2 + no % 2));
        report.suite_failures.push(SuiteFailure {
            suite: format!("suite {no}"),
            failure: (no % report.failures.len()) as u32,
        });
        let mut meta = meta(build.as_deref(), 10 + no as i64, &no.to_string());
        meta.context.revision = Some(format!("revision-{}", no / 2));
        append(&mut store, vec![(meta, report)]);
    }
    // No compression makes it fit on a page.
    let mut noise = 1_u64;
    let text: String = std::iter::repeat_with(|| {
        noise =
            noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (noise >> 33) as u8 % 90)
    })
    .take(60_000)
    .collect();
    let mut long = report("F.");
    long.failures[0].text = text;
    append(&mut store, vec![(meta(Some("long"), 40, "long"), long)]);
    let worked = worked(".F.", &["gw0", "gw1", "gw0"]);
    append(&mut store, vec![(meta(Some("worked"), 41, "worked"), worked)]);
    let mut other = meta(Some("1"), 42, "other");
    other.context.project = "q".into();
    other.context.variant = crate::model::Variant::default().with("os", "linux");
    append(&mut store, vec![(other, report("..F"))]);
    for no in 0..2_i64 {
        let mut old = report(&"F..".repeat(150));
        for failure in &mut old.failures {
            failure.text = format!("{} in {no}", failure.text);
        }
        append(
            &mut store,
            vec![(meta(Some(&format!("old-{no}")), -900 + no, &no.to_string()), old)],
        );
    }
    let plans =
        store.plan_prune(None, Keep { since: Some(Timestamp(0)), ..Keep::default() }).unwrap();
    store.prune(&plans, &Unwatched).unwrap();
    drop(store);
    fs::read(&place.path).unwrap()
}

/// Findings by what they say, each with how many there are and the first places.
fn told(findings: &[Finding]) -> String {
    let mut kinds: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for Finding { place, problem } in findings {
        // Keys and numbers that a problem names differ from one to the next.
        let is_own = |word: &str| word.len() >= 32 || word.starts_with("lost-");
        let words = problem.split(' ').map(|word| if is_own(word) { "<key>" } else { word });
        kinds.entry(words.collect::<Vec<_>>().join(" ")).or_default().push(place);
    }
    let mut out = String::new();
    for (problem, mut places) in kinds {
        places.sort_unstable();
        let all = places.len();
        places.truncate(TOLD_MAX);
        let more =
            if all > TOLD_MAX { format!(" and {} more", all - TOLD_MAX) } else { String::new() };
        writeln!(out, "    {}{more}: {problem}", places.join(", ")).unwrap();
    }
    out
}

fn cost(place: &Place, name: &str) -> String {
    let mut out = format!("{name}\n");
    let folder = format!("{}/", place.path.parent().unwrap().display());
    let found = match read_all(&place.path) {
        Ok(()) => "  check: whole\n".to_owned(),
        Err(error) => format!("  reading: {}\n", error.to_string().replace(&*folder, "")),
    };
    out += &found;
    if let Ok(findings) =
        SqliteStore::open(&place.path, OpenMode::ReadOnly).and_then(|store| store.check())
    {
        out += &told(&findings);
    }
    match repaired(place) {
        Ok((repaired, contents)) => {
            let kept = repaired.kept;
            let counts = [
                kept.projects,
                kept.runs,
                kept.reports,
                kept.results,
                kept.tests,
                kept.failures,
                kept.bad_attempts,
            ];
            let hash = ReportHash::of(contents.0.join("\n").as_bytes()).to_string();
            writeln!(out, "  repaired: {counts:?}, {} facts #{}", contents.0.len(), &hash[..12])
                .unwrap();
            out += &told(&repaired.lost);
        }
        Err(error) => {
            let text = error.to_string().replace(&*folder, "");
            writeln!(out, "  not repaired: {text}").unwrap();
        }
    }
    out
}

/// The first place of some bytes at or behind `from`.
fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    bytes[from..].windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

#[test]
fn each_lost_page_costs_what_is_recorded() {
    let place = place();
    let whole = all_sorts(&place);
    let mut out = cost(&place, "nothing");
    let pages = whole.len() / PAGE;
    for page in 0..pages {
        let mut bytes = whole.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        fs::write(&place.path, &bytes).unwrap();
        out += &cost(&place, &format!("page {} of {pages} is zeros", page + 1));
    }
    for cut in
        [1, 99, 100, 700, PAGE, 3 * PAGE + 5, whole.len() / 2, whole.len() - PAGE, whole.len() - 9]
    {
        fs::write(&place.path, &whole[..cut]).unwrap();
        out += &cost(&place, &format!("cut off after {cut} bytes"));
    }
    insta::assert_snapshot!("lost_pages", out);
}

/// Where the header of a page begins.
fn head(page: usize) -> usize {
    if page == 0 { 100 } else { page * PAGE }
}

#[test]
fn each_wrong_byte_costs_what_is_recorded() {
    let place = place();
    let whole = all_sorts(&place);
    let mut out = String::new();
    // The header of the file: size of pages, list of free ones, version of the schema.
    for (at, bytes) in [
        (0, &b"X"[..]),
        (16, &[0x10, 0]),
        (16, &[0, 3]),
        (16, &[0, 1]),
        (32, &[0xff; 4]),
        (36, &[0, 0, 0, 9]),
        (60, &[0, 0, 0, 0]),
        (60, &[9, 9, 9, 9]),
        (68, &[0]),
    ] {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        fs::write(&place.path, &changed).unwrap();
        out += &cost(&place, &format!("header at {at} is {bytes:?}"));
    }
    // The heads of pages: kind, number of cells, place of the first, rightmost page below.
    type Edit = fn(&mut [u8]);
    let edits: [(&str, Edit); 7] = [
        ("its kind is that of an index or a table", |page| {
            page[0] = match page[0] {
                13 => 10,
                10 => 13,
                5 => 2,
                2 => 5,
                other => other,
            }
        }),
        ("it is a leaf, or none", |page| {
            page[0] = match page[0] {
                13 => 5,
                10 => 2,
                5 => 13,
                2 => 10,
                other => other,
            }
        }),
        ("it has a cell more", |page| page[4] = page[4].wrapping_add(1)),
        ("it has thousands of cells", |page| page[3] = 0x7f),
        ("its first cell is in its head", |page| {
            let at = if matches!(page[0], 2 | 5) { 12 } else { 8 };
            page[at..at + 2].copy_from_slice(&[0, 2]);
        }),
        ("its first cell is at its end", |page| {
            let at = if matches!(page[0], 2 | 5) { 12 } else { 8 };
            page[at..at + 2].copy_from_slice(&[0x3f, 0xff]);
        }),
        ("the page below on the right is another", |page| {
            if matches!(page[0], 2 | 5) {
                page[8..12].copy_from_slice(&[0, 0, 0, 3]);
            }
        }),
    ];
    // Every page that has others below, and some of the others.
    let pages = 0..whole.len() / PAGE;
    let is_inner = |page: usize| matches!(whole[head(page)], 2 | 5);
    for page in pages.filter(|page| page % 9 == 0 || is_inner(*page)) {
        for (name, edit) in &edits {
            let mut changed = whole.clone();
            edit(&mut changed[head(page)..(page + 1) * PAGE]);
            if changed == whole {
                continue;
            }
            fs::write(&place.path, &changed).unwrap();
            out += &cost(&place, &format!("page {}: {name}", page + 1));
        }
    }
    // Words, where they stand first, second and third: in a table, in an index.
    for (from, to) in [
        ("revision-3", "revision-X"),
        ("main", "mein"),
        ("os=linux", "os=minux"),
        ("test_17", "test_1X"),
        ("class", "clazz"),
        ("Error", "Terror"),
        ("junit.xml", "junit.xmm"),
        ("pytest", "pyrest"),
        ("test_8 broke", "test_8 brake"),
        ("revision-4", "revision\u{fffd}"),
    ] {
        let mut at = 0;
        for place_of in 0..3 {
            let Some(found) = find(&whole, from.as_bytes(), at) else { break };
            at = found + 1;
            let mut changed = whole.clone();
            let bytes = &to.as_bytes()[..from.len()];
            changed[found..found + from.len()].copy_from_slice(bytes);
            fs::write(&place.path, &changed).unwrap();
            out += &cost(&place, &format!("{from} reads {to} at its place {place_of}"));
        }
    }
    insta::assert_snapshot!("wrong_bytes", out);
}

#[test]
fn each_wrong_row_costs_what_is_recorded() {
    let place = place();
    let whole = all_sorts(&place);
    let mut out = String::new();
    for sql in [
        "UPDATE run SET passed = passed + 1 WHERE run_id = 3",
        "UPDATE run SET reports = reports + 1 WHERE run_id = 3",
        "UPDATE run SET suite_failures = 7, started_ms = 5 WHERE run_id = 3",
        "UPDATE run SET branch_id = 99 WHERE run_id IN (2, 3)",
        "UPDATE run SET branch_id = NULL WHERE run_id IN (2, 3)",
        "UPDATE run SET revision_id = 99 WHERE run_id = 3",
        "UPDATE run SET revision_id = 1 WHERE run_id = 3",
        "UPDATE run SET variant_id = 99 WHERE run_id = 3",
        "UPDATE run SET build = 'another' WHERE run_id = 3",
        "UPDATE run SET build = NULL WHERE run_id = 3",
        "UPDATE run SET attempt = 2 WHERE run_id = 3",
        "UPDATE run SET run_key = x'00112233445566778899aabbccddeeff' WHERE build IS NULL AND run_id < 3",
        "DELETE FROM project WHERE name = 'q'",
        "DELETE FROM project",
        "DELETE FROM revision WHERE revision_id IN (1, 3)",
        "DELETE FROM branch",
        "DELETE FROM variant WHERE name = ''",
        "DELETE FROM variant",
        "DELETE FROM run WHERE run_id = 3",
        "DELETE FROM run WHERE build IS NULL",
        "DELETE FROM run",
        "DELETE FROM report WHERE report_id IN (3, 4)",
        "DELETE FROM report WHERE run_id = 1",
        "DELETE FROM report",
        "DELETE FROM scope",
        "DELETE FROM test WHERE test_id IN (3, 12, 300)",
        "DELETE FROM test",
        "DELETE FROM failure WHERE failure_id IN (1, 2)",
        "DELETE FROM failure",
        "DELETE FROM bad WHERE test_id = 5",
        "DELETE FROM suite_failure WHERE run_id = 2",
        "UPDATE failure SET message = 'no' WHERE failure_id = 2",
        "UPDATE failure SET body = x'28b52ffd00' WHERE failure_id = 2",
        "UPDATE failure SET signature = x'00112233445566778899aabbccddeeff' WHERE failure_id = 2",
        "UPDATE failure SET kind = 'Other'",
        "UPDATE scope SET classname = 'other'",
        "UPDATE test SET scope_id = 99 WHERE test_id < 4",
        "UPDATE test SET identity = x'00112233445566778899aabbccddeeff' WHERE test_id = 4",
        "UPDATE test SET name = 'other' WHERE test_id = 4",
        "UPDATE report SET segment = x'00' WHERE report_id = 3",
        "UPDATE report SET segment = (SELECT segment FROM report WHERE report_id = 4) WHERE report_id = 3",
        "UPDATE report SET results = results + 1 WHERE report_id = 3",
        "UPDATE report SET cases = cases + 1 WHERE report_id = 3",
        "UPDATE report SET run_id = 99 WHERE report_id = 3",
        "UPDATE report SET run_id = 99",
        "UPDATE report SET project_id = 2 WHERE report_id = 3",
        "UPDATE report SET workers = x'0001' WHERE report_id = 3",
        "UPDATE report SET workers = x'00' WHERE workers IS NOT NULL",
        "UPDATE report SET content_hash = zeroblob(32) WHERE report_id = 3",
        "UPDATE report SET started_ms = 77 WHERE report_id = 3",
        "UPDATE bad SET test_id = 400 WHERE test_id = 5",
        "UPDATE bad SET failure_id = 99999 WHERE test_id = 5",
        "UPDATE suite_failure SET failure_id = 99999 WHERE run_id = 2",
        "UPDATE suite_failure SET report_id = 99999 WHERE run_id = 2",
        "INSERT INTO bad VALUES (1, 1, 1, 1, 9, 1, NULL)",
        "INSERT INTO project VALUES (9, 'of no run')",
        // A table or an index that is looked for in the place of another.
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema
           WHERE name = 'sqlite_autoindex_revision_1') WHERE name = 'sqlite_autoindex_project_1'",
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema
           WHERE name = 'sqlite_autoindex_project_1') WHERE name = 'sqlite_autoindex_revision_1'",
        "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema
           WHERE name = 'failure') WHERE name = 'test'",
        "UPDATE sqlite_schema SET rootpage = 9999 WHERE name = 'report'",
        "UPDATE sqlite_schema SET rootpage = 0 WHERE name = 'run'",
        "DROP INDEX run_by_time",
        "DROP TABLE suite_failure",
        "DROP VIEW run_readable",
        "CREATE TABLE other (x)",
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN DELETE FROM run; END",
    ] {
        fs::write(&place.path, &whole).unwrap();
        let raw = Connection::open(&place.path).unwrap();
        let careless = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;
            PRAGMA writable_schema = ON";
        raw.execute_batch(careless).unwrap();
        raw.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        drop(raw);
        out += &cost(&place, sql);
    }
    insta::assert_snapshot!("wrong_rows", out);
}
