//! `[workers]` of `flakedb.toml`: how many there are, and what each has for itself.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Range;
use std::str::FromStr;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use crate::model::{TemplateError, fill};

/// The ports that workers get where nothing else is configured.
pub const PORT_BASE: &str = "PORT_BASE";
/// Below the ports that systems give to outgoing connections.
const PORTS: LeaseSpec = LeaseSpec { start: 20_000, end: 32_000, step: 100 };
/// How long a worker waits for what others hold, in seconds.
pub const WAIT_SECONDS: u32 = 60;
/// The directories whose names texts may have in braces.
const PLACES: [&str; 5] = ["worker", "workers", "run", "tmp", "home"];

/// The workers of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorkersSection {
    /// How many there are.
    pub count: Workers,
    /// What is dealt out as one.
    pub dist: Dist,
    /// Each worker has a home directory of its own.
    pub home: bool,
    /// The directory of a worker that had a failure is kept.
    pub keep: bool,
    /// Each worker has its own resources.
    pub isolate: bool,
    /// How long a worker waits for a resource that others hold, in seconds.
    pub wait: u32,
    /// Resources of which each worker has its own, by the variable that names them.
    pub lease: BTreeMap<String, Leasing>,
    /// Variables of each worker, with places to fill in.
    pub env: BTreeMap<String, String>,
}

impl Default for WorkersSection {
    fn default() -> Self {
        Self {
            count: Workers::default(),
            dist: Dist::default(),
            home: false,
            keep: false,
            isolate: true,
            wait: WAIT_SECONDS,
            lease: BTreeMap::new(),
            env: BTreeMap::new(),
        }
    }
}

/// How many workers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Workers {
    /// As many as the machine can run at once.
    #[default]
    Auto,
    /// So many.
    Count(NonZeroU32),
}

/// What is dealt out as one, in the words of pytest-xdist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dist {
    /// Each test.
    #[default]
    Load,
    /// The tests of a class, or of a module where there is none.
    LoadScope,
    /// The tests of a file.
    LoadFile,
    /// The tests of a group, as the suite marks it.
    LoadGroup,
}

/// A word that has no meaning here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WorkersError(String);

impl Dist {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Load, Self::LoadScope, Self::LoadFile, Self::LoadGroup];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::LoadScope => "loadscope",
            Self::LoadFile => "loadfile",
            Self::LoadGroup => "loadgroup",
        }
    }
}

impl fmt::Display for Dist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Dist {
    type Err = WorkersError;

    fn from_str(text: &str) -> Result<Self, WorkersError> {
        let named = Self::ALL.into_iter().find(|dist| dist.word() == text);
        named.ok_or_else(|| {
            WorkersError(format!("`{text}` is none of load, loadscope, loadfile, loadgroup"))
        })
    }
}

impl FromStr for Workers {
    type Err = WorkersError;

    fn from_str(text: &str) -> Result<Self, WorkersError> {
        match text.trim() {
            "auto" => Ok(Self::Auto),
            number => number.parse().map(Self::Count).map_err(|_| {
                WorkersError(format!("`{text}` is no number of workers; write auto or 1 and more"))
            }),
        }
    }
}

impl<'de> Deserialize<'de> for Workers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write \"auto\" or a number of workers from 1")]
        enum Either {
            Number(NonZeroU32),
            Word(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(count) => Ok(Self::Count(count)),
            Either::Word(word) => word.parse().map_err(de::Error::custom),
        }
    }
}

/// Whether something is lent to each worker, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leasing {
    /// It is not, whatever the default is.
    Off,
    /// One of these.
    Of(LeaseSpec),
}

/// Numbers of which each worker gets one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseSpec {
    start: u32,
    end: u32,
    step: u32,
}

impl LeaseSpec {
    /// Those of `range`, each `step` after the other; `None` where there is not one.
    #[must_use]
    pub const fn new(range: Range<u32>, step: u32) -> Option<Self> {
        let Range { start, end } = range;
        if step == 0 || end < start || end - start < step {
            return None;
        }
        Some(Self { start, end, step })
    }

    /// From where to where.
    #[must_use]
    pub const fn range(self) -> Range<u32> {
        self.start..self.end
    }

    /// How far apart they are: a worker has all numbers up to the next one.
    #[must_use]
    pub const fn step(self) -> u32 {
        self.step
    }

    /// How many workers can have one at the same time.
    #[must_use]
    pub const fn count(self) -> u32 {
        // A step is never 0.
        (self.end - self.start) / self.step
    }
}

impl fmt::Display for LeaseSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)?;
        if self.step == 1 { Ok(()) } else { write!(f, " in steps of {}", self.step) }
    }
}

impl FromStr for LeaseSpec {
    type Err = WorkersError;

    /// Reads `0..16` (without 16), `0..=15`, and `20000..32000/100` in steps of 100.
    fn from_str(text: &str) -> Result<Self, WorkersError> {
        let refuse =
            || WorkersError(format!("`{text}` is no range of numbers; write 0..16 for 0 up to 15"));
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, step.trim().parse().map_err(|_| refuse())?),
            None => (text, 1),
        };
        let (start, end) = range.split_once("..").ok_or_else(refuse)?;
        let start = start.trim().parse().map_err(|_| refuse())?;
        let number = |end: &str| end.trim().parse::<u32>().map_err(|_| refuse());
        let end = match end.strip_prefix('=') {
            Some(last) => number(last)?.checked_add(1).ok_or_else(refuse)?,
            None => number(end)?,
        };
        Self::new(start..end, step)
            .ok_or_else(|| WorkersError(format!("there is no number in `{text}`")))
    }
}

