//! Random histories through the whole pipeline: whatever the order, the splitting and the
//! repetition of uploads, every result equals a direct recount from the raw reports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use flakedb::context::resolve::Surroundings;
use flakedb::model::{Outcome, Timestamp};
use flakedb::ops::Unwatched;
use flakedb::ops::ingest::{IngestRequest, collect};
use flakedb::ops::reading::ReadRequest;
use flakedb::store::Store as _;
use flakedb::store::query::Window;
use flakedb::store::sqlite::{OpenMode, SqliteStore};

const HISTORIES: u64 = 300;

/// A fixed generator (SplitMix64): every failure can be repeated by its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

/// One case as XML; `r` is a retry that passed, written as two records.
fn case(test: u64, outcome: char) -> String {
    let inside = match outcome {
        'F' => "<failure message=\"no\"/>",
        'E' => "<error message=\"crash\"/>",
        's' => "<skipped/>",
        'r' => return case(test, 'F') + &case(test, '.'),
        _ => "",
    };
    format!(
        "<testcase classname=\"pkg.Class\" name=\"test_{test}\" time=\"0.0{test}\">{inside}</testcase>\n"
    )
}

/// Writes the reports of some runs, each in a folder with its sidecar; returns the reports.
fn write_history(folder: &Path, random: &mut Random) -> Vec<PathBuf> {
    let mut reports = Vec::new();
    let mut started = 1_790_000_000;
    for run in 0..2 + random.below(5) {
        started += 60 + random.below(4_000) as i64;
        let (build, attempt) = (run / 2, run % 2 + 1);
        let variant = ["", "os=linux", "os=windows"][random.below(3) as usize];
        let home = folder.join(format!("run-{run}"));
        std::fs::create_dir_all(&home).unwrap();
        let time = Timestamp(started * 1_000).to_rfc3339();
        let sidecar = format!(
            "project = \"p\"\nrevision = \"r{build}\"\nbranch = \"main\"\nbuild = \"{build}\"\n\
             attempt = {attempt}\nstarted = {time}\nvariant = \"{variant}\"\n"
        );
        std::fs::write(home.join("flakedb-run.toml"), sidecar).unwrap();
        for shard in 0..1 + random.below(3) {
            let mut xml = String::from("<testsuites><testsuite name=\"s\">\n");
            for test in 0..random.below(6) {
                let outcome = ['.', '.', '.', 'F', 'E', 's', 'r'][random.below(7) as usize];
                xml += &case(shard * 10 + test, outcome);
            }
            xml += "</testsuite></testsuites>\n";
            let path = home.join(format!("shard-{shard}.xml"));
            std::fs::write(&path, xml).unwrap();
            reports.push(path);
        }
    }
    reports
}

/// Ingests the reports in a random order, split into uploads, some of them twice.
fn upload(db: &Path, reports: &[PathBuf], random: &mut Random) -> SqliteStore {
    let mut reports = reports.to_vec();
    let again: Vec<PathBuf> = reports.iter().filter(|_| random.below(4) == 0).cloned().collect();
    reports.extend(again);
    random.shuffle(&mut reports);
    let mut store = SqliteStore::open(db, OpenMode::Create).unwrap();
    while !reports.is_empty() {
        let size = 1 + random.below(reports.len() as u64) as usize;
        let request = IngestRequest {
            read: ReadRequest {
                paths: reports.drain(..size).collect(),
                jobs: Some(1),
                ..ReadRequest::default()
            },
            surroundings: Surroundings::default(),
            now: Timestamp(1_795_000_000_000 + random.below(1_000) as i64),
            ..IngestRequest::default()
        };
        collect(&request, &Unwatched).unwrap().write(&mut store, &Unwatched).unwrap();
    }
    store
}

type Counted = BTreeMap<(String, String), (Outcome, u32, u32)>;

/// Every result of the history: (build, attempt, variant) and test to outcome and attempts.
fn stored(store: &SqliteStore) -> Counted {
    let runs = store.runs("p", &Window::default()).unwrap();
    let tests = store.all_tests("p").unwrap();
    let name = |no| tests.iter().find(|test| test.no == no).unwrap().name.clone();
    let mut counted = Counted::new();
    store
        .fold(&runs, &mut |place, rows| {
            let run = &runs[place];
            let key = format!("{}/{} {}", run.build.as_deref().unwrap(), run.attempt, run.variant);
            for row in rows {
                let counts = (row.outcome, row.attempts, row.bad_attempts);
                assert!(counted.insert((key.clone(), name(row.test)), counts).is_none());
            }
        })
        .unwrap();
    counted
}

/// The same, straight from the files by another XML reader.
fn recounted(reports: &[PathBuf]) -> Counted {
    let mut counted = Counted::new();
    for path in reports {
        let sidecar: toml::Table =
            std::fs::read_to_string(path.parent().unwrap().join("flakedb-run.toml"))
                .unwrap()
                .parse()
                .unwrap();
        let text = |key: &str| sidecar[key].as_str().unwrap_or_default().to_owned();
        let key = format!("{}/{} {}", text("build"), sidecar["attempt"], text("variant"));
        let xml = std::fs::read_to_string(path).unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
            let has = |name: &str| case.children().any(|child| child.has_tag_name(name));
            let outcome = match (has("skipped"), has("failure"), has("error")) {
                (true, ..) => Outcome::Skipped,
                (_, true, _) => Outcome::Failed,
                (_, _, true) => Outcome::Errored,
                _ => Outcome::Passed,
            };
            let name = case.attribute("name").unwrap().to_owned();
            let known = counted.entry((key.clone(), name)).or_insert((outcome, 0, 0));
            *known = (outcome, known.1 + 1, known.2 + u32::from(outcome.is_bad()));
        }
    }
    counted
}

#[test]
fn three_hundred_random_histories_equal_a_recount_of_their_reports() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..HISTORIES {
        let random = &mut Random(seed);
        let home = folder.path().join(seed.to_string());
        let reports = write_history(&home, random);
        let one = upload(&home.join("one.db"), &reports, random);
        assert_eq!(stored(&one), recounted(&reports), "seed {seed}");
        let other = upload(&home.join("other.db"), &reports, random);
        assert_eq!(one.contents().unwrap(), other.contents().unwrap(), "seed {seed}");
        std::fs::remove_dir_all(&home).unwrap();
    }
}
