//! Every row that can be read, from the pages of a damaged file into the tables of a new one.

use std::collections::{HashMap, HashSet};

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::super::check::Finding;
use super::pages::{Cell, Damage, Pages, Value};
use crate::model::counted;

/// The tables in the order in which their rows name each other, and their columns that no shape of a
/// row tells apart from those of another table.
const TABLES: [&str; 10] = [
    "project",
    "revision",
    "branch",
    "variant",
    "run",
    "report",
    "scope",
    "test",
    "failure",
    "suite_failure",
];
/// Names stand twice in a file: in their table and in the index of it.
const NAMED: [&str; 4] = ["project", "revision", "branch", "variant"];
/// What an index knows of rows that cannot be read: the table, the index's columns for number and key.
const KEYED: [(&str, usize, usize); 4] =
    [("run", 2, 1), ("report", 3, 2), ("test", 2, 1), ("failure", 2, 1)];

/// What the indexes say that the tables do not.
#[derive(Debug, Default)]
pub(super) struct Salvaged {
    /// Numbers and keys of rows that only an index still knows, by table.
    pub(super) remembered: HashMap<&'static str, HashMap<i64, Vec<u8>>>,
    /// Names that are otherwise in the index: the table, the number, the name in the index.
    pub(super) doubtful: Vec<(&'static str, i64, String)>,
}

impl ToSql for Value {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Integer(number) => ToSqlOutput::from(*number),
            Self::Real(number) => ToSqlOutput::from(*number),
            Self::Text(bytes) => ToSqlOutput::from(String::from_utf8_lossy(bytes).into_owned()),
            Self::Blob(bytes) => ToSqlOutput::from(bytes.as_slice()),
        })
    }
}

/// A table as a new file has it.
struct Table {
    name: &'static str,
    columns: Vec<Column>,
    /// True where the number of a row is its first column.
    numbered: bool,
}

struct Column {
    name: String,
    kind: String,
    required: bool,
}

impl Table {
    fn of(connection: &Connection, name: &'static str) -> Result<Self> {
        let mut select =
            connection.prepare("SELECT name, type, \"notnull\" FROM pragma_table_info(?1)")?;
        let columns = select.query_map([name], |row| {
            Ok(Column { name: row.get(0)?, kind: row.get(1)?, required: row.get(2)? })
        })?;
        let columns = columns.collect::<Result<_>>()?;
        Ok(Self { name, columns, numbered: name != "suite_failure" })
    }

    /// True where the values can be a row of this table; an older file lacks the last columns.
    fn fits(&self, cell: &Cell) -> bool {
        let values = &cell.values;
        let is_number = !self.numbered || values.first() == Some(&Value::Null);
        is_number
            && !values.is_empty()
            && values.len() <= self.columns.len()
            && values.iter().zip(&self.columns).all(|(value, column)| {
                match (value, column.kind.as_str()) {
                    (Value::Null, _) => !column.required,
                    (Value::Integer(_), "INTEGER") => true,
                    (Value::Text(_), "TEXT") | (Value::Blob(_), "BLOB") => true,
                    (_, kind) => kind == "ANY",
                }
            })
    }

    /// Writes a row; false where the file's own rules refuse it.
    fn insert(&self, connection: &Connection, cell: &Cell) -> Result<bool> {
        if !self.fits(cell) {
            return Ok(false);
        }
        let columns: Vec<&str> = self
            .columns
            .iter()
            .take(cell.values.len())
            .map(|column| column.name.as_str())
            .collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({marks})", self.name, columns.join(", "));
        let mut values: Vec<&dyn ToSql> =
            cell.values.iter().map(|value| value as &dyn ToSql).collect();
        if let (true, Some(first)) = (self.numbered, values.first_mut()) {
            *first = &cell.number;
        }
        match connection.prepare_cached(&sql)?.execute(values.as_slice()) {
            Err(error) if is_refused(&error) => Ok(false),
            other => other.map(|_| true),
        }
    }
}

fn is_refused(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}

