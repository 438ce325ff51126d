//! Answers to render in tests, one of each question, about the usual history.

use std::collections::HashMap;

use super::{label, named, tiny, usual, window};
use crate::analysis::alike::{Alike, AlikeFailures};
use crate::analysis::at_revision::{AtRevision, FailedHere, FailureKind};
use crate::analysis::changes::{Changes, Moved, RateChange};
use crate::analysis::company::{Company, Group};
use crate::analysis::direction::Direction;
use crate::analysis::harm::Harm;
use crate::analysis::healed::healed;
use crate::analysis::slower::{Pace, PaceChange, PaceSettings};
use crate::analysis::verdict::{Judgement, Status, Verdict};
use crate::model::{Failure, Micros, SignatureId};
use crate::report::view::question::{
    AboutView, AssociationsView, ClustersView, CostsView, HealedView, OwnersInput, OwnersView,
    PaceView, RevisionInput, RevisionView, SinceInput, SinceView, SlowerView,
};
use crate::report::view::{QuestionView, TestLabel, WindowText};
use crate::store::query::{FailureNo, TestNo};

/// The usual history, with what each of its first tests cost.
fn judgement() -> Judgement {
    let mut judgement = usual();
    let costs = [(3, 2, 2.5, 940), (52, 0, 4.0, 310), (12, 4, 7.25, 5_700), (1, 0, 0.02, 4)];
    for (verdict, (reddened, alone, share, seconds)) in judgement.verdicts.iter_mut().zip(costs) {
        verdict.harm = Harm { reddened, alone, share, lost: Micros(seconds * 1_000_000) };
    }
    judgement.verdicts[4].status = Status::Fixed;
    judgement
}

fn about(schema: &'static str, judgement: &Judgement, project: &str) -> AboutView {
    AboutView::new(schema, project, &window(), judgement)
}

fn alike(judgement: &Judgement) -> AlikeFailures {
    let started = |run: usize| judgement.runs[run].started;
    let group = |signature: u8, failures, tests: &[(u32, u32)], (first, last), example| Alike {
        signature: SignatureId([signature; 16]),
        failures,
        runs: failures / 2 + 1,
        tests: tests.iter().map(|(test, failures)| (TestNo(*test), *failures)).collect(),
        variants: Vec::new(),
        first: started(first),
        last: started(last),
        example: FailureNo(example),
    };
    AlikeFailures {
        groups: vec![
            Alike {
                variants: vec!["os=linux".into(), "os=windows,python=3.12".into()],
                ..group(0xa1, 61, &[(1, 52), (2, 5), (3, 2), (5, 1), (8, 1)], (0, 51), 1)
            },
            group(0xb2, 9, &[(2, 9)], (2, 48), 2),
            group(0xc3, 3, &[(0, 3)], (49, 51), 3),
        ],
        failures: 73,
        unexplained: 4,
        in_outages: 31,
        outages: 1,
    }
}

fn company(judgement: &Judgement) -> Company {
    let started = |run: usize| judgement.runs[run].started;
    Company {
        groups: vec![Group {
            tests: [(2, 12), (3, 9), (5, 9), (8, 8)].map(|(no, runs)| (TestNo(no), runs)).into(),
            runs: 13,
            together: 9,
            first: started(2),
            last: started(48),
            q: 3.1e-5,
        }],
        compared: 7,
        left_out: 2,
        pairs: 21,
    }
}

fn clusters(
    judgement: &Judgement,
    names: &dyn Fn(TestNo) -> TestLabel,
    text: &str,
) -> ClustersView {
    let failure = |no, kind: &str, message: &str| {
        let failure = Failure {
            kind: kind.into(),
            message: message.into(),
            text: format!("{message}\nat x"),
        };
        (FailureNo(no), failure)
    };
    let examples: HashMap<FailureNo, Failure> = HashMap::from([
        failure(1, "OSError", &format!("OSError: {text}")),
        failure(2, "", &format!("TimeoutError: {text} did not answer within 2 s")),
        failure(3, "AssertionError", ""),
    ]);
    let about = about(ClustersView::SCHEMA, judgement, text);
    ClustersView::new(about, &alike(judgement), &examples, &company(judgement), names)
}

fn pace() -> Pace {
    let change = |no, before: u64, after: u64, first_after, q| PaceChange {
        test: TestNo(no),
        variant: String::new(),
        before: Micros(before * 1_000),
        after: Micros(after * 1_000),
        passes: (30, 14),
        last_before: first_after - 1,
        first_after,
        p: q / 6.0,
        q,
    };
    Pace {
        slower: vec![change(8, 1_210, 4_730, 36, 2.2e-8), change(2, 262, 410, 41, 0.013)],
        faster: vec![change(9, 9_400, 2_100, 20, 7.0e-9)],
        asked: 31,
        too_few: 3,
        too_quick: 4,
    }
}

fn slower(judgement: &Judgement, names: &dyn Fn(TestNo) -> TestLabel, project: &str) -> SlowerView {
    let about = about(SlowerView::SCHEMA, judgement, project);
    SlowerView::new(about, &pace(), &PaceSettings::default(), &judgement.runs, names)
}

