//! The list, its changes, its findings and a simulation, as every renderer is shown them.

use super::sample;
use super::view::{
    Applied, BudgetView, ChangeView, FindingView, HiddenRegressionView, LintView, QuarantineEntry,
    QuarantineRule, QuarantineView, SimulationView, StandingView, TermView, UpdateView,
    WithheldView,
};
use crate::store::query::TestNo;

fn name(no: u32) -> String {
    sample::label(TestNo(no)).label
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn standing(status: &'static str, clean: u64, needed: u64) -> StandingView {
    StandingView {
        status: Some(status),
        probability: Some(0.97),
        flakes: 6,
        runs: 48,
        clean_runs: clean,
        clean_runs_needed: needed,
        last_flake: text("2026-11-24"),
        last_run: text("2026-11-26"),
    }
}

/// A file with an entry for a cell, an expired pattern that is broken, and rules.
pub(super) fn list() -> QuarantineView {
    let first = QuarantineEntry {
        test: name(2),
        variant: "os=windows".to_owned(),
        id: sample::label(TestNo(2)).id.to_string(),
        owner: text("@shop/payments"),
        reason: "passed on retry in 4 runs".to_owned(),
        ticket: text("SHOP-1204"),
        since: text("2026-11-20"),
        expires: text("2026-12-04"),
        line: Some(4),
        state: Some("live"),
        age_days: Some(6),
        days_left: Some(8),
        tests: Some(1),
        now: Some(standing("flaky", 3, 169)),
        ..QuarantineEntry::default()
    };
    let second = QuarantineEntry {
        test: "tests.e2e.*::test_login*".to_owned(),
        reason: "new cluster".to_owned(),
        since: text("2026-11-01"),
        expires: text("2026-11-26"),
        pattern: true,
        line: Some(14),
        state: Some("expired"),
        age_days: Some(25),
        days_left: Some(0),
        tests: Some(12),
        now: Some(standing("newly-broken", 0, 30)),
        ..QuarantineEntry::default()
    };
    let rule = |rule, test: &str, reason: &str, tests| QuarantineRule {
        rule,
        test: test.to_owned(),
        pattern: true,
        reason: reason.to_owned(),
        line: 30,
        tests,
    };
    QuarantineView {
        project: "acme/shop".to_owned(),
        window: "last 1,000 runs".to_owned(),
        source: "quarantine.toml".to_owned(),
        list: text("quarantine.toml"),
        entries: vec![first, second],
        cap: Some(20),
        held: Some(1),
        rules: vec![
            rule("always", "tests.hardware.*", "one bench for all teams", 4),
            rule("never", "*pay*", "money", 118),
        ],
        ..QuarantineView::default()
    }
}

fn change(action: &'static str, no: u32, why: &str) -> ChangeView {
    ChangeView {
        action,
        test: name(no),
        owner: text("@shop/payments"),
        since: text("2026-11-12"),
        expires: text("2026-12-10"),
        file: "shop/tests/test_checkout.py".to_owned(),
        why: why.to_owned(),
        now: Some(standing("flaky", 3, 169)),
        ..ChangeView::default()
    }
}

/// A plan with every action, one test over the budget and one withheld.
pub(super) fn update() -> UpdateView {
    let enter = ChangeView {
        variant: "os=windows".to_owned(),
        since: text("2026-11-26"),
        ..change(
            "enter",
            2,
            "Passed on retry in 4 runs: flaked in 6 of 48 runs, likely 5.1-24 %, 97 % sure, last on \
             2026-11-24",
        )
    };
    let extend = ChangeView {
        ticket: text("SHOP-1204"),
        ..change(
            "extend",
            3,
            "Still flaky: flaked in 9 of 300 runs, last on 2026-11-25; 212 more without a flake \
             release it",
        )
    };
    let pattern = ChangeView {
        test: "tests.e2e.*".to_owned(),
        pattern: true,
        file: String::new(),
        owner: None,
        ..change("stale", 0, "Last ran on 2026-11-02: nothing of that name has run since")
    };
    UpdateView {
        project: "acme/shop".to_owned(),
        window: "last 1,000 runs".to_owned(),
        list: "quarantine.toml".to_owned(),
        today: "2026-11-26".to_owned(),
        changes: vec![
            enter,
            extend,
            change("release", 4, "169 runs without a flake since its last flake on 2026-10-30"),
            change("expire", 5, "Its term ended on 2026-11-26 and nothing speaks for another"),
            pattern,
        ],
        refused: vec![change("enter", 6, "Recovered by itself twice: flaked in 2 of 90 runs")],
        kept: 17,
        withheld: vec![WithheldView {
            test: name(1),
            why: "it is broken in another variant, which a list would hide".to_owned(),
        }],
        budget: Some(BudgetView { limit: 20, before: 22, after: 20 }),
        policy: vec!["An entry holds for 14 days".to_owned()],
        ..UpdateView::default()
    }
}

/// One entry by hand.
pub(super) fn added() -> UpdateView {
    UpdateView {
        state: Applied::Written,
        changes: update().changes.into_iter().take(1).collect(),
        refused: Vec::new(),
        withheld: Vec::new(),
        policy: Vec::new(),
        ..update()
    }
}

/// Findings of an entry, and of the list as a whole.
pub(super) fn lint() -> LintView {
    let finding = |line, code, test: &str, message: &str, mend: &str| FindingView {
        line,
        code,
        test: test.to_owned(),
        message: message.to_owned(),
        mend: mend.to_owned(),
    };
    LintView {
        list: "quarantine.toml".to_owned(),
        today: "2026-11-26".to_owned(),
        entries: 21,
        rules: 2,
        findings: vec![
            finding(4, "no-owner", &name(2), "Nobody is named to mend it", "add owner = \"…\""),
            finding(4, "over-budget", "", "The list holds 22 tests; the budget is 20", "mend some"),
        ],
        notes: vec!["There is no history here".to_owned()],
        ..LintView::default()
    }
}

/// A month with one regression hidden.
pub(super) fn simulation() -> SimulationView {
    let term = |no, until: Option<&str>, ended_by, days, extended| TermView {
        test: name(no),
        from: "2026-10-04".to_owned(),
        until: until.map(str::to_owned),
        ended_by,
        days,
        extended,
        reason: "passed on retry in 4 runs".to_owned(),
        ..TermView::default()
    };
    SimulationView {
        schema: SimulationView::SCHEMA,
        project: "acme/shop".to_owned(),
        from: "2026-10-01".to_owned(),
        until: "2026-11-01".to_owned(),
        days: 31,
        runs: 1_240,
        builds: 620,
        builds_red: 88,
        builds_turned_green: 41,
        builds_turned_green_wrongly: 1,
        regressions: 7,
        hidden: vec![HiddenRegressionView {
            test: name(2),
            variant: "os=linux".to_owned(),
            from: "2026-10-19T08:22:18Z".to_owned(),
            revision: text("1f3a9c0a11bb1f3a9c0a11bb1f3a9c0a11bb1f3a"),
            runs_failed: 6,
            runs_hidden: 2,
            shown: text("2026-10-19T13:02:00Z"),
            hidden_seconds: 16_782,
        }],
        tests_held_max: 12,
        tests_held_mean: 8.387_097,
        days_held_median: Some(17),
        still_held: 1,
        terms: vec![
            term(2, None, None, 28, 1),
            term(3, Some("2026-10-21"), Some("release"), 17, 0),
            term(4, Some("2026-10-18"), Some("expire"), 14, 0),
        ],
    }
}
