//! A file that appears whole or not at all: written beside the one that it replaces.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file in the making, in the folder of the one that it will replace; dropped, it is gone.
///
/// A link keeps pointing, and a device or pipe is written to, never replaced.
///
/// ```
/// use std::io::Write as _;
/// use flakedb::context::draft::Draft;
/// # fn main() -> std::io::Result<()> {
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("list.toml");
/// let mut draft = Draft::of(&path)?;
/// draft.write_all(b"version = 1\n")?;
/// assert!(!path.exists());
/// draft.keep()?;
/// assert_eq!(std::fs::read_to_string(path)?, "version = 1\n");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Draft {
    out: BufWriter<File>,
    target: PathBuf,
    /// Where it is written meanwhile; none for what is no file.
    place: Option<Partial>,
}

/// The name of an unfinished file, which goes where nobody took it.
#[derive(Debug)]
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // Half a file helps nobody; that it cannot go either is no news beside why.
        drop(fs::remove_file(&self.0));
    }
}

impl Draft {
    /// Starts the file, with the permissions of the one that it will replace.
    ///
    /// # Errors
    /// Where the folder does not let a file be made.
    pub fn of(path: &Path) -> io::Result<Self> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let known = fs::metadata(&target).ok();
        if known.as_ref().is_some_and(|known| !known.is_file()) {
            let out = BufWriter::new(File::create(&target)?);
            return Ok(Self { out, target, place: None });
        }
        let mut name = target.clone().into_os_string();
        name.push(format!(".{}.partial", std::process::id()));
        let place = PathBuf::from(name);
        let file = File::create(&place)?;
        let place = Some(Partial(place));
        if let Some(known) = known {
            file.set_permissions(known.permissions())?;
        }
        Ok(Self { out: BufWriter::new(file), target, place })
    }

    /// Puts the file in its place, with its bytes on the disk first.
    ///
    /// # Errors
    /// Where the system refuses; what was there before is as it was.
    pub fn keep(mut self) -> io::Result<()> {
        self.out.flush()?;
        let Some(partial) = &self.place else { return Ok(()) };
        self.out.get_ref().sync_all()?;
        // The partial name is gone with this, and its removal finds nothing.
        fs::rename(&partial.0, &self.target)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a file, whole or not at all.
///
/// # Errors
/// What `write` says, or the system.
pub fn write_whole<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let mut draft = Draft::of(path)?;
    write(&mut draft)?;
    Ok(draft.keep()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_fails_half_way_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        fs::write(&path, "old").unwrap();
        let told = write_whole(&path, |out| {
            out.write_all(b"half of the")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(told.unwrap_err().to_string(), "no more");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["page.html"]);
    }

    #[test]
    fn what_cannot_take_its_place_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.xml");
        let mut draft = Draft::of(&path).unwrap();
        draft.write_all(b"new").unwrap();
        // A folder that came meanwhile is not replaced by a file.
        fs::create_dir_all(path.join("inside")).unwrap();
        draft.keep().unwrap_err();
        assert_eq!(names(folder.path()), ["report.xml"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_keep_pointing_and_permissions_stay() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_whole(&link, |out| out.write_all(b"new")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to() {
        write_whole(Path::new("/dev/null"), |out| out.write_all(b"gone")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
