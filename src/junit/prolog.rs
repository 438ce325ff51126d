//! What stands outside root elements: declarations, comments, and other programs' output.

use memchr::{memchr, memmem};

use super::producer;
use super::reader::{DocumentReader, Stop};
use super::warning::Code;

/// What was found in front of, between and behind the roots.
#[derive(Debug, Default)]
struct Outside {
    junk_before: bool,
    junk_after: bool,
    is_html: bool,
}

/// The next thing of interest outside a root.
enum Next {
    Root(usize),
    /// Nothing of interest up to here.
    Past(usize),
    End,
}

impl<'a> DocumentReader<'a, '_> {
    /// Reads the whole text: every root element, whatever stands around them.
    pub(super) fn document(&mut self) -> Result<(), Stop> {
        let mut at = 0;
        let mut outside = Outside::default();
        loop {
            match self.outside(at, &mut outside)? {
                Next::Past(to) => at = to,
                Next::Root(start) => at = self.root(start)?,
                Next::End if self.roots == 0 => return Err(self.no_root(&outside)),
                Next::End => break,
            }
        }
        if self.roots > 1 {
            let message =
                format!("{} documents in one; all were read, so write one file each", self.roots);
            self.note(Code::MultiRoot, 0, message);
        }
        Ok(())
    }

    fn outside(&mut self, from: usize, outside: &mut Outside) -> Result<Next, Stop> {
        let rest = self.text.get(from..).unwrap_or_default();
        let open = memchr(b'<', rest.as_bytes());
        let (before, markup) = rest.split_at(open.unwrap_or(rest.len()));
        if !before.trim_matches(|c: char| c.is_whitespace() || c == '\0').is_empty() {
            self.junk(from, outside);
        }
        if open.is_none() {
            return Ok(Next::End);
        }
        let at = from + before.len();
        let skip_past = |end: &str| {
            let found = memmem::find(markup.as_bytes(), end.as_bytes());
            found.map_or(Next::End, |found| Next::Past(at + found + end.len()))
        };
        if markup.starts_with("<?") {
            return Ok(skip_past("?>"));
        }
        if let Some(comment) = markup.strip_prefix("<!--") {
            let comment = comment.split_once("-->").map_or(comment, |(comment, _)| comment);
            self.facts.named = self.facts.named.or_else(|| producer::of_comment(comment));
            return Ok(skip_past("-->"));
        }
        let keyword = markup.get(..9).unwrap_or_default();
        if keyword.eq_ignore_ascii_case("<!DOCTYPE") {
            let end = doctype_length(markup);
            let doctype = markup.get(..end).unwrap_or(markup);
            let name = doctype.get(9..).unwrap_or_default().trim_start();
            if name.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("html")) {
                outside.is_html = true;
                return Ok(Next::Past(at + end));
            }
            self.doctype(doctype, at)?;
            return Ok(Next::Past(at + end));
        }
        self.element(markup, at, outside)
    }

    fn element(&mut self, markup: &str, at: usize, outside: &mut Outside) -> Result<Next, Stop> {
        let inner = markup.get(1..).unwrap_or_default();
        let end = inner.find(|c: char| c.is_whitespace() || c == '>' || c == '/' || c == '<');
        let full = inner.get(..end.unwrap_or(inner.len())).unwrap_or_default();
        let name = full.rsplit(':').next().unwrap_or(full);
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        match name {
            "testsuites" | "testsuite" => return Ok(Next::Root(at)),
            _ if is_name && self.roots == 0 && !outside.junk_before => {
                let is_html = outside.is_html || name.eq_ignore_ascii_case("html");
                return Err(self.foreign_root(name, at, is_html));
            }
            _ => {}
        }
        // Other programs print `<` as well.
        self.junk(at, outside);
        Ok(Next::Past(at + 1))
    }

    fn junk(&mut self, at: usize, outside: &mut Outside) {
        let (seen, code, message) = if self.roots == 0 {
            let message = "other output stands before the report; let the runner write to a file";
            (&mut outside.junk_before, Code::JunkBefore, message)
        } else {
            let message = "other output stands after the report; let the runner write to a file";
            (&mut outside.junk_after, Code::JunkAfter, message)
        };
        if !std::mem::replace(seen, true) {
            self.note(code, at, message);
        }
    }

    fn foreign_root(&mut self, name: &str, at: usize, is_html: bool) -> Stop {
        if is_html {
            let message =
                "this is a web page, most likely a server's error page; fetch the report again";
            self.note(Code::Html, at, message);
            return Stop::Refused;
        }
        let hint = match name {
            "coverage" => "; that is a coverage report",
            "phpunit" => {
                "; that is PHPUnit's configuration, the report is what `--log-junit` names"
            }
            "test-run" | "test-results" => "; that is NUnit's own format, convert it to JUnit XML",
            "assemblies" | "assembly" => "; that is xUnit.net's own format, use its JUnit logger",
            "robot" => "; that is Robot's own format, use `--xunit`",
            "TestRun" => "; that is Visual Studio's own format, use its JUnit logger",
            "testcase" => "; a report wraps its tests in <testsuite>",
            _ => "",
        };
        let name = super::shortened(name);
        let message = format!("the root is <{name}>, not <testsuites> or <testsuite>{hint}");
        self.note(Code::NotJunit, at, message);
        Stop::Refused
    }

    fn no_root(&mut self, outside: &Outside) -> Stop {
        self.findings.keep_only(Code::NotXml);
        if outside.is_html {
            return self.foreign_root("html", 0, true);
        }
        let is_json = self.text.trim_start().starts_with(['{', '[']);
        let message = match is_json {
            true => "JSON, not XML, and of no kind that is known; docs/IMPORT.md has the formats",
            false => "no XML element in it; name the runner's JUnit XML report",
        };
        self.note(Code::NotXml, 0, message);
        Stop::Refused
    }
}

