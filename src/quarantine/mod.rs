//! L4: the quarantine. From verdicts to a list that a team reviews and a runner takes.
//!
//! [`policy`] decides what belongs on the list; [`emit`] writes the list for a runner. Both are
//! pure: the time and the owners are arguments.

pub mod emit;
pub mod policy;

pub use policy::{Entry, Plan, PolicySettings, plan};
