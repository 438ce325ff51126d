//! Tokens of the mock: a fixed split of text, not the one of any model. It stands in for counts,
//! steps of a stream and `context`; joined, the tokens are the text again, byte for byte.

/// The longest token in characters, so that a word without end still streams.
const TOKEN_CHARS_MAX: usize = 16;
/// From this character on, each letter is a token of its own (Han, Kana, Hangul).
const WIDE_LETTERS: char = '\u{2e80}';
/// As many ids as a vocabulary of today has.
const VOCABULARY: u64 = 128_256;

/// Splits text into words with the space before them, punctuation and line ends apart.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (token, after) = rest.split_at(length(rest));
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// How many tokens a text has.
pub(crate) fn count(text: &str) -> u64 {
    split(text).len() as u64
}

/// The text up to its `count`-th token.
pub(crate) fn first(text: &str, count: usize) -> &str {
    let length = split(text).iter().take(count).map(|token| token.len()).sum();
    text.get(..length).unwrap_or(text)
}

/// The id of a token, the same on every machine.
pub(super) fn id(token: &str) -> i64 {
    let hash = blake3::hash(token.as_bytes());
    let mut low = [0; 8];
    low.copy_from_slice(&hash.as_bytes()[..8]);
    (u64::from_le_bytes(low) % VOCABULARY) as i64
}

/// The bytes of the first token of a text that is not empty.
fn length(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else { return 0 };
    if first == ' ' {
        let spaces = text.len() - text.trim_start_matches(' ').len();
        let after = text[spaces..].chars().next();
        return match after {
            // All spaces but the last, which belongs to the word behind it.
            Some(next) if !next.is_whitespace() && spaces > 1 => spaces - 1,
            Some(next) if !next.is_whitespace() => 1 + word(&text[1..]),
            _ => spaces,
        };
    }
    if first.is_whitespace() {
        return text.len() - text.trim_start_matches(first).len();
    }
    word(text)
}

/// The bytes of a word, or of one character that is not of a word.
fn word(text: &str) -> usize {
    let mut end = 0;
    for (index, (at, letter)) in text.char_indices().enumerate() {
        let joins = in_word(letter);
        if index == 0 {
            end = letter.len_utf8();
            if !joins {
                return end;
            }
        } else if joins && index < TOKEN_CHARS_MAX {
            end = at + letter.len_utf8();
        } else {
            break;
        }
    }
    end
}

fn in_word(letter: char) -> bool {
    letter == '_' || (letter.is_alphanumeric() && letter < WIDE_LETTERS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_take_the_space_before_them() {
        assert_eq!(
            split("Hello, big  world!\n\nBye"),
            ["Hello", ",", " big", " ", " world", "!", "\n\n", "Bye"]
        );
        assert_eq!(split("东京 3.5 (x)"), ["东", "京", " 3", ".", "5", " (", "x", ")"]);
        assert_eq!(split("  \n"), ["  ", "\n"]);
        assert!(split("").is_empty());
    }

    #[test]
    fn a_word_without_end_is_cut() {
        let tokens: Vec<usize> = split(&"a".repeat(40)).iter().map(|token| token.len()).collect();
        assert_eq!(tokens, [16, 16, 8]);
    }

    proptest! {
        #[test]
        fn joined_tokens_are_the_text(text in "\\PC*|[ \\na-c,é雨😀]{0,40}") {
            let tokens = split(&text);
            prop_assert_eq!(tokens.concat(), text.clone());
            prop_assert!(tokens.iter().all(|token| !token.is_empty()));
        }
    }
}
