//! Pages to render in tests: the usual history and the hostile one, with everything about them.

use std::collections::HashMap;

use super::sample;
use super::sample_list;
use super::view::question::{AboutView, ClustersView, OwnersInput, OwnersView, SlowerView};
use super::view::{DashboardInput, DashboardView, Listing, QuarantineView, ReportView, TestLabel};
use crate::analysis::alike::{Alike, AlikeFailures};
use crate::analysis::company::{Company, Group};
use crate::analysis::slower::{Pace, PaceChange, PaceSettings};
use crate::analysis::verdict::Judgement;
use crate::model::hash::SignatureId;
use crate::model::{Failure, Micros};
use crate::store::query::{FailureNo, TestNo};

type Names<'a> = &'a dyn Fn(TestNo) -> TestLabel;

/// The usual history, with a list.
pub(super) fn usual() -> DashboardView {
    let list = Some(sample_list::list());
    let judgement = sample::usual();
    let report = sample::report_of(&judgement, Listing::All);
    page(&judgement, report, list, &sample::label, "gateway did not answer within 2 s")
}

/// So many runs.
pub(super) fn tiny(runs: u32) -> DashboardView {
    let judgement = sample::tiny(runs);
    let report = sample::report_of(&judgement, Listing::All);
    page(&judgement, report, None, &sample::label, "")
}

/// A page whose every text is hostile.
pub(super) fn hostile() -> DashboardView {
    const TAIL: &str = "\u{202e}<script>alert(1)</script>\"'--><!--]]>";
    let hostile = |text: &str| format!("{text}{TAIL}");
    let mut list = sample_list::list();
    list.source = hostile("list");
    list.notes = vec![hostile("note")];
    for entry in &mut list.entries {
        entry.test = hostile("entry");
        entry.owner = Some(hostile("owner"));
        entry.reason = hostile("reason");
        entry.ticket = Some(hostile("https://tickets/"));
    }
    let names = sample::hostile_names();
    let label = |test: TestNo| TestLabel {
        label: names[test.0 as usize % names.len()].clone(),
        owners: vec![hostile("@owner")],
        ..sample::label(test)
    };
    let message = hostile("message\n</pre>");
    page(&sample::hostile(), sample::hostile_report(), Some(list), &label, &message)
}

fn page(
    judgement: &Judgement,
    report: ReportView,
    quarantine: Option<QuarantineView>,
    names: Names<'_>,
    message: &str,
) -> DashboardView {
    let about = |schema| AboutView::new(schema, "acme/shop", &sample::window(), judgement);
    let input = DashboardInput {
        report,
        listed: (0..judgement.verdicts.len()).collect(),
        clusters: clusters(judgement, about(ClustersView::SCHEMA), names, message),
        owners: OwnersView::new(
            about(OwnersView::SCHEMA),
            judgement,
            OwnersInput::Known,
            &|verdict| names(verdict.test),
        ),
        slower: SlowerView::new(
            about(SlowerView::SCHEMA),
            &pace(judgement),
            &PaceSettings::default(),
            &judgement.runs,
            names,
        ),
        quarantine,
    };
    DashboardView::new(judgement, input)
}

/// Two kinds of failures and two tests that fail together; nothing in a window of a few runs.
fn clusters(
    judgement: &Judgement,
    about: AboutView,
    names: Names<'_>,
    message: &str,
) -> ClustersView {
    let (Some(first), Some(last)) = (judgement.runs.first(), judgement.runs.get(5)) else {
        let (none, nobody) = (AlikeFailures::default(), Company::default());
        return ClustersView::new(about, &none, &HashMap::new(), &nobody, names);
    };
    let alike = |no: u8, failures, tests| Alike {
        signature: SignatureId([no; 16]),
        failures,
        runs: 9,
        tests,
        variants: vec![String::new()],
        first: first.started,
        last: last.started,
        example: FailureNo(no.into()),
    };
    let both = vec![(TestNo(2), 8), (TestNo(3), 3)];
    let groups = vec![alike(1, 11, both.clone()), alike(2, 1, vec![(TestNo(0), 1)])];
    let found = AlikeFailures { groups, failures: 12, unexplained: 2, in_outages: 31, outages: 1 };
    let failure = Failure {
        kind: "TimeoutError".to_owned(),
        message: message.to_owned(),
        text: format!("Traceback (most recent call last):\n  File \"shop/pay.py\"\n{message}"),
    };
    let company = Company {
        groups: vec![Group {
            tests: both,
            runs: 9,
            together: 6,
            first: first.started,
            last: last.started,
            q: 0.000_21,
        }],
        compared: 7,
        left_out: 31,
        pairs: 21,
    };
    let examples = [(FailureNo(1), failure)].into_iter().collect();
    ClustersView::new(about, &found, &examples, &company, names)
}

fn pace(judgement: &Judgement) -> Pace {
    let runs = judgement.runs.len() as u32;
    let change = PaceChange {
        test: TestNo(4),
        variant: String::new(),
        before: Micros(412_000),
        after: Micros(1_300_000),
        passes: (24, 21),
        last_before: runs / 2,
        first_after: runs / 2 + 1,
        p: 3.1e-9,
        q: 1.2e-7,
    };
    let slower = if runs > 9 { vec![change] } else { Vec::new() };
    Pace { slower, faster: Vec::new(), asked: 30, too_few: 4, too_quick: 4 }
}
