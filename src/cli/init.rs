//! `flakedb init`: a configuration file to start from.

use std::io::Write as _;
use std::path::Path;

use crate::config;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::Global;

/// Write a flakedb.toml with every key explained
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb init            write flakedb.toml here
  flakedb init --print    show it only")]
pub struct Args {
    /// Print the file instead of writing it
    #[arg(long)]
    print: bool,
}

/// Writes or prints the template.
///
/// # Errors
/// Where there is a file already, or it cannot be written.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    // A broken file above would make every later command fail: better to hear of it now.
    let settled = global.settle()?;
    if args.print {
        console.print(config::TEMPLATE)?;
        return Ok(exit::FINE);
    }
    let path = Path::new(config::FILE_NAME);
    let mut file = std::fs::File::create_new(path).map_err(|error| {
        let error = anyhow::Error::new(error);
        Failure::usage(error.context(format!("cannot create {}", path.display())))
            .hint("`flakedb init --print` shows the template without writing it")
    })?;
    file.write_all(config::TEMPLATE.as_bytes())?;
    console.print(&format!("Wrote {}. Every key in it is optional.\n", path.display()))?;
    if let Some(above) = settled.path {
        console.note(&format!("it hides {}", above.display()));
    }
    console.note("next: flakedb ingest PATH…, where PATH is what your test runner wrote");
    Ok(exit::FINE)
}
