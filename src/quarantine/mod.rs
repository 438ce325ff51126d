//! L4: the quarantine. From verdicts to a list that a team reviews and a runner takes.
//!
//! [`policy`] decides what belongs on the list, [`list`] is the list as a team reviews it, and
//! [`emit`] writes it for a runner. All are pure: the time and the owners are arguments.

pub mod emit;
pub mod gate;
pub mod lint;
pub mod list;
pub mod policy;
pub mod record;
pub mod simulate;
#[cfg(test)]
mod testing;
pub mod update;

pub use policy::{Entry, Plan, PolicySettings, plan};
