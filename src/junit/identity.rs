//! Who a test is: the versioned rule that turns raw strings into a [`TestId`].
//!
//! Rule 1: the identity is class and name where the class is *qualified* (it holds a path mark and
//! is no prose), else class, name, the enclosing suites and the file. What a runner changes from
//! run to run is masked first; each mask is named, so that `--explain-id` can list it.

use std::borrow::Cow;

use crate::model::hash::{KeyHasher, key_within};
use crate::model::tests::SUITE_SEPARATOR;
use crate::model::{TestId, TestIdentity};

use super::masks::{
    addresses, browser, repeat_index, run_stamp, without_browser, without_line, without_shard,
    without_stress, without_tap_index,
};
use super::producer::UNKNOWN;
use super::text::{self, Bytes};

/// The version of the rule; stored with every history.
pub const RULE: u32 = 1;
const DOMAIN: &str = "test.1";
const DOMAIN_EXPLICIT: &str = "test.1.explicit";

/// Something volatile that the rule takes out of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
#[non_exhaustive]
pub enum Mask {
    /// `0x7f3a99c01b2d` and UUIDs become `*`.
    Address = 1,
    /// `-20261122090117` at the end of a suite (unittest-xml-reporting).
    RunStamp = 2,
    /// `@stress-3` at the end of a suite or class (cargo-nextest).
    StressIndex = 4,
    /// `rspec2` becomes `rspec`.
    WorkerNumber = 8,
    /// `[1-3]` at the end of a name (pytest-repeat).
    RepeatIndex = 16,
    /// `_shard_1/2` at the end of a name (Bazel).
    ShardIndex = 32,
    /// `:12` at the end of a class or file.
    LineNumber = 64,
    /// `1 - ` or `#1 ` in front of a name (TAP producers).
    TapIndex = 128,
    /// `[project] ` in front of a name, a variant instead (Playwright).
    Project = 256,
    /// The browser in front of a class, a variant instead (karma).
    Browser = 512,
}

impl Mask {
    const ALL: [Self; 10] = [
        Self::Address,
        Self::RunStamp,
        Self::StressIndex,
        Self::WorkerNumber,
        Self::RepeatIndex,
        Self::ShardIndex,
        Self::LineNumber,
        Self::TapIndex,
        Self::Project,
        Self::Browser,
    ];

    /// The word under which the mask is listed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::RunStamp => "run-stamp",
            Self::StressIndex => "stress-index",
            Self::WorkerNumber => "worker-number",
            Self::RepeatIndex => "repeat-index",
            Self::ShardIndex => "shard-index",
            Self::LineNumber => "line-number",
            Self::TapIndex => "tap-index",
            Self::Project => "project",
            Self::Browser => "browser",
        }
    }
}

/// A set of masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Masks(u16);

impl Masks {
    /// True where the mask is in the set.
    #[must_use]
    pub const fn contains(self, mask: Mask) -> bool {
        self.0 & mask as u16 != 0
    }

    /// The masks of the set.
    pub fn iter(self) -> impl Iterator<Item = Mask> {
        Mask::ALL.into_iter().filter(move |mask| self.contains(*mask))
    }

    const fn with(self, mask: Mask) -> Self {
        Self(self.0 | mask as u16)
    }
}

/// Masks beyond those that every producer gets.
const MASKS: &[(&str, &[Mask])] = &[
    ("cargo-nextest", &[Mask::StressIndex]),
    ("rspec", &[Mask::WorkerNumber]),
    ("pytest-repeat", &[Mask::RepeatIndex]),
    ("bazel", &[Mask::ShardIndex]),
    ("busted", &[Mask::LineNumber]),
    ("exunit", &[Mask::LineNumber]),
    ("ansible", &[Mask::LineNumber]),
    (UNKNOWN, &[Mask::LineNumber]),
    ("prove", &[Mask::TapIndex]),
    ("tap-xunit", &[Mask::TapIndex]),
    ("playwright", &[Mask::Project]),
    ("karma", &[Mask::Browser]),
];

/// The identity rule for one producer's documents.
#[derive(Debug, Clone)]
pub(super) struct Rule<'a> {
    enabled: Masks,
    repository_root: Option<&'a str>,
    /// What the last test's key was made of, its name aside, and the key of that.
    last: KeyHasher,
    scope: [u8; 16],
    next: KeyHasher,
}

/// A masked part of a name, and which masks changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Masked<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) masks: Masks,
    /// A dialect variant that stood in the text.
    pub(super) variant: Option<(&'static str, String)>,
}

