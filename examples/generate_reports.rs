//! Writes realistic JUnit XML for the benchmarks: the same bytes for the same arguments, on every machine.
//!
//! ```text
//! generate_reports DIR RUNS FILES CASES SEED [FIRST_RUN] [mixed|passing]
//! ```
//! writes `DIR/run-00000/shard-000.xml` and so on, with a `flakedb-run.toml` in each run, and prints
//! one line of JSON with the totals. A test's name depends on its place only, so tests repeat from run
//! to run; what becomes of it depends on seed, run and place. `passing` writes passed tests only.

#![allow(clippy::print_stdout, reason = "the totals are this program's result")]

use std::error::Error;
use std::fmt::{self, Write as _};
use std::path::Path;

/// Cases of one `<testsuite>`.
const SUITE_CASES: u64 = 100;
/// Start of run 0, in seconds since 1970: 2026-01-01. Runs follow hour by hour.
const FIRST_START: u64 = 1_767_225_600;

const AREAS: [&str; 6] = ["unit", "integration", "e2e", "contract", "regression", "smoke"];
const DOMAINS: [&str; 12] = [
    "billing",
    "checkout",
    "search_index",
    "auth",
    "notifications",
    "inventory",
    "reporting",
    "scheduler",
    "storage",
    "gateway",
    "profiles",
    "analytics_export",
];
const NOUNS: [&str; 14] = [
    "invoice_totals",
    "cart_merge",
    "token_refresh",
    "session_expiry",
    "batch_writer",
    "retry_policy",
    "rate_limiter",
    "schema_migration",
    "cursor_paging",
    "webhook_delivery",
    "price_rounding",
    "tenant_isolation",
    "feature_flags",
    "cache_eviction",
];
const VERBS: [&str; 10] = [
    "rounds_half_even_for",
    "rejects_expired",
    "retries_on_timeout_with",
    "keeps_order_of",
    "merges_duplicate",
    "handles_empty",
    "propagates_error_from",
    "is_idempotent_for",
    "honours_deadline_of",
    "serialises_unicode_in",
];
const PARAMETERS: [&str; 8] = [
    "EUR-locale7-True",
    "JPY-2-False",
    "large_payload",
    "postgres-15",
    "sqlite-memory",
    "retry=3",
    "utf8-\u{e9}\u{e8}",
    "None",
];

/// SplitMix64: small, fast, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn new(a: u64, b: u64, c: u64) -> Self {
        let mixed = a.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ b.wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
            ^ c.wrapping_mul(0x1656_67B1_9E37_79F9);
        let mut dice = Self(mixed);
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        ((self.next() >> 32) * bound) >> 32
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn of(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len() as u64) as usize]
    }
}

/// Whose names and stack traces a suite imitates.
#[derive(Clone, Copy)]
enum Style {
    Pytest,
    Surefire,
    Jest,
}

struct Test {
    class: String,
    name: String,
    file: Option<String>,
    line: u64,
    style: Style,
}

fn camel(words: &str) -> String {
    words
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters)
        })
        .collect()
}

/// The test at a place; XML escapes are in its strings already.
fn test_at(place: u64) -> Test {
    let (suite, row) = (place / SUITE_CASES, place % SUITE_CASES);
    let mut dice = Dice::new(77, suite, 1);
    let style = match dice.below(10) {
        0..5 => Style::Pytest,
        5..8 => Style::Surefire,
        _ => Style::Jest,
    };
    let (area, domain, noun) = (dice.of(&AREAS), dice.of(&DOMAINS), dice.of(&NOUNS));
    let mut dice = Dice::new(99, place, 2);
    let (verb, other) = (dice.of(&VERBS), dice.of(&NOUNS));
    match style {
        Style::Pytest => {
            let parameter = match dice.below(2) {
                0 => format!("[{}]", dice.of(&PARAMETERS)),
                _ => String::new(),
            };
            Test {
                class: format!("tests.{area}.{domain}.test_{noun}_{suite}.Test{}", camel(noun)),
                name: format!("test_{verb}_{other}_{row}{parameter}"),
                file: Some(format!("tests/{area}/{domain}/test_{noun}_{suite}.py")),
                line: 10 + row * 17 % 1900,
                style,
            }
        }
        Style::Surefire => Test {
            class: format!(
                "com.example.platform.{}.{area}.{}{suite}Test",
                domain.replace('_', ""),
                camel(noun)
            ),
            name: format!(
                "{}{}_{row}(String, int)[{}]",
                verb.replace('_', ""),
                camel(other),
                dice.below(9)
            ),
            file: None,
            line: 0,
            style,
        },
        Style::Jest => Test {
            class: format!("{domain} &gt; {} &gt; {area} {suite}", noun.replace('_', " ")),
            name: format!(
                "{} &gt; when {} &gt; {} &quot;{}&quot; case {row}",
                noun.replace('_', " "),
                other.replace('_', " "),
                verb.replace('_', " "),
                dice.of(&PARAMETERS)
            ),
            file: Some(format!("packages/{domain}/src/__tests__/{noun}_{suite}.test.ts")),
            line: 0,
            style,
        },
    }
}

