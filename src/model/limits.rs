//! Every limit, named, with its reason. Beyond a limit flakedb says so; it never guesses.

/// Largest report read, after decompression: four times the largest seen in the field (63 MB).
pub const REPORT_BYTES_MAX: u64 = 256 << 20;
/// Largest sum of reports taken from one archive.
pub const ARCHIVE_BYTES_MAX: u64 = 1 << 30;
/// Most entries looked at in one archive.
pub const ARCHIVE_ENTRIES_MAX: usize = 100_000;
/// Deepest nesting of elements outside failure text; real reports reach 5.
pub const DEPTH_MAX: usize = 256;
/// Longest name stored and shown without a warning; real names stay below 2 kB.
pub const NAME_BYTES_MAX: usize = 16 << 10;
/// Longest name of a machine: DNS allows 253 bytes.
pub const HOST_BYTES_MAX: usize = 255;
/// Longest name of a worker, a shard or a seed: beyond that it is something else.
pub const LABEL_BYTES_MAX: usize = 100;
/// Workers told apart in one report; the largest machines have a few hundred processors.
pub const WORKERS_MAX: usize = 1_024;
/// Failure text kept for one failure; the middle of longer texts is cut out.
pub const FAILURE_TEXT_BYTES_MAX: usize = 64 << 10;
/// Failure message kept for one failure; what is cut off stays in the text.
pub const FAILURE_MESSAGE_BYTES_MAX: usize = 4 << 10;
/// Results and attempts in one stored segment; the largest report read holds fewer.
pub const SEGMENT_SLOTS_MAX: usize = 1 << 24;
/// Failure text read back from one row; far above what is stored, against damaged files.
pub const STORED_TEXT_BYTES_MAX: usize = 16 << 20;
/// Attempts kept for one test in one run; a retry loop beyond that is itself the finding.
pub const ATTEMPTS_MAX: usize = 1_000;
/// Runs made up from the last outcomes of tests; tools that keep them stop at 10 or 100.
pub const SYNTHETIC_RUNS_MAX: usize = 1_000;
/// Warnings kept for one report; the rest are only counted.
pub const WARNINGS_MAX: usize = 1_000;
/// Properties kept for one report.
pub const PROPERTIES_MAX: usize = 200;
/// Longest plausible duration of one test: a year, as Jenkins clamps it.
pub const DURATION_SECONDS_MAX: f64 = 31_536_000.0;
/// Most output per compressed byte; deflate itself ends near 1,030, real reports stay below 100.
pub const COMPRESSION_RATIO_MAX: u64 = 500;
/// Output below which the ratio does not count: small files of one repeated line are no bombs.
pub const COMPRESSION_RATIO_FREE_BYTES: u64 = 32 << 20;
/// Largest CODEOWNERS file read: GitHub ignores files above 3 MB.
pub const CODEOWNERS_BYTES_MAX: u64 = 3 << 20;
/// Longest pattern in a CODEOWNERS file: matching costs pattern times path.
pub const CODEOWNERS_PATTERN_BYTES_MAX: usize = 1 << 10;
/// Longest path that is looked up among code owners: the longest that Linux opens.
pub const CODEOWNERS_PATH_BYTES_MAX: usize = 4 << 10;
/// Most patterns that the braces of one CODEOWNERS line may stand for.
pub const CODEOWNERS_ALTERNATIVES_MAX: usize = 256;
/// Largest file read that people or CI write: `flakedb.toml`, `quarantine.toml`, `flakedb-run.toml`,
/// a CI event.
pub const CONTEXT_FILE_BYTES_MAX: u64 = 16 << 20;
/// Time that the questions to git about one working copy may take, in milliseconds.
pub const GIT_TIMEOUT_MS: u64 = 5_000;
