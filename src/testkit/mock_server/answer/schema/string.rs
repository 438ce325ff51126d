//! Texts: of the right length, pattern and format, from the text of the question where they can be.

use regex::Regex;
use serde_json::{Map, Value};

use super::super::words;
use super::{Builder, Place, mention, pattern};

/// Texts longer than this are not made.
const CHARS_MAX: usize = 1_000_000;

/// Usual texts by a word of the property's name.
const USUAL: [(&str, &str); 26] = [
    ("email", "ada@example.com"),
    ("url", "https://example.com/"),
    ("uri", "https://example.com/"),
    ("link", "https://example.com/"),
    ("city", "Paris"),
    ("location", "Paris"),
    ("place", "Paris"),
    ("destination", "Paris"),
    ("capital", "Paris"),
    ("country", "France"),
    ("timezone", "UTC"),
    ("color", "blue"),
    ("colour", "blue"),
    ("name", "Ada"),
    ("author", "Ada"),
    ("person", "Ada"),
    ("date", "2026-01-31"),
    ("time", "12:00:00"),
    ("phone", "+1 202 555 0123"),
    ("currency", "EUR"),
    ("unit", "celsius"),
    ("language", "English"),
    ("id", "id-1"),
    ("file", "notes.txt"),
    ("path", "notes.txt"),
    ("sentiment", "positive"),
];
/// Names of properties that take the whole question.
const QUESTIONS: [&str; 9] =
    ["query", "question", "prompt", "input", "search", "keywords", "request", "text", "message"];
/// Names of properties that take a place.
const PLACES: [&str; 6] = ["city", "location", "place", "destination", "country", "town"];
const PEOPLE: [&str; 4] = ["name", "person", "author", "user"];

struct Format {
    name: &'static str,
    /// `#` stands for a digit of the variant.
    example: &'static str,
    /// How it looks in a text, where it can be told there.
    looks: Option<&'static str>,
}

