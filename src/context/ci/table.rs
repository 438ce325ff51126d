//! The providers and their variables, as they document them.
//!
//! Order matters where one provider speaks another's language: Gitea and Forgejo set GitHub's
//! variables, Harness sets Drone's, and Google Cloud Build has only names that others use too.
//!
//! `build` must be shared by the jobs of one build and differ between builds. Where a provider
//! repeats a job inside a build without counting, `attempt` stays empty.

use super::From::{Address, Branch, Commit, CountFromZero, RemoteBranch, Text, Where};
use super::Sign::{Begins, Is, Says};
use super::{Provider, event, teamcity};

/// A row in which nothing is known yet.
const NONE: Provider = Provider {
    name: "",
    signs: &[],
    project: &[],
    revision: &[],
    branch: &[],
    default_branch: &[],
    build: &[],
    attempt: &[],
    job: &[],
    url: &[],
    change: &[],
    tag: &[],
    complete: None,
};

/// What GitHub Actions and those that follow it have in common.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>
const ACTIONS: Provider = Provider {
    project: &[Text("{GITHUB_REPOSITORY}")],
    revision: &[Commit("GITHUB_SHA")],
    branch: &[Text("{GITHUB_HEAD_REF}"), Branch("GITHUB_REF")],
    build: &[Text("{GITHUB_RUN_ID}")],
    attempt: &[Text("{GITHUB_RUN_ATTEMPT}")],
    job: &[Text("{GITHUB_JOB}")],
    change: &[
        Begins("GITHUB_EVENT_NAME", "pull_request"),
        Is("GITHUB_EVENT_NAME", "merge_group"),
        Says("GITHUB_HEAD_REF"),
    ],
    tag: &[Begins("GITHUB_REF", "refs/tags/")],
    complete: Some(event::complete),
    ..NONE
};

const GITEA_URL: &[super::From] =
    &[Text("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_NUMBER}")];

