//! HTML: a window on one page that opens from a disk or a build's artifacts.
//!
//! One file without any request, within the strictest policy that such a file can have
//! (module `csp`). Without scripts it reads as a document; without styles, as Jenkins serves artifacts,
//! it still reads in order. It stays below [`HTML_BYTES_MAX`]: names and courses give way first,
//! and what gave way is counted.

mod cluster;
mod course;
mod csp;
mod figure;
mod page;
mod row;
mod sections;
mod sheet;

use std::io::Write;

use super::limits::HTML_BYTES_MAX;
use super::{Format, RenderError, Screen, View, escape};
use page::Page;

/// Writes a dashboard as HTML.
///
/// # Errors
/// [`RenderError::Unsupported`] for other views, [`RenderError::Write`] where the writer fails.
pub fn render(view: &View<'_>, _screen: Screen, out: &mut dyn Write) -> Result<(), RenderError> {
    let View::Dashboard(view) = view else {
        return Format::Html.check(view.kind());
    };
    let page = Page::new(view).and_then(|page| page.within(HTML_BYTES_MAX)).map_err(laid_out)?;
    writeln!(out, "{page}").map_err(RenderError::Write)
}

/// A template that cannot be filled writes to memory, and so can only run out of it.
fn laid_out(error: askama::Error) -> RenderError {
    RenderError::Write(std::io::Error::other(error))
}

/// Foreign text on one line and at most so long; what was cut is counted.
fn text(text: &str, chars: usize) -> String {
    escape::shortened(&escape::line(text), chars).into_owned()
}

/// A link to follow; nothing that a browser would run, and nothing that hides where it goes.
fn link(url: &str) -> Option<String> {
    let web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    let plain = !url.contains(|c: char| c.is_whitespace() || escape::is_hidden(c));
    let escaped = url.len() + AMPERSAND_BYTES * url.matches('&').count();
    (web && plain && escaped <= LINK_BYTES_MAX).then(|| url.to_owned())
}

/// Bytes of an escaped address; longer ones would crowd out the tests.
const LINK_BYTES_MAX: usize = 500;
/// What escaping adds to an ampersand.
const AMPERSAND_BYTES: usize = "&#38;".len() - 1;

#[cfg(test)]
mod tests {
    use super::super::view::DashboardView;
    use super::super::{render, sample_page};
    use super::*;

    fn page(view: &DashboardView) -> String {
        let mut out = Vec::new();
        render(View::Dashboard(view), Format::Html, Screen::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// The page without the texts of its style sheet and script.
    fn document(page: &str) -> String {
        let cut = |page: &str, from: &str, to: &str| {
            let (before, rest) = page.split_once(from).unwrap();
            let (_, after) = rest.split_once(to).unwrap();
            format!("{before}{from}{to}{after}")
        };
        cut(&cut(page, "<style>", "</style>"), "<script>", "</script>")
    }

    #[test]
    fn the_usual_page() {
        let policy = regex::Regex::new("sha256-[A-Za-z0-9+/=]+").unwrap();
        let page = page(&sample_page::usual());
        insta::assert_snapshot!("dashboard_html", policy.replace_all(&document(&page), "sha256-…"));
    }

    #[test]
    fn the_policy_names_the_style_sheet_and_the_script_of_the_page() {
        let page = page(&sample_page::usual());
        for element in ["style", "script"] {
            let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
            let (text, _) = rest.split_once(&format!("</{element}>")).unwrap();
            let policy = csp::policy(text, text);
            let hash = policy.split('\'').find(|part| part.starts_with("sha256-")).unwrap();
            // Askama writes `+` and `'` as references, which the browser reads back.
            let head = page.split_once("<style>").unwrap().0.replace("&#43;", "+");
            assert!(head.contains(&format!("{element}-src &#39;{hash}&#39;")), "{head}");
        }
    }

    #[test]
    fn hostile_text_stays_text() {
        let page = document(&page(&sample_page::hostile()));
        assert!(page.len() < HTML_BYTES_MAX);
        assert_eq!(page.matches("<script").count(), 1);
        for raw in ["<img", "onerror=alert(1)>", "javascript:1)\"", "<!--", "href=\"javascript"] {
            assert!(!page.contains(raw), "{raw}");
        }
        assert_eq!(page.chars().find(|c| escape::is_hidden(*c) && *c != '\n'), None);
        for shown in [r"abc\u{202e}txt.exe\u{2066}", "&#60;script&#62;alert(&#39;1&#39;)", "(10,2"]
        {
            assert!(page.contains(shown), "{shown}");
        }
        assert!(!page.contains(" style="), "the policy forbids style attributes");
    }

    #[test]
    fn a_link_leads_to_the_web_or_nowhere() {
        for (url, leads) in [
            ("https://ci.example/1?a=b&c=d", true),
            ("http://ci/1", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("https://x/\u{202e}y", false),
            ("https://x/\ny", false),
            ("", false),
        ] {
            assert_eq!(link(url).is_some(), leads, "{url}");
        }
        assert_eq!(link(&format!("https://x/{}", "y".repeat(2_000))), None);
    }

    #[test]
    fn small_histories_have_a_page() {
        for runs in [0, 1, 2] {
            let page = page(&sample_page::tiny(runs));
            assert_eq!(page.contains("There is nothing to judge yet"), runs == 0);
            assert!(!page.contains("NaN") && !page.contains("inf"));
        }
    }

    /// A suite of so many tests, each with a name of so many characters.
    fn suite(tests: usize, chars: usize) -> DashboardView {
        let mut view = sample_page::usual();
        let healthy = view.report.tests.last().unwrap().clone();
        let named = |n: usize| super::super::view::TestView {
            test: format!("{n:0chars$}"),
            ..healthy.clone()
        };
        view.report.tests.extend((0..tests).map(named));
        view
    }

    #[test]
    fn five_thousand_tests_fit_whatever_they_are_called() {
        for chars in [60, 240, 10_240] {
            let page = page(&suite(5_000, chars));
            assert!(page.len() <= HTML_BYTES_MAX, "{chars}: {}", page.len());
            assert_eq!(page.matches("<th scope=row>0").count(), 5_000, "{chars}");
            assert!(!page.contains("are not listed here"), "{chars}");
            assert_eq!(page.contains("are cut in this table"), chars > 100, "{chars}");
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let view = suite(30_000, 200);
        let page = page(&view);
        assert!(page.len() <= HTML_BYTES_MAX, "{}", page.len());
        let (_, rest) = page.split_once("<tbody id=shown>").unwrap();
        let (rows, rest) = rest.split_once("</table>").unwrap();
        let listed = rows.matches("<tr>").count();
        let left_out = super::super::sentence::number((view.report.tests.len() - listed) as u64);
        let counted = format!("{left_out} more tests are not listed here");
        assert!(rest.contains(&counted), "{listed}");
    }
}
