//! The document's structure: roots, suites, cases and their children, damage and repair.
//!
//! A pull loop over [`Tokens`] with a stack of its own, so that neither depth nor breadth of a
//! document can exhaust anything. What is fast is the plain case: names are slices of the text,
//! and nothing is allocated, located or unescaped before it must be.

use chrono::NaiveDateTime;

use crate::model::{Counts, Timestamp, limits};

use super::assembly::Assembly;
use super::case::OpenCase;
use super::circumstances::Circumstances;
use super::element::{Frame, OpenSuite, path};
use super::host::Hosts;
use super::identity::Rule;
use super::known::KnownTests;
use super::producer::{self, Facts};
use super::text::{self, Oddities};
use super::token::{Attributes, Tag, TextEnd, Token, Tokens};
use super::warning::{Code, Findings};
use super::{ReadOptions, value};

/// More attributes than this on one element are no report's.
pub(super) const ATTRIBUTES_MAX: usize = 1_000;

/// Why reading stopped before the end of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The document must not be read at all; the finding says why.
    Refused,
    /// What follows cannot be trusted; what was read can.
    Damaged,
}

/// Declared counts, to be held against what was found.
#[derive(Debug, Default)]
struct Declared {
    at: usize,
    root_bad: u64,
    suites_bad: u64,
    tests: u64,
}

/// Everything known while a document is read.
pub(super) struct DocumentReader<'a, 'o> {
    pub(super) text: &'a str,
    pub(super) options: &'o ReadOptions<'o>,
    pub(super) tokens: Tokens<'a>,
    pub(super) frames: Vec<Frame>,
    pub(super) suites: Vec<OpenSuite<'a>>,
    pub(super) cases: Vec<OpenCase<'a>>,
    root_suites: u32,
    pub(super) root_cases: u32,
    pub(super) facts: Facts<'a>,
    pub(super) hosts: Hosts<'a>,
    pub(super) circumstances: Circumstances,
    pub(super) rule: Option<Rule<'o>>,
    pub(super) names: super::names::NameCache<'a>,
    pub(super) known: KnownTests,
    pub(super) assembly: Assembly,
    pub(super) findings: Findings,
    pub(super) counts: Counts,
    pub(super) earliest_at: Option<Timestamp>,
    pub(super) earliest_naive: Option<NaiveDateTime>,
    pub(super) evidence: u64,
    declared: Declared,
    pub(super) roots: u32,
}

impl<'a, 'o> DocumentReader<'a, 'o> {
    pub(super) fn new(text: &'a str, options: &'o ReadOptions<'o>, known: KnownTests) -> Self {
        Self {
            text,
            options,
            tokens: Tokens::new(text),
            frames: Vec::new(),
            suites: Vec::new(),
            cases: Vec::new(),
            root_suites: 0,
            root_cases: 0,
            facts: Facts::default(),
            hosts: Hosts::default(),
            circumstances: Circumstances::default(),
            rule: None,
            names: super::names::NameCache::default(),
            known,
            assembly: Assembly::default(),
            findings: Findings::default(),
            counts: Counts::default(),
            earliest_at: None,
            earliest_naive: None,
            evidence: 0,
            declared: Declared::default(),
            roots: 0,
        }
    }

    /// Keeps a finding about the innermost open element.
    pub(super) fn note(&mut self, code: Code, at: usize, message: impl Into<String>) {
        let path = || path(&self.frames, &self.suites, &self.cases);
        self.findings.add(code, at, path, message);
    }

    /// Reads one root element that starts at `at`, and returns where it ends.
    pub(super) fn root(&mut self, at: usize) -> Result<usize, Stop> {
        self.tokens.restart(at);
        self.roots += 1;
        self.circumstances.start_root(self.assembly.report.results.len());
        (self.root_suites, self.root_cases) = (0, 0);
        self.declared = Declared { at, ..Declared::default() };
        let evidence = self.evidence;
        let cases = self.counts.cases;
        loop {
            while self.bare_case() {}
            match self.tokens.next() {
                Token::Start(tag) => self.start(&tag)?,
                Token::End { name, at } => self.end(name, at)?,
                Token::Comment(comment) => {
                    self.facts.named = self.facts.named.or_else(|| producer::of_comment(comment));
                }
                Token::Doctype { text, at } => self.doctype(text, at)?,
                Token::Eof => return Err(self.cut_off(self.text.len())),
                Token::Broken(at) => self.broken(at)?,
            }
            if self.frames.is_empty() {
                self.check_counts(self.evidence - evidence, self.counts.cases - cases);
                return Ok(self.tokens.offset());
            }
        }
    }

