//! Company: groups of tests that fail in the same runs, and so likely of one cause.
//!
//! Of each two tests it is counted in how many of the runs that have both they failed, alone and
//! together. A pair belongs together where at least half of the runs in which either failed are
//! runs in which both did (Jaccard 0.5, as for hints), and the hypergeometric tail of that number
//! stands at the rate of false discoveries over all pairs (Benjamini and Hochberg; a pair that does
//! not reach the half counts as an open question). Groups are what such pairs connect.
//!
//! Here breakages count as well as flakes: tests that one commit broke have one cause, too. Outages
//! do not: there, everything fails with everything.

use std::collections::{BTreeMap, HashMap};

use super::statistics::counts::{LnFactorials, Table};
use super::statistics::discovery::Family;
use super::verdict::{JudgedRun, Judgement, Verdict};
use crate::model::{Outcome, Timestamp};
use crate::store::query::TestNo;

/// When tests are told to fail together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CompanySettings {
    /// Tests that failed in fewer runs are not compared.
    pub failures_min: u32,
    /// Share of common runs among those in which either test failed.
    pub jaccard: f64,
    /// Share of the pairs that may be chance.
    pub false_discovery_rate: f64,
    /// Tests compared at most, those that failed most: pairs grow with the square.
    pub tests_max: usize,
}

impl Default for CompanySettings {
    fn default() -> Self {
        Self { failures_min: 2, jaccard: 0.5, false_discovery_rate: 0.05, tests_max: 2_000 }
    }
}

/// Tests that fail together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// The tests with the number of runs in which each failed, the most frequent first.
    pub tests: Vec<(TestNo, u32)>,
    /// Runs in which one of them failed.
    pub runs: u32,
    /// Of these, in how many several did.
    pub together: u32,
    /// When the first of these runs started.
    pub first: Timestamp,
    /// When the last of them started.
    pub last: Timestamp,
    /// The largest adjusted p-value of the pairs that make the group.
    pub q: f64,
}

/// Which tests of a window fail together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Company {
    /// The groups, the largest first.
    pub groups: Vec<Group>,
    /// Tests that were compared.
    pub compared: u32,
    /// Tests that failed too rarely, or of which there were too many.
    pub left_out: u32,
    /// Pairs of tests that were compared.
    pub pairs: u64,
}

/// One test over all variants, a bit for each run.
struct Row {
    test: TestNo,
    ran: Vec<u64>,
    failed: Vec<u64>,
}

impl Row {
    fn failures(&self) -> u32 {
        self.failed.iter().map(|word| word.count_ones()).sum()
    }

    fn table_with(&self, other: &Self) -> Table {
        Table::of_both((&self.ran, &self.failed), (&other.ran, &other.failed))
    }
}

/// Finds the groups of tests that fail together.
#[must_use]
pub fn company(judgement: &Judgement, settings: &CompanySettings) -> Company {
    let mut rows = rows(&judgement.runs, &judgement.verdicts);
    let all = rows.len();
    rows.retain(|row| row.failures() >= settings.failures_min.max(1));
    rows.sort_by_key(|row| (std::cmp::Reverse(row.failures()), row.test));
    rows.truncate(settings.tests_max);
    let factorials = LnFactorials::up_to(judgement.runs.len() as u32);
    let (mut pairs, mut close) = (0_u64, Vec::new());
    // What broke together shares its table with many.
    let mut chances: HashMap<Table, f64> = HashMap::new();
    for (place, one) in rows.iter().enumerate() {
        for (after, other) in rows.iter().enumerate().skip(place + 1) {
            let table = one.table_with(other);
            let either = table.drawn + table.marked - table.hits;
            if either == 0 {
                continue;
            }
            pairs += 1;
            if f64::from(table.hits) >= settings.jaccard * f64::from(either) {
                let p = *chances.entry(table).or_insert_with(|| factorials.at_least(table));
                close.push((place, after, p));
            }
        }
    }
    let known: Vec<f64> = close.iter().map(|(_, _, p)| *p).collect();
    let open = usize::try_from(pairs).unwrap_or(usize::MAX).saturating_sub(known.len());
    let family = Family::new(known, open);
    let ties = close.into_iter().map(|(one, other, p)| (one, other, family.q(p)));
    let ties: Vec<(usize, usize, f64)> =
        ties.filter(|(_, _, q)| *q <= settings.false_discovery_rate).collect();
    let mut groups: Vec<Group> = connected(rows.len(), &ties)
        .into_iter()
        .map(|(members, q)| group(&members, q, &rows, &judgement.runs))
        .collect();
    groups.sort_by(|one, other| {
        (other.tests.len(), other.together, other.last).cmp(&(
            one.tests.len(),
            one.together,
            one.last,
        ))
    });
    let compared = rows.len() as u32;
    Company { groups, compared, left_out: all as u32 - compared, pairs }
}

