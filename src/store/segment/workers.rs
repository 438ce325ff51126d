//! The blob that says which worker ran which result of a report, where several did.
//!
//! ```text
//! blob   = version, column, checksum
//! column = names, { length, UTF-8 }, { run, number }
//! ```
//!
//! A run is of results with one worker, by its number; 0 is none.

use super::varint::{self, Cursor};
use super::{Decoder, Encoder, SegmentError, checksum, push_stretch, take_stretch, unsealed};
use crate::model::Workers;
use crate::model::limits::{LABEL_BYTES_MAX, WORKERS_MAX};

/// The version this code writes, and the only one so far.
pub(super) const VERSION: u8 = 1;
/// A run of one result takes a byte, and its number two at most; longer runs take less each.
const RESULT_BYTES_MAX: usize = 3;
const NAMES_BYTES_MAX: usize = WORKERS_MAX * (LABEL_BYTES_MAX + 2) + 2;

impl Encoder {
    /// The workers of so many results.
    #[must_use]
    pub fn workers(&mut self, workers: &Workers, results: usize) -> Vec<u8> {
        let mut raw = Vec::new();
        varint::push(&mut raw, workers.names().len() as u64);
        for name in workers.names() {
            varint::push(&mut raw, name.len() as u64);
            raw.extend_from_slice(name.as_bytes());
        }
        let mut result = 0;
        while result < results {
            let number = workers.number_of(result);
            let same = (result..results).take_while(|at| workers.number_of(*at) == number).count();
            varint::push(&mut raw, same as u64);
            varint::push(&mut raw, u64::from(number));
            result += same;
        }
        let squeezed = self.squeeze(&raw);
        let mut out = vec![VERSION];
        push_stretch(&mut out, &raw, squeezed.as_deref());
        let sum = checksum(&out);
        out.extend_from_slice(&sum);
        out
    }
}

impl Decoder {
    /// Reads the workers of so many results.
    ///
    /// # Errors
    /// [`SegmentError`] where the bytes are not what [`Encoder::workers`] writes.
    pub fn workers(&mut self, blob: &[u8], results: usize) -> Result<Workers, SegmentError> {
        let bytes = unsealed(blob, VERSION)?;
        let mut cursor = Cursor::new(bytes);
        cursor.byte()?;
        let (stored, squeezed) = take_stretch(&mut cursor)?;
        if !cursor.rest().is_empty() {
            return Err(SegmentError::Invalid("the end of its workers"));
        }
        if !squeezed {
            return pull(stored, results);
        }
        let max = results.saturating_mul(RESULT_BYTES_MAX).saturating_add(NAMES_BYTES_MAX);
        let mut raw = std::mem::take(&mut self.scratch);
        let read = self.expand(stored, max, &mut raw).and_then(|()| pull(&raw, results));
        self.scratch = raw;
        read
    }
}

fn pull(raw: &[u8], results: usize) -> Result<Workers, SegmentError> {
    let mut cursor = Cursor::new(raw);
    let count = cursor.bounded(WORKERS_MAX, "the number of workers")?;
    let mut names = Vec::new();
    for _ in 0..count {
        let length = cursor.bounded(LABEL_BYTES_MAX, "the length of a worker's name")?;
        let name = std::str::from_utf8(cursor.take(length)?);
        names.push(name.map_err(|_| SegmentError::Invalid("a worker's name"))?.to_owned());
    }
    let mut of: Vec<u16> = Vec::new();
    while !cursor.rest().is_empty() {
        let left = results - of.len();
        let same = cursor.bounded(left, "a run of workers")?;
        let number = cursor.bounded(count, "a worker")?;
        if same == 0 {
            return Err(SegmentError::Invalid("a run of workers"));
        }
        of.resize(of.len() + same, number as u16);
    }
    if of.len() == results {
        Ok(Workers::new(names, of))
    } else {
        Err(SegmentError::Count { what: "workers", found: of.len(), expected: results })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn workers(numbers: &[u16]) -> Workers {
        let names = (0..300).map(|no| format!("gw{no}")).collect();
        Workers::new(names, numbers.to_vec())
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            numbers in prop::collection::vec(prop_oneof![3 => 0_u16..3, 1 => 0_u16..=300], 0..400),
        ) {
            let mut all = workers(&numbers);
            let blob = Encoder::default().workers(&all, numbers.len());
            let read = Decoder::default().workers(&blob, numbers.len()).unwrap();
            prop_assert_eq!(&read, &all);
            let more = Decoder::default().workers(&blob, numbers.len() + 1);
            let wrong_count = matches!(more, Err(SegmentError::Count { .. }));
            prop_assert!(wrong_count);
            // Results behind the last known one have none.
            all.set(numbers.len() + 2, 1);
            let blob = Encoder::default().workers(&all, numbers.len() + 3);
            let read = Decoder::default().workers(&blob, numbers.len() + 3).unwrap();
            prop_assert_eq!(read.of(numbers.len()), None);
            prop_assert_eq!(read.of(numbers.len() + 2), Some("gw0"));
        }

        #[test]
        fn damaged_bytes_are_an_error_and_never_a_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200), results in 0_usize..50,
        ) {
            let _ = Decoder::default().workers(&bytes, results);
            let _ = pull(&bytes, results);
            let blob = Encoder::default().workers(&workers(&[1, 1, 2, 0]), 4);
            for place in 0..blob.len() {
                let mut damaged = blob.clone();
                damaged[place] ^= 1 << (results % 8);
                prop_assert!(Decoder::default().workers(&damaged, 4).is_err());
            }
        }
    }
}
