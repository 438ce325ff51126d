//! Segments, and the lists of workers beside them.

use flakedb::store::segment::{Decoder, Encoder, fuzz};

/// The bytes of a segment, as they are and with a checksum that holds.
pub(crate) fn check(bytes: &[u8]) {
    fuzz(bytes);
    let mut decoder = Decoder::default();
    let Some((&results, rest)) = bytes.split_first() else { return };
    let results = usize::from(results);
    if let Ok(workers) = decoder.workers(rest, results) {
        let again = Encoder::default().workers(&workers, results);
        assert_eq!(decoder.workers(&again, results), Ok(workers));
    }
}
