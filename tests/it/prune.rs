//! `flakedb db prune`: the plan, what it does, and what it refuses.

use crate::command::{Sandbox, report};

/// Five runs of one project, a day apart, and one of another.
fn filled() -> Sandbox {
    let sandbox = Sandbox::new();
    for (project, build) in
        [("shop", 1), ("shop", 2), ("shop", 3), ("shop", 4), ("shop", 5), ("site", 1)]
    {
        let xml = report(&[
            ("pays", if build == 2 { 'F' } else { '.' }),
            (&format!("only_{build}"), '.'),
        ]);
        sandbox.write("junit.xml", xml);
        let started = format!("2026-03-{build:02}T10:00:00Z");
        let build = format!("{project}-{build}");
        let flags = ["--project", project, "--build", &build, "--started", &started];
        sandbox.run(&[&["ingest", "junit.xml", "--exit-zero"][..], &flags[..]].concat()).exits(0);
    }
    sandbox
}

fn runs(sandbox: &Sandbox) -> u64 {
    let info = sandbox.run(&["db", "info", "--format", "json"]).exits(0).json();
    info["runs"].as_u64().unwrap()
}

#[test]
fn the_plan_is_shown_and_a_dry_run_changes_nothing() {
    let sandbox = filled();
    let plan = sandbox.run(&["db", "prune", "--keep-days", "2", "--dry-run"]).exits(0);
    let text = plan.stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[..7],
        [
            ".flakedb/history.db",
            "  shop",
            "    would go  2 runs with 4 results, 2026-03-01 to 2026-03-02",
            "    kept      3 runs with 6 results, 2026-03-03 to 2026-03-05",
            "  site",
            "    would go  no run",
            "    kept      1 run with 2 results, 2026-03-01 to 2026-03-01",
        ]
    );
    assert!(lines[7].ends_with("; nothing was changed"), "{}", lines[7]);
    assert_eq!(runs(&sandbox), 6);
}

#[test]
fn pruned_runs_are_gone_from_reports_and_the_file_is_whole() {
    let sandbox = filled();
    let said =
        sandbox.run(&["db", "prune", "--keep-runs", "2", "--project", "shop", "--format", "json"]);
    let said = said.exits(0).json();
    assert_eq!(said["schema"], "flakedb.db-prune.v1");
    assert_eq!(said["removed"], serde_json::json!({"runs": 3, "failures": 1, "names": 0}));
    assert_eq!(said["projects"].as_array().unwrap().len(), 1);
    assert_eq!(said["projects"][0]["stays"]["first_started"], "2026-03-04T10:00:00Z");
    sandbox.run(&["db", "check"]).exits(0);
    let report =
        sandbox.run(&["report", "--project", "shop", "--all", "--format", "json"]).exits(0);
    assert_eq!(report.json()["runs"]["total"], 2);
    let twice = sandbox.run(&["db", "prune", "--keep-runs", "2", "--shrink"]).exits(0);
    assert!(twice.stdout.contains("    gone      no run\n"), "{}", twice.stdout);
    assert!(twice.stdout.contains("  with them 0 failures that nothing else had\n"));
    assert_eq!(sandbox.run(&["db", "info", "--format", "json"]).json()["bytes_free"], 0);
    assert_eq!(runs(&sandbox), 3);
}

#[test]
fn what_says_nothing_or_too_much_is_refused() {
    let sandbox = filled();
    let nothing = sandbox.run(&["db", "prune"]).exits(2);
    assert!(nothing.stderr.contains("nothing says which runs to keep"), "{}", nothing.stderr);
    sandbox.run(&["db", "prune", "--keep-runs", "0"]).exits(2);
    sandbox.run(&["db", "prune", "--before", "yesterday"]).exits(2);
    sandbox.run(&["db", "prune", "--keep-runs", "1", "--dry-run", "--shrink"]).exits(2);
    sandbox.run(&["db", "prune", "--keep-runs", "1", "--project", "nobody"]).exits(2);
    let missing = sandbox.run(&["db", "prune", "--keep-runs", "1", "--db", "none.db"]).exits(4);
    assert!(missing.stderr.contains("there is no history at none.db"), "{}", missing.stderr);
    assert!(!sandbox.path("none.db").exists());
    assert_eq!(runs(&sandbox), 6);
}