    fn broken(&mut self, at: usize) -> Result<(), Stop> {
        if self.tokens.skip_stray(at) {
            self.note(Code::Repaired, at, "stray `<!`; escape `<` as `&lt;` in text");
            return Ok(());
        }
        let rest = self.text.get(at..).unwrap_or_default();
        let more = rest.get(1..).unwrap_or_default();
        if ["<testcase", "</testcase", "</testsuite"].iter().any(|tag| more.contains(tag)) {
            let message = "this markup has no end, so what follows cannot be told apart; escape quotes and `<`";
            self.note(Code::Malformed, at, message);
            return Err(Stop::Damaged);
        }
        Err(self.cut_off(at))
    }

    fn cut_off(&mut self, at: usize) -> Stop {
        let message = if self.cases.is_empty() {
            "the report ends before its last end tag; whole tests were kept"
        } else {
            "the report ends inside this test, which was dropped; whole tests were kept"
        };
        self.note(Code::Truncated, at, message);
        Stop::Damaged
    }

    pub(super) fn doctype(&mut self, text: &str, at: usize) -> Result<(), Stop> {
        if text.contains("<!ENTITY") {
            let message = "entities are never expanded; write the report without a DOCTYPE";
            self.note(Code::Entity, at, message);
            return Err(Stop::Refused);
        }
        self.note(Code::Doctype, at, "the DOCTYPE was ignored and nothing fetched; leave it out");
        Ok(())
    }

    fn start(&mut self, tag: &Tag<'a>) -> Result<(), Stop> {
        self.check_tag(tag)?;
        let in_case = match tag.name {
            "testcase" => return self.start_case(tag),
            "testsuite" => return self.start_suite(tag),
            "testsuites" => {
                self.start_root(tag);
                return self.open(Frame::Root, tag);
            }
            _ => self.context() == Frame::Case,
        };
        if in_case && let Some(case) = self.cases.last_mut() {
            case.has_child = true;
        }
        match (tag.name, in_case) {
            ("failure" | "error", true) => self.case_failure(tag),
            ("failure" | "error", false) => self.suite_failure(tag),
            ("skipped" | "skip" | "disabled", true) => self.case_skip(tag),
            ("flakyFailure" | "flakyError" | "rerunFailure" | "rerunError", true) => {
                self.case_rerun(tag)
            }
            ("system-out" | "system-err" | "stackTrace", _) => self.body(tag).map(drop),
            ("properties", _) => self.open(Frame::Properties, tag),
            ("property", _) => self.property(tag, in_case),
            _ => self.open(Frame::Other, tag),
        }
    }

    /// Refuses a tag that swallowed others because a quote is missing.
    #[inline]
    fn check_tag(&mut self, tag: &Tag<'a>) -> Result<(), Stop> {
        if tag.is_plain || memchr::memchr(b'<', tag.attributes.as_bytes()).is_none() {
            return Ok(());
        }
        let swallowed = ["<testcase", "</testcase", "<testsuite", "</testsuite"];
        if swallowed.iter().any(|open| tag.attributes.contains(open)) {
            let message = "a quote is missing in this tag, so it swallows the next; escape quotes";
            self.note(Code::Malformed, tag.at, message);
            return Err(Stop::Damaged);
        }
        self.note(Code::Repaired, tag.at, "`<` in an attribute; escape it as `&lt;`");
        Ok(())
    }

