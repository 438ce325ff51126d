//! Exit codes: a stable part of the command line.

/// Everything is fine.
pub const FINE: u8 = 0;
/// The command worked and found something: tests that fail the given condition, invalid reports.
pub const FINDINGS: u8 = 1;
/// Wrong usage or configuration.
pub const USAGE: u8 = 2;
/// An input could not be read.
pub const INPUT: u8 = 3;
/// The history could not be used.
pub const HISTORY: u8 = 4;

/// `gate` and `run` only: flakedb itself failed, as `timeout(1)` has it.
pub const FAILED: u8 = 125;
/// `gate` and `run` only: the runner was found and could not be started.
pub const NOT_EXECUTABLE: u8 = 126;
/// `gate` and `run` only: the runner was not found.
pub const NOT_FOUND: u8 = 127;

/// The table shown at the end of `flakedb --help`.
pub const HELP: &str = "\
Exit codes:
  0  fine
  1  findings: a condition given by a flag holds, or a report is invalid
  2  wrong usage or configuration
  3  an input could not be read
  4  the history could not be used
gate and run pass the runner's code through, 0 where all that failed is excused; 125 where flakedb
itself failed and no code is known, or with --strict.";
