//! `flakedb isolate`: one command with resources that nobody else on the machine has.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use crate::config::{LeaseSpec, Leasing, WorkersSection};
use crate::context::child::{self, Watch};
use crate::ops::parallel::home::Housing;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::global::Global;
use super::isolation::House;
use super::span::parse_span;

/// What a command that runs in a worker of ours has already, and keeps.
const OUTER: [&str; 3] = ["FLAKEDB_WORKER", "FLAKEDB_WORKERS", "FLAKEDB_RUN_ID"];

/// Run a command with resources that nobody else on this machine has
///
/// The command finds a temporary directory of its own in TMPDIR, 100 ports in PORT_BASE, and what
/// the section `workers` of flakedb.toml and --lease give it. Others who ask for the same wait until
/// it has ended, however it ends; then the directory is removed. `flakedb run --workers` does the
/// same for each of its workers: this is for Makefiles, scripts and runners that flakedb does not
/// start.
///
/// Whoever does not ask is not held off: it is an agreement among those who do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb isolate -- ./run-tests.sh
  flakedb isolate --lease REDIS_DB=0..16 -- sh -c 'redis-cli -n $REDIS_DB flushdb && make test'
  flakedb isolate --lease PHONE=1..=2 --wait 10m -- ./gradlew connectedCheck
  flakedb isolate --env DATABASE_URL=postgres://localhost/app_{DB} --lease DB=0..8 -- npm test

Exit codes: the command's own; 2 wrong usage; 125 a resource is not to be had; 126 not executable;
127 not found; 128 + signal")]
pub struct Args {
    /// Lend a number of a range in a variable, such as REDIS_DB=0..16 (may be repeated)
    #[arg(long, value_name = "NAME=RANGE", value_parser = parse_lease)]
    lease: Vec<(String, LeaseSpec)>,
    /// Set a variable; {worker}, {tmp} and the names of leases are filled in (may be repeated)
    #[arg(long, value_name = "NAME=TEXT", value_parser = parse_variable)]
    env: Vec<(String, String)>,
    /// A home directory of its own as well
    #[arg(long)]
    home: bool,
    /// Keep the directory where the command fails
    #[arg(long)]
    keep: bool,
    /// Wait so long for what others hold, as 90s or 10m [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = parse_wait)]
    wait: Option<Duration>,
    /// The command, behind --
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

fn parse_lease(text: &str) -> Result<(String, LeaseSpec), String> {
    let (name, range) =
        text.split_once('=').ok_or("write a variable and its range, as REDIS_DB=0..16")?;
    let spec = range.parse::<LeaseSpec>().map_err(|error| error.to_string())?;
    Ok((name.to_owned(), spec))
}

fn parse_variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write a variable as NAME=TEXT")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A span of time, or none: who does not want to wait says 0.
fn parse_wait(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        span => parse_span(span),
    }
}

/// Runs the command, and gives back what it had.
///
/// # Errors
/// Wrong usage or configuration, a resource that is not to be had.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<u8, Failure> {
    let section = args.section(global.settle()?.file.workers);
    let words = |text: String| anyhow::anyhow!(text);
    let house = House::new(&section, &House::run_name(), None)
        .map_err(|error| Failure::usage(words(error)))?;
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let worker = set(OUTER[0]).and_then(|number| number.parse().ok()).unwrap_or(0);
    // Only this one asks for something; how many others there are is not known.
    let home = house
        .enter(worker, 1)
        .map_err(|error| Failure { code: exit::FAILED, ..Failure::usage(words(error)) })?;
    let (program, arguments) = args
        .command
        .split_first()
        .ok_or_else(|| Failure::usage(anyhow::anyhow!("there is no command behind --")))?;
    let mut command = Command::new(program);
    command.args(arguments);
    for (name, value) in home.variables() {
        let is_outer =
            name.to_str().is_some_and(|name| OUTER.contains(&name) && set(name).is_some());
        if !is_outer {
            command.env(name, value);
        }
    }
    let ended = child::supervise(command, &Watch::default());
    let code = ended.as_ref().map_or_else(child::StartError::code, |ended| ended.how.code());
    if let Some(directory) = home.leave(code != exit::FINE) {
        console.note(&format!("its directory is still there: {}", directory.display()));
    }
    match ended {
        Ok(_) => Ok(code),
        Err(error) => Err(Failure { code, ..Failure::usage(error) }),
    }
}

impl Args {
    /// What the file says, and what was typed over it.
    fn section(&self, file: WorkersSection) -> WorkersSection {
        let mut section = WorkersSection { isolate: true, ..file };
        section.home |= self.home;
        section.keep |= self.keep;
        if let Some(wait) = self.wait {
            // Whole seconds, and a part of one is one. What does not fit waits for ever, near enough.
            let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
            section.wait = u32::try_from(seconds).unwrap_or(u32::MAX);
        }
        for (name, spec) in &self.lease {
            section.lease.insert(name.clone(), Leasing::Of(*spec));
        }
        section.env.extend(self.env.iter().cloned());
        section
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn args(words: &str) -> Result<Args, clap::Error> {
        let all = std::iter::once("isolate").chain(words.split_whitespace());
        <Line as clap::Parser>::try_parse_from(all).map(|line| line.args)
    }

    #[test]
    fn what_is_typed_wins_over_the_file() {
        let file: WorkersSection = toml::from_str(
            "isolate = false\n[lease]\nDB = \"0..2\"\nB = \"0..3\"\n[env]\nU = \"x\"",
        )
        .unwrap();
        let typed = args("--lease DB=0..9 --env U={DB} --wait 2m --keep -- true").unwrap();
        let section = typed.section(file);
        assert_eq!((section.leases()["DB"].count(), section.leases()["B"].count()), (9, 3));
        assert_eq!((section.env["U"].as_str(), section.wait), ("{DB}", 120));
        assert!(section.isolate && section.keep && !section.home);
        assert_eq!(section.check(), Ok(()));
    }

    #[test]
    fn who_does_not_want_to_wait_says_so_and_who_does_waits_no_less() {
        for (wait, seconds) in [("0", 0), ("0s", 0), ("500ms", 1), ("1.5s", 2), ("1m", 60)] {
            let typed = args(&format!("--wait {wait} -- true")).unwrap();
            assert_eq!(typed.section(WorkersSection::default()).wait, seconds, "{wait}");
        }
        assert!(args("--wait -1s -- true").is_err());
    }

    #[test]
    fn what_cannot_be_lent_is_wrong_usage() {
        for (words, told) in [
            ("--lease DB -- true", "as REDIS_DB=0..16"),
            ("--lease DB=16 -- true", "write 0..16 for 0 up to 15"),
            ("--env U -- true", "write a variable as NAME=TEXT"),
        ] {
            let said = args(words).unwrap_err().to_string();
            assert!(said.contains(told), "{said}");
        }
    }
}
