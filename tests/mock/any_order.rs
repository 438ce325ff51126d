//! One seed, any order of arrival, 64 clients at once: each request gets the same answers and the
//! same faults.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use flakedb::testkit::mock_server::MockOllama;
use flakedb::testkit::mock_server::clock::Clock;
use flakedb::testkit::mock_server::fault::{FaultRule, chaos};
use proptest::prelude::*;
use serde_json::json;

use crate::wire::{Heard, ask, request};

const CLIENTS: usize = 64;

fn rules() -> Vec<FaultRule> {
    let mut rules = chaos("framing:0.5,overload:0.3,flaky-network:0.3").unwrap();
    for rule in [
        json!({"kind": "error_line", "every": 3, "probability": 0.5}),
        json!({"kind": "garbage", "probability": 0.1}),
    ] {
        rules.push(serde_json::from_value(rule).unwrap());
    }
    rules
}

fn mock(seed: u64) -> MockOllama {
    // Frozen: the times in the answers are no matter of when a request comes.
    let clock = Clock::frozen_at("2026-02-03T12:00:00Z".parse().unwrap());
    let builder = MockOllama::builder().seed(seed).clock(clock).threads(2);
    let builder = rules().into_iter().fold(builder, |builder, rule| builder.fault(rule));
    builder.start().unwrap()
}

/// Each request with all that was answered to it, in an order that is not that of arrival.
type Answers = BTreeMap<String, Vec<Heard>>;

fn sorted(answers: impl IntoIterator<Item = (String, Heard)>) -> Answers {
    let mut sorted = Answers::new();
    for (request, heard) in answers {
        sorted.entry(request).or_default().push(heard);
    }
    sorted.values_mut().for_each(|heard| heard.sort());
    sorted
}

fn one_by_one(address: SocketAddr, requests: &[String]) -> Answers {
    sorted(requests.iter().map(|request| (request.clone(), ask(address, request))))
}

fn all_at_once(address: SocketAddr, requests: &[String]) -> Answers {
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let own = requests.iter().skip(client).step_by(CLIENTS);
                    own.map(|request| (request.clone(), ask(address, request))).collect::<Vec<_>>()
                })
            })
            .collect();
        sorted(clients.into_iter().flat_map(|client| client.join().unwrap()))
    })
}

fn any_request() -> impl Strategy<Value = String> {
    let path = prop::sample::select(vec![
        "/api/chat",
        "/api/generate",
        "/v1/chat/completions",
        "/v1/messages",
        "/api/tags",
    ]);
    (path, "[a-z]{1,3}", any::<bool>()).prop_map(|(path, word, stream)| {
        if path == "/api/tags" {
            return request("GET", path, "");
        }
        let body = json!({"model": "llama3.2", "stream": stream, "max_tokens": 9, "prompt": word,
            "messages": [{"role": "user", "content": word}]});
        request("POST", path, &body.to_string())
    })
}

/// Some requests, each of them some times, in this order and in another.
fn any_requests() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    prop::collection::vec((any_request(), 1..6_usize), 16..48)
        .prop_map(|requests| {
            requests
                .into_iter()
                .flat_map(|(request, times)| vec![request; times])
                .collect::<Vec<_>>()
        })
        .prop_flat_map(|requests| (Just(requests.clone()), Just(requests).prop_shuffle()))
}

/// Names the first request with other answers: all of them would fill pages.
fn assert_same(some: &Answers, others: &Answers) -> Result<(), TestCaseError> {
    prop_assert_eq!(some.len(), others.len());
    for ((request, heard), (_, other)) in some.iter().zip(others) {
        prop_assert_eq!(heard, other, "{}", request);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_and_faults_do_not_depend_on_the_order_of_arrival(
        seed in any::<u64>(), (requests, shuffled) in any_requests()
    ) {
        let (first, second, third) = (mock(seed), mock(seed), mock(seed));
        let in_order = one_by_one(first.address(), &requests);
        assert_same(&in_order, &one_by_one(second.address(), &shuffled))?;
        assert_same(&in_order, &all_at_once(third.address(), &shuffled))?;
    }
}
