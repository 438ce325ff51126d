//! Tests: their identity and a compact table of many.

use std::ops::Range;

use hashbrown::HashTable;

use super::hash::TestId;

/// Separates the names of nested suites inside [`TestIdentity::suite`] (U+001F).
pub const SUITE_SEPARATOR: char = '\u{1f}';
/// Joins the parts of a printed test.
pub const LABEL_SEPARATOR: &str = "::";

/// Who a test is: the cleaned strings that the identity rule kept, and their hash.
///
/// `suite` and `file` are part of the identity only where `qualified` is false; otherwise they are
/// what one report said and may differ in the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestIdentity<'a> {
    /// The key of the test in every history.
    pub id: TestId,
    /// Names of the enclosing suites, joined by [`SUITE_SEPARATOR`].
    pub suite: &'a str,
    /// The class name, or empty.
    pub classname: &'a str,
    /// The name.
    pub name: &'a str,
    /// The source file, relative to the repository where that could be told, or empty.
    pub file: &'a str,
    /// True where class and name alone are the identity.
    pub qualified: bool,
}

impl TestIdentity<'_> {
    /// The test as it is printed and typed: `classname::name`, with file and suites in front
    /// where they are part of the identity.
    ///
    /// ```
    /// use flakedb::model::{TestId, TestIdentity};
    /// let test = TestIdentity {
    ///     id: TestId([0; 16]), suite: "pytest", classname: "tests.test_a", name: "test_b",
    ///     file: "tests/test_a.py", qualified: true,
    /// };
    /// assert_eq!(test.label(), "tests.test_a::test_b");
    /// ```
    #[must_use]
    pub fn label(&self) -> String {
        let mut parts: Vec<&str> = Vec::with_capacity(4);
        if !self.qualified {
            let first_suite = self.suite.split(SUITE_SEPARATOR).next().unwrap_or("");
            if self.file != first_suite && self.file != self.classname {
                parts.push(self.file);
            }
            parts.extend(self.suite.split(SUITE_SEPARATOR).filter(|name| *name != self.classname));
        }
        if self.classname != self.name {
            parts.push(self.classname);
        }
        parts.push(self.name);
        parts.retain(|part| !part.is_empty());
        parts.join(LABEL_SEPARATOR)
    }
}

/// A test as reports name it, without its key: what selects it in a runner.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestName {
    /// The test as it is printed and typed.
    pub label: String,
    /// Names of the enclosing suites, joined by U+001F.
    pub suite: String,
    /// The class name, or empty.
    pub classname: String,
    /// The name.
    pub name: String,
    /// The source file, or empty.
    pub file: String,
}

impl TestName {
    /// The names of an identity.
    #[must_use]
    pub fn of(test: &TestIdentity<'_>) -> Self {
        Self {
            label: test.label(),
            suite: test.suite.to_owned(),
            classname: test.classname.to_owned(),
            name: test.name.to_owned(),
            file: test.file.to_owned(),
        }
    }
}

/// A test's place in a [`TestTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestIndex(pub u32);

#[derive(Debug, Clone)]
struct Entry {
    id: TestId,
    /// The name starts where that of the entry before ends.
    name_end: u32,
    scope: u32,
}

/// What neighbours share: everything but the name.
#[derive(Debug, Clone)]
struct Scope {
    suite: Range<u32>,
    classname: Range<u32>,
    file: Range<u32>,
    qualified: bool,
}

/// Distinct tests in order of first appearance, all their strings in two buffers.
///
/// A million tests of 60 bytes each take about 140 MB as owned strings; here a test takes its name
/// and 35 bytes, and what it shares with the test before nothing. Interning a known test allocates
/// nothing.
#[derive(Debug, Clone, Default)]
pub struct TestTable {
    /// The names, one behind the other.
    names: String,
    /// The strings of all scopes.
    text: String,
    scopes: Vec<Scope>,
    entries: Vec<Entry>,
    places: HashTable<u32>,
}

impl TestTable {
    /// The place of the test, which is added where it is new.
    ///
    /// # Errors
    /// [`TableFull`] when names would need more than 4 GiB or there are 2³² tests.
    pub fn intern(&mut self, test: &TestIdentity<'_>) -> Result<TestIndex, TableFull> {
        let entries = &self.entries;
        let hash = place_hash(test.id);
        if let Some(&place) = self.places.find(hash, |&place| entries[place as usize].id == test.id)
        {
            return Ok(TestIndex(place));
        }
        let place = u32::try_from(self.entries.len()).map_err(|_| TableFull)?;
        let name_end = self.names.len() + test.name.len();
        let name_end = u32::try_from(name_end).map_err(|_| TableFull)?;
        let scope = self.scope(test)?;
        self.names.push_str(test.name);
        let entry = Entry { id: test.id, name_end, scope };
        self.entries.push(entry);
        let entries = &self.entries;
        self.places.insert_unique(hash, place, |&other| place_hash(entries[other as usize].id));
        Ok(TestIndex(place))
    }

