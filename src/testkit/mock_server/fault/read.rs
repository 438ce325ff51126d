//! Reading faults and their schedules; what is wrong is told by its field, with what was meant.

use serde_json::{Map, Value};

use super::kind::Fault;
use super::rule::{FaultError, FaultRule, What, texts, wrong};
use super::schedule::KEYS;
use crate::testkit::mock_server::stub::ROUTE_NAMES;
use crate::testkit::nearest::hint;

/// Names that `paths` goes by.
const PATHS: [&str; 4] = ["paths", "path", "routes", "route"];

impl TryFrom<Map<String, Value>> for FaultRule {
    type Error = FaultError;

    fn try_from(map: Map<String, Value>) -> Result<Self, FaultError> {
        let (mut own, mut schedule) = (Map::new(), Map::new());
        let mut paths = Vec::new();
        for (name, value) in map {
            match name.as_str() {
                key if PATHS.contains(&key) => {
                    paths =
                        texts(value)?.iter().map(|path| place(path)).collect::<Result<_, _>>()?;
                }
                key if KEYS.contains(&key) => {
                    let key = if key == "times" { "first" } else { key };
                    if schedule.insert(key.to_owned(), value).is_some() {
                        return Err(wrong("first", "and `times` say the same; give one of them"));
                    }
                }
                _ => {
                    own.insert(name, value);
                }
            }
        }
        Self { what: What::read(own)?, schedule: read(Value::Object(schedule))?, paths }.checked()
    }
}

/// A path that a request can have: a pattern, or the short name of a route.
fn place(path: &str) -> Result<String, FaultError> {
    let path = path.trim();
    if path.contains('?') {
        return Err(wrong("paths", format!("has {path:?}; a path has no query")));
    }
    if path.starts_with(['/', '*']) {
        let trimmed = path.trim_end_matches('/');
        return Ok(if trimmed.is_empty() { "/" } else { trimmed }.to_owned());
    }
    let known = || ROUTE_NAMES.iter().map(|(name, _)| *name);
    if known().any(|name| name == path) {
        return Ok(path.to_owned());
    }
    let meant = hint(path, known());
    Err(wrong(
        "paths",
        format!("has {path:?}, which is no route, and a path starts with `/`{meant}"),
    ))
}

impl What {
    fn read(mut own: Map<String, Value>) -> Result<Self, FaultError> {
        if let Some(faults) = own.get("faults") {
            if own.len() > 1 {
                return Err(wrong("faults", "stands alone: no fields of a fault beside it"));
            }
            let Value::Array(faults) = faults else {
                return Err(wrong("faults", "is a list of faults"));
            };
            return Ok(Self::Faults(faults.iter().map(one).collect::<Result<_, _>>()?));
        }
        name_kind(&mut own);
        if own.get("kind").and_then(Value::as_str) == Some("chaos") {
            if let Some(other) = own.keys().find(|key| !["kind", "preset"].contains(&key.as_str()))
            {
                return Err(unknown_key(other, ["preset"]));
            }
            let name = own.get("preset").and_then(Value::as_str).unwrap_or_default();
            let preset = name
                .parse()
                .map_err(|error| FaultError::Unreadable(format!("`preset`: {error}")))?;
            return Ok(Self::Chaos(preset));
        }
        Ok(Self::Faults(vec![read::<Fault>(Value::Object(own))?]))
    }
}

/// One fault of a list.
fn one(value: &Value) -> Result<Fault, FaultError> {
    let mut value = value.clone();
    match &mut value {
        Value::Object(own) => name_kind(own),
        Value::String(kind) => value = serde_json::json!({ "kind": kind }),
        _ => {}
    }
    read(value)
}

/// `type` is `kind`; what has a `status` and no kind is a status.
fn name_kind(own: &mut Map<String, Value>) {
    if own.contains_key("kind") {
        return;
    }
    if let Some(kind) = own.shift_remove("type") {
        own.insert("kind".to_owned(), kind);
    } else if own.contains_key("status") {
        own.insert("kind".to_owned(), "status".into());
    }
}

pub(super) fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, FaultError> {
    let told = |value: &Value| {
        serde_json::from_value::<T>(value.clone()).err().map(|error| error.to_string())
    };
    let Some(error) = told(&value) else {
        return serde_json::from_value(value)
            .map_err(|error| FaultError::Unreadable(error.to_string()));
    };
    let quoted: Vec<&str> = error.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((kind, known)) if error.starts_with("unknown variant") => {
            let meant = hint(kind, known.iter().copied().chain(["chaos"]));
            let known = known.join(", ");
            let text = format!("no kind is called `{kind}`{meant}");
            return Err(FaultError::Unreadable(match meant.is_empty() {
                true => format!("{text}; known are {known}, chaos"),
                false => text,
            }));
        }
        Some((key, known)) if error.starts_with("unknown field") => {
            return Err(unknown_key(key, known.iter().copied()));
        }
        Some((key, _)) if error.starts_with("missing field") => {
            return Err(FaultError::Unreadable(match *key {
                "kind" => "wants a `kind`, such as \"reset\", or a `status`".to_owned(),
                key => format!("wants a `{key}`"),
            }));
        }
        _ => {}
    }
    // The field whose absence changes what is wrong is the one that is.
    let without = |key: &str| {
        let mut map = value.as_object().cloned().unwrap_or_default();
        map.shift_remove(key);
        told(&Value::Object(map))
    };
    let keys = value.as_object().map(Map::keys).into_iter().flatten();
    let culprit = keys
        .filter(|key| *key != "kind")
        .find(|key| without(key).as_deref() != Some(error.as_str()));
    let error = in_words(&error);
    Err(FaultError::Unreadable(match culprit {
        Some(key) => format!("`{key}`: {error}"),
        None => error,
    }))
}

fn unknown_key<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> FaultError {
    let known: Vec<&str> = known.into_iter().collect();
    let meant = hint(key, known.iter().copied().chain(KEYS).chain(PATHS));
    let text = format!("unknown key `{key}`{meant}");
    FaultError::Unreadable(match (meant.is_empty(), known.is_empty()) {
        (false, _) => text,
        (true, true) => format!("{text}; this kind has none but when it strikes, and `paths`"),
        (true, false) => format!("{text}; known are {}", known.join(", ")),
    })
}

/// Errors of serde name types of Rust.
fn in_words(error: &str) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("expected u16", "expected a whole number"),
        ("expected u64", "expected a whole number from 0"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected an object"),
    ];
    let told = WORDS.iter().find(|(from, _)| error.ends_with(from));
    told.map_or_else(|| error.to_owned(), |(from, to)| error.replace(from, to))
}
