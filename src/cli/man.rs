//! `flakedb man`: the manual pages.

use std::path::PathBuf;

use anyhow::Context as _;

use super::console::Console;
use super::failure::Failure;
use super::{Arguments, exit};

/// Print the manual page, or write one page for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb man | man -l -
  flakedb man --output-dir ~/.local/share/man/man1")]
pub struct Args {
    /// Write flakedb.1, flakedb-ingest.1 and so on into this directory
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

/// Prints the page of the whole command, or writes all pages.
///
/// # Errors
/// Where standard output or the directory cannot be written.
pub fn run(args: &Args, console: &Console) -> Result<u8, Failure> {
    let command = Arguments::command();
    if let Some(directory) = &args.output_dir {
        std::fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(command, directory))
            .with_context(|| format!("cannot write manual pages into {}", directory.display()))
            .map_err(Failure::usage)?;
        return Ok(exit::FINE);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    console.print(&String::from_utf8_lossy(&page))?;
    Ok(exit::FINE)
}
