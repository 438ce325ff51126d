use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::testkit::mock_server::ask::Message;
use crate::testkit::mock_server::timing::Span;

fn ask(options: Value) -> Ask {
    let Value::Object(options) = options else { panic!("options are an object") };
    Ask {
        model: "llama3.2".to_owned(),
        messages: vec![Message {
            role: "user".to_owned(),
            content: "Why is the sky blue?".to_owned(),
            ..Message::default()
        }],
        options,
        keeps_context: true,
        ..Ask::default()
    }
}

fn reply(text: &str) -> Reply {
    Reply { text: text.to_owned(), ..Reply::default() }
}

fn call(name: &str) -> ToolCall {
    ToolCall { name: name.to_owned(), arguments: Map::new(), id: None }
}

fn played(ask: &Ask, reply: Reply) -> Performance {
    perform(ask, reply, &Timing::default(), &Chance::of(&[b"seed"]))
}

fn fixed(millis: u64) -> Option<Span> {
    Some(Span::Fixed(Duration::from_millis(millis)))
}

#[test]
fn a_limit_cuts_between_tokens() {
    let whole = played(&ask(json!({})), reply("It scatters, you see."));
    assert_eq!(whole.text(), "It scatters, you see.");
    assert_eq!((whole.finish, whole.metrics.eval_count), (Finish::Stop, 6));

    let cut = played(&ask(json!({"num_predict": 3})), reply("It scatters, you see."));
    assert_eq!((cut.text().as_str(), cut.finish), ("It scatters,", Finish::Length));
    assert_eq!(cut.metrics.eval_count, 3);

    for unlimited in [-1, 0, 6] {
        let all = played(&ask(json!({"num_predict": unlimited})), reply("It scatters, you see."));
        assert_eq!((all.finish, all.pieces.len()), (Finish::Stop, 6));
    }
}

#[test]
fn a_stop_text_ends_the_answer_and_is_left_out() {
    let found = played(&ask(json!({"stop": ["END", "\n\n"]})), reply("one\n\ntwo END"));
    assert_eq!((found.text().as_str(), found.finish), ("one", Finish::Stop));
    let across = Reply {
        chunks: Some(vec!["one E".into(), "ND two".into()]),
        tool_calls: vec![call("never")],
        ..Reply::default()
    };
    let found = played(&ask(json!({"stop": "END"})), across);
    assert_eq!(found.text(), "one ");
    assert_eq!(found.calls().count(), 0);
    let first = played(&ask(json!({"stop": ["o"]})), reply("one"));
    assert!(first.pieces.is_empty());
}

#[test]
fn thinking_comes_first_and_only_from_a_model_that_thinks() {
    let thought = || Reply { thinking: Some("Let me see.".to_owned()), ..reply("Sunny") };
    let silent = played(&ask(json!({})), thought());
    assert_eq!((silent.thinking().as_str(), silent.text().as_str()), ("", "Sunny"));
    let thinks = Ask { thinks: true, ..ask(json!({})) };
    let spoken = played(&thinks, thought());
    assert_eq!((spoken.thinking().as_str(), spoken.text().as_str()), ("Let me see.", "Sunny"));
    assert!(matches!(spoken.pieces[0].part, Part::Thinking(_)));
    assert_eq!(spoken.metrics.eval_count, 5);
    let thinks = Ask { thinks: true, ..ask(json!({"num_predict": 2})) };
    let cut = played(&thinks, thought());
    assert_eq!((cut.thinking().as_str(), cut.text().as_str()), ("Let me", ""));
    assert_eq!(cut.finish, Finish::Length);
}

#[test]
fn calls_are_whole_and_have_ids() {
    let both = Reply { tool_calls: vec![call("weather"), call("time")], ..Reply::default() };
    let found = played(&ask(json!({})), both.clone());
    let ids: Vec<String> = found.calls().filter_map(|call| call.id.clone()).collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
    let shape = regex::Regex::new("^call_[a-z0-9]{8}$").unwrap();
    assert!(ids.iter().all(|id| shape.is_match(id)), "{ids:?}");
    let given = ToolCall { id: Some("mine".to_owned()), ..call("weather") };
    let found = played(&ask(json!({})), Reply { tool_calls: vec![given], ..Reply::default() });
    assert_eq!(found.calls().next().unwrap().id.as_deref(), Some("mine"));
    let limited = played(&ask(json!({"num_predict": 1})), both);
    assert_eq!(limited.calls().count(), 1);
    assert_eq!((limited.finish, limited.metrics.eval_count), (Finish::Length, 1));
}

#[test]
fn given_chunks_stream_as_given() {
    let pieces = Reply {
        chunks: Some(vec!["Sun".into(), "ny, ".into(), "warm".into()]),
        ..Reply::default()
    };
    let found = played(&ask(json!({})), pieces);
    let texts: Vec<&Part> = found.pieces.iter().map(|piece| &piece.part).collect();
    assert_eq!(
        texts,
        [&Part::Text("Sun".into()), &Part::Text("ny, ".into()), &Part::Text("warm".into())]
    );
}

#[test]
fn times_come_from_the_timing_and_metrics_add_up() {
    let timing =
        Timing { latency: fixed(100), first_token: fixed(50), per_token: fixed(10), jitter: None };
    let found = perform(&ask(json!({})), reply("one two three"), &timing, &Chance::of(&[b"seed"]));
    let times: Vec<u128> = found.pieces.iter().map(|piece| piece.at.as_millis()).collect();
    assert_eq!(times, [150, 160, 170]);
    assert_eq!(found.ends_at.as_millis(), 170);
    let metrics = found.metrics;
    assert_eq!(metrics.prompt_eval_duration, 50_000_000);
    assert_eq!(metrics.eval_duration, 20_000_000);
    assert_eq!(metrics.total_duration, 170_000_000 + metrics.load_duration);
}

