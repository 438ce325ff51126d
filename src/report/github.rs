//! Annotations of GitHub Actions: workflow commands that stand on standard output.
//!
//! `::error file=F,line=N,title=T::MESSAGE` and `::warning …`. In a message `%`, carriage return and
//! line feed are written as `%25`, `%0D` and `%0A`, in a property `:` and `,` as well, so that no
//! text of a report can end a command or begin one.
//!
//! GitHub shows 10 annotations of each level for a step and drops the rest without a word. No more
//! than that are written, the last notice says how many there would have been.

use std::io::Write;

use super::limits::{ANNOTATIONS_MAX, HEADLINE_CHARS_MAX};
use super::view::{GateTestView, GateView, LintView, ReportView, TestView};
use super::{Format, RenderError, Screen, View, escape, phrase, sentence};
use crate::analysis::verdict::Status;

/// Writes a view as annotations.
///
/// # Errors
/// [`RenderError`] where the writer fails, or the view annotates nothing.
pub fn render(view: &View<'_>, _screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    let page = match view {
        View::Report(view) => report(view),
        View::Gate(view) => gate(view),
        View::QuarantineLint(view) => lint(view),
        _ => return Format::Github.check(view.kind()),
    };
    out.write_all(page.as_bytes()).map_err(RenderError::Write)
}

/// How bad an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }

    /// How many of one level are written; one notice is kept for the count of the rest.
    const fn max(self) -> usize {
        match self {
            Self::Error | Self::Warning => ANNOTATIONS_MAX,
            Self::Notice => ANNOTATIONS_MAX - 1,
        }
    }
}

/// Annotations of one step.
#[derive(Debug, Default)]
struct Annotations {
    text: String,
    written: [usize; 3],
    left: u64,
}

impl Annotations {
    /// One annotation; `place` is what stands before the title, such as `file=a.py,line=3`.
    fn add(&mut self, level: Level, place: &[String], title: &str, said: &str) {
        let Some(written) = self.written.get_mut(level as usize) else { return };
        if *written >= level.max() {
            self.left += 1;
            return;
        }
        *written += 1;
        let title = [format!("title={}", property(title))];
        let properties: Vec<&str> = place.iter().chain(&title).map(String::as_str).collect();
        let command = format!("::{} {}::{}\n", level.word(), properties.join(","), message(said));
        self.text.push_str(&command);
    }

    fn finish(mut self) -> String {
        if self.left > 0 {
            let more = sentence::count(self.left, "more annotation");
            let said = format!("{more} not shown: GitHub shows 10 of a level for each step");
            self.text.push_str(&format!("::notice title=flakedb::{said}\n"));
        }
        self.text
    }
}

/// The verdicts that need attention: an error for what is broken, a warning for what is flaky, a
/// notice for the rest, at the line of the latest failure in the test's own file.
fn report(view: &ReportView) -> String {
    let mut annotations = Annotations::default();
    let said = format!(
        "{} in {}: {}",
        sentence::count(view.totals.tests, "test"),
        sentence::count(view.runs.total, "run"),
        match view.totals.verdicts {
            0 => "nothing to judge".to_owned(),
            _ => phrase::statuses(&view.totals),
        }
    );
    annotations.add(Level::Notice, &[], "flakedb", &said);
    for test in view.tests.iter().filter(|test| test.needs_attention()) {
        let level = match test.status {
            Status::NewlyBroken | Status::Broken => Level::Error,
            Status::Flaky => Level::Warning,
            _ => Level::Notice,
        };
        annotations.add(level, &place(test), &test.label(), &verdict(test));
    }
    annotations.finish()
}

fn place(test: &TestView) -> Vec<String> {
    let location = test.latest_failure.as_ref().and_then(|failure| failure.location.as_ref());
    let Some(location) = location else {
        return match test.file.as_str() {
            "" => Vec::new(),
            file => vec![format!("file={}", property(file))],
        };
    };
    let mut place =
        vec![format!("file={}", property(&location.file)), format!("line={}", location.line)];
    place.extend(location.column.map(|column| format!("col={column}")));
    place
}

fn verdict(test: &TestView) -> String {
    let mut said = vec![
        sentence::status(test.status).to_owned(),
        phrase::failed_runs(test),
        test.reason.clone(),
    ];
    let failure = test.latest_failure.as_ref().map(|failure| failure.headline.clone());
    said.extend(failure.filter(|headline| !headline.is_empty()));
    if !test.owners.is_empty() {
        said.push(test.owners.join(" "));
    }
    said.join("; ")
}

