//! Writes a long, plausible history as JUnit XML, run by run: flaky tests that come and go, regressions, work on branches,
//! outages, and re-runs of red commits. The same arguments give the same bytes.
//!
//! ```text
//! generate_history DIR TESTS LENGTH FIRST LAST [ROWS]
//! ```
//! writes the runs from FIRST up to LAST of a history of LENGTH runs into `DIR/run-00000` and so on, one report and a
//! `flakedb-run.toml` in each, and prints one line of JSON with the totals. With ROWS, one line `run,test,failed` for each
//! executed test goes into that file as well, for other engines to read; DIR may be `-` then, for no reports. The pace is ten runs a day.

#![allow(clippy::print_stdout, reason = "the totals are this program's result")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Start of the history, in seconds since 1970: 2025-01-01.
const START: f64 = 1_735_689_600.0;
const DAY: f64 = 86_400.0;
const RUNS_A_DAY: f64 = 10.0;
/// Share of the runs on main; the others are of changes.
const ON_MAIN: f64 = 0.5;
const RERUN: f64 = 0.1;
const OUTAGE: f64 = 0.012;
/// Share of the tests that are flaky at any one time, and how long one stays so, in days: median and spread.
const FLAKY: f64 = 0.03;
const LIFE: (f64, f64) = (14.0, 1.8);
/// Chance that a commit on main breaks something, and for how many commits: median and spread.
const BREAKS: f64 = 0.03;
const BROKEN_COMMITS: (f64, f64) = (2.5, 1.1);
const CHANGE_BREAKS: f64 = 0.35;
const TESTS_OF_MODULE: usize = 500;
const SKIPPED: f64 = 0.004;
/// Durations that a passing test may have.
const PACES: usize = 16;

/// SplitMix64: small, fast, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    /// About normal: twelve shares together.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }

    fn lognormal(&mut self, (median, spread): (f64, f64)) -> f64 {
        median * (spread * self.normal()).exp()
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.share()).ln()
    }
}

/// A test's time of being flaky.
struct Flake {
    test: usize,
    rate: f64,
    begins: f64,
    ends: f64,
}

/// Why a test does not pass in a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Flaky,
    Broken,
    Outage,
    Skipped,
}

/// Where a history is; every call of `next` makes one run.
struct Growing {
    dice: Dice,
    tests: usize,
    flakes: Vec<Flake>,
    now: f64,
    /// Commits on main so far.
    main: u64,
    builds: u64,
    attempt: u32,
    /// Re-runs of the last commit that are still due.
    pending: usize,
    branch: String,
    revision: String,
    /// Tests that are broken on main, until which commit.
    broken: BTreeMap<usize, u64>,
    /// Tests that the present change broke.
    change: Vec<usize>,
}

/// One run.
struct Run {
    started: u64,
    branch: String,
    revision: String,
    build: u64,
    attempt: u32,
    why: BTreeMap<usize, Why>,
    dice: Dice,
}

impl Growing {
    fn new(tests: usize, length: usize) -> Self {
        let mut dice = Dice(tests as u64);
        let days = length as f64 / RUNS_A_DAY;
        let life = LIFE.0 * (LIFE.1 * LIFE.1 / 2.0).exp();
        let count = (FLAKY * tests as f64 * (1.0 + days / life)) as usize;
        let flakes = (0..count.max(1)).map(|_| {
            let begins = START + DAY * (dice.share() * (days + life) - life);
            let ends = begins + DAY * dice.lognormal(LIFE).min(10.0 * life);
            // Most flaky tests fail rarely: 7 % on average.
            Flake { test: dice.below(tests), rate: 0.4 * dice.share().powi(5), begins, ends }
        });
        let flakes = flakes.collect();
        Self {
            dice,
            tests,
            flakes,
            now: START,
            main: 0,
            builds: 0,
            attempt: 1,
            pending: 0,
            branch: String::new(),
            revision: String::new(),
            broken: BTreeMap::new(),
            change: Vec::new(),
        }
    }

