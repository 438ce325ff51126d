//! `flakedb-run.toml`: what it says about the run, or where it is wrong.

use flakedb::context::sidecar::{SidecarError, parse};
use flakedb::model::Variant;

/// The text of a file.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse(&text, "flakedb-run.toml") {
        Ok(facts) => {
            for filled in [&facts.project, &facts.revision, &facts.branch, &facts.shard] {
                let is_filled = |text: &String| !text.is_empty() && text.trim() == text;
                assert!(filled.as_ref().is_none_or(is_filled), "{facts:?}");
            }
            assert!(facts.attempt.is_none_or(|number| number > 0));
            if let Some(variant) = &facts.variant {
                // What the history stores is what was said.
                let again: Variant = variant.to_string().parse().unwrap();
                assert_eq!(&again, variant);
            }
        }
        Err(SidecarError::Invalid { line, column, reason, .. }) => {
            assert!(line >= 1 && line <= text.matches('\n').count() + 1, "{line} of {text:?}");
            assert!(column >= 1 && !reason.is_empty());
        }
        Err(other) => panic!("{other}"),
    }
}
