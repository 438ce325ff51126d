//! CODEOWNERS files: every line has its effect or its problem, whatever the forge.

use flakedb::context::owners::{Flavour, Owners};

/// The text of a file; the paths that are asked for are its own words.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let paths: Vec<&str> =
        ["", "/", "a/b.rs", "\\..\\x"].into_iter().chain(text.split_whitespace().take(8)).collect();
    for flavour in [Flavour::GitHub, Flavour::GitLab, Flavour::Bitbucket] {
        let (owners, problems) = Owners::parse(&text, flavour);
        let lines = text.lines().count();
        for problem in &problems {
            assert!((1..=lines).contains(&problem.line), "{problem:?} of {lines} lines");
            assert!(!problem.message.is_empty());
        }
        for path in &paths {
            let found = owners.of(path);
            assert!(found.iter().all(|owner| !owner.is_empty()));
            let mut once = found.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), found.len(), "an owner is named twice: {found:?}");
            assert!(!owners.is_empty() || found.is_empty());
            let _ = owners.of_test("", path);
        }
    }
}
