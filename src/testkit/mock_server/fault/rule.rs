//! Which faults strike when, on which paths; and how that is spelt: the fields of a fault and those
//! of its schedule side by side, `{"kind": "reset", "after_bytes": 40, "first": 2}`.

use base64::Engine as _;
use hyper::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::kind::{Fault, GARBAGE_BYTES_MAX, LINE_BYTES_MAX};
use super::preset::Preset;
use super::read::read;
use super::schedule::Schedule;
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::headers::OWN;
use crate::testkit::mock_server::refusal::STATUSES;
use crate::testkit::mock_server::stub::ROUTE_NAMES;

/// Faults and when they strike.
///
/// In JSON and TOML the fields of one fault, of its [`Schedule`], and `paths` side by side; several
/// faults that strike together stand in a list under `faults`; `{"kind": "chaos", "preset":
/// "framing"}` is a [`Preset`]. Without a `kind`, what has a `status` is one.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    pub(super) what: What,
    pub(super) schedule: Schedule,
    pub(super) paths: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    Faults(Vec<Fault>),
    Chaos(Preset),
}

/// A fault that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// It cannot be read.
    #[error("fault: {0}")]
    Unreadable(String),
    /// A field has a value that it cannot have.
    #[error("fault: `{field}` {wrong}")]
    Wrong {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        wrong: String,
    },
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self::new(fault)
    }
}

impl FaultRule {
    /// This fault, always, on all paths.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self::all([fault])
    }

    /// These faults together.
    #[must_use]
    pub fn all(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            what: What::Faults(faults.into_iter().collect()),
            schedule: Schedule::default(),
            paths: Vec::new(),
        }
    }

    /// What a preset draws for each request that it strikes.
    #[must_use]
    pub fn chaos(preset: Preset) -> Self {
        Self { what: What::Chaos(preset), schedule: Schedule::default(), paths: Vec::new() }
    }

    /// The first `times` that a request is seen.
    #[must_use]
    pub fn first(mut self, times: u64) -> Self {
        self.schedule.first = Some(times);
        self
    }

    /// Every `times`-th time that a request is seen; 0 counts as 1.
    #[must_use]
    pub fn every(mut self, times: u64) -> Self {
        self.schedule.every = Some(times.max(1));
        self
    }

    /// These times, from 1, that a request is seen.
    #[must_use]
    pub fn indices(mut self, indices: impl IntoIterator<Item = u64>) -> Self {
        self.schedule.indices = Some(indices.into_iter().collect());
        self
    }

    /// All but the first `times` that a request is seen.
    #[must_use]
    pub fn after(mut self, times: u64) -> Self {
        self.schedule.after = Some(times);
        self
    }

    /// With this probability, from 0 to 1; what is beyond counts as the nearer of them, what is no
    /// number as 0.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        let probability = if probability.is_nan() { 0.0 } else { probability };
        self.schedule.probability = Some(probability.clamp(0.0, 1.0));
        self
    }

    /// Only on these paths; `*` stands for any text. Short names of routes (`chat`, `v1.chat`) mean
    /// all of their paths.
    #[must_use]
    pub fn paths<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.paths = paths.into_iter().map(Into::into).collect();
        self
    }

    /// The faults that strike the `n`-th time; `index` tells this rule from others.
    pub(super) fn strike(&self, index: usize, path: &str, n: u64, chance: &Chance) -> Vec<Fault> {
        let here = self.paths.is_empty() || self.paths.iter().any(|pattern| is_on(pattern, path));
        let name = format!("fault {index}");
        if !here || !self.schedule.strikes(n, chance, &name) {
            return Vec::new();
        }
        match &self.what {
            What::Chaos(preset) => preset.draw(path, n, chance, &name),
            What::Faults(faults) => faults.iter().map(|fault| drawn(fault, n, chance)).collect(),
        }
    }

    /// # Errors
    /// [`FaultError`] where a field has a value that it cannot have.
    pub(super) fn checked(self) -> Result<Self, FaultError> {
        let Schedule { every, probability, .. } = &self.schedule;
        if *every == Some(0) {
            return Err(wrong("every", "is from 1"));
        }
        if probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Err(wrong("probability", "is from 0 to 1"));
        }
        if let What::Faults(faults) = &self.what {
            for fault in faults {
                check(fault)?;
            }
        }
        Ok(self)
    }
}

pub(super) fn wrong(field: &'static str, wrong: impl Into<String>) -> FaultError {
    FaultError::Wrong { field, wrong: wrong.into() }
}