/// The tests that failed outside outages.
fn rows(runs: &[JudgedRun], verdicts: &[Verdict]) -> Vec<Row> {
    let words = runs.len().div_ceil(64);
    let mut rows: BTreeMap<TestNo, Row> = BTreeMap::new();
    for verdict in verdicts {
        for cell in &verdict.cells {
            let counts = runs.get(cell.run as usize).is_some_and(|run| !run.outage);
            if !counts || cell.outcome == Outcome::Skipped {
                continue;
            }
            let row = rows.entry(verdict.test).or_insert_with(|| Row {
                test: verdict.test,
                ran: vec![0; words],
                failed: vec![0; words],
            });
            let (word, bit) = (cell.run as usize / 64, 1_u64 << (cell.run % 64));
            if let (Some(ran), Some(failed)) = (row.ran.get_mut(word), row.failed.get_mut(word)) {
                *ran |= bit;
                if cell.outcome.is_bad() || cell.retried {
                    *failed |= bit;
                }
            }
        }
    }
    rows.into_values().filter(|row| row.failures() > 0).collect()
}

/// The groups that pairs connect, each with the largest q of its pairs.
fn connected(count: usize, ties: &[(usize, usize, f64)]) -> Vec<(Vec<usize>, f64)> {
    let mut leader: Vec<usize> = (0..count).collect();
    let find = |leader: &[usize], mut at: usize| {
        while let Some(next) = leader.get(at).copied().filter(|next| *next != at) {
            at = next;
        }
        at
    };
    for (one, other, _) in ties {
        let (low, high) = (find(&leader, *one), find(&leader, *other));
        let (low, high) = (low.min(high), low.max(high));
        if let Some(slot) = leader.get_mut(high) {
            *slot = low;
        }
    }
    let mut groups: BTreeMap<usize, (Vec<usize>, f64)> = BTreeMap::new();
    for place in 0..count {
        groups.entry(find(&leader, place)).or_default().0.push(place);
    }
    for (one, _, q) in ties {
        if let Some((_, largest)) = groups.get_mut(&find(&leader, *one)) {
            *largest = largest.max(*q);
        }
    }
    groups.into_values().filter(|(members, _)| members.len() > 1).collect()
}

