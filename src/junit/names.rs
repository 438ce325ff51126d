//! From a finished case to its identity, with what neighbours share worked out once.

use std::borrow::Cow;

use crate::model::tests::SUITE_SEPARATOR;
use crate::model::{TestId, TestIdentity, VariantIndex, limits};

use super::attempts::Record;
use super::element::{OpenSuite, path};
use super::identity::{self, Rule};
use super::known::RawNames;
use super::producer::{self, UNKNOWN};
use super::reader::DocumentReader;
use super::text::{self, Oddities};
use super::token::{Attributes, Tag};
use super::warning::Code;

const PLAYWRIGHT: &str = "playwright";

/// Suites and class of the last case; most cases share them with their neighbour.
#[derive(Debug, Default)]
pub(super) struct NameCache<'a> {
    suites_known: bool,
    /// The number of the suites among what the reader remembers; `None` where its tests are not
    /// remembered.
    pub(super) suites_no: Option<u32>,
    suite: String,
    file: String,
    raw_file: &'a str,
    case_file: String,
    class_known: bool,
    raw_class: &'a str,
    class: String,
    class_qualifies: bool,
    class_variant: Option<(&'static str, String)>,
    /// Where the last case stands that is none of a remembered test.
    pub(super) unknown_at: Option<usize>,
    class_is_odd: bool,
    file_is_odd: bool,
}

impl NameCache<'_> {
    /// The suites around the next case are others.
    pub(super) const fn forget_suites(&mut self) {
        self.suites_known = false;
        self.suites_no = None;
    }

    /// True where something is to be said about class or file each time that they come up.
    pub(super) const fn is_odd(&self) -> bool {
        self.class_is_odd || self.file_is_odd
    }
}

