//! Annotations of GitHub Actions: workflow commands that stand on standard output.
//!
//! `::error file=F,line=N,title=T::MESSAGE` and `::warning …`. In a message `%`, carriage return and
//! line feed are written as `%25`, `%0D` and `%0A`, in a property `:` and `,` as well, so that no
//! text of a report can end a command or begin one.

use std::fmt::Write as _;

use super::escape;
use super::limits::{ANNOTATIONS_MAX, HEADLINE_CHARS_MAX};
use super::view::{GateTestView, GateView, LintView};

/// The annotations of a decision: the decision itself first, then an error for each test that is
/// not excused and a warning for each that is quarantined.
#[must_use]
pub fn gate(view: &GateView) -> String {
    let mut out = String::new();
    let level = match (view.decision, view.reasons.is_empty()) {
        ("kept", _) => "error",
        ("passed", true) => "notice",
        _ => "warning",
    };
    let _ = writeln!(out, "::{level} title=flakedb::{}", message(&view.headline));
    let pick = |level: &str, pick: fn(&GateTestView) -> bool, out: &mut String| {
        for test in view.tests.iter().filter(|test| pick(test)).take(ANNOTATIONS_MAX) {
            let _ = writeln!(out, "{}", annotation(level, test));
        }
    };
    pick("error", GateTestView::is_blocking, &mut out);
    pick("warning", |test| !test.is_blocking(), &mut out);
    out
}

/// An error at the line of each finding of `quarantine lint`.
#[must_use]
pub fn lint(view: &LintView) -> String {
    let mut out = String::new();
    for finding in &view.findings {
        let test = match finding.test.as_str() {
            "" => String::new(),
            test => format!("{test}: "),
        };
        let _ = writeln!(
            out,
            "::error file={},line={},title={}::{}",
            property(&view.list),
            finding.line,
            property(&format!("quarantine: {}", finding.code)),
            message(&format!("{test}{}; {}", finding.message, finding.mend))
        );
    }
    out
}

fn annotation(level: &str, test: &GateTestView) -> String {
    let mut properties = Vec::new();
    if !test.file.is_empty() {
        properties.push(format!("file={}", property(&test.file)));
        properties.extend(test.line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&test.name())));
    let decision = match (test.outcome.is_bad(), test.is_blocking()) {
        (true, true) => Some("not excused"),
        // Its entry says it all, whatever became of the run.
        (true, false) => None,
        (false, _) => Some("passed on retry"),
    };
    let mut said: Vec<String> = decision.map(str::to_owned).into_iter().collect();
    said.extend([test.cover_text(), test.news_text.clone()]);
    said.extend(test.p.map(|p| format!("worse than its own record (p = {p:.1e})")));
    said.extend((!test.message.is_empty()).then(|| test.message.clone()));
    format!("::{level} {}::{}", properties.join(","), message(&said.join("; ")))
}

fn message(text: &str) -> String {
    let text = escape::line(text).into_owned();
    escape::shortened(&text, 2 * HEADLINE_CHARS_MAX).replace('%', "%25")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_stands_at_its_line() {
        let finding = super::super::view::FindingView {
            line: 7,
            code: "no-owner",
            test: "a::b[100%]\n::error::x".into(),
            message: "Nobody".into(),
            mend: "add".into(),
        };
        let findings = vec![finding];
        let view = LintView { list: "a:b,c.toml".into(), findings, ..LintView::default() };
        assert_eq!(
            lint(&view),
            "::error file=a%3Ab%2Cc.toml,line=7,title=quarantine%3A no-owner::\
             a::b[100%25]\\n::error::x: Nobody; add\n"
        );
    }

    #[test]
    fn foreign_text_neither_ends_a_command_nor_begins_one() {
        for (text, in_message, in_property) in [
            ("a::b[1,2]", "a::b[1,2]", "a%3A%3Ab[1%2C2]"),
            ("100%\n::error::x", "100%25\\n::error::x", "100%25\\n%3A%3Aerror%3A%3Ax"),
            ("a\r\nb", "a\\r\\nb", "a\\r\\nb"),
        ] {
            assert_eq!(
                (message(text).as_str(), property(text).as_str()),
                (in_message, in_property)
            );
        }
    }
}