/// A fault with all that it leaves to chance.
fn drawn(fault: &Fault, n: u64, chance: &Chance) -> Fault {
    match fault {
        Fault::Garbage { bytes, seed: None } => {
            Fault::Garbage { bytes: *bytes, seed: Some(chance.bits("garbage", n)) }
        }
        other => other.clone(),
    }
}

fn check(fault: &Fault) -> Result<(), FaultError> {
    match fault {
        Fault::Status { status, body, body_base64, message, headers, .. } => {
            if !STATUSES.contains(status) {
                return Err(wrong("status", format!("is from 200 to 999, not {status}")));
            }
            let bodies = [message.is_some(), body.is_some(), body_base64.is_some()];
            if bodies.iter().filter(|set| **set).count() > 1 {
                return Err(wrong("body", "stands alone, without `message` and `body_base64`"));
            }
            if let Some(text) = body_base64
                && let Err(error) = base64::engine::general_purpose::STANDARD.decode(text)
            {
                return Err(wrong("body_base64", format!("is no base64: {error}")));
            }
            headers.iter().try_for_each(|(name, value)| check_header(name, value))
        }
        Fault::ContentType { content_type: Some(value) } => check_header("content-type", value),
        Fault::Slice { bytes: 0, .. } => Err(wrong("bytes", "is from 1")),
        Fault::Dribble { chunks: Some(0), .. } => Err(wrong("chunks", "is from 1")),
        Fault::Merge { frames: Some(0 | 1) } => Err(wrong("frames", "is from 2")),
        Fault::Garbage { bytes: Some(bytes), .. } if !(1..=GARBAGE_BYTES_MAX).contains(bytes) => {
            Err(wrong("bytes", format!("is from 1 to {GARBAGE_BYTES_MAX}")))
        }
        Fault::LongLine { bytes: Some(bytes), .. } if *bytes > LINE_BYTES_MAX => {
            Err(wrong("bytes", format!("is at most {LINE_BYTES_MAX}")))
        }
        Fault::Reset { after_bytes, after_frames, after_time }
        | Fault::Stall { after_bytes, after_frames, after_time, .. }
        | Fault::Cut { after_bytes, after_frames, after_time } => {
            let places = [after_bytes.is_some(), after_frames.is_some(), after_time.is_some()];
            if places.iter().filter(|set| **set).count() > 1 {
                return Err(wrong("after_bytes", "excludes `after_frames` and `after_time`"));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn check_header(name: &str, value: &str) -> Result<(), FaultError> {
    if OWN.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(wrong("headers", format!("leave `{name}` to the server")));
    }
    HeaderName::try_from(name)
        .map_err(|_| wrong("headers", format!("has `{name}`, which is no name of a header")))?;
    HeaderValue::try_from(value).map_err(|_| {
        wrong("headers", format!("has a value for `{name}` that no header can have"))
    })?;
    Ok(())
}

/// Whether a path is one that a rule names: by a pattern, or by the short name of a route.
fn is_on(wanted: &str, path: &str) -> bool {
    let named = ROUTE_NAMES.iter().filter(|(name, _)| *name == wanted);
    fits(wanted, path)
        || named.flat_map(|(_, paths)| paths.iter()).any(|path_of| fits(path_of, path))
}

/// Whether `path` is what `pattern` says; `*` stands for any text, also for none.
fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = path.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(before) = last.replace(part) {
            match rest.find(before) {
                Some(at) => rest = &rest[at + before.len()..],
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

impl Serialize for FaultRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        let object = |value: Result<Value, serde_json::Error>| match value {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(S::Error::custom("a fault is an object")),
            Err(error) => Err(S::Error::custom(error)),
        };
        let mut map = match &self.what {
            What::Chaos(preset) => {
                let pair = [("kind", Value::from("chaos")), ("preset", preset.name().into())];
                pair.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }
            What::Faults(faults) => match faults.as_slice() {
                [fault] => object(serde_json::to_value(fault))?,
                faults => {
                    let faults = serde_json::to_value(faults).map_err(S::Error::custom)?;
                    Map::from_iter([("faults".to_owned(), faults)])
                }
            },
        };
        map.extend(object(serde_json::to_value(&self.schedule))?);
        if !self.paths.is_empty() {
            map.insert("paths".to_owned(), self.paths.clone().into());
        }
        map.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for FaultRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let map = Map::<String, Value>::deserialize(deserializer)?;
        Self::try_from(map).map_err(D::Error::custom)
    }
}

/// One text, or a list of them; null is none.
pub(super) fn texts(value: Value) -> Result<Vec<String>, FaultError> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text]),
        list => read(list),
    }
}