/// Reads whatever can be read; what cannot is named in `lost`.
pub(super) fn salvage(
    pages: &mut Pages,
    into: &Connection,
    lost: &mut Vec<Finding>,
) -> Result<Salvaged> {
    let roots = roots(pages, into, lost)?;
    let mut seen = HashSet::new();
    let mut broken = false;
    let tables: Vec<Table> =
        TABLES.into_iter().map(|name| Table::of(into, name)).collect::<Result<_>>()?;
    for table in &tables {
        let Some(&root) = roots.get(table.name) else { continue };
        let mut damage = Damage::default();
        let (mut refused, mut lossy, mut failed) = (0_u64, 0_u64, None);
        pages.walk(root, &mut seen, &mut damage, &mut |cell| {
            lossy += u64::from(cell.values.iter().any(is_lossy));
            match table.insert(into, &cell) {
                Ok(true) => {}
                Ok(false) => refused += 1,
                Err(error) => failed = Some(error),
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        broken |= !damage.pages.is_empty() || refused > 0;
        tell(table.name, &damage, refused, lossy, lost);
    }
    let salvaged = from_indexes(pages, into, &roots)?;
    if broken || salvaged.remembered.values().any(|keys| !keys.is_empty()) {
        strays(pages, into, &tables, &mut seen)?;
        return from_indexes(pages, into, &roots);
    }
    Ok(salvaged)
}

fn is_lossy(value: &Value) -> bool {
    matches!(value, Value::Text(bytes) if std::str::from_utf8(bytes).is_err())
}

fn tell(table: &str, damage: &Damage, refused: u64, lossy: u64, lost: &mut Vec<Finding>) {
    let mut find = |place: String, problem: &str| {
        lost.push(Finding { place, problem: problem.to_owned() });
    };
    for page in &damage.pages {
        find(format!("page {page}"), &format!("cannot be read; it held a part of {table}"));
    }
    let mut rows: HashMap<u32, u64> = HashMap::new();
    damage.cells.iter().for_each(|page| *rows.entry(*page).or_default() += 1);
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_unstable();
    for (page, many) in rows {
        let rows = counted(many, "row");
        find(format!("page {page}"), &format!("{rows} of {table} cannot be read"));
    }
    if refused > 0 {
        let rows = counted(refused, "row");
        find(table.to_owned(), &format!("{rows} cannot be of this table"));
    }
    if lossy > 0 {
        let rows = counted(lossy, "row");
        find(table.to_owned(), &format!("{rows} with a text that is no UTF-8; kept as it reads"));
    }
}

/// Where each table and index begins: as the file says, else as in a file that is made now.
fn roots(
    pages: &mut Pages,
    into: &Connection,
    lost: &mut Vec<Finding>,
) -> Result<HashMap<String, u32>> {
    let mut select = into.prepare("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")?;
    let mut roots: HashMap<String, u32> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_>>()?;
    let mut damage = Damage::default();
    let mut found = HashSet::new();
    pages.walk(1, &mut HashSet::new(), &mut damage, &mut |cell| {
        if let [_, Value::Text(name), _, Value::Integer(root), _] = cell.values.as_slice()
            && let (Ok(name), Ok(root)) = (std::str::from_utf8(name), u32::try_from(*root))
            && let Some(place) = roots.get_mut(name)
        {
            *place = root;
            found.insert(name.to_owned());
        }
    });
    let guessed = TABLES.into_iter().filter(|name| !found.contains(*name)).count();
    if guessed > 0 {
        let tables = counted(guessed as u64, "table");
        let problem = format!("it does not name {tables}; looked for where a new file has them");
        lost.push(Finding { place: "page 1".to_owned(), problem });
    }
    Ok(roots)
}

/// Rows on pages that no tree leads to any more, where their shape says which table they are of.
fn strays(
    pages: &mut Pages,
    into: &Connection,
    tables: &[Table],
    seen: &mut HashSet<u32>,
) -> Result<()> {
    seen.extend(pages.free());
    for page in 2..=pages.count() {
        if seen.contains(&page) {
            continue;
        }
        let mut cells = Vec::new();
        pages.leaf(page, &mut |cell| cells.push(cell));
        for cell in cells {
            let mut fitting = tables
                .iter()
                .filter(|table| table.numbered && table.fits(&cell) && is_full(table, &cell));
            // Names are of one shape in three tables; their indexes know them.
            if let (Some(table), None) = (fitting.next(), fitting.next()) {
                table.insert(into, &cell)?;
            }
        }
    }
    Ok(())
}

/// Columns that came with a later schema are missing in rows of an earlier one, and only in reports.
fn is_full(table: &Table, cell: &Cell) -> bool {
    cell.values.len() == table.columns.len() || (table.name == "report" && cell.values.len() > 17)
}

/// What the indexes still know: names whole, and of other rows their numbers and keys.
fn from_indexes(
    pages: &mut Pages,
    into: &Connection,
    roots: &HashMap<String, u32>,
) -> Result<Salvaged> {
    let mut entries = |table: &str| {
        let mut entries = Vec::new();
        if let Some(&root) = roots.get(&format!("sqlite_autoindex_{table}_1")) {
            let mut seen = HashSet::new();
            pages.walk(root, &mut seen, &mut Damage::default(), &mut |cell| {
                entries.push(cell.values);
            });
        }
        entries
    };
    let mut salvaged = Salvaged::default();
    for table in NAMED {
        let (columns, marks) = match table {
            "project" => ("name, project_id".to_owned(), "?1, ?2"),
            _ => (format!("project_id, name, {table}_id"), "?1, ?2, ?3"),
        };
        let sql = format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})");
        let select = format!("SELECT name FROM {table} WHERE {table}_id = ?1");
        for values in entries(table) {
            let (Value::Integer(no), Value::Text(name)) = (match values.as_slice() {
                [name @ Value::Text(_), no @ Value::Integer(_)] if table == "project" => (no, name),
                [Value::Integer(_), name @ Value::Text(_), no @ Value::Integer(_)]
                    if table != "project" =>
                {
                    (no, name)
                }
                _ => continue,
            }) else {
                continue;
            };
            into.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(&values))?;
            let found: Option<String> =
                into.prepare_cached(&select)?.query_row([no], |row| row.get(0)).optional()?;
            if found.is_some_and(|found| found.as_bytes() != name.as_slice()) {
                let name = String::from_utf8_lossy(name).into_owned();
                salvaged.doubtful.push((table, *no, name));
            }
        }
    }
    for (table, number, key) in KEYED {
        let known = salvaged.remembered.entry(table).or_default();
        for values in entries(table) {
            if let (Some(Value::Integer(project)), Some(Value::Integer(no)), Some(Value::Blob(key))) =
                (values.first(), values.get(number), values.get(key))
                && !agrees(into, table, (*project, *no), key)?
            {
                known.insert(*no, key.clone());
            }
        }
    }
    Ok(salvaged)
}

