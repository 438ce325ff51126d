//! Small histories for tests of the list.

use std::collections::HashSet;

use chrono::NaiveDate;

use super::list::List;
use super::policy::PolicySettings;
use super::update::{Scene, Update};
use crate::analysis::{History, HistoryBuilder, Settings, judge};
use crate::model::{Lane, Outcome, RunKey, Timestamp};
use crate::store::query::{ResultRow, RunNo, RunRow, TestNo};

/// 2026-01-01, midnight.
const START_MS: i64 = 1_767_225_600_000;

/// What tests did, a strip each and a run each: `.` passed, `F` failed, `r` passed on retry, a
/// blank where it did not run. Runs have a revision each, all of the main line.
pub(super) struct World {
    pub(super) strips: Vec<String>,
    /// The cell of each run; the last one for the rest.
    pub(super) cells: Vec<&'static str>,
    pub(super) runs_a_day: usize,
    /// Tests that always pass, beside them.
    pub(super) healthy: u32,
}

impl World {
    pub(super) fn new(strips: &[&str]) -> Self {
        let strips = strips.iter().map(|strip| (*strip).to_owned()).collect();
        Self { strips, cells: vec![""], runs_a_day: 4, healthy: 0 }
    }

    fn run(&self, no: usize) -> RunRow {
        let at = START_MS + (no * 86_400_000 / self.runs_a_day) as i64;
        RunRow {
            no: RunNo(no as u32 + 1),
            key: RunKey([0; 16]),
            started: Timestamp(at),
            revision: Some(format!("revision-{no}")),
            branch: Some("main".into()),
            lane: Lane::Default,
            variant: self.cells[no % self.cells.len()].to_owned(),
            build: Some(no.to_string()),
            ..RunRow::bare(no as u32)
        }
    }

    /// The first `count` runs.
    pub(super) fn history(&self, count: usize) -> History {
        let runs: Vec<RunRow> = (0..count).map(|no| self.run(no)).collect();
        let keep: HashSet<TestNo> = (0..self.strips.len() as u32).map(TestNo).collect();
        let mut builder = HistoryBuilder::new(&runs, keep, &Settings::default().outage);
        for run in 0..count {
            let mark = |strip: &String| strip.as_bytes().get(run).map(|mark| char::from(*mark));
            let rows = (0..)
                .zip(&self.strips)
                .filter_map(|(test, strip)| ResultRow::marked(test, mark(strip)?));
            let others = (0..self.healthy).map(|no| ResultRow::bare(10_000 + no, Outcome::Passed));
            builder.add(run, &rows.chain(others).collect::<Vec<_>>());
        }
        builder.finish()
    }

    pub(super) fn plan(&self, list: &List, count: usize, policy: &PolicySettings) -> Update {
        self.look(count, policy, |scene| scene.plan(list))
    }

    pub(super) fn look<T>(
        &self,
        count: usize,
        policy: &PolicySettings,
        what: impl Fn(&Scene<'_>) -> T,
    ) -> T {
        let history = self.history(count);
        let judgement = judge(&history, &Settings::default()).unwrap();
        let label = |test: TestNo| format!("t{}", test.0);
        let today = day_no(count.div_ceil(self.runs_a_day));
        let owner = |_: TestNo| Some("@team".to_owned());
        what(&Scene::new(&judgement, &history, policy, &label, &owner, today))
    }
}

pub(super) fn day_no(no: usize) -> NaiveDate {
    let start = Timestamp(START_MS).to_utc().unwrap().date_naive();
    start + chrono::Days::new(no as u64)
}

/// A strip of parts, each so many times.
pub(super) fn strip(parts: &[(&str, usize)]) -> String {
    parts.iter().map(|(part, times)| part.repeat(*times)).collect()
}
