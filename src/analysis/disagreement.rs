//! Several judgements of one window side by side: what each flags, and on which tests they differ.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::verdict::{Judgement, Status, Verdict};
use crate::store::query::TestNo;

/// What a verdict comes down to where methods are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// Broken, newly or not.
    Broken,
    /// Flaky.
    Flaky,
    /// Neither: a suspicion is no call.
    Neither,
}

impl Call {
    /// The call of a status.
    #[must_use]
    pub const fn of(status: Status) -> Self {
        match status {
            Status::NewlyBroken | Status::Broken => Self::Broken,
            Status::Flaky => Self::Flaky,
            Status::Suspect
            | Status::Recovering
            | Status::Fixed
            | Status::New
            | Status::Stale
            | Status::Healthy => Self::Neither,
        }
    }
}

/// What one judgement flags, and how far it agrees with another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Agreement {
    /// Flaky verdicts.
    pub flaky: u64,
    /// Suspect verdicts.
    pub suspect: u64,
    /// Broken verdicts, newly or not.
    pub broken: u64,
    /// Verdicts that recommend quarantine.
    pub quarantine: u64,
    /// Tests that both call flaky.
    pub both: u64,
    /// Tests that only this one calls flaky.
    pub only_this: u64,
    /// Tests that only the other one calls flaky.
    pub only_other: u64,
}

/// A test and variant on which judgements differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispute<'a> {
    /// Its verdicts, in the order of the judgements.
    pub verdicts: Vec<&'a Verdict>,
}

impl Dispute<'_> {
    /// How many judgements call it other than most do.
    #[must_use]
    pub fn dissent(&self) -> usize {
        let mut calls: BTreeMap<Call, usize> = BTreeMap::new();
        for verdict in &self.verdicts {
            *calls.entry(Call::of(verdict.status)).or_default() += 1;
        }
        self.verdicts.len() - calls.values().copied().max().unwrap_or(0)
    }

    /// Builds that were red for this test alone; set-aside runs may differ between judgements.
    fn harm(&self) -> u32 {
        self.verdicts.iter().map(|verdict| verdict.harm.alone).max().unwrap_or(0)
    }

    fn failures(&self) -> u32 {
        let failures = self.verdicts.iter().map(|verdict| verdict.failures + verdict.retried);
        failures.max().unwrap_or(0)
    }
}

type Key<'a> = (TestNo, &'a str);

fn key(verdict: &Verdict) -> Key<'_> {
    (verdict.test, verdict.variant.as_str())
}

/// How far `this` agrees with `other` on the same window.
#[must_use]
pub fn agreement(this: &Judgement, other: &Judgement) -> Agreement {
    let flaky = |judgement: &Judgement, place: usize| {
        judgement.verdicts.get(place).is_some_and(|verdict| verdict.status == Status::Flaky)
    };
    let places: BTreeMap<Key<'_>, usize> =
        other.verdicts.iter().enumerate().map(|(place, verdict)| (key(verdict), place)).collect();
    let mut agreement = Agreement::default();
    for verdict in &this.verdicts {
        let here = verdict.status == Status::Flaky;
        let there = places.get(&key(verdict)).is_some_and(|place| flaky(other, *place));
        agreement.flaky += u64::from(here);
        agreement.suspect += u64::from(verdict.status == Status::Suspect);
        agreement.broken += u64::from(Call::of(verdict.status) == Call::Broken);
        agreement.quarantine += u64::from(verdict.quarantine);
        agreement.both += u64::from(here && there);
        agreement.only_this += u64::from(here && !there);
        agreement.only_other += u64::from(!here && there);
    }
    agreement
}

/// The tests on which the judgements of one window differ: the most disputed first, then what cost
/// most, then what failed most.
#[must_use]
pub fn disputes(judgements: &[Judgement]) -> Vec<Dispute<'_>> {
    let mut tests: BTreeMap<Key<'_>, Vec<&Verdict>> = BTreeMap::new();
    for verdict in judgements.iter().flat_map(|judgement| &judgement.verdicts) {
        tests.entry(key(verdict)).or_default().push(verdict);
    }
    let mut disputes: Vec<Dispute<'_>> =
        tests.into_values().map(|verdicts| Dispute { verdicts }).collect();
    disputes.retain(|dispute| dispute.dissent() > 0);
    // The sort is stable, so that equals keep the order of tests.
    disputes.sort_by_key(|dispute| {
        (Reverse(dispute.dissent()), Reverse(dispute.harm()), Reverse(dispute.failures()))
    });
    disputes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::harm::Harm;
    use crate::analysis::interval::wilson;

    fn verdict(test: u32, status: Status, harm: u32) -> Verdict {
        Verdict {
            executions: 10,
            failures: test,
            rate: wilson(test, 10),
            harm: Harm { alone: harm, ..Harm::default() },
            ..Verdict::bare(test, status)
        }
    }

    fn judged(method: &'static str, statuses: &[(u32, Status, u32)]) -> Judgement {
        let verdicts = statuses.iter().map(|&(test, status, harm)| verdict(test, status, harm));
        Judgement {
            method,
            runs: Vec::new(),
            verdicts: verdicts.collect(),
            events: Vec::new(),
            causes: crate::analysis::cause::Causes::default(),
        }
    }

    #[test]
    fn methods_are_counted_against_each_other() {
        use Status::{Broken, Flaky, Healthy, NewlyBroken, Suspect};
        let one = judged("a", &[(1, Flaky, 0), (2, Flaky, 0), (3, Suspect, 0), (4, Broken, 0)]);
        let other =
            judged("b", &[(4, NewlyBroken, 0), (3, Flaky, 0), (2, Flaky, 0), (1, Healthy, 0)]);
        let wanted = Agreement {
            flaky: 2,
            suspect: 1,
            broken: 1,
            quarantine: 2,
            both: 1,
            only_this: 1,
            only_other: 1,
        };
        assert_eq!(agreement(&one, &other), wanted);
        let same = agreement(&one, &one);
        assert_eq!((same.both, same.only_this, same.only_other), (2, 0, 0));
    }

    #[test]
    fn the_most_disputed_come_first_and_suspicions_are_no_dispute() {
        use Status::{Broken, Flaky, Healthy, NewlyBroken, Stale, Suspect};
        let by = |statuses: [Status; 6]| -> Vec<(u32, Status, u32)> {
            let harms = [0, 0, 5, 0, 0, 9];
            statuses.into_iter().zip(1..).zip(harms).map(|((s, no), harm)| (no, s, harm)).collect()
        };
        let judgements = [
            judged("a", &by([Flaky, Healthy, Flaky, Suspect, NewlyBroken, Healthy])),
            judged("b", &by([Flaky, Flaky, Healthy, Healthy, Broken, Healthy])),
            judged("c", &by([Flaky, Healthy, Healthy, Stale, Broken, Broken])),
            judged("d", &by([Flaky, Flaky, Healthy, New, Broken, Healthy])),
        ];
        let order: Vec<u32> =
            disputes(&judgements).iter().map(|dispute| dispute.verdicts[0].test.0).collect();
        assert_eq!(order, [2, 6, 3]);
    }

    use Status::New;
}
