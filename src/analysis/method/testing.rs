//! Small histories to try a method on: a strip of marks, one run a day from 1 January 2026.

use std::collections::HashSet;

use crate::analysis::verdict::{Fact, Verdict};
use crate::analysis::{HistoryBuilder, Settings, judge};
use crate::model::{Lane, Timestamp};
use crate::store::query::{ResultRow, RunNo, RunRow, TestNo};

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;

/// What one test did in some runs: `.` passed, `F` failed, `r` passed on retry, `R` failed three
/// attempts, `a` failed under a shared name, a space for a run without it.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    marks: Vec<char>,
    /// A letter for each run; `-` for none.
    revisions: Vec<char>,
    /// A letter for each run: `D`, `C` or `O`.
    lanes: Vec<char>,
    runs_a_day: i64,
    /// Other tests, all of which fail in these runs and pass in all others.
    outages: Vec<usize>,
}

impl Strip {
    pub(super) fn new(marks: &str) -> Self {
        let marks: Vec<char> = marks.chars().collect();
        let revisions = (0..marks.len() as u32).filter_map(|no| char::from_u32(0x4e00 + no));
        Self {
            revisions: revisions.collect(),
            lanes: vec!['D'; marks.len()],
            marks,
            runs_a_day: 1,
            outages: Vec::new(),
        }
    }

    pub(super) fn revisions(self, revisions: &str) -> Self {
        assert_eq!(revisions.chars().count(), self.marks.len());
        Self { revisions: revisions.chars().collect(), ..self }
    }

    pub(super) fn lanes(self, lanes: &str) -> Self {
        assert_eq!(lanes.chars().count(), self.marks.len());
        Self { lanes: lanes.chars().collect(), ..self }
    }

    pub(super) fn runs_a_day(self, runs_a_day: i64) -> Self {
        Self { runs_a_day, ..self }
    }

    pub(super) fn outages(self, outages: &[usize]) -> Self {
        Self { outages: outages.to_vec(), ..self }
    }

    fn run(&self, no: usize) -> RunRow {
        let lane = match self.lanes[no] {
            'D' => Lane::Default,
            'C' => Lane::Change,
            _ => Lane::Other,
        };
        let branch = if lane == Lane::Default { "main".to_owned() } else { format!("b{no}") };
        RunRow {
            no: RunNo(no as u32 + 1),
            started: Timestamp(START + no as i64 * Timestamp::DAY_MS / self.runs_a_day),
            revision: Some(self.revisions[no].to_string()).filter(|name| name != "-"),
            branch: Some(branch),
            lane,
            build: Some(no.to_string()),
            ..RunRow::bare(no as u32)
        }
    }

    fn rows(&self, no: usize) -> Vec<ResultRow> {
        let others =
            |test| ResultRow::marked(test, if self.outages.contains(&no) { 'F' } else { '.' });
        ResultRow::marked(0, self.marks[no]).into_iter().chain((1..10).filter_map(others)).collect()
    }
}

/// What the method of `settings` makes of the strip.
pub(super) fn verdict_of(strip: &Strip, settings: &Settings) -> Verdict {
    judged(strip, settings, &[])
}

/// The same with the trail.
pub(in crate::analysis) fn followed(strip: &Strip, settings: &Settings) -> Verdict {
    judged(strip, settings, &[TestNo(0)])
}

fn judged(strip: &Strip, settings: &Settings, asked: &[TestNo]) -> Verdict {
    let runs: Vec<RunRow> = (0..strip.marks.len()).map(|no| strip.run(no)).collect();
    let bad = (0..strip.marks.len()).flat_map(|no| strip.rows(no));
    let keep: HashSet<TestNo> =
        bad.filter(|row| row.bad_attempts > 0).map(|row| row.test).collect();
    let mut builder = HistoryBuilder::new(&runs, keep, &settings.outage);
    for no in 0..runs.len() {
        builder.add(no, &strip.rows(no));
    }
    let mut history = builder.finish();
    history.asked = asked.to_vec();
    let judgement = judge(&history, settings).unwrap();
    judgement.verdicts.into_iter().find(|verdict| verdict.test == TestNo(0)).unwrap()
}

/// The rule that a verdict states.
pub(super) fn rule(verdict: &Verdict) -> String {
    let rules = verdict.facts.iter().filter_map(|fact| match fact {
        Fact::Rule { text } => Some(text.as_str()),
        _ => None,
    });
    rules.collect()
}