/// Writes a failure text of about `size` bytes, escaped unless it stands in CDATA.
fn trace(out: &mut String, dice: &mut Dice, style: Style, size: usize, cdata: bool) -> fmt::Result {
    let end = out.len() + size;
    let (lt, gt, quote) = if cdata { ("<", ">", "\"") } else { ("&lt;", "&gt;", "&quot;") };
    writeln!(out, "AssertionError: expected {lt}3{gt} but was {lt}{}{gt}", 4 + dice.below(2))?;
    if dice.below(2) == 0 {
        let (address, port, second) =
            (dice.next() >> 24, 30_000 + dice.below(30_000), dice.below(60));
        writeln!(
            out,
            "    subject: {lt}platform.Handle object at 0x7f{address:010x}{gt} port {port} at 2026-08-01T12:00:{second:02}Z"
        )?;
    }
    let mut depth = 0;
    while out.len() < end {
        depth += 1;
        match style {
            Style::Pytest => writeln!(
                out,
                "  File {quote}platform/runtime/pipeline.py{quote}, line {}, in dispatch\n    result = client.call({quote}reserve{quote}, timeout={depth}) if ready else {lt}pending{gt}",
                12 + depth * 31
            )?,
            Style::Surefire => writeln!(
                out,
                "\tat com.example.platform.runtime.internal.Invoker.proceed(InvokerChain.java:{})",
                40 + depth * 7
            )?,
            Style::Jest => writeln!(
                out,
                "    at Object.{lt}anonymous{gt} (packages/core/src/runtime/queue.ts:{}:{})",
                20 + depth * 13,
                7 + depth % 40
            )?,
        }
    }
    Ok(())
}

/// What became of one case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passed,
    Chatty,
    Retried,
    Skipped,
    Failed,
}

impl Fate {
    /// 10 % of tests fail in 20 % of their runs; 1 % are skipped, 3 % print, 0.2 % pass on retry.
    fn of(dice: &mut Dice, flaky: bool) -> Self {
        let failed = flaky && dice.below(5) == 0;
        let (skipped, chatty) = (dice.below(100) == 0, dice.below(100) < 3);
        let retried = dice.below(500) == 0;
        match (failed, skipped, retried, chatty) {
            (true, ..) => Self::Failed,
            (_, true, ..) => Self::Skipped,
            (_, _, true, _) => Self::Retried,
            (.., true) => Self::Chatty,
            _ => Self::Passed,
        }
    }
}

/// What was written so far.
#[derive(Default)]
struct Totals {
    cases: u64,
    failed: u64,
    bytes: u64,
}

/// What to write.
#[derive(Clone, Copy)]
struct Plan {
    seed: u64,
    passing: bool,
}

fn case(out: &mut String, place: u64, run: u64, plan: Plan, totals: &mut Totals) -> fmt::Result {
    let test = test_at(place);
    let mut habit = Dice::new(5, place, 3);
    let flaky = habit.below(10) == 0;
    let usual = 0.0005 / (habit.unit() + 0.002);
    let mut dice = Dice::new(plan.seed, run * 1_000_003 + 17, place);
    let seconds = usual * (0.8 + 0.4 * dice.unit());
    let fate = if plan.passing { Fate::Passed } else { Fate::of(&mut dice, flaky) };
    totals.cases += 1;
    totals.failed += u64::from(fate == Fate::Failed);
    write!(out, "    <testcase classname=\"{}\" name=\"{}\"", test.class, test.name)?;
    if let Some(file) = &test.file {
        write!(out, " file=\"{file}\"")?;
    }
    if test.line > 0 {
        write!(out, " line=\"{}\"", test.line)?;
    }
    write!(out, " time=\"{seconds:.6}\"")?;
    if fate == Fate::Passed {
        out.push_str("/>\n");
        return Ok(());
    }
    out.push_str(">\n");
    body(out, &mut dice, &test, fate)?;
    out.push_str("    </testcase>\n");
    Ok(())
}

