//! Folds the last runs of a history into counts per test, for the benchmarks: what judging reads, without the judging.
//!
//! ```text
//! fold_window DATABASE PROJECT RUNS ROUNDS
//! ```
//! prints one line of JSON with the counts and the time of each round, in seconds.

#![allow(clippy::print_stdout, reason = "the times are this program's result")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use flakedb::model::Outcome;
use flakedb::store::query::Window;
use flakedb::store::{OpenMode, SqliteStore, Store as _};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, project, last_runs, rounds] = arguments.as_slice() else {
        return Err("usage: fold_window DATABASE PROJECT RUNS ROUNDS".into());
    };
    let window = Window { last_runs: Some(last_runs.parse()?), ..Window::default() };
    let store = SqliteStore::open(Path::new(database), OpenMode::ReadOnly)?;
    let mut seconds = Vec::new();
    let (mut runs, mut executions, mut failures, mut tests) = (0, 0_u64, 0_u64, 0);
    for _ in 0..rounds.parse::<u32>()? {
        let begun = Instant::now();
        let window = store.runs(project, &window)?;
        // Executions and failures of each test, by its number.
        let mut counts: Vec<(u32, u32)> = Vec::new();
        store.fold(&window, &mut |_, rows| {
            for row in rows.rows.iter().filter(|row| row.outcome != Outcome::Skipped) {
                let test = row.test.0 as usize;
                if test >= counts.len() {
                    counts.resize(test + 1, (0, 0));
                }
                if let Some((executed, failed)) = counts.get_mut(test) {
                    *executed += 1;
                    *failed += u32::from(row.outcome.is_bad());
                }
            }
        })?;
        seconds.push(begun.elapsed().as_secs_f64());
        runs = window.len();
        tests = counts.iter().filter(|(executed, _)| *executed > 0).count();
        executions = counts.iter().map(|(executed, _)| u64::from(*executed)).sum();
        failures = counts.iter().map(|(_, failed)| u64::from(*failed)).sum();
    }
    println!(
        "{{\"runs\":{runs},\"tests\":{tests},\"executions\":{executions},\"failures\":{failures},\"seconds\":{seconds:?}}}"
    );
    Ok(())
}
