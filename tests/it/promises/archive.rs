//! Archives and compressed streams: bounded, with names that are safe to print.

use std::io::Write as _;

use flakedb::context::input::{Names, documents};
use flakedb::model::limits;

/// A stream whose first byte says how it is packed once more.
pub(crate) fn check(bytes: &[u8]) {
    let Some((&packed, rest)) = bytes.split_first() else { return };
    let stream = match packed % 4 {
        1 => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(rest).unwrap();
            encoder.finish().unwrap()
        }
        2 => zstd::bulk::compress(rest, 1).unwrap(),
        _ => rest.to_vec(),
    };
    let names = Names::new(&[".xml", ".json", ".last-run.json"]);
    let loaded = documents("the archive", stream.as_slice(), &names);
    assert!(!loaded.is_empty(), "a stream gives a document or a problem");
    let mut sum = 0;
    for one in &loaded {
        let name = match one {
            Ok(document) => {
                assert!(document.bytes.len() as u64 <= limits::REPORT_BYTES_MAX);
                assert!(document.path.is_none(), "nothing of an archive lies on the disk");
                sum += document.bytes.len() as u64;
                &document.name
            }
            Err(problem) => {
                assert!(!problem.message.is_empty());
                &problem.name
            }
        };
        assert!(name.starts_with("the archive"), "{name}");
        assert!(!name.chars().any(char::is_control), "{name:?}");
    }
    // However many entries it has: one allowance for all of them.
    let grown = limits::COMPRESSION_RATIO_MAX.saturating_mul(stream.len() as u64);
    let most = grown.max(limits::COMPRESSION_RATIO_FREE_BYTES);
    assert!(sum <= most, "{sum} bytes out of {}", stream.len());
}
