//! Patterns over the labels of tests.

/// A pattern over a test's whole label.
///
/// `*` stands for any characters, none too, and spans everything: `::`, `.`, `/` and blanks. `?`
/// stands for one character. All others stand for themselves, brackets and backslashes too, which
/// many labels hold; upper and lower case differ.
///
/// ```
/// use flakedb::quarantine::list::Pattern;
/// let pattern = Pattern::new("tests.net.*::test_*[ipv?]");
/// assert!(pattern.matches("tests.net.tcp::TestDial::test_retry[ipv6]"));
/// assert!(!pattern.matches("tests.net.tcp::TestDial::test_retry[ipv6] twice"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern of this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True where the pattern stands for the whole label.
    #[must_use]
    pub fn matches(&self, label: &str) -> bool {
        let (mut pattern, mut rest) = (self.0.as_str(), label);
        // Where to go on with one character more for the last `*`: earlier ones need no other try.
        let mut retry: Option<(&str, &str)> = None;
        loop {
            let mut wanted = pattern.chars();
            let mut found = rest.chars();
            match (wanted.next(), found.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    pattern = wanted.as_str();
                    retry = Some((pattern, rest));
                    continue;
                }
                (Some(want), Some(have)) if want == '?' || want == have => {
                    (pattern, rest) = (wanted.as_str(), found.as_str());
                    continue;
                }
                _ => {}
            }
            let Some((after, from)) = retry else { return false };
            let mut longer = from.chars();
            if longer.next().is_none() {
                return false;
            }
            (pattern, rest) = (after, longer.as_str());
            retry = Some((after, rest));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn star_spans_everything_and_brackets_are_themselves() {
        for (pattern, label, wanted) in [
            ("*", "", true),
            ("*", "a::b c/d.e", true),
            ("a*", "a::b", true),
            ("*b", "a::b", true),
            ("a*b*c", "a--b--b--c", true),
            ("a*b*c", "a--b--b--", false),
            ("?", "é", true),
            ("?", "", false),
            ("t[a-c]", "tb", false),
            ("t[a-c]", "t[a-c]", true),
            (r"App\Tests\*::*", r"App\Tests\Cart::add", true),
            ("A*", "a", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(label), wanted, "{pattern} on {label}");
        }
    }

    /// The definition, by recursion.
    fn plain(pattern: &[char], label: &[char]) -> bool {
        match (pattern.split_first(), label.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), Some((_, after))) => plain(rest, label) || plain(pattern, after),
            (Some(('*', rest)), None) => plain(rest, label),
            (Some((want, rest)), Some((have, after))) => {
                (*want == '?' || want == have) && plain(rest, after)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn matching_is_its_definition(pattern in "[ab*?]{0,8}", label in "[ab]{0,9}") {
            let (p, l): (Vec<char>, Vec<char>) = (pattern.chars().collect(), label.chars().collect());
            prop_assert_eq!(Pattern::new(pattern).matches(&label), plain(&p, &l));
        }
    }
}
