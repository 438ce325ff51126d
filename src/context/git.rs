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
        Self::heard(&git, git.ask(&NAMES), git.ask(&ADDRESS), None)
    }

    /// The same, and a note of changes that the revision does not have.
    ///
    /// It is a question of its own because git has to look at every file to answer it.
    #[must_use]
    pub fn with_changes(directory: &Path) -> Self {
        let git = Git::new(directory);
        let changes = git.ask(&CHANGES);
        Self::heard(&git, git.ask(&NAMES), git.ask(&ADDRESS), Some(changes))
    }

    /// Puts the answers together; all were asked before, since git takes longest to start.
    fn heard(git: &Git<'_>, names: Asked, address: Asked, changes: Option<Asked>) -> Self {
        let (said, reason, _) = names.heard(git);
        let url = address.text(git);
        let has_changes = changes.is_some_and(|changes| changes.text(git).is_some());
        let Some(mut checkout) = Self::told(&said.unwrap_or_default()) else {
            let note = refusal(&reason.unwrap_or_default());
            return Self { notes: note.into_iter().collect(), ..Self::default() };
        };
        if checkout.revision.is_none() {
            // No commit yet; the branch has a name all the same.
            checkout.branch = git.text(&["symbolic-ref", "--short", "--quiet", "HEAD"]);
        }
        checkout.project = url.and_then(|url| project_of_url(&url));
        checkout.notes.extend(checkout.changed().filter(|_| has_changes));
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

    /// The note for a working copy with changes.
    fn changed(&self) -> Option<String> {
        let revision = self.revision.as_ref()?;
        let short = revision.get(..12).unwrap_or(revision);
        Some(format!(
            "the working copy has changes that {short} does not have; commit them, or give \
             --revision, so that results of different code are not taken for one"
        ))
    }
}

/// The commit that is checked out, and the branch that is the remote's default, as git takes them.
const HEAD: &str = "HEAD^{commit}";
const ORIGIN: &str = "refs/remotes/origin/HEAD";
/// The questions about a working copy.
const NAMES: [&str; 6] =
    ["rev-parse", "--show-toplevel", HEAD, "--symbolic-full-name", "HEAD", ORIGIN];
const ADDRESS: [&str; 3] = ["config", "--get", "remote.origin.url"];
const CHANGES: [&str; 3] = ["status", "--porcelain", "--untracked-files=no"];

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
        self.ask(arguments).text(self)
    }

    /// An answer of which at most `bytes` are read; `None` where there is none, or no time for it.
    fn text_within(&self, arguments: &[&str], bytes: u64) -> Option<String> {
        Asked::of(self.start(arguments), bytes).text(self)
    }

    /// Asks without waiting for the answer.
    fn ask(&self, arguments: &[&str]) -> Asked {
        Asked::of(self.start(arguments), ANSWER_BYTES_MAX)
    }

    /// True where no time is left.
    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
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

    fn receive(&self, channel: &mpsc::Receiver<String>) -> Option<String> {
        channel.recv_timeout(self.deadline.saturating_duration_since(Instant::now())).ok()
    }
}

/// A question that git is at work on; nothing where it could not be started.
struct Asked(Option<Running>);

/// A process with its output and its error output, which are read as they come.
struct Running {
    child: Child,
    output: mpsc::Receiver<String>,
    errors: mpsc::Receiver<String>,
}

impl Asked {
    /// At most `bytes` of the output are read.
    fn of(child: Option<Child>, bytes: u64) -> Self {
        Self(child.map(|mut child| Running {
            output: collect(child.stdout.take(), bytes),
            errors: collect(child.stderr.take(), ANSWER_BYTES_MAX),
            child,
        }))
    }

    /// The answer; `None` where there is none, or no time for it.
    fn text(self, git: &Git<'_>) -> Option<String> {
        let (text, reason, done) = self.heard(git);
        // An answer longer than what is read ends git's writing, and with it its good manners.
        let is_answer = done || reason.is_some_and(|reason| reason.is_empty());
        text.filter(|text| is_answer && !text.is_empty())
    }

    /// The output, the error output, each where there was time for it, and whether git succeeded.
    fn heard(self, git: &Git<'_>) -> (Option<String>, Option<String>, bool) {
        let Some(Running { mut child, output, errors }) = self.0 else { return Default::default() };
        let text = git.receive(&output);
        let reason = git.receive(&errors);
        if text.is_none() || reason.is_none() {
            // Nobody waits for it any more; that it may be gone already is fine.
            let _ = child.kill();
        }
        let done = child.wait().is_ok_and(|status| status.success());
        (text, reason, done)
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
