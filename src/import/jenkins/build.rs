//! `build.xml`: what Jenkins knows about one build.

use super::markup::{Elements, walk};
use crate::model::{Facts, Lane, Timestamp};

/// What is taken from a build's record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Build {
    pub(super) number: Option<String>,
    pub(super) started: Option<Timestamp>,
    /// True where it was stopped, so that tests are missing.
    pub(super) is_aborted: bool,
    pub(super) host: String,
    /// The last start that is known, the queue's included.
    scheduled: Option<Timestamp>,
    scm: Scm,
    /// What the git plugin checked out, in order: the first is the project's own.
    checkouts: Vec<Checkout>,
}

/// The revision that a multibranch project was told to build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Scm {
    hash: Option<String>,
    pull_hash: Option<String>,
    head: Option<String>,
    source_branch: Option<String>,
    is_change: bool,
}

/// One `BuildData` of the git plugin: a remote, and what was last built of each of its branches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Checkout {
    remote: Option<String>,
    built: Vec<Built>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Built {
    branch: Option<String>,
    sha: Option<String>,
    number: Option<String>,
}

const BUILD_DATA: &str = "hudson.plugins.git.util.BuildData";

impl Build {
    /// Reads a record as far as it is whole.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let mut build = Self::default();
        let _ = walk(bytes, &mut build);
        build.started = build.started.or(build.scheduled);
        build
    }

    /// What it says about the run with this number.
    pub(super) fn facts(&self, number: Option<&str>) -> Facts {
        let of_number = |checkout: &Checkout| {
            let same = checkout.built.iter().find(|built| built.number.as_deref() == number);
            same.filter(|_| number.is_some()).or(checkout.built.last()).cloned()
        };
        let checkout = self.checkouts.first();
        let built = checkout.and_then(of_number).unwrap_or_default();
        let scm = &self.scm;
        let head = scm.source_branch.clone().or_else(|| scm.head.clone());
        Facts {
            project: checkout.and_then(|checkout| checkout.remote.clone()),
            revision: scm.pull_hash.clone().or_else(|| scm.hash.clone()).or(built.sha),
            branch: head.or_else(|| built.branch.as_deref().and_then(branch)),
            lane: scm.is_change.then_some(Lane::Change),
            ..Facts::default()
        }
    }
}

/// The branch without the remote in front; `None` where the commit was checked out by itself.
fn branch(name: &str) -> Option<String> {
    let name = name.strip_prefix("refs/").unwrap_or(name);
    let name = name.strip_prefix("remotes/").or(name.strip_prefix("heads/")).unwrap_or(name);
    let name = name.strip_prefix("origin/").unwrap_or(name);
    (!name.is_empty() && name != "detached").then(|| name.to_owned())
}

impl Elements for Build {
    fn open(&mut self, path: &[String], class: Option<String>) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            [_, "actions", BUILD_DATA] => self.checkouts.push(Checkout::default()),
            [_, "actions", BUILD_DATA, "buildsByBranchName", "entry"] => {
                if let Some(checkout) = self.checkouts.last_mut() {
                    checkout.built.push(Built::default());
                }
            }
            [_, "actions", "jenkins.scm.api.SCMRevisionAction", "revision", "head"] => {
                let class = class.unwrap_or_default();
                self.scm.is_change =
                    class.contains("PullRequest") || class.contains("MergeRequest");
            }
            _ => {}
        }
    }

    fn close(&mut self, path: &[String], text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let millis = || text.parse().ok().map(Timestamp);
        let own = || Some(text.to_owned());
        match path.as_slice() {
            [_, "number"] => self.number = own(),
            [_, "startTime"] => self.started = millis(),
            [_, "timestamp"] => self.scheduled = millis(),
            [_, "result"] => self.is_aborted = text == "ABORTED",
            [_, "builtOn"] => text.clone_into(&mut self.host),
            [_, "actions", "jenkins.scm.api.SCMRevisionAction", "revision", rest @ ..] => {
                self.scm.take(rest, text);
            }
            [_, "actions", BUILD_DATA, rest @ ..] => {
                if let Some(checkout) = self.checkouts.last_mut() {
                    checkout.take(rest, text);
                }
            }
            _ => {}
        }
    }
}

impl Scm {
    fn take(&mut self, path: &[&str], text: &str) {
        match path {
            ["hash"] => self.hash = Some(text.to_owned()),
            ["pullHash"] => self.pull_hash = Some(text.to_owned()),
            ["head", "name"] => self.head = Some(text.to_owned()),
            ["head", "sourceBranch" | "originName"] => self.source_branch = Some(text.to_owned()),
            _ => {}
        }
    }
}

impl Checkout {
    fn take(&mut self, path: &[&str], text: &str) {
        let is_hash = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (path, self.built.last_mut()) {
            (["remoteUrls", "string"], _) if self.remote.is_none() => {
                self.remote = Some(text.to_owned());
            }
            (["buildsByBranchName", "entry", "string"], Some(built)) => {
                built.branch = Some(text.to_owned());
            }
            (["buildsByBranchName", "entry", _, "marked" | "revision", "sha1"], Some(built))
                if is_hash =>
            {
                built.sha = built.sha.take().or_else(|| Some(text.to_owned()));
            }
            (
                ["buildsByBranchName", "entry", _, "hudsonBuildNumber" | "buildNumber"],
                Some(built),
            ) => built.number = Some(text.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_is_known_by_its_head_and_not_by_its_merge() {
        let xml = "<flow-build><actions><jenkins.scm.api.SCMRevisionAction><revision class='x.PullRequestSCMRevision'>\
            <head class='org.jenkinsci.plugins.github_branch_source.PullRequestSCMHead'><name>PR-12</name>\
            <sourceBranch>feature/x</sourceBranch></head><baseHash>b</baseHash><pullHash>p</pullHash></revision>\
            </jenkins.scm.api.SCMRevisionAction></actions><timestamp>5</timestamp><startTime>7</startTime>\
            <result>ABORTED</result></flow-build>";
        let build = Build::read(xml.as_bytes());
        let facts = build.facts(None);
        assert_eq!((build.started, build.is_aborted), (Some(Timestamp(7)), true));
        assert_eq!(facts.revision.as_deref(), Some("p"));
        assert_eq!((facts.branch.as_deref(), facts.lane), (Some("feature/x"), Some(Lane::Change)));
    }

    #[test]
    fn of_all_branches_that_were_built_the_build_s_own_counts() {
        let entry = |branch: &str, digit: &str, number: u32| {
            format!(
                "<entry><string>{branch}</string><hudson.plugins.git.util.Build><marked><sha1>{}</sha1></marked>\
                 <hudsonBuildNumber>{number}</hudsonBuildNumber></hudson.plugins.git.util.Build></entry>",
                digit.repeat(40)
            )
        };
        let xml = format!(
            "<build><actions><hudson.plugins.git.util.BuildData><buildsByBranchName>{}{}</buildsByBranchName>\
             <remoteUrls><string>https://forge.example/team/app.git</string></remoteUrls>\
             </hudson.plugins.git.util.BuildData></actions></build>",
            entry("refs/remotes/origin/main", "a", 7),
            entry("origin/old", "b", 6)
        );
        let facts = Build::read(xml.as_bytes()).facts(Some("7"));
        assert_eq!(facts.revision, Some("a".repeat(40)));
        assert_eq!(facts.branch.as_deref(), Some("main"));
        assert_eq!(facts.project.as_deref(), Some("https://forge.example/team/app.git"));
        assert_eq!(branch("detached"), None);
    }
}
