//! Recording a real server's answers, with their times, and playing them again.
//!
//! [`forward`] passes a request on to a real server and its answer back, piece by piece as it
//! comes; once the answer is whole there is a [`Tape`] of it. A [`Cassette`] holds tapes; written
//! out it is a rule file, each tape a stub that matches what was asked. Headers of requests are not
//! kept at all, so no key gets into a cassette.

mod cassette;
mod forward;
mod tape;
#[cfg(test)]
mod tests;

pub use cassette::{Cassette, CassetteError};
pub use forward::{ForwardError, Forwarded, Upstream, UpstreamError, forward};
pub use tape::{Said, Tape, TapeFrame, Wording};
