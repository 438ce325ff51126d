//! Failing streaks of the main line: what was broken, what only flickered.

use super::history::{Run, Seen};
use super::settings::EvidenceSettings;

/// Failures in a row on the main line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streak {
    /// The first failing run, as a place in the history.
    pub first: u32,
    /// How many runs in a row failed.
    pub runs: u32,
    /// How many attempts in a row failed in them.
    pub attempts: u32,
    /// The failing revisions, oldest first; runs without one are not named here.
    pub revisions: Vec<String>,
    /// Runs without a revision, each of which counts as one.
    pub unnamed: u32,
    /// The last passing run before it.
    pub last_good: Option<u32>,
    /// The passing run that ended it.
    pub ended_by: Option<u32>,
    /// So many failed attempts in a row exclude chance.
    pub needed: u32,
    /// What it is, as far as it can be told.
    pub kind: StreakKind,
}

/// What a failing streak is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreakKind {
    /// Too short to tell, or contradicted by a pass on one of its revisions.
    Open,
    /// Too long for chance.
    Breakage,
    /// Short, and over without any sign that it was mended.
    Blip,
}

impl Streak {
    pub(super) fn start(seen: &Seen, run: &Run, last_good: Option<u32>, needed: u32) -> Self {
        let mut streak = Self {
            first: seen.run,
            runs: 0,
            attempts: 0,
            revisions: Vec::new(),
            unnamed: 0,
            last_good,
            ended_by: None,
            needed,
            kind: StreakKind::Open,
        };
        streak.extend(seen, run);
        streak
    }

    pub(super) fn extend(&mut self, seen: &Seen, run: &Run) {
        self.runs += 1;
        self.attempts = self.attempts.saturating_add(seen.failed_in_a_row());
        match &run.revision {
            Some(name) if self.revisions.last() != Some(name) => self.revisions.push(name.clone()),
            Some(_) => {}
            None => self.unnamed += 1,
        }
        if self.attempts >= self.needed {
            self.kind = StreakKind::Breakage;
        }
    }

    /// Closes the streak with the pass that ended it.
    pub(super) fn end(&mut self, seen: &Seen, contradicted: bool, settings: &EvidenceSettings) {
        self.ended_by = Some(seen.run);
        let revisions = self.revisions.len() as u32 + self.unnamed;
        let lasted = match revisions {
            // Attempts within one run share its trouble; alone they do not show that code broke.
            0 | 1 => Lasted::OneRevision,
            n if n <= settings.blip_revisions => Lasted::Short,
            _ => Lasted::Long,
        };
        self.kind = match (contradicted, lasted, self.attempts >= self.needed) {
            (true, _, false) | (true, Lasted::OneRevision, true) => StreakKind::Open,
            (_, Lasted::Short | Lasted::Long, true) => StreakKind::Breakage,
            (false, Lasted::OneRevision, _) | (false, Lasted::Short, false) => StreakKind::Blip,
            (false, Lasted::Long, false) => StreakKind::Open,
        };
    }
}

/// For how many revisions a streak lasted.
#[derive(Debug, Clone, Copy)]
enum Lasted {
    OneRevision,
    Short,
    Long,
}
