//! `flakedb generate`: seeded test data for tests in any language.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::context::draft::write_whole;
use crate::report::sentence;
use crate::testkit::generators::{Format, KINDS, Order, OrderError, files, write};

use super::console::Console;
use super::exit;
use super::failure::Failure;

/// Make test data from a seed: messages, graphs, answers of models, reports, whole CI histories
///
/// The same seed gives the same bytes on every machine, ids and times included. Each item has a
/// stream of its own: a hundred begin with the same ten as ten do. `flakedb generate --kinds` shows
/// what there is, with what each kind can be told (--with), and docs/generators.md explains it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  flakedb generate message --seed 7 -n 100 --format jsonl
  flakedb generate graph --seed 7 --with nodes=12 --with cycles=1
  flakedb generate message --invalid            one thing wrong in each, and which
  flakedb generate report --format junit --with dialect=surefire
  flakedb generate history --format junit --dir ci-history && flakedb ingest ci-history
  flakedb generate --kinds                      what there is")]
pub struct Args {
    /// What to make
    #[arg(value_name = "KIND", required_unless_present = "kinds", value_parser = kinds())]
    kind: Option<String>,
    /// What everything is made from
    #[arg(long, short, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// How many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1)]
    count: usize,
    /// Tell the kind something, as --kinds lists it (may be repeated)
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = pair)]
    settings: Vec<(String, String)>,
    /// Instead of sound ones, all variants with one thing wrong, each with the rule that it breaks
    #[arg(long)]
    invalid: bool,
    /// How to write it [default: json]
    #[arg(long, short, value_name = "FORMAT", value_parser = formats(), help_heading = "Output")]
    format: Option<Format>,
    /// Write it to this file instead of standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,
    /// Write it as files below this directory, which is made: for reports and histories
    #[arg(long, value_name = "DIR", conflicts_with = "output", help_heading = "Output")]
    dir: Option<PathBuf>,
    /// Show the kinds, their formats and what they can be told
    #[arg(long, conflicts_with = "kind")]
    kinds: bool,
}

fn kinds() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(
        KINDS.iter().map(|kind| PossibleValue::new(kind.name).help(kind.about)),
    )
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(|format| PossibleValue::new(format.word())))
        .try_map(|word| word.parse::<Format>())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// Makes the data and writes it.
///
/// # Errors
/// Where there is no such kind or setting, or the output cannot be written.
pub fn run(args: &Args, console: &Console) -> Result<u8, Failure> {
    let Some(kind) = &args.kind else {
        console.print(&catalogue())?;
        return Ok(exit::FINE);
    };
    let order = order(kind, args).map_err(Failure::usage)?;
    match (&args.dir, &args.output) {
        (Some(dir), _) => return write_files(&order, dir, console),
        (None, Some(path)) => write_file(&order, path)?,
        (None, None) => written(write(&order, &mut io::stdout().lock()))?,
    }
    Ok(exit::FINE)
}

fn order(kind: &str, args: &Args) -> Result<Order, OrderError> {
    let mut order = Order::of(kind)?.seed(args.seed).count(args.count);
    if let Some(format) = args.format {
        order = order.format(format)?;
    }
    if args.invalid {
        order = order.invalid()?;
    }
    for (name, value) in &args.settings {
        order = order.set(name, value)?;
    }
    Ok(order)
}

/// A kind that makes several files is wrong usage, a full disk is not.
fn written(result: Result<(), OrderError>) -> Result<(), Failure> {
    result.map_err(|error| match error {
        OrderError::ManyFiles(_) => Failure::usage(error).hint("write --dir DIR"),
        error => Failure::input(error),
    })
}

fn write_file(order: &Order, path: &Path) -> Result<(), Failure> {
    write_whole(path, |out| write(order, out)).or_else(|error| match error {
        OrderError::Io(error) => {
            let refused = format!("cannot write {}", path.display());
            Err(Failure::input(anyhow::Error::from(error).context(refused)))
        }
        error => written(Err(error)),
    })
}

fn write_files(order: &Order, dir: &Path, console: &Console) -> Result<u8, Failure> {
    let made = files(order).map_err(Failure::usage)?;
    let taken = made.iter().map(|file| dir.join(&file.path)).find(|path| path.exists());
    if let Some(path) = taken {
        let error = anyhow::anyhow!("{} is there already", path.display());
        return Err(Failure::usage(error).hint("name a directory that is not, or remove it"));
    }
    for file in &made {
        let path = dir.join(&file.path);
        let refused = || format!("cannot write {}", path.display());
        let below = path.parent().unwrap_or(dir);
        fs::create_dir_all(below).with_context(refused).map_err(Failure::input)?;
        fs::write(&path, &file.bytes).with_context(refused).map_err(Failure::input)?;
    }
    let count = sentence::count(made.len() as u64, "file");
    console.note(&format!("{count} in {}", dir.display()));
    Ok(exit::FINE)
}

/// The kinds, for people.
fn catalogue() -> String {
    let mut text = String::new();
    for kind in KINDS {
        let formats: Vec<&str> = kind.formats.iter().map(|format| format.word()).collect();
        let invalid = if kind.has_invalid { "; --invalid" } else { "" };
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{}\n  {}", kind.name, kind.about);
        let _ = writeln!(text, "  --format {}{invalid}", formats.join("|"));
        let width = kind.settings.iter().map(|setting| setting.name.len()).max().unwrap_or(0);
        for setting in kind.settings {
            let (name, about, default) = (setting.name, setting.about, setting.default);
            let _ = writeln!(text, "  --with {name:<width$}  {about} [default: {default}]");
        }
        text.push('\n');
    }
    text.pop();
    text
}
