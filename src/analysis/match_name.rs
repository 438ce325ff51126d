//! Names that people type, matched against the tests there are.

use crate::model::edit_distance;

/// How a typed name fits a test, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fit {
    /// Character by character.
    Exact,
    /// The label ends so, at a boundary between names: `TestX::test_a`.
    Suffix,
    /// The whole label but for upper and lower case.
    CaseApart,
    /// The label ends so but for upper and lower case.
    SuffixCaseApart,
    /// The label has it somewhere.
    Part,
    /// All its words are in the label, in this order.
    Words,
    /// A few typing errors away from the label or its last name.
    Misspelt,
}

/// One test that a typed name may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The test, as a place in the list of labels.
    pub place: usize,
    /// How it fits.
    pub fit: Fit,
}

/// Typing errors forgiven: one for each so many characters.
const CHARACTERS_PER_ERROR: usize = 4;
/// Most typing errors forgiven.
const ERRORS_MAX: usize = 3;
/// Longest typed name that is searched for typing errors; longer ones are pasted, not typed.
const TYPED_CHARACTERS_MAX: usize = 200;

/// The tests that `typed` may mean: those of the best fit only, shorter labels first.
///
/// One exact label is one candidate, whatever else contains it. Empty where nothing fits.
///
/// ```
/// use flakedb::analysis::match_name::{Fit, find};
/// let labels = ["tests.cart::TestCart::test_add", "tests.cart::TestCart::test_addition"];
/// let found = find("testcart::test_add", &labels);
/// assert_eq!((found[0].place, found[0].fit), (0, Fit::SuffixCaseApart));
/// assert_eq!(found.len(), 1);
/// ```
#[must_use]
pub fn find<L: AsRef<str>>(typed: &str, labels: &[L]) -> Vec<Candidate> {
    let query = Query::new(typed);
    if query.lower.is_empty() {
        return Vec::new();
    }
    let fits = |(place, label): (usize, &L)| {
        query.fit(label.as_ref()).map(|(fit, errors)| (fit, errors, place))
    };
    let mut found: Vec<(Fit, usize, usize)> = labels.iter().enumerate().filter_map(fits).collect();
    let length = |place: usize| labels.get(place).map_or(0, |label| label.as_ref().len());
    found.sort_by_key(|&(fit, errors, place)| (fit, errors, length(place), place));
    let best = found.first().map(|&(fit, ..)| fit);
    found
        .into_iter()
        .filter(|&(fit, ..)| Some(fit) == best)
        .map(|(fit, _, place)| Candidate { place, fit })
        .collect()
}

struct Query {
    typed: String,
    lower: String,
    words: Vec<String>,
    characters: Vec<char>,
}

impl Query {
    fn new(typed: &str) -> Self {
        let lower = typed.trim().to_lowercase();
        Self {
            typed: typed.trim().to_owned(),
            words: words(&lower),
            characters: lower.chars().collect(),
            lower,
        }
    }

    /// How the label fits, and with how many errors.
    fn fit(&self, label: &str) -> Option<(Fit, usize)> {
        if label == self.typed {
            return Some((Fit::Exact, 0));
        }
        if ends_with_names(label, &self.typed) {
            return Some((Fit::Suffix, 0));
        }
        let lower = label.to_lowercase();
        if lower == self.lower {
            return Some((Fit::CaseApart, 0));
        }
        if ends_with_names(&lower, &self.lower) {
            return Some((Fit::SuffixCaseApart, 0));
        }
        if lower.contains(&self.lower) {
            return Some((Fit::Part, 0));
        }
        if self.words_in_order(&lower) {
            return Some((Fit::Words, 0));
        }
        self.misspelt(&lower).map(|errors| (Fit::Misspelt, errors))
    }

    fn words_in_order(&self, lower: &str) -> bool {
        let mut rest = lower;
        !self.words.is_empty()
            && self.words.iter().all(|word| match rest.find(word.as_str()) {
                Some(at) => {
                    rest = rest.get(at + word.len()..).unwrap_or("");
                    true
                }
                None => false,
            })
    }

    /// The errors against the whole label or its last names, if they are few.
    fn misspelt(&self, lower: &str) -> Option<usize> {
        if self.characters.len() > TYPED_CHARACTERS_MAX {
            return None;
        }
        let allowed = (self.characters.len() / CHARACTERS_PER_ERROR).min(ERRORS_MAX);
        let parts = 1 + self.lower.matches("::").count();
        let ends: Vec<usize> = lower.rmatch_indices("::").map(|(at, _)| at + 2).collect();
        let last_names = ends.get(parts - 1).and_then(|&at| lower.get(at..));
        [Some(lower), last_names]
            .into_iter()
            .flatten()
            .filter_map(|text| edit_distance(&self.characters, text, allowed))
            .min()
    }
}

