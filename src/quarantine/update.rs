//! The plan of changes to the list: who enters, is extended, released, expires or is stale.
//!
//! To enter asks for more than to stay. A test enters that the method recommends, with at least the
//! `enter-probability` of the [policy](super::policy), and that flaked within its last
//! `release-runs` runs. It stays until as many runs are clean in every cell that
//! had a flake and its own record makes such a row unlikely ([`Record::clean_needed`]), or until
//! it is broken.

mod apply;
mod enter;
mod scene;
mod words;

use chrono::NaiveDate;

use super::list::{Entry, List, Target};
use super::record::Record;
use crate::analysis::verdict::{Rate, Status};
use crate::model::Variant;
use crate::store::query::TestNo;

pub use apply::apply;
pub use scene::Scene;

/// An entry is extended when it has so many days left, so that a reviewer has time over a weekend.
const EXTEND_AHEAD_DAYS: u32 = 4;

/// What should change on the list, and why.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// The changes: what enters by harm, then the rest in the order of the list.
    pub changes: Vec<Change>,
    /// What would enter if the budget allowed, the most harmful first.
    pub refused: Vec<Change>,
    /// Entries that stay as they are.
    pub kept: usize,
    /// Why some tests do not belong on the list: flaky ones that do not enter, and broken ones that
    /// a pattern or a rule hides.
    pub withheld: Vec<Withheld>,
    /// How full the list is.
    pub budget: Budget,
}

/// A test that does not belong on the list, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The test.
    pub test: TestNo,
    /// Why, to stand behind its name and a colon.
    pub why: String,
}

/// How many tests the list may hold, and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// At most so many.
    pub limit: u32,
    /// So many before the changes.
    pub before: u32,
    /// So many after them.
    pub after: u32,
}

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// The entry's place in the list; `None` for one that enters.
    pub at: Option<usize>,
    /// The entry as it is to be, or as it was where it leaves.
    pub entry: Entry,
    /// The tests that it means, as far as they ran in the window.
    pub tests: Vec<TestNo>,
    /// Why, as a sentence.
    pub why: String,
    /// The numbers behind it.
    pub figures: Figures,
}

/// What is done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is made.
    Enter,
    /// It gets another term.
    Extend,
    /// It leaves since its tests stopped to flake, or since they are broken.
    Release,
    /// It leaves since its term is over and nothing speaks for another.
    Expire,
    /// It leaves since its tests did not run for long.
    Stale,
}

impl Action {
    /// All actions, in the order in which people want to read them.
    pub const ALL: [Self; 5] =
        [Self::Enter, Self::Extend, Self::Release, Self::Expire, Self::Stale];

    /// The word used in JSON and on screens.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enter => "enter",
            Self::Extend => "extend",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::Stale => "stale",
        }
    }

    /// True where the entry leaves the list.
    #[must_use]
    pub const fn removes(self) -> bool {
        matches!(self, Self::Release | Self::Expire | Self::Stale)
    }
}

/// How the tests of an entry stand.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// The most alarming status among the cells that still run; `None` where nothing ran.
    pub status: Option<Status>,
    /// The highest P(flaky) among them, where the method gives one.
    pub probability: Option<f64>,
    /// Runs with a flake.
    pub flakes: u32,
    /// Runs that count.
    pub runs: u32,
    /// The flake rate, where one cell is meant.
    pub rate: Option<Rate>,
    /// Clean runs in a row, in the cell that lacks most.
    pub clean: u32,
    /// Clean runs that release it.
    pub clean_needed: u32,
    /// The day of the last flake, in UTC.
    pub last_flake: Option<NaiveDate>,
    /// The day of the last run, in UTC.
    pub last_run: Option<NaiveDate>,
    /// The clean runs are counted from the revision that is said to have mended it.
    pub since_fix: bool,
    /// A test is broken now; for a pattern, all are, since one must not take the others along.
    pub broken: bool,
}

impl Figures {
    /// True where enough runs are clean.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.clean >= self.clean_needed
    }

    /// True where it is broken now, or one of several tests is.
    #[must_use]
    pub const fn hides_breakage(&self) -> bool {
        matches!(self.status, Some(Status::NewlyBroken | Status::Broken))
    }

    /// True where something still speaks for flakiness.
    #[must_use]
    pub const fn is_unsteady(&self) -> bool {
        matches!(self.status, Some(Status::Flaky | Status::Suspect | Status::Recovering))
    }
}

/// What becomes of an entry that is on the list.
fn decide(entry: &Entry, figures: &Figures, scene: &Scene<'_>) -> Option<Action> {
    let due = |days: u32| entry.expires.is_some_and(|end| end <= scene.in_days(days));
    let ahead = EXTEND_AHEAD_DAYS.min(scene.policy.expires_days / 2);
    let stale = match (figures.last_run, entry.since) {
        (Some(last), _) => scene.is_stale(last),
        // It may run in runs that nobody looked at, or be too young to have run.
        (None, _) if !scene.sees_all_of_late() => false,
        (None, Some(since)) => scene.is_stale(since),
        (None, None) => true,
    };
    match (stale, figures.broken, figures.is_clean(), figures.is_unsteady()) {
        (true, ..) => Some(Action::Stale),
        (_, true, ..) | (_, _, true, _) => Some(Action::Release),
        (_, _, _, true) if due(ahead) => Some(Action::Extend),
        (_, _, _, false) if due(0) => Some(Action::Expire),
        _ => None,
    }
}

impl Scene<'_> {
    /// The plan of changes to a list.
    ///
    /// A pure function; the plan of a list to which it was applied, made the same day, is empty.
    #[must_use]
    pub fn plan(&self, list: &List) -> Update {
        let mut changes = Vec::new();
        for (at, entry) in list.entries.iter().enumerate() {
            let figures = self.figures(entry);
            let Some(action) = decide(entry, &figures, self) else { continue };
            let mut after = entry.clone();
            if action == Action::Extend {
                after.expires = Some(self.in_days(self.policy.expires_days));
                after.evidence = Some(words::evidence(&figures));
            }
            changes.push(Change {
                action,
                at: Some(at),
                tests: self.tests(entry),
                why: words::why(action, entry, &figures, self),
                entry: after,
                figures,
            });
        }
        let mut update = Update { changes, ..Update::default() };
        update.kept = list.entries.len() - update.changes.len();
        let staying = apply(list, &update);
        self.enter(&staying, &mut update);
        update.budget.before = self.covered(list).len() as u32;
        update
    }
}

/// An entry for a test in some cells.
fn entry_of(label: String, variant: Variant) -> Entry {
    Entry { variant, ..Entry::new(Target::Test(label)) }
}

#[cfg(test)]
mod tests;
