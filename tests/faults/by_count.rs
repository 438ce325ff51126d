//! A fault at every call that changes a file: what dies or is refused leaves the state before or the
//! state after, says which file and why, and can be repeated.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flakedb::store::sqlite::{Contents, Journal, OpenMode, SqliteStore};

use crate::command::{Said, Sandbox, finish, project};
use crate::history::journal;
use crate::shim::{self, Kind};

/// Every call is tried where this is set; else one of so many, each kind beginning elsewhere.
const ALL: &str = "FLAKEDB_FAULTS_ALL";
/// Where the figures go, as one JSON file for each scene.
const FIGURES: &str = "FLAKEDB_FAULTS_FIGURES";
const STRIDE: usize = 7;

/// A command whose every call is tried.
struct Scene {
    name: &'static str,
    arguments: Vec<String>,
    /// What stands there before.
    base: Sandbox,
    /// What is compared: contents of a history, bytes of a file.
    state: fn(&Path) -> State,
    /// What messages name, one or the other.
    named: &'static [&'static str],
    /// With which codes it ends where it is refused.
    codes: &'static [i32],
    /// With which codes it ends where it is given again.
    again: &'static [i32],
}

/// What can be seen: of the history, and of the file that the command writes.
#[derive(Debug, PartialEq, Eq, Clone, Default)]
struct State {
    history: Option<Contents>,
    file: Option<Vec<u8>>,
}

/// How many trials ended how.
#[derive(Debug, Default)]
struct Tally {
    trials: usize,
    died: usize,
    refused: usize,
    went_through: usize,
    before: usize,
    after: usize,
}

/// What a history says, after `db check` called it whole; `None` where there is none yet.
fn history(path: &Path) -> Option<Contents> {
    match SqliteStore::open(path, OpenMode::ReadOnly) {
        Err(flakedb::store::StoreError::Missing { .. }) => None,
        other => {
            let store = other.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(store.check().unwrap(), [], "{} is not whole", path.display());
            Some(store.contents().unwrap())
        }
    }
}

fn of_history(folder: &Path) -> State {
    State { history: history(&folder.join("h.db")), file: None }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

impl Scene {
    fn again(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        copy(&self.base.path(""), &sandbox.path(""));
        sandbox
    }

    /// Tries a fault of each kind at each call.
    fn play(&self) {
        let before = (self.state)(&self.base.path(""));
        let whole = self.again();
        let calls = shim::calls(&whole, &self.arguments);
        let after = (self.state)(&whole.path(""));
        let left = names(&whole.path(""));
        assert!(!calls.is_empty());
        assert!(before != after, "{}: nothing to see", self.name);
        let stride = if std::env::var_os(ALL).is_some() { 1 } else { STRIDE };
        let mut trials = Vec::new();
        for (place, kind) in Kind::ALL.into_iter().enumerate() {
            // The last one is behind all calls, so that nothing happens.
            trials.extend(
                (1 + place % stride..=calls.len() + 1).step_by(stride).map(|at| (kind, at)),
            );
        }
        let tallies: Mutex<BTreeMap<&str, Tally>> = Mutex::default();
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some(&(kind, at)) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let call = calls.get(at - 1).map_or("none", String::as_str);
                        let what = format!("{}: {} at {call}", self.name, kind.name());
                        let (said, state) = self.trial(kind, at, &what, &before, &after, &left);
                        let mut tallies = tallies.lock().unwrap();
                        let tally = tallies.entry(kind.name()).or_default();
                        tally.trials += 1;
                        tally.died += usize::from(said.code == -1);
                        tally.refused += usize::from(said.code > 0);
                        tally.went_through += usize::from(said.code == 0);
                        tally.before += usize::from(state == before);
                        tally.after += usize::from(state != before);
                    }
                });
            }
        });
        self.keep_figures(calls.len(), &tallies.into_inner().unwrap());
    }

    fn trial(
        &self,
        kind: Kind,
        at: usize,
        what: &str,
        before: &State,
        after: &State,
        left: &[String],
    ) -> (Said, State) {
        let sandbox = self.again();
        let mut command = sandbox.command(&self.arguments);
        shim::inject(&mut command, kind, at);
        let said = finish(command);
        let folder = sandbox.path("");
        let state = (self.state)(&folder);
        assert!(state == *before || state == *after, "{what}: neither before nor after: {said:#?}");
        match said.code {
            0 => assert_eq!(state, *after, "{what}: acknowledged and lost: {said:#?}"),
            -1 => assert!(kind.is_death(), "{what}: {said:#?}"),
            code => {
                assert!(self.codes.contains(&code), "{what}: {said:#?}");
                let is_named = self.named.iter().any(|name| said.stderr.contains(name));
                assert!(is_named, "{what}: {said:#?}");
                assert!(!said.stderr.contains("panicked"), "{what}: {said:#?}");
            }
        }
        // Whatever happened, the same command can be given again, and leaves what it always does.
        let again = sandbox.run(&self.arguments);
        assert!(self.again.contains(&again.code), "{what}: it cannot be repeated: {again:#?}");
        assert_eq!((self.state)(&folder), *after, "{what}: not so when repeated");
        // Where nothing can be removed any more, what was begun stays.
        if kind == Kind::Full {
            assert_eq!(names(&folder), left, "{what}: something else is left");
        }
        (said, state)
    }

    fn keep_figures(&self, calls: usize, tallies: &BTreeMap<&str, Tally>) {
        let Some(folder) = std::env::var_os(FIGURES) else { return };
        let kinds: serde_json::Map<String, serde_json::Value> = tallies
            .iter()
            .map(|(kind, tally)| {
                let Tally { trials, died, refused, went_through, before, after } = tally;
                let value = serde_json::json!({
                    "trials": trials, "died": died, "refused": refused,
                    "went_through": went_through, "before": before, "after": after,
                });
                ((*kind).to_owned(), value)
            })
            .collect();
        let figures = serde_json::json!({"scene": self.name, "calls": calls, "kinds": kinds});
        let path = Path::new(&folder).join(format!("{}.json", self.name.replace(' ', "-")));
        fs::write(path, figures.to_string()).unwrap();
    }
}

