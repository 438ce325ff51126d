//! File systems without shared memory, disks that cannot be read, clocks that go back, and many
//! processes at once.

use std::collections::BTreeSet;
use std::thread;

use flakedb::store::sqlite::Journal;

use crate::command::{Said, Sandbox, finish, report};
use crate::history::{DB, builds, ingest_arguments, journal};
use crate::shim;

fn told(sandbox: &Sandbox, settings: &[(&str, &str)], arguments: &[String]) -> Said {
    let mut command = sandbox.command(arguments);
    shim::load(&mut command);
    for (name, value) in settings {
        command.env(name, value);
    }
    finish(command)
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

const NO_SHM: [(&str, &str); 1] = [("FAULT_NO_SHM", "1")];

#[test]
fn a_file_system_without_shared_memory_gets_a_rollback_journal() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.'), ("b", 'F')]));
    for build in ["1", "2"] {
        told(&sandbox, &NO_SHM, &ingest_arguments("r.xml", build)).exits(0);
        told(&sandbox, &NO_SHM, &words("report --project p")).exits(0);
        told(&sandbox, &NO_SHM, &words("db check")).exits(0);
    }
    assert_eq!(journal(&sandbox.path(DB)), Journal::Rollback);
    assert_eq!(builds(&sandbox.path(DB)).len(), 2);
    let names: Vec<_> = std::fs::read_dir(sandbox.path(".flakedb")).unwrap().collect();
    assert_eq!(names.len(), 2, "{names:?}");
    // Where memory can be shared again, it is used again.
    sandbox.run(&ingest_arguments("r.xml", "3")).exits(0);
    assert_eq!(journal(&sandbox.path(DB)), Journal::WriteAhead);
}

#[test]
fn a_history_with_a_log_works_where_memory_cannot_be_shared() {
    for arguments in [ingest_arguments("r.xml", "3"), words("report"), words("db check")] {
        let sandbox = Sandbox::new();
        sandbox.write("r.xml", report(&[("a", '.'), ("b", 'F')]));
        for build in ["1", "2"] {
            sandbox.run(&ingest_arguments("r.xml", build)).exits(0);
        }
        // Killed behind the commit, so that a log with an acknowledged run is left.
        let calls = shim::calls(&sandbox, &ingest_arguments("r.xml", "0"));
        let behind = calls.iter().position(|call| call.ends_with("history.db")).unwrap();
        let mut command = sandbox.command(&ingest_arguments("r.xml", "left"));
        shim::inject(&mut command, shim::Kind::Kill, behind + 1);
        assert_eq!(finish(command).code, -1);
        assert!(sandbox.path(".flakedb/history.db-wal").exists());
        let before = builds(&sandbox.path(DB)).len();
        told(&sandbox, &NO_SHM, &arguments).exits(0);
        let added = usize::from(arguments[0] == "ingest");
        assert_eq!(builds(&sandbox.path(DB)).len(), before + added);
        sandbox.run(&["db", "check"]).exits(0);
    }
}

#[test]
fn a_disk_that_cannot_be_read_is_said_to_be_one() {
    let sandbox = Sandbox::new();
    sandbox.write("r.xml", report(&[("a", '.'), ("b", 'F')]));
    sandbox.run(&ingest_arguments("r.xml", "1")).exits(0);
    let before = std::fs::read(sandbox.path(DB)).unwrap();
    for arguments in [words("report"), words("db check"), ingest_arguments("r.xml", "2")] {
        let mut refused = 0;
        for read in 1..12 {
            let read = read.to_string();
            let said = told(&sandbox, &[("FAULT_READ_AT", &read)], &arguments);
            assert!(!said.stderr.contains("panicked"), "{said:#?}");
            // The reports, too, are files that cannot be read.
            if said.code == 4 {
                refused += 1;
                assert!(said.stderr.contains("history.db"), "{said:#?}");
            }
            assert!([0, 1, 2, 3, 4].contains(&said.code), "{said:#?}");
        }
        assert!(refused > 2, "{arguments:?}");
    }
    assert_eq!(std::fs::read(sandbox.path(DB)).unwrap().len(), before.len());
    sandbox.run(&["db", "check"]).exits(0);
}

#[test]
fn a_clock_that_goes_back_loses_no_run_and_orders_by_what_reports_say() {
    let sandbox = Sandbox::new();
    // The clocks of ingest by turns: now, yesterday, in ten years, a year ago.
    let clocks = ["0", "-86400", "315360000", "-31536000"];
    for (place, clock) in clocks.iter().enumerate() {
        let xml = format!(
            "<testsuite name=\"s\" timestamp=\"2020-11-0{}T10:00:00\">\
             <testcase classname=\"c\" name=\"a\" time=\"0.1\"/></testsuite>",
            place + 1
        );
        sandbox.write("r.xml", xml);
        let arguments = ingest_arguments("r.xml", &place.to_string());
        told(&sandbox, &[("FAULT_CLOCK", clock)], &arguments).exits(0);
    }
    sandbox.run(&["db", "check"]).exits(0);
    let found: Vec<String> =
        builds(&sandbox.path(DB)).into_iter().map(|(build, ..)| build).collect();
    assert_eq!(found, ["0", "1", "2", "3"]);
    // And in 1970, when nothing had happened yet.
    for clock in clocks.into_iter().chain(["-1700000000"]) {
        let said = told(&sandbox, &[("FAULT_CLOCK", clock)], &words("report --format json"));
        assert_eq!(said.exits(0).json()["runs"]["total"], 4);
        told(&sandbox, &[("FAULT_CLOCK", clock)], &words("show a")).exits(0);
        told(&sandbox, &[("FAULT_CLOCK", clock)], &words("quarantine")).exits(0);
    }
}

#[test]
fn sixty_four_ingests_at_once_are_all_kept() {
    let sandbox = Sandbox::new();
    let many = 64;
    for writer in 0..many {
        let own = format!("test_{writer}");
        sandbox.write(&format!("r/{writer}.xml"), report(&[("shared", '.'), (&own, 'F')]));
    }
    // Nobody made the file before, so that they also race to make it.
    let children: Vec<_> = (0..many)
        .map(|writer| {
            let file = format!("r/{writer}.xml");
            let mut command = sandbox.command(&ingest_arguments(&file, &writer.to_string()));
            thread::spawn(move || {
                finish({
                    command.stdin(std::process::Stdio::null());
                    command
                })
            })
        })
        .collect();
    for child in children {
        child.join().unwrap().exits(0);
    }
    sandbox.run(&["db", "check"]).exits(0);
    let found = builds(&sandbox.path(DB));
    let names: BTreeSet<&str> = found.iter().map(|(build, ..)| build.as_str()).collect();
    assert_eq!(names.len(), many);
    assert!(found.iter().all(|(_, reports, cases)| (*reports, *cases) == (1, 2)));
    let left = std::fs::read_dir(sandbox.path(".flakedb")).unwrap().count();
    assert_eq!(left, 2, "the history and its .gitignore");
}
