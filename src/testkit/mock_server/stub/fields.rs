//! Reading an object of a rule field by field: under any of its names, and nothing left over.

use serde_json::{Map, Value};

use super::nearness;
use crate::testkit::mock_server::refusal::STATUSES;
use crate::testkit::nearest::nearest;

/// A step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// A stub that cannot be read: where, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StubError {
    pub(super) path: Vec<Step>,
    pub(super) message: String,
}

impl std::error::Error for StubError {}

impl std::fmt::Display for StubError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut place = String::new();
        for step in &self.path {
            match step {
                Step::Index(index) => place.push_str(&format!("[{index}]")),
                Step::Key(key) if place.is_empty() => place.push_str(key),
                Step::Key(key) => place.push_str(&format!(".{key}")),
            }
        }
        if place.is_empty() {
            return formatter.write_str(&self.message);
        }
        write!(formatter, "{place}: {}", self.message)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Field<'a> {
    pub(super) value: &'a Value,
    pub(super) path: Vec<Step>,
    /// The name it was found under.
    pub(super) name: &'a str,
}

impl<'a> Field<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: Vec::new(), name: "" }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> StubError {
        StubError { path: self.path.clone(), message: message.into() }
    }

    fn wants(&self, what: &str) -> StubError {
        let got = match self.value {
            Value::String(text) => nearness::shown(text),
            Value::Object(_) => "an object".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            value => value.to_string(),
        };
        self.error(format!("wants {what}, got {got}"))
    }

    pub(super) fn text(&self) -> Result<String, StubError> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.wants("a text"))
    }

    pub(super) fn boolean(&self) -> Result<bool, StubError> {
        self.value.as_bool().ok_or_else(|| self.wants("true or false"))
    }

    /// A whole number from `least`.
    pub(super) fn count(&self, least: u64) -> Result<u64, StubError> {
        self.value
            .as_u64()
            .filter(|count| *count >= least)
            .ok_or_else(|| self.wants(&format!("a whole number from {least}")))
    }

    /// The status of an answer.
    pub(super) fn status(&self) -> Result<u16, StubError> {
        let (first, last) = (STATUSES.start(), STATUSES.end());
        let status = self.value.as_u64().and_then(|status| u16::try_from(status).ok());
        status
            .filter(|status| STATUSES.contains(status))
            .ok_or_else(|| self.wants(&format!("a status from {first} to {last}")))
    }

    pub(super) fn fields(&self) -> Result<Fields<'a>, StubError> {
        match self.value {
            Value::Object(map) => Ok(Fields::new(map, self.path.clone())),
            _ => Err(self.wants("an object")),
        }
    }

    /// The items of a list; a single value is a list of one.
    pub(super) fn items(&self) -> Vec<Field<'a>> {
        match self.value {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .map(|(index, value)| {
                    let mut path = self.path.clone();
                    path.push(Step::Index(index));
                    Field { value, path, name: self.name }
                })
                .collect(),
            _ => vec![self.clone()],
        }
    }
}

/// An object that is read field by field.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: Vec<Step>,
    /// Every name that was asked for, aliases too.
    pub(super) known: Vec<String>,
}

impl<'a> Fields<'a> {
    fn new(map: &'a Map<String, Value>, path: Vec<Step>) -> Self {
        Self { map, path, known: Vec::new() }
    }

    /// The field under one of these names; `null` is as good as absent.
    pub(super) fn take(&mut self, names: &[&str]) -> Result<Option<Field<'a>>, StubError> {
        self.known.extend(names.iter().map(|name| (*name).to_owned()));
        let mut found: Option<Field<'a>> = None;
        for (name, value) in self.map.iter().filter(|(name, _)| names.contains(&name.as_str())) {
            if value.is_null() {
                continue;
            }
            let field = Field { value, path: self.to(name), name };
            if let Some(other) = &found {
                let twice = format!("says the same as `{}`; give one of them", other.name);
                return Err(field.error(twice));
            }
            found = Some(field);
        }
        Ok(found)
    }

    /// Every field, each under its own name; all of them are known then.
    pub(super) fn all(&mut self) -> Vec<Field<'a>> {
        self.known.extend(self.map.keys().cloned());
        self.map.iter().map(|(name, value)| Field { value, path: self.to(name), name }).collect()
    }

    /// The first field that was asked for after the first `mark` names were known.
    pub(super) fn found_since(&self, mark: usize) -> Option<Field<'a>> {
        let asked = self.known.get(mark..).unwrap_or_default();
        let (name, value) =
            self.map.iter().find(|(name, value)| !value.is_null() && asked.contains(name))?;
        Some(Field { value, path: self.to(name), name })
    }

    pub(super) fn path(&self) -> &[Step] {
        &self.path
    }

    pub(super) fn to(&self, name: &str) -> Vec<Step> {
        let mut path = self.path.clone();
        path.push(Step::Key(name.to_owned()));
        path
    }

    /// # Errors
    /// Where a key was never asked for; the text names the nearest that was.
    pub(super) fn finish(&self) -> Result<(), StubError> {
        let Some(unknown) = self.map.keys().find(|name| !self.known.contains(name)) else {
            return Ok(());
        };
        let near = nearest(unknown, self.known.iter().map(String::as_str));
        let mend = match near {
            Some(near) => format!("; did you mean `{near}`?"),
            None => format!("; known here: {}", self.shown_known()),
        };
        Err(StubError { path: self.to(unknown), message: format!("unknown key `{unknown}`{mend}") })
    }

    fn shown_known(&self) -> String {
        const SHOWN_MAX: usize = 12;
        let mut names: Vec<&str> = self.known.iter().map(String::as_str).collect();
        names.dedup();
        let more = if names.len() > SHOWN_MAX { ", …" } else { "" };
        names.truncate(SHOWN_MAX);
        format!("{}{more}", names.join(", "))
    }
}
