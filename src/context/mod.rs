//! L1: everything around one run that is not in its reports.
//!
//! Which files are meant ([`input`]), what CI ([`ci`]), git ([`git`]) and a file beside the reports
//! ([`sidecar`]) say about the run, who wins where they differ ([`mod@resolve`]), and who owns a path
//! ([`owners`]). Knows the file system and the environment; knows nothing of JUnit XML, of the
//! history or of the command line.

pub mod child;
pub mod ci;
pub mod draft;
pub mod git;
pub mod input;
pub mod owners;
pub mod places;
pub mod redirect;
mod remote;
pub mod resolve;
pub mod sidecar;
mod start;
pub mod stopwatch;
pub mod written;
pub mod zone;

pub use crate::model::Facts;
pub use remote::project_of_url;
pub use resolve::{Overrides, Surroundings, resolve};
