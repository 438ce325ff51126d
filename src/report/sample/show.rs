//! One test with everything that can be said of it, to render in tests.

use super::{SIX_HOURS, START, hostile, label, named, usual, window};
use crate::analysis::trail::{Breakage, Point, Trail, Tried};
use crate::analysis::verdict::{FailureCluster, NextStep, OtherText, Status, Verdict};
use crate::model::failure::mask;
use crate::model::hash::SignatureId;
use crate::model::{Outcome, Timestamp};
use crate::report::view::{
    ListEventView, ListedView, QuarantineEntry, QuarantineRule, ShowInput, ShowView, TestLabel,
};

/// The verdict with a trail as it might have come to it: each failure makes it likelier.
fn with_trail(verdict: &Verdict) -> Verdict {
    let (mut flaky, mut broken) = (0.02_f64, 0.01_f64);
    let (mut points, mut retried) = (Vec::new(), Vec::new());
    for cell in verdict.cells.iter().filter(|cell| cell.outcome != Outcome::Skipped) {
        let bad = cell.outcome.is_bad();
        let odds = flaky / (1.0 - flaky) * if bad || cell.retried { 4.0 } else { 0.93 };
        flaky = (odds / (1.0 + odds)).min(0.997);
        broken = if bad { (broken + 0.2).min(0.93) } else { 0.01 };
        let status = match (broken >= 0.9, flaky) {
            (true, _) => Status::NewlyBroken,
            (_, 0.6..) => Status::Flaky,
            (_, 0.35..) => Status::Suspect,
            _ => Status::Healthy,
        };
        points.push(Point { run: cell.run, flaky, broken, status: Some(status) });
        if cell.retried {
            retried.push(Tried { run: cell.run, failed: 2, passed: true });
        }
    }
    let trail = Trail { points, breakages: Vec::new(), retried, places: Vec::new() };
    Verdict { trail: Some(Box::new(trail)), ..verdict.clone() }
}

fn entry() -> QuarantineEntry {
    QuarantineEntry {
        test: label(crate::store::query::TestNo(3)).label,
        owner: Some("@shop/payments".to_owned()),
        reason: "waits for the gateway's sandbox".to_owned(),
        ticket: Some("SHOP-412".to_owned()),
        since: Some("2026-11-12".to_owned()),
        expires: Some("2026-12-03".to_owned()),
        line: Some(14),
        state: Some("live"),
        age_days: Some(9),
        days_left: Some(12),
        ..QuarantineEntry::default()
    }
}

fn listed() -> ListedView {
    let event = |day: &str, revision: char, event| ListEventView {
        committed: Some(format!("{day}T08:30:00Z")),
        revision: Some(revision.to_string().repeat(40)),
        event,
        expires: Some("2026-12-03".to_owned()),
        ..ListEventView::default()
    };
    ListedView {
        list: "quarantine.toml".to_owned(),
        entries: vec![entry()],
        rules: Vec::new(),
        events: vec![
            ListEventView {
                expires: Some("2026-11-26".to_owned()),
                ..event("2026-11-12", 'a', "entered")
            },
            ListEventView {
                expired_before: Some("2026-11-26".to_owned()),
                committed: None,
                revision: None,
                ..event("2026-11-20", 'b', "extended")
            },
        ],
        events_cut: false,
    }
}

fn hostile_listed(name: &str) -> ListedView {
    let entry = QuarantineEntry {
        test: name.to_owned(),
        variant: name.to_owned(),
        owner: Some(name.to_owned()),
        reason: name.to_owned(),
        ticket: Some(name.to_owned()),
        pattern: true,
        ..entry()
    };
    let rule = QuarantineRule {
        rule: "never",
        test: name.to_owned(),
        pattern: true,
        reason: name.to_owned(),
        line: 1,
        tests: 1,
    };
    let event = ListEventView {
        test: name.to_owned(),
        pattern: true,
        variant: name.to_owned(),
        ..listed().events[0].clone()
    };
    ListedView {
        list: name.to_owned(),
        entries: vec![entry],
        rules: vec![rule],
        events: vec![event],
        events_cut: true,
    }
}

