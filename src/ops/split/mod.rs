//! Dividing the tests of today into shards for the nodes of a CI, by the times that the history
//! knows; and what the shards of a run really took.
//!
//! Nothing is agreed on between nodes: each computes all shards from the same listing and the same
//! history, and takes its own. `plan` of the view says whether they saw the same.

mod listed;
mod review;
mod times;
mod words;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use crate::analysis::split::{Balance, By, Partition, Unit, by_count, split, units};
use crate::listing::{ListedTest, Lister, Listing, Takes};
use crate::model::hash::ReportHash;
use crate::model::{Micros, Shard};
use crate::quarantine::gate::RUNNERS;
use crate::report::view::{DealtView, LongestView, ShardView, SourcesView, SplitView};

pub use listed::{Listed, ListedError, read, relate};
pub use review::{ReviewError, review};
pub use times::{DEFAULT_RUNS, Estimate, ShardsOf, Source, Times, TimesRequest};
pub use words::{Print, WordsError, Writing, Written, write};

/// Letters of the hash that nodes compare.
const PLAN_LETTERS: usize = 12;
/// Stands between the parts of a unit's name; in none of them.
const BETWEEN: char = '\u{1f}';

/// What to divide, and how.
pub struct SplitRequest<'a> {
    /// The tests of today.
    pub listing: &'a Listing,
    /// How they were listed.
    pub lister: &'static Lister,
    /// The name of the listing's format, for people.
    pub format: &'a str,
    /// What stays together.
    pub by: By,
    /// The number of shards, at least 1.
    pub shards: u32,
    /// The shard that is asked for; all where it is `None`.
    pub shard: Option<Shard>,
    /// The project, where there is a history.
    pub project: Option<String>,
}

/// A suite in shards.
pub struct SplitOutcome {
    /// The screen.
    pub view: SplitView,
    /// The shard of each test of the listing, from 0.
    pub shard_of: Vec<u32>,
}

impl SplitOutcome {
    /// The tests of one shard, in the order of the listing.
    #[must_use]
    pub fn tests_of<'a>(&self, listing: &'a Listing, shard: Shard) -> Vec<&'a ListedTest> {
        let both = listing.tests.iter().zip(&self.shard_of);
        both.filter(|(_, place)| **place == shard.place()).map(|(test, _)| test).collect()
    }
}

/// Divides the tests of a listing; `times` knows how long they take.
#[must_use]
pub fn deal(request: &SplitRequest<'_>, times: &Times) -> SplitOutcome {
    let tests = &request.listing.tests;
    let estimates = times.estimate(tests, producer(request.lister));
    let words = alone(request);
    let both = tests.iter().zip(words);
    let keys: Vec<String> = both.map(|(test, word)| unit_of(request.by, test, word)).collect();
    let pairs = keys.iter().zip(&estimates);
    let units = units(pairs.map(|(key, estimate)| (key.as_str(), estimate.time)));
    let partition = split(&units, request.shards);
    let of_unit: HashMap<&str, u32> = units
        .iter()
        .zip(&partition.shard_of)
        .map(|(unit, shard)| (unit.key.as_str(), *shard))
        .collect();
    let shard_of: Vec<u32> =
        keys.iter().map(|key| of_unit.get(key.as_str()).copied().unwrap_or(0)).collect();
    let view = view(request, times, &Dealt { estimates, units, partition, shard_of: &shard_of });
    SplitOutcome { view, shard_of }
}

struct Dealt<'a> {
    estimates: Vec<Estimate>,
    units: Vec<Unit>,
    partition: Partition,
    shard_of: &'a [u32],
}

fn view(request: &SplitRequest<'_>, times: &Times, dealt: &Dealt<'_>) -> SplitView {
    let tests = &request.listing.tests;
    let sources = sources(&dealt.estimates);
    // Where all are taken to be alike there are no times to show.
    let timed = sources.nothing == 0 && !tests.is_empty();
    let name = |place: u32| Shard::new(place, request.shards);
    let loads = &dealt.partition.loads;
    let shards = loads.iter().enumerate();
    // By name, as most runners list: some shuffle, and nodes are to say the same.
    let mut each: Vec<(&str, Micros)> = tests
        .iter()
        .zip(&dealt.estimates)
        .map(|(test, estimate)| (test.word.as_str(), estimate.time))
        .collect();
    each.sort_unstable();
    let each: Vec<Micros> = each.into_iter().map(|(_, time)| time).collect();
    let longest = dealt.units.iter().max_by_key(|unit| (unit.time, std::cmp::Reverse(&unit.key)));
    let all = tests.iter().zip(&dealt.estimates).zip(dealt.shard_of);
    let asked = all.filter(|(_, shard)| request.shard.is_none_or(|asked| asked.place() == **shard));
    let mut view = SplitView {
        schema: SplitView::SCHEMA,
        project: request.project.clone(),
        listing: request.format.to_owned(),
        by: request.by.word(),
        shard: request.shard.map(|shard| shard.to_string()),
        tests: tests.len() as u64,
        runs: times.runs,
        times: sources,
        shards: shards
            .map(|(place, load)| ShardView::new(name(place as u32), load, timed))
            .collect(),
        balance: Balance::of(loads.iter().map(|load| load.time)).filter(|_| timed).map(Into::into),
        by_count: Balance::of(by_count(&each, request.shards)).filter(|_| timed).map(Into::into),
        longest: longest.filter(|_| timed).map(|unit| LongestView {
            unit: unit.key.replace(BETWEEN, " "),
            seconds: unit.time.as_seconds(),
        }),
        plan: plan(tests, dealt.shard_of),
        dealt: asked
            .map(|((test, estimate), shard)| DealtView {
                word: test.word.clone(),
                test: test.test.label.clone(),
                shard: name(*shard).map(|shard| shard.to_string()).unwrap_or_default(),
                seconds: timed.then(|| estimate.time.as_seconds()),
                source: estimate.source.word(),
            })
            .collect(),
        notes: request.listing.notes.clone(),
    };
    note(&mut view, request, times.left_out);
    view
}

