//! The schema's marks and migrations: append-only files, applied in one transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior};

/// Marks a SQLite file as a history: `flak` in ASCII.
pub const APPLICATION_ID: u32 = 0x666c_616b;

/// Larger than SQLite's 4 KiB, so that segments of about 2 kB fill pages instead of halves.
pub(super) const PAGE_BYTES: u32 = 16_384;

/// Every step from an empty file to the present schema; never change one, add another.
const MIGRATIONS: [&str; 3] = [
    include_str!("../../../migrations/0001_history.sql"),
    include_str!("../../../migrations/0002_host.sql"),
    include_str!("../../../migrations/0003_worker.sql"),
];
/// For each older schema: what makes a file of it read as if it were of the present one. Names of
/// the temporary schema come before those of the file, which is not touched.
const STAND_INS: [&str; MIGRATIONS.len() - 1] = [
    "CREATE TEMP VIEW report AS SELECT *, '' AS host, '' AS worker, NULL AS workers, '' AS shard,
     '' AS seed FROM main.report",
    "CREATE TEMP VIEW report AS SELECT *, '' AS worker, NULL AS workers, '' AS shard, '' AS seed
     FROM main.report",
];

/// The schema that this flakedb writes.
pub const SCHEMA: u32 = MIGRATIONS.len() as u32;

/// What the header of a file says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Nothing was ever stored here.
    Blank,
    /// A history of this schema.
    History(u32),
    /// Something else.
    Foreign(u32),
}

pub(super) fn mark(connection: &Connection) -> rusqlite::Result<Mark> {
    let number = |pragma: &str| {
        connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).map(|value| value as u32)
    };
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let objects = number("SELECT count(*) FROM sqlite_schema")?;
    Ok(match (application, version, objects) {
        (APPLICATION_ID, version, _) => Mark::History(version),
        (0, 0, 0) => Mark::Blank,
        (application, _, _) => Mark::Foreign(application),
    })
}

/// What of a file's schema is not flakedb's.
pub(super) struct Strange {
    /// Tables and indexes that are missing, or not as flakedb makes them: they cannot be read.
    pub(super) changed: Vec<String>,
    /// Triggers, of which flakedb has none. They never run.
    pub(super) planted: Vec<String>,
}

/// Compares the schema with the one that the migrations make. Views, and tables and indexes besides, are
/// nobody's business.
pub(super) fn strange(connection: &Connection) -> rusqlite::Result<Strange> {
    let version = match mark(connection)? {
        Mark::History(version) => version as usize,
        Mark::Blank | Mark::Foreign(_) => 0,
    };
    let made = Connection::open_in_memory()?;
    for sql in MIGRATIONS.iter().take(version) {
        made.execute_batch(sql)?;
    }
    let (wanted, found) = (objects(&made)?, objects(connection)?);
    let changed = wanted.iter().filter(|(name, _)| !name.starts_with("view "));
    let changed = changed.filter_map(|(name, sql)| match found.get(name) {
        None => Some(format!("the {name} is missing")),
        Some(other) if other != sql => Some(format!("the {name} is not as flakedb makes it")),
        Some(_) => None,
    });
    let planted = found.keys().filter(|name| name.starts_with("trigger "));
    let planted =
        planted.map(|name| format!("the {name} is not flakedb's, and never runs; drop it"));
    Ok(Strange { changed: changed.collect(), planted: planted.collect() })
}

/// The statement that made each thing of the schema, by type and name.
fn objects(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut select = connection
        .prepare("SELECT type || ' ' || name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL")?;
    select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Lets a file of an older schema, which must not be changed, be read as one of the present schema.
pub(super) fn stand_in(connection: &Connection) -> rusqlite::Result<()> {
    let Mark::History(version) = mark(connection)? else { return Ok(()) };
    let older = (version as usize).checked_sub(1).and_then(|place| STAND_INS.get(place));
    let Some(sql) = older else { return Ok(()) };
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.execute_batch(sql)
}

/// Takes away what stands in: what copies the file must see it as it is.
pub(super) fn step_aside(connection: &Connection) -> rusqlite::Result<()> {
    let mut select =
        connection.prepare("SELECT name FROM temp.sqlite_schema WHERE type = 'view'")?;
    let names: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    drop(select);
    names.iter().try_for_each(|name| connection.execute_batch(&format!("DROP VIEW temp.{name}")))
}

/// Applies what is missing, in one transaction; another process may do the same at the same time.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    if mark(connection)? == Mark::History(SCHEMA) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (done, sql) in (0..).zip(MIGRATIONS) {
        let wanted = match mark(&transaction)? {
            Mark::Blank => done == 0,
            Mark::History(version) => version == done,
            Mark::Foreign(_) => false,
        };
        if wanted {
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", done + 1)?;
        }
    }
    transaction.commit()
}
