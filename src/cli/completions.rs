//! `flakedb completions`: scripts for the shells.

use clap_complete::Shell;

use super::console::Console;
use super::failure::Failure;
use super::{Arguments, exit};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb completions bash > ~/.local/share/bash-completion/completions/flakedb
  flakedb completions zsh > ~/.zfunc/_flakedb
  flakedb completions fish > ~/.config/fish/completions/flakedb.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(args: &Args, console: &Console) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "flakedb", &mut script);
    console.print(&String::from_utf8_lossy(&script))?;
    Ok(exit::FINE)
}