/// A report that says when it started, so that copies of it do as well.
fn dated(names: &[&str], minute: u32) -> String {
    let mut xml = format!(
        "<testsuites><testsuite name=\"suite\" timestamp=\"2026-11-01T10:{minute:02}:00Z\">\n"
    );
    for name in names {
        xml += &format!(
            "<testcase classname=\"shop.cart\" name=\"{name}\" time=\"0.012\"/>\n\
             <testcase classname=\"shop.cart\" name=\"{name}_fails\" time=\"0.5\">\
             <failure message=\"no {name}\">trace\n{}</failure></testcase>\n",
            "at some place\n".repeat(20)
        );
    }
    xml + "</testsuite></testsuites>\n"
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

const INGEST: &str = "ingest new --db h.db --project p --revision r2 --branch main --build 2";
const OLD: &str = "ingest old --db h.db --project p --revision r1 --branch main --build 1";

/// A history of one run, which its second writer gives a log, and the reports of another run.
fn young() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("old/a.xml", dated(&["a", "b", "c"], 1));
    sandbox.write("new/a.xml", dated(&["a", "b"], 2));
    sandbox.write("new/b.xml", dated(&["d"], 3));
    sandbox.run(&words(OLD)).exits(0);
    assert_eq!(journal(&sandbox.path("h.db")), Journal::Rollback);
    sandbox
}

/// The same with a log.
fn base() -> Sandbox {
    let sandbox = young();
    sandbox.run(&words(OLD)).exits(0);
    assert_eq!(journal(&sandbox.path("h.db")), Journal::WriteAhead);
    sandbox
}

#[test]
fn the_first_ingest_is_whole_or_not_there() {
    let base = base();
    fs::remove_file(base.path("h.db")).unwrap();
    let arguments = words(INGEST);
    let scene = Scene {
        name: "first ingest",
        arguments,
        base,
        state: |folder| {
            // A file with a schema and no run says as much as none.
            let mut state = of_history(folder);
            state.history = state.history.filter(|contents| !contents.0.is_empty());
            state
        },
        named: &["h.db"],
        codes: &[4],
        again: &[0],
    };
    scene.play();
}

#[test]
fn a_second_ingest_is_whole_or_not_there() {
    let arguments = words(INGEST);
    Scene {
        name: "second ingest",
        arguments,
        base: young(),
        state: of_history,
        named: &["h.db"],
        codes: &[4],
        again: &[0],
    }
    .play();
}

#[test]
fn a_later_ingest_is_whole_or_not_there() {
    let arguments = words(INGEST);
    Scene {
        name: "later ingest",
        arguments,
        base: base(),
        state: of_history,
        named: &["h.db"],
        codes: &[4],
        again: &[0],
    }
    .play();
}

