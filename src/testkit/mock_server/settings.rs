//! What a namespace is told about how to answer, apart from stubs.

use std::sync::Arc;

use bytes::Bytes;

use super::fault::{Decision, Decisions, FaultRule};
use super::timing::Timing;

/// The keyword of the reply for whatever no other is in.
const ANY_KEYWORD: &str = "*";

/// How a namespace answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What every decision derives from.
    pub seed: u64,
    /// How long answers take where no stub says.
    pub timing: Timing,
    /// Whether a request without a stub gets a useful default reply; else it is an error that says
    /// which stub came nearest.
    pub default_replies: bool,
    /// Default replies by words of the user's text, before the built-in ones: whole words, one or
    /// several in a row, compared without case. `*` is for whatever no other is in.
    pub keyword_replies: Vec<(String, String)>,
    /// Whether a request without a stub that has `format` or `tools` gets an instance, or a call.
    pub auto: bool,
    /// What breaks, and when, where no stub says.
    pub faults: Vec<FaultRule>,
    /// Decisions of an earlier run, which hold in place of new ones.
    pub decisions: Option<Arc<Decisions>>,
    /// A fault put by hand, before everything else.
    pub put_fault: Option<PutFault>,
    /// Raw answers by method and path, before the API.
    pub routes: Vec<CustomRoute>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            timing: Timing::default(),
            default_replies: true,
            keyword_replies: Vec::new(),
            auto: false,
            faults: Vec::new(),
            decisions: None,
            put_fault: None,
            routes: Vec::new(),
        }
    }
}

impl Settings {
    /// What an earlier run decided the `n`-th time that this request was seen.
    #[must_use]
    pub fn decided(&self, identity: &[u8; 16], n: u64) -> Option<&Decision> {
        self.decisions.as_ref()?.of(identity, n)
    }

    /// Whether only stubs may answer.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        !self.default_replies
    }

    /// The reply for the first keyword that is in a text.
    #[must_use]
    pub fn keyword_reply(&self, text: &str) -> Option<&str> {
        let text = text.to_lowercase();
        let (any, keywords): (Vec<_>, Vec<_>) =
            self.keyword_replies.iter().partition(|(keyword, _)| keyword == ANY_KEYWORD);
        let found = keywords.into_iter().find(|(keyword, _)| has_words(&text, keyword));
        found.or_else(|| any.into_iter().next()).map(|(_, reply)| reply.as_str())
    }

    /// The raw answer to this method and path, the newest where there are several.
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<&CustomRoute> {
        let of = |method| self.routes.iter().rev().find(|route| route.matches(method, path));
        // HEAD is GET without a body, which the server leaves out.
        of(method).or_else(|| if method == "HEAD" { of("GET") } else { None })
    }
}

/// Whether a text in lower case has these words: "hi" is not in "this".
fn has_words(text: &str, words: &str) -> bool {
    let words = words.to_lowercase();
    let words = words.trim();
    let is_within = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    !words.is_empty()
        && text.match_indices(words).any(|(at, found)| {
            let (before, after) = (&text[..at], &text[at + found.len()..]);
            let begins = found.chars().next();
            let ends = found.chars().next_back();
            let grown = is_within(begins) && is_within(before.chars().next_back());
            let goes_on = is_within(ends) && is_within(after.chars().next());
            !grown && !goes_on
        })
}

/// What breaks the next requests, put by `PUT /__admin/fault`.
#[derive(Debug, Clone, PartialEq)]
pub struct PutFault {
    /// What it does, and on which paths.
    pub rule: FaultRule,
    /// For how many more requests; `None`: until it is deleted.
    pub left: Option<u64>,
}

/// A raw answer to any method and path: the server as a plain HTTP stub.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomRoute {
    /// The method, in upper case; `None`: any.
    pub method: Option<String>,
    /// The path; one that ends in `*` stands for all that begin so.
    pub path: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl CustomRoute {
    /// Whether it answers this method and path.
    #[must_use]
    pub fn matches(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|own| own == method)
            && match self.path.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => self.path == path,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_goes_to_the_route_of_get_unless_it_has_its_own() {
        let route = |method: &str, status| CustomRoute {
            method: Some(method.to_owned()),
            path: "/x".to_owned(),
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        };
        let mut settings = Settings { routes: vec![route("GET", 200)], ..Settings::default() };
        let status =
            |settings: &Settings, method| settings.route(method, "/x").map(|route| route.status);
        assert_eq!(status(&settings, "HEAD"), Some(200));
        assert_eq!(status(&settings, "POST"), None);
        settings.routes.insert(0, route("HEAD", 204));
        assert_eq!((status(&settings, "HEAD"), status(&settings, "GET")), (Some(204), Some(200)));
    }

    #[test]
    fn keywords_are_whole_words() {
        let keyword_replies = [("*", "?"), ("hi", "Hello"), ("what's up", "Nothing"), ("C++", "!")]
            .map(|(keyword, reply)| (keyword.to_owned(), reply.to_owned()))
            .to_vec();
        let settings = Settings { keyword_replies, ..Settings::default() };
        for (text, reply) in [
            ("Hi!", "Hello"),
            ("oh, HI there", "Hello"),
            ("is this ok", "?"),
            ("What's up?", "Nothing"),
            ("I like c++.", "!"),
        ] {
            assert_eq!(settings.keyword_reply(text), Some(reply), "{text}");
        }
        assert_eq!(Settings::default().keyword_reply("hi"), None);
    }
}