#[test]
fn what_is_not_configured_is_not_waited_for_but_still_counted() {
    let found = played(&Ask { loads: true, ..ask(json!({})) }, reply("one two three"));
    assert!(found.pieces.iter().all(|piece| piece.at.is_zero()));
    assert_eq!(found.ends_at, Duration::ZERO);
    assert_eq!(found.metrics.eval_duration, 30_000_000);
    assert_eq!(found.metrics.load_duration, 10_000_000);
    assert_eq!(found.metrics.prompt_eval_count, 10);
    assert_eq!(found.metrics.prompt_eval_duration, 5_000_000);
    assert_eq!(found.metrics.total_duration, 45_000_000);
}

#[test]
fn whoever_loads_the_model_has_the_same_answer() {
    for timing in [Timing::default(), Timing { latency: fixed(5), ..Timing::default() }] {
        let chance = Chance::of(&[b"seed"]);
        let played =
            |loads| perform(&Ask { loads, ..ask(json!({})) }, reply("one"), &timing, &chance);
        assert_eq!(played(true), played(false));
        let inputs = vec!["one".to_owned()];
        let embedded = |loads| {
            embed_metrics(
                &EmbedAsk { inputs: inputs.clone(), loads, ..EmbedAsk::default() },
                &timing,
                &chance,
            )
        };
        assert_eq!(embedded(true), embedded(false));
    }
}

#[test]
fn given_counts_are_kept() {
    let counted = Reply { prompt_tokens: Some(7), completion_tokens: Some(99), ..reply("one") };
    let metrics = played(&ask(json!({})), counted).metrics;
    assert_eq!((metrics.prompt_eval_count, metrics.eval_count), (7, 99));
    let labelled = Reply { finish: Some(Finish::Length), ..reply("one") };
    assert_eq!(played(&ask(json!({})), labelled).finish, Finish::Length);
}

#[test]
fn log_probabilities_cover_the_text_token_by_token() {
    let asked = Ask { logprobs: Some(3), ..ask(json!({})) };
    let found = played(&asked, reply("It scatters, 雨."));
    let joined: Vec<u8> =
        found.logprobs().iter().flat_map(|one| one.bytes.iter().copied()).collect();
    assert_eq!(joined, "It scatters, 雨.".as_bytes());
    assert!(found.logprobs().iter().all(|one| one.top_logprobs.len() == 3));
    assert!(played(&ask(json!({})), reply("It")).logprobs().is_empty());
}

#[test]
fn the_context_goes_on_from_the_one_handed_in() {
    let first = played(&ask(json!({})), reply("It scatters."));
    let next = played(&Ask { context: first.context.clone(), ..ask(json!({})) }, reply("Yes."));
    assert!(next.context.starts_with(&first.context));
    assert!(next.context.len() > first.context.len());
    assert!(next.metrics.prompt_eval_count > first.metrics.prompt_eval_count);
}

#[test]
fn vectors_are_counted_without_writing() {
    let ask = EmbedAsk { inputs: vec!["one two".into(), "three".into()], ..EmbedAsk::default() };
    let metrics = embed_metrics(&ask, &Timing::default(), &Chance::of(&[b"seed"]));
    assert_eq!((metrics.prompt_eval_count, metrics.eval_count), (3, 0));
    assert_eq!(metrics.total_duration, metrics.load_duration + metrics.prompt_eval_duration);
}

proptest! {
    #[test]
    fn every_reply_plays_in_order_within_its_limits(
        text in "[ \\na-c,é雨😀]{0,60}",
        thinking in proptest::option::of("[ a-c]{0,20}"),
        calls in 0_usize..3,
        limit in proptest::option::of(-1_i64..20),
        stop in proptest::option::of("[ab ]{1,2}"),
        thinks: bool,
        gaps in proptest::array::uniform3(proptest::option::of(0_u64..50)),
    ) {
        let mut options = Map::new();
        options.extend(limit.map(|limit| ("num_predict".to_owned(), json!(limit))));
        options.extend(stop.clone().map(|stop| ("stop".to_owned(), json!([stop]))));
        let asked = Ask { thinks, ..ask(Value::Object(options)) };
        let timing = Timing {
            latency: gaps[0].and_then(fixed),
            first_token: gaps[1].and_then(fixed),
            per_token: gaps[2].and_then(fixed),
            jitter: None,
        };
        let tool_calls = vec![call("weather"); calls];
        let whole = Reply { thinking, tool_calls, ..reply(&text) };
        let found = perform(&asked, whole, &timing, &Chance::of(&[b"seed"]));
        prop_assert!(text.starts_with(&found.text()));
        if let Some(stop) = stop {
            prop_assert!(!found.text().contains(&stop));
        }
        prop_assert!(found.pieces.windows(2).all(|pair| pair[0].at <= pair[1].at));
        prop_assert!(found.pieces.iter().all(|piece| piece.at <= found.ends_at));
        let metrics = found.metrics;
        prop_assert!(metrics.eval_count > 0 && metrics.prompt_eval_count > 0);
        prop_assert!(metrics.load_duration > 0 && metrics.eval_duration > 0);
        let parts = metrics.load_duration + metrics.prompt_eval_duration + metrics.eval_duration;
        prop_assert!(metrics.total_duration >= parts);
        if let Some(limit) = limit.filter(|limit| *limit > 0) {
            prop_assert!(metrics.eval_count <= limit as u64);
        }
    }
}
