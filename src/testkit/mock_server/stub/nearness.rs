//! How near two texts are, and where they part, in words.

use crate::model::edit_distance;

/// Texts are compared letter by letter up to this length; beyond, word by word.
const LETTERS_MAX: usize = 80;
/// Of a long text so many letters are shown.
const SHOWN_MAX: usize = 60;
/// Words around the first that differs.
const CONTEXT_WORDS: usize = 3;
/// Words beyond these are not compared.
const WORDS_MAX: usize = 4_000;
/// Words of a text that is looked for in another; those beyond are not.
const WANTED_WORDS_MAX: usize = 16;
/// So many places of a text are compared letter by letter.
const PLACES_MAX: usize = 16;
/// Longer texts, in bytes, are not compared apart from their case.
const CASE_BYTES_MAX: usize = 64 * 1024;
/// Texts with less in common are not shown as misspellings of each other.
const ALIKE: f64 = 0.5;

/// How near a text is to the one wanted, 0 to 1, and where they part.
pub(super) fn whole(wanted: &str, got: &str) -> (f64, String) {
    if wanted.trim() == got.trim() {
        return (0.95, format!("wants {wanted:?}, got {got:?}: only the space around it differs"));
    }
    let short = wanted.len().max(got.len()) <= CASE_BYTES_MAX;
    if short && wanted.to_lowercase() == got.to_lowercase() {
        let text = format!("wants {}, got {}: only the case differs", shown(wanted), shown(got));
        return (0.9, text);
    }
    if [wanted, got].iter().all(|text| text.chars().nth(LETTERS_MAX).is_none()) {
        return (likeness(wanted, got), format!("wants {}, got {}", shown(wanted), shown(got)));
    }
    let (wanted_words, got_words) = (words(wanted), words(got));
    let first = wanted_words.iter().zip(&got_words).take_while(|(one, other)| one == other).count();
    let same = common_words(&wanted_words, &got_words);
    let near = same as f64 / wanted_words.len().max(got_words.len()).max(1) as f64;
    let text = format!(
        "at word {}: wants {}, got {}",
        first + 1,
        around(&wanted_words, first),
        around(&got_words, first)
    );
    (near, text)
}

/// The same for a text that is to be within another: compared with what there comes nearest.
pub(super) fn within(wanted: &str, got: &str) -> (f64, String) {
    let words_got = words(got);
    let mut places = places(wanted, &words_got);
    places.sort_by(|one, other| other.1.total_cmp(&one.1));
    let length = wanted.split_whitespace().take(WANTED_WORDS_MAX).count().max(1);
    let mut best: Option<(f64, String)> = None;
    for (start, _) in places.into_iter().take(PLACES_MAX) {
        let window: Vec<&str> = words_got.iter().skip(start).take(length).copied().collect();
        let window = window.join(" ");
        let window = window.trim_matches(|letter: char| letter.is_ascii_punctuation());
        let near = likeness(wanted, window);
        if best.as_ref().is_none_or(|(known, _)| near > *known) {
            best = Some((near, window.to_owned()));
        }
    }
    match best.filter(|(near, _)| *near >= ALIKE) {
        Some((near, window)) if window.to_lowercase() == wanted.to_lowercase() => {
            (near.max(0.9), format!("wants {wanted:?}, got {window:?}: only the case differs"))
        }
        Some((near, window)) => (near, format!("wants {}, got {}", shown(wanted), shown(&window))),
        None => (0.0, format!("wants {} in it, got {}", shown(wanted), shown(got))),
    }
}

/// How near a text comes to having another within it, by the letters of its words alone.
pub(super) fn within_roughly(wanted: &str, got: &str) -> f64 {
    places(wanted, &words(got)).into_iter().map(|(_, near)| near).fold(0.0, f64::max)
}

/// Every place of a text where another could be meant, and how near it comes there: word by word,
/// by which letters they have, in whatever order.
fn places(wanted: &str, got: &[&str]) -> Vec<(usize, f64)> {
    let wanted: Vec<u64> = wanted.split_whitespace().take(WANTED_WORDS_MAX).map(letters).collect();
    let got: Vec<u64> = got.iter().map(|word| letters(word)).collect();
    got.windows(wanted.len().clamp(1, got.len().max(1)))
        .map(|window| {
            let alike: f64 =
                window.iter().zip(&wanted).map(|(one, other)| shared(*one, *other)).sum();
            alike / wanted.len().max(1) as f64
        })
        .enumerate()
        .collect()
}