    /// Makes room for so many more tests, whose names take so many bytes.
    pub fn reserve(&mut self, tests: usize, name_bytes: usize) {
        self.entries.reserve(tests);
        self.names.reserve(name_bytes);
        let entries = &self.entries;
        self.places.reserve(tests, |&other| place_hash(entries[other as usize].id));
    }

    /// The place of a test that is in the table.
    #[must_use]
    pub fn find(&self, id: TestId) -> Option<TestIndex> {
        let same = |place: &u32| self.entries[*place as usize].id == id;
        self.places.find(place_hash(id), same).map(|&place| TestIndex(place))
    }

    /// The test at a place of this table; `None` for a place of another table.
    #[must_use]
    pub fn get(&self, index: TestIndex) -> Option<TestIdentity<'_>> {
        self.entries.get(index.0 as usize).map(|entry| self.identity(index.0 as usize, entry))
    }

    /// The key of the test at a place, and the number of what it shares with its neighbours: tests
    /// of one number have the same suites, class and file.
    #[must_use]
    pub fn key(&self, index: TestIndex) -> Option<(TestId, u32)> {
        self.entries.get(index.0 as usize).map(|entry| (entry.id, entry.scope))
    }

    /// All tests in order of first appearance.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TestIdentity<'_>> {
        self.entries.iter().enumerate().map(|(place, entry)| self.identity(place, entry))
    }

    /// How many tests there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// True where there is no test.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn identity(&self, place: usize, entry: &Entry) -> TestIdentity<'_> {
        let name_start = match place {
            0 => 0,
            _ => self.entries[place - 1].name_end as usize,
        };
        let scope = &self.scopes[entry.scope as usize];
        TestIdentity {
            id: entry.id,
            suite: self.part(&scope.suite),
            classname: self.part(&scope.classname),
            name: &self.names[name_start..entry.name_end as usize],
            file: self.part(&scope.file),
            qualified: scope.qualified,
        }
    }

    fn part(&self, range: &Range<u32>) -> &str {
        &self.text[range.start as usize..range.end as usize]
    }

    /// The place of a test's scope, which is almost always that of the test before.
    fn scope(&mut self, test: &TestIdentity<'_>) -> Result<u32, TableFull> {
        let known = |part: &str, range: &Range<u32>| {
            let known = self.text.as_bytes().get(range.start as usize..range.end as usize);
            known == Some(part.as_bytes())
        };
        let (mut suite, mut classname, mut file) = (None, None, None);
        if let Some(last) = self.scopes.last() {
            suite = known(test.suite, &last.suite).then_some(&last.suite);
            classname = known(test.classname, &last.classname).then_some(&last.classname);
            file = known(test.file, &last.file).then_some(&last.file);
            let all = suite.is_some() && classname.is_some() && file.is_some();
            if all && last.qualified == test.qualified {
                return u32::try_from(self.scopes.len() - 1).map_err(|_| TableFull);
            }
        }
        let (suite, classname, file) = (suite.cloned(), classname.cloned(), file.cloned());
        let scope = Scope {
            suite: suite.map_or_else(|| self.push(test.suite), Ok)?,
            classname: classname.map_or_else(|| self.push(test.classname), Ok)?,
            file: file.map_or_else(|| self.push(test.file), Ok)?,
            qualified: test.qualified,
        };
        self.scopes.push(scope);
        u32::try_from(self.scopes.len() - 1).map_err(|_| TableFull)
    }

    fn push(&mut self, part: &str) -> Result<Range<u32>, TableFull> {
        let start = u32::try_from(self.text.len()).map_err(|_| TableFull)?;
        self.text.push_str(part);
        let end = u32::try_from(self.text.len()).map_err(|_| TableFull)?;
        Ok(start..end)
    }
}

/// More test names than one table can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 4 GiB of test names in one ingest; split it")]
pub struct TableFull;

/// Ids are uniform already: their first bytes serve as the hash.
fn place_hash(id: TestId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = id.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
/// A test with its variant behind it, as it is printed and typed; a test alone without one.
///
/// ```
/// use flakedb::model::in_variant;
/// assert_eq!(in_variant("a::b", "os=linux"), "a::b [os=linux]");
/// assert_eq!(in_variant("a::b", ""), "a::b");
/// ```
#[must_use]
pub fn in_variant(test: &str, variant: &str) -> String {
    match variant {
        "" => test.to_owned(),
        variant => format!("{test} [{variant}]"),
    }
}

#[cfg(test)]
mod table_tests;