impl<'de> Deserialize<'de> for Leasing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Stepped {
            range: String,
            step: NonZeroU32,
        }
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "write \"0..16\", { range = \"20000..32000\", step = 100 } or false"
        )]
        enum Either {
            Wanted(bool),
            Range(String),
            Stepped(Stepped),
        }
        let spec = match Either::deserialize(deserializer)? {
            Either::Wanted(false) => return Ok(Self::Off),
            Either::Wanted(true) => {
                return Err(de::Error::custom("say of which numbers, such as \"0..16\""));
            }
            Either::Range(range) => range.parse::<LeaseSpec>().map_err(de::Error::custom)?,
            Either::Stepped(Stepped { range, step }) => {
                let whole: LeaseSpec = range.parse().map_err(de::Error::custom)?;
                LeaseSpec::new(whole.range(), step.get()).ok_or_else(|| {
                    de::Error::custom(format!("{range} is shorter than a step of {step}"))
                })?
            }
        };
        Ok(Self::Of(spec))
    }
}

impl WorkersSection {
    /// What is lent to each worker: what is configured, and ports unless they are turned off.
    #[must_use]
    pub fn leases(&self) -> BTreeMap<&str, LeaseSpec> {
        let mut leases = BTreeMap::from([(PORT_BASE, PORTS)]);
        for (name, leasing) in &self.lease {
            match leasing {
                Leasing::Off => leases.remove(name.as_str()),
                Leasing::Of(spec) => leases.insert(name, *spec),
            };
        }
        leases
    }

    /// Finds what no worker could be given.
    ///
    /// # Errors
    /// A name that is no name of a variable, a text with a place that nothing fills.
    pub fn check(&self) -> Result<(), String> {
        for name in self.lease.keys().chain(self.env.keys()) {
            if !is_variable(name) {
                return Err(format!("`{name}` cannot be the name of a variable"));
            }
        }
        let leases = self.leases();
        let known = |name: &str| {
            let home = name != "home" || self.home;
            let is_known = PLACES.contains(&name) && home || leases.contains_key(name);
            is_known.then(String::new)
        };
        for (variable, text) in &self.env {
            fill(text, &known).map_err(|error| {
                let leased = leases.keys().map(|name| format!("{{{name}}}")).collect::<Vec<_>>();
                let mend = match error {
                    TemplateError::Unknown { .. } => format!(
                        "; there are {{worker}}, {{workers}}, {{run}}, {{tmp}}, {{home}} with home = true, {}",
                        leased.join(", ")
                    ),
                    TemplateError::Brace { .. } => String::new(),
                };
                format!("[workers.env] {variable} = {error}{mend}")
            })?;
        }
        Ok(())
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WorkersSection, String> {
        toml::from_str(text).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn everything_is_optional_and_ports_are_lent_by_default() {
        let section = read("").unwrap();
        assert_eq!(section, WorkersSection::default());
        assert_eq!(section.leases(), BTreeMap::from([(PORT_BASE, PORTS)]));
        assert_eq!(PORTS.count(), 120);
        assert!(section.isolate && !section.home && !section.keep);
    }

    #[test]
    fn what_each_worker_has_is_read_in_all_its_forms() {
        let section = read(
            "count = 3\ndist = \"loadfile\"\n[lease]\nREDIS_DB = \"0..16\"\nSLOT = \"1..=4\"\n\
             PORT_BASE = { range = \"5000..6000\", step = 250 }\n[env]\nA = \"{REDIS_DB}{tmp}\"",
        )
        .unwrap();
        assert_eq!(section.count, Workers::Count(NonZeroU32::new(3).unwrap()));
        assert_eq!(section.dist, Dist::LoadFile);
        let leases = section.leases();
        assert_eq!(leases["REDIS_DB"].range(), 0..16);
        assert_eq!(leases["SLOT"].range(), 1..5);
        assert_eq!((leases[PORT_BASE].count(), leases[PORT_BASE].step()), (4, 250));
        assert_eq!(leases[PORT_BASE].to_string(), "5000..6000 in steps of 250");
        assert_eq!(section.check(), Ok(()));
        assert!(read("[lease]\nPORT_BASE = false").unwrap().leases().is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        for (text, words) in [
            ("cuont = 1", "unknown field `cuont`"),
            ("count = 0", "write \"auto\" or a number"),
            ("count = \"many\"", "write auto or 1 and more"),
            ("dist = \"each\"", "unknown variant `each`"),
            ("[lease]\nA = \"16\"", "write 0..16 for 0 up to 15"),
            ("[lease]\nA = \"4..4\"", "there is no number"),
            ("[lease]\nA = \"0..=4294967295\"", "is no range"),
            ("[lease]\nA = true", "say of which numbers"),
            ("[lease]\nA = { range = \"0..9\", step = 10 }", "shorter than a step of 10"),
            ("[lease]\nA = 3", "write \"0..16\""),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(words), "{text}: {message}");
        }
    }

    #[test]
    fn a_place_that_nothing_fills_is_found_before_a_worker_starts() {
        let section = read("[env]\nURL = \"x/{REDIS_DB}\"").unwrap();
        let said = section.check().unwrap_err();
        assert!(
            said.contains("[workers.env] URL = `x/{REDIS_DB}`: there is no {REDIS_DB}"),
            "{said}"
        );
        assert!(said.contains("{PORT_BASE}"), "{said}");
        assert!(read("[env]\nA = \"{home}\"").unwrap().check().is_err());
        assert!(read("home = true\n[env]\nA = \"{home}\"").unwrap().check().is_ok());
        assert!(read("[env]\n\"A=B\" = \"\"").unwrap().check().is_err());
    }
}