/// What people should know of a plan.
fn note(view: &mut SplitView, request: &SplitRequest<'_>, left_out: u32) {
    if left_out > 0 {
        let runs = if left_out == 1 { "1 run".to_owned() } else { format!("{left_out} runs") };
        view.notes.push(format!(
            "{runs} of one of {} shards of this very revision {} left out, because nothing says \
             which build it is; name it with --build here and in `flakedb ingest`",
            request.shards,
            if left_out == 1 { "is" } else { "are" },
        ));
    }
    let whole_files = request.listing.tests.iter().any(|test| test.test.name.is_empty());
    if view.times.nothing > 0 {
        view.notes.push(
            "the history knows none of these tests, so each counts as much as any other".to_owned(),
        );
        if whole_files {
            view.notes.push(
                "reports must name the file of a test (jest-junit: addFileAttribute) for files to \
                 have times"
                    .to_owned(),
            );
        }
    }
    let guessed = view.times.file + view.times.class + view.times.suite + view.times.all;
    if guessed * 2 > view.tests {
        view.notes.push(format!(
            "the history has no time of {guessed} of {} tests, which count as much as their \
             neighbours; does it hold reports of this suite?",
            view.tests
        ));
    }
    let empty = view.shards.iter().filter(|shard| shard.tests == 0).count();
    if empty > 0 {
        view.notes.push(format!("there are fewer units than shards: {empty} have no test"));
    }
    if let (Some(longest), Some(balance)) = (&view.longest, &view.balance)
        && longest.seconds > balance.mean_seconds * 1.05
    {
        view.notes.push(format!(
            "`{}` alone takes longer than the mean of the shards; no way to divide the rest is \
             shorter than it",
            longest.unit
        ));
    }
}

fn sources(estimates: &[Estimate]) -> SourcesView {
    let mut sources = SourcesView::default();
    for estimate in estimates {
        let counter = match estimate.source {
            Source::History => &mut sources.history,
            Source::Skipped => &mut sources.skipped,
            Source::File => &mut sources.file,
            Source::Class => &mut sources.class,
            Source::Suite => &mut sources.suite,
            Source::All => &mut sources.all,
            Source::Nothing => &mut sources.nothing,
        };
        *counter += 1;
    }
    sources
}

/// A hash of every test and its shard, whatever the order of the listing.
fn plan(tests: &[ListedTest], shard_of: &[u32]) -> String {
    let each = tests.iter().zip(shard_of).map(|(listed, shard)| {
        let test = &listed.test;
        // Some words begin with the directory of the checkout, which nodes may not share.
        let end = listed.word.rsplit('/').next().unwrap_or("");
        ([test.file.as_str(), &test.classname, &test.name, end], *shard)
    });
    let all: BTreeSet<([&str; 4], u32)> = each.collect();
    let mut text = String::new();
    for (parts, shard) in all {
        text.push_str(&format!("{}{BETWEEN}{shard}\n", parts.join("\u{1f}")));
    }
    let mut hash = ReportHash::of(text.as_bytes()).to_string();
    hash.truncate(PLAN_LETTERS);
    hash
}

/// For each test the word of its unit where it is dealt alone: its own, or the first of those that
/// its runner cannot tell from it.
fn alone<'a>(request: &SplitRequest<'a>) -> Vec<&'a str> {
    let tests = &request.listing.tests;
    let Takes::Files { seen, .. } = request.lister.takes else {
        return tests.iter().map(|test| test.word.as_str()).collect();
    };
    let seen: Vec<String> = tests.iter().map(seen).collect();
    let mut first: HashMap<&str, &str> = HashMap::new();
    for (test, seen) in tests.iter().zip(&seen) {
        let word = first.entry(seen.as_str()).or_insert(test.word.as_str());
        *word = (*word).min(test.word.as_str());
    }
    let both = tests.iter().zip(&seen);
    both.map(|(test, seen)| first.get(seen.as_str()).copied().unwrap_or(&test.word)).collect()
}

/// What must stay together with a test, by name; `word` where it is dealt alone.
fn unit_of(by: By, listed: &ListedTest, word: &str) -> String {
    let test = &listed.test;
    let first =
        |parts: [&str; 3]| parts.into_iter().find(|part| !part.is_empty()).unwrap_or("").to_owned();
    match by {
        By::Test => word.to_owned(),
        By::File => first([&test.file, &test.classname, &listed.word]),
        By::Class if test.classname.is_empty() => first([&test.file, &listed.word, ""]),
        // A class of one name may stand in two files.
        By::Class if !test.file.is_empty() && test.file != test.classname => {
            format!("{}{BETWEEN}{}", test.file, test.classname)
        }
        By::Class => test.classname.clone(),
        By::Group => match &listed.group {
            Some(group) => format!("group{BETWEEN}{group}"),
            None => word.to_owned(),
        },
    }
}

/// The producer of the reports of a lister's runner, as their reader names it.
#[must_use]
pub fn producer(lister: &Lister) -> &'static str {
    let row = RUNNERS.iter().find(|row| row.name == lister.name);
    row.and_then(|row| row.producers.first()).copied().unwrap_or("unknown")
}
