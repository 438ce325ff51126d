//! L1: everything around one run that is not in its reports.
//!
//! Which files are meant ([`input`]), what CI ([`ci`]), git ([`git`]) and a file beside the reports
//! ([`sidecar`]) say about the run, who wins where they differ ([`resolve`]), and who owns a path
//! ([`owners`]). Knows the file system and the environment; knows nothing of JUnit XML, of the
//! history or of the command line.

//CI
mod facts;
//GIT
pub mod input;
//OWN
mod remote;
//RES
//SID

pub use facts::{Facts, Overrides};
pub use remote::project_of_url;
//USERES pub use resolve::{Surroundings, resolve};
