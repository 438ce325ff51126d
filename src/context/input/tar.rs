//! Reports in a tar archive, compressed or not.

use std::io::Read;

use tar::{Archive, EntryType};

use super::gather::{Entry, Gathered};
use super::unpack::{Bounded, Break, Label, Loaded, read_keeping};
use super::{InputCode, InputProblem};
use crate::model::Timestamp;
use crate::model::limits::{ARCHIVE_ENTRIES_MAX, REPORT_BYTES_MAX};

/// Reads the reports of a tar stream; only the kept ones lie in memory.
pub(super) fn entries<R: Read>(label: &Label, stream: Bounded<R>) -> Loaded {
    let Bounded { reader, meter } = stream;
    let mut gathered = Gathered::new(label);
    let mut archive = Archive::new(reader);
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return vec![Err(broken(label, &error))],
    };
    for (index, entry) in entries.enumerate() {
        let mut entry = match (entry, meter.excess()) {
            (Ok(entry), None) => entry,
            (_, Some(excess)) => {
                gathered.push(label.reject(InputCode::TooBig, excess.message()));
                break;
            }
            (Err(error), None) => {
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
        let kind = entry.header().entry_type();
        let is_file =
            matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse);
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        let path = entry.path_bytes().into_owned();
        let Entry::Report(name) = gathered.judge(&path, is_file, is_link) else { continue };
        if entry.size() > REPORT_BYTES_MAX {
            let message =
                format!("is larger than {} MiB, the limit; split it", REPORT_BYTES_MAX >> 20);
            gathered.push(InputProblem::reject(&name, InputCode::TooBig, message));
            continue;
        }
        let seconds = entry.header().mtime().ok().and_then(|time| i64::try_from(time).ok());
        // Reproducible archives set every time to zero, which says nothing.
        let modified = seconds.filter(|&time| time > 0).and_then(|time| time.checked_mul(1_000));
        let size = entry.size();
        let mut content = Vec::new();
        let ended = read_keeping(&mut entry, &mut content);
        if let Some(excess) = meter.excess() {
            gathered.push(label.reject(InputCode::TooBig, excess.message()));
            break;
        }
        let broken = match ended {
            Err(error) => Some(Break::of(&error)),
            // The tar reader takes the end of the stream for the end of the entry.
            Ok(()) if (content.len() as u64) < size => Some(Break::Cut),
            Ok(()) => None,
        };
        gathered.keep(&name, content, modified.map(Timestamp), broken.as_ref());
    }
    gathered.finish()
}

fn broken(label: &Label, error: &std::io::Error) -> InputProblem {
    label.reject(
        InputCode::Archive,
        format!("is a broken tar archive: {error}; what came before was read, upload it again"),
    )
}