impl<'a> DocumentReader<'a, '_> {
    /// Decides who wrote the document, once its first case was met.
    pub(super) fn decide_producer(&mut self, first_case: &Tag<'a>) {
        self.facts.case = first_case.attributes;
        self.facts.suite = self.suites.last().map_or("", |suite| suite.attributes);
        let mut producer = producer::detect(&self.facts);
        if producer == "pytest" && self.repeats_on_purpose() {
            producer = "pytest-repeat";
        }
        if producer == UNKNOWN && self.options.source_path.and_then(identity::bazel_label).is_some()
        {
            producer = "bazel";
        }
        self.assembly.report.producer = producer;
        self.rule = Some(Rule::new(producer, self.options.repository_root));
        self.assembly.reserve(self.expected_cases());
        self.names = NameCache::default();
    }

    /// About how many cases follow: no more than the first root or suite says, nor than there is
    /// text for.
    fn expected_cases(&self) -> usize {
        const SHORTEST_CASE: usize = 64;
        let said = Attributes::find(self.facts.root, "tests").and_then(|text| text.parse().ok());
        said.unwrap_or(0).min(self.text.len() / SHORTEST_CASE)
    }

    /// pytest-repeat numbers every test `[1-N]` to `[N-N]`; parameters look the same, but do not
    /// count up to their own second number.
    fn repeats_on_purpose(&self) -> bool {
        let Some(name) = self.cases.last().and_then(|case| case.name) else { return false };
        let Some((_, (index, total))) = super::masks::repeat_index(name) else { return false };
        let Some(prefix) = name.strip_suffix(&format!("{index}-{total}]")) else { return false };
        u64::from(total) <= limits::ATTEMPTS_MAX as u64
            && (1..=total).all(|index| {
                let name = format!("name=\"{prefix}{index}-{total}]\"");
                memchr::memmem::find(self.text.as_bytes(), name.as_bytes()).is_some()
            })
    }

    fn learn_suites(&mut self) {
        let Some(rule) = &self.rule else { return };
        let mut oddities = Oddities::default();
        let cache = &mut self.names;
        cache.suite.clear();
        cache.file.clear();
        if let Some(label) = self.options.source_path.and_then(identity::bazel_label) {
            cache.suite.push_str(label);
        }
        for (index, suite) in self.suites.iter().enumerate() {
            if index > 0 || !cache.suite.is_empty() {
                cache.suite.push(SUITE_SEPARATOR);
            }
            let name = suite.name.unwrap_or_default();
            if !name.is_empty() {
                cache
                    .suite
                    .push_str(&rule.suite(text::attribute_and_bytes(name, &mut oddities)).text);
            }
        }
        if let Some(file) = self.suites.iter().rev().find_map(|suite| suite.file) {
            cache.file.push_str(&rule.file(text::attribute_and_bytes(file, &mut oddities)).text);
        }
        cache.suites_known = true;
        // Playwright's suites name a variant, which what is remembered does not.
        if self.assembly.report.producer != PLAYWRIGHT {
            cache.suites_no = self.known.suites(rule.masks(), &cache.suite, &cache.file);
        }
        let at = self.cases.last().map_or(0, |case| case.at);
        self.odd(oddities, at);
    }

    fn learn_class(&mut self, raw: &'a str) {
        let Some(rule) = &self.rule else { return };
        let mut oddities = Oddities::default();
        let (masked, qualifies) = rule.classname(text::attribute_and_bytes(raw, &mut oddities));
        let cache = &mut self.names;
        cache.class.clear();
        cache.class.push_str(&masked.text);
        cache.class_variant = masked.variant;
        cache.class_qualifies = qualifies;
        cache.raw_class = raw;
        cache.class_known = true;
        cache.class_is_odd = oddities != Oddities::default();
        let at = self.cases.last().map_or(0, |case| case.at);
        self.odd(oddities, at);
    }

    fn learn_file(&mut self, raw: &'a str) {
        let Some(rule) = &self.rule else { return };
        let mut oddities = Oddities::default();
        let masked = rule.file(text::attribute_and_bytes(raw, &mut oddities));
        self.names.case_file.clear();
        self.names.case_file.push_str(&masked.text);
        self.names.raw_file = raw;
        self.names.file_is_odd = oddities != Oddities::default();
        let at = self.cases.last().map_or(0, |case| case.at);
        self.odd(oddities, at);
    }

    /// Adds a record under the identity that its raw names give; the case is the innermost open
    /// one. False where it has no usable name.
    pub(super) fn add_record(&mut self, record: Record) -> bool {
        let Some(case) = self.cases.last_mut() else { return false };
        let (at, raw_class) = (case.at, case.classname.unwrap_or_default());
        let raw_file = case.file.filter(|file| !file.is_empty());
        let explicit = case.explicit_id.take();
        let raw_name = case.name.unwrap_or_default();
        if !self.names.suites_known {
            self.learn_suites();
        }
        if !self.names.class_known || self.names.raw_class != raw_class {
            self.learn_class(raw_class);
        }
        if let Some(file) = raw_file.filter(|file| self.names.raw_file != *file) {
            self.learn_file(file);
        }
        let raw = RawNames { class: raw_class, file: raw_file.unwrap_or_default(), name: raw_name };
        let suites = self.names.suites_no.filter(|_| explicit.is_none());
        let looked_for = suites.filter(|_| self.names.unknown_at != Some(at));
        if let Some(test) = looked_for.and_then(|suites| self.known.find(suites, raw)) {
            let path = || path(&self.frames, &self.suites, &self.cases);
            self.assembly.add(&test, None, record, at, path);
            return true;
        }
        let mut oddities = Oddities::default();
        let Some(rule) = &mut self.rule else { return false };
        let mut name = rule.name(text::attribute_and_bytes(raw_name, &mut oddities));
        if name.text.is_empty() {
            match &explicit {
                Some(explicit) => name.text = Cow::Owned(explicit.to_string()),
                None => return false,
            }
        }
        let cache = &self.names;
        let mut test = TestIdentity {
            id: TestId([0; 16]),
            suite: &cache.suite,
            classname: &cache.class,
            name: &name.text,
            file: if raw_file.is_some() { &cache.case_file } else { &cache.file },
            qualified: cache.class_qualifies && cache.class != name.text,
        };
        test.id = rule.id(&test, explicit.as_deref());
        let variant = match (&name.variant, &cache.class_variant) {
            (Some((key, value)), _) | (None, Some((key, value))) => {
                self.assembly.variant(key, value)
            }
            (None, None) => suite_variant(&mut self.suites, &mut self.assembly),
        };
        let path = || path(&self.frames, &self.suites, &self.cases);
        self.assembly.add(&test, variant, record, at, path);
        let is_plain = oddities == Oddities::default() && !cache.is_odd() && variant.is_none();
        if let Some(suites) = suites.filter(|_| is_plain) {
            self.known.learn(suites, raw, &test);
        }
        self.odd(oddities, at);
        true
    }

    /// Says that names are longer than any real one.
    pub(super) fn check_length(&mut self) {
        let Some(case) = self.cases.last() else { return };
        let at = case.at;
        let longest = [case.name, case.classname].into_iter().flatten().map(str::len).max();
        if case.has_long_tag || longest.is_some_and(|length| length > limits::NAME_BYTES_MAX) {
            let message = format!(
                "a name beyond {} bytes or a tag beyond {} attributes; keep data out of names",
                limits::NAME_BYTES_MAX,
                super::reader::ATTRIBUTES_MAX
            );
            self.note(Code::LongName, at, message);
        }
    }
}

/// Playwright writes the project (the browser) as the suite's host.
fn suite_variant(
    suites: &mut [OpenSuite<'_>],
    assembly: &mut super::assembly::Assembly,
) -> Option<VariantIndex> {
    if assembly.report.producer != PLAYWRIGHT {
        return None;
    }
    let suite = suites.last_mut()?;
    if let Some(known) = suite.variant {
        return known;
    }
    let project = text::attribute(suite.hostname.unwrap_or_default(), &mut Oddities::default());
    let project = project.trim();
    let variant = if project.is_empty() { None } else { assembly.variant("project", project) };
    suite.variant = Some(variant);
    variant
}
