//! The machine that a document says its tests ran on.
//!
//! Producers write `hostname` on suites. A document whose suites name several machines was put
//! together from others; which result is whose cannot be told, so that it names none.

use super::text::{self, Oddities};
use crate::model::limits;

/// What producers write where they name no machine: Catch2 has yet to decide, the others mean
/// whatever machine they run on.
const NO_MACHINE: [&str; 6] =
    ["tbd", "localhost", "localhost.localdomain", "127.0.0.1", "::1", "unknown"];
/// These write something else: Playwright its project, often the browser.
const OTHER_MEANING: [&str; 1] = ["playwright"];

/// The hosts of the suites seen so far.
#[derive(Debug, Default)]
pub(super) struct Hosts<'a> {
    first: Option<&'a str>,
    several: bool,
}

impl<'a> Hosts<'a> {
    /// Takes note of the `hostname` of one more suite.
    pub(super) fn see(&mut self, raw: Option<&'a str>) {
        match (self.first, raw.filter(|raw| !raw.is_empty())) {
            (None, raw) => self.first = raw,
            (Some(first), Some(raw)) => self.several |= first != raw,
            (Some(_), None) => {}
        }
    }

    /// The one machine; empty where the document names none or several.
    pub(super) fn name(&self, producer: &str) -> String {
        let Some(raw) = self.first.filter(|_| !self.several) else { return String::new() };
        let decoded = text::attribute(raw, &mut Oddities::default());
        let name = text::name(&decoded, text::Bytes::of(&decoded));
        let name = name.trim();
        // Newman writes the address that it sends requests to.
        let is_machine = !NO_MACHINE.iter().any(|none| name.eq_ignore_ascii_case(none))
            && !name.contains("://")
            && name.len() <= limits::HOST_BYTES_MAX
            && !OTHER_MEANING.contains(&producer);
        if is_machine { name.to_owned() } else { String::new() }
    }
}

#[cfg(test)]
mod tests {
    use crate::junit::{ReadOptions, read};

    fn host(document: &str) -> String {
        read(document.as_bytes(), &ReadOptions::default()).report.host
    }

    fn suites(hosts: &[&str]) -> String {
        let suite = |host: &&str| {
            format!(
                "<testsuite name=\"s\" {host}><testcase classname=\"a.B\" name=\"t\"/></testsuite>"
            )
        };
        format!("<testsuites>{}</testsuites>", hosts.iter().map(suite).collect::<String>())
    }

    #[test]
    fn one_machine_is_named_and_several_are_not() {
        assert_eq!(host(&suites(&["hostname=\" w7&amp;b\" "])), "w7&b");
        assert_eq!(
            host(&suites(&["", "hostname=\"w7\"", "hostname=\"\"", "hostname=\"w7\""])),
            "w7"
        );
        assert_eq!(host(&suites(&["hostname=\"w7\"", "hostname=\"w8\""])), "");
        assert_eq!(host(&suites(&[""])), "");
        let nested = "<testsuites><testsuite hostname=\"w7\"><testsuite name=\"i\">\
            <testcase name=\"t\"/></testsuite></testsuite></testsuites>";
        assert_eq!(host(nested), "w7");
    }

    #[test]
    fn what_names_no_machine_is_left_out() {
        let long = format!("hostname=\"{}\"", "h".repeat(300));
        for none in ["tbd", "LocalHost", "127.0.0.1", "::1", "http://127.0.0.1"] {
            assert_eq!(host(&suites(&[&format!("hostname=\"{none}\"")])), "", "{none}");
        }
        assert_eq!(host(&suites(&[&long])), "");
        for (document, expected) in [
            (include_str!("../../fixtures/junit/playwright/playwright_retries2.xml"), ""),
            (include_str!("../../fixtures/junit/pytest/pytest_xunit1.xml"), "vm"),
        ] {
            assert_eq!(host(document), expected);
        }
    }
}
