//! The reader of reports alone, for the benchmarks: no history, no threads.
//!
//! ```text
//! parse_only DIR
//! ```
//! reads every `*.xml` below DIR into the model and prints one line of JSON with the totals.

#![allow(clippy::print_stdout, reason = "the totals are this program's result")]

use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use flakedb::junit::{ReadOptions, read};

fn reports_below(directory: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            reports_below(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            found.push(path);
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("usage: parse_only DIR")?;
    let mut paths = Vec::new();
    reports_below(Path::new(&directory), &mut paths)?;
    paths.sort();
    let (mut files, mut bytes, mut results) = (0_u64, 0_u64, 0_u64);
    for path in paths {
        let report = std::fs::read(path)?;
        files += 1;
        bytes += report.len() as u64;
        let reading = read(&report, &ReadOptions::default());
        results += reading.report.results.len() as u64;
        black_box(&reading);
    }
    println!("{{\"files\":{files},\"bytes\":{bytes},\"cases\":{results}}}");
    Ok(())
}