/// True where the row is as its index has it; one that is not is taken away, because nothing says
/// which of both is right.
fn agrees(into: &Connection, table: &str, (project, no): (i64, i64), key: &[u8]) -> Result<bool> {
    let column = match table {
        "run" => "run_key",
        "report" => "content_hash",
        _ => "identity",
    };
    let sql =
        format!("SELECT project_id = ?2 AND {column} = ?3 FROM {table} WHERE {table}_id = ?1");
    let found: Option<bool> = into
        .prepare_cached(&sql)?
        .query_row(params![no, project, key], |row| row.get(0))
        .optional()?;
    if found == Some(false) {
        into.execute(&format!("DELETE FROM {table} WHERE {table}_id = ?1"), [no])?;
    }
    Ok(found == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;

    fn fresh() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        connection
    }

    fn row(number: i64, values: &[Value]) -> Cell {
        Cell { number, values: values.to_vec() }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn a_row_fits_the_table_whose_columns_can_hold_its_values() {
        let connection = fresh();
        let project = Table::of(&connection, "project").unwrap();
        let fits = |values: &[Value]| project.fits(&row(1, values));
        // The number of a row does not stand among its values.
        assert!(fits(&[Value::Null, text("p")]));
        assert!(!fits(&[Value::Integer(1), text("p")]));
        assert!(!fits(&[Value::Null, Value::Integer(1)]));
        assert!(!fits(&[Value::Null, Value::Null]));
        assert!(!fits(&[Value::Null, text("p"), Value::Null]));
        assert!(!fits(&[]));
    }

    #[test]
    fn a_row_that_the_rules_of_the_file_refuse_is_no_error_and_anything_else_is_one() {
        let connection = fresh();
        let project = Table::of(&connection, "project").unwrap();
        let insert =
            |no, name: &str| project.insert(&connection, &row(no, &[Value::Null, text(name)]));
        assert_eq!(insert(1, "p"), Ok(true));
        assert_eq!(insert(1, "other"), Ok(false));
        assert_eq!(insert(2, "p"), Ok(false));
        connection.pragma_update(None, "query_only", true).unwrap();
        assert!(insert(3, "q").is_err());
    }

    #[test]
    fn only_rows_of_reports_may_lack_the_columns_of_later_schemas() {
        let connection = fresh();
        let full = |name, columns| {
            let table = Table::of(&connection, name).unwrap();
            is_full(&table, &row(1, &vec![Value::Null; columns]))
        };
        // Schema 1 has 18 columns of a report, the present one 23; a run has 24, a class 6.
        assert_eq!(
            [16, 17, 18, 23].map(|columns| full("report", columns)),
            [false, false, true, true]
        );
        assert_eq!([18, 23, 24].map(|columns| full("run", columns)), [false, false, true]);
        assert_eq!([5, 6].map(|columns| full("scope", columns)), [false, true]);
    }
}
