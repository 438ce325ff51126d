//! Conditions on a text: equal, containing, matching; and how a text that fails them differs.

use regex::{Regex, RegexBuilder};

use super::nearness;

/// What a text must be.
#[derive(Debug, Clone)]
pub struct TextMatch {
    kind: Kind,
    /// The text or pattern as written.
    wanted: String,
    ignore_case: bool,
    /// The text must not be so.
    negated: bool,
    compiled: Option<Regex>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Equals,
    Contains,
    StartsWith,
    Regex,
}

impl PartialEq for TextMatch {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, &self.wanted, self.ignore_case, self.negated)
            == (other.kind, &other.wanted, other.ignore_case, other.negated)
    }
}

/// A regular expression that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no regular expression: {problem}")]
pub struct PatternError {
    /// As written.
    pub pattern: String,
    /// What is wrong with it.
    pub problem: String,
}

impl TextMatch {
    /// Exactly this text.
    #[must_use]
    pub fn equals(text: impl Into<String>) -> Self {
        Self::new(Kind::Equals, text.into())
    }

    /// A text with this one in it.
    #[must_use]
    pub fn contains(text: impl Into<String>) -> Self {
        Self::new(Kind::Contains, text.into())
    }

    /// A text that starts with this one.
    #[must_use]
    pub fn starts_with(text: impl Into<String>) -> Self {
        Self::new(Kind::StartsWith, text.into())
    }

    /// A text with a match of this regular expression in it.
    ///
    /// # Errors
    /// [`PatternError`] where it cannot be read.
    pub fn regex(pattern: impl Into<String>) -> Result<Self, PatternError> {
        Self::new(Kind::Regex, pattern.into()).recompiled()
    }

    /// The same, upper and lower case alike.
    ///
    /// # Errors
    /// [`PatternError`] where the regular expression cannot be read.
    pub fn ignoring_case(mut self) -> Result<Self, PatternError> {
        self.ignore_case = true;
        self.recompiled()
    }

    /// Texts that this does not match.
    #[must_use]
    pub fn negated(mut self) -> Self {
        self.negated = !self.negated;
        self
    }

    fn new(kind: Kind, wanted: String) -> Self {
        Self { kind, wanted, ignore_case: false, negated: false, compiled: None }
    }

    fn recompiled(mut self) -> Result<Self, PatternError> {
        if self.kind == Kind::Regex {
            let built = RegexBuilder::new(&self.wanted).case_insensitive(self.ignore_case).build();
            let regex = built.map_err(|error| PatternError {
                pattern: self.wanted.clone(),
                problem: last_line(&error.to_string()),
            })?;
            self.compiled = Some(regex);
        }
        Ok(self)
    }

    /// Whether a text is so.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let plain = match self.kind {
            Kind::Regex => self.compiled.as_ref().is_some_and(|regex| regex.is_match(text)),
            Kind::Equals if self.ignore_case => text.to_lowercase() == self.wanted.to_lowercase(),
            Kind::Equals => text == self.wanted,
            Kind::Contains if self.ignore_case => {
                text.to_lowercase().contains(&self.wanted.to_lowercase())
            }
            Kind::Contains => text.contains(&self.wanted),
            Kind::StartsWith if self.ignore_case => {
                text.to_lowercase().starts_with(&self.wanted.to_lowercase())
            }
            Kind::StartsWith => text.starts_with(&self.wanted),
        };
        plain != self.negated
    }

    /// What is wanted, for people: `"weather"`, `a match of /^w/`.
    #[must_use]
    pub(super) fn describe(&self) -> String {
        let not = if self.negated { "not " } else { "" };
        let wanted = nearness::shown(&self.wanted);
        match self.kind {
            Kind::Equals => format!("{not}{wanted}"),
            Kind::Contains => format!("{not}{wanted} in it"),
            Kind::StartsWith => format!("{not}{wanted} at its start"),
            Kind::Regex => format!("{not}a match of /{}/", self.wanted),
        }
    }

    /// How a text fails: how near it came (0 to 1), and `wants "weather", got "wether"`.
    pub(super) fn difference(&self, text: &str) -> (f64, String) {
        if self.negated || self.kind == Kind::Regex {
            let got = nearness::shown(text);
            return (0.3, format!("wants {}, got {got}", self.describe()));
        }
        match self.kind {
            Kind::Equals => nearness::whole(&self.wanted, text),
            Kind::StartsWith => {
                let start: String = text.chars().take(self.wanted.chars().count()).collect();
                let (near, difference) = nearness::whole(&self.wanted, &start);
                (near, format!("at its start {difference}"))
            }
            _ => nearness::within(&self.wanted, text),
        }
    }

    /// How near a text came, at a glance.
    pub(super) fn nearness(&self, text: &str) -> f64 {
        match self.kind {
            Kind::Contains if !self.negated => nearness::within_roughly(&self.wanted, text),
            _ => self.difference(text).0,
        }
    }

    /// `(kind, wanted, ignore_case, negated)`, as rule files spell it.
    pub(super) fn spelt(&self) -> (&'static str, &str, bool, bool) {
        let kind = match self.kind {
            Kind::Equals => "equals",
            Kind::Contains => "contains",
            Kind::StartsWith => "starts_with",
            Kind::Regex => "regex",
        };
        (kind, &self.wanted, self.ignore_case, self.negated)
    }
}

/// The last line of a regular expression's error says what is wrong; the others draw it.
fn last_line(error: &str) -> String {
    let line = error.lines().last().unwrap_or(error);
    line.trim_start_matches("error: ").to_owned()
}