#[test]
fn an_upgrade_is_whole_or_not_there() {
    let base = base();
    fs::copy(project("fixtures/db/schema-1.db"), base.path("h.db")).unwrap();
    let arguments = words(INGEST);
    Scene {
        name: "upgrade",
        arguments,
        base,
        state: of_history,
        named: &["h.db"],
        codes: &[4],
        again: &[0],
    }
    .play();
}

#[test]
fn a_merge_is_whole_or_not_there() {
    let base = base();
    base.run(&words(&INGEST.replace("h.db", "other.db"))).exits(0);
    let arguments = words("db merge other.db --db h.db");
    Scene {
        name: "merge",
        arguments,
        base,
        state: of_history,
        named: &["h.db", "other.db"],
        codes: &[4],
        again: &[0],
    }
    .play();
}

/// Runs go in transactions of their own, and what only they named in others: a prune that was stopped
/// leaves a whole history, and the next one finishes it.
#[test]
fn a_prune_removes_runs_whole_and_can_be_finished() {
    let base = base();
    base.run(&words(INGEST)).exits(0);
    let scene = Scene {
        name: "prune",
        arguments: words("db prune --keep-runs 1 --db h.db"),
        base,
        state: |folder| {
            let mut state = of_history(folder);
            if let Some(contents) = &mut state.history {
                contents.0.retain(|line| !line.starts_with("failure "));
            }
            state
        },
        named: &["h.db"],
        codes: &[4],
        again: &[0],
    };
    scene.play();
}

/// What a backup changes: nothing in the history, and a file that is a history or is not there.
#[test]
fn a_backup_is_whole_or_not_there() {
    let scene = Scene {
        name: "backup",
        arguments: words("db backup copy.db --db h.db"),
        base: base(),
        state: |folder| {
            let copied = history(&folder.join("copy.db"));
            let source = history(&folder.join("h.db"));
            if let Some(copied) = copied {
                assert_eq!(Some(&copied), source.as_ref());
                // So that it can be given again, as one would.
                fs::rename(folder.join("copy.db"), folder.join("kept.db")).unwrap();
            }
            let is_there = folder.join("kept.db").exists();
            State { history: source, file: is_there.then(Vec::new) }
        },
        named: &[".db"],
        codes: &[4],
        again: &[0],
    };
    scene.play();
}

/// Repair itself may be stopped anywhere: the history is then damaged as before, or repaired.
#[test]
fn a_repair_is_done_or_not_begun() {
    let base = base();
    base.run(&words(INGEST)).exits(0);
    let mut bytes = fs::read(base.path("h.db")).unwrap();
    // A page of an index, which costs nothing but has to be found.
    bytes[11 * 16_384..12 * 16_384].fill(0);
    fs::write(base.path("h.db"), bytes).unwrap();
    let scene = Scene {
        name: "repair",
        arguments: words("db repair --db h.db"),
        base,
        state: |folder| {
            let store = SqliteStore::open(&folder.join("h.db"), OpenMode::ReadOnly);
            let whole =
                store.ok().filter(|store| store.check().is_ok_and(|found| found.is_empty()));
            State { history: whole.map(|store| store.contents().unwrap()), file: None }
        },
        named: &["h.db"],
        codes: &[4],
        again: &[0],
    };
    scene.play();
}

#[test]
fn a_page_is_whole_or_as_it_was() {
    let base = base();
    base.write("page.html", "the page before");
    let scene = Scene {
        name: "report --output",
        arguments: words("report --db h.db --format csv --output page.html"),
        base,
        state: |folder| State { history: None, file: fs::read(folder.join("page.html")).ok() },
        named: &["page.html", "h.db"],
        codes: &[2, 4],
        again: &[0],
    };
    scene.play();
}

#[test]
fn a_quarantine_list_is_whole_or_as_it_was() {
    let base = base();
    base.write("quarantine.toml", "# of the team\n");
    let scene = Scene {
        name: "quarantine add",
        arguments: words("quarantine add shop.cart::a --reason slow --today 2026-11-02 --db h.db"),
        base,
        state: |folder| State {
            history: None,
            file: fs::read(folder.join("quarantine.toml")).ok(),
        },
        named: &["quarantine.toml", "h.db"],
        codes: &[3, 4],
        again: &[0, 1],
    };
    scene.play();
}
