//! A directory that one worker has for itself, and that is gone afterwards.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What begins the names of the directories.
const PREFIX: &str = "flakedb-worker-";
/// What begins their names until they are locked.
const UNFINISHED: &str = "flakedb-new-";
/// The file whose lock says that the directory is in use.
const LOCK: &str = "in-use.lock";
/// The file that says that it is to be kept.
const KEPT: &str = "kept";
/// Making one takes no time near as long as this.
const MAKING: Duration = Duration::from_secs(3_600);
/// So often it is tried to remove a directory into which somebody still writes.
const TRIES: usize = 5;

/// Why there is no directory.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be used for directories of workers: {source}; set TMPDIR to one that can", path.display())]
pub struct DirectoryError {
    /// Where it was to be.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// A directory for one worker, removed with all that is in it when this is dropped.
///
/// What a process leaves behind that had no time to remove it is removed by the next process of the
/// same user that makes such a directory in the same place.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    temporary: PathBuf,
    home: PathBuf,
    lock: File,
    is_done: bool,
}

impl Directory {
    /// Makes one where the system has temporary files.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn new() -> Result<Self, DirectoryError> {
        Self::within(&std::env::temp_dir())
    }

    /// Makes one in this directory.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn within(place: &Path) -> Result<Self, DirectoryError> {
        sweep(place);
        Self::make(place).map_err(|source| DirectoryError { path: place.to_path_buf(), source })
    }

    fn make(place: &Path) -> io::Result<Self> {
        // Children may run elsewhere.
        let place = std::path::absolute(place)?;
        let made = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(&place)?;
        let lock = File::create_new(made.path().join(LOCK))?;
        lock.lock()?;
        let name = made.path().file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default().replace(UNFINISHED, PREFIX);
        for inner in ["tmp", "home"] {
            fs::create_dir(made.path().join(inner))?;
        }
        // From now on it is locked whenever somebody can find it.
        let root = place.join(name);
        fs::rename(made.path(), &root)?;
        let _ = made.keep();
        let (temporary, home) = (root.join("tmp"), root.join("home"));
        Ok(Self { root, temporary, home, lock, is_done: false })
    }

    /// Where temporary files go.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// A home directory; empty, too.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The directory that holds both.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Leaves it where it is, for people to look at, and says where.
    #[must_use]
    pub fn keep(mut self) -> PathBuf {
        self.is_done = true;
        // Without the mark the next worker would remove it.
        let _ = fs::write(self.root.join(KEPT), "");
        let _ = self.lock.unlock();
        self.root.clone()
    }

    /// Removes it now.
    ///
    /// # Errors
    /// Where something in it cannot be removed; the error names the directory.
    pub fn remove(mut self) -> Result<(), DirectoryError> {
        self.is_done = true;
        remove(&self.root).map_err(|source| DirectoryError { path: self.root.clone(), source })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.is_done {
            // What is left is removed by the next worker.
            let _ = remove(&self.root);
        }
    }
}

/// Removes what processes have left behind that did not end by themselves.
fn sweep(place: &Path) {
    // A file that is made now tells who we are, and what time it is where the directories are.
    let Ok(ours) = tempfile::tempfile_in(place).and_then(|file| file.metadata()) else { return };
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_unfinished = name.starts_with(UNFINISHED);
        if !is_unfinished && !name.starts_with(PREFIX) {
            continue;
        }
        let root = entry.path();
        // Neither links nor what others made: they could put something else in its place meanwhile.
        let found = fs::symlink_metadata(&root).ok();
        let Some(found) = found.filter(|found| found.is_dir() && is_same_owner(found, &ours))
        else {
            continue;
        };
        if is_unfinished {
            // Not locked yet: its process makes it this moment, or was killed when it did.
            if is_abandoned(&found, &ours) {
                let _ = remove(&root);
            }
            continue;
        }
        let Ok(lock) = File::open(root.join(LOCK)) else { continue };
        // Looked at under the lock: it may be marked just now.
        if lock.try_lock().is_ok() && !root.join(KEPT).exists() {
            let _ = remove(&root);
        }
    }
}

#[cfg(unix)]
fn is_same_owner(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    one.uid() == other.uid()
}

#[cfg(not(unix))]
fn is_same_owner(_one: &Metadata, _other: &Metadata) -> bool {
    // Each user has such a place alone there.
    true
}

