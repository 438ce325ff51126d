//! The lock files of one resource: files and directories that every user of the machine can lock.
//!
//! They lie where all may write, so that nothing here follows what somebody else may have put there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::lease::LeaseError;

/// Longest account of a holder, in characters.
const HOLDER_CHARS_MAX: usize = 120;

/// Numbers that are lent together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) start: u32,
    pub(super) last: u32,
}

impl Block {
    pub(super) fn file(self) -> String {
        format!("{}-{}.lock", self.start, self.last)
    }

    pub(super) fn account(self) -> String {
        format!("{}-{}.holder", self.start, self.last)
    }

    fn of_file(name: &str) -> Option<Self> {
        let (start, last) = name.strip_suffix(".lock")?.split_once('-')?;
        Some(Self { start: start.parse().ok()?, last: last.parse().ok()? })
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.start <= other.last && other.start <= self.last
    }
}

/// The lock files of one resource.
pub(super) struct Shelf {
    pub(super) name: String,
    pub(super) directory: PathBuf,
}

impl Shelf {
    pub(super) fn files(&self, path: &Path, source: io::Error) -> LeaseError {
        LeaseError::Files { name: self.name.clone(), path: path.to_path_buf(), source }
    }

    /// What has been lent some time, whoever asked for it and in whatever steps.
    pub(super) fn blocks(&self) -> Result<Vec<Block>, LeaseError> {
        let wrong = |source| self.files(&self.directory, source);
        let mut blocks = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(wrong)? {
            let name = entry.map_err(wrong)?.file_name();
            blocks.extend(name.to_str().and_then(Block::of_file));
        }
        Ok(blocks)
    }

    /// A lock on a file, unless somebody holds it.
    pub(super) fn lock(&self, name: &str) -> Result<Option<File>, LeaseError> {
        let path = self.directory.join(name);
        let wrong = |source| self.files(&path, source);
        loop {
            let file = common_file(&path).map_err(wrong)?;
            match file.try_lock() {
                Ok(()) if is_still_there(&file, &path) => return Ok(Some(file)),
                // Somebody has removed it meanwhile: who comes next would lock another.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(wrong(source)),
            }
        }
    }

    pub(super) fn holder(&self, block: Block) -> String {
        let text = fs::read_to_string(self.directory.join(block.account())).unwrap_or_default();
        let line: String =
            text.chars().filter(|c| !c.is_control()).take(HOLDER_CHARS_MAX).collect();
        if line.is_empty() { "an unknown process".to_owned() } else { line }
    }
}

/// Opens a lock file that every user of the machine can lock; makes it where it is not there.
fn common_file(path: &Path) -> io::Result<File> {
    loop {
        match fs::symlink_metadata(path).map(|found| found.is_file()) {
            Ok(true) => match File::open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => return opened,
            },
            // A link would lock what somebody else chose; a pipe would not even open.
            Ok(false) => return Err(io::Error::other("it is no plain file; remove it")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => {
                // Where the sticky bit may be set, it keeps what tidies up /tmp by age from the file.
                if !open_to_all(&file, 0o1644) {
                    open_to_all(&file, 0o644);
                }
                return File::open(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes a directory in which every user of the machine can make lock files.
pub(super) fn common_directory(path: &Path, by_link: bool) -> io::Result<()> {
    if !by_link && fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Err(io::Error::other("it is a link, which somebody else may have put there"));
    }
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::create_dir(path) {
        Ok(()) => {
            open_to_all(&File::open(path)?, 0o1777);
            Ok(())
        }
        // Somebody else was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whatever the mask of this process is. False where the system does not let us.
#[cfg(unix)]
fn open_to_all(file: &File, mode: u32) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    // Where it fails, others are told so when they try.
    file.set_permissions(fs::Permissions::from_mode(mode)).is_ok()
}

#[cfg(not(unix))]
fn open_to_all(_file: &File, _mode: u32) -> bool {
    true
}

#[cfg(unix)]
pub(super) fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let here = file.metadata().map(|found| (found.dev(), found.ino())).ok();
    here.is_some() && here == fs::metadata(path).map(|found| (found.dev(), found.ino())).ok()
}

#[cfg(not(unix))]
pub(super) fn is_still_there(_file: &File, _path: &Path) -> bool {
    // An open file cannot be removed there.
    true
}
