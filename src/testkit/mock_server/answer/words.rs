//! Words of a text, as replies and choices compare them.

/// Words that say nothing about a subject.
const STOP_WORDS: [&str; 92] = [
    "a", "about", "all", "am", "an", "and", "any", "are", "as", "ask", "at", "be", "been", "brief",
    "briefly", "but", "by", "can", "could", "describe", "did", "do", "does", "explain", "for",
    "from", "get", "give", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if", "in",
    "into", "is", "it", "its", "just", "know", "let", "like", "many", "me", "more", "much", "my",
    "no", "not", "of", "on", "one", "only", "or", "our", "please", "she", "should", "so", "some",
    "tell", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this",
    "those", "to", "us", "was", "we", "were", "what", "when", "where", "which", "who", "why",
    "will", "with", "would", "you",
];

/// The words of a text in lower case; apostrophes left out (`what's` is `whats`).
pub(super) fn of(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric() && !['\'', '’', '_'].contains(&letter))
        .map(|word| word.replace(['\'', '’'], ""))
        .filter(|word| !word.is_empty())
        .collect()
}

/// The words of a name: `get_currentWeather` has `get`, `current` and `weather`.
pub(super) fn of_name(name: &str) -> Vec<String> {
    let mut spaced = String::with_capacity(name.len() + 8);
    let mut lower_before = false;
    for letter in name.chars() {
        if letter.is_uppercase() && lower_before {
            spaced.push(' ');
        }
        lower_before = letter.is_lowercase() || letter.is_numeric();
        spaced.push(if letter == '_' { ' ' } else { letter });
    }
    of(&spaced)
}

/// Whether a word (in lower case) says nothing about a subject.
pub(super) fn is_stop(word: &str) -> bool {
    STOP_WORDS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_have_words() {
        assert_eq!(of("What's the Café's No. 1?"), ["whats", "the", "cafés", "no", "1"]);
        assert_eq!(of_name("get_currentWeather"), ["get", "current", "weather"]);
        assert_eq!(of_name("HTTPStatus2"), ["httpstatus2"]);
    }

    #[test]
    fn stop_words_are_sorted() {
        assert!(STOP_WORDS.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(is_stop("the") && !is_stop("weather"));
    }
}
