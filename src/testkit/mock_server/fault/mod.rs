//! Breaking answers: what breaks, when, and how it looks in bytes.
//!
//! A [`Fault`] is a way to break, a [`FaultRule`] says when it strikes. `decide` draws from the
//! seeded chance of one request which faults strike it, `apply` turns its answer into the broken
//! one; both are pure. What was decided is kept as a [`Decision`], and [`Decisions`] read from a
//! journal decide the same again.
//!
//! Faults of one answer go in stages, whatever their order in the rules: what answers in its place
//! (`status`, `refuse`, `empty`, `garbage`; the first of them counts), what changes lines
//! (`malformed_json`, `error_line`, `no_done`, …), what changes their ends (`crlf`, `bom`,
//! `no_last_newline`), where it ends by byte or frame (`reset`, `stall`, `cut`; the first counts),
//! how it is split (`merge`, `slice`, `dribble`), and where it ends by time.

mod decisions;
mod ends;
mod framing;
mod kind;
mod lines;
mod preset;
mod read;
mod replacing;
mod rule;
mod schedule;
#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::script::{Delivery, End, Script};

pub use decisions::{Decision, Decisions, DecisionsError};
pub use kind::{ErrorStyle, Fault, LINE_BYTES_MAX, RetryAfter};
pub use preset::{ChaosError, Preset, STALL_TIME, chaos};
pub use rule::{FaultError, FaultRule};
pub use schedule::Schedule;

/// What a fault needs of the API whose answer it breaks.
pub(crate) struct Breakable<'a> {
    /// The API's own error answer.
    pub(crate) refuse: &'a dyn Fn(u16, &str) -> Script,
    /// The bytes of an error after the first frame.
    pub(crate) broken_off: &'a dyn Fn(&str) -> Bytes,
}

/// The faults of all rules that strike the `n`-th time (from 1) that this request is seen.
///
/// `path` is that of its route; `chance` derives from the seed and the request.
pub(crate) fn decide(rules: &[FaultRule], path: &str, n: u64, chance: &Chance) -> Vec<Fault> {
    let strikes = |(index, rule): (usize, &FaultRule)| rule.strike(index, path, n, chance);
    rules.iter().enumerate().flat_map(strikes).collect()
}

/// A delivery as it goes out to a HEAD request.
pub(crate) fn to_head(delivery: Delivery) -> Delivery {
    match delivery {
        Delivery::Http(script) if script.end != End::Complete => ends::after_head(&script),
        other => other,
    }
}

/// The answer, broken by all of `faults`.
pub(crate) fn apply(faults: &[Fault], script: Script, api: &Breakable<'_>) -> Delivery {
    let mut script = script;
    if let Some(fault) = faults.iter().find(|fault| fault.replaces()) {
        script = match replacing::answer(fault, script, api) {
            Delivery::Http(script) => script,
            broken => return broken,
        };
    }
    for fault in faults {
        script = lines::change(fault, script, api);
    }
    for fault in faults {
        script = framing::change_line_ends(fault, script);
    }
    let early = faults.iter().filter_map(Fault::ending).find(|ending| !ending.is_timed());
    if let Some(ending) = &early {
        script = match ends::end(ending, script) {
            Delivery::Http(script) => script,
            broken => return broken,
        };
    }
    for fault in faults {
        script = framing::split(fault, script);
    }
    let late = faults.iter().filter_map(Fault::ending).find(ends::Ending::is_timed);
    match late {
        Some(ending) => ends::end(&ending, script),
        None => Delivery::Http(script),
    }
}
