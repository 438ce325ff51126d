//! What one source knows about a run.

use super::run::{Lane, Variant};
use super::time::Timestamp;

/// What one source (flags, a sidecar, CI, git, an imported file) says about a run; `None` where it
/// says nothing.
///
/// The fields are those of [`RunContext`](crate::model::RunContext), and two of the report alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the fields are documented where RunContext has them")]
pub struct Facts {
    pub project: Option<String>,
    pub revision: Option<String>,
    pub branch: Option<String>,
    pub lane: Option<Lane>,
    pub variant: Option<Variant>,
    pub build: Option<String>,
    pub attempt: Option<u32>,
    pub job: Option<String>,
    pub url: Option<String>,
    pub started: Option<Timestamp>,
    /// Of the report alone, not of its run: which part of the suite it is, such as `2/4`.
    pub shard: Option<String>,
    /// Of the report alone: the seed of its random order.
    pub seed: Option<String>,
}

impl Facts {
    /// These facts, completed by those of `other` where they say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            project: self.project.or(other.project),
            revision: self.revision.or(other.revision),
            branch: self.branch.or(other.branch),
            lane: self.lane.or(other.lane),
            variant: self.variant.or(other.variant),
            build: self.build.or(other.build),
            attempt: self.attempt.or(other.attempt),
            job: self.job.or(other.job),
            url: self.url.or(other.url),
            started: self.started.or(other.started),
            shard: self.shard.or(other.shard),
            seed: self.seed.or(other.seed),
        }
    }

    /// True where these facts single out one run, so that nothing about the run that happens to be
    /// going on now belongs to it.
    #[must_use]
    pub const fn name_a_run(&self) -> bool {
        self.revision.is_some() || self.build.is_some() || self.started.is_some()
    }
}

/// What was said about one report of a run, besides what it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartFacts {
    /// Which part of the suite it is; it counts more than what the report says.
    pub shard: Option<String>,
    /// The same of the seed.
    pub seed: Option<String>,
    /// Which part of the suite the job is that reads it; the report knows better.
    pub shard_of_job: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(word: &str, number: u32) -> Facts {
        let text = || Some(word.to_owned());
        Facts {
            project: text(),
            revision: text(),
            branch: text(),
            lane: Some(if number == 1 { Lane::Default } else { Lane::Change }),
            variant: Some(Variant::default().with("k", word)),
            build: text(),
            attempt: Some(number),
            job: text(),
            url: text(),
            started: Some(Timestamp(i64::from(number))),
            shard: text(),
            seed: text(),
        }
    }

    #[test]
    fn what_one_source_knows_stands_and_the_other_fills_the_rest() {
        let (first, second) = (all("first", 1), all("second", 2));
        assert_eq!(first.clone().or(second.clone()), first);
        assert_eq!(Facts::default().or(second.clone()), second);
        assert_eq!(second.clone().or(Facts::default()), second);
        let branch = Facts { branch: Some("main".into()), ..Facts::default() };
        assert_eq!(branch.or(second.clone()), Facts { branch: Some("main".into()), ..second });
    }

    #[test]
    fn a_revision_a_build_or_a_start_names_a_run_and_nothing_else_does() {
        let full = all("x", 1);
        let nameless = Facts { revision: None, build: None, started: None, ..full.clone() };
        assert!(!nameless.name_a_run());
        assert!(Facts { revision: full.revision.clone(), ..nameless.clone() }.name_a_run());
        assert!(Facts { build: full.build.clone(), ..nameless.clone() }.name_a_run());
        assert!(Facts { started: full.started, ..nameless }.name_a_run());
    }
}
