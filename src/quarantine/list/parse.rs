//! The text of `quarantine.toml`, read strictly: what it cannot mean is an error with its place.

use std::ops::Range;

use chrono::NaiveDate;
use toml_edit::{Document, Item, Table, Value};

use super::glob::Pattern;
use super::model::{Entry, List, Rule, Target};
use crate::analysis::match_name;
use crate::model::Variant;

/// The sections of the file.
const SECTIONS: [&str; 3] = ["entry", "always", "never"];
/// What an entry may say.
const ENTRY_KEYS: [&str; 10] = [
    "test", "pattern", "variant", "owner", "reason", "ticket", "since", "expires", "fixed",
    "evidence",
];
/// What a rule may say.
const RULE_KEYS: [&str; 3] = ["test", "pattern", "reason"];

/// Why a list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub struct ListError {
    /// Where, from 1.
    pub line: usize,
    /// Where in characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Reads the text of a list.
///
/// # Errors
/// The first thing that is wrong: no TOML, an unknown key, a value of the wrong kind, an entry that
/// names no test, or a rule without a reason.
///
/// ```
/// let list = flakedb::quarantine::list::parse(
///     "[[entry]]\ntest = \"cart::test_add\"\nvariant = \"os=windows\"\nexpires = 2026-12-10\n",
/// )
/// .unwrap();
/// assert_eq!(list.entries[0].line, 1);
/// let error = flakedb::quarantine::list::parse("[[entry]]\ntst = \"a\"\n").unwrap_err();
/// assert_eq!((error.line, error.column), (2, 1));
/// ```
pub fn parse(text: &str) -> Result<List, ListError> {
    let place = Place { text };
    let document = Document::parse(text)
        .map_err(|error| place.error(error.span(), error.message().trim_end()))?;
    let root = document.as_table();
    place.check_keys(root, "the list", &SECTIONS)?;
    let mut list = List::default();
    for table in place.section(root, "entry")? {
        list.entries.push(place.entry(table)?);
    }
    for table in place.section(root, "always")? {
        list.always.push(place.rule(table)?);
    }
    for table in place.section(root, "never")? {
        list.never.push(place.rule(table)?);
    }
    Ok(list)
}

/// The text that spans are places in.
struct Place<'a> {
    text: &'a str,
}

