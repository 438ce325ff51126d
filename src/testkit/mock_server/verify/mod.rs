//! Verification: what must have come, how often, in which order; and where it did not, which
//! requests came near and how they differ. The conditions are those of stubs.

mod check;
mod error;
mod expect;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use error::{NearMiss, VerifyError};
pub use expect::{Count, Expect, Expectation};

use super::journal::Entry;
use super::models::Models;

/// Checks what came against what must have come; gives the requests that it counted. `dropped` is how
/// many requests are no longer among the entries: a limit from above does not hold with any.
///
/// # Errors
/// [`VerifyError`] where they do not agree. Its text shows what was wanted, how often it came, the
/// near misses and the journal.
pub fn verify(
    expectation: &Expectation,
    entries: &[Arc<Entry>],
    dropped: u64,
    models: &Models,
) -> Result<Vec<Arc<Entry>>, Box<VerifyError>> {
    check::check(expectation, &check::Journal::read(entries, dropped, models))
}
