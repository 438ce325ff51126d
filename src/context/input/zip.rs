//! Reports in a zip archive, as CI artifacts come.

use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::gather::{Entry, Gathered};
use super::meter::{Excess, Meter};
use super::unpack::{Break, Label, Loaded, read_keeping};
use super::{InputCode, InputProblem, SUPPORTED};
use crate::model::Timestamp;
use crate::model::limits::{ARCHIVE_BYTES_MAX, ARCHIVE_ENTRIES_MAX, REPORT_BYTES_MAX};

/// Reads the reports of a zip archive that lies in memory.
pub(super) fn entries(label: &Label, bytes: &[u8]) -> Loaded {
    let archive = match ZipArchive::from_slice(bytes) {
        Ok(archive) => archive,
        Err(error) => return vec![Err(broken(label, &error))],
    };
    let mut gathered = Gathered::new(label);
    let mut entries = archive.entries();
    let meter = Meter::default();
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
        let meter = meter.another();
        match read_entry(&archive, &header, &name, gathered.bytes, &meter) {
            Ok((content, broken)) => {
                gathered.keep(&name, content, modified(&header), broken.as_ref());
            }
            Err(problem) => gathered.push(problem),
        }
        // What follows has no room left either.
        if meter.excess() == Some(Excess::Ratio) {
            break;
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
    meter: &Meter,
) -> Result<(Vec<u8>, Option<Break>), InputProblem> {
    let refuse = |message: String| InputProblem::reject(name, InputCode::Archive, message);
    if header.flags().is_encrypted() {
        return Err(refuse("is encrypted; archive the reports without a password".to_owned()));
    }
    let entry = archive.get_entry(header.wayfinder()).map_err(|error| {
        refuse(format!("cannot be found in the zip archive: {error}; upload it again"))
    })?;
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
