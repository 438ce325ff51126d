//! One stream in, documents and problems out.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::path::PathBuf;

use flate2::bufread::GzDecoder;

use super::kind::Names;
use super::kind::{HEAD_BYTES, Kind};
use super::meter::{Excess, Meter};
use super::{Document, InputCode, InputProblem, SUPPORTED, cannot_read, tar, zip};
use crate::model::Timestamp;
use crate::model::limits::{ARCHIVE_BYTES_MAX, REPORT_BYTES_MAX};

/// Buffer in front of a decompressor: small, so that the ratio is judged early.
const BUFFER_BYTES: usize = 32 << 10;

/// What is known of a stream before it is read.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) name: String,
    pub(super) path: Option<PathBuf>,
    pub(super) named: bool,
    /// What is taken out of an archive.
    pub(super) archived: Names,
    pub(super) modified: Option<Timestamp>,
    /// Bytes that the file system promises; zero where it does not know.
    pub(super) length: u64,
}

/// Documents and problems in the order they were met.
pub(super) type Loaded = Vec<Result<Document, InputProblem>>;

impl Label {
    /// A document that is the whole stream.
    fn document(&self, bytes: Vec<u8>, truncated: bool) -> Document {
        Document {
            name: self.name.clone(),
            path: self.path.clone(),
            named: self.named,
            bytes,
            truncated,
            modified: self.modified,
        }
    }

    /// A document that is one entry of the stream.
    pub(super) fn entry(
        &self,
        name: String,
        bytes: Vec<u8>,
        modified: Option<Timestamp>,
    ) -> Document {
        Document {
            name,
            path: self.path.clone(),
            named: false,
            bytes,
            truncated: false,
            modified: modified.or(self.modified),
        }
    }

    pub(super) fn reject(&self, code: InputCode, message: impl Into<String>) -> InputProblem {
        InputProblem::reject(&self.name, code, message)
    }

    pub(super) fn warn(&self, code: InputCode, message: impl Into<String>) -> InputProblem {
        InputProblem::warn(&self.name, code, message)
    }
}

/// Reads a stream of any supported kind.
pub(super) fn unpack(label: &Label, mut reader: impl Read) -> Loaded {
    let head = match read_head(&mut reader) {
        Ok(head) => head,
        Err(error) => return vec![Err(label.reject(InputCode::Io, cannot_read(&error)))],
    };
    let kind = Kind::of(&head);
    if kind == Kind::Plain {
        return vec![plain(label, head, reader)];
    }
    let whole = Cursor::new(head).chain(reader);
    let meter = Meter::default();
    match kind {
        Kind::Plain => Loaded::new(),
        Kind::Gzip => {
            let members = Members::new(BufReader::with_capacity(BUFFER_BYTES, meter.input(whole)));
            inflated(label, kind, members, &meter)
        }
        Kind::Zstd => {
            let buffered = BufReader::with_capacity(BUFFER_BYTES, meter.input(whole));
            match zstd::stream::read::Decoder::with_buffer(buffered) {
                Ok(decoder) => inflated(label, kind, decoder, &meter),
                Err(error) => vec![Err(label.reject(InputCode::Io, cannot_read(&error)))],
            }
        }
        Kind::Zip => match read_bounded(whole, Vec::new(), REPORT_BYTES_MAX) {
            Ok(bytes) => zip::entries(label, &bytes),
            Err(problem) => vec![Err(problem.into_problem(label))],
        },
        Kind::Tar => tar::entries(label, Bounded::archive(whole, ARCHIVE_BYTES_MAX)),
        Kind::Foreign(word) => {
            let message = format!("is {word}, which is not read; {SUPPORTED}");
            vec![Err(label.reject(InputCode::Archive, message))]
        }
    }
}

fn plain(label: &Label, mut head: Vec<u8>, rest: impl Read) -> Result<Document, InputProblem> {
    let room = REPORT_BYTES_MAX.saturating_sub(head.len() as u64);
    // One allocation for a file whose size is known, and none for the size that a liar claims.
    head.reserve(usize::try_from(label.length.min(room)).unwrap_or(0));
    match read_bounded(rest, head, REPORT_BYTES_MAX) {
        Ok(bytes) => Ok(label.document(bytes, false)),
        Err(error) => Err(error.into_problem(label)),
    }
}

/// Why a stream could not be read whole.
enum Unread {
    TooBig(u64),
    Io(io::Error),
}

impl Unread {
    fn into_problem(self, label: &Label) -> InputProblem {
        match self {
            Self::TooBig(limit) => label.reject(
                InputCode::TooBig,
                format!("is larger than {} MiB, the limit; split it", limit >> 20),
            ),
            Self::Io(error) if error.kind() == ErrorKind::IsADirectory => {
                label.reject(InputCode::IsDirectory, "is a directory; name the files in it")
            }
            Self::Io(error) => label.reject(InputCode::Io, cannot_read(&error)),
        }
    }
}

/// Reads what follows `bytes`, up to `bytes_max` together.
fn read_bounded(reader: impl Read, mut bytes: Vec<u8>, bytes_max: u64) -> Result<Vec<u8>, Unread> {
    let room = bytes_max.saturating_sub(bytes.len() as u64);
    reader.take(room + 1).read_to_end(&mut bytes).map_err(Unread::Io)?;
    if bytes.len() as u64 > bytes_max { Err(Unread::TooBig(bytes_max)) } else { Ok(bytes) }
}