impl<'a> Masked<'a> {
    fn new(text: Cow<'a, str>) -> Self {
        Self { text, masks: Masks::default(), variant: None }
    }

    /// Applies a mask that keeps a part of the text.
    fn cut(&mut self, mask: Mask, cut: impl FnOnce(&str) -> Option<&str>) {
        let kept = match &self.text {
            Cow::Borrowed(text) => cut(text).map(Cow::Borrowed),
            Cow::Owned(text) => cut(text).map(|kept| Cow::Owned(kept.to_owned())),
        };
        if let Some(kept) = kept {
            self.text = kept;
            self.masks = self.masks.with(mask);
        }
    }

    fn mask_addresses(&mut self, bytes: Bytes) {
        if bytes.may_hold_address()
            && let Some(masked) = addresses(&self.text)
        {
            self.text = Cow::Owned(masked);
            self.masks = self.masks.with(Mask::Address);
        }
    }
}

impl<'a> Rule<'a> {
    pub(super) fn new(producer: &str, repository_root: Option<&'a str>) -> Self {
        let of_producer = MASKS.iter().filter(|(known, _)| *known == producer);
        let enabled = of_producer
            .flat_map(|(_, masks)| masks.iter())
            .fold(Masks::default(), |set, mask| set.with(*mask));
        let last = KeyHasher::new("");
        let scope = last.finish();
        Self { enabled, repository_root, last, scope, next: KeyHasher::new("") }
    }

    /// Which masks names go through.
    pub(super) const fn masks(&self) -> Masks {
        self.enabled
    }

    /// The name of one suite, cleaned and masked.
    pub(super) fn suite<'t>(&self, decoded: (Cow<'t, str>, Bytes)) -> Masked<'t> {
        let (mut masked, bytes) = cleaned(decoded);
        masked.cut(Mask::RunStamp, run_stamp);
        if self.enabled.contains(Mask::StressIndex) {
            masked.cut(Mask::StressIndex, without_stress);
        }
        if self.enabled.contains(Mask::WorkerNumber) {
            masked.cut(Mask::WorkerNumber, |text| {
                let kept = text.trim_end_matches(|c: char| c.is_ascii_digit());
                (kept == "rspec" && kept.len() < text.len()).then_some(kept)
            });
        }
        if self.enabled.contains(Mask::Browser) {
            // Karma names its suite after the browser and its version.
            masked.cut(Mask::Browser, |_| Some(""));
        }
        masked.mask_addresses(bytes);
        masked
    }

    /// The class, cleaned and masked, and whether it is [qualified](is_qualified).
    pub(super) fn classname<'t>(&self, decoded: (Cow<'t, str>, Bytes)) -> (Masked<'t>, bool) {
        let (mut masked, bytes) = cleaned(decoded);
        if self.enabled.contains(Mask::LineNumber) {
            masked.cut(Mask::LineNumber, without_line);
        }
        if self.enabled.contains(Mask::StressIndex) {
            masked.cut(Mask::StressIndex, without_stress);
        }
        if self.enabled.contains(Mask::Browser) {
            masked.variant = browser(&masked.text).map(|name| ("browser", name));
            masked.cut(Mask::Browser, without_browser);
        }
        masked.mask_addresses(bytes);
        let qualified = bytes.has_path_mark() && is_qualified(&masked.text, bytes);
        (masked, qualified)
    }

    /// The name, cleaned and masked.
    pub(super) fn name<'t>(&self, decoded: (Cow<'t, str>, Bytes)) -> Masked<'t> {
        let (mut masked, bytes) = cleaned(decoded);
        if self.enabled != Masks::default() {
            self.mask_name(&mut masked);
        }
        masked.mask_addresses(bytes);
        masked
    }

    fn mask_name(&self, masked: &mut Masked<'_>) {
        if self.enabled.contains(Mask::RepeatIndex) {
            let kept = repeat_index(&masked.text).map(|(kept, _)| kept);
            if let Some(kept) = kept {
                masked.text = Cow::Owned(kept);
                masked.masks = masked.masks.with(Mask::RepeatIndex);
            }
        }
        if self.enabled.contains(Mask::ShardIndex) {
            masked.cut(Mask::ShardIndex, without_shard);
        }
        if self.enabled.contains(Mask::TapIndex) {
            masked.cut(Mask::TapIndex, without_tap_index);
        }
        if self.enabled.contains(Mask::Project) {
            let project = masked.text.strip_prefix('[').and_then(|rest| rest.split_once("] "));
            masked.variant = project.map(|(project, _)| ("project", project.to_owned()));
            masked.cut(Mask::Project, |text| {
                text.strip_prefix('[')?.split_once("] ").map(|(_, name)| name)
            });
        }
    }

    /// The file, cleaned, without its line, relative to the repository where that can be told.
    pub(super) fn file<'t>(&self, decoded: (Cow<'t, str>, Bytes)) -> Masked<'t> {
        let (mut masked, _) = cleaned(decoded);
        masked.cut(Mask::LineNumber, without_line);
        let root = self.repository_root;
        let relative = |text: &str| -> Option<usize> {
            let inside = root
                .and_then(|root| text.strip_prefix(root.trim_end_matches('/')))
                .and_then(|inside| inside.strip_prefix('/'))
                .unwrap_or(text);
            let inside = inside.strip_prefix("./").unwrap_or(inside);
            (inside.len() < text.len()).then_some(text.len() - inside.len())
        };
        if let Some(prefix) = relative(&masked.text) {
            masked.text = match masked.text {
                Cow::Borrowed(text) => Cow::Borrowed(text.get(prefix..).unwrap_or_default()),
                Cow::Owned(text) => Cow::Owned(text.get(prefix..).unwrap_or_default().to_owned()),
            };
        }
        masked
    }

    /// The key of a test; `explicit` (a `test_id` property) wins over everything.
    ///
    /// The key of everything but the name is kept for the next test, which mostly shares it.
    pub(super) fn id(&mut self, test: &TestIdentity<'_>, explicit: Option<&str>) -> TestId {
        if let Some(explicit) = explicit {
            let hasher = KeyHasher::new(DOMAIN_EXPLICIT).part(explicit.as_bytes());
            return TestId(hasher.finish());
        }
        self.next.restart(DOMAIN);
        self.next.push(test.classname.as_bytes());
        if !test.qualified {
            self.next.push(test.suite.as_bytes());
            self.next.push(test.file.as_bytes());
        }
        if self.next != self.last {
            std::mem::swap(&mut self.next, &mut self.last);
            self.scope = self.last.finish();
        }
        TestId(key_within(&self.scope, test.name.as_bytes()))
    }
}

