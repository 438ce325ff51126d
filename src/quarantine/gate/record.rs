//! Whether a test fails significantly more than its own record.
//!
//! For each of the last w ∈ {3, 5, 10, 20} runs of the test, the run at hand included, the runs
//! before them are its record. A record of s failures in n runs leaves its rate open as the Jeffreys
//! posterior Beta(s + ½, n − s + ½) does. The chance of at least k failures in w runs is the exact
//! binomial tail P(X ≥ k | w, rate), averaged over that posterior: the beta-binomial tail, which is
//! the plain binomial one where the record is long, and does not take a short one at its word
//! (J. Aitchison and I. R. Dunsmore, *Statistical Prediction Analysis*, 1975, chapter 4). The level
//! is divided by the number of tails looked at (Bonferroni).

use crate::analysis::special::ln_beta;

/// How many of the last runs are looked at together.
pub const WINDOWS: [usize; 4] = [3, 5, 10, 20];
/// So many failures in a row, this run's included, must be there at least: one alone tells nothing.
const IN_A_ROW_MIN: usize = 2;
/// The Jeffreys prior of a rate: Beta(½, ½).
const JEFFREYS: f64 = 0.5;

/// What a test did in the runs of its variant, oldest first, the run at hand last: true is a
/// failure after all retries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// In all runs.
    pub everywhere: Vec<bool>,
    /// In the runs of the branch at hand; empty where that is not known or all runs are its own.
    pub branch: Vec<bool>,
}

/// A rise that chance does not explain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worse {
    /// Failures in the last runs.
    pub recent_bad: u32,
    /// How many last runs those are.
    pub recent: u32,
    /// Failures in the record before them.
    pub record_bad: u32,
    /// Runs of the record.
    pub record: u32,
    /// The chance of so many failures or more at the rate of the record.
    pub p: f64,
    /// The level that it was compared with: the given one, divided by the tails looked at.
    pub level: f64,
}

impl Record {
    /// Failures and runs before the run at hand.
    #[must_use]
    pub fn before(&self) -> (u32, u32) {
        let (_, before) = self.everywhere.split_last().unwrap_or((&false, &[]));
        (count(before), before.len() as u32)
    }

    /// The clearest rise below the level `p`, where there is one.
    ///
    /// ```
    /// use flakedb::quarantine::gate::Record;
    /// let record = |bad: &[bool]| Record { everywhere: bad.to_vec(), ..Record::default() };
    /// let mut runs = vec![false; 199];
    /// runs.push(true);
    /// assert!(record(&runs).worse(0.01).is_none());
    /// runs.extend([true, true]);
    /// assert!(record(&runs).worse(0.01).is_some());
    /// ```
    #[must_use]
    pub fn worse(&self, p: f64) -> Option<Worse> {
        let streams: Vec<&[bool]> = [self.everywhere.as_slice(), self.branch.as_slice()]
            .into_iter()
            .filter(|stream| !stream.is_empty())
            .collect();
        let level = p / (streams.len().max(1) * WINDOWS.len()) as f64;
        let rises = streams.iter().filter(|stream| in_a_row(stream) >= IN_A_ROW_MIN);
        rises
            .flat_map(|stream| WINDOWS.iter().filter_map(|&window| rise(stream, window, level)))
            .min_by(|one, other| one.p.total_cmp(&other.p))
    }
}

fn count(runs: &[bool]) -> u32 {
    runs.iter().filter(|bad| **bad).count() as u32
}

/// Failures in a row at the end.
fn in_a_row(runs: &[bool]) -> usize {
    runs.iter().rev().take_while(|bad| **bad).count()
}

/// The last `window` runs against those before, where they are worse at this level.
fn rise(runs: &[bool], window: usize, level: f64) -> Option<Worse> {
    let (record, recent) = runs.split_at_checked(runs.len().checked_sub(window)?)?;
    let (recent_bad, record_bad) = (count(recent), count(record));
    let (recent, record) = (recent.len() as u32, record.len() as u32);
    let p = predicted_tail(recent_bad, recent, record_bad, record);
    (p < level).then_some(Worse { recent_bad, recent, record_bad, record, p, level })
}

/// The chance of at least `k` failures in `w` runs after `s` failures in `n` runs: the exact
/// binomial tail averaged over the Jeffreys posterior of the rate.
///
/// Σ over i = k … w of C(w, i) B(a + i, b + w − i) / B(a, b), with a = s + ½ and b = n − s + ½.
///
/// ```
/// use flakedb::quarantine::gate::record::predicted_tail;
/// // Without a record the rate may be anything: 3 of 3 is no surprise.
/// assert!((predicted_tail(3, 3, 0, 0) - 0.3125).abs() < 1e-12);
/// ```
#[must_use]
pub fn predicted_tail(k: u32, w: u32, s: u32, n: u32) -> f64 {
    let a = f64::from(s.min(n)) + JEFFREYS;
    let b = f64::from(n - s.min(n)) + JEFFREYS;
    let term = |i: u32| {
        let (i, w) = (f64::from(i), f64::from(w));
        // C(w, i) = 1 / ((w + 1) B(i + 1, w - i + 1)).
        let ln_choose = -(w + 1.0).ln() - ln_beta(i + 1.0, w - i + 1.0);
        (ln_choose + ln_beta(a + i, b + w - i) - ln_beta(a, b)).exp()
    };
    (k..=w).map(term).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests;