/// A test that broke twice, in one of two variants, over more runs than a screen is wide.
pub(in crate::report) fn show_broken() -> ShowView {
    let mut judgement = usual();
    let one = judgement.runs.clone();
    for round in 1..6 {
        judgement.runs.extend(one.iter().map(|run| {
            let started = Timestamp(run.started.0 + round * 52 * SIX_HOURS);
            let revision = run.revision.as_ref().map(|name| format!("{round}{}", &name[1..]));
            crate::analysis::verdict::JudgedRun { started, revision, ..run.clone() }
        }));
    }
    let strip = "..F..r....Fx..F..F.....F..F.....s..F....F.Fr....F...".repeat(5)
        + &".".repeat(20)
        + "FFFFFF"
        + &".".repeat(20)
        + "FFFFFF";
    let flaky = super::verdict(3, Status::NewlyBroken, &strip, &judgement.runs);
    let mut windows = with_trail(&flaky);
    windows.variant = "os=windows".to_owned();
    windows.next = vec![NextStep::PassingRuns { runs: 3 }];
    windows.broken_probability = Some(0.93);
    if let Some(trail) = &mut windows.trail {
        let breakage = |first_bad, ended_by| Breakage {
            last_good: Some(first_bad - 2),
            first_bad,
            ended_by,
            runs: 6,
        };
        trail.breakages = vec![breakage(280, Some(286)), breakage(306, None)];
    }
    let healthy = judgement.verdicts[20].clone();
    let linux = Verdict { variant: "os=linux".to_owned(), test: flaky.test, ..healthy };
    let input = ShowInput {
        project: "acme/shop",
        window: &window(),
        label: &label(flaky.test),
        verdicts: &[&windows, &linux],
        failures: &failures(),
        others: &[],
        listed: Some(ListedView { list: "quarantine.toml".to_owned(), ..ListedView::default() }),
    };
    let mut view = ShowView::new(&judgement, input);
    for (breakage, commits) in view.variants[0].trail.breakages.iter_mut().zip([3, 17]) {
        breakage.commits = Some(commits);
    }
    view
}

fn failures() -> Vec<FailureCluster> {
    let text = |lines: usize| {
        let frames: String =
            (0..lines).map(|n| format!("  File \"shop/pay.py\", line {n}, in call\n")).collect();
        format!(
            "Traceback (most recent call last):\n{frames}TimeoutError: gateway did not answer within 2 s"
        )
    };
    vec![
        FailureCluster {
            signature: SignatureId([7; 16]),
            count: 11,
            first: Timestamp(START),
            last: Timestamp(START + 40 * SIX_HOURS),
            kind: "TimeoutError".to_owned(),
            headline: "gateway did not answer within 2 s".to_owned(),
            text: text(40),
            whole: text(40),
            masked: text(40).lines().map(mask).collect::<Vec<_>>().join("\n"),
            variants: vec![("os=linux".to_owned(), 8), ("os=windows".to_owned(), 3)],
            texts: 3,
            other: Some(OtherText {
                last: Timestamp(START + 8 * SIX_HOURS),
                text: text(40)
                    .replace("File \"shop/pay.py\", line 31", "File \"shop/retry.py\", line 7"),
                alike: false,
            }),
        },
        FailureCluster {
            signature: SignatureId([8; 16]),
            count: 1,
            first: Timestamp(START),
            last: Timestamp(START),
            kind: "AssertionError".to_owned(),
            headline: "AssertionError: assert 3 == 4".to_owned(),
            text: "AssertionError: assert 3 == 4".to_owned(),
            whole: "AssertionError: assert 3 == 4".to_owned(),
            masked: "AssertionError: assert # == #".to_owned(),
            variants: vec![("os=linux".to_owned(), 1)],
            texts: 1,
            other: None,
        },
    ]
}

pub(in crate::report) fn show() -> ShowView {
    let judgement = usual();
    let verdict = &with_trail(&judgement.verdicts[2]);
    let input = ShowInput {
        project: "acme/shop",
        window: &window(),
        label: &label(verdict.test),
        verdicts: &[verdict],
        failures: &failures(),
        others: &["shop.tests.test_checkout::test_payment".to_owned()],
        listed: Some(listed()),
    };
    ShowView::new(&judgement, input)
}

/// A test that never failed, in one variant and absent from another.
pub(in crate::report) fn show_healthy() -> ShowView {
    let judgement = usual();
    let verdict = &judgement.verdicts[20];
    let linux = Verdict { variant: "os=linux".to_owned(), ..verdict.clone() };
    let windows = Verdict {
        variant: "os=windows".to_owned(),
        status: Status::New,
        executions: 0,
        skipped: 4,
        duration_median: None,
        next: vec![NextStep::MoreResults { runs: 3 }],
        ..verdict.clone()
    };
    let input = ShowInput {
        project: "acme/shop",
        window: &window(),
        label: &TestLabel { file: String::new(), ..label(verdict.test) },
        verdicts: &[&linux, &windows],
        failures: &[],
        others: &[],
        listed: None,
    };
    ShowView::new(&judgement, input)
}

pub(in crate::report) fn hostile_show(name: &str) -> ShowView {
    let judgement = hostile();
    let verdict = &with_trail(&judgement.verdicts[0]);
    let failure = FailureCluster {
        headline: name.to_owned(),
        text: format!("{name}\r\n\t{name}"),
        kind: name.to_owned(),
        masked: name.to_owned(),
        whole: format!("{name}\n{name}"),
        variants: vec![(name.to_owned(), 2), (String::new(), 1)],
        other: Some(OtherText { last: Timestamp(START), text: name.repeat(2), alike: true }),
        ..failures()[0].clone()
    };
    let input = ShowInput {
        project: name,
        window: &window(),
        label: &named(verdict.test, name.to_owned()),
        verdicts: &[verdict],
        failures: &[failure],
        others: &[name.to_owned()],
        listed: Some(hostile_listed(name)),
    };
    ShowView::new(&judgement, input)
}