/// The length of a document type declaration, its internal subset included.
fn doctype_length(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[') => depth += 1,
            (None, b']') => depth = depth.saturating_sub(1),
            (None, b'>') if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_type_ends_behind_its_subset_and_not_in_a_literal() {
        for doctype in [
            "<!DOCTYPE a>",
            "<!DOCTYPE a SYSTEM \"b>c\">",
            "<!DOCTYPE a SYSTEM 'it\"s > here'>",
            "<!DOCTYPE a [<!ENTITY b \"]>\"><!ENTITY c '>'>]>",
            "<!DOCTYPE a [ [ > ] > ] >",
            "<!DOCTYPE a ]>",
        ] {
            assert_eq!(doctype_length(&format!("{doctype}<a> ]>")), doctype.len(), "{doctype}");
        }
        for open in ["<!DOCTYPE a [>", "<!DOCTYPE a '>", "<!DOCTYPE a"] {
            assert_eq!(doctype_length(open), open.len(), "{open}");
        }
    }

    #[test]
    fn each_root_of_another_format_is_told_by_its_name() {
        for (root, hint) in [
            ("coverage", "; that is a coverage report"),
            (
                "phpunit",
                "; that is PHPUnit's configuration, the report is what `--log-junit` names",
            ),
            ("test-run", "; that is NUnit's own format, convert it to JUnit XML"),
            ("test-results", "; that is NUnit's own format, convert it to JUnit XML"),
            ("assemblies", "; that is xUnit.net's own format, use its JUnit logger"),
            ("assembly", "; that is xUnit.net's own format, use its JUnit logger"),
            ("robot", "; that is Robot's own format, use `--xunit`"),
            ("TestRun", "; that is Visual Studio's own format, use its JUnit logger"),
            ("testcase", "; a report wraps its tests in <testsuite>"),
            ("other", ""),
        ] {
            let document = format!("<{root}></{root}>");
            let reading = crate::junit::read(document.as_bytes(), &Default::default());
            let found: Vec<_> = reading.warnings.iter().map(|one| one.message.as_str()).collect();
            let expected = format!("the root is <{root}>, not <testsuites> or <testsuite>{hint}");
            assert_eq!(found, [expected.as_str()]);
        }
    }
}
