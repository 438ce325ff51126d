//! What git says about a working copy: the fallback where no CI speaks.
//!
//! Git is asked by its command, so that every kind of repository works that git itself reads. The
//! questions need no network, never prompt, never run hooks or monitors of the repository, and take
//! at most [`GIT_TIMEOUT_MS`] for a working copy. No git, no repository, no answer: empty fields.

mod versions;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

pub use self::versions::{FileVersion, FileVersions, commit_of, commits_between};
use super::remote::project_of_url;
use super::start::start;
use crate::model::limits::GIT_TIMEOUT_MS;

/// Most output of one question that is read.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// What git says about a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkout {
    /// The top directory of the working copy.
    pub root: Option<PathBuf>,
    /// The commit that is checked out.
    pub revision: Option<String>,
    /// The branch that is checked out; `None` where HEAD is detached, as CI leaves it.
    pub branch: Option<String>,
    /// The branch that `origin/HEAD` points to.
    pub default_branch: Option<String>,
    /// The project in the address of `origin`.
    pub project: Option<String>,
    /// What people should know, such as changes that the revision does not have.
    pub notes: Vec<String>,
}

impl Checkout {
    /// Asks git about the working copy that `directory` lies in.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        let git = Git::new(directory);
        let mut checkout = Self::default();
        match git.ask(&["rev-parse", "--show-toplevel"]) {
            Answer::Text(root) => checkout.root = Some(PathBuf::from(root)),
            Answer::Refused(reason) => {
                checkout.notes.extend(refusal(&reason));
                return checkout;
            }
            Answer::Silent => return checkout,
        }
        let [revision, branch, default_branch, url] = git.texts([
            &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"],
            &["symbolic-ref", "--short", "--quiet", "HEAD"],
            &["symbolic-ref", "--short", "--quiet", "refs/remotes/origin/HEAD"],
            &["config", "--get", "remote.origin.url"],
        ]);
        let default_branch =
            default_branch.as_deref().and_then(|name| name.strip_prefix("origin/"));
        Self {
            revision,
            branch,
            default_branch: default_branch.map(str::to_owned),
            project: url.and_then(|url| project_of_url(&url)),
            ..checkout
        }
    }

    /// The top directory of the working copy alone: one question instead of five.
    #[must_use]
    pub fn root_of(directory: &Path) -> Option<PathBuf> {
        Git::new(directory).text(&["rev-parse", "--show-toplevel"]).map(PathBuf::from)
    }

    /// Notes changes that the revision does not have; `directory` as for [`Checkout::of`].
    ///
    /// It is a question of its own because git has to look at every file to answer it.
    pub fn note_changes(&mut self, directory: &Path) {
        let Some(revision) = &self.revision else { return };
        let git = Git::new(directory);
        if git.text(&["status", "--porcelain", "--untracked-files=no"]).is_some() {
            let short = revision.get(..12).unwrap_or(revision);
            self.notes.push(format!(
                "the working copy has changes that {short} does not have; commit them, or give \
                 --revision, so that results of different code are not taken for one"
            ));
        }
    }
}

/// The note for a repository that git will not read; `None` where there simply is none.
fn refusal(reason: &str) -> Option<String> {
    reason.contains("dubious ownership").then(|| {
        "git does not trust this directory because another user owns it; run git config --global \
         --add safe.directory with its path, or give --revision and --branch"
            .to_owned()
    })
}

enum Answer {
    Text(String),
    /// What git wrote to its error output.
    Refused(String),
    /// No git, no time, or nothing said.
    Silent,
}

struct Git<'a> {
    directory: &'a Path,
    deadline: Instant,
}

impl<'a> Git<'a> {
    fn new(directory: &'a Path) -> Self {
        Self { directory, deadline: Instant::now() + Duration::from_millis(GIT_TIMEOUT_MS) }
    }

    fn text(&self, arguments: &[&str]) -> Option<String> {
        match self.ask(arguments) {
            Answer::Text(text) => Some(text),
            Answer::Refused(_) | Answer::Silent => None,
        }
    }

    /// Asks several questions at once: each is a process that reads a file or two.
    fn texts<const N: usize>(&self, questions: [&[&str]; N]) -> [Option<String>; N] {
        thread::scope(|scope| {
            let asked = questions.map(|question| scope.spawn(move || self.text(question)));
            asked.map(|answer| answer.join().ok().flatten())
        })
    }

    /// True where no time is left.
    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn ask(&self, arguments: &[&str]) -> Answer {
        self.ask_for(arguments, ANSWER_BYTES_MAX)
    }

    /// Asks for an answer of which at most `bytes` are read.
    fn ask_for(&self, arguments: &[&str], bytes: u64) -> Answer {
        let mut git = Command::new("git");
        git
            // A repository may name a program to run as its monitor.
            .args(["-c", "core.fsmonitor=false", "-C"])
            .arg(self.directory)
            .args(arguments)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        start(&mut git).map_or(Answer::Silent, |child| self.listen(child, bytes))
    }

    fn listen(&self, mut child: Child, bytes: u64) -> Answer {
        let output = collect(child.stdout.take(), bytes);
        let errors = collect(child.stderr.take(), ANSWER_BYTES_MAX);
        let text = self.receive(&output);
        let reason = self.receive(&errors);
        if text.is_none() || reason.is_none() {
            // Nobody waits for it any more; that it may be gone already is fine.
            let _ = child.kill();
        }
        let done = child.wait().is_ok_and(|status| status.success());
        match (text.filter(|text| !text.is_empty()), reason.filter(|text| !text.is_empty()), done) {
            // An answer longer than what is read ends git's writing, and with it its good manners.
            (Some(text), _, true) | (Some(text), None, false) => Answer::Text(text),
            (_, Some(reason), false) => Answer::Refused(reason),
            _ => Answer::Silent,
        }
    }

    fn receive(&self, channel: &mpsc::Receiver<String>) -> Option<String> {
        channel.recv_timeout(self.deadline.saturating_duration_since(Instant::now())).ok()
    }
}

/// Reads a pipe on a thread of its own, since reading cannot be given a time limit.
fn collect(pipe: Option<impl Read + Send + 'static>, most: u64) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What came before an error is still what git said.
            let _ = pipe.take(most).read_to_end(&mut bytes);
        }
        let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
        // The other side may have run out of time.
        let _ = sender.send(text);
    });
    receiver
}

#[cfg(test)]
mod tests;
