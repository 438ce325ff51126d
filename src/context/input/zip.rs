//! Reports in a zip archive, as CI artifacts come.

use std::collections::HashMap;

use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::kind::{Kind, is_archive_name, is_xml_name};
use super::meter::Meter;
use super::unpack::{Break, Label, Loaded, read_keeping};
use super::{InputCode, InputProblem, SUPPORTED, shown};
use crate::model::Timestamp;
use crate::model::limits::{ARCHIVE_BYTES_MAX, ARCHIVE_ENTRIES_MAX, REPORT_BYTES_MAX};

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
        let (is_xml, is_archive) = (is_xml_name(base), is_archive_name(base));
        match (is_xml || is_archive, is_link, leaves_archive(path), is_file) {
            (false, ..) => Entry::Skip,
            // Hidden names are skipped as in a directory; macOS adds one beside every file.
            _ if base.first() == Some(&b'.') => Entry::Skip,
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
            let message = "has no *.xml entry; check which files the job archives";
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

/// Reads the reports of a zip archive that lies in memory.
pub(super) fn entries(label: &Label, bytes: &[u8]) -> Loaded {
    let archive = match ZipArchive::from_slice(bytes) {
        Ok(archive) => archive,
        Err(error) => return vec![Err(broken(label, &error))],
    };
    let mut gathered = Gathered::new(label);
    let mut entries = archive.entries();
    let mut compressed = 0_u64;
    for index in 0_usize.. {
        let header = match entries.next_entry() {
            Ok(Some(header)) => header,
            Ok(None) => break,
            Err(error) => {
                gathered.push(broken(label, &error));
                break;
            }
        };
        if index >= ARCHIVE_ENTRIES_MAX {
            let message =
                format!("has more than {ARCHIVE_ENTRIES_MAX} entries, the limit; split it");
            gathered.push(label.reject(InputCode::TooBig, message));
            break;
        }
        let path = header.file_path().as_bytes();
        let is_link = header.mode().is_symlink();
        let Entry::Report(name) = gathered.judge(path, !header.is_dir(), is_link) else { continue };
        compressed = compressed.saturating_add(header.compressed_size_hint());
        // Entries that share their data are how the worst bombs are made.
        if compressed > bytes.len() as u64 {
            let message = "has entries that overlap, like a zip bomb; it was not read further";
            gathered.push(label.reject(InputCode::Archive, message));
            break;
        }
        if header.uncompressed_size_hint() > ARCHIVE_BYTES_MAX.saturating_sub(gathered.bytes) {
            let limit = ARCHIVE_BYTES_MAX >> 20;
            let message = format!("has more than {limit} MiB of reports, the limit; split it");
            gathered.push(label.reject(InputCode::TooBig, message));
            break;
        }
        match read_entry(&archive, &header, &name, gathered.bytes) {
            Ok((content, broken)) => {
                gathered.keep(&name, content, modified(&header), broken.as_ref());
            }
            Err(problem) => gathered.push(problem),
        }
    }
    gathered.finish()
}

fn broken(label: &Label, error: &rawzip::Error) -> InputProblem {
    label.reject(
        InputCode::Archive,
        format!("is a broken zip archive: {error}; it may be cut, so upload it again"),
    )
}

fn modified(header: &ZipFileHeaderRecord<'_>) -> Option<Timestamp> {
    match header.last_modified() {
        rawzip::time::ZipDateTimeKind::Utc(time) => Some(Timestamp(time.to_unix() * 1_000)),
        // Clock time of an unknown zone says too little.
        rawzip::time::ZipDateTimeKind::Local(_) => None,
    }
}

/// The content of one entry, and what broke while it was read.
fn read_entry(
    archive: &ZipSliceArchive<&[u8]>,
    header: &ZipFileHeaderRecord<'_>,
    name: &str,
    bytes_before: u64,
) -> Result<(Vec<u8>, Option<Break>), InputProblem> {
    let refuse = |message: String| InputProblem::reject(name, InputCode::Archive, message);
    if header.flags().is_encrypted() {
        return Err(refuse("is encrypted; archive the reports without a password".to_owned()));
    }
    let entry = archive.get_entry(header.wayfinder()).map_err(|error| {
        refuse(format!("cannot be found in the zip archive: {error}; upload it again"))
    })?;
    let meter = Meter::default();
    let bytes_max = REPORT_BYTES_MAX.min(ARCHIVE_BYTES_MAX.saturating_sub(bytes_before));
    let data = std::io::BufReader::new(meter.input(entry.data()));
    let mut content = Vec::new();
    let ended = match header.compression_method() {
        CompressionMethod::STORE => {
            let stream = meter.output(data, bytes_max);
            read_keeping(entry.verifying_reader(stream), &mut content)
        }
        CompressionMethod::DEFLATE => {
            let stream = meter.output(flate2::bufread::DeflateDecoder::new(data), bytes_max);
            read_keeping(entry.verifying_reader(stream), &mut content)
        }
        CompressionMethod::ZSTD => {
            let decoder = zstd::stream::read::Decoder::with_buffer(data)
                .map_err(|error| refuse(format!("cannot be decompressed: {error}")))?;
            read_keeping(entry.verifying_reader(meter.output(decoder, bytes_max)), &mut content)
        }
        other => {
            let message = format!("is compressed by method {other:?}, which is not read; ");
            return Err(refuse(message + SUPPORTED));
        }
    };
    match (ended, meter.excess()) {
        (_, Some(excess)) => Err(InputProblem::reject(name, InputCode::TooBig, excess.message())),
        (Ok(()), None) => Ok((content, None)),
        (Err(error), None) => Ok((content, Some(Break::of(&error)))),
    }
}
