//! What is said of shards, the same in every format.

use super::sentence;
use super::view::{BalanceView, RanView, ShardView, SourcesView, SplitReviewView, SplitView};

/// Two decimals: `1.03`.
#[must_use]
pub fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// How many tests are dealt, and how even the shards are.
#[must_use]
pub fn headline(view: &SplitView) -> String {
    let tests = sentence::count(view.tests, "test");
    let shards = sentence::count(view.shards.len() as u64, "shard");
    let by = if view.by == "test" { String::new() } else { format!(", dealt by {}", view.by) };
    let times = match &view.balance {
        None => "; no times are known".to_owned(),
        Some(balance) => format!(
            "; the slowest likely takes {}, {} times the mean",
            sentence::seconds(balance.makespan_seconds),
            ratio(balance.imbalance)
        ),
    };
    format!("{tests} in {shards}{by}{times}")
}

/// The same for one shard, in one line.
#[must_use]
pub fn of_shard(view: &SplitView) -> Option<String> {
    let asked = view.shard.as_ref()?;
    let shard = view.shards.iter().find(|shard| shard.shard == *asked)?;
    let all = sentence::number(view.tests);
    let time = match (shard.seconds, &view.balance) {
        (Some(seconds), Some(balance)) => format!(
            ", likely {}; slowest shard {}, imbalance {}{}",
            sentence::seconds(seconds),
            sentence::seconds(balance.makespan_seconds),
            ratio(balance.imbalance),
            against(view.by_count.as_ref())
        ),
        _ => "; no times are known".to_owned(),
    };
    Some(format!("shard {asked}: {} of {all} tests{time}", sentence::number(shard.tests)))
}

fn against(by_count: Option<&BalanceView>) -> String {
    by_count.map(|balance| format!(" ({} by count)", ratio(balance.imbalance))).unwrap_or_default()
}

/// What equal numbers of tests would come to.
#[must_use]
pub fn by_count(view: &SplitView) -> Option<String> {
    let balance = view.by_count.as_ref()?;
    Some(format!(
        "Split by count the slowest would take {}, {} times the mean.",
        sentence::seconds(balance.makespan_seconds),
        ratio(balance.imbalance)
    ))
}

/// Where the times come from.
#[must_use]
pub fn sources(view: &SplitView) -> Option<String> {
    let SourcesView { history, skipped, file, class, suite, all, nothing } = view.times;
    if nothing > 0 || view.tests == 0 {
        return None;
    }
    let runs = sentence::count(view.runs, "run");
    let mut parts = vec![format!("{} from their own passes in {runs}", sentence::number(history))];
    for (count, words) in [
        (skipped, "always skipped"),
        (file, "that never passed, with the median of their file"),
        (class, "that never passed, with the median of their class"),
        (suite, "that never passed, with the median of their suite"),
        (all, "that never passed, with the median of all"),
    ] {
        if count > 0 {
            parts.push(format!("{} {words}", sentence::number(count)));
        }
    }
    Some(format!("Times: {}.", parts.join("; ")))
}

/// The cells of a shard: its name, tests, time.
#[must_use]
pub fn shard_cells(shard: &ShardView) -> [String; 3] {
    let time = shard.seconds.map(sentence::seconds).unwrap_or_default();
    [shard.shard.clone(), sentence::number(shard.tests), time]
}

/// How even the shards of a run were.
#[must_use]
pub fn reviewed(view: &SplitReviewView) -> String {
    let shards = sentence::count(view.shards.len() as u64, "shard");
    match &view.real {
        None => format!("{shards}, and no times in their reports"),
        Some(real) => format!(
            "{shards}; the slowest took {}, {} times the mean",
            sentence::seconds(real.makespan_seconds),
            ratio(real.imbalance)
        ),
    }
}

/// What was predicted, and what would have been possible.
#[must_use]
pub fn hindsight(view: &SplitReviewView) -> Vec<String> {
    let predicted = view.predicted.as_ref().map(|balance| {
        format!(
            "The runs before predicted {} for the slowest, {} times the mean.",
            sentence::seconds(balance.makespan_seconds),
            ratio(balance.imbalance)
        )
    });
    let several = view.shards.len() > 1;
    let possible = view.possible.as_ref().filter(|_| several).map(|balance| {
        format!(
            "Dealt by the times that they really took, the slowest would have taken {} ({}).",
            sentence::seconds(balance.makespan_seconds),
            ratio(balance.imbalance)
        )
    });
    predicted.into_iter().chain(possible).collect()
}

/// The cells of a shard that ran, its name and its slowest surprise aside: tests, real, predicted,
/// difference.
#[must_use]
pub fn ran_cells(ran: &RanView) -> [String; 4] {
    let off = ran.predicted_seconds.filter(|wanted| *wanted > 0.0).map(|wanted| {
        let off = (ran.seconds - wanted) / wanted * 100.0;
        format!("{}{:.0} %", if off < 0.0 { "−" } else { "+" }, off.abs())
    });
    [
        sentence::number(ran.tests),
        sentence::seconds(ran.seconds),
        ran.predicted_seconds.map(sentence::seconds).unwrap_or_default(),
        off.unwrap_or_default(),
    ]
}

/// The test that took longer than predicted by most, with by how much; empty where none matters.
#[must_use]
pub fn surprise(ran: &RanView) -> Option<(&str, String)> {
    let worth_telling = ran.most_off_seconds >= 1.0 && !ran.most_off.is_empty();
    worth_telling.then(|| {
        (ran.most_off.as_str(), format!("{} longer", sentence::seconds(ran.most_off_seconds)))
    })
}
