//! Questions that lead models astray, told by their words.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// What is wrong with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trap {
    /// It takes for granted what need not be so, or is known to be false.
    FalsePremise,
    /// Its words hide what it asks.
    TrickQuestion,
    /// It asks for what a model would have to make up.
    HallucinationBait,
    /// Nobody can do what it asks.
    ImpossibleTask,
    /// It does not say what it is about.
    AmbiguousQuery,
}

impl Trap {
    /// Its name: `false_premise`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FalsePremise => "false_premise",
            Self::TrickQuestion => "trick_question",
            Self::HallucinationBait => "hallucination_bait",
            Self::ImpossibleTask => "impossible_task",
            Self::AmbiguousQuery => "ambiguous_query",
        }
    }

    /// What a model is told about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::FalsePremise => "it may rest on something false; check that first",
            Self::TrickQuestion => "its wording may mislead; read it word by word",
            Self::HallucinationBait => "it asks for details that you may not know; make up none",
            Self::ImpossibleTask => "it may not be possible; say so if it is not",
            Self::AmbiguousQuery => "it may mean several things; say which one you answer",
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Words of traps, the first that fits counts. All without regard to case.
pub(super) const WORDS: &[(Trap, &str)] = &[
    // What is taken for granted.
    (Trap::FalsePremise, r"\b(since|as) (everyone|everybody|we all) knows?\b"),
    (Trap::FalsePremise, r"\bhave you (finally )?stopped\b|\bwhen did you stop\b"),
    (Trap::FalsePremise, r"\bisn't it (true|a fact|obvious) that\b"),
    // What is known to be false.
    (Trap::FalsePremise, r"\bearth is flat\b|\bis the earth flat\b|\bflat earth\b"),
    (Trap::FalsePremise, r"\bgreat wall\b.*\b(visible|seen)\b.*\b(space|moon)\b"),
    (Trap::FalsePremise, r"\b(10|ten) ?(%|percent) of (our|their|the|your) brains?\b"),
    (Trap::FalsePremise, r"\blightning never strikes\b"),
    (Trap::FalsePremise, r"\beinstein (failed|flunked)\b"),
    (Trap::FalsePremise, r"\bvaccines? causes? autism\b"),
    (Trap::FalsePremise, r"\bmoon landings? (was|were|is|are) (a )?(faked?|hoax)\b"),
    (Trap::FalsePremise, r"\bgoldfish\b.*\b(three|3)[- ]second\b"),
    (Trap::FalsePremise, r"\bsydney is the capital\b|\bcapital of australia,? sydney\b"),
    // Words that mislead.
    (Trap::TrickQuestion, r"\bdid moses (take|bring)\b"),
    (Trap::TrickQuestion, r"\b(pound|kilo|kilogram|ton) of (feathers|bricks|steel|lead|iron)\b"),
    (Trap::TrickQuestion, r"\bmonths have (28|twenty[- ]eight) days\b"),
    (Trap::TrickQuestion, r"\bbury the survivors\b"),
    (Trap::TrickQuestion, r"\brooster\b.*\beggs?\b"),
    (Trap::TrickQuestion, r"\belectric train\b.*\bsmoke\b"),
    // What would have to be made up.
    (Trap::HallucinationBait, r"\b(exact|verbatim|precise) (quote|citation|wording|words|page)\b"),
    (Trap::HallucinationBait, r"\bquote (the )?(exact|verbatim)\b"),
    (
        Trap::HallucinationBait,
        r"\b(doi|isbn)s? (of|for)\b|\b(papers|studies|sources) with (their )?(dois|links|urls)\b",
    ),
    (Trap::HallucinationBait, r"\b(secret|unpublished) (letters?|diary|diaries|book|paper|memo)\b"),
    // What nobody can do.
    (Trap::ImpossibleTask, r"\b(winning )?lottery numbers\b"),
    (Trap::ImpossibleTask, r"\b(last|final) digit of pi\b|\blargest (prime|number)\b"),
    (Trap::ImpossibleTask, r"\bdivide[sd]? by zero\b"),
    (Trap::ImpossibleTask, r"\bread my mind\b|\bwhat am i thinking\b"),
    (Trap::ImpossibleTask, r"\b(predict|tell me) the exact (price|date|time|weather)\b"),
    (
        Trap::ImpossibleTask,
        r"\blist (all|every)( the| of the)? (prime|natural|real|whole) numbers?\b",
    ),
    // What is left open.
    (Trap::AmbiguousQuery, r"^\W*(and |so )?(what|how) about (it|that|this|them|those)\W*$"),
    (Trap::AmbiguousQuery, r"^\W*(fix|do|explain|change|improve|continue) (it|this|that)\W*$"),
    (Trap::AmbiguousQuery, r"^\W*(which|what)( one)? is (better|best|faster|right)\W*$"),
];

static TRAPS: LazyLock<Vec<(Trap, Regex)>> = LazyLock::new(|| {
    let read =
        |(trap, words): &(Trap, &str)| Some((*trap, Regex::new(&format!("(?is){words}")).ok()?));
    WORDS.iter().filter_map(read).collect()
});

/// The first trap that a question's words tell of.
///
/// ```
/// use flakedb::testkit::nodes::types::reasoning::{Trap, detect};
///
/// assert_eq!(detect("Why is the Earth flat?"), Some(Trap::FalsePremise));
/// assert_eq!(detect("What is 2 + 2?"), None);
/// ```
#[must_use]
pub fn detect(question: &str) -> Option<Trap> {
    let plain = question.replace('’', "'");
    TRAPS.iter().find(|(_, words)| words.is_match(&plain)).map(|(trap, _)| *trap)
}
