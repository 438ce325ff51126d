//! What one reader remembers from document to document: who the tests are that it met.
//!
//! Reports of one suite name the same tests in the same order, run after run. So the next test is
//! first looked for behind the last one, which costs a comparison of its name; only what is new is
//! cleaned, masked and hashed. Nothing that is read depends on what is remembered.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use hashbrown::HashTable;

use crate::model::{TestId, TestIdentity};

use super::identity::Masks;

/// What an entry takes besides its texts, its place in the table included.
const TEST_BYTES: usize = size_of::<Test>() + 8;
const SCOPE_BYTES: usize = size_of::<Scope>() + 8;
const SUITES_BYTES: usize = size_of::<Suites>() + 8;

/// A piece of the remembered text.
type Piece = Range<u32>;

/// The suites around a test, with all that decides how names in them are read.
#[derive(Debug)]
struct Suites {
    hash: u64,
    masks: Masks,
    path: Piece,
    /// The file that holds where a case names none.
    file: Piece,
}

/// A class in its suites: raw as the document writes it, and as it was understood.
#[derive(Debug)]
struct Scope {
    hash: u64,
    suites: u32,
    raw_class: Piece,
    raw_file: Piece,
    class: Piece,
    file: Piece,
}

#[derive(Debug)]
struct Test {
    hash: u64,
    scope: u32,
    raw_name: Piece,
    /// Cleaned and masked; the same piece where that changes nothing.
    name: Piece,
    id: TestId,
    qualified: bool,
}

/// The tests that a reader met.
#[derive(Debug, Default)]
pub(super) struct KnownTests {
    text: String,
    suites: Vec<Suites>,
    scopes: Vec<Scope>,
    tests: Vec<Test>,
    suites_places: HashTable<u32>,
    scope_places: HashTable<u32>,
    test_places: HashTable<u32>,
    hasher: RandomState,
    /// What files are relative to.
    root: Option<String>,
    /// Most memory for what is remembered; none where there will be no other document.
    bytes_max: usize,
    /// Cases of the present document that were looked for, and those that were found.
    asked: usize,
    found: usize,
    /// The scope of the last test, and the place where the next one is expected.
    scope: usize,
    next: usize,
}

/// The raw names of a case.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawNames<'a> {
    pub(super) class: &'a str,
    /// Empty where the case names no file.
    pub(super) file: &'a str,
    pub(super) name: &'a str,
}

impl KnownTests {
    /// Nothing yet, and at most about so many bytes later.
    pub(super) fn within(bytes_max: usize) -> Self {
        Self { bytes_max, ..Self::default() }
    }

    /// Gets ready for a document whose files are relative to `root`; forgets everything where that
    /// is another, or where there is no room and what is remembered was of little use.
    pub(super) fn start(&mut self, root: Option<&str>) {
        let is_stale = self.is_full() && self.found * 2 < self.asked;
        if is_stale || self.root.as_deref() != root {
            self.forget();
            self.root = root.map(str::to_owned);
        }
        (self.asked, self.found) = (0, 0);
    }

    /// Keeps the memory: what comes next needs as much.
    fn forget(&mut self) {
        self.text.clear();
        self.suites.clear();
        self.scopes.clear();
        self.tests.clear();
        self.suites_places.clear();
        self.scope_places.clear();
        self.test_places.clear();
        (self.scope, self.next) = (0, 0);
    }

    fn is_full(&self) -> bool {
        let entries = self.tests.len() * TEST_BYTES
            + self.scopes.len() * SCOPE_BYTES
            + self.suites.len() * SUITES_BYTES;
        entries + self.text.len() >= self.bytes_max
    }

    #[inline]
    fn piece(&self, piece: &Piece) -> &str {
        self.text.get(piece.start as usize..piece.end as usize).unwrap_or_default()
    }

    /// Compared as bytes, which needs no look at where characters begin.
    #[inline]
    fn is(&self, piece: &Piece, text: &str) -> bool {
        let known = self.text.as_bytes().get(piece.start as usize..piece.end as usize);
        known == Some(text.as_bytes())
    }

    fn keep(&mut self, text: &str) -> Piece {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        start..self.text.len() as u32
    }

