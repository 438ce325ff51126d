//! Workflow commands of GitHub Actions, which annotate lines of files in a pull request.
//!
//! The form is `::error file=…,line=…,title=…::message`; values escape `%`, line ends, and in
//! properties `:` and `,` (actions/toolkit, `packages/core/src/command.ts`).

use super::escape;
use super::view::LintView;

/// An annotation for each finding, a line each.
#[must_use]
pub fn of_lint(view: &LintView) -> String {
    let mut out = String::new();
    for finding in &view.findings {
        let test = match finding.test.as_str() {
            "" => String::new(),
            test => format!("{test}: "),
        };
        let message = format!("{test}{}; {}", finding.message, finding.mend);
        out += &format!(
            "::error file={},line={},title={}::{}\n",
            property(&view.list),
            finding.line,
            property(&format!("quarantine: {}", finding.code)),
            data(&escape::line(&message))
        );
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::view::FindingView;
    use super::*;

    #[test]
    fn what_acts_in_a_command_is_escaped() {
        let finding = FindingView {
            line: 7,
            code: "no-owner",
            test: "a::b[100%]\n::error::x".into(),
            message: "Nobody".into(),
            mend: "add".into(),
        };
        let view =
            LintView { list: "a:b,c.toml".into(), findings: vec![finding], ..LintView::default() };
        assert_eq!(
            of_lint(&view),
            "::error file=a%3Ab%2Cc.toml,line=7,title=quarantine%3A no-owner::\
             a::b[100%25]\\n::error::x: Nobody; add\n"
        );
    }
}