    fn open(&mut self, frame: Frame, tag: &Tag<'a>) -> Result<(), Stop> {
        if tag.is_empty || !tag.name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            // `<%` and its like are no elements and have no end tags.
            return Ok(());
        }
        if self.frames.len() >= limits::DEPTH_MAX {
            let message =
                format!("elements nested deeper than {}; no runner does that", limits::DEPTH_MAX);
            self.note(Code::TooDeep, tag.at, message);
            return Err(Stop::Refused);
        }
        self.frames.push(frame);
        Ok(())
    }

    /// The innermost element that gives its children a meaning.
    fn context(&self) -> Frame {
        let meaning = |frame: &&Frame| matches!(frame, Frame::Root | Frame::Suite | Frame::Case);
        self.frames.iter().rev().find(meaning).copied().unwrap_or(Frame::Root)
    }

    fn start_root(&mut self, tag: &Tag<'a>) {
        if !self.frames.is_empty() {
            return;
        }
        if self.roots == 1 {
            self.facts.root = tag.attributes;
        }
        let (bad, tests) = self.attributes_of_container(tag);
        self.declared.root_bad = bad;
        self.declared.tests = tests;
    }

    fn start_suite(&mut self, tag: &Tag<'a>) -> Result<(), Stop> {
        let is_root = self.frames.is_empty();
        if is_root && self.roots == 1 {
            self.facts.root = tag.attributes;
            self.facts.root_is_suite = true;
        }
        let mut suite = OpenSuite {
            attributes: tag.attributes,
            first_result: self.assembly.report.results.len(),
            ..OpenSuite::default()
        };
        for (name, value) in Attributes::new(tag.attributes) {
            match name {
                "name" => suite.name = Some(value),
                "hostname" => suite.hostname = Some(value),
                "file" => suite.file = Some(value),
                _ => {}
            }
        }
        self.hosts.see(suite.hostname);
        let siblings =
            self.suites.last_mut().map_or(&mut self.root_suites, |parent| &mut parent.suites);
        *siblings += 1;
        suite.ordinal = *siblings;
        let long = suite.name.is_some_and(|name| name.len() > limits::NAME_BYTES_MAX);
        let is_outermost = self.suites.is_empty();
        self.suites.push(suite);
        self.names.forget_suites();
        let opened = self.open(Frame::Suite, tag);
        let (bad, tests) = self.attributes_of_container(tag);
        if is_outermost {
            self.declared.suites_bad += bad;
            self.declared.tests = self.declared.tests.max(tests);
        }
        if long {
            self.note(Code::LongName, tag.at, "a suite name this long is no name; shorten it");
        }
        if tag.is_empty || opened.is_err() {
            self.suites.pop();
            self.names.forget_suites();
        }
        opened
    }

    /// Looks at the counts and the time of a root or suite: failures and errors, and tests.
    fn attributes_of_container(&mut self, tag: &Tag<'a>) -> (u64, u64) {
        let (mut bad, mut tests) = (0_u64, 0);
        for (name, text) in Attributes::new(tag.attributes) {
            match name {
                "failures" | "errors" | "tests" | "skipped" => match value::count(text) {
                    Ok(count) if name == "tests" => tests = count,
                    Ok(count) if name != "skipped" => bad = bad.saturating_add(count),
                    Ok(_) => {}
                    // Templates and old tools leave counts out by leaving them empty.
                    Err(()) if text.trim().is_empty() => {}
                    Err(()) => {
                        let shown = super::shortened(text);
                        let message =
                            format!("`{name}=\"{shown}\"` is no count; elements were counted");
                        self.note(Code::CountMismatch, tag.at, message);
                    }
                },
                "timestamp" => self.see_time(text, tag.at),
                "random_seed" => self.circumstances.see_seed(text),
                _ => {}
            }
        }
        (bad, tests)
    }

    fn check_counts(&mut self, evidence: u64, cases: u64) {
        let declared = self.declared.root_bad.max(self.declared.suites_bad);
        let producer = self.assembly.report.producer;
        if declared > evidence && !producer::counts_other_things(producer) {
            let message = format!(
                "{declared} failures and errors are declared, {evidence} are shown; \
                 look for a package or file that failed before its tests ran"
            );
            self.note(Code::CountMismatch, self.declared.at, message);
        } else if self.declared.tests > cases && cases > 0 {
            let message = format!("{} tests are declared, {cases} are shown", self.declared.tests);
            self.note(Code::MissingTests, self.declared.at, message);
        }
    }

    fn start_case(&mut self, tag: &Tag<'a>) -> Result<(), Stop> {
        let is_nested = !self.cases.is_empty();
        let mut case = if tag.is_plain {
            OpenCase::new(tag.at, self.tokens.listed().iter().copied(), ATTRIBUTES_MAX)
        } else {
            OpenCase::new(tag.at, Attributes::new(tag.attributes), ATTRIBUTES_MAX)
        };
        let siblings =
            self.suites.last_mut().map_or(&mut self.root_cases, |suite| &mut suite.cases);
        *siblings = siblings.saturating_add(1);
        case.ordinal = *siblings;
        self.cases.push(case);
        if self.rule.is_none() {
            self.decide_producer(tag);
        }
        if self.frames.len() >= limits::DEPTH_MAX {
            return self.open(Frame::Case, tag);
        }
        self.frames.push(Frame::Case);
        if is_nested {
            self.note(Code::NestedCase, tag.at, "a test inside a test; both are counted");
        }
        if tag.is_empty {
            self.frames.pop();
            self.finish_case();
        }
        Ok(())
    }

    fn end(&mut self, name: &str, at: usize) -> Result<(), Stop> {
        let wanted = match name {
            "testcase" => Frame::Case,
            "testsuite" => Frame::Suite,
            "testsuites" => Frame::Root,
            "properties" => Frame::Properties,
            _ => {
                if self.frames.last() == Some(&Frame::Other) {
                    self.frames.pop();
                } else {
                    self.note(
                        Code::Repaired,
                        at,
                        format!("`</{}>` closes nothing", super::shortened(name)),
                    );
                }
                return Ok(());
            }
        };
        let Some(place) = self.frames.iter().rposition(|frame| *frame == wanted) else {
            self.note(Code::Repaired, at, format!("`</{name}>` closes nothing"));
            return Ok(());
        };
        let inside = self.frames.get(place + 1..).unwrap_or_default();
        if inside.contains(&Frame::Case) {
            let message = format!(
                "`</{name}>` while a test is open, so its outcome is unknown; it and all that follows was dropped"
            );
            self.note(Code::Malformed, at, message);
            return Err(Stop::Damaged);
        }
        if !inside.is_empty() {
            self.note(
                Code::Repaired,
                at,
                format!("`</{name}>` while other elements are open; they were closed"),
            );
        }
        while self.frames.len() > place + 1 {
            self.close();
        }
        self.close();
        Ok(())
    }

    fn close(&mut self) {
        match self.frames.pop() {
            Some(Frame::Case) => self.finish_case(),
            Some(Frame::Suite) => {
                self.suites.pop();
                self.names.forget_suites();
            }
            _ => {}
        }
    }

    /// The raw text inside an element, which is stepped over with its end tag.
    pub(super) fn body(&mut self, tag: &Tag<'a>) -> Result<&'a str, Stop> {
        if tag.is_empty {
            return Ok("");
        }
        match self.tokens.text_until_end(tag.name) {
            TextEnd::Whole { raw, depth } => {
                if depth > limits::DEPTH_MAX {
                    let message = format!(
                        "elements nested deeper than {} were read as text",
                        limits::DEPTH_MAX
                    );
                    self.note(Code::TooDeep, tag.at, message);
                }
                Ok(raw)
            }
            TextEnd::Container(at) => {
                let name = super::shortened(tag.name);
                let message =
                    format!("`<{name}>` is not closed before the test or suite around it");
                self.note(Code::Malformed, at, message);
                Err(Stop::Damaged)
            }
            TextEnd::Eof => Err(self.cut_off(self.text.len())),
        }
    }

    /// The decoded value of an attribute.
    pub(super) fn value(&mut self, raw: &'a str, at: usize) -> std::borrow::Cow<'a, str> {
        let mut oddities = Oddities::default();
        let value = text::attribute(raw, &mut oddities);
        self.odd(oddities, at);
        value
    }

    /// Says what was odd about a piece of text.
    pub(super) fn odd(&mut self, oddities: Oddities, at: usize) {
        if oddities.forbidden {
            let message =
                "a reference to a character that XML forbids; strip control characters from output";
            self.note(Code::ControlChars, at, message);
        }
        if oddities.repaired {
            let message = "a bare `&`, an unknown entity or `]]>` was kept as text; escape it";
            self.note(Code::Repaired, at, message);
        }
    }
}
