//! Which shard of a suite a CI job is, as its variables say.
//!
//! One row for each provider, with whether it counts from zero. Jobs of a matrix are no shards, so
//! rows hold only variables that exist for splitting one job into several alike.

use crate::model::Shard;

/// A shard, and what said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The shard; `1/1` where the job is not split.
    pub shard: Shard,
    /// The variable that says which.
    pub variable: &'static str,
}

/// Where a provider starts to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Zero,
    One,
}

/// What else the variables must say, where the names do not say enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Nothing,
    /// This one is set.
    Set(&'static str),
    /// GitLab numbers the cells of a matrix as well; their names end as `test: [linux, 3.12]`.
    GitLab,
    /// Azure numbers the cells of a matrix as well, and says what they are.
    Azure,
}

struct Row {
    sign: Sign,
    place: &'static str,
    all: &'static str,
    first: First,
}

const fn row(sign: Sign, place: &'static str, all: &'static str, first: First) -> Row {
    Row { sign, place, all, first }
}

/// Our own variable, which wins over all others: `2/4`.
pub const VARIABLE: &str = "FLAKEDB_SHARD";

/// In the order in which they are tried. What runs inside a CI job stands before that CI.
const ROWS: &[Row] = &[
    // https://bazel.build/reference/test-encyclopedia#initial-conditions
    row(Sign::Nothing, "TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", First::Zero),
    // https://circleci.com/docs/reference/variables/
    row(Sign::Nothing, "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", First::Zero),
    // https://buildkite.com/docs/pipelines/configure/environment-variables
    row(Sign::Nothing, "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", First::Zero),
    // https://docs.semaphoreci.com/reference/env-vars
    row(Sign::Nothing, "SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT", First::One),
    // https://learn.microsoft.com/en-us/azure/devops/pipelines/test/parallel-testing-any-test-runner
    row(Sign::Azure, "SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", First::One),
    // https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    row(Sign::Nothing, "BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT", First::Zero),
    // https://developer.harness.io/docs/platform/pipelines/speed-up-ci-test-pipelines-using-parallelism
    row(Sign::Nothing, "HARNESS_NODE_INDEX", "HARNESS_NODE_TOTAL", First::Zero),
    // https://docs.gitlab.com/ci/variables/predefined_variables/
    row(Sign::GitLab, "CI_NODE_INDEX", "CI_NODE_TOTAL", First::One),
    // https://devcenter.heroku.com/articles/heroku-ci-parallel-test-runs
    row(Sign::Set("HEROKU_TEST_RUN_ID"), "CI_NODE_INDEX", "CI_NODE_TOTAL", First::Zero),
    // https://docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
    row(Sign::Nothing, "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", First::Zero),
    // https://cloud.google.com/run/docs/container-contract#jobs-env-vars
    row(Sign::Nothing, "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT", First::Zero),
];

impl Sign {
    fn holds(self, env: &dyn Fn(&str) -> Option<String>) -> bool {
        let set = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        match self {
            Self::Nothing => true,
            Self::Set(name) => set(name).is_some(),
            // https://docs.gitlab.com/ci/yaml/#parallelmatrix
            Self::GitLab => {
                let cell = set("CI_JOB_NAME").is_some_and(|name| name.trim_end().ends_with(']'));
                set("GITLAB_CI").is_some() && !cell
            }
            // MultiMachine for `strategy: parallel`, MultiConfiguration for a matrix.
            Self::Azure => {
                let kind = set("SYSTEM_PARALLELEXECUTIONTYPE");
                kind.is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("MultiConfiguration"))
            }
        }
    }
}

/// What the environment says of the shard of this job; `None` where it says nothing that fits.
///
/// ```
/// use flakedb::context::ci::shard::told;
/// let env = |name: &str| match name {
///     "CIRCLE_NODE_INDEX" => Some("1".to_owned()),
///     "CIRCLE_NODE_TOTAL" => Some("4".to_owned()),
///     _ => None,
/// };
/// assert_eq!(told(&env).unwrap().shard.to_string(), "2/4");
/// ```
#[must_use]
pub fn told(env: &dyn Fn(&str) -> Option<String>) -> Option<Told> {
    if let Some(own) = env(VARIABLE).filter(|text| !text.trim().is_empty()) {
        let shard = own.parse().ok()?;
        return Some(Told { shard, variable: VARIABLE });
    }
    let number = |name: &str| env(name)?.trim().parse::<u32>().ok();
    ROWS.iter().find_map(|row| {
        if !row.sign.holds(env) {
            return None;
        }
        let place = number(row.place)?;
        let place = match row.first {
            First::Zero => place,
            First::One => place.checked_sub(1)?,
        };
        Some(Told { shard: Shard::new(place, number(row.all)?)?, variable: row.place })
    })
}

