//! What all formats have in common.

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

/// The runs of a document, in order, and the account.
pub(super) fn read(format: &Format, bytes: &[u8]) -> (Vec<Run>, Account) {
    let runs = Mutex::new(Vec::new());
    let source = Source { bytes, truncated: false };
    let account = format.read(&source, &|run| runs.lock().unwrap().push(run));
    let mut runs = runs.into_inner().unwrap();
    runs.sort_by_key(|run| run.place);
    (runs, account)
}
proptest! {
    #[test]
    fn no_bytes_at_all_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Format::detect(&bytes);
        for format in FORMATS {
            let (runs, account) = read(format, &bytes);
            prop_assert_eq!(runs.len() as u64, account.runs);
        }
    }
}