/// The annotations of a decision: the decision itself first, then an error for each test that is
/// not excused and a warning for each that is quarantined.
#[must_use]
pub fn gate(view: &GateView) -> String {
    let mut annotations = Annotations::default();
    let level = match (view.decision, view.reasons.is_empty()) {
        ("kept", _) => Level::Error,
        ("passed", true) => Level::Notice,
        _ => Level::Warning,
    };
    annotations.add(level, &[], "flakedb", &view.headline);
    let pick = |level, blocking: bool, annotations: &mut Annotations| {
        for test in view.tests.iter().filter(|test| test.is_blocking() == blocking) {
            let (place, said) = decided(test);
            annotations.add(level, &place, &test.name(), &said);
        }
    };
    pick(Level::Error, true, &mut annotations);
    pick(Level::Warning, false, &mut annotations);
    annotations.finish()
}

/// An error at the line of each finding of `quarantine lint`.
#[must_use]
pub fn lint(view: &LintView) -> String {
    let mut annotations = Annotations::default();
    for finding in &view.findings {
        let test = match finding.test.as_str() {
            "" => String::new(),
            test => format!("{test}: "),
        };
        let place = [format!("file={}", property(&view.list)), format!("line={}", finding.line)];
        let said = format!("{test}{}; {}", finding.message, finding.mend);
        annotations.add(Level::Error, &place, &format!("quarantine: {}", finding.code), &said);
    }
    annotations.finish()
}

/// Where a test of a decision stands, and what was decided.
fn decided(test: &GateTestView) -> (Vec<String>, String) {
    let mut place = Vec::new();
    if !test.file.is_empty() {
        place.push(format!("file={}", property(&test.file)));
        place.extend(test.line.map(|line| format!("line={line}")));
    }
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
    (place, said.join("; "))
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
    use super::super::view::Listing;
    use super::super::{render, sample};
    use super::*;

    fn page(view: View<'_>) -> String {
        let mut out = Vec::new();
        render(view, Format::Github, Screen::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn verdicts_stand_where_they_failed() {
        let mut view = sample::report_of(&sample::usual(), Listing::All);
        sample::fail(&mut view);
        insta::assert_snapshot!("report_github", page(View::Report(&view)));
        let mut hostile = sample::hostile_report();
        sample::fail(&mut hostile);
        for test in &mut hostile.tests {
            let failure = test.latest_failure.as_mut().unwrap();
            failure.headline.clone_from(&test.test);
            failure.location.as_mut().unwrap().file.clone_from(&test.test);
        }
        let text = page(View::Report(&hostile));
        assert_eq!(text.lines().count(), 1 + hostile.tests.len());
        assert!(text.lines().all(|line| line.starts_with("::")), "{text}");
    }

    #[test]
    fn no_level_has_more_than_github_shows_and_the_rest_is_counted() {
        let mut view = sample::report_of(&sample::usual(), Listing::Attention);
        let of = |status| TestView { status, ..view.tests[0].clone() };
        let many: Vec<TestView> = [Status::Broken, Status::Flaky, Status::Suspect]
            .into_iter()
            .flat_map(|status| vec![of(status); 30])
            .collect();
        view.tests = many;
        let text = page(View::Report(&view));
        for level in ["::error ", "::warning ", "::notice "] {
            assert_eq!(text.lines().filter(|line| line.starts_with(level)).count(), 10, "{level}");
        }
        // Of the notices one is the summary and one the count.
        let last = text.lines().last().unwrap();
        assert!(last.contains("62 more annotations not shown"), "{last}");
    }

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
             a::b[100%25]\\n\\u{3a}:error::x: Nobody; add\n"
        );
    }

    #[test]
    fn foreign_text_neither_ends_a_command_nor_begins_one() {
        for (text, in_message, in_property) in [
            ("a::b[1,2]", "a::b[1,2]", "a%3A%3Ab[1%2C2]"),
            ("100%\n::error::x", "100%25\\n\\u{3a}:error::x", "100%25\\n\\u{3a}%3Aerror%3A%3Ax"),
            ("a\r\nb", "a\\r\\nb", "a\\r\\nb"),
        ] {
            assert_eq!(
                (message(text).as_str(), property(text).as_str()),
                (in_message, in_property)
            );
        }
    }
}
