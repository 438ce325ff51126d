//! Presence: did a test vanish, or did it only not run for a while?

use super::history::{History, Run, Unit};
use crate::model::Lane;

/// Absence over less than this part of the window is no news.
const RECENT_PART: u32 = 4;
/// So many appearances must have been due: their absence by chance is below e⁻³ = 5 %.
const DUE_MIN: f64 = 3.0;

/// Counts of runs by variant and lane, to ask in O(1) how many ran between two runs.
pub(super) struct Attendance {
    // One row per variant: runs so far in each lane, after each run of the window.
    sums: Vec<Vec<[u32; LANES]>>,
}

const LANES: usize = 3;

impl Attendance {
    /// Memory is O(variants × runs).
    pub(super) fn new(history: &History) -> Self {
        let mut sums = vec![Vec::with_capacity(history.runs.len()); history.variants.len()];
        let mut now = vec![[0_u32; LANES]; history.variants.len()];
        for run in &history.runs {
            bump(&mut now, run);
            for (row, sum) in sums.iter_mut().zip(&now) {
                row.push(*sum);
            }
        }
        Self { sums }
    }

    /// True where the test did not run in the last quarter of its variant's and lanes' runs,
    /// although it was due there at least three times by how often it ran before.
    pub(super) fn vanished(&self, unit: &Unit) -> bool {
        let tally = &unit.tally;
        let Some(row) = self.sums.get(unit.variant as usize) else { return false };
        let (Some(first), Some(last), Some(end)) = (
            row.get(tally.first_executed as usize),
            row.get(tally.last_executed as usize),
            row.last(),
        ) else {
            return false;
        };
        if tally.executed == 0 {
            return false;
        }
        let in_lanes = |sum: &[u32; LANES]| -> u32 {
            let ran = |lane: &usize| tally.lanes >> lane & 1 == 1;
            (0..LANES).filter(ran).filter_map(|lane| sum.get(lane)).sum()
        };
        let total = in_lanes(end);
        let absent = total.saturating_sub(in_lanes(last));
        let span = in_lanes(last).saturating_sub(in_lanes(first)) + 1;
        let due = f64::from(tally.executed) / f64::from(span) * f64::from(absent);
        absent.saturating_mul(RECENT_PART) >= total && due >= DUE_MIN
    }
}

fn bump(now: &mut [[u32; LANES]], run: &Run) {
    let lane = match run.lane {
        Lane::Default | Lane::Change | Lane::Other => run.lane.code() as usize,
    };
    if let Some(sum) = now.get_mut(run.variant as usize).and_then(|row| row.get_mut(lane)) {
        *sum += u32::from(run.executed > 0);
    }
}
