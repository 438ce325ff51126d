//! What the user pointed at, as named buffers within limits.
//!
//! [`sources`] turns arguments into things to open; [`Source::load`] turns one of them into
//! documents. Kinds are told by content, never by name. Nothing is ever written to disk, nothing is
//! read beyond the limits of [`crate::model::limits`], and a bad file costs only itself: every
//! trouble is an [`InputProblem`] beside the documents that could be read.

mod expand;
mod gather;
mod kind;
mod meter;
mod tar;
mod unpack;
mod zip;

#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

pub use expand::{sources, sources_like};
pub use kind::Names;

use crate::model::Timestamp;

/// What is read, for messages that refuse something else.
const SUPPORTED: &str = "flakedb reads XML, gzip, zstd, zip, tar, tar.gz and tar.zst";

/// One thing to open: a file or the standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    origin: Origin,
    named: bool,
    archived: Names,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Stdin,
    File(PathBuf),
}

/// One report as bytes, with where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Name for people, such as `results.zip!/unit/a.xml`; control characters are escaped.
    pub name: String,
    /// The file on disk that it came from; `None` for the standard input.
    pub path: Option<PathBuf>,
    /// True if the user typed this very file; false if a walk, a glob or an archive brought it.
    pub named: bool,
    /// The report, decompressed.
    pub bytes: Vec<u8>,
    /// True if a compressed stream was cut or damaged: `bytes` is what could be read of it.
    pub truncated: bool,
    /// When the report was last written, as far as the archive or the file system knows.
    pub modified: Option<Timestamp>,
}

impl Document {
    /// Where the file on disk really lies, whatever links led to it.
    #[must_use]
    pub fn real_path(&self) -> Option<PathBuf> {
        let path = self.path.as_ref()?;
        Some(path.canonicalize().unwrap_or_else(|_| path.clone()))
    }
}

/// What is wrong with an input, as a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum InputCode {
    /// The operating system refused.
    Io,
    /// A directory where a report was expected.
    IsDirectory,
    /// Beyond a size limit or the limit of compression.
    TooBig,
    /// A kind of archive or compression that is not read, or a broken one.
    Archive,
    /// An archive entry that points outside of the archive.
    ArchivePath,
    /// Two entries of one archive have the same name; both are read.
    DuplicateEntry,
    /// A pattern or directory without any report.
    NoMatch,
    /// An archive without any report.
    NoTests,
    /// Compressed data whose checksum or coding is wrong, or followed by something else.
    Damaged,
}

impl InputCode {
    /// The code as printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Io => "IO",
            Self::IsDirectory => "IS_DIRECTORY",
            Self::TooBig => "TOO_BIG",
            Self::Archive => "ARCHIVE",
            Self::ArchivePath => "ARCHIVE_PATH",
            Self::DuplicateEntry => "DUPLICATE_ENTRY",
            Self::NoMatch => "NO_MATCH",
            Self::NoTests => "NO_TESTS",
            Self::Damaged => "DAMAGED",
        }
    }
}

impl fmt::Display for InputCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much an [`InputProblem`] costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth saying; no report was lost by it.
    Warn,
    /// Something that the user pointed at was not read.
    Reject,
}

/// Something that could not be read, or not as one would expect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct InputProblem {
    /// The thing, named as in [`Document::name`].
    pub name: String,
    /// The stable code.
    pub code: InputCode,
    /// How much it costs.
    pub severity: Severity,
    /// What is wrong, and the mend.
    pub message: String,
}

impl InputProblem {
    fn reject(name: &str, code: InputCode, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), code, severity: Severity::Reject, message: message.into() }
    }

    fn warn(name: &str, code: InputCode, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), code, severity: Severity::Warn, message: message.into() }
    }
}

impl Source {
    /// The name for people: the path with control characters and invalid UTF-8 escaped.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.origin {
            Origin::Stdin => "(standard input)".to_owned(),
            Origin::File(path) => shown(path.as_os_str().as_encoded_bytes()),
        }
    }

    /// The file on disk; `None` for the standard input.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::Stdin => None,
            Origin::File(path) => Some(path),
        }
    }

    /// Reads the source: one document for a file, several for an archive, and what went wrong.
    ///
    /// An archive's documents come in the order of its entries; a problem stands behind the
    /// document it belongs to. Memory: the documents themselves, and once the compressed archive.
    #[must_use]
    pub fn load(&self) -> Vec<Result<Document, InputProblem>> {
        match &self.origin {
            Origin::Stdin => self.load_from(io::stdin().lock(), None, 0),
            Origin::File(path) => match open(path) {
                Ok((file, modified, length)) => self.load_from(file, modified, length),
                Err(error) => vec![Err(self.cannot_open(&error))],
            },
        }
    }

    fn load_from(
        &self,
        reader: impl Read,
        modified: Option<Timestamp>,
        length: u64,
    ) -> Vec<Result<Document, InputProblem>> {
        let label = unpack::Label {
            name: self.name(),
            path: self.path().map(Path::to_owned),
            named: self.named,
            archived: self.archived.clone(),
            modified,
            length,
        };
        unpack::unpack(&label, reader)
    }

    fn cannot_open(&self, error: &io::Error) -> InputProblem {
        let name = self.name();
        match error.kind() {
            io::ErrorKind::IsADirectory => InputProblem::reject(
                &name,
                InputCode::IsDirectory,
                "is a directory now; it was a file when flakedb looked for reports",
            ),
            _ => InputProblem::reject(&name, InputCode::Io, cannot_read(error)),
        }
    }
}

/// What the operating system said, with the mend where there is a common one.
fn cannot_read(error: &io::Error) -> String {
    let mend = match error.kind() {
        io::ErrorKind::NotFound => "; check the path, or whether the link points to a file",
        io::ErrorKind::PermissionDenied => "; give the user who runs flakedb the right to read it",
        _ => "",
    };
    format!("cannot be read: {error}{mend}")
}

/// Reads a stream as [`Source::load`] reads a file; of an archive, entries whose names are `archived`.
///
/// ```
/// use flakedb::context::input::{Names, documents};
/// let read = documents("a.xml", &b"<testsuite/>"[..], &Names::new(&[".xml"]));
/// assert_eq!(read[0].as_ref().unwrap().bytes, b"<testsuite/>");
/// ```
#[must_use]
pub fn documents(
    name: &str,
    stream: impl Read,
    archived: &Names,
) -> Vec<Result<Document, InputProblem>> {
    let label = unpack::Label {
        name: shown(name.as_bytes()),
        path: None,
        named: true,
        archived: archived.clone(),
        modified: None,
        length: 0,
    };
    unpack::unpack(&label, stream)
}

/// The file, when it was last written, and its length.
fn open(path: &Path) -> io::Result<(File, Option<Timestamp>, u64)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let since_epoch =
        metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let millis = since_epoch.and_then(|time| i64::try_from(time.as_millis()).ok());
    Ok((file, millis.map(Timestamp), metadata.len()))
}

/// A name as people may see it: control characters and bytes that are no UTF-8 are escaped.
fn shown(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                text.extend(c.escape_default());
            } else {
                text.push(c);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}