const FORMATS: [Format; 20] = [
    format(
        "date-time",
        "2026-01-31T12:00:0#Z",
        Some(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"),
    ),
    format("date", "2026-01-1#", Some(r"\d{4}-\d\d-\d\d")),
    format("time", "12:00:0#Z", None),
    format("duration", "PT1#M", None),
    format("email", "ada#@example.com", Some(EMAIL)),
    format("idn-email", "ada#@example.com", Some(EMAIL)),
    format("hostname", "www#.example.com", None),
    format("idn-hostname", "www#.example.com", None),
    format("ipv4", "192.0.2.#", Some(r"(?:\d{1,3}\.){3}\d{1,3}")),
    format("ipv6", "2001:db8::#", None),
    format("uri", "https://example.com/#", Some(URL)),
    format("url", "https://example.com/#", Some(URL)),
    format("uri-reference", "https://example.com/#", Some(URL)),
    format("iri", "https://example.com/#", Some(URL)),
    format("iri-reference", "https://example.com/#", Some(URL)),
    format(
        "uuid",
        "6f9619ff-8b86-4011-b42d-00cf4fc964f#",
        Some(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    ),
    format("json-pointer", "/items/#", None),
    format("relative-json-pointer", "#", None),
    format("regex", "^[a-z]{1,#}$", None),
    format("uri-template", "https://example.com/{id}/#", None),
];
const EMAIL: &str = r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+";
const URL: &str = r"https?://[A-Za-z0-9.-]+(?:/[A-Za-z0-9._~/%-]*)?";

const fn format(name: &'static str, example: &'static str, looks: Option<&'static str>) -> Format {
    Format { name, example, looks }
}

impl Builder<'_> {
    pub(super) fn string(
        &self,
        keys: &Map<String, Value>,
        place: &Place,
        variant: u64,
    ) -> Option<Value> {
        let bound = |key: &str| keys.get(key).and_then(Value::as_f64);
        let least = bound("minLength").unwrap_or(0.0).clamp(0.0, CHARS_MAX as f64) as usize;
        let most = bound("maxLength").map_or(usize::MAX, |most| most.max(0.0) as usize);
        // Long texts are made, counted and checked letter by letter.
        self.work.spend(least as u64 / 16)?;
        let pattern = keys.get("pattern").and_then(Value::as_str);
        let format = keys
            .get("format")
            .and_then(Value::as_str)
            .and_then(|name| FORMATS.iter().find(|format| format.name == name));
        let fits = |text: &str| {
            let length = text.chars().count();
            least <= length
                && length <= most
                && pattern.is_none_or(|pattern| self.checker.matches(pattern, text))
        };
        if let Some(format) = format {
            let found = formatted(format, self.text, variant).into_iter().find(|text| fits(text));
            if found.is_some() || pattern.is_none() {
                return found.or_else(|| stretched(format, least)).map(Value::String);
            }
        }
        if variant == 0 {
            let wanted = self.spoken_text(place).into_iter().chain(given(keys));
            if let Some(text) = wanted.chain(usual(&place.name)).find(|text| fits(text)) {
                return Some(Value::String(text));
            }
        }
        let text = match pattern {
            Some(pattern) => pattern::text(pattern, least, variant, self.work)
                .map(|text| padded(text, if fits("") { least } else { 0 }))
                .or_else(|| Some(plain(&place.name, least, most, variant)))?,
            None => plain(&place.name, least, most, variant),
        };
        Some(Value::String(text))
    }

    /// What the text of the question gives for a property of this name, best first.
    fn spoken_text(&self, place: &Place) -> Vec<String> {
        let words = words::of_name(&place.name);
        let has = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
        let mut found: Vec<String> = mention::value(self.text, &place.name).into_iter().collect();
        if has(&["email"]) {
            found.extend(first_match(EMAIL, self.text));
        }
        if has(&["url", "uri", "link"]) {
            found.extend(first_match(URL, self.text));
        }
        if has(&["expression", "equation", "formula"]) {
            found.extend(super::super::arithmetic::find(self.text).map(|sum| sum.expression));
        }
        if has(&PLACES) {
            found.extend(mention::place(self.text));
        }
        if has(&PEOPLE) {
            found.extend(mention::person(self.text));
        }
        if has(&QUESTIONS) && !self.text.trim().is_empty() {
            found.push(self.text.trim().to_owned());
        }
        found
    }
}

/// Texts that the schema itself gives.
fn given(keys: &Map<String, Value>) -> impl Iterator<Item = String> {
    let examples = keys.get("examples").and_then(Value::as_array);
    let examples = examples.into_iter().flatten();
    keys.get("default")
        .into_iter()
        .chain(examples)
        .filter_map(|value| value.as_str().map(str::to_owned))
}

fn usual(name: &str) -> Option<String> {
    let words = words::of_name(name);
    USUAL
        .iter()
        .find(|(word, _)| words.iter().any(|other| other == word))
        .map(|(_, text)| (*text).to_owned())
}

/// Texts of a format: the one in the question, then an example.
fn formatted(format: &Format, text: &str, variant: u64) -> Vec<String> {
    let spoken = format
        .looks
        .filter(|_| variant == 0)
        .and_then(|looks| first_match(looks, text))
        .filter(|found| exists(format.name, found));
    let number = variant + 1;
    let example = match format.name {
        // These have one digit to vary, or none.
        "date-time" | "time" | "date" | "uuid" | "regex" => (number % 10).to_string(),
        "ipv4" => (number % 250).to_string(),
        _ => number.to_string(),
    };
    spoken.into_iter().chain([format.example.replace('#', &example)]).collect()
}

/// Whether a text that looks like a date or an address is one: there is no 2026-02-30.
fn exists(format: &str, text: &str) -> bool {
    match format {
        "date" => chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(),
        "date-time" => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        _ => true,
    }
}

/// A text of a format that can grow, grown.
fn stretched(format: &Format, chars_min: usize) -> Option<String> {
    let filler = "a".repeat(chars_min);
    match format.name {
        "email" | "idn-email" => Some(format!("ada@{}.example.com", labels(chars_min))),
        "hostname" | "idn-hostname" => Some(format!("{}.example.com", labels(chars_min))),
        "uri" | "url" | "uri-reference" | "iri" | "iri-reference" => {
            Some(format!("https://example.com/{filler}"))
        }
        "json-pointer" => Some(format!("/{filler}")),
        "regex" | "uri-template" => Some(filler),
        _ => None,
    }
}

/// Labels of a host name of so many characters.
fn labels(chars: usize) -> String {
    let letters = vec!["a"; chars];
    letters.chunks(60).map(<[&str]>::concat).collect::<Vec<_>>().join(".")
}

fn first_match(pattern: &str, text: &str) -> Option<String> {
    let found = Regex::new(pattern).ok()?.find(text)?.as_str().to_owned();
    Some(found)
}

/// A text after the property's name, of a length within the bounds.
fn plain(name: &str, least: usize, most: usize, variant: u64) -> String {
    let words = words::of_name(name);
    let base = if words.is_empty() { "text".to_owned() } else { words.join(" ") };
    let number = if variant == 0 { String::new() } else { format!(" {}", variant + 1) };
    let whole = padded(format!("{base}{number}"), least);
    if whole.chars().count() <= most {
        return whole;
    }
    // The number tells variants apart, so it goes first where little fits.
    let short: String = format!("{}{base}", number.trim_start()).chars().take(most).collect();
    padded(short, least)
}

fn padded(mut text: String, chars_min: usize) -> String {
    let missing = chars_min.saturating_sub(text.chars().count());
    text.push_str(&"a".repeat(missing));
    text
}
