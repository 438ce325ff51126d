//! What the CI that runs us says about the run.
//!
//! `table::PROVIDERS` is the knowledge: one row per provider, with the variables that give each
//! field, as the provider documents them. What no variable tells (event files, property files) is
//! read by the row's `complete` function. Everything is pure: the environment and the file system
//! are arguments.

mod event;
pub mod shard;
mod table;
mod teamcity;

#[cfg(test)]
mod tests;

use super::remote::project_of_url;
use super::resolve::is_merge_queue;
use crate::model::{Facts, Lane};

/// Looks up a variable.
type Variables<'a> = dyn Fn(&str) -> Option<String> + 'a;
/// Reads a small file.
type Files<'a> = dyn Fn(&str) -> Option<Vec<u8>> + 'a;

/// The CI that was recognised and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The provider's name, such as `GitHub Actions`.
    pub provider: &'static str,
    /// What it says about the run. `lane` is set only where the provider itself tells: a pull
    /// request or merge queue is [`Lane::Change`], a tag is [`Lane::Other`].
    pub context: Facts,
    /// The branch that everything merges into.
    pub default_branch: Option<String>,
}

/// Recognises the CI by its environment and reads what it says; `None` outside of CI.
///
/// `env` looks up a variable, `read_file` reads a file that a variable names.
///
/// ```
/// use flakedb::context::ci::detect;
/// let env = |name: &str| match name {
///     "GITLAB_CI" => Some("true".to_owned()),
///     "CI_PIPELINE_ID" => Some("7".to_owned()),
///     _ => None,
/// };
/// let detected = detect(&env, &|_| None).unwrap();
/// assert_eq!(detected.provider, "GitLab CI");
/// assert_eq!(detected.context.build.as_deref(), Some("7"));
/// ```
#[must_use]
pub fn detect(
    env: &dyn Fn(&str) -> Option<String>,
    read_file: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Option<Detected> {
    let world = World { env, read_file };
    let row =
        table::PROVIDERS.iter().find(|row| row.signs.iter().all(|sign| sign.holds(&world)))?;
    Some(row.read(&world))
}

/// The outside, as the rows of the table see it.
struct World<'a> {
    env: &'a Variables<'a>,
    read_file: &'a Files<'a>,
}

impl World<'_> {
    /// A variable's value, trimmed; `None` where it is unset or blank.
    fn get(&self, name: &str) -> Option<String> {
        let value = (self.env)(name)?;
        let value: String = value.trim().chars().filter(|c| !c.is_control()).collect();
        (!value.is_empty()).then_some(value)
    }

    /// True for a variable that is set to something other than `false`, `0` or `null`.
    fn says(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| {
            !["false", "0", "null"].iter().any(|no| value.eq_ignore_ascii_case(no))
        })
    }

    /// A template with its `{VARIABLE}`s filled in; `None` if one of them is unset.
    fn fill(&self, template: &str) -> Option<String> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}')?;
            text.push_str(before);
            text.push_str(&self.get(name)?);
            rest = behind;
        }
        text.push_str(rest);
        Some(text)
    }
}

/// A condition on the environment.
enum Sign {
    /// The variable is set, and not to `false`, `0` or `null`.
    Says(&'static str),
    /// The variable has this value, in any case.
    Is(&'static str, &'static str),
    /// The variable's value begins so.
    Begins(&'static str, &'static str),
}

impl Sign {
    fn holds(&self, world: &World<'_>) -> bool {
        match *self {
            Self::Says(name) => world.says(name),
            Self::Is(name, value) => {
                world.get(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
            }
            Self::Begins(name, start) => {
                world.get(name).is_some_and(|found| found.starts_with(start))
            }
        }
    }
}

/// Where a field's value comes from; of several, the first that is there counts.
enum From {
    /// Text with `{VARIABLE}`s.
    Text(&'static str),
    /// The project in a repository's address.
    Address(&'static str),
    /// A commit hash; anything else, such as `HEAD`, does not count.
    Commit(&'static str),
    /// A branch, without `refs/heads/`; other refs, such as `refs/pull/1/merge`, do not count.
    Branch(&'static str),
    /// A branch as Jenkins writes it, with the remote in front.
    RemoteBranch(&'static str),
    /// A number that counts from zero.
    CountFromZero(&'static str),
    /// The value of the second variable where the first says yes.
    Where(&'static str, &'static str),
}

impl From {
    fn read(&self, world: &World<'_>) -> Option<String> {
        match *self {
            Self::Text(template) => world.fill(template),
            Self::Address(name) => project_of_url(&world.get(name)?),
            Self::Commit(name) => world.get(name).filter(|value| is_commit(value)),
            Self::Branch(name) => branch(&world.get(name)?),
            Self::RemoteBranch(name) => {
                let value = world.get(name)?;
                branch(value.strip_prefix("origin/").unwrap_or(&value))
            }
            Self::CountFromZero(name) => {
                let count: u32 = world.get(name)?.parse().ok()?;
                Some(count.saturating_add(1).to_string())
            }
            Self::Where(condition, name) => {
                world.says(condition).then(|| world.get(name)).flatten()
            }
        }
    }
}

fn first(sources: &[From], world: &World<'_>) -> Option<String> {
    sources.iter().find_map(|source| source.read(world))
}

/// True for a commit hash, whole or shortened.
fn is_commit(value: &str) -> bool {
    (7..=64).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The branch that a ref names; `None` for a ref that is no branch.
fn branch(reference: &str) -> Option<String> {
    match reference.strip_prefix("refs/heads/") {
        Some(name) => Some(name.to_owned()),
        None if reference.starts_with("refs/") || reference.is_empty() => None,
        None => Some(reference.to_owned()),
    }
}

/// One provider: how to recognise it and which variables it documents.
struct Provider {
    name: &'static str,
    /// All must hold.
    signs: &'static [Sign],
    project: &'static [From],
    revision: &'static [From],
    branch: &'static [From],
    default_branch: &'static [From],
    build: &'static [From],
    attempt: &'static [From],
    job: &'static [From],
    url: &'static [From],
    /// Any of them: the run tests a change that is not merged yet.
    change: &'static [Sign],
    /// Any of them: the run tests a tag.
    tag: &'static [Sign],
    /// What variables alone do not tell.
    complete: Option<fn(&World<'_>, &mut Detected)>,
}

impl Provider {
    fn read(&self, world: &World<'_>) -> Detected {
        let any = |signs: &[Sign]| signs.iter().any(|sign| sign.holds(world));
        let branch = first(self.branch, world);
        let queued = branch.as_deref().is_some_and(is_merge_queue);
        let lane = match (any(self.change) || queued, any(self.tag)) {
            (true, _) => Some(Lane::Change),
            (false, true) => Some(Lane::Other),
            (false, false) => None,
        };
        let attempt = first(self.attempt, world).and_then(|text| text.parse().ok());
        let context = Facts {
            project: first(self.project, world),
            revision: first(self.revision, world),
            branch,
            lane,
            variant: None,
            build: first(self.build, world),
            attempt: attempt.filter(|&number| number > 0),
            job: first(self.job, world),
            url: first(self.url, world),
            started: None,
            shard: None,
            seed: None,
        };
        let default_branch = first(self.default_branch, world);
        let mut detected = Detected { provider: self.name, context, default_branch };
        if let Some(complete) = self.complete {
            complete(world, &mut detected);
        }
        detected
    }
}