/// True where the label ends so and no name is cut in two.
fn ends_with_names(label: &str, end: &str) -> bool {
    let name_goes_on = |c: char| c.is_alphanumeric() || c == '_';
    label.strip_suffix(end).is_some_and(|before| !before.ends_with(name_goes_on))
}

/// Runs of letters and digits.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The candidate that is meant without doubt: the only one.
#[must_use]
pub fn certain(candidates: &[Candidate]) -> Option<Candidate> {
    match candidates {
        [only] => Some(*only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LABELS: [&str; 7] = [
        "tests.cart::TestCart::test_add",
        "tests.cart::TestCart::test_add_twice",
        "tests.mail::test_send",
        "tests.Mail::TEST_SEND",
        "shop/cart::TestTotal/with_tax",
        "outer > inner adds two numbers",
        "tests.cart::TestCart::test_remove[a-1]",
    ];

    fn places(typed: &str) -> (Option<Fit>, Vec<usize>) {
        let found = find(typed, &LABELS);
        let fit = found.first().map(|candidate| candidate.fit);
        (fit, found.iter().map(|candidate| candidate.place).collect())
    }

    #[test]
    fn the_best_fit_wins() {
        for (typed, fit, expected) in [
            ("tests.mail::test_send", Some(Fit::Exact), vec![2]),
            ("Tests.mail::test_send", Some(Fit::CaseApart), vec![2, 3]),
            ("TestCart::test_add", Some(Fit::Suffix), vec![0]),
            ("test_send", Some(Fit::Suffix), vec![2]),
            ("mail::TEST_SEND", Some(Fit::SuffixCaseApart), vec![2, 3]),
            ("Test_Send", Some(Fit::SuffixCaseApart), vec![2, 3]),
            ("with_tax", Some(Fit::Suffix), vec![4]),
            ("test_add_", Some(Fit::Part), vec![1]),
            ("cart add twice", Some(Fit::Words), vec![1]),
            ("cart test_ad twice", Some(Fit::Words), vec![1]),
            ("test_remvoe[a-1]", Some(Fit::Misspelt), vec![6]),
            ("TestCart::tset_add", Some(Fit::Misspelt), vec![0]),
            ("zebra", None, vec![]),
            ("  ", None, vec![]),
        ] {
            assert_eq!(places(typed), (fit, expected), "{typed}");
        }
    }

    #[test]
    fn one_typing_error_is_forgiven_for_every_four_characters() {
        let fit = |typed: &str, label: &str| find(typed, &[label]).first().map(|one| one.fit);
        assert_eq!(fit("wish", "with"), Some(Fit::Misspelt));
        assert_eq!(fit("wash", "with"), None, "two errors in four characters");
        assert_eq!(fit("washstand", "withstand"), Some(Fit::Misspelt));
    }

    #[test]
    fn an_end_that_cuts_a_name_in_two_is_only_a_part() {
        for typed in ["add", "dition"] {
            assert_eq!(find(typed, &["cart::do_add", "cart::addition"])[0].fit, Fit::Part);
        }
        assert_eq!(find("addition", &["cart::addition"])[0].fit, Fit::Suffix);
    }

    #[test]
    fn only_one_candidate_is_certain() {
        assert!(certain(&find("TestCart::test_add", &LABELS)).is_some());
        assert!(certain(&find("Test_Send", &LABELS)).is_none());
    }

    proptest! {
        #[test]
        fn every_label_finds_itself(labels in prop::collection::vec("\\PC{1,12}", 1..8), pick in any::<prop::sample::Index>()) {
            let label = &labels[pick.index(labels.len())];
            prop_assume!(!label.trim().is_empty() && label.trim() == label);
            let found = find(label, &labels);
            prop_assert_eq!(found[0].fit, Fit::Exact);
            prop_assert_eq!(&labels[found[0].place], label);
        }
    }

    #[test]
    fn typing_errors_are_forgiven_up_to_the_longest_name_that_is_typed() {
        let fits = |length: usize| {
            let label = "a".repeat(length - 2) + "xb";
            let found = find(&("a".repeat(length - 1) + "b"), &[label]);
            found.first().map(|candidate| candidate.fit)
        };
        assert_eq!(fits(TYPED_CHARACTERS_MAX), Some(Fit::Misspelt));
        assert_eq!(fits(TYPED_CHARACTERS_MAX + 1), None);
    }
}