/// Every provider, in the order in which they are tried.
pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        name: "Forgejo Actions",
        signs: &[Says("FORGEJO_ACTIONS")],
        url: GITEA_URL,
        ..ACTIONS
    },
    Provider { name: "Gitea Actions", signs: &[Says("GITEA_ACTIONS")], url: GITEA_URL, ..ACTIONS },
    Provider {
        name: "GitHub Actions",
        signs: &[Says("GITHUB_ACTIONS")],
        url: &[
            Text(
                "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}\
                 /attempts/{GITHUB_RUN_ATTEMPT}",
            ),
            Text("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"),
        ],
        ..ACTIONS
    },
    // https://docs.gitlab.com/ci/variables/predefined_variables/
    Provider {
        name: "GitLab CI",
        signs: &[Says("GITLAB_CI")],
        project: &[Text("{CI_MERGE_REQUEST_PROJECT_PATH}"), Text("{CI_PROJECT_PATH}")],
        revision: &[
            Commit("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
            Commit("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA"),
            Commit("CI_COMMIT_SHA"),
        ],
        branch: &[
            Text("{CI_MERGE_REQUEST_SOURCE_BRANCH_NAME}"),
            Text("{CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME}"),
            Text("{CI_COMMIT_BRANCH}"),
        ],
        default_branch: &[Text("{CI_DEFAULT_BRANCH}")],
        build: &[Text("{CI_PIPELINE_ID}")],
        job: &[Text("{CI_JOB_NAME}")],
        url: &[Text("{CI_JOB_URL}"), Text("{CI_PIPELINE_URL}")],
        change: &[
            Says("CI_MERGE_REQUEST_IID"),
            Says("CI_EXTERNAL_PULL_REQUEST_IID"),
            Is("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train"),
        ],
        tag: &[Says("CI_COMMIT_TAG")],
        ..NONE
    },
    // https://circleci.com/docs/reference/variables/
    Provider {
        name: "CircleCI",
        signs: &[Says("CIRCLECI")],
        project: &[
            Text("{CIRCLE_PROJECT_USERNAME}/{CIRCLE_PROJECT_REPONAME}"),
            Address("CIRCLE_REPOSITORY_URL"),
        ],
        revision: &[Commit("CIRCLE_SHA1")],
        branch: &[Branch("CIRCLE_BRANCH")],
        // A rerun is a new workflow, so it counts as a run of its own on the same revision.
        build: &[Text("{CIRCLE_WORKFLOW_ID}"), Text("{CIRCLE_BUILD_NUM}")],
        job: &[Text("{CIRCLE_JOB}")],
        url: &[Text("{CIRCLE_BUILD_URL}")],
        change: &[
            Says("CIRCLE_PULL_REQUEST"),
            Says("CIRCLE_PR_NUMBER"),
            Begins("CIRCLE_BRANCH", "pull/"),
        ],
        tag: &[Says("CIRCLE_TAG")],
        ..NONE
    },
    // https://buildkite.com/docs/pipelines/configure/environment-variables
    Provider {
        name: "Buildkite",
        signs: &[Says("BUILDKITE")],
        project: &[
            Address("BUILDKITE_REPO"),
            Text("{BUILDKITE_ORGANIZATION_SLUG}/{BUILDKITE_PIPELINE_SLUG}"),
        ],
        revision: &[Commit("BUILDKITE_COMMIT")],
        branch: &[Branch("BUILDKITE_BRANCH")],
        default_branch: &[Text("{BUILDKITE_PIPELINE_DEFAULT_BRANCH}")],
        build: &[Text("{BUILDKITE_BUILD_ID}"), Text("{BUILDKITE_BUILD_NUMBER}")],
        attempt: &[CountFromZero("BUILDKITE_RETRY_COUNT")],
        job: &[Text("{BUILDKITE_LABEL}"), Text("{BUILDKITE_STEP_KEY}")],
        url: &[Text("{BUILDKITE_BUILD_URL}#{BUILDKITE_JOB_ID}"), Text("{BUILDKITE_BUILD_URL}")],
        change: &[Says("BUILDKITE_PULL_REQUEST")],
        tag: &[Says("BUILDKITE_TAG")],
        ..NONE
    },
    // https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
    Provider {
        name: "Azure Pipelines",
        signs: &[Says("TF_BUILD")],
        project: &[
            Address("BUILD_REPOSITORY_URI"),
            Text("{SYSTEM_TEAMPROJECT}/{BUILD_REPOSITORY_NAME}"),
            Text("{BUILD_REPOSITORY_NAME}"),
        ],
        revision: &[Commit("SYSTEM_PULLREQUEST_SOURCECOMMITID"), Commit("BUILD_SOURCEVERSION")],
        branch: &[Branch("SYSTEM_PULLREQUEST_SOURCEBRANCH"), Branch("BUILD_SOURCEBRANCH")],
        build: &[Text("{BUILD_BUILDID}")],
        attempt: &[Text("{SYSTEM_JOBATTEMPT}")],
        job: &[Text("{SYSTEM_JOBDISPLAYNAME}"), Text("{AGENT_JOBNAME}")],
        url: &[
            Text(
                "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECTID}/_build/results?buildId={BUILD_BUILDID}",
            ),
            Text(
                "{SYSTEM_TEAMFOUNDATIONCOLLECTIONURI}{SYSTEM_TEAMPROJECTID}\
                 /_build/results?buildId={BUILD_BUILDID}",
            ),
        ],
        change: &[Says("SYSTEM_PULLREQUEST_PULLREQUESTID"), Is("BUILD_REASON", "PullRequest")],
        tag: &[Begins("BUILD_SOURCEBRANCH", "refs/tags/")],
        ..NONE
    },
    // https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
    Provider {
        name: "Bitbucket Pipelines",
        signs: &[Says("BITBUCKET_BUILD_NUMBER")],
        project: &[Text("{BITBUCKET_REPO_FULL_NAME}"), Address("BITBUCKET_GIT_HTTP_ORIGIN")],
        revision: &[Commit("BITBUCKET_COMMIT")],
        branch: &[Branch("BITBUCKET_BRANCH")],
        build: &[Text("{BITBUCKET_BUILD_NUMBER}")],
        attempt: &[Text("{BITBUCKET_STEP_RUN_NUMBER}")],
        url: &[Text(
            "https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
        )],
        change: &[Says("BITBUCKET_PR_ID")],
        tag: &[Says("BITBUCKET_TAG")],
        ..NONE
    },
    // https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html
    Provider {
        name: "TeamCity",
        signs: &[Says("TEAMCITY_VERSION")],
        project: &[Text("{TEAMCITY_PROJECT_NAME}")],
        revision: &[Commit("BUILD_VCS_NUMBER")],
        build: &[Text("{TEAMCITY_BUILDCONF_NAME}-{BUILD_NUMBER}")],
        job: &[Text("{TEAMCITY_BUILDCONF_NAME}")],
        url: &[Text("{BUILD_URL}")],
        complete: Some(teamcity::complete),
        ..NONE
    },
    // https://docs.travis-ci.com/user/environment-variables/
    Provider {
        name: "Travis CI",
        signs: &[Says("TRAVIS")],
        project: &[Text("{TRAVIS_REPO_SLUG}")],
        revision: &[Commit("TRAVIS_PULL_REQUEST_SHA"), Commit("TRAVIS_COMMIT")],
        branch: &[Branch("TRAVIS_PULL_REQUEST_BRANCH"), Branch("TRAVIS_BRANCH")],
        build: &[Text("{TRAVIS_BUILD_ID}")],
        job: &[Text("{TRAVIS_JOB_NAME}"), Text("{TRAVIS_JOB_NUMBER}")],
        url: &[Text("{TRAVIS_JOB_WEB_URL}"), Text("{TRAVIS_BUILD_WEB_URL}")],
        change: &[Says("TRAVIS_PULL_REQUEST")],
        tag: &[Says("TRAVIS_TAG")],
        ..NONE
    },
    // https://www.appveyor.com/docs/environment-variables/
    Provider {
        name: "AppVeyor",
        signs: &[Says("APPVEYOR")],
        project: &[Text("{APPVEYOR_REPO_NAME}")],
        revision: &[Commit("APPVEYOR_PULL_REQUEST_HEAD_COMMIT"), Commit("APPVEYOR_REPO_COMMIT")],
        branch: &[Branch("APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH"), Branch("APPVEYOR_REPO_BRANCH")],
        build: &[Text("{APPVEYOR_BUILD_ID}")],
        job: &[Text("{APPVEYOR_JOB_NAME}"), Text("{APPVEYOR_JOB_NUMBER}")],
        url: &[Text(
            "{APPVEYOR_URL}/project/{APPVEYOR_ACCOUNT_NAME}/{APPVEYOR_PROJECT_SLUG}\
             /builds/{APPVEYOR_BUILD_ID}/job/{APPVEYOR_JOB_ID}",
        )],
        change: &[Says("APPVEYOR_PULL_REQUEST_NUMBER")],
        tag: &[Says("APPVEYOR_REPO_TAG")],
        ..NONE
    },
    // https://developer.harness.io/docs/continuous-integration/troubleshoot-ci/ci-env-var
    Provider {
        name: "Harness CI",
        signs: &[Says("HARNESS_BUILD_ID")],
        project: &[
            Text("{DRONE_REPO}"),
            Text("{DRONE_REPO_NAMESPACE}/{DRONE_REPO_NAME}"),
            Address("DRONE_REMOTE_URL"),
        ],
        revision: &[Commit("DRONE_COMMIT_SHA"), Commit("DRONE_COMMIT")],
        branch: &[Branch("DRONE_SOURCE_BRANCH"), Branch("DRONE_COMMIT_BRANCH")],
        build: &[Text("{HARNESS_EXECUTION_ID}"), Text("{HARNESS_PIPELINE_ID}-{HARNESS_BUILD_ID}")],
        job: &[Text("{HARNESS_STAGE_ID}")],
        url: &[Text("{CI_BUILD_LINK}"), Text("{DRONE_BUILD_LINK}")],
        change: &[Says("DRONE_PULL_REQUEST"), Is("DRONE_BUILD_EVENT", "pull_request")],
        tag: &[Says("DRONE_TAG")],
        ..NONE
    },
    // https://docs.drone.io/pipeline/environment/reference/
    Provider {
        name: "Drone",
        signs: &[Says("DRONE")],
        project: &[Text("{DRONE_REPO}")],
        revision: &[Commit("DRONE_COMMIT_SHA"), Commit("DRONE_COMMIT")],
        branch: &[Branch("DRONE_SOURCE_BRANCH"), Branch("DRONE_BRANCH")],
        default_branch: &[Text("{DRONE_REPO_BRANCH}")],
        build: &[Text("{DRONE_BUILD_NUMBER}")],
        job: &[Text("{DRONE_STAGE_NAME}"), Text("{DRONE_STEP_NAME}")],
        url: &[Text("{DRONE_BUILD_LINK}")],
        change: &[Says("DRONE_PULL_REQUEST"), Is("DRONE_BUILD_EVENT", "pull_request")],
        tag: &[Says("DRONE_TAG")],
        ..NONE
    },
    // https://woodpecker-ci.org/docs/usage/environment
    Provider {
        name: "Woodpecker CI",
        signs: &[Is("CI", "woodpecker")],
        project: &[Text("{CI_REPO}"), Text("{CI_REPO_OWNER}/{CI_REPO_NAME}")],
        revision: &[Commit("CI_COMMIT_SHA")],
        branch: &[Branch("CI_COMMIT_SOURCE_BRANCH"), Branch("CI_COMMIT_BRANCH")],
        default_branch: &[Text("{CI_REPO_DEFAULT_BRANCH}")],
        build: &[Text("{CI_PIPELINE_NUMBER}")],
        job: &[Text("{CI_WORKFLOW_NAME}"), Text("{CI_STEP_NAME}")],
        url: &[Text("{CI_STEP_URL}"), Text("{CI_PIPELINE_URL}")],
        change: &[Says("CI_COMMIT_PULL_REQUEST"), Begins("CI_PIPELINE_EVENT", "pull_request")],
        tag: &[Says("CI_COMMIT_TAG")],
        ..NONE
    },
    // https://docs.semaphoreci.com/reference/env-vars
    Provider {
        name: "Semaphore",
        signs: &[Says("SEMAPHORE")],
        project: &[Text("{SEMAPHORE_GIT_REPO_SLUG}"), Address("SEMAPHORE_GIT_URL")],
        revision: &[Commit("SEMAPHORE_GIT_PR_SHA"), Commit("SEMAPHORE_GIT_SHA")],
        branch: &[
            Branch("SEMAPHORE_GIT_PR_BRANCH"),
            Branch("SEMAPHORE_GIT_WORKING_BRANCH"),
            Branch("SEMAPHORE_GIT_BRANCH"),
        ],
        // A rerun is a new pipeline in the same workflow.
        build: &[Text("{SEMAPHORE_PIPELINE_ID}"), Text("{SEMAPHORE_WORKFLOW_ID}")],
        job: &[Text("{SEMAPHORE_JOB_NAME}")],
        url: &[Text("{SEMAPHORE_ORGANIZATION_URL}/jobs/{SEMAPHORE_JOB_ID}")],
        change: &[Says("SEMAPHORE_GIT_PR_NUMBER"), Is("SEMAPHORE_GIT_REF_TYPE", "pull-request")],
        tag: &[Says("SEMAPHORE_GIT_TAG_NAME")],
        ..NONE
    },
    // https://cirrus-ci.org/guide/writing-tasks/#environment-variables
    Provider {
        name: "Cirrus CI",
        signs: &[Says("CIRRUS_CI")],
        project: &[Text("{CIRRUS_REPO_FULL_NAME}")],
        revision: &[Commit("CIRRUS_CHANGE_IN_REPO")],
        branch: &[Branch("CIRRUS_BRANCH")],
        default_branch: &[Text("{CIRRUS_DEFAULT_BRANCH}")],
        build: &[Text("{CIRRUS_BUILD_ID}")],
        job: &[Text("{CIRRUS_TASK_NAME}")],
        url: &[Text("https://cirrus-ci.com/task/{CIRRUS_TASK_ID}")],
        change: &[Says("CIRRUS_PR")],
        tag: &[Says("CIRRUS_TAG")],
        ..NONE
    },
    // https://confluence.atlassian.com/bamboo/bamboo-variables-289277087.html
    Provider {
        name: "Bamboo",
        signs: &[Says("bamboo_buildKey")],
        project: &[
            Address("bamboo_planRepository_repositoryUrl"),
            Address("bamboo_planRepository_1_repositoryUrl"),
            Text("{bamboo_planRepository_name}"),
        ],
        revision: &[
            Commit("bamboo_planRepository_revision"),
            Commit("bamboo_planRepository_1_revision"),
            Commit("bamboo_repository_revision_number"),
        ],
        branch: &[
            Branch("bamboo_repository_pr_sourceBranch"),
            Branch("bamboo_planRepository_branchName"),
            Branch("bamboo_planRepository_1_branchName"),
        ],
        build: &[Text("{bamboo_planKey}-{bamboo_buildNumber}"), Text("{bamboo_buildNumber}")],
        job: &[Text("{bamboo_shortJobName}")],
        url: &[Text("{bamboo_buildResultsUrl}"), Text("{bamboo_resultsUrl}")],
        change: &[Says("bamboo_repository_pr_key")],
        ..NONE
    },
    // https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    Provider {
        name: "AWS CodeBuild",
        signs: &[Says("CODEBUILD_BUILD_ID")],
        project: &[Address("CODEBUILD_SOURCE_REPO_URL")],
        revision: &[Commit("CODEBUILD_RESOLVED_SOURCE_VERSION")],
        branch: &[Branch("CODEBUILD_WEBHOOK_HEAD_REF")],
        build: &[Text("{CODEBUILD_BUILD_ID}")],
        job: &[Text("{CODEBUILD_BATCH_BUILD_IDENTIFIER}")],
        url: &[Text("{CODEBUILD_PUBLIC_BUILD_URL}"), Text("{CODEBUILD_BUILD_URL}")],
        change: &[
            Begins("CODEBUILD_WEBHOOK_EVENT", "PULL_REQUEST"),
            Begins("CODEBUILD_SOURCE_VERSION", "pr/"),
        ],
        tag: &[Begins("CODEBUILD_WEBHOOK_HEAD_REF", "refs/tags/")],
        ..NONE
    },
    // https://codefresh.io/docs/docs/pipelines/variables/
    Provider {
        name: "Codefresh",
        signs: &[Says("CF_BUILD_ID")],
        project: &[Text("{CF_REPO_OWNER}/{CF_REPO_NAME}")],
        revision: &[Commit("CF_REVISION")],
        branch: &[Branch("CF_BRANCH")],
        build: &[Text("{CF_BUILD_ID}")],
        job: &[Text("{CF_STEP_NAME}")],
        url: &[Text("{CF_BUILD_URL}")],
        change: &[Says("CF_PULL_REQUEST_NUMBER"), Says("CF_PULL_REQUEST_ID")],
        ..NONE
    },
    // https://docs.bitrise.io/en/bitrise-ci/references/available-environment-variables.html
    Provider {
        name: "Bitrise",
        signs: &[Says("BITRISE_BUILD_SLUG")],
        project: &[
            Text("{BITRISEIO_GIT_REPOSITORY_OWNER}/{BITRISEIO_GIT_REPOSITORY_SLUG}"),
            Address("GIT_REPOSITORY_URL"),
        ],
        revision: &[Commit("BITRISE_GIT_COMMIT"), Commit("GIT_CLONE_COMMIT_HASH")],
        branch: &[Branch("BITRISE_GIT_BRANCH")],
        build: &[Text("{BITRISE_BUILD_SLUG}")],
        job: &[Text("{BITRISE_TRIGGERED_WORKFLOW_ID}")],
        url: &[Text("{BITRISE_BUILD_URL}")],
        change: &[Says("BITRISE_PULL_REQUEST")],
        tag: &[Says("BITRISE_GIT_TAG")],
        ..NONE
    },
    // https://www.jenkins.io/doc/book/pipeline/jenkinsfile/ and the plugins git, ghprb and gitlab
    Provider {
        name: "Jenkins",
        signs: &[Says("JENKINS_URL")],
        project: &[Address("GIT_URL"), Address("GIT_URL_1"), Text("{JOB_NAME}")],
        revision: &[
            Commit("ghprbActualCommit"),
            Commit("gitlabMergeRequestLastCommit"),
            Commit("GITHUB_PR_HEAD_SHA"),
            Commit("GIT_COMMIT"),
        ],
        branch: &[
            Branch("CHANGE_BRANCH"),
            Branch("ghprbSourceBranch"),
            Branch("gitlabSourceBranch"),
            Branch("BRANCH_NAME"),
            RemoteBranch("GIT_BRANCH"),
        ],
        default_branch: &[Where("BRANCH_IS_PRIMARY", "BRANCH_NAME")],
        build: &[Text("{BUILD_TAG}"), Text("{JOB_NAME}-{BUILD_NUMBER}")],
        job: &[Text("{JOB_NAME}")],
        url: &[Text("{BUILD_URL}")],
        change: &[
            Says("CHANGE_ID"),
            Says("ghprbPullId"),
            Says("gitlabMergeRequestIid"),
            Says("GITHUB_PR_NUMBER"),
        ],
        tag: &[Says("TAG_NAME")],
        ..NONE
    },
    // https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values: they
    // reach a step only where the build maps them to variables of the same names.
    Provider {
        name: "Google Cloud Build",
        signs: &[Says("PROJECT_ID"), Says("BUILD_ID"), Says("COMMIT_SHA")],
        project: &[Text("{REPO_FULL_NAME}"), Text("{REPO_NAME}")],
        revision: &[Commit("COMMIT_SHA")],
        branch: &[Branch("_HEAD_BRANCH"), Branch("BRANCH_NAME")],
        build: &[Text("{BUILD_ID}")],
        job: &[Text("{TRIGGER_NAME}")],
        url: &[
            Text(
                "https://console.cloud.google.com/cloud-build/builds;region={LOCATION}/{BUILD_ID}\
                 ?project={PROJECT_ID}",
            ),
            Text(
                "https://console.cloud.google.com/cloud-build/builds/{BUILD_ID}?project={PROJECT_ID}",
            ),
        ],
        change: &[Says("_PR_NUMBER")],
        tag: &[Says("TAG_NAME")],
        ..NONE
    },
];
