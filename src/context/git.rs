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
        let asked = ["rev-parse", "--show-toplevel", HEAD, "--symbolic-full-name", "HEAD", ORIGIN];
        let (said, reason) = git.said(&asked);
        let Some(mut checkout) = Self::told(&said) else {
            return Self { notes: refusal(&reason).into_iter().collect(), ..Self::default() };
        };
        if checkout.revision.is_none() {
            // No commit yet; the branch has a name all the same.
            checkout.branch = git.text(&["symbolic-ref", "--short", "--quiet", "HEAD"]);
        }
        let url = git.text(&["config", "--get", "remote.origin.url"]);
        checkout.project = url.and_then(|url| project_of_url(&url));
        checkout
    }

    /// What one answer of git says: the top directory, the commit, HEAD's branch, that of
    /// `origin/HEAD`. It ends where a name does not exist, and repeats that name.
    fn told(said: &str) -> Option<Self> {
        let (mut root, mut rest) = said.split_once('\n').unwrap_or((said, ""));
        // A directory may have a line break in its name, but not a line like what follows.
        while let Some((more, behind)) = rest.split_once('\n') {
            if is_commit(more) {
                break;
            }
            root = said.get(..root.len() + 1 + more.len()).unwrap_or(root);
            rest = behind;
        }
        let mut lines = rest.lines();
        let revision = lines.next().filter(|line| is_commit(line)).map(str::to_owned);
        let mut name =
            |of: &str| lines.next().and_then(|line| line.strip_prefix(of)).map(str::to_owned);
        let branch = name("refs/heads/");
        let default_branch = name("refs/remotes/origin/").filter(|name| name != "HEAD");
        let root = (!root.is_empty()).then(|| PathBuf::from(root))?;
        Some(Self { root: Some(root), revision, branch, default_branch, ..Self::default() })
    }

    /// The top directory of the working copy alone: one question instead of two.
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

/// The commit that is checked out, and the branch that is the remote's default, as git takes them.
const HEAD: &str = "HEAD^{commit}";
const ORIGIN: &str = "refs/remotes/origin/HEAD";

/// True for the name of a commit, SHA-1 or SHA-256.
fn is_commit(line: &str) -> bool {
    matches!(line.len(), 40 | 64) && line.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The note for a repository that git will not read; `None` where there simply is none.
fn refusal(reason: &str) -> Option<String> {
    reason.contains("dubious ownership").then(|| {
        "git does not trust this directory because another user owns it; run git config --global \
         --add safe.directory with its path, or give --revision and --branch"
            .to_owned()
    })
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
        self.text_within(arguments, ANSWER_BYTES_MAX)
    }

    /// An answer of which at most `bytes` are read; `None` where there is none, or no time for it.
    fn text_within(&self, arguments: &[&str], bytes: u64) -> Option<String> {
        let mut child = self.start(arguments)?;
        let (text, reason, done) = self.hear(&mut child, bytes);
        // An answer longer than what is read ends git's writing, and with it its good manners.
        let is_answer = done || reason.is_some_and(|reason| reason.is_empty());
        text.filter(|text| is_answer && !text.is_empty())
    }

    /// True where no time is left.
    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// What git wrote to its output and to its error output, whatever became of it.
    fn said(&self, arguments: &[&str]) -> (String, String) {
        let Some(mut child) = self.start(arguments) else { return Default::default() };
        let (text, reason, _) = self.hear(&mut child, ANSWER_BYTES_MAX);
        (text.unwrap_or_default(), reason.unwrap_or_default())
    }

    fn start(&self, arguments: &[&str]) -> Option<Child> {
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
        start(&mut git).ok()
    }

    /// The output, the error output, each where there was time for it, and whether git succeeded.
    fn hear(&self, child: &mut Child, bytes: u64) -> (Option<String>, Option<String>, bool) {
        let output = collect(child.stdout.take(), bytes);
        let errors = collect(child.stderr.take(), ANSWER_BYTES_MAX);
        let text = self.receive(&output);
        let reason = self.receive(&errors);
        if text.is_none() || reason.is_none() {
            // Nobody waits for it any more; that it may be gone already is fine.
            let _ = child.kill();
        }
        let done = child.wait().is_ok_and(|status| status.success());
        (text, reason, done)
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