    /// A few tests of one module.
    fn some(&mut self) -> Vec<usize> {
        let first = self.dice.below(self.tests.div_ceil(TESTS_OF_MODULE)) * TESTS_OF_MODULE;
        let size = TESTS_OF_MODULE.min(self.tests - first);
        let count = 2 + self.dice.exponential(2.0) as usize;
        (0..count).map(|_| first + self.dice.below(size)).collect()
    }

    fn commit(&mut self) {
        self.builds += 1;
        self.now += self.dice.exponential(DAY / RUNS_A_DAY) + 1.0;
        self.attempt = 1;
        if self.dice.share() < ON_MAIN {
            self.branch = "main".to_owned();
            self.main += 1;
            self.revision = format!("{:07x}feed", self.main);
            let main = self.main;
            self.broken.retain(|_, until| *until > main);
            if self.dice.share() < BREAKS {
                let until = main + (self.dice.lognormal(BROKEN_COMMITS).round() as u64).max(1);
                let tests = self.some();
                self.broken.extend(tests.into_iter().map(|test| (test, until)));
            }
            self.change.clear();
        } else {
            self.branch = format!("change/{}", self.builds / 6);
            self.revision = format!("{:07x}c0de", self.builds);
            let breaks = self.dice.share() < CHANGE_BREAKS;
            self.change = if breaks { self.some() } else { Vec::new() };
        }
        self.pending = if self.dice.share() < RERUN { 1 + self.dice.below(2) } else { 0 };
    }

    fn next(&mut self) -> Run {
        if self.pending > 0 {
            self.pending -= 1;
            self.attempt += 1;
            self.now += 1_500.0;
        } else {
            self.commit();
        }
        let mut why = BTreeMap::new();
        for place in 0..self.flakes.len() {
            let Flake { test, rate, begins, ends } = self.flakes[place];
            if (begins..ends).contains(&self.now) && self.dice.share() < rate {
                why.insert(test, Why::Flaky);
            }
        }
        let broken = self.broken.keys().chain(&self.change);
        why.extend(broken.map(|test| (*test, Why::Broken)));
        if self.dice.share() < OUTAGE {
            let share = 0.1 + 0.9 * self.dice.share();
            let tests = 0..self.tests;
            let hit: Vec<usize> = tests.filter(|_| self.dice.share() < share).collect();
            why.extend(hit.into_iter().map(|test| (test, Why::Outage)));
        }
        let absent = (self.tests as f64 * SKIPPED) as usize;
        why.extend((0..absent).map(|_| (self.dice.below(self.tests), Why::Skipped)));
        Run {
            started: self.now as u64,
            branch: self.branch.clone(),
            revision: self.revision.clone(),
            build: self.builds,
            attempt: self.attempt,
            why,
            dice: Dice(self.dice.next()),
        }
    }
}

/// What stands in every report: names, and some durations for each test.
struct Texts {
    heads: Vec<String>,
    paces: Vec<[String; PACES]>,
}

impl Texts {
    fn new(tests: usize) -> Self {
        let mut dice = Dice(1 + tests as u64);
        let head = |test: usize| {
            let (module, suite) = (test / TESTS_OF_MODULE, test / 40);
            format!(
                "<testcase classname=\"shop.module{module:02}.suite{suite:03}\" name=\"test_case_{test:05}\" time=\""
            )
        };
        let paces = (0..tests).map(|_| {
            let usual = dice.lognormal((0.05, 1.4));
            std::array::from_fn(|_| format!("{:.3}", usual * dice.lognormal((1.0, 0.15))))
        });
        Self { paces: paces.collect(), heads: (0..tests).map(head).collect() }
    }

    fn report(&self, run: &mut Run) -> String {
        let tests = self.heads.len();
        let mut out = String::with_capacity(tests * 96 + run.why.len() * 1_000);
        let count = |kinds: &[Why]| run.why.values().filter(|why| kinds.contains(why)).count();
        let failures = count(&[Why::Flaky, Why::Broken]);
        let (errors, skipped) = (count(&[Why::Outage]), count(&[Why::Skipped]));
        let _ = writeln!(
            out,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><testsuites><testsuite name=\"pytest\" errors=\"{errors}\" \
             failures=\"{failures}\" skipped=\"{skipped}\" tests=\"{tests}\" timestamp=\"{}\" hostname=\"w{}\">",
            stamp(run.started),
            run.build % 8
        );
        for (test, (head, paces)) in self.heads.iter().zip(&self.paces).enumerate() {
            out.push_str(head);
            let pace = run.dice.below(PACES);
            out.push_str(&paces[pace]);
            match run.why.get(&test) {
                None => out.push_str("\" />"),
                Some(Why::Skipped) => out.push_str("\"><skipped type=\"pytest.skip\" message=\"not on this machine\" /></testcase>"),
                Some(why) => failure(&mut out, *why, test, &mut run.dice),
            }
        }
        out.push_str("</testsuite></testsuites>\n");
        out
    }
}