/// The raw strings of one case, for [`identify`].
#[derive(Debug, Clone, Copy, Default)]
pub struct RawIdentity<'a> {
    /// The producer, as in [`Report::producer`](crate::model::Report::producer).
    pub producer: &'a str,
    /// The names of the enclosing suites, outermost first.
    pub suites: &'a [&'a str],
    /// The class name.
    pub classname: &'a str,
    /// The name.
    pub name: &'a str,
    /// The source file.
    pub file: &'a str,
    /// A `test_id` property.
    pub explicit: Option<&'a str>,
    /// The directory that makes files relative.
    pub repository_root: Option<&'a str>,
}

/// An identity with the masks that led to it, for `--explain-id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The key.
    pub id: TestId,
    /// The suites, joined by [`SUITE_SEPARATOR`].
    pub suite: String,
    /// The class name.
    pub classname: String,
    /// The name.
    pub name: String,
    /// The file.
    pub file: String,
    /// True where class and name alone are the identity.
    pub qualified: bool,
    /// What was masked.
    pub masks: Masks,
    /// The dialect variant that stood in class or name, as key and value.
    pub variant: Option<(&'static str, String)>,
}

impl Explained {
    /// The identity alone.
    #[must_use]
    pub fn identity(&self) -> TestIdentity<'_> {
        TestIdentity {
            id: self.id,
            suite: &self.suite,
            classname: &self.classname,
            name: &self.name,
            file: &self.file,
            qualified: self.qualified,
        }
    }
}