/// The shard of this job; `None` where it is not split.
#[must_use]
pub fn shard_of(env: &dyn Fn(&str) -> Option<String>) -> Option<Shard> {
    told(env).map(|told| told.shard).filter(|shard| shard.all() > 1)
}

/// The variables that are looked for, as pairs of place and number, for messages.
pub fn variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROWS.iter().map(|row| (row.place, row.all))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Option<String> {
        let env = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        told(&env).map(|told| told.shard.to_string())
    }

    #[test]
    fn the_last_of_three_nodes_is_3_of_3_wherever_a_provider_starts_to_count() {
        for row in ROWS {
            let last = if row.first == First::Zero { "2" } else { "3" };
            let mut variables = vec![(row.place, last), (row.all, "3")];
            match row.sign {
                Sign::Nothing => {}
                Sign::Set(name) => variables.push((name, "true")),
                Sign::GitLab => variables.extend([("GITLAB_CI", "true"), ("CI_JOB_NAME", "a 3/3")]),
                Sign::Azure => variables.push(("SYSTEM_PARALLELEXECUTIONTYPE", "MultiMachine")),
            }
            assert_eq!(of(&variables).as_deref(), Some("3/3"), "{}", row.place);
            let beyond = if row.first == First::Zero { "3" } else { "4" };
            variables[0].1 = beyond;
            assert_eq!(of(&variables), None, "{}", row.place);
        }
    }

    #[test]
    fn a_name_that_two_providers_use_is_read_as_the_one_at_hand_means_it() {
        let both = [("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")];
        assert_eq!(of(&both), None);
        assert_eq!(of(&[both[0], both[1], ("GITLAB_CI", "true")]).as_deref(), Some("1/2"));
        assert_eq!(of(&[both[0], both[1], ("HEROKU_TEST_RUN_ID", "x")]).as_deref(), Some("2/2"));
    }

    #[test]
    fn the_cells_of_a_matrix_are_no_shards() {
        let gitlab = [("GITLAB_CI", "true"), ("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "2")];
        let cell = |name| of(&[gitlab[0], gitlab[1], gitlab[2], ("CI_JOB_NAME", name)]);
        assert_eq!(cell("test: [linux, 3.12]"), None);
        assert_eq!(cell("test 1/2").as_deref(), Some("1/2"));
        let azure = [("SYSTEM_JOBPOSITIONINPHASE", "2"), ("SYSTEM_TOTALJOBSINPHASE", "3")];
        let kind = |kind| of(&[azure[0], azure[1], ("SYSTEM_PARALLELEXECUTIONTYPE", kind)]);
        assert_eq!(kind("MultiConfiguration"), None);
        assert_eq!(kind("MultiMachine").as_deref(), Some("2/3"));
        assert_eq!(of(&azure).as_deref(), Some("2/3"));
    }

    #[test]
    fn our_own_variable_wins_and_is_never_guessed_around() {
        let circle = [("CIRCLE_NODE_INDEX", "0"), ("CIRCLE_NODE_TOTAL", "4")];
        let own = |value| of(&[circle[0], circle[1], (VARIABLE, value)]);
        assert_eq!(own("3/8").as_deref(), Some("3/8"));
        assert_eq!(own("three of eight"), None);
        assert_eq!(own("").as_deref(), Some("1/4"));
    }

    #[test]
    fn a_job_that_is_not_split_is_no_shard_of_a_report() {
        let env = |name: &str| match name {
            "CIRCLE_NODE_INDEX" => Some("0".to_owned()),
            "CIRCLE_NODE_TOTAL" => Some("1".to_owned()),
            _ => None,
        };
        assert_eq!(shard_of(&env), None);
        assert_eq!(told(&env).map(|told| told.shard.all()), Some(1));
    }
}
