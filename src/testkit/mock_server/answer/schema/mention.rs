//! What a text says about a property: `city: Paris`, `named Ada`, `3 nights`.

use serde_json::Value;

use super::super::words;

/// Words between a property's name and its value.
const CONNECTORS: [&str; 12] =
    [":", "=", "is", "was", "of", "to", "named", "called", "as", "are", "be", "in"];
/// Words that end a value that is not in quotation marks.
const ENDS: [&str; 10] = ["and", "or", "with", "who", "which", "that", "is", "for", "on", "please"];
/// A value without quotation marks has so many words at most.
const VALUE_WORDS_MAX: usize = 5;

/// Where a text says a constant, in bytes; `None` where it does not.
pub(super) fn position(text: &str, constant: &Value) -> Option<usize> {
    let said = match constant {
        Value::String(said) => said.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let plain = said.replace(['_', '-'], " ");
    [said, plain].iter().find_map(|said| find(text, said))
}

/// How many constants of a schema a text says; titles count as well.
pub(super) fn constants(text: &str, schema: &Value) -> usize {
    match schema {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("const" | "title", value) => usize::from(position(text, value).is_some()),
                ("enum", Value::Array(values)) => {
                    values.iter().filter(|value| position(text, value).is_some()).count()
                }
                (_, value) => constants(text, value),
            })
            .sum(),
        Value::Array(items) => items.iter().map(|item| constants(text, item)).sum(),
        _ => 0,
    }
}

/// The number that a text gives a name: after it, or right before it (`3 nights`).
pub(super) fn number(text: &str, name: &str) -> Option<f64> {
    let name = spelt(name)?;
    let at = find(text, &name)?;
    let after = skip_connectors(text.get(at + name.len()..)?);
    let digits = after.0.trim_start_matches(['$', '€', '£']);
    leading_number(digits).or_else(|| {
        let word = text.get(..at)?.split_whitespace().next_back()?;
        leading_number(word).filter(|_| word.ends_with(|letter: char| letter.is_ascii_digit()))
    })
}

/// All numbers of a text, in order.
pub(super) fn numbers(text: &str) -> Vec<f64> {
    let mut found = Vec::new();
    let mut before = ' ';
    let mut skip_to = 0;
    for (at, letter) in text.char_indices() {
        if at >= skip_to && (letter.is_ascii_digit() || letter == '-') && !joined(before) {
            let rest = text.get(at..).unwrap_or_default();
            if let Some(number) = leading_number(rest) {
                found.push(number);
                skip_to = at + number_length(rest);
            }
        }
        before = letter;
    }
    found
}

/// Whether a text says a property is so, or not so.
pub(super) fn boolean(text: &str, name: &str) -> Option<bool> {
    let name = spelt(name)?;
    let at = find(text, &name)?;
    let before = text.get(..at)?.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    if ["no", "not", "without", "isnt", "isn't"].contains(&before.as_str()) {
        return Some(false);
    }
    let (after, _) = skip_connectors(text.get(at + name.len()..)?);
    let word = words::of(after).into_iter().next().unwrap_or_default();
    Some(!["false", "no", "not", "off"].contains(&word.as_str()))
}

/// The text that a text gives a name.
pub(super) fn value(text: &str, name: &str) -> Option<String> {
    let name = spelt(name)?;
    let at = find(text, &name)?;
    let (rest, connected) = skip_connectors(text.get(at + name.len()..)?);
    if let Some(quoted) = quoted(rest) {
        return Some(quoted);
    }
    let first = rest.chars().next()?;
    (connected || first.is_uppercase() || first.is_ascii_digit()).then(|| unquoted(rest))?
}

/// A place that a text names: `in Paris`, `to New York`.
pub(super) fn place(text: &str) -> Option<String> {
    ["in", "at", "for", "to", "from", "near"].iter().find_map(|word| {
        let at = find(text, word)?;
        let rest = text.get(at + word.len()..)?.trim_start();
        let named: Vec<&str> = rest
            .split(' ')
            .take_while(|word| word.starts_with(char::is_uppercase))
            .take(3)
            .collect();
        let named = named.join(" ");
        let named = named.split(['?', '!', ';', '\n', ',']).next()?.trim_end_matches('.').trim();
        (!named.is_empty()).then(|| named.to_owned())
    })
}

/// A name in a text: a word that starts with a capital inside a sentence, or stands before a verb.
pub(super) fn person(text: &str) -> Option<String> {
    let mut starts_sentence = true;
    let mut found: Vec<&str> = Vec::new();
    for word in text.split_whitespace() {
        let plain = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        let capital = plain.starts_with(char::is_uppercase) && plain.len() > 1;
        if capital && !starts_sentence {
            found.push(plain);
        } else if !found.is_empty() {
            break;
        }
        let ended = word.ends_with(['.', '?', '!', ':']);
        if ended && !found.is_empty() {
            break;
        }
        starts_sentence = ended;
    }
    if found.is_empty() {
        let mut words = text.split_whitespace();
        let (first, second) = (words.next()?, words.next()?);
        let verb = ["is", "was", "has", "lives", "works"].contains(&second);
        let named = first.starts_with(char::is_uppercase) && !words::is_stop(&first.to_lowercase());
        return (verb && named).then(|| first.to_owned());
    }
    Some(found.join(" "))
}

