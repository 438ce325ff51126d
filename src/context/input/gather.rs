//! What an archive gives, whatever its kind: which entries are reports, and what is wrong with them.

use std::collections::HashMap;

use super::kind::{Kind, is_archive_name};
use super::unpack::{Break, Label, Loaded};
use super::{InputCode, InputProblem, shown};
use crate::model::Timestamp;

/// What is gathered while entries pass by, whatever the kind of archive.
pub(super) struct Gathered<'a> {
    label: &'a Label,
    pub(super) loaded: Loaded,
    names: HashMap<Vec<u8>, usize>,
    nested: Vec<String>,
    reports: usize,
    /// Decompressed bytes kept so far.
    pub(super) bytes: u64,
}

/// What to do with an entry.
pub(super) enum Entry {
    /// Read it under this name.
    Report(String),
    /// Nothing for flakedb.
    Skip,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(label: &'a Label) -> Self {
        Self {
            label,
            loaded: Loaded::new(),
            names: HashMap::new(),
            nested: Vec::new(),
            reports: 0,
            bytes: 0,
        }
    }

    /// Judges an entry by its name and type, and notes what is wrong with it.
    pub(super) fn judge(&mut self, path: &[u8], is_file: bool, is_link: bool) -> Entry {
        let base = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let name = format!("{}!/{}", self.label.name, shown(path));
        let (is_report, is_archive) = (self.label.archived.has(base), is_archive_name(base));
        match (is_report || is_archive, is_link, leaves_archive(path), is_file) {
            (false, ..) => Entry::Skip,
            // Hidden names are skipped as in a directory; macOS adds one beside every file.
            _ if base.first() == Some(&b'.') && !self.label.archived.is_whole(base) => Entry::Skip,
            (true, true, ..) => {
                self.refuse_path(&name, "is a link, which is never followed; archive the file");
                Entry::Skip
            }
            (true, false, true, _) => {
                self.refuse_path(&name, "leads out of the archive; archive it by a relative path");
                Entry::Skip
            }
            (true, false, false, false) => Entry::Skip,
            (true, false, false, true) if is_archive => {
                self.nested.push(name);
                Entry::Skip
            }
            (true, false, false, true) => Entry::Report(self.unique(path, name)),
        }
    }

    fn refuse_path(&mut self, name: &str, message: &str) {
        self.push(InputProblem::reject(name, InputCode::ArchivePath, message));
    }

    /// The name of a report, numbered from the second of the same name on.
    fn unique(&mut self, path: &[u8], name: String) -> String {
        let count = self.names.entry(path.to_vec()).or_insert(0);
        *count += 1;
        match *count {
            1 => name,
            number => {
                let message = "has an entry of the same name before it; both were read";
                let problem = InputProblem::warn(&name, InputCode::DuplicateEntry, message);
                self.loaded.push(Err(problem));
                format!("{name}#{number}")
            }
        }
    }

    pub(super) fn push(&mut self, problem: InputProblem) {
        self.loaded.push(Err(problem));
    }

    /// Keeps the bytes of a report, unless they are an archive of their own.
    pub(super) fn keep(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        modified: Option<Timestamp>,
        broken: Option<&Break>,
    ) {
        self.reports += 1;
        let kind = Kind::of(&bytes);
        if kind != Kind::Plain {
            let message = format!("is {} inside an archive; unpack the archive first", kind.word());
            self.push(InputProblem::reject(name, InputCode::Archive, message));
            return;
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        let mut document = self.label.entry(name.to_owned(), bytes, modified);
        document.truncated = matches!(broken, Some(Break::Cut | Break::Damaged));
        self.loaded.push(Ok(document));
        if matches!(broken, Some(Break::Damaged | Break::Trailing)) {
            let message = "is damaged: its size or checksum is wrong; upload the archive again";
            self.push(InputProblem::warn(name, InputCode::Damaged, message));
        }
    }

    /// Says what the archive as a whole lacks.
    pub(super) fn finish(mut self) -> Loaded {
        for name in std::mem::take(&mut self.nested) {
            let message =
                "is an archive inside an archive, which is not read: unpack the outer one";
            // Beside reports it is most likely a trace or a bundle; alone it is what was meant.
            self.push(match self.reports {
                0 => InputProblem::reject(&name, InputCode::Archive, message),
                _ => InputProblem::warn(&name, InputCode::Archive, message),
            });
        }
        if self.reports == 0 && self.loaded.is_empty() {
            let message =
                format!("has no {} entry; check which files the job archives", self.label.archived);
            self.push(self.label.warn(InputCode::NoTests, message));
        }
        self.loaded
    }
}

/// True for a path that, unpacked, would not stay below the directory of the archive.
fn leaves_archive(path: &[u8]) -> bool {
    let is_separator = |byte: &u8| matches!(byte, b'/' | b'\\');
    path.first().is_none_or(is_separator)
        || matches!(path, [b'A'..=b'Z' | b'a'..=b'z', b':', ..])
        || path.contains(&0)
        || path.split(is_separator).any(|part| part == b"..")
}
