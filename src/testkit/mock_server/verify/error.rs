//! What a failed verification says.

use std::fmt;

use serde::Serialize;

/// Near misses shown at most; the others are counted.
const NEAR_MISSES_SHOWN: usize = 10;
/// Lines of the journal shown at most, the newest.
const JOURNAL_SHOWN: usize = 20;

/// A request that was not counted, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearMiss {
    /// The request's index in the journal.
    pub request: u64,
    /// How it differs: `differs in the user text: wants "weather", got "wether"`.
    pub differs: String,
}

/// Requests that are not those expected.
#[derive(Clone, PartialEq, thiserror::Error)]
pub struct VerifyError {
    /// What was wanted.
    pub wanted: String,
    /// What is wrong: `got 1`.
    pub got: String,
    /// The requests that were counted.
    pub counted: Vec<u64>,
    /// All others, nearest first.
    pub near_misses: Vec<NearMiss>,
    /// The journal, a line a request.
    pub journal: Vec<String>,
    /// How many requests are no longer in the journal because it was full.
    pub dropped: u64,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "wanted {}, {}", self.wanted, self.got)?;
        if !self.counted.is_empty() {
            let counted: Vec<String> = self.counted.iter().map(u64::to_string).collect();
            write!(formatter, "\n  counted: request {}", counted.join(", "))?;
        }
        for miss in self.near_misses.iter().take(NEAR_MISSES_SHOWN) {
            write!(formatter, "\n  request {} {}", miss.request, miss.differs)?;
        }
        let more = self.near_misses.len().saturating_sub(NEAR_MISSES_SHOWN);
        if more > 0 {
            write!(formatter, "\n  and {more} more that differ")?;
        }
        match (self.journal.is_empty(), self.dropped) {
            (true, 0) => return write!(formatter, "\nthe journal is empty: no request came"),
            (true, dropped) => {
                return write!(
                    formatter,
                    "\nthe journal is empty; requests that it dropped: {dropped}"
                );
            }
            (false, 0) => {}
            (false, dropped) => {
                write!(formatter, "\nthe journal was full; requests that it dropped: {dropped}")?;
            }
        }
        let hidden = self.journal.len().saturating_sub(JOURNAL_SHOWN);
        match hidden {
            0 => write!(formatter, "\nthe journal:")?,
            hidden => write!(formatter, "\nthe journal, without the first {hidden}:")?,
        }
        for line in self.journal.iter().skip(hidden) {
            write!(formatter, "\n  {line}")?;
        }
        Ok(())
    }
}

/// The same as its text, so that `unwrap` in a test shows it readably.
impl fmt::Debug for VerifyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
