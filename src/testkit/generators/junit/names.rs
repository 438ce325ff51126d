//! Words to names: how each language and runner calls the test that `cart` `adds up`.

use crate::model::TestIdentity;
use crate::model::hash::TestId;
use crate::model::tests::SUITE_SEPARATOR;

/// The names of one test as its runner writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::testkit::generators) struct Names {
    /// The enclosing suites, outermost first.
    pub(in crate::testkit::generators) suites: Vec<String>,
    pub(in crate::testkit::generators) class: String,
    pub(in crate::testkit::generators) name: String,
    /// The file relative to the repository, empty where the report does not say.
    pub(in crate::testkit::generators) file: String,
}

impl Names {
    /// The test as flakedb prints it; `qualified` where class and name alone tell who it is.
    pub(super) fn label(&self, qualified: bool) -> String {
        let suite = self.suites.join(&SUITE_SEPARATOR.to_string());
        TestIdentity {
            id: TestId([0; 16]),
            suite: &suite,
            classname: &self.class,
            name: &self.name,
            file: &self.file,
            qualified,
        }
        .label()
    }
}

/// The words of a name: runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// `adds_up`.
pub(super) fn snake(text: &str) -> String {
    words(text).map(str::to_lowercase).collect::<Vec<_>>().join("_")
}

/// `AddsUp`.
pub(super) fn pascal(text: &str) -> String {
    words(text).map(capitalized).collect()
}

/// `addsUp`.
pub(super) fn camel(text: &str) -> String {
    let mut parts = words(text);
    let first = parts.next().unwrap_or_default().to_lowercase();
    parts.map(capitalized).fold(first, |name, word| name + &word)
}

/// `Adds up`.
pub(super) fn title(text: &str) -> String {
    capitalized(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_names_of_each_language() {
        let text = "keeps a < b & \"c\"";
        assert_eq!(snake(text), "keeps_a_b_c");
        assert_eq!(pascal(text), "KeepsABC");
        assert_eq!(camel(text), "keepsABC");
        assert_eq!(title(text), "Keeps a < b & \"c\"");
    }
}