/// The identity of a case, and how it came about.
///
/// ```
/// use flakedb::junit::identity::{identify, RawIdentity};
/// let raw = RawIdentity { producer: "busted", classname: "spec/a_spec.lua:2", name: "adds", ..Default::default() };
/// let test = identify(&raw);
/// assert_eq!((test.classname.as_str(), test.qualified), ("spec/a_spec.lua", true));
/// assert_eq!(test.masks.iter().map(|mask| mask.word()).collect::<Vec<_>>(), ["line-number"]);
/// ```
#[must_use]
pub fn identify(raw: &RawIdentity<'_>) -> Explained {
    let mut rule = Rule::new(raw.producer, raw.repository_root);
    let suites: Vec<_> = raw.suites.iter().map(|name| rule.suite(plain(name))).collect();
    let mut suite = String::new();
    for (index, masked) in suites.iter().enumerate() {
        if index > 0 {
            suite.push(SUITE_SEPARATOR);
        }
        suite.push_str(&masked.text);
    }
    let (class, has_mark) = rule.classname(plain(raw.classname));
    let name = rule.name(plain(raw.name));
    let file = rule.file(plain(raw.file));
    let qualified = has_mark && class.text != name.text;
    let masks = [&class, &name, &file].into_iter().chain(&suites);
    let masks = Masks(masks.fold(0, |all, masked| all | masked.masks.0));
    let test = TestIdentity {
        id: TestId([0; 16]),
        suite: &suite,
        classname: &class.text,
        name: &name.text,
        file: &file.text,
        qualified,
    };
    let id = rule.id(&test, raw.explicit);
    Explained {
        id,
        classname: class.text.into_owned(),
        name: name.text.into_owned(),
        file: file.text.into_owned(),
        suite,
        qualified,
        masks,
        variant: name.variant.or(class.variant),
    }
}

/// The directory under `bazel-testlogs`, which is the label of a Bazel test.
pub(super) fn bazel_label(source_path: &str) -> Option<&str> {
    let (_, inside) = source_path.split_once("bazel-testlogs/")?;
    let (directory, _) = inside.rsplit_once('/')?;
    let shard = |part: &str| part.starts_with("shard_") || part == "test_attempts";
    match directory.rsplit_once('/') {
        Some((label, last)) if shard(last) => Some(label),
        _ => Some(directory),
    }
}

fn plain(text: &str) -> (Cow<'_, str>, Bytes) {
    (Cow::Borrowed(text), Bytes::of(text))
}