impl Place<'_> {
    fn error(&self, span: Option<Range<usize>>, message: impl Into<String>) -> ListError {
        let (line, column) = self.position(span.map_or(0, |span| span.start));
        ListError { line, column, message: message.into().replace('\n', " ") }
    }

    /// Line and column of a byte offset, both from 1.
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or("").chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    fn check_keys(&self, table: &Table, what: &str, known: &[&str]) -> Result<(), ListError> {
        for (name, _) in table {
            if known.contains(&name) {
                continue;
            }
            let meant = match_name::find(name, known);
            let meant = meant.first().and_then(|best| known.get(best.place));
            let meant = meant.map_or(String::new(), |key| format!("; did you mean `{key}`?"));
            let span = table.key(name).and_then(toml_edit::Key::span);
            let keys = known.join(", ");
            return Err(self.error(span, format!("unknown key `{name}`: {what} has {keys}{meant}")));
        }
        Ok(())
    }

    /// The tables of a section; none where it is missing.
    fn section<'t>(&self, root: &'t Table, name: &str) -> Result<Vec<&'t Table>, ListError> {
        match root.get(name) {
            None => Ok(Vec::new()),
            Some(Item::ArrayOfTables(tables)) => Ok(tables.iter().collect()),
            Some(other) => {
                let span = root.key(name).and_then(toml_edit::Key::span).or_else(|| other.span());
                let message = format!("write each as a table of its own, under [[{name}]]");
                Err(self.error(span, message))
            }
        }
    }

    fn entry(&self, table: &Table) -> Result<Entry, ListError> {
        self.check_keys(table, "an entry", &ENTRY_KEYS)?;
        Ok(Entry {
            line: self.position(table.span().map_or(0, |span| span.start)).0,
            target: self.target(table, "entry")?,
            variant: self.variant(table)?,
            owner: self.filled(table, "owner")?,
            reason: self.filled(table, "reason")?,
            ticket: self.filled(table, "ticket")?,
            since: self.date(table, "since")?,
            expires: self.date(table, "expires")?,
            fixed: self.filled(table, "fixed")?,
            evidence: self.filled(table, "evidence")?,
        })
    }

    fn rule(&self, table: &Table) -> Result<Rule, ListError> {
        self.check_keys(table, "a rule", &RULE_KEYS)?;
        let reason = self.filled(table, "reason")?.ok_or_else(|| {
            self.error(table.span(), "a rule holds for good: say why with reason = \"…\"")
        })?;
        Ok(Rule {
            line: self.position(table.span().map_or(0, |span| span.start)).0,
            target: self.target(table, "rule")?,
            reason,
        })
    }

    fn target(&self, table: &Table, what: &str) -> Result<Target, ListError> {
        match (self.text(table, "test")?, self.text(table, "pattern")?) {
            (Some(""), _) | (_, Some("")) => Err(self.error(table.span(), "an empty name")),
            (Some(test), None) => Ok(Target::Test(test.to_owned())),
            (None, Some(pattern)) => Ok(Target::Pattern(Pattern::new(pattern))),
            (Some(_), Some(_)) => {
                let span = table.key("pattern").and_then(toml_edit::Key::span);
                let message = "both test and pattern: keep one, or write a second table";
                Err(self.error(span, message))
            }
            (None, None) => {
                let message = format!(
                    "this {what} names no test: add test = \"…\", as `flakedb report` prints it, \
                     or pattern = \"…\""
                );
                Err(self.error(table.span(), message))
            }
        }
    }

    fn variant(&self, table: &Table) -> Result<Variant, ListError> {
        let Some(text) = self.text(table, "variant")? else { return Ok(Variant::default()) };
        let span = table.get("variant").and_then(Item::span);
        text.parse()
            .map_err(|error: crate::model::run::VariantError| self.error(span, error.to_string()))
    }

    /// A text that says something; blank ones count as left out.
    fn filled(&self, table: &Table, key: &str) -> Result<Option<String>, ListError> {
        let text = self.text(table, key)?.map(str::trim);
        Ok(text.filter(|text| !text.is_empty()).map(str::to_owned))
    }

    fn text<'t>(&self, table: &'t Table, key: &str) -> Result<Option<&'t str>, ListError> {
        let Some(item) = table.get(key) else { return Ok(None) };
        let text = item.as_str();
        text.map(Some)
            .ok_or_else(|| self.error(item.span(), format!("`{key}` is a text in quotes")))
    }

    /// A date of TOML, or a text that starts with one.
    fn date(&self, table: &Table, key: &str) -> Result<Option<NaiveDate>, ListError> {
        let Some(item) = table.get(key) else { return Ok(None) };
        let date = match item.as_value() {
            Some(Value::Datetime(time)) => time.value().date.and_then(|date| {
                NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
            }),
            Some(Value::String(text)) => of_text(text.value()),
            _ => None,
        };
        date.map(Some).ok_or_else(|| {
            self.error(item.span(), format!("`{key}` is a date, such as {key} = 2026-12-10"))
        })
    }
}

