//! What a file said in earlier commits.

use std::path::Path;

use super::Git;
use crate::model::Timestamp;

/// Most text of one version that is read; a longer version is left out.
const VERSION_BYTES_MAX: u64 = 4 << 20;

/// A file as one commit left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// The commit.
    pub revision: String,
    /// When it was committed.
    pub committed: Timestamp,
    /// The text; empty where the commit removed the file.
    pub text: String,
}

/// The latest versions of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileVersions {
    /// The versions, oldest first.
    pub versions: Vec<FileVersion>,
    /// There are older ones that were not looked at, or it took too long to look.
    pub cut: bool,
}

impl FileVersions {
    /// Asks git for at most `most` versions of the file at `path`, as the history of the checked
    /// out commit has them; none where there is no git, no repository, or no such file in it.
    #[must_use]
    pub fn of(path: &Path, most: usize) -> Self {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str()))
        else {
            return Self::default();
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let git = Git::new(folder);
        let count = format!("--max-count={}", most.saturating_add(1));
        let path = format!("./{name}");
        let list = ["log", &count, "--no-show-signature", "--format=%H %ct", "--", &path];
        let Some(list) = git.text(&list) else { return Self::default() };
        let commits: Vec<(&str, i64)> = list.lines().filter_map(commit).collect();
        // A shallow clone ends where it was cut off, not where the file began.
        let shallow = ["rev-parse", "--is-shallow-repository"];
        let shallow = git.text(&shallow).is_some_and(|answer| answer.trim() == "true");
        let mut found = Self { versions: Vec::new(), cut: shallow || commits.len() > most };
        for (revision, seconds) in commits.into_iter().take(most) {
            let object = format!("{revision}:{path}");
            let text = match git.text_within(&["cat-file", "blob", &object], VERSION_BYTES_MAX) {
                Some(text) if text.len() as u64 >= VERSION_BYTES_MAX => continue,
                Some(text) => text,
                None if git.is_late() => {
                    found.cut = true;
                    break;
                }
                None => String::new(),
            };
            let committed = Timestamp(seconds.saturating_mul(1_000));
            found.versions.push(FileVersion { revision: revision.to_owned(), committed, text });
        }
        found.versions.reverse();
        found
    }
}

/// A line of `%H %ct`.
fn commit(line: &str) -> Option<(&str, i64)> {
    let (revision, seconds) = line.split_once(' ')?;
    Some((revision, seconds.parse().ok()?))
}

/// The hash of the commit that git calls so here: `HEAD`, `HEAD~3`, a branch, a tag. `None` where it
/// knows none.
#[must_use]
pub fn commit_of(directory: &Path, name: &str) -> Option<String> {
    // What begins with a dash would be an option.
    if name.is_empty() || name.starts_with('-') {
        return None;
    }
    let commit = format!("{name}^{{commit}}");
    let answer = Git::new(directory).text(&["rev-parse", "--verify", "--quiet", &commit])?;
    let hash = answer.trim();
    hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| hash.to_owned())
}

/// How many commits `until` has that `from` has not; `None` where git does not know one of them.
///
/// Both are hashes: anything else is no question to git.
#[must_use]
pub fn commits_between(directory: &Path, from: &str, until: &str) -> Option<u32> {
    let is_hash = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_hash(from) || !is_hash(until) {
        return None;
    }
    let range = format!("{from}..{until}");
    Git::new(directory).text(&["rev-list", "--count", &range, "--"])?.parse().ok()
}