fn cleaned((decoded, bytes): (Cow<'_, str>, Bytes)) -> (Masked<'_>, Bytes) {
    let text = match decoded {
        Cow::Borrowed(text) => text::name(text, bytes),
        Cow::Owned(text) => Cow::Owned(text::name(&text, bytes).into_owned()),
    };
    (Masked::new(text), bytes)
}

/// Class and name alone tell tests apart where the class looks like a path, a module or a file
/// rather than prose: it holds one of `.`, `/`, `\`, `::` and no blank, or ends in an extension.
fn is_qualified(class: &str, bytes: Bytes) -> bool {
    let marked = class.contains(['.', '/', '\\']) || class.contains("::");
    let blank = bytes.may_hold_blank() && class.contains(char::is_whitespace);
    marked && (!blank || ends_in_extension(class))
}

fn ends_in_extension(class: &str) -> bool {
    class.rsplit_once('.').is_some_and(|(before, extension)| {
        !before.is_empty()
            && !before.ends_with(char::is_whitespace)
            && (1..=5).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explain(producer: &str, suite: &str, classname: &str, name: &str) -> Explained {
        identify(&RawIdentity {
            producer,
            suites: &[suite],
            classname,
            name,
            ..RawIdentity::default()
        })
    }

    #[test]
    fn masks_take_out_what_changes_from_run_to_run() {
        for (producer, suite, class, name, expected) in [
            ("xmlrunner", "t.A-20261122090117", "t.A", "n", ("t.A", "t.A", "n")),
            ("cargo-nextest", "demo@stress-3", "demo@stress-3", "n", ("demo", "demo", "n")),
            ("rspec", "rspec2", "spec.a_spec", "n", ("rspec", "spec.a_spec", "n")),
            ("pytest-repeat", "pytest", "t", "n[a-1-2]", ("pytest", "t", "n[a]")),
            ("pytest-repeat", "pytest", "t", "n[2-2]", ("pytest", "t", "n")),
            ("pytest", "pytest", "t", "n[2-2]", ("pytest", "t", "n[2-2]")),
            ("bazel", "x", "", "x_shard_1/2", ("x", "", "x")),
            ("prove", "a_t", "", "1 - passes", ("a_t", "", "passes")),
            ("tap-xunit", "s", "", "#12 passes", ("s", "", "passes")),
            ("maestro", "s", "", "04 - Login", ("s", "", "04 - Login")),
            (
                "karma",
                "WebKit 537.36 (linux 0.0.0)",
                "WebKit_537_36_(linux_0_0_0).Outer",
                "n",
                ("", "Outer", "n"),
            ),
            (
                "x",
                "s",
                "c",
                "at 0x7f3a99c0 550e8400-e29b-41d4-a716-446655440000",
                ("s", "c", "at * *"),
            ),
            ("x", "s", "c", "date 2020-11-12 0x1F", ("s", "c", "date 2020-11-12 0x1F")),
        ] {
            let test = explain(producer, suite, class, name);
            assert_eq!(
                (&*test.suite, &*test.classname, &*test.name),
                expected,
                "{producer} {name}"
            );
        }
    }

    #[test]
    fn each_mask_has_a_word_of_its_own() {
        let words: std::collections::BTreeSet<_> = Mask::ALL.into_iter().map(Mask::word).collect();
        assert_eq!(words.len(), Mask::ALL.len());
        assert!(words.iter().all(|word| word.len() > 3 && *word == word.to_lowercase()));
    }

    #[test]
    fn suites_and_files_count_only_where_the_class_is_not_qualified() {
        let same =
            |class: &str| explain("x", "a", class, "n").id == explain("x", "b", class, "n").id;
        for class in ["a.b", "a/b", "a\\b", "a::b", "some dir/file one.ts"] {
            assert!(same(class), "{class}");
        }
        for class in ["", "Plain", "a: b", "It works. Really", "It works .ok", "n"] {
            assert!(!same(class), "{class}");
        }
        let file = |file| {
            identify(&RawIdentity {
                file,
                name: "n",
                repository_root: Some("/r/"),
                ..RawIdentity::default()
            })
        };
        assert_eq!(file("/r/a.rb:12").id, file("./a.rb").id);
        assert_ne!(file("a.rb").id, file("b.rb").id);
    }

    #[test]
    fn variants_are_told_apart_from_the_test() {
        let test = explain("playwright", "a.spec.ts", "a.spec.ts", "[chromium] logs in");
        assert_eq!(
            (&*test.name, test.variant),
            ("logs in", Some(("project", "chromium".to_owned())))
        );
        let test = explain("karma", "s", "Chrome_Headless_120_0_(Linux_x86_64).A", "n");
        assert_eq!(test.variant, Some(("browser", "Chrome_Headless".to_owned())));
    }

    #[test]
    fn bazel_labels_come_from_the_path() {
        let label = |path| bazel_label(path).unwrap_or_default();
        assert_eq!(label("out/bazel-testlogs/a/b/test.xml"), "a/b");
        assert_eq!(label("bazel-testlogs/a/b/shard_1_of_2/test.xml"), "a/b");
        assert_eq!(label("a/test.xml"), "");
    }

    #[test]
    fn an_explicit_id_wins() {
        let with =
            |name| identify(&RawIdentity { name, explicit: Some("T-1"), ..RawIdentity::default() });
        assert_eq!(with("a").id, with("b").id);
    }

    #[test]
    fn a_letter_beyond_ascii_is_no_blank_in_a_class() {
        let of = |class: &str| explain("x", "s", class, "n").qualified;
        assert!(of("tests/größe") && of("größe::a"));
        assert!(!of("tests/größe\u{a0}eins"));
    }

    #[test]
    fn nested_suites_are_joined_from_the_outside_in() {
        let test =
            identify(&RawIdentity { suites: &["a", "b", "c"], name: "n", ..Default::default() });
        assert_eq!(test.suite, "a\u{1f}b\u{1f}c");
    }

    #[test]
    fn a_mask_is_listed_once_and_only_where_it_took_something_out() {
        let masked = |producer: &str, suite: &str, class: &str| {
            let test = explain(producer, suite, class, "n");
            (test.suite, test.masks.iter().map(Mask::word).collect::<Vec<_>>())
        };
        let expected = |suite: &str, words: &[&'static str]| (suite.to_owned(), words.to_vec());
        let both = masked("cargo-nextest", "demo@stress-3", "demo@stress-3");
        assert_eq!(both, expected("demo", &["stress-index"]));
        let suite_alone = masked("cargo-nextest", "demo@stress-3", "demo");
        assert_eq!(suite_alone, expected("demo", &["stress-index"]));
        assert_eq!(masked("rspec", "rspec2", "a.b"), expected("rspec", &["worker-number"]));
        assert_eq!(masked("rspec", "rspec", "a.b"), expected("rspec", &[]));
        // Only a worker's number is one: a suite may end in a digit of its own.
        assert_eq!(masked("rspec", "models2", "a.b"), expected("models2", &[]));
    }

    #[test]
    fn a_mask_that_is_set_twice_is_set() {
        let once = Masks::default().with(Mask::LineNumber);
        assert!(once.with(Mask::LineNumber) == once && once.contains(Mask::LineNumber));
    }
}
