//! The run: one reporting job of a suite on one revision.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::hash::{KeyHasher, ReportHash, RunKey};
use super::time::Timestamp;

/// Where a run stands in the life of a change.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Lane {
    /// The branch that everything merges into.
    Default = 0,
    /// A pull request or a merge queue.
    Change = 1,
    /// Any other branch, tag or local run.
    #[default]
    Other = 2,
}

impl Lane {
    /// The code stored in tables.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The lane of a stored code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Default),
            1 => Some(Self::Change),
            2 => Some(Self::Other),
            _ => None,
        }
    }

    /// The word used in flags and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Change => "change",
            Self::Other => "other",
        }
    }
}

/// The matrix cell of a run: sorted `key=value` pairs, such as `os=linux,python=3.12`.
///
/// ```
/// use flakedb::model::Variant;
/// let variant: Variant = "python=3.12, os=linux".parse().unwrap();
/// assert_eq!(variant.to_string(), "os=linux,python=3.12");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(into = "String")]
pub struct Variant(Vec<(String, String)>);

/// A variant that is not a list of `key=value` pairs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not key=value; write a variant as os=linux,python=3.12")]
pub struct VariantError(String);

impl Variant {
    /// True where the run has no matrix cell.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This variant with one more pair; a key that is there already keeps its value.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        let clean = |text: &str| -> String {
            let kept = |c: char| if c == ',' || c == '=' || c.is_control() { '_' } else { c };
            text.trim().chars().map(kept).collect()
        };
        let key = clean(key);
        if let Err(place) = self.0.binary_search_by(|(known, _)| known.as_str().cmp(&key)) {
            self.0.insert(place, (key, clean(value)));
        }
        self
    }

    /// The same for a key that anybody may have written.
    ///
    /// # Errors
    /// [`VariantError`] for a key without a visible character.
    pub fn try_with(self, key: &str, value: &str) -> Result<Self, VariantError> {
        match key.trim() {
            "" => Err(VariantError(format!("={}", value.trim()))),
            key => Ok(self.with(key, value)),
        }
    }

    /// This variant with all pairs of `other` that it lacks.
    #[must_use]
    pub fn with_all(self, other: &Self) -> Self {
        other.0.iter().fold(self, |variant, (key, value)| variant.with(key, value))
    }

    /// True where this variant has every pair of `other`; any has those of the empty one.
    #[must_use]
    pub fn has_all(&self, other: &Self) -> bool {
        other.0.iter().all(|pair| self.0.binary_search(pair).is_ok())
    }

    /// The pairs, sorted by key.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{key}={value}")?;
        }
        Ok(())
    }
}

impl From<Variant> for String {
    fn from(variant: Variant) -> Self {
        variant.to_string()
    }
}

impl std::str::FromStr for Variant {
    type Err = VariantError;

    fn from_str(text: &str) -> Result<Self, VariantError> {
        text.split(',').map(str::trim).filter(|pair| !pair.is_empty()).try_fold(
            Self::default(),
            |variant, pair| match pair.split_once('=') {
                Some((key, value)) => variant.try_with(key, value),
                None => Err(VariantError(pair.to_owned())),
            },
        )
    }
}

/// Everything about a run but its results.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunContext {
    /// The project, `owner/name` where a forge knows it.
    pub project: String,
    /// The commit under test: the head of a pull request, never its synthetic merge.
    pub revision: Option<String>,
    /// The branch under test: the source branch of a pull request.
    pub branch: Option<String>,
    /// Default branch, change, or other.
    pub lane: Lane,
    /// The matrix cell.
    pub variant: Variant,
    /// The CI build: shared by all its jobs, shards and attempts.
    pub build: Option<String>,
    /// The attempt of that build, from 1; a CI re-run counts up.
    pub attempt: u32,
    /// The CI job, for people.
    pub job: Option<String>,
    /// Where a person finds the job's log.
    pub url: Option<String>,
    /// When the run started, where somebody said so; else the reports' own times count.
    pub started: Option<Timestamp>,
}

