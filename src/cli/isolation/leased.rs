//! Homes with leases, a directory, and what the configuration says: by the testkit.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::ops::parallel::home::Home;
use crate::testkit::parallel::{Isolated, Isolation, Worker};

use super::{House, merged};

/// A worker's home.
struct OwnHome {
    isolated: Isolated,
    variables: Vec<(OsString, OsString)>,
}

/// Lends what is configured, and makes the directory.
///
/// # Errors
/// In words: which resource there is not enough of, and what to do.
pub(super) fn furnish(house: &House, worker: u32, workers: u32) -> Result<Box<dyn Home>, String> {
    let section = &house.section;
    let mut isolation = Isolation::of(Worker::numbered(worker))
        .home(section.home)
        .keep(section.keep)
        .wait(Duration::from_secs(section.wait.into()))
        .value("workers", &workers.to_string())
        .value("run", &house.run);
    for (name, spec) in section.leases() {
        let is_ports = name.split('_').any(|word| word == "PORT" || word == "PORTS");
        isolation = if is_ports {
            isolation.ports(name, spec.range(), spec.step())
        } else {
            isolation.blocks(name, spec.range(), spec.step())
        };
    }
    for (name, text) in &section.env {
        isolation = isolation.variable(name, text);
    }
    let isolated = isolation.enter().map_err(|error| error.to_string())?;
    let variables = merged(house.told(worker, workers), isolated.variables());
    Ok(Box::new(OwnHome { isolated, variables }))
}

impl Home for OwnHome {
    fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    fn shared(&self) -> &[String] {
        &[]
    }

    fn leave(self: Box<Self>, failed: bool) -> Option<PathBuf> {
        self.isolated.leave(failed)
    }
}
