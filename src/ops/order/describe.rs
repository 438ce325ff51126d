//! What a search came to, as it is published.

use super::OrderRequest;
use super::replay::{Made, Replays};
use crate::analysis::order_search::{Case, Failures, Found, Plan, Role, Verdict};
use crate::listing::ListedTest;
use crate::report::view::{FailuresView, OrderCaseView, OrderView, ReplayView};

pub(super) struct Described<'a> {
    pub(super) request: &'a OrderRequest<'a>,
    pub(super) runner: &'static str,
    pub(super) tests: &'a [ListedTest],
    pub(super) plan: &'a Plan,
    pub(super) found: &'a Found,
    pub(super) replays: &'a Replays<'a>,
    pub(super) interrupted: bool,
}

impl Described<'_> {
    pub(super) fn view(&self, notes: Vec<String>) -> OrderView {
        let cases: Vec<OrderCaseView> =
            self.found.cases.iter().map(|case| self.case(case)).collect();
        OrderView {
            schema: OrderView::SCHEMA,
            command: self.request.shown(),
            runner: self.runner,
            tests: self.tests.len() as u64,
            asked: self.plan.victim.map(|test| self.label(test)),
            own_order: !self.plan.free,
            budget: self.plan.budget,
            seed: self.plan.seed,
            remembered: self.plan.remembered.len() as u64,
            finding: self.finding(),
            cases,
            open: self.labels(&self.found.open),
            failing: self.labels(&self.found.failing),
            orders: self.found.orders,
            cut: self.found.cut,
            interrupted: self.interrupted,
            replays: (1..)
                .zip(&self.replays.made)
                .map(|(number, made)| replay(number, made))
                .collect(),
            history: None,
            notes,
        }
    }

    /// The first of these that any test comes to.
    fn finding(&self) -> &'static str {
        let any = |verdict| self.found.cases.iter().any(|case| case.verdict == verdict);
        let in_order = [Verdict::Proven, Verdict::NotDecided, Verdict::Flaky, Verdict::AlwaysFails];
        match in_order.into_iter().find(|verdict| any(*verdict)) {
            Some(verdict) => verdict.word(),
            None if !self.found.open.is_empty() => Verdict::NotDecided.word(),
            None if !self.found.failing.is_empty() => Verdict::AlwaysFails.word(),
            None if any(Verdict::DidNotRun) => Verdict::DidNotRun.word(),
            None if self.found.cut => Verdict::NotDecided.word(),
            None => Verdict::Cleared.word(),
        }
    }

    fn case(&self, case: &Case) -> OrderCaseView {
        let failures = |of: Failures| FailuresView { failed: of.failed, replays: of.of };
        let proven = case.verdict == Verdict::Proven;
        let word = |test: &usize| self.tests.get(*test).map(|one| one.word.clone());
        OrderCaseView {
            test: self.label(case.test),
            verdict: case.verdict.word(),
            role: case.role.map(|role| match role {
                Role::Victim => "victim",
                Role::Brittle => "brittle",
            }),
            needed: self.labels(&case.needed),
            among: case.among as u64,
            with: failures(case.with),
            without: failures(case.without),
            chance: proven.then(|| 0.25_f64.powi(case.with.of.min(case.without.of) as i32)),
            words: case.needed.iter().chain([&case.test]).filter_map(word).collect(),
            failure: self.replays.failures.get(&case.test).cloned().unwrap_or_default(),
        }
    }

    fn label(&self, test: usize) -> String {
        self.tests.get(test).map(|one| one.test.label.clone()).unwrap_or_default()
    }

    fn labels(&self, tests: &[usize]) -> Vec<String> {
        tests.iter().map(|test| self.label(*test)).collect()
    }
}

fn replay(number: u32, made: &Made) -> ReplayView {
    ReplayView {
        replay: number,
        purpose: made.purpose.word(),
        tests: made.tests as u64,
        failed: made.failed as u64,
        how: made.how.words(),
        seconds: (made.took.as_secs_f64() * 1e3).round() / 1e3,
    }
}
