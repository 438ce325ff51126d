//! Listings of runners: names, each once, or the line that is wrong.

use std::collections::HashSet;

use flakedb::listing::{LISTERS, ListedTest, Lister, Takes};

/// The text of a listing, read by each lister: any of them may be named with `--from`.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().count().max(1);
    let detected = Lister::detect(&text);
    assert!(LISTERS.iter().any(|lister| lister.name == detected.name));
    for lister in LISTERS {
        match (lister.read)(&text) {
            Ok(listing) => {
                let names = |test: &ListedTest| {
                    (test.word.clone(), test.test.classname.clone(), test.test.name.clone())
                };
                let once: HashSet<_> = listing.tests.iter().map(names).collect();
                assert_eq!(once.len(), listing.tests.len(), "{}: twice", lister.name);
                assert!(listing.tests.iter().all(|test| !test.word.is_empty()), "{}", lister.name);
                if let Takes::Files { file, seen } = lister.takes {
                    for test in &listing.tests {
                        let _ = (file(test), seen(test));
                    }
                }
            }
            Err(error) => {
                assert!((1..=lines + 1).contains(&error.line), "{}: {error:?}", lister.name);
                assert!(!error.message.is_empty());
            }
        }
    }
    let words: Vec<String> = text.split_whitespace().take(20).map(str::to_owned).collect();
    for lister in LISTERS {
        let _ = (lister.command)(&words);
    }
}
