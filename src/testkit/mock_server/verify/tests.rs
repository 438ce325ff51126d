use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Expect, Expectation, VerifyError, verify};
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::journal::{Answer, Decision, Entry, Journal};
use crate::testkit::mock_server::models::Models;
use crate::testkit::mock_server::surface::{Found, find};

/// A journal of requests: path and body, each a chat where it has messages.
fn journal(requests: &[(&str, &str, Value)]) -> Vec<Arc<Entry>> {
    let mut journal = Journal::default();
    for (method, path, body) in requests {
        let exchange = Exchange::bare(method, path, &body.to_string());
        let route = match find(method, path) {
            Found::Route(row, _) => Some(row.path),
            _ => None,
        };
        let place = journal.arrive();
        let decision = Decision {
            identity: [0; 16],
            n: 1,
            answer: Answer::Default,
            latency: Duration::ZERO,
            faults: Vec::new(),
        };
        journal.push(
            place,
            Entry {
                index: 0,
                exchange,
                route,
                model: None,
                matched: None,
                decision,
                status: Some(200),
                near_misses: Vec::new(),
            },
        );
    }
    journal.snapshot()
}

fn chat(text: &str) -> (&'static str, &'static str, Value) {
    let body = json!({"model": "llama3.2", "options": {"seed": 1}, "messages": [{"role": "user", "content": text}]});
    ("POST", "/api/chat", body)
}

fn tags() -> (&'static str, &'static str, Value) {
    ("GET", "/api/tags", json!(null))
}

fn check(
    expectation: impl Into<Expectation>,
    entries: &[Arc<Entry>],
) -> Result<Vec<u64>, Box<VerifyError>> {
    let counted = verify(&expectation.into(), entries, 0, &Models::default())?;
    Ok(counted.iter().map(|entry| entry.index).collect())
}

#[test]
fn requests_are_counted_by_conditions_that_all_hold() {
    let entries = journal(&[
        tags(),
        chat("What is the weather?"),
        chat("Hello"),
        ("POST", "/v1/chat/completions", chat("weather again").2),
        ("GET", "/x", json!(null)),
    ]);
    let weather = || Expect::requests().user_contains("weather");
    for (expect, counted) in [
        (Expect::requests(), vec![1, 2, 3, 4, 5]),
        (weather(), vec![2, 4]),
        (weather().to("/api/chat"), vec![2]),
        (weather().to("chat").times(2), vec![2, 4]),
        (weather().to("/v1/*").once(), vec![4]),
        (Expect::requests().to("/api/tags").once(), vec![1]),
        (Expect::requests().to("/x").once(), vec![5]),
        (Expect::requests().model("LLAMA*").at_least(3), vec![2, 3, 4]),
        (Expect::requests().user("Hello").at_most(1), vec![3]),
        (Expect::requests().user_matches("^What").between(1, 2), vec![2]),
        (Expect::requests().user("Bye").never(), vec![]),
        (Expect::requests().user("Bye").at_most(3), vec![]),
        (Expect::requests().body(json!({"options": {"seed": 1}})).times(3), vec![2, 3, 4]),
        (Expect::requests().body_at("/options/seed", 1).to("/v1/*"), vec![4]),
    ] {
        assert_eq!(check(expect.clone(), &entries).unwrap(), counted, "{expect:?}");
    }
}