fn body(out: &mut String, dice: &mut Dice, test: &Test, fate: Fate) -> fmt::Result {
    match fate {
        Fate::Passed => {}
        Fate::Chatty => {
            out.push_str("      <system-out><![CDATA[");
            for second in 0..2 + dice.below(4) {
                writeln!(
                    out,
                    "2026-08-01T12:00:{second:02}Z INFO worker-{} processed a batch of {} in {} ms",
                    dice.below(16),
                    dice.below(500),
                    dice.below(900)
                )?;
            }
            out.push_str("]]></system-out>\n");
        }
        Fate::Retried => {
            out.push_str("      <flakyFailure message=\"timed out after 30s\" type=\"TimeoutError\">\n        <stackTrace>");
            trace(out, dice, test.style, 1200, false)?;
            out.push_str("</stackTrace>\n      </flakyFailure>\n");
        }
        Fate::Skipped => out.push_str("      <skipped message=\"requires docker\"/>\n"),
        Fate::Failed => {
            let tag = if dice.below(5) == 0 { "error" } else { "failure" };
            let (cdata, size) = (dice.below(2) == 0, 1000 + dice.below(3000) as usize);
            let (open, close) = if cdata { ("<![CDATA[", "]]>") } else { ("", "") };
            write!(
                out,
                "      <{tag} message=\"AssertionError: expected &lt;3&gt; but was &lt;{}&gt; in {}\" type=\"AssertionError\">{open}",
                4 + dice.below(2),
                test.name
            )?;
            trace(out, dice, test.style, size, cdata)?;
            writeln!(out, "{close}</{tag}>")?;
        }
    }
    Ok(())
}

/// One report: the cases from `first` on, in suites.
fn report(
    first: u64,
    cases: u64,
    run: u64,
    plan: Plan,
    totals: &mut Totals,
) -> Result<String, fmt::Error> {
    let mut out = String::new();
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"platform\" tests=\"{cases}\" time=\"{}.25\">",
        cases / 10
    )?;
    for start in (0..cases).step_by(SUITE_CASES as usize) {
        let suite = (first + start) / SUITE_CASES;
        let count = SUITE_CASES.min(cases - start);
        writeln!(
            out,
            "  <testsuite name=\"suite-{suite}\" tests=\"{count}\" timestamp=\"{}\" hostname=\"ci-worker-{}\" time=\"12.345\">\n    <properties>\n      <property name=\"shard\" value=\"{}\"/>\n    </properties>",
            stamp(run),
            run % 32,
            suite % 20
        )?;
        for row in 0..count {
            case(&mut out, first + start + row, run, plan, totals)?;
        }
        out.push_str("    <system-out><![CDATA[suite finished; gc=3 <ok> & 12 warnings\n]]></system-out>\n  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    totals.bytes += out.len() as u64;
    Ok(out)
}

/// The start of a run, RFC 3339 (civil-from-days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn stamp(run: u64) -> String {
    let seconds = FIRST_START + run * 3600;
    let days = seconds / 86_400 + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (month, date) = (
        if shifted < 10 { shifted + 3 } else { shifted - 9 },
        day_of_year - (153 * shifted + 2) / 5 + 1,
    );
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{date:02}T{:02}:{:02}:00Z", seconds / 3600 % 24, seconds / 60 % 60)
}

fn sidecar(run: u64) -> String {
    format!(
        "project = \"bench\"\nrevision = \"{:040x}\"\nbranch = \"main\"\nlane = \"default\"\nbuild = \"{run}\"\nattempt = 1\nstarted = {}\n",
        u128::from(Dice::new(11, run, 7).next()) << 64 | u128::from(run),
        stamp(run)
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = "usage: generate_reports DIR RUNS FILES CASES SEED [FIRST_RUN] [mixed|passing]";
    let [directory, numbers @ ..] = arguments.as_slice() else { return Err(usage.into()) };
    let (passing, numbers) = match numbers.split_last() {
        Some((last, rest)) if last == "passing" => (true, rest),
        Some((last, rest)) if last == "mixed" => (false, rest),
        _ => (false, numbers),
    };
    let numbers: Vec<u64> = numbers.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let (runs, files, cases, seed, first_run) = match numbers[..] {
        [runs, files, cases, seed] => (runs, files, cases, seed, 0),
        [runs, files, cases, seed, first_run] => (runs, files, cases, seed, first_run),
        _ => return Err(usage.into()),
    };
    let mut totals = Totals::default();
    for run in first_run..first_run + runs {
        let home = Path::new(directory).join(format!("run-{run:05}"));
        std::fs::create_dir_all(&home)?;
        std::fs::write(home.join("flakedb-run.toml"), sidecar(run))?;
        for file in 0..files {
            let text = report(file * cases, cases, run, Plan { seed, passing }, &mut totals)?;
            std::fs::write(home.join(format!("shard-{file:03}.xml")), text)?;
        }
    }
    let Totals { cases, failed, bytes } = totals;
    println!("{{\"cases\":{cases},\"failed\":{failed},\"bytes\":{bytes}}}");
    Ok(())
}