    /// The number of these suites, which are remembered while there is room.
    pub(super) fn suites(&mut self, masks: Masks, path: &str, file: &str) -> Option<u32> {
        if self.bytes_max == 0 {
            return None;
        }
        let hash = self.hasher.hash_one((masks, path, file));
        let same = |known: &Suites| {
            known.masks == masks && self.is(&known.path, path) && self.is(&known.file, file)
        };
        let found = |place: &u32| self.suites.get(*place as usize).is_some_and(same);
        if let Some(place) = self.suites_places.find(hash, found) {
            return Some(*place);
        }
        if self.is_full() {
            return None;
        }
        let place = self.suites.len() as u32;
        let (path, file) = (self.keep(path), self.keep(file));
        self.suites.push(Suites { hash, masks, path, file });
        let hash_of = |place: &u32| self.suites.get(*place as usize).map_or(0, |known| known.hash);
        self.suites_places.insert_unique(hash, place, hash_of);
        Some(place)
    }

    /// Who a test is whose raw names were met before.
    #[inline]
    pub(super) fn find(&mut self, suites: u32, raw: RawNames<'_>) -> Option<TestIdentity<'_>> {
        self.asked += 1;
        self.scope = self.find_scope(suites, raw)?;
        let scope = self.scope as u32;
        let is_next = |test: &Test| test.scope == scope && self.is(&test.raw_name, raw.name);
        if !self.tests.get(self.next).is_some_and(is_next) {
            self.next = self.find_test(scope, raw.name)?;
        }
        let (test, scope) = (self.tests.get(self.next)?, self.scopes.get(self.scope)?);
        self.next += 1;
        self.found += 1;
        Some(TestIdentity {
            id: test.id,
            suite: self.piece(&self.suites.get(scope.suites as usize)?.path),
            classname: self.piece(&scope.class),
            name: self.piece(&test.name),
            file: self.piece(&scope.file),
            qualified: test.qualified,
        })
    }

    /// The scope of these names: the last, the one behind it, or any other.
    #[inline]
    fn find_scope(&self, suites: u32, raw: RawNames<'_>) -> Option<usize> {
        let is = |scope: &Scope| {
            scope.suites == suites
                && self.is(&scope.raw_class, raw.class)
                && self.is(&scope.raw_file, raw.file)
        };
        let near = [self.scope, self.scope + 1];
        let near = near.into_iter().find(|place| self.scopes.get(*place).is_some_and(is));
        near.or_else(|| {
            let found = |place: &u32| self.scopes.get(*place as usize).is_some_and(is);
            let hash = self.hasher.hash_one((suites, raw.class, raw.file));
            self.scope_places.find(hash, found).map(|place| *place as usize)
        })
    }

    fn find_test(&self, scope: u32, raw_name: &str) -> Option<usize> {
        let is = |test: &Test| test.scope == scope && self.is(&test.raw_name, raw_name);
        let found = |place: &u32| self.tests.get(*place as usize).is_some_and(is);
        let hash = self.hasher.hash_one((scope, raw_name));
        self.test_places.find(hash, found).map(|place| *place as usize)
    }

    /// Remembers who the test of these raw names is; [`find`](Self::find) did not know it.
    pub(super) fn learn(&mut self, suites: u32, raw: RawNames<'_>, test: &TestIdentity<'_>) {
        if self.is_full() {
            return;
        }
        self.scope = match self.find_scope(suites, raw) {
            Some(place) => place,
            None => self.learn_scope(suites, raw, test),
        };
        let scope = self.scope as u32;
        let raw_name = self.keep(raw.name);
        let name = if raw.name == test.name { raw_name.clone() } else { self.keep(test.name) };
        let hash = self.hasher.hash_one((scope, raw.name));
        let place = self.tests.len() as u32;
        self.next = self.tests.len() + 1;
        let (id, qualified) = (test.id, test.qualified);
        self.tests.push(Test { hash, scope, raw_name, name, id, qualified });
        let hash_of = |place: &u32| self.tests.get(*place as usize).map_or(0, |known| known.hash);
        self.test_places.insert_unique(hash, place, hash_of);
    }

    fn learn_scope(&mut self, suites: u32, raw: RawNames<'_>, test: &TestIdentity<'_>) -> usize {
        let hash = self.hasher.hash_one((suites, raw.class, raw.file));
        let (raw_class, raw_file) = (self.keep(raw.class), self.keep(raw.file));
        let (class, file) = (self.keep(test.classname), self.keep(test.file));
        let place = self.scopes.len();
        self.scopes.push(Scope { hash, suites, raw_class, raw_file, class, file });
        let hash_of = |place: &u32| self.scopes.get(*place as usize).map_or(0, |known| known.hash);
        self.scope_places.insert_unique(hash, place as u32, hash_of);
        place
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::junit::identity::{RawIdentity, identify};
    use crate::junit::{ReadOptions, Reader, Reading, read};

    fn shown(reading: &Reading) -> String {
        format!("{reading:?}")
    }

    fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_below(&path, found);
            } else {
                found.push(path);
            }
        }
    }

    #[test]
    fn no_fixture_reads_otherwise_after_all_others() {
        let mut files = Vec::new();
        files_below(Path::new("fixtures/junit"), &mut files);
        assert!(files.len() > 100);
        files.sort();
        let mut reader = Reader::within(1 << 20);
        for _ in 0..2 {
            for file in &files {
                let bytes = std::fs::read(file).unwrap();
                let path = file.to_string_lossy();
                let options = ReadOptions { source_path: Some(&path), ..ReadOptions::default() };
                let (fresh, again) = (read(&bytes, &options), reader.read(&bytes, &options));
                assert_eq!(shown(&fresh), shown(&again), "{path}");
            }
        }
    }

    fn case() -> impl Strategy<Value = String> {
        let attribute = |name: &'static str, values: &'static [&'static str]| {
            select(values).prop_map(move |value| match value {
                "-" => String::new(),
                value => format!(" {name}=\"{value}\""),
            })
        };
        let class = attribute(
            "classname",
            &["a.B", "a.C", "x &gt; y", "a & b", "a&#1;b", "", "-", "t", "w:7"],
        );
        let name =
            attribute("name", &["t", "u", " t ", "t&amp;u", "a & b", "", "-", "at 0x7f3a99c01b2d"]);
        let file = attribute("file", &["a.py", "./a.py:3", "a & b", "", "-", "-"]);
        let rest = select(
            &[
                "",
                " time=\"0.5\"",
                " time=\"-1\"",
                " time=\"1e-6\" line=\"3\"",
                " status='failed'",
                " x=\"<\"",
                " class=\"k\"",
                " name=\"again\"",
                " timestamp=\"2026-01-01T00:00:00\"",
            ][..],
        );
        let end = select(
            &[
                "/>",
                "/>",
                "/>",
                " />",
                "></testcase>",
                "><skipped/></testcase>",
                "><failure message=\"m\">text</failure></testcase>",
                "><properties><property name=\"test_id\" value=\"i\"/></properties></testcase>",
                "><testcase classname=\"a.B\" name=\"t\"/></testcase>",
                "/><properties><property name=\"worker\" value=\"w\"/></properties>",
            ][..],
        );
        let order = any::<bool>();
        (class, name, file, rest, end, order).prop_map(|(class, name, file, rest, end, order)| {
            match order {
                true => format!("<testcase{class}{name}{file}{rest}{end}\n"),
                false => format!("  <testcase{rest}{file}{name}{class}{end}"),
            }
        })
    }

    fn document() -> impl Strategy<Value = String> {
        let suite = (
            select(&["pytest", "s", "a & b", "busted", "rspec2"][..]),
            select(&["", " file=\"f.rb\"", " hostname=\"chromium\""][..]),
            vec(case(), 0..6),
            select(&["</testsuite>", "</testsuite>", ""][..]),
        );
        let suite = suite.prop_map(|(name, rest, cases, end)| {
            format!("<testsuite name=\"{name}\"{rest}>{}{end}", cases.concat())
        });
        let root = select(
            &[
                "<testsuites>",
                "<testsuites name=\"Mocha Tests\">",
                "<testsuites id=\"\" name=\"\" tests=\"9\">",
            ][..],
        );
        (root, vec(suite, 0..4))
            .prop_map(|(root, suites)| format!("{root}{}</testsuites>", suites.concat()))
    }

    proptest! {
        #[test]
        fn what_was_read_before_does_not_show(
            documents in vec(document(), 1..6),
            bytes_max in select(&[0_usize, 300, 1 << 20][..]),
        ) {
            let mut reader = Reader::within(bytes_max);
            for text in documents.iter().chain(&documents) {
                let (fresh, again) = (
                    read(text.as_bytes(), &ReadOptions::default()),
                    reader.read(text.as_bytes(), &ReadOptions::default()),
                );
                prop_assert_eq!(shown(&fresh), shown(&again));
            }
        }
    }

    #[test]
    fn files_are_relative_to_the_root_of_each_document() {
        let text = b"<testsuite><testcase classname='c' name='t' file='/one/a.py'/></testsuite>";
        let mut reader = Reader::within(1 << 20);
        let mut file = |root| {
            let options = ReadOptions { repository_root: Some(root), ..ReadOptions::default() };
            let reading = reader.read(text, &options);
            reading.report.tests.iter().next().unwrap().file.to_owned()
        };
        assert_eq!(
            (file("/one"), file("/one"), file("/two")),
            ("a.py".into(), "a.py".into(), "/one/a.py".into())
        );
    }

    const NAMES: [(&str, &str); 4] = [("a.B", "t"), ("a.B", "u"), ("a.C", "t"), ("", "v")];

    fn raw(class: &'static str, name: &'static str) -> RawNames<'static> {
        RawNames { class, file: "", name }
    }

    fn learn(known: &mut KnownTests, suites: u32, class: &'static str, name: &'static str) {
        let test = identify(&RawIdentity { classname: class, name, ..RawIdentity::default() });
        known.learn(suites, raw(class, name), &test.identity());
    }

    #[test]
    fn what_was_learnt_is_found_in_any_order_and_in_its_suites_only() {
        let mut known = KnownTests::within(1 << 20);
        known.start(None);
        let none = Masks::default();
        let [suites, other] = ["", "f"].map(|file| known.suites(none, "s", file).unwrap());
        assert_ne!(suites, other);
        assert_eq!(known.suites(none, "s", "f"), Some(other));
        for (class, name) in NAMES {
            assert_eq!(known.find(suites, raw(class, name)), None);
            learn(&mut known, suites, class, name);
        }
        for (class, name) in NAMES.into_iter().chain(NAMES.into_iter().rev()) {
            let test = known.find(suites, raw(class, name)).unwrap();
            assert_eq!((test.classname, test.name), (class, name));
            assert_eq!(known.find(other, raw(class, name)), None);
        }
        assert_eq!((known.asked, known.found), (4 + 16, 8));
        assert_eq!(KnownTests::within(0).suites(none, "s", ""), None);
    }

    /// What is remembered, by the sizes of its parts.
    fn bytes(known: &KnownTests) -> usize {
        let of = |count: usize, one: usize| (0..count).map(|_| one).sum::<usize>();
        of(known.tests.len(), TEST_BYTES)
            + of(known.scopes.len(), SCOPE_BYTES)
            + of(known.suites.len(), SUITES_BYTES)
            + known.text.len()
    }

    #[test]
    fn nothing_is_learnt_without_room_and_what_is_of_little_use_makes_room() {
        for bytes_max in [600, 1_000, 1_003] {
            let mut known = KnownTests::within(bytes_max);
            known.start(None);
            let suites = known.suites(Masks::default(), "s", "").unwrap();
            let names: Vec<&'static str> =
                (0..50).map(|number| &*Box::leak(format!("t{number}").into_boxed_str())).collect();
            for name in &names {
                let had_room = bytes(&known) < bytes_max;
                let before = known.tests.len();
                learn(&mut known, suites, "a.B", name);
                assert_eq!(known.tests.len() > before, had_room, "{} bytes", bytes(&known));
            }
            let kept = known.tests.len();
            assert!((1..50).contains(&kept) && known.suites(Masks::default(), "t", "").is_none());
            // Half of what was looked for was found: that is of use.
            for name in [names[0], names[49]] {
                let _ = known.find(suites, raw("a.B", name));
            }
            known.start(None);
            assert_eq!(known.tests.len(), kept);
            for name in [names[0], names[48], names[49]] {
                let _ = known.find(suites, raw("a.B", name));
            }
            known.start(None);
            assert_eq!(bytes(&known), 0);
        }
    }

    #[test]
    fn a_document_of_another_runner_is_read_by_that_runners_masks() {
        let suite = "<testsuite name='s'><testcase classname='w:7' name='t'/></testsuite>";
        let mut reader = Reader::within(1 << 20);
        let mut class = |root: &str| {
            let text = format!("<testsuites{root}>{suite}</testsuites>");
            let reading = reader.read(text.as_bytes(), &ReadOptions::default());
            reading.report.tests.iter().next().unwrap().classname.to_owned()
        };
        // Of an unknown runner `:7` may be a line, with bun it is a part of the name.
        assert_eq!([class(""), class(" name='bun test'"), class("")], ["w", "w:7", "w"]);
    }

    #[test]
    fn a_test_in_two_projects_of_playwright_stays_two_though_it_is_known() {
        let suite = |host: &str| {
            format!(
                "<testsuite name='a.spec.ts'{host}><testcase classname='a.spec.ts' name='t'/></testsuite>"
            )
        };
        let suites = [suite(""), suite(" hostname='firefox'")].concat();
        let text = format!("<testsuites id='' name=''>{suites}</testsuites>");
        let mut reader = Reader::within(1 << 20);
        for _ in 0..2 {
            let report = reader.read(text.as_bytes(), &ReadOptions::default()).report;
            let in_variant: Vec<_> =
                report.results.iter().map(|one| one.variant.is_some()).collect();
            assert_eq!((report.producer, in_variant), ("playwright", vec![false, true]));
        }
    }
}