fn group(members: &[usize], q: f64, rows: &[Row], runs: &[JudgedRun]) -> Group {
    let members: Vec<&Row> = members.iter().filter_map(|place| rows.get(*place)).collect();
    let (mut any, mut several) = (0, 0);
    let mut times: Option<(Timestamp, Timestamp)> = None;
    for (place, run) in runs.iter().enumerate() {
        let bit = |row: &&&Row| {
            row.failed.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
        };
        let failed = members.iter().filter(bit).count();
        any += u32::from(failed > 0);
        several += u32::from(failed > 1);
        if failed > 0 {
            let (first, last) = times.unwrap_or((run.started, run.started));
            times = Some((first.min(run.started), last.max(run.started)));
        }
    }
    let (first, last) = times.unwrap_or((Timestamp(0), Timestamp(0)));
    // Rows stand with the most frequent first.
    let tests = members.iter().map(|row| (row.test, row.failures())).collect();
    Group { tests, runs: any, together: several, first, last, q }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::cause::Causes;
    use crate::analysis::history::HistoryBuilder;
    use crate::analysis::verdict::{Cell, Status};
    use crate::analysis::{Settings, judge};
    use crate::model::Lane;
    use crate::store::query::{ResultRow, RunRow};

    /// The judgement of strips, one for each test from number 1 on.
    fn judged(strips: &[String]) -> Judgement {
        let runs: Vec<RunRow> = (1..=strips[0].len() as u32)
            .map(|no| RunRow {
                started: Timestamp(i64::from(no) * 3_600_000),
                lane: Lane::Default,
                revision: Some(format!("r{no}")),
                ..RunRow::bare(no)
            })
            .collect();
        let keep = (1..=strips.len() as u32).map(TestNo).collect();
        let settings = Settings::default();
        let mut builder = HistoryBuilder::new(&runs, keep, &settings.outage);
        for run in 0..runs.len() {
            let row = |(no, strip): (u32, &String)| {
                let failed = strip.as_bytes()[run] == b'F';
                ResultRow::bare(no, if failed { Outcome::Failed } else { Outcome::Passed })
            };
            builder.add(run, &(1..).zip(strips).map(row).collect::<Vec<_>>());
        }
        judge(&builder.finish(), &settings).unwrap()
    }

    fn strip(length: usize, failed: &[usize]) -> String {
        (0..length).map(|run| if failed.contains(&run) { 'F' } else { '.' }).collect()
    }

    #[test]
    fn tests_that_fail_in_the_same_runs_are_one_group() {
        let mut strips = vec![
            strip(60, &[5, 17, 30, 44]),
            strip(60, &[5, 17, 30, 44, 50]),
            strip(60, &[5, 17, 44]),
            strip(60, &[2, 9, 21, 36]),
            strip(60, &[17]),
            strip(60, &[8, 25, 40, 55]),
            strip(60, &[8, 25, 40, 55]),
        ];
        strips.extend((0..20).map(|_| strip(60, &[])));
        let found = company(&judged(&strips), &CompanySettings::default());
        let tests: Vec<Vec<u32>> = found
            .groups
            .iter()
            .map(|group| group.tests.iter().map(|(test, _)| test.0).collect())
            .collect();
        assert_eq!(tests, [vec![2, 1, 3], vec![6, 7]]);
        assert_eq!((found.groups[0].runs, found.groups[0].together), (5, 4));
        assert_eq!((found.groups[1].runs, found.groups[1].together), (4, 4));
        assert_eq!((found.compared, found.left_out), (6, 1));
        // Six tests that failed at least twice: 15 pairs. C(4,4) / C(60,4) for the last pair.
        assert_eq!(found.pairs, 15);
        let p = 1.0 / 487_635.0;
        assert!(found.groups[1].q <= 15.0 * p + 1e-12, "{}", found.groups[1].q);
        assert!(found.groups.iter().all(|group| group.q <= 0.05));
    }

    #[test]
    fn a_test_that_never_failed_is_not_left_out_but_none_of_them() {
        use Outcome::{Failed, Passed};
        let verdict = |test, outcomes: [Outcome; 2]| {
            let cell = |(run, outcome)| Cell { run, outcome, retried: false, duration: None };
            let cells = (0..).zip(outcomes).map(cell).collect();
            Verdict { cells, ..Verdict::bare(test, Status::New) }
        };
        let judgement = Judgement {
            method: "filter",
            runs: vec![JudgedRun::bare(1), JudgedRun::bare(2)],
            verdicts: vec![verdict(1, [Passed, Passed]), verdict(2, [Passed, Failed])],
            events: Vec::new(),
            causes: Causes::default(),
        };
        let found = company(&judgement, &CompanySettings::default());
        assert_eq!(
            (found.compared, found.left_out),
            (0, 1),
            "of those that failed, one too rarely"
        );
    }

    #[test]
    fn outages_and_chance_make_no_group() {
        // One run in which all fail, and then nothing in common.
        let strips: Vec<String> = (0..12).map(|test| strip(40, &[20, test * 3])).collect();
        let found = company(&judged(&strips), &CompanySettings::default());
        assert_eq!(found.groups, []);
        assert_eq!(company(&judged(&[strip(5, &[])]), &CompanySettings::default()).pairs, 0);
    }
}