fn since(judgement: &Judgement, names: &dyn Fn(TestNo) -> TestLabel, project: &str) -> SinceView {
    let mut before = judgement.clone();
    before.verdicts[0].status = Status::Healthy;
    before.verdicts[2].status = Status::Suspect;
    before.verdicts[4].status = Status::Broken;
    before.verdicts[7].status = Status::Healthy;
    let moved = |place: usize| Moved { before: Some(place), now: Some(place) };
    let changes = Changes {
        newly_broken: vec![moved(0)],
        newly_flaky: vec![moved(2)],
        fixed: vec![moved(4)],
        healed: Vec::new(),
        vanished: vec![moved(7), Moved { before: Some(8), now: None }],
        rates: vec![RateChange {
            moved: moved(2),
            before: (2, 31),
            since: (12, 20),
            p: 4.4e-5,
            q: 1.3e-4,
        }],
        asked: 5,
        runs_before: (4, 31),
        runs_since: (11, 20),
        direction: Direction::Worse,
    };
    let moment = judgement.runs[31].started;
    let window_before = WindowText { until: Some(moment), ..window() };
    let input = SinceInput {
        moment,
        revision: None,
        window_before: &window_before,
        before: &before,
        now: judgement,
        changes: &changes,
        appeared: &[TestNo(5), TestNo(6)],
        names,
    };
    SinceView::new(about(SinceView::SCHEMA, judgement, project), input)
}

fn revision(
    judgement: &Judgement,
    names: &dyn Fn(TestNo) -> TestLabel,
    project: &str,
) -> RevisionView {
    let failed =
        |verdict, kind, failed, retried| FailedHere { verdict, kind, failed, retried, ran: 2 };
    let found = AtRevision {
        runs: vec![50, 51],
        previous: judgement.runs[49].revision.clone(),
        previous_runs: vec![48, 49],
        failed: vec![
            failed(0, FailureKind::Began, 2, 0),
            failed(5, FailureKind::Unclear, 1, 0),
            failed(1, FailureKind::Continued, 2, 0),
            failed(2, FailureKind::Flake, 0, 1),
        ],
        appeared: vec![TestNo(6)],
        vanished: vec![(TestNo(7), "os=linux".to_owned())],
        passed: 32,
    };
    let pace = pace();
    let slower = [PaceView::new(&pace.slower[0], &judgement.runs, names(TestNo(8)))];
    let revision = judgement.runs[51].revision.clone().unwrap();
    let input = RevisionInput {
        revision: &revision,
        judgement,
        found: &found,
        pace: [&slower, &[]],
        names,
    };
    RevisionView::new(about(RevisionView::SCHEMA, judgement, project), input)
}

fn answers(
    judgement: &Judgement,
    names: &dyn Fn(TestNo) -> TestLabel,
    text: &str,
) -> Vec<(&'static str, QuestionView)> {
    let of = |verdict: &Verdict| names(verdict.test);
    let about = |schema| about(schema, judgement, text);
    vec![
        ("costs", QuestionView::Costs(CostsView::new(about(CostsView::SCHEMA), judgement, &of))),
        ("since", QuestionView::Since(Box::new(since(judgement, names, text)))),
        ("revision", QuestionView::Revision(revision(judgement, names, text))),
        ("clusters", QuestionView::Clusters(clusters(judgement, names, text))),
        ("owners", {
            let about = about(OwnersView::SCHEMA);
            QuestionView::Owners(OwnersView::new(about, judgement, OwnersInput::Known, &of))
        }),
        ("associations", {
            let about = about(AssociationsView::SCHEMA);
            QuestionView::Associations(AssociationsView::new(about, judgement, 6, &of))
        }),
        ("slower", QuestionView::Slower(slower(judgement, names, text))),
        ("healed", {
            let about = about(HealedView::SCHEMA);
            QuestionView::Healed(HealedView::new(about, judgement, &healed(judgement), &of))
        }),
    ]
}

/// One answer to each question.
pub(in crate::report) fn all() -> Vec<(&'static str, QuestionView)> {
    answers(&judgement(), &label, "acme/shop")
}

/// The same about a project, tests and failures whose every name is this one.
pub(in crate::report) fn hostile(name: &str) -> Vec<(&'static str, QuestionView)> {
    let mut judgement = judgement();
    for run in &mut judgement.runs {
        run.revision = Some(format!("{name}{}", run.no.0));
        run.variant = name.to_owned();
    }
    for verdict in &mut judgement.verdicts {
        verdict.variant = name.to_owned();
    }
    let label =
        |test: TestNo| TestLabel { owners: vec![name.to_owned()], ..named(test, name.to_owned()) };
    answers(&judgement, &label, name)
}

/// The answers that a judgement alone gives about no run, and about a window in which nothing failed.
pub(in crate::report) fn empty() -> Vec<(&'static str, QuestionView)> {
    let mut quiet = usual();
    quiet.verdicts.drain(..8);
    [("no_runs", tiny(0)), ("quiet", quiet)]
        .into_iter()
        .flat_map(|(name, judgement)| {
            let of = |verdict: &Verdict| label(verdict.test);
            let about = |schema| about(schema, &judgement, "acme/shop");
            let clusters = ClustersView::new(
                about(ClustersView::SCHEMA),
                &AlikeFailures::default(),
                &HashMap::new(),
                &Company::default(),
                &label,
            );
            let slower = SlowerView::new(
                about(SlowerView::SCHEMA),
                &Pace::default(),
                &PaceSettings::default(),
                &judgement.runs,
                &label,
            );
            let owners =
                OwnersView::new(about(OwnersView::SCHEMA), &judgement, OwnersInput::Unknown, &of);
            [
                QuestionView::Costs(CostsView::new(about(CostsView::SCHEMA), &judgement, &of)),
                QuestionView::Clusters(clusters),
                QuestionView::Owners(owners),
                QuestionView::Associations(AssociationsView::new(
                    about(AssociationsView::SCHEMA),
                    &judgement,
                    6,
                    &of,
                )),
                QuestionView::Slower(slower),
                QuestionView::Healed(HealedView::new(
                    about(HealedView::SCHEMA),
                    &judgement,
                    &healed(&judgement),
                    &of,
                )),
            ]
            .map(|view| (name, view))
        })
        .collect()
}
