//! Files of released schemas, one in `fixtures/db` for each: read as they are, upgraded by writing.

use flakedb::store::sqlite::SCHEMA;
use flakedb::store::{OpenMode, SqliteStore};

use crate::command::{Sandbox, project};

/// Calls `check` with a fresh sandbox for each older schema, whose file is `old.db` there.
fn of_each_schema(check: impl Fn(&Sandbox, u32)) {
    for older in 1..SCHEMA {
        let sandbox = Sandbox::new();
        let fixture = project(&format!("fixtures/db/schema-{older}.db"));
        std::fs::copy(fixture, sandbox.path("old.db")).unwrap();
        check(&sandbox, older);
    }
}

fn schema(sandbox: &Sandbox) -> u32 {
    SqliteStore::open(&sandbox.path("old.db"), OpenMode::ReadOnly).unwrap().info().unwrap().schema
}

#[test]
fn an_older_history_is_read_without_being_touched() {
    of_each_schema(|sandbox, older| {
        let before = std::fs::read(sandbox.path("old.db")).unwrap();
        let said = sandbox.run(&["report", "--db", "old.db", "--format", "json"]).exits(0);
        assert_eq!(said.json()["runs"]["total"], 2, "{said:?}");
        sandbox.run(&["db", "check", "--db", "old.db"]).exits(0);
        sandbox.run(&["show", "test_confirmation_mail_leaves", "--db", "old.db"]).exits(0);
        sandbox.run(&["db", "backup", "copy.db", "--db", "old.db"]).exits(0);
        sandbox.run(&["report", "--db", "copy.db"]).exits(0);
        assert_eq!(std::fs::read(sandbox.path("old.db")).unwrap(), before);
        // Where nobody may write, neither beside it.
        let mut permissions = std::fs::metadata(sandbox.path("old.db")).unwrap().permissions();
        permissions.set_readonly(true);
        std::fs::set_permissions(sandbox.path("old.db"), permissions).unwrap();
        sandbox.run(&["report", "--db", "old.db"]).exits(0);
        assert_eq!(schema(sandbox), older);
    });
}

#[test]
fn writing_upgrades_an_older_history_and_the_reports_fill_what_it_lacked() {
    of_each_schema(|sandbox, _| {
        let ingest = |db: &str| {
            let mut arguments = vec!["ingest".to_owned(), "--db".to_owned(), db.to_owned()];
            for run in ["run-009", "run-010"] {
                let path = project("fixtures/demo").join(run);
                arguments.push(path.to_string_lossy().into_owned());
            }
            sandbox.run(&arguments).exits(0);
            SqliteStore::open(&sandbox.path(db), OpenMode::ReadOnly).unwrap().contents().unwrap()
        };
        assert_eq!(ingest("old.db"), ingest("new.db"));
        assert_eq!(schema(sandbox), SCHEMA);
    });
}

#[test]
fn an_older_history_is_merged_from_and_into() {
    of_each_schema(|sandbox, _| {
        let before = std::fs::read(sandbox.path("old.db")).unwrap();
        sandbox.run(&["db", "merge", "old.db", "--db", "new.db"]).exits(0);
        assert_eq!(std::fs::read(sandbox.path("old.db")).unwrap(), before);
        let contents = |db: &str| {
            SqliteStore::open(&sandbox.path(db), OpenMode::ReadOnly).unwrap().contents().unwrap()
        };
        let merged = contents("new.db");
        assert_eq!(merged, contents("old.db"));
        sandbox.run(&["db", "merge", "new.db", "--db", "old.db"]).exits(0);
        assert_eq!(merged, contents("old.db"));
        assert_eq!(schema(sandbox), SCHEMA);
    });
}