/// Flaky failures mostly have a text of their own; those of a regression or an outage look alike.
fn failure(out: &mut String, why: Why, test: usize, dice: &mut Dice) {
    let module = test / TESTS_OF_MODULE;
    let (tag, message, detail) = match why {
        Why::Flaky => {
            let waited = 2_000 + dice.below(500);
            (
                "failure",
                format!("TimeoutError: step_{} was not done after {waited} ms", test % 7),
                waited,
            )
        }
        Why::Broken => {
            ("failure", format!("AssertionError: assert total_{} == {}", test % 90, test % 13), 0)
        }
        Why::Outage | Why::Skipped => {
            ("error", format!("ConnectionError: cannot connect to db-{module}.internal:5432"), 0)
        }
    };
    let place = match why {
        Why::Outage => format!("setup of module{module:02}"),
        _ => format!("def test_case_{test:05}(shop, clock)"),
    };
    let _ = writeln!(out, "\"><{tag} message=\"{message}\">{place}:");
    for line in 0..8 {
        let _ = write!(
            out,
            "shop/module{module:02}/layer_{line}.py:{}: in call_{line}\n    return self.inner(request, retries={line})\n",
            100 + 7 * line + module
        );
    }
    let _ = write!(out, "E   {message} (detail {detail})</{tag}></testcase>");
}

/// RFC 3339 (civil-from-days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn stamp(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let date = day_of_year - (153 * shifted + 2) / 5 + 1;
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn sidecar(run: &Run) -> String {
    let Run { branch, revision, build, attempt, .. } = run;
    let lane = if branch == "main" { "default" } else { "change" };
    let started = stamp(run.started);
    format!(
        "project = \"bench\"\nrevision = \"{revision}\"\nbranch = \"{branch}\"\nlane = \"{lane}\"\nbuild = \"{build}\"\n\
         attempt = {attempt}\nstarted = {started}\n"
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = "usage: generate_history DIR TESTS LENGTH FIRST LAST [ROWS]";
    let [folder, numbers @ ..] = arguments.as_slice() else { return Err(usage.into()) };
    let number = |place: usize| -> Result<usize, Box<dyn Error>> {
        Ok(numbers.get(place).ok_or(usage)?.parse()?)
    };
    let (tests, length, first, last) = (number(0)?, number(1)?, number(2)?, number(3)?);
    let mut rows = numbers.get(4).map(std::fs::File::create).transpose()?.map(BufWriter::new);
    let (mut growing, texts) = (Growing::new(tests, length), Texts::new(tests));
    let (mut bad, mut bytes) = (0, 0);
    for place in 0..last {
        let mut run = growing.next();
        if place < first {
            continue;
        }
        bad += run.why.values().filter(|why| **why != Why::Skipped).count();
        if folder != "-" {
            let home = Path::new(folder).join(format!("run-{place:05}"));
            std::fs::create_dir_all(&home)?;
            std::fs::write(home.join("flakedb-run.toml"), sidecar(&run))?;
            let text = texts.report(&mut run);
            bytes += text.len();
            std::fs::write(home.join("junit.xml"), text)?;
        }
        let Some(rows) = &mut rows else { continue };
        for test in 0..tests {
            let failed = match run.why.get(&test) {
                Some(Why::Skipped) => continue,
                why => u8::from(why.is_some()),
            };
            writeln!(rows, "{place},{test},{failed}")?;
        }
    }
    let runs = last.saturating_sub(first);
    println!("{{\"runs\":{runs},\"results\":{},\"bad\":{bad},\"bytes\":{bytes}}}", runs * tests);
    Ok(())
}