#[test]
fn a_wrong_number_shows_what_was_wanted_what_came_and_how_the_others_differ() {
    let entries = journal(&[tags(), chat("What is the wether?"), chat("weather"), chat("Hello")]);
    let error =
        check(Expect::requests().to("/api/chat").user_contains("weather").times(2), &entries)
            .unwrap_err();
    insta::assert_snapshot!(error, @r##"
wanted exactly 2 requests with {"route":"/api/chat","user":{"contains":"weather"}}, got 1
  counted: request 3
  request 2 differs in the user text: wants "weather", got "wether"
  request 4 differs in the user text: wants "weather" in it, got "Hello"
  request 1 wants route /api/chat, this is /api/tags; wants a user text that is "weather" in it, there is none
the journal:
  1. GET /api/tags -> 200 (default)
  2. POST /api/chat llama3.2 "What is the wether?" -> 200 (default)
  3. POST /api/chat llama3.2 "weather" -> 200 (default)
  4. POST /api/chat llama3.2 "Hello" -> 200 (default)
"##);
    assert_eq!(error.counted, [3]);
    assert_eq!(error.near_misses[0].request, 2);
    assert_eq!(format!("{error:?}"), error.to_string());
    let error = check(Expect::requests().to("/api/chat").never(), &entries[3..]).unwrap_err();
    insta::assert_snapshot!(error, @r##"
wanted no request with {"route":"/api/chat"}, got 1
  counted: request 4
the journal:
  4. POST /api/chat llama3.2 "Hello" -> 200 (default)
"##);
    let error = check(Expect::requests(), &[]).unwrap_err();
    insta::assert_snapshot!(error, @r"
wanted at least 1 request of any kind, got 0
the journal is empty: no request came
");
}

#[test]
fn a_long_journal_is_shown_in_part() {
    let requests: Vec<_> = (0..30).map(|n| chat(&format!("number {n}"))).collect();
    let error = check(Expect::requests().user("number"), &journal(&requests)).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("\n  and 20 more that differ\n"), "{text}");
    assert!(text.contains("the journal, without the first 10:\n  11. POST"), "{text}");
    assert_eq!(error.near_misses.len(), 30);
}

#[test]
fn order_is_that_of_arrival_and_others_may_come_between() {
    let entries = journal(&[chat("a"), chat("x"), chat("b"), chat("a"), chat("c")]);
    let user = |text: &str| Expect::requests().user(text);
    for (steps, counted) in [
        (vec![user("a"), user("b"), user("c")], vec![1, 3, 5]),
        (vec![user("b"), user("a")], vec![3, 4]),
        (vec![user("a"), user("a")], vec![1, 4]),
        (vec![user("a").times(2), user("c")], vec![1, 4, 5]),
        (vec![user("a"), user("y").never(), user("b")], vec![1, 3]),
        (vec![user("b"), user("x").never(), user("c")], vec![3, 5]),
        (vec![user("b"), user("b").never()], vec![3]),
        (vec![user("y").at_most(1), user("b")], vec![3]),
        (vec![], vec![]),
    ] {
        assert_eq!(check(Expect::in_order(steps.clone()), &entries).unwrap(), counted, "{steps:?}");
    }
    for (steps, got) in [
        (vec![user("b"), user("x")], "got 0 after request 3; it came before, as request 2"),
        (vec![user("a").times(3)], "got 2"),
        (vec![user("c"), user("y")], "got 0 after request 5"),
        (vec![user("a"), user("x").never(), user("b")], "got request 2 there"),
        (vec![user("b"), user("c").never()], "got request 5 there"),
    ] {
        let error = check(Expect::in_order(steps), &entries).unwrap_err();
        assert_eq!(error.got, got, "{error}");
    }
    let error = check(Expect::in_order([user("b"), user("x")]), &entries).unwrap_err();
    insta::assert_snapshot!(error, @r##"
wanted step 2 of 2: at least 1 request with {"user":{"equals":"x"}}, got 0 after request 3; it came before, as request 2
  counted: request 3
  request 1 differs in the user text: wants "x", got "a"
  request 3 differs in the user text: wants "x", got "b"
  request 4 differs in the user text: wants "x", got "a"
  request 5 differs in the user text: wants "x", got "c"
the journal:
  1. POST /api/chat llama3.2 "a" -> 200 (default)
  2. POST /api/chat llama3.2 "x" -> 200 (default)
  3. POST /api/chat llama3.2 "b" -> 200 (default)
  4. POST /api/chat llama3.2 "a" -> 200 (default)
  5. POST /api/chat llama3.2 "c" -> 200 (default)
"##);
}

#[test]
fn what_was_dropped_makes_limits_from_above_unknown() {
    let entries = journal(&[chat("a"), chat("b")]);
    let after = |expectation: Expectation, entries: &[Arc<Entry>], dropped: u64| {
        verify(&expectation, entries, dropped, &Models::default())
            .map(|counted| counted.len())
            .map_err(|error| (error.got.clone(), error.dropped))
    };
    let a = || Expect::requests().user("a");
    let gone = "but 3 more requests are no longer in the journal and may be among them";
    for (expect, got) in [
        (a().once(), "got 1"),
        (a().at_most(2), "got 1"),
        (a().between(1, 2), "got 1"),
        (Expect::requests().user("c").never(), "got 0"),
    ] {
        let expectation = Expectation::from(expect);
        let failed = after(expectation.clone(), &entries, 3).unwrap_err();
        assert_eq!(failed, (format!("{got}, {gone}"), 3));
        after(expectation, &entries, 0).unwrap();
    }
    assert_eq!(after(a().at_least(1).into(), &entries, 3), Ok(1));
    assert_eq!(after(a().times(2).into(), &entries, 3), Err(("got 1".to_owned(), 3)));
    let c = || Expect::requests().user("c").never();
    let b = || Expect::requests().user("b");
    assert_eq!(after(Expect::in_order([a(), c(), b()]), &entries, 3), Ok(2));
    let failed = after(Expect::in_order([c(), a()]), &entries, 3);
    assert_eq!(failed, Err((format!("got none, {gone}"), 3)));
    let error = verify(&a().once().into(), &entries, 1, &Models::default()).unwrap_err();
    insta::assert_snapshot!(error, @r##"
wanted exactly 1 request with {"user":{"equals":"a"}}, got 1, but 1 more request is no longer in the journal and may be one of them
  counted: request 1
  request 2 differs in the user text: wants "a", got "b"
the journal was full; requests that it dropped: 1
the journal:
  1. POST /api/chat llama3.2 "a" -> 200 (default)
  2. POST /api/chat llama3.2 "b" -> 200 (default)
"##);
    let error = verify(&a().into(), &[], 5, &Models::default()).unwrap_err();
    insta::assert_snapshot!(error, @r##"
wanted at least 1 request with {"user":{"equals":"a"}}, got 0
the journal is empty; requests that it dropped: 5
"##);
}
