//! Which reports were written while a command ran: by what the file system says before and after,
//! never by comparing its clock with ours.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::input::{Document, sources};
use crate::model::Timestamp;

/// What lay there before a command is taken to be at least so much older than its start.
const OLD_MS: i64 = 1_000;

/// The files at some places before a command runs.
#[derive(Debug, Clone, Default)]
pub struct Before {
    stamps: HashMap<PathBuf, Stamp>,
}

/// What changes when a file is written, moved into place or only touched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Device, number and last change of the file, where the system has them.
    identity: [i64; 4],
}

/// The files at the same places afterwards.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Files that are new or changed.
    pub fresh: Vec<PathBuf>,
    /// Files that are as they were.
    pub stale: Vec<PathBuf>,
    /// Places where nothing is.
    pub missing: Vec<PathBuf>,
}

/// The reports at some places after a command has run.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// Those that it wrote.
    pub fresh: Vec<Document>,
    /// Those that lay there before.
    pub stale: Vec<Document>,
    /// Files that cannot be opened.
    pub unread: Vec<PathBuf>,
    /// Places where nothing is.
    pub missing: Vec<PathBuf>,
}

impl Before {
    /// Looks at all files of some places: paths, directories, patterns.
    #[must_use]
    pub fn look(places: &[PathBuf]) -> Self {
        let (found, _) = sources(places);
        let stamp = |path: &Path| Some((path.to_path_buf(), stamp(&fs::metadata(path).ok()?)));
        let stamps = found.iter().filter_map(|source| stamp(source.path()?)).collect();
        Self { stamps }
    }

    /// Which of the files are new or changed since.
    #[must_use]
    pub fn since(&self, places: &[PathBuf]) -> Written {
        let (found, problems) = sources(places);
        let mut written = Written::default();
        if !problems.is_empty() {
            // Which of them is looked up only where it matters: a place may be a whole tree.
            let empty = |place: &&PathBuf| sources(&[place.to_path_buf()]).0.is_empty();
            written.missing = places.iter().filter(empty).cloned().collect();
        }
        for path in found.iter().filter_map(|source| source.path()) {
            let now = fs::metadata(path).ok().map(|metadata| stamp(&metadata));
            let is_same = now.is_some() && self.stamps.get(path) == now.as_ref();
            let list = if is_same { &mut written.stale } else { &mut written.fresh };
            list.push(path.to_path_buf());
        }
        written
    }

    /// Opens the files at the same places, after a command that was started at `start`.
    ///
    /// What it wrote is never older than that and all else never newer, whatever the clock of a
    /// file system says.
    #[must_use]
    pub fn reports_since(&self, places: &[PathBuf], start: Timestamp) -> Reports {
        let written = self.since(places);
        let mut reports = Reports { missing: written.missing, ..Reports::default() };
        for (paths, is_fresh) in [(&written.fresh, true), (&written.stale, false)] {
            for source in sources(paths).0 {
                for loaded in source.load() {
                    match loaded {
                        Ok(mut document) if is_fresh => {
                            document.modified = document.modified.map(|time| time.max(start));
                            reports.fresh.push(document);
                        }
                        Ok(mut document) => {
                            let before = Timestamp(start.0.saturating_sub(OLD_MS));
                            document.modified = document.modified.map(|time| time.min(before));
                            reports.stale.push(document);
                        }
                        Err(_) => reports.unread.extend(source.path().map(Path::to_path_buf)),
                    }
                }
            }
        }
        reports
    }
}

/// The last `bytes_max` bytes of a file, such as the output of a process that failed.
///
/// # Errors
/// Where the file cannot be read.
pub fn last_of(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(bytes_max)))?;
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn stamp(metadata: &Metadata) -> Stamp {
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt as _;
        let number = metadata.ino().cast_signed();
        [metadata.dev().cast_signed(), number, metadata.ctime(), metadata.ctime_nsec()]
    };
    #[cfg(not(unix))]
    let identity = [0; 4];
    Stamp { length: metadata.len(), modified: metadata.modified().ok(), identity }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_is_its_last_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output.log");
        fs::write(&path, "first\nlast\n").unwrap();
        assert_eq!(last_of(&path, 5).unwrap(), "last\n");
        assert_eq!(last_of(&path, 500).unwrap(), "first\nlast\n");
        assert!(last_of(&folder.path().join("none"), 5).is_err());
    }

    #[test]
    fn new_and_rewritten_files_are_told_from_those_that_lay_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["old.xml", "same.xml", "moved.xml"] {
            fs::write(path(name), "<testsuites/>").unwrap();
        }
        let places = [path("*.xml"), path("none.xml")];
        let before = Before::look(&places);
        // The same bytes, written again; the system's clock may be coarse.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(path("same.xml"), "<testsuites/>").unwrap();
        fs::write(path("new.xml"), "<testsuites/>").unwrap();
        fs::write(path("partial"), "<testsuites/>").unwrap();
        fs::rename(path("partial"), path("moved.xml")).unwrap();
        let written = before.since(&places);
        assert_eq!(written.fresh, [path("moved.xml"), path("new.xml"), path("same.xml")]);
        assert_eq!(written.stale, [path("old.xml")]);
        assert_eq!(written.missing, [path("none.xml")]);
        let start = Timestamp(i64::MAX / 2);
        let reports = before.reports_since(&places, start);
        let times = |documents: &[Document]| -> Vec<_> {
            documents.iter().map(|document| document.modified).collect()
        };
        assert_eq!(times(&reports.fresh), [Some(start); 3]);
        assert!(times(&reports.stale)[0] < Some(start));
        assert_eq!((reports.unread.len(), reports.missing.len()), (0, 1));
    }
}
