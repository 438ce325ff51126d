//! What a search for order dependence found, in sentences that a terminal and a pull request share.

use super::palette::Tone;
use super::sentence;
use super::view::{FailuresView, OrderCaseView, OrderView};

/// The first line: what it is.
#[must_use]
pub fn headline(view: &OrderView) -> (Tone, String) {
    let of = |verdict: &str| view.cases.iter().filter(|case| case.verdict == verdict).count();
    let tests = |count: usize| sentence::count(count as u64, "test");
    let (tone, said) = match view.finding {
        "proven" => {
            let proven = of("proven");
            let verb = if proven == 1 { "depends" } else { "depend" };
            let said = format!("{} {verb} on what ran before.", tests(proven));
            (Tone::Unsteady, format!("Order-dependent: {said}"))
        }
        "not-decided" => {
            let spent = sentence::count(view.replays.len() as u64, "replay");
            (Tone::Unsteady, format!("Not decided: {spent} were not enough."))
        }
        "flaky" => {
            let said = "passed and failed in one and the same order.";
            (Tone::Unsteady, format!("Flaky, whatever the order: {} {said}", tests(of("flaky"))))
        }
        "always-fails" => {
            let failing = view.failing.len().max(of("always-fails"));
            let said = format!("{} failed in every order.", tests(failing));
            (Tone::Bad, format!("No matter of order: {said}"))
        }
        "did-not-run" => (Tone::Faint, "The test has no result: it did not run.".to_owned()),
        _ => (Tone::Good, format!("No order dependence: {}", cleared(view))),
    };
    match view.interrupted {
        true => (tone, format!("Ended by a signal. {said}")),
        false => (tone, said),
    }
}

fn cleared(view: &OrderView) -> String {
    let orders = sentence::count(view.orders, "order");
    match (&view.asked, view.own_order) {
        (Some(_), _) => format!("the test passed in {orders} and alone."),
        (None, true) => format!("no test failed; {} keeps its own order.", view.runner),
        (None, false) => format!("every test came out the same in {orders}."),
    }
}

/// What is said of one test: its role, and what it depends on.
#[must_use]
pub fn verdict(case: &OrderCaseView) -> String {
    let names = sentence::list(&case.needed);
    // Where they are not all known, among which tests the rest of them is.
    let others = |noun: &str| match (case.needed.len(), case.among) {
        (0 | 1, 0) => format!("its {noun} {names}"),
        (_, 0) => format!("its {noun}s {names}, all of which it takes"),
        (0, among) => format!("a {noun} among {}", sentence::count(among, "test")),
        (_, among) => format!("{names} and more among {}", sentence::count(among, "test")),
    };
    match (case.verdict, case.role) {
        ("proven", Some("brittle")) => {
            format!("brittle: it fails alone and passes behind {}.", others("state-setter"))
        }
        ("proven", _) => {
            format!("victim: it passes alone and fails behind {}.", others("polluter"))
        }
        ("not-decided", Some("brittle")) => {
            format!(
                "perhaps brittle: it failed alone and passed behind {}.",
                others("state-setter")
            )
        }
        ("not-decided", Some(_)) => {
            format!("perhaps a victim: it passed alone and failed behind {}.", others("polluter"))
        }
        ("not-decided", None) => "not decided: there were too few replays.".to_owned(),
        ("flaky", _) => {
            "flaky: it passed and failed in one and the same order, so it is no matter of order."
                .to_owned()
        }
        ("always-fails", _) => "broken: it failed in every order, and alone.".to_owned(),
        ("did-not-run", _) => "it did not run: its replays have no result of it.".to_owned(),
        _ => "cleared: it passed in every order, and alone.".to_owned(),
    }
}

/// The confirming replays, where there were any.
#[must_use]
pub fn confirmed(case: &OrderCaseView) -> Option<String> {
    if case.with.replays == 0 {
        return None;
    }
    let counts =
        |of: FailuresView| format!("{} of {}", of.failed, sentence::count(of.replays, "replay"));
    let said = format!(
        "It failed in {} behind {}, and in {} alone.",
        counts(case.with),
        if case.needed.len() > 1 { "them" } else { "it" },
        counts(case.without)
    );
    Some(match case.chance {
        Some(chance) => format!(
            "{said} A test that fails by chance looks so once in {} searches at most.",
            sentence::number((1.0 / chance).round() as u64)
        ),
        None => said,
    })
}

/// How much was run, and for what.
#[must_use]
pub fn effort(view: &OrderView) -> String {
    let replays = sentence::count(view.replays.len() as u64, "replay");
    let seconds: f64 = view.replays.iter().map(|replay| replay.seconds).sum();
    let executions: u64 = view.replays.iter().map(|replay| replay.tests).sum();
    let own = match view.own_order {
        true => format!(" {} keeps its own order, so only parts of it were tried.", view.runner),
        false => String::new(),
    };
    format!(
        "{replays} of {} at most, with {} in {}, on a suite of {}.{own}",
        sentence::number(view.budget.into()),
        sentence::count(executions, "execution"),
        sentence::seconds(seconds),
        sentence::count(view.tests, "test"),
    )
}
