//! Plans and reviews of shards to render in tests.

use crate::report::view::{
    BalanceView, DealtView, LongestView, RanView, ShardView, SourcesView, SplitReviewView,
    SplitView,
};

const fn balance(makespan_seconds: f64, mean_seconds: f64, imbalance: f64) -> BalanceView {
    BalanceView { makespan_seconds, mean_seconds, imbalance }
}

/// A plan of three shards, with new and skipped tests.
pub(in crate::report) fn plan() -> SplitView {
    let shard = |shard: &str, tests, seconds| ShardView {
        shard: shard.to_owned(),
        tests,
        units: tests,
        seconds: Some(seconds),
    };
    let dealt = |word: &str, shard: &str, seconds, source| DealtView {
        word: word.to_owned(),
        test: word.replace(".py::", "::").replace('/', "."),
        shard: shard.to_owned(),
        seconds: Some(seconds),
        source,
    };
    SplitView {
        schema: SplitView::SCHEMA,
        project: Some("acme/shop".to_owned()),
        listing: "pytest".to_owned(),
        by: "test",
        shard: None,
        tests: 2_000,
        runs: 100,
        times: SourcesView {
            history: 1_950,
            skipped: 8,
            file: 40,
            suite: 2,
            ..SourcesView::default()
        },
        shards: vec![shard("1/3", 12, 201.4), shard("2/3", 1_011, 199.0), shard("3/3", 977, 199.1)],
        balance: Some(balance(201.4, 199.833, 1.007_84)),
        by_count: Some(balance(455.1, 199.833, 2.277_4)),
        longest: Some(LongestView {
            unit: "tests/test_checkout.py::test_payment_is_retried".to_owned(),
            seconds: 93.2,
        }),
        plan: "3f2a91c07be4".to_owned(),
        dealt: vec![
            dealt("tests/test_checkout.py::test_payment_is_retried", "1/3", 93.2, "history"),
            dealt("tests/test_cart.py::test_total", "2/3", 0.01, "file"),
        ],
        notes: vec!["1 of the lines name a test that was listed before".to_owned()],
    }
}

/// A plan without times.
pub(in crate::report) fn unknown() -> SplitView {
    let mut view = plan();
    view.times = SourcesView { nothing: view.tests, ..SourcesView::default() };
    view.shards.iter_mut().for_each(|shard| shard.seconds = None);
    view.dealt.iter_mut().for_each(|dealt| dealt.seconds = None);
    (view.balance, view.by_count, view.longest) = (None, None, None);
    view
}

/// The review of three shards.
pub(in crate::report) fn review() -> SplitReviewView {
    let ran = |shard: &str, tests, seconds, predicted_seconds, most_off: &str, most_off_seconds| {
        let (shard, most_off) = (shard.to_owned(), most_off.to_owned());
        RanView { shard, tests, seconds, predicted_seconds, most_off, most_off_seconds }
    };
    SplitReviewView {
        schema: SplitReviewView::SCHEMA,
        project: "acme/shop".to_owned(),
        build: Some("424".to_owned()),
        revision: Some("9e3779b97f4a7c15000000000000000000000001".to_owned()),
        started: "2026-11-22T08:00:00Z".to_owned(),
        shards: vec![
            ran("2/3", 1_011, 244.0, Some(199.0), "shop.checkout::test_payment_is_retried", 41.5),
            ran("1/3", 12, 203.0, Some(201.4), "", 0.0),
            ran("3/3", 977, 181.0, None, "", 0.0),
        ],
        real: Some(balance(244.0, 209.333, 1.165_6)),
        predicted: Some(balance(201.4, 199.833, 1.007_84)),
        possible: Some(balance(209.4, 209.333, 1.000_3)),
        notes: Vec::new(),
    }
}

pub(in crate::report) fn hostile(name: &str) -> (SplitView, SplitReviewView) {
    let (mut split, mut ran) = (plan(), review());
    split.plan = name.to_owned();
    split.notes.push(name.to_owned());
    if let Some(longest) = &mut split.longest {
        longest.unit = name.to_owned();
    }
    ran.build = Some(name.to_owned());
    ran.revision = Some(name.to_owned());
    ran.notes.push(name.to_owned());
    for shard in &mut ran.shards {
        shard.shard = name.to_owned();
        shard.most_off = name.to_owned();
    }
    (split, ran)
}