/// The letters and digits of a word, whatever their case, one bit each.
fn letters(word: &str) -> u64 {
    word.bytes().fold(0, |bits, byte| match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => bits | 1 << (letter - b'a'),
        digit @ b'0'..=b'9' => bits | 1 << (26 + digit - b'0'),
        other if other.is_ascii() => bits,
        other => bits | 1 << (36 + other % 28),
    })
}

/// The part of two words' letters that both have.
fn shared(one: u64, other: u64) -> f64 {
    f64::from((one & other).count_ones()) / f64::from((one | other).count_ones().max(1))
}

/// How alike two texts are: 1 for the same, 0 for nothing in common.
pub(super) fn likeness(one: &str, other: &str) -> f64 {
    let one: Vec<char> = one.chars().flat_map(char::to_lowercase).take(LETTERS_MAX).collect();
    let other: String = other.chars().flat_map(char::to_lowercase).take(LETTERS_MAX).collect();
    let longest = one.len().max(other.chars().count());
    if longest == 0 {
        return 1.0;
    }
    let slips = edit_distance(&one, &other, longest).unwrap_or(longest);
    1.0 - slips as f64 / longest as f64
}

/// A text in quotation marks, shortened in its middle where it is long.
pub(super) fn shown(text: &str) -> String {
    if text.chars().nth(SHOWN_MAX).is_none() {
        return format!("{text:?}");
    }
    let half = SHOWN_MAX / 2;
    let start: String = text.chars().take(half).collect();
    let mut end: Vec<char> = text.chars().rev().take(half).collect();
    end.reverse();
    format!("{:?}", format!("{start}…{}", end.into_iter().collect::<String>()))
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().take(WORDS_MAX).collect()
}

/// How many words of one text are in the other as well, in any order.
fn common_words(one: &[&str], other: &[&str]) -> usize {
    let mut left = std::collections::HashMap::<&str, usize>::new();
    for word in other {
        *left.entry(word).or_insert(0) += 1;
    }
    let mut common = 0;
    for word in one {
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            common += 1;
        }
    }
    common
}

fn around(words: &[&str], index: usize) -> String {
    if index >= words.len() {
        return "nothing more".to_owned();
    }
    let start = index.saturating_sub(CONTEXT_WORDS);
    let shown: Vec<&str> =
        words.iter().skip(start).take(index - start + 1 + CONTEXT_WORDS).copied().collect();
    let (before, after) = (
        if start > 0 { "…" } else { "" },
        if start + shown.len() < words.len() { "…" } else { "" },
    );
    format!("\"{before}{}{after}\"", shown.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn misspellings_are_found() {
        assert_eq!(whole("weather", "wether").1, r#"wants "weather", got "wether""#);
        let (near, text) = within("weather", "How is the wether in Rome?");
        assert_eq!(text, r#"wants "weather", got "wether""#);
        assert!(near > 0.8);
        let (near, text) = within("weather", "Hello");
        assert_eq!((near, text.as_str()), (0.0, r#"wants "weather" in it, got "Hello""#));
        assert!(within("Weather", "the weather").1.ends_with("only the case differs"));
        assert!(whole("hi ", "hi").1.ends_with("only the space around it differs"));
    }

    #[test]
    fn long_texts_are_compared_word_by_word() {
        let wanted = "one two three four five six seven eight nine ten ".repeat(3);
        let got = wanted.replacen("seven", "sven", 2).replacen("sven", "seven", 1);
        let (near, text) = whole(&wanted, &got);
        assert_eq!(
            text,
            r#"at word 17: wants "…four five six seven eight nine ten…", got "…four five six sven eight nine ten…""#
        );
        assert!(near > 0.9);
    }

    proptest! {
        #[test]
        fn likeness_is_symmetric_and_one_for_the_same(one in "\\PC{0,20}", other in "\\PC{0,20}") {
            prop_assert_eq!(likeness(&one, &one), 1.0);
            prop_assert_eq!(likeness(&one, &other), likeness(&other, &one));
            prop_assert!((0.0..=1.0).contains(&likeness(&one, &other)));
            let _ = (whole(&one, &other), within(&one, &other));
        }
    }
}