impl RunContext {
    /// The run's natural key.
    ///
    /// With a build, all reports of one project, revision, build, attempt and variant are one run,
    /// whatever order or number of uploads they come in. Without one nothing says what belongs
    /// together, so the run is keyed by `anonymous`, the smallest report hash of its group, and by the
    /// start that somebody stated.
    #[must_use]
    pub fn key(&self, anonymous: ReportHash) -> RunKey {
        let hasher = KeyHasher::new("run.1")
            .part(self.project.as_bytes())
            .part(self.revision.as_deref().unwrap_or("").as_bytes())
            .part(self.variant.to_string().as_bytes());
        let hasher = match &self.build {
            Some(build) => {
                hasher.part(b"build").part(build.as_bytes()).part(&self.attempt.to_le_bytes())
            }
            // Equal reports of two starts are two runs: what was back-filled says so outright.
            None => hasher
                .part(b"report")
                .part(&anonymous.0)
                .part(&self.started.map_or(0, |started| started.0).to_le_bytes()),
        };
        RunKey(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_reads_back_what_it_prints_and_refuses_what_is_no_pair() {
        let variant: Variant = " b=2,a=1,,a=9 ".parse().unwrap();
        assert_eq!(variant.to_string(), "a=1,b=2");
        assert_eq!(variant.to_string().parse::<Variant>().unwrap(), variant);
        assert!("linux".parse::<Variant>().is_err());
        assert!("=x".parse::<Variant>().is_err());
        let nameless = Variant::default().try_with(" ", " x ").unwrap_err();
        assert_eq!(nameless, "=x".parse::<Variant>().unwrap_err());
        let odd = Variant::default().with("k", "a,b=c\n");
        assert_eq!(odd.to_string().parse::<Variant>().unwrap(), odd);
    }

    #[test]
    fn the_key_follows_the_build_where_there_is_one_and_the_report_where_not() {
        let (one, two) = (ReportHash::of(b"1"), ReportHash::of(b"2"));
        let mut context = RunContext { project: "p".into(), ..RunContext::default() };
        assert_ne!(context.key(one), context.key(two));
        let stated = RunContext { started: Some(Timestamp(5)), ..context.clone() };
        assert_ne!(stated.key(one), context.key(one));
        context.build = Some("7".into());
        assert_eq!(context.key(one), context.key(two));
        let first = context.key(one);
        context.attempt = 2;
        assert_ne!(context.key(one), first);
    }

    #[test]
    fn every_lane_has_its_code_and_word() {
        for (code, lane, word) in
            [(0, Lane::Default, "default"), (1, Lane::Change, "change"), (2, Lane::Other, "other")]
        {
            assert_eq!((lane.code(), Lane::from_code(code), lane.word()), (code, Some(lane), word));
        }
        assert_eq!(Lane::from_code(3), None);
    }

    #[test]
    fn what_a_variant_has_stands_and_another_adds_to_it() {
        let variant = |text: &str| text.parse::<Variant>().unwrap();
        let linux = variant("os=linux,python=3.12");
        assert_eq!(
            linux.clone().with_all(&variant("os=macos,arch=arm")),
            variant("arch=arm,os=linux,python=3.12")
        );
        assert_eq!(linux.pairs().collect::<Vec<_>>(), [("os", "linux"), ("python", "3.12")]);
        assert!(linux.has_all(&variant("python=3.12")) && linux.has_all(&Variant::default()));
        assert!(
            !linux.has_all(&variant("python=3.13"))
                && !linux.has_all(&variant("os=linux,arch=arm"))
        );
        assert!(Variant::default().is_empty() && !linux.is_empty());
        assert_eq!(String::from(linux), "os=linux,python=3.12");
        let told = "a=1,linux".parse::<Variant>().unwrap_err().to_string();
        assert_eq!(told, "`linux` is not key=value; write a variant as os=linux,python=3.12");
    }

    /// Written out once more, because no history could be read if a key changed.
    #[test]
    fn the_key_of_a_run_is_that_of_the_documents() {
        let context = RunContext {
            project: "p".into(),
            revision: Some("r".into()),
            variant: Variant::default().with("os", "linux"),
            attempt: 3,
            ..RunContext::default()
        };
        let hashed = |parts: &[&[u8]]| {
            let prefixed = |part: &&[u8]| [&(part.len() as u64).to_le_bytes()[..], *part].concat();
            let whole: Vec<u8> = parts.iter().flat_map(prefixed).collect();
            ReportHash::of(&whole).0[..16].to_vec()
        };
        let report = ReportHash::of(b"report");
        let started = RunContext { started: Some(Timestamp(258)), ..context.clone() };
        let built = RunContext { build: Some("b".into()), ..context.clone() };
        let front: [&[u8]; 4] = [b"run.1", b"p", b"r", b"os=linux"];
        let with = |rest: &[&[u8]]| hashed(&[&front[..], rest].concat());
        assert_eq!(context.key(report).0.to_vec(), with(&[b"report", &report.0, &[0; 8]]));
        assert_eq!(
            started.key(report).0.to_vec(),
            with(&[b"report", &report.0, &[2, 1, 0, 0, 0, 0, 0, 0]])
        );
        assert_eq!(built.key(report).0.to_vec(), with(&[b"build", b"b", &[3, 0, 0, 0]]));
    }
}