/// True where nobody can still be making it.
fn is_abandoned(found: &Metadata, now: &Metadata) -> bool {
    let age = now.modified().ok().zip(found.modified().ok());
    age.and_then(|(now, then)| now.duration_since(then).ok()).is_some_and(|age| age > MAKING)
}

fn remove(root: &Path) -> io::Result<()> {
    // The lock goes last: what is left of a removal that failed can be tried again.
    for inner in fs::read_dir(root)? {
        let inner = inner?;
        if inner.file_name() != LOCK {
            remove_whatever(&inner.path())?;
        }
    }
    fs::remove_dir_all(root)
}

/// Removes a file or directory, also where a test took its own right to do so, or a process that is
/// about to end still writes into it.
fn remove_whatever(path: &Path) -> io::Result<()> {
    let mut tried = Ok(());
    for _ in 0..TRIES {
        let is_directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
        tried = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        match &tried {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(_) => allow_removal(path),
        }
    }
    tried
}

/// Gives us back the right to remove what is in a directory.
fn allow_removal(path: &Path) {
    let Ok(found) = fs::symlink_metadata(path) else { return };
    if !found.is_dir() {
        return;
    }
    let mut permissions = found.permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        permissions.set_mode(0o700);
    }
    #[cfg(not(unix))]
    #[expect(clippy::permissions_set_readonly_false, reason = "there it concerns nobody else")]
    permissions.set_readonly(false);
    let _ = fs::set_permissions(path, permissions);
    for inner in fs::read_dir(path).into_iter().flatten().flatten() {
        allow_removal(&inner.path());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(place: &Path) -> usize {
        fs::read_dir(place).unwrap().count()
    }

    #[test]
    fn a_directory_is_gone_afterwards_with_all_that_is_in_it() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::within(place.path()).unwrap();
        let deep = directory.temporary().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("file"), "x").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&deep, fs::Permissions::from_mode(0o500)).unwrap();
            std::os::unix::fs::symlink("/", directory.home().join("link")).unwrap();
        }
        directory.remove().unwrap();
        assert_eq!(left(place.path()), 0);
    }

    #[test]
    fn workers_never_share_a_directory_and_do_not_take_away_each_others() {
        let place = tempfile::tempdir().unwrap();
        let one = Directory::within(place.path()).unwrap();
        let other = Directory::within(place.path()).unwrap();
        assert_ne!(one.root(), other.root());
        assert!(one.temporary().is_dir() && other.home().is_dir());
        drop(one);
        assert!(other.temporary().is_dir());
    }

    #[test]
    fn what_a_dead_process_left_is_removed_and_what_was_kept_is_not() {
        let place = tempfile::tempdir().unwrap();
        let kept = Directory::within(place.path()).unwrap().keep();
        let dead = place.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("rest"), "x").unwrap();
        let foreign = place.path().join(format!("{PREFIX}foreign"));
        fs::create_dir(&foreign).unwrap();
        let living = Directory::within(place.path()).unwrap();
        assert!(!dead.exists());
        assert!(kept.exists() && foreign.exists() && living.root().exists());
    }

    #[test]
    fn what_was_never_finished_is_removed_once_nobody_can_be_at_it() {
        let place = tempfile::tempdir().unwrap();
        let [young, old] = ["young", "old"].map(|name| {
            let path = place.path().join(format!("{UNFINISHED}{name}"));
            fs::create_dir(&path).unwrap();
            path
        });
        #[cfg(unix)]
        File::open(&old).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let _living = Directory::within(place.path()).unwrap();
        assert!(young.exists());
        #[cfg(unix)]
        assert!(!old.exists());
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_leads_to_is_nobodys_to_remove() {
        let [place, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for name in [LOCK, "precious"] {
            fs::write(elsewhere.path().join(name), "x").unwrap();
        }
        let link = place.path().join(format!("{PREFIX}link"));
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        let _living = Directory::within(place.path()).unwrap();
        assert!(elsewhere.path().join("precious").exists());
        assert!(fs::symlink_metadata(&link).is_ok());
    }

    #[test]
    fn a_place_that_is_none_is_named() {
        let error = Directory::within(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/at/all cannot be used"), "{error}");
    }
}