/// The date that a text is or, of a time, starts with.
fn of_text(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let date = text.split_once(['T', ' ']).map_or(text, |(date, _)| date);
    NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let list = parse(
            r#"# what must not block a merge

[[entry]]
test = "tests.cart::test_add[a-1]"
variant = "python=3.12, os=windows"
owner = "@acme/shop"
reason = "times out"
ticket = "SHOP-7"
since = 2026-11-20
expires = "2026-12-04"
fixed = "4f2a9c1"
evidence = "failed in 3 of 90 runs"

[[always]]
pattern = "tests.e2e.*"
reason = "run on shared hardware"

[[never]]
test = "tests.pay::test_charge"
reason = "money"
"#,
        )
        .unwrap();
        let [entry] = list.entries.as_slice() else { panic!("{list:?}") };
        assert_eq!(entry.line, 3);
        assert_eq!(entry.target, Target::Test("tests.cart::test_add[a-1]".into()));
        assert_eq!(entry.variant.to_string(), "os=windows,python=3.12");
        let texts = [&entry.owner, &entry.reason, &entry.ticket, &entry.fixed, &entry.evidence];
        let texts: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
        assert_eq!(
            texts,
            ["@acme/shop", "times out", "SHOP-7", "4f2a9c1", "failed in 3 of 90 runs"]
        );
        let date = |day: Option<NaiveDate>| day.map(|day| day.to_string());
        assert_eq!(date(entry.since).as_deref(), Some("2026-11-20"));
        assert_eq!(date(entry.expires).as_deref(), Some("2026-12-04"));
        assert_eq!((list.always[0].line, list.never[0].line), (14, 18));
        assert_eq!(list.always[0].reason, "run on shared hardware");
        assert_eq!(list.never[0].target.as_str(), "tests.pay::test_charge");
    }

    #[test]
    fn dates_may_be_dates_times_or_texts() {
        for (value, wanted) in [
            ("2026-12-10", Some("2026-12-10")),
            ("2026-12-10T08:00:00Z", Some("2026-12-10")),
            ("2026-12-10 08:00:00", Some("2026-12-10")),
            ("\"2026-12-10T08:00:00+02:00\"", Some("2026-12-10")),
            ("08:00:00", None),
            ("\"10.12.2026\"", None),
            ("\"\"", None),
            ("20261210", None),
        ] {
            let list = parse(&format!("[[entry]]\ntest = \"a\"\nexpires = {value}\n"));
            let found = list.map(|list| list.entries[0].expires.map(|day| day.to_string()));
            assert_eq!(found.ok().flatten().as_deref(), wanted, "{value}");
        }
    }

    #[test]
    fn an_error_says_where_and_what_would_be_right() {
        for (text, wanted) in [
            ("[[entry]]\ntets = \"a\"\n", "2:1: unknown key `tets`: an entry has test, pattern,"),
            ("[[entry]]\ntets = \"a\"\n", "did you mean `test`?"),
            ("\n[[entries]]\ntest = \"a\"\n", "2:3: unknown key `entries`: the list has entry,"),
            ("[[never]]\ntest = \"a\"\n", "1:1: a rule holds for good: say why with reason"),
            ("[[never]]\ntest = \"a\"\nowner = \"b\"\n", "3:1: unknown key `owner`: a rule has"),
            ("\n [[entry]]\nowner = \"a\"\n", "2:2: this entry names no test: add test ="),
            ("[[entry]]\ntest = \"a\"\npattern = \"b\"", "3:1: both test and pattern: keep one"),
            ("[[entry]]\ntest = \"\"\n", "1:1: an empty name"),
            ("[entry]\ntest = \"a\"\n", "1:2: write each as a table of its own, under [[entry]]"),
            ("entry = [{ test = \"a\" }]", "1:1: write each as a table of its own"),
            ("[[entry]]\ntest = 7\n", "2:8: `test` is a text in quotes"),
            ("[[entry]]\ntest = \"a\"\nvariant = \"linux\"", "3:11: `linux` is not key=value"),
            ("[[entry]]\ntest = \"é\"\nsince = \"today\"", "3:9: `since` is a date, such as"),
            ("[[entry]]\ntest =\n", "2:7: "),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(
                message.starts_with(wanted)
                    || (wanted.starts_with("did") && message.ends_with(wanted)),
                "{text:?}: {message}"
            );
        }
    }

    #[test]
    fn nothing_at_all_is_an_empty_list() {
        assert_eq!(parse("# nothing\n").unwrap(), List::default());
    }
}
