//! L6: the command line. One file per command: its arguments, the request they make, the screen
//! they end in and the exit code.

pub mod compare_methods;
pub mod completions;
pub mod console;
#[cfg(feature = "testkit")]
pub mod contracts;
pub mod db;
pub mod exit;
pub mod failure;
pub mod gate;
pub mod gate_rules;
#[cfg(feature = "testkit")]
pub mod generate;
pub mod global;
pub mod hunt;
mod hunt_order;
pub mod ingest;
pub mod init;
pub mod isolate;
pub mod isolation;
pub mod judging;
pub mod list;
pub mod man;
#[cfg(feature = "testkit")]
pub mod mock;
pub mod numbers;
pub mod output;
pub mod progress;
pub mod quarantine;
pub mod question;
pub mod report;
pub mod run;
pub mod run_context;
pub mod show;
pub mod span;
pub mod split;
pub mod validate;
pub mod window;
pub mod workers;

use std::process::ExitCode;

use clap::{FromArgMatches as _, Parser, Subcommand};

use console::Console;
use failure::Failure;
use global::Global;

/// Find flaky tests, fence them off, and fix them
///
/// flakedb reads the JUnit XML of any test runner into one SQLite file and says, with evidence,
/// which tests are flaky, which are broken, which are fixed, and which failed only because the
/// machine did. No account, no service, no network.
#[derive(Debug, Parser)]
#[command(name = "flakedb", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = exit::HELP, after_long_help = after_long_help())]
pub struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  flakedb ingest 'target/**/TEST-*.xml'   read what the last test run wrote
  flakedb report                          which tests are flaky, broken, fixed
  flakedb show test_checkout              one test, with its evidence
  flakedb quarantine --emit pytest        the flaky tests, as pytest takes them";

fn after_long_help() -> String {
    format!("{EXAMPLES}\n\n{}", exit::HELP)
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Ingest(ingest::Args),
    Validate(validate::Args),
    Report(report::Args),
    Show(show::Args),
    Quarantine(Box<quarantine::Args>),
    Gate(gate::Args),
    Run(run::Args),
    Hunt(hunt::Args),
    Split(split::Args),
    Isolate(isolate::Args),
    CompareMethods(compare_methods::Args),
    Db(db::Args),
    #[cfg(feature = "testkit")]
    Mock(Box<mock::Args>),
    #[cfg(feature = "testkit")]
    Generate(generate::Args),
    #[cfg(feature = "testkit")]
    Contracts(contracts::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let parsed = without_empty_variables(Arguments::command())
        .color(console::asked_for(std::env::args_os().skip(1)))
        .try_get_matches()
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => {
            if run::is_asked_for(std::env::args_os().skip(1)) && error.use_stderr() {
                // A command that did not run has no code of its own: 2 could be its.
                let _ = error.print();
                return ExitCode::from(exit::FAILED);
            }
            if let Some((code, said)) = gate::of_unreadable(std::env::args_os()) {
                return gate::refuse(&error, code, &said);
            }
            // Help and version go to standard output; a closed pipe there is nobody's fault.
            let _ = error.print();
            let wrong = error.use_stderr() && !ingest::never_fails(std::env::args_os());
            return ExitCode::from(if wrong { exit::USAGE } else { exit::FINE });
        }
    };
    let console = arguments.global.console();
    match arguments.run(&console) {
        Ok(code) => ExitCode::from(code),
        Err(failure) if failure.is_broken_pipe() => ExitCode::from(exit::FINE),
        Err(failure) => {
            if let Some(error) = &failure.error {
                console.error(&format!("{error:#}"), failure.hint.as_deref());
            }
            ExitCode::from(failure.code)
        }
    }
}

/// CI sets variables that have no value to the empty text; to us they are not set.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty =
        |name: &std::ffi::OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    command
        .mut_args(|arg| match arg.get_env().is_some_and(is_empty) {
            true => arg.env(clap::builder::Resettable::Reset),
            false => arg,
        })
        .mut_subcommands(without_empty_variables)
}

impl Arguments {
    fn run(self, console: &Console) -> Result<u8, Failure> {
        let Self { global, command } = self;
        match command {
            Command::Init(args) => init::run(&args, &global, console),
            Command::Ingest(args) => ingest::run(&args, &global, console),
            Command::Validate(args) => validate::run(&args, console),
            Command::Report(args) => report::run(&args, &global, console),
            Command::Show(args) => show::run(&args, &global, console),
            Command::Quarantine(args) => quarantine::run(&args, &global, console),
            Command::Gate(args) => gate::run(&args, &global, console),
            Command::Run(args) => run::run(&args, &global, console),
            Command::Hunt(args) => hunt::run(&args, &global, console),
            Command::Split(args) => split::run(&args, &global, console),
            Command::Isolate(args) => isolate::run(&args, &global, console),
            Command::CompareMethods(args) => compare_methods::run(&args, &global, console),
            Command::Db(args) => db::run(&args, &global, console),
            #[cfg(feature = "testkit")]
            Command::Mock(args) => mock::run(&args, console),
            #[cfg(feature = "testkit")]
            Command::Generate(args) => generate::run(&args, console),
            #[cfg(feature = "testkit")]
            Command::Contracts(args) => contracts::run(&args, console),
            Command::Completions(args) => completions::run(&args, console),
            Command::Man(args) => man::run(&args, console),
        }
    }

    /// The command line as clap knows it, for completions, man pages and the reference.
    #[must_use]
    pub fn command() -> clap::Command {
        <Self as clap::CommandFactory>::command()
    }
}