/// The first bytes of a stream, fewer only at its end.
fn read_head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    reader.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Reads what a decompressor gives: one report, or a tar.
fn inflated(label: &Label, outer: Kind, mut decoder: impl Read, meter: &Meter) -> Loaded {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let begun = decoder.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head);
    match (Kind::of(&head), begun) {
        (Kind::Tar, Ok(_)) => {
            let stream = Cursor::new(head).chain(decoder);
            tar::entries(label, Bounded::metered(stream, meter, ARCHIVE_BYTES_MAX))
        }
        (Kind::Plain, Ok(_)) => {
            let stream = meter.output(Cursor::new(head).chain(decoder), REPORT_BYTES_MAX);
            let mut bytes = Vec::new();
            let ended = read_keeping(stream, &mut bytes);
            finish(label, outer, bytes, ended, meter.excess())
        }
        (Kind::Plain | Kind::Tar, Err(error)) => finish(label, outer, head, Err(error), None),
        (inner, _) => {
            let (outer, inner) = (outer.word(), inner.word());
            let message = format!(
                "is {inner} inside {outer}; nested archives are not read: unpack the outer one"
            );
            vec![Err(label.reject(InputCode::Archive, message))]
        }
    }
}

/// Reads to the end and keeps in `bytes` what came before an error.
pub(super) fn read_keeping(mut stream: impl Read, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The report of a compressed stream that ended well, early or wrongly.
fn finish(
    label: &Label,
    outer: Kind,
    bytes: Vec<u8>,
    ended: io::Result<()>,
    excess: Option<Excess>,
) -> Loaded {
    match (ended, excess) {
        (_, Some(excess)) => vec![Err(label.reject(InputCode::TooBig, excess.message()))],
        (Ok(()), None) => vec![Ok(label.document(bytes, false))],
        (Err(error), None) => match Break::of(&error) {
            Break::Cut => vec![Ok(label.document(bytes, true))],
            Break::Trailing => vec![
                Ok(label.document(bytes, false)),
                Err(label.warn(InputCode::Damaged, error.to_string())),
            ],
            Break::Damaged => {
                let message = format!(
                    "is damaged {}: {error}; what came before the damage was read, upload it again",
                    outer.word()
                );
                vec![Ok(label.document(bytes, true)), Err(label.warn(InputCode::Damaged, message))]
            }
            Break::Unreadable => vec![Err(label.reject(InputCode::Io, cannot_read(&error)))],
        },
    }
}

/// What an error while decompressing means for the bytes before it.
pub(super) enum Break {
    /// The stream ends early.
    Cut,
    /// The stream is whole; something else follows it.
    Trailing,
    /// A checksum or the coding is wrong.
    Damaged,
    /// The operating system refused.
    Unreadable,
}

impl Break {
    pub(super) fn of(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Cut,
            _ if error.get_ref().is_some_and(|inner| inner.is::<Trailing>()) => Self::Trailing,
            // Only the operating system sets a code; decompressors make their own errors.
            _ if error.raw_os_error().is_some() => Self::Unreadable,
            _ => Self::Damaged,
        }
    }
}

/// Bytes behind the last gzip member that are neither padding nor another member.
#[derive(Debug, thiserror::Error)]
#[error("something follows the compressed data and was ignored; check how the file was made")]
struct Trailing;

/// All members of a gzip file as one stream, as `gzip -d` gives them: zero padding at the end is
/// fine, anything else there is an error after all data was given.
struct Members<R: io::BufRead> {
    decoder: Option<GzDecoder<R>>,
}

impl<R: io::BufRead> Members<R> {
    fn new(reader: R) -> Self {
        Self { decoder: Some(GzDecoder::new(reader)) }
    }

    /// Takes up the next member; false at the end of the file.
    fn next_member(&mut self) -> io::Result<bool> {
        let Some(decoder) = self.decoder.take() else { return Ok(false) };
        let mut reader = decoder.into_inner();
        let next = loop {
            let ahead = reader.fill_buf()?;
            match (ahead.iter().position(|&byte| byte != 0), ahead.len()) {
                (_, 0) => return Ok(false),
                (None, length) => reader.consume(length),
                (Some(zeros), _) => break (zeros, ahead.get(zeros).copied()),
            }
        };
        match next {
            (0, Some(0x1f)) => {
                self.decoder = Some(GzDecoder::new(reader));
                Ok(true)
            }
            _ => Err(io::Error::other(Trailing)),
        }
    }
}

impl<R: io::BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            if !self.next_member()? {
                break;
            }
        }
        Ok(0)
    }
}

/// A tar stream with its limit.
pub(super) struct Bounded<R> {
    pub(super) reader: R,
    pub(super) meter: Meter,
}

impl<R: Read> Bounded<super::meter::Output<R>> {
    fn metered(reader: R, meter: &Meter, bytes_max: u64) -> Self {
        Self { reader: meter.output(reader, bytes_max), meter: meter.clone() }
    }
}

impl<R: Read> Bounded<super::meter::Output<super::meter::Input<R>>> {
    /// An archive that is not compressed: what goes in is what comes out.
    fn archive(reader: R, bytes_max: u64) -> Self {
        let meter = Meter::default();
        Self { reader: meter.output(meter.input(reader), bytes_max), meter }
    }
}