/// A name as a text would spell it: `first_name` is `first name`.
fn spelt(name: &str) -> Option<String> {
    let words = words::of_name(name);
    (!words.is_empty()).then(|| words.join(" "))
}

/// Where a phrase stands in a text as whole words, whatever the case.
fn find(text: &str, phrase: &str) -> Option<usize> {
    if phrase.is_empty() {
        return None;
    }
    let (lower, phrase) = (text.to_lowercase(), phrase.to_lowercase());
    // Offsets hold in the text only where lower case has the same length.
    if lower.len() != text.len() {
        return None;
    }
    let whole = |at: usize| {
        let before = lower.get(..at).and_then(|text| text.chars().next_back());
        let after = lower.get(at + phrase.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(joined) && !after.is_some_and(joined)
    };
    lower
        .match_indices(&phrase)
        .map(|(at, _)| at)
        .find(|at| whole(*at) && text.is_char_boundary(*at))
}

fn joined(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// What follows the words between a name and its value, and whether there were any.
fn skip_connectors(text: &str) -> (&str, bool) {
    let mut rest = text.trim_start();
    let mut connected = false;
    loop {
        let next = CONNECTORS.iter().find_map(|word| {
            let head = rest.get(..word.len())?;
            let after = rest.get(word.len()..)?;
            let ends =
                !word.starts_with(char::is_alphabetic) || after.starts_with([' ', ':', '\n']);
            (head.eq_ignore_ascii_case(word) && ends).then_some(after)
        });
        match next {
            Some(after) => {
                rest = after.trim_start();
                connected = true;
            }
            None => return (rest, connected),
        }
    }
}

fn quoted(text: &str) -> Option<String> {
    let open = text.chars().next()?;
    let close = match open {
        '"' | '\'' | '`' => open,
        '“' => '”',
        '‘' => '’',
        _ => return None,
    };
    let rest = text.get(open.len_utf8()..)?;
    Some(rest.get(..rest.find(close)?)?.to_owned())
}

fn unquoted(text: &str) -> Option<String> {
    let stretch = text.split([',', ';', '\n', '?', '!', '(', ')']).next()?;
    let stretch = stretch.split(". ").next()?.trim_end_matches('.');
    let words: Vec<&str> = stretch
        .split_whitespace()
        .take_while(|word| !ENDS.contains(&word.to_lowercase().as_str()))
        .take(VALUE_WORDS_MAX)
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// How many bytes of a text, from its start, are a number.
fn number_length(text: &str) -> usize {
    let mut end = 0;
    let mut point = false;
    for (at, letter) in text.char_indices() {
        let more = text
            .get(at + 1..)
            .is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()));
        match letter {
            '-' if at == 0 && more => {}
            '.' if !point && more && at > 0 => point = true,
            // A comma between thousands is none of the number.
            ',' if more
                && end > 0
                && text
                    .get(at + 1..at + 4)
                    .is_some_and(|group| group.chars().all(|letter| letter.is_ascii_digit())) => {}
            letter if letter.is_ascii_digit() => end = at + 1,
            _ => break,
        }
    }
    end
}

fn leading_number(text: &str) -> Option<f64> {
    let digits = text.get(..number_length(text))?.replace(',', "");
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_follow_their_names() {
        for (text, name, expected) in [
            ("city: Paris, please", "city", Some("Paris")),
            ("The city is New York and it rains.", "city", Some("New York")),
            ("Set title to \"A big one\" now", "title", Some("A big one")),
            ("first name Ada", "first_name", Some("Ada")),
            ("Which city wins?", "city", None),
            ("The velocity: high", "city", None),
            ("userName = bob.", "userName", None),
            ("user name = bob.", "userName", Some("bob")),
        ] {
            assert_eq!(value(text, name).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn numbers_stand_before_or_after_their_names() {
        assert_eq!(number("age is 42.", "age"), Some(42.0));
        assert_eq!(number("a room for 3 nights", "nights"), Some(3.0));
        assert_eq!(number("price: $1,299.50", "price"), Some(1299.5));
        assert_eq!(number("the age of reason", "age"), None);
        assert_eq!(numbers("add 3, -4 and 2.5 to v2 in 1,000 ms"), [3.0, -4.0, 2.5, 1000.0]);
    }

    #[test]
    fn places_people_and_truths_are_found() {
        assert_eq!(place("What is the weather in New York?").as_deref(), Some("New York"));
        assert_eq!(place("weather in general"), None);
        assert_eq!(person("Ada is 36 years old").as_deref(), Some("Ada"));
        assert_eq!(person("My friend Bob Stone lives here").as_deref(), Some("Bob Stone"));
        assert_eq!(boolean("not urgent", "urgent"), Some(false));
        assert_eq!(boolean("urgent: no", "urgent"), Some(false));
        assert_eq!(boolean("this is urgent", "urgent"), Some(true));
        assert_eq!(boolean("hello", "urgent"), None);
        assert!(position("in degrees Celsius", &json!("celsius")).is_some());
        assert!(position("on the new york line", &json!("new_york")).is_some());
        assert_eq!(position("a celsiusly thing", &json!("celsius")), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_searched_without_harm(text in "\\PC{0,60}|[-0-9,. a-c:]{0,40}", name in "[a-cA-C_ ]{0,6}") {
            let _ = (value(&text, &name), number(&text, &name), numbers(&text));
            let _ = (place(&text), person(&text), boolean(&text, &name));
        }
    }
}
