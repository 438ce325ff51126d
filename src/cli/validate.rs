//! `flakedb validate`: what is wrong with reports.

use std::path::PathBuf;

use crate::model::Timestamp;
use crate::ops::reading::{InputFormat, ReadRequest};
use crate::ops::validate::validate;
use crate::report::View;
use crate::report::view::FileView;

use super::console::Console;
use super::exit;
use super::failure::Failure;
use super::output::FormatArgs;
use super::progress::Progress;

/// Say what is wrong with reports: invalid, sub-optimal or a note, where, and the mend
///
/// Each file is accepted, accepted with warnings, salvaged (only its whole cases can be used) or
/// rejected. Exits with 1 where a file was salvaged or rejected, with --strict also for warnings,
/// and with 3 where one could not be read at all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb validate report.xml
  flakedb validate 'build/**/*.xml' --strict
  flakedb validate artifacts.zip --format json")]
pub struct Args {
    /// Files, directories, globs; - is standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Exit with 1 for warnings, too
    #[arg(long)]
    strict: bool,
    /// Read with N threads [default: one for each core]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    #[command(flatten)]
    output: FormatArgs,
}

/// Codes of inputs of which nothing could be opened.
const UNREAD: [&str; 3] = ["IO", "IS_DIRECTORY", "NO_MATCH"];

/// Reads the reports and shows what is wrong with them.
///
/// # Errors
/// Where the result cannot be written.
pub fn run(args: &Args, console: &Console) -> Result<u8, Failure> {
    let request = ReadRequest {
        paths: args.paths.clone(),
        documents: Vec::new(),
        format: InputFormat::Detected,
        jobs: args.jobs.map(usize::from),
        repository_root: None,
        now: Some(Timestamp::from(chrono::Utc::now())),
    };
    let progress = Progress::new(console);
    let view = validate(&request, &progress);
    progress.finish(console);
    args.output.deliver(View::Validate(&view), console)?;
    let unread = |file: &FileView| UNREAD.contains(&file.code.as_str());
    if view.files.iter().any(unread) {
        return Ok(exit::INPUT);
    }
    let found = view.rejected + view.salvaged > 0 || (args.strict && view.warned > 0);
    Ok(if found { exit::FINDINGS } else { exit::FINE })
}
