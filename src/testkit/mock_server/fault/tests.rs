use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testkit::mock_server::exchange::Exchange;
use crate::testkit::mock_server::identity::identity;
use crate::testkit::mock_server::script::{Body, End, Frame};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn refuse(status: u16, message: &str) -> Script {
    Script::whole(status, "application/json", json!({ "error": message }).to_string())
}

fn broken(fault: Fault, script: Script) -> Delivery {
    all(&[fault], script)
}

fn all(faults: &[Fault], script: Script) -> Delivery {
    let native = |message: &str| Bytes::from(format!("{}\n", json!({ "error": message })));
    apply(faults, script, &Breakable { refuse: &refuse, broken_off: &native })
}

fn read(fault: Value) -> Fault {
    serde_json::from_value(fault).unwrap()
}

/// Three tokens and an end, 10 ms apart.
fn chat() -> Script {
    let lines = [
        r#"{"message":{"content":"Grüße"},"done":false}"#,
        r#"{"message":{"content":" 雨"},"done":false}"#,
        r#"{"message":{"content":" 😀"},"done":false}"#,
        r#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#,
    ];
    let frames = lines
        .iter()
        .zip(1..)
        .map(|(line, index)| Frame { at: ms(10 * index), bytes: format!("{line}\n").into() });
    Script::stream("application/x-ndjson", frames.collect())
}

fn whole() -> Script {
    Script::whole(200, "application/json; charset=utf-8", r#"{"response":"雨","done":true}"#)
}

/// A delivery as text: what a person would see on the wire, chunk by chunk.
fn shown(delivery: &Delivery) -> String {
    let text = |bytes: &[u8]| format!("{}", bytes.escape_ascii());
    match delivery {
        Delivery::Refuse(lasting) => format!("refuse for {lasting:?}"),
        Delivery::Raw { at, bytes, end } => {
            format!("{at:?} raw \"{}\" {end:?}", text(bytes))
        }
        Delivery::Http(script) => {
            let headers: Vec<String> =
                script.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let mut lines =
                vec![format!("{:?} {} {}", script.head_at, script.status, headers.join(" | "))];
            match &script.body {
                Body::Whole(bytes) => lines.push(format!("  whole \"{}\"", text(bytes))),
                Body::Stream(frames) => lines.extend(
                    frames
                        .iter()
                        .map(|frame| format!("  {:?} \"{}\"", frame.at, text(&frame.bytes))),
                ),
            }
            lines.push(format!("  {:?}", script.end));
            lines.join("\n")
        }
    }
}

#[test]
fn each_fault_looks_like_this_on_a_stream_and_on_a_whole_body() {
    let faults = [
        json!({"kind": "status", "status": 503}),
        json!({"kind": "status", "status": 429, "retry_after": 2}),
        json!({"kind": "status", "status": 500, "message": "boom", "headers": {"X-Why": "test"}}),
        json!({"kind": "status", "status": 502, "body": "<h1>bad gateway</h1>",
               "headers": {"Content-Type": "text/html"}}),
        json!({"kind": "status", "status": 418, "body": {"teapot": true}}),
        json!({"kind": "status", "status": 500, "body_base64": "//4="}),
        json!({"kind": "refuse", "for": "2s"}),
        json!({"kind": "reset"}),
        json!({"kind": "reset", "after_bytes": 40}),
        json!({"kind": "reset", "after_frames": 2}),
        json!({"kind": "stall"}),
        json!({"kind": "stall", "after_tokens": 1}),
        json!({"kind": "stall", "after_bytes": 5, "for": 500}),
        json!({"kind": "empty"}),
        json!({"kind": "garbage", "bytes": 16, "seed": 7}),
        json!({"kind": "content_type"}),
        json!({"kind": "malformed_json"}),
        json!({"kind": "error_line"}),
        json!({"kind": "error_line", "after_frames": 2, "message": "boom", "style": "openai"}),
        json!({"kind": "error_line", "after_frames": 99, "style": "native"}),
        json!({"kind": "no_done"}),
        json!({"kind": "no_done", "frames": 2}),
        json!({"kind": "duplicate_done"}),
        json!({"kind": "data_after_done"}),
        json!({"kind": "data_after_done", "data": "trailing"}),
        json!({"kind": "long_line", "bytes": 90}),
        json!({"kind": "crlf"}),
        json!({"kind": "bom"}),
        json!({"kind": "no_last_newline"}),
        json!({"kind": "slice", "bytes": 24}),
        json!({"kind": "slice", "bytes": 24, "pause": "3ms"}),
        json!({"kind": "slice", "bytes": 10, "slices": 3}),
        json!({"kind": "merge"}),
        json!({"kind": "merge", "frames": 3}),
        json!({"kind": "dribble", "chunks": 3, "over": "3s"}),
        json!({"kind": "cut"}),
        json!({"kind": "cut", "after_bytes": 0}),
        json!({"kind": "cut", "after_bytes": 33}),
        json!({"kind": "cut", "after_time": "25ms"}),
        json!({"kind": "cut", "after_time": "1ms"}),
    ];
    let shown: Vec<String> = faults
        .into_iter()
        .map(|fault| {
            let parsed = read(fault.clone());
            let stream = shown(&broken(parsed.clone(), chat()));
            let whole = shown(&broken(parsed, whole().delayed(ms(10))));
            format!("{fault}\n{stream}\n{whole}\n")
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn faults_combine_in_stages_whatever_their_order() {
    let slice = Fault::slice(20);
    let cut = Fault::cut_after_frames(2);
    let crlf = Fault::Crlf {};
    let expected = all(&[slice.clone(), crlf.clone(), cut.clone()], chat());
    assert_eq!(expected, all(&[cut.clone(), slice.clone(), crlf.clone()], chat()));
    insta::assert_snapshot!(shown(&expected));
    // What answers in its place is sliced as well; the first of two ends counts.
    let refused = all(&[Fault::slice(30), Fault::overloaded(), Fault::status(500)], chat());
    insta::assert_snapshot!(shown(&refused));
    let ended = all(&[Fault::reset_after_frames(1), Fault::cut_after_frames(3)], chat());
    assert_eq!(ended, broken(Fault::reset_after_frames(1), chat()));
}

#[test]
fn the_end_of_each_api_is_found() {
    let events = |frames: &[&str]| {
        let frames = frames
            .iter()
            .map(|data| Frame { at: ms(1), bytes: format!("data: {data}\n\n").into() });
        Script::stream("text/event-stream", frames.collect())
    };
    let left = |frames: &[&str]| match broken(read(json!({"kind": "no_done"})), events(frames)) {
        Delivery::Http(Script { body: Body::Stream(frames), end: End::Complete, .. }) => {
            frames.len()
        }
        other => panic!("{other:?}"),
    };
    let text = r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#;
    let finish = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let usage = r#"{"choices":[],"usage":{"total_tokens":3}}"#;
    assert_eq!(left(&[text, finish, usage, "[DONE]"]), 1);
    let last_text = r#"{"choices":[{"text":"a","index":0,"finish_reason":"stop"}]}"#;
    assert_eq!(left(&[last_text, usage, "[DONE]"]), 1);
    let delta = r#"{"type":"content_block_delta","delta":{"text":"a"}}"#;
    let stop = r#"{"type":"content_block_stop"}"#;
    let end = [r#"{"type":"message_delta"}"#, r#"{"type":"message_stop"}"#];
    assert_eq!(left(&[delta, stop, end[0], end[1]]), 2);
    assert_eq!(
        left(&[r#"{"type":"response.output_item.done"}"#, r#"{"type":"response.completed"}"#]),
        1
    );
    assert_eq!(left(&[]), 0);
}

#[test]
fn a_long_line_is_over_eight_megabytes_and_the_same_json() {
    let Delivery::Http(script) = broken(read(json!({"kind": "long_line"})), chat()) else {
        panic!("an answer");
    };
    let Body::Stream(frames) = &script.body else { panic!("a stream") };
    assert_eq!(frames[1].bytes.len(), 9_000_000);
    let json: Value = serde_json::from_slice(&frames[1].bytes).unwrap();
    assert_eq!(json, json!({"message": {"content": " 雨"}, "done": false}));
}

fn rule(value: Value) -> FaultRule {
    serde_json::from_value(value).unwrap()
}

/// The times from 1 to 10 that a rule strikes.
fn struck(value: Value) -> Vec<u64> {
    let rules = [rule(value)];
    let chance = Chance::of(&[b"request"]);
    (1..=10).filter(|n| !decide(&rules, "/api/chat", *n, &chance).is_empty()).collect()
}

#[test]
fn schedules_strike_these_times() {
    let with = |schedule: Value| {
        let mut map = json!({"kind": "reset"});
        map.as_object_mut().unwrap().extend(schedule.as_object().unwrap().clone());
        struck(map)
    };
    assert_eq!(with(json!({})), (1..=10).collect::<Vec<_>>());
    assert_eq!(with(json!({"first": 2})), [1, 2]);
    assert_eq!(with(json!({"every": 3})), [3, 6, 9]);
    assert_eq!(with(json!({"indices": [1, 4]})), [1, 4]);
    assert_eq!(with(json!({"after": 8})), [9, 10]);
    assert_eq!(with(json!({"after": 2, "every": 2, "first": 7})), [4, 6]);
    assert_eq!(with(json!({"probability": 0})), Vec::<u64>::new());
    assert_eq!(with(json!({"probability": 1})).len(), 10);
    assert_eq!(with(json!({"paths": ["/api/*"]})).len(), 10);
    assert_eq!(with(json!({"paths": ["/api/generate", "/v1/*"]})), Vec::<u64>::new());
    assert_eq!(with(json!({"path": "*/ch*t"})).len(), 10);
    assert_eq!(with(json!({"path": "/api/chat*chat"})), Vec::<u64>::new());
    let rules = [rule(json!({"kind": "reset", "probability": 0.3}))];
    let hits = (0..2000_u64).filter(|request| {
        let chance = Chance::of(&[&request.to_le_bytes()]);
        !decide(&rules, "/api/chat", 1, &chance).is_empty()
    });
    // Four standard deviations either way.
    assert!((518..=682).contains(&hits.count()));
}

#[test]
fn rules_are_spelt_like_this() {
    let rules = [
        json!({"kind": "reset", "after_bytes": 40}),
        json!({"kind": "status", "status": 429, "retry_after": 2, "first": 2}),
        json!({"status": 503, "body": "busy", "first": null, "paths": ["/api/chat"]}),
        json!({"faults": [{"kind": "slice", "bytes": 7}, {"kind": "crlf"}], "every": 2}),
        json!({"kind": "chaos", "preset": "framing", "probability": 0.5}),
        json!({"kind": "garbage", "indices": [1, 3]}),
    ];
    for spelt in rules.clone() {
        let read = rule(spelt.clone());
        let written = serde_json::to_value(&read).unwrap();
        assert_eq!(rule(written), read, "{spelt}");
    }
    insta::assert_json_snapshot!(rules.map(rule));
    let table: BTreeMap<String, Vec<FaultRule>> = toml::from_str(
        "[[fault]]\nkind = \"stall\"\nafter_tokens = 3\nfor = \"1.5s\"\nprobability = 0.25\n",
    )
    .unwrap();
    let expected =
        rule(json!({"kind": "stall", "after_frames": 3, "for": 1500, "probability": 0.25}));
    assert_eq!(table["fault"], [expected]);
}

#[test]
fn rules_that_cannot_be_say_why() {
    let refused: Vec<String> = [
        json!({}),
        json!({"kind": "rest"}),
        json!({"kind": "reset", "after_byte": 3}),
        json!({"kind": "crlf", "bytes": 3}),
        json!({"kind": "status"}),
        json!({"kind": "status", "status": 99}),
        json!({"kind": "status", "status": 500, "body": "a", "message": "b"}),
        json!({"kind": "status", "status": 500, "body_base64": "?"}),
        json!({"kind": "status", "status": 500, "headers": {"a b": "c"}}),
        json!({"kind": "status", "status": 500, "headers": {"a": "b\nc"}}),
        json!({"kind": "status", "status": 500, "headers": {"Content-Length": "3"}}),
        json!({"kind": "reset", "after_bytes": 3, "after_frames": 4}),
        json!({"kind": "slice", "bytes": 0}),
        json!({"kind": "stall", "for": "ever"}),
        json!({"kind": "reset", "probability": 1.5}),
        json!({"kind": "reset", "every": 0}),
        json!({"kind": "reset", "first": -1}),
        json!({"kind": "chaos", "preset": "monkey"}),
        json!({"faults": [], "kind": "reset"}),
        json!({"kind": "long_line", "bytes": 1_u64 << 40}),
        json!({"kind": "resett"}),
        json!({"kind": "zzz"}),
        json!({"kind": "reset", "frist": 2}),
        json!({"status": "503"}),
        json!({"status": 503, "first": "2"}),
        json!({"kind": "chaos", "preset": "framing", "frames": 2}),
        json!({"faults": [{"type": "reset", "after_byte": 2}]}),
        json!({"kind": "reset", "first": 1, "times": 2}),
        json!({"kind": "reset", "paths": ["api/chat"]}),
        json!({"kind": "reset", "paths": ["/api/chat?x=1"]}),
        json!({"kind": "reset", "paths": "chatt"}),
        json!([]),
    ]
    .into_iter()
    .map(|value| {
        let error = serde_json::from_value::<FaultRule>(value.clone()).unwrap_err();
        format!("{value}\n  {error}")
    })
    .collect();
    insta::assert_snapshot!(refused.join("\n"));
}

#[test]
fn the_end_of_an_answer_to_head_comes_right_after_its_head() {
    let cut = broken(Fault::reset_after_frames(1), whole().delayed(ms(10)));
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\n\
                content-length: 30\r\n\r\n";
    let Delivery::Raw { at, bytes, end } = to_head(cut) else { panic!("bytes") };
    assert_eq!((at, end), (ms(10), End::Reset));
    assert_eq!(String::from_utf8_lossy(&bytes), head);
    let fine = Delivery::Http(whole());
    assert_eq!(to_head(fine.clone()), fine);
}

#[test]
fn other_names_mean_the_same() {
    let reset = || FaultRule::new(Fault::reset());
    assert_eq!(rule(json!({"type": "reset", "times": 2})), reset().first(2));
    assert_eq!(rule(json!({"kind": "reset", "paths": "/api/chat/"})), reset().paths(["/api/chat"]));
    for (paths, path, strikes) in [
        ("chat", "/v1/messages", true),
        ("v1.chat", "/v1/chat/completions", true),
        ("v1.chat", "/api/chat", false),
        ("generate", "/api/generate", true),
        ("*", "/any", true),
    ] {
        let rules = [rule(json!({"kind": "reset", "paths": [paths]}))];
        let struck = !decide(&rules, path, 1, &Chance::of(&[b"x"])).is_empty();
        assert_eq!(struck, strikes, "{paths} {path}");
    }
}

#[test]
fn what_a_schedule_cannot_have_counts_as_the_nearest() {
    let reset = || FaultRule::new(Fault::reset());
    assert_eq!(reset().every(0), reset().every(1));
    assert_eq!(reset().probability(2.0), reset().probability(1.0));
    assert_eq!(reset().probability(f64::NAN), reset().probability(0.0));
}

#[test]
fn a_long_body_is_split_into_no_more_frames_than_can_be_held() {
    let long = Script::whole(200, "text/plain", vec![b'x'; 1_000_000]);
    for fault in [Fault::slice(1), read(json!({"kind": "dribble", "chunks": 1_000_000}))] {
        let Delivery::Http(script) = broken(fault, long.clone()) else { panic!("an answer") };
        let Body::Stream(frames) = &script.body else { panic!("a stream") };
        assert!(frames.len() <= 65_537, "{}", frames.len());
        assert_eq!(script.bytes().len(), 1_000_000);
    }
}

#[test]
fn chaos_is_read_from_the_command_line() {
    let rules = chaos("framing, overload:0.25,flaky_network").unwrap();
    assert_eq!(
        rules,
        [
            FaultRule::chaos(Preset::Framing).probability(1.0),
            FaultRule::chaos(Preset::Overload).probability(0.25),
            FaultRule::chaos(Preset::FlakyNetwork).probability(0.2),
        ]
    );
    assert_eq!(chaos("").unwrap(), []);
    assert_eq!(
        chaos("monkey").unwrap_err().to_string(),
        "`monkey` is no preset; there are framing, overload and flaky-network"
    );
    assert_eq!(
        chaos("overload:2").unwrap_err().to_string(),
        "`2` is no probability; it is a number from 0 to 1, as in overload:0.2"
    );
}

#[test]
fn presets_draw_what_they_promise() {
    let drawn = |preset: &str, path: &str| -> Vec<Vec<Fault>> {
        let rules = chaos(&format!("{preset}:1")).unwrap();
        (0..500_u64)
            .map(|request| decide(&rules, path, 1, &Chance::of(&[&request.to_le_bytes()])))
            .collect()
    };
    let overload = drawn("overload", "/api/chat");
    let queue_full = json!({
        "error": "server busy, please try again.  maximum pending requests exceeded"
    });
    for faults in &overload {
        let Delivery::Http(script) = all(faults, chat()) else { panic!("an answer") };
        let retry = script.headers.iter().any(|(name, _)| name == "retry-after");
        match script.status {
            503 => assert_eq!(script.bytes(), queue_full.to_string().as_bytes()),
            429 => assert!(retry),
            other => panic!("{other}"),
        }
    }
    let limited = overload.iter().filter(|faults| **faults != [Fault::overloaded()]).count();
    assert!((100..=200).contains(&limited), "{limited}");
    let flaky = drawn("flaky-network", "/v1/chat/completions");
    assert!(flaky.iter().all(|faults| faults.len() == 1));
    let kinds: std::collections::BTreeSet<String> = flaky
        .iter()
        .map(|faults| serde_json::to_value(&faults[0]).unwrap()["kind"].to_string())
        .collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["\"cut\"", "\"empty\"", "\"reset\"", "\"stall\""]
    );
    assert!(drawn("flaky-network", "/").iter().all(Vec::is_empty));
}

/// What a reader of NDJSON makes of the bytes, by the letter of the standards.
fn lines(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// What a reader of server-sent events makes of them: lines end in LF, CR LF or CR; an event
/// without its blank line is dropped.
fn events(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut parts: Vec<&str> = text.split("\n\n").collect();
    parts.pop();
    parts.into_iter().map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn framing_never_changes_what_a_correct_client_reads(seed in any::<u64>(), n in 1..9_u64) {
        let rules = chaos("framing").unwrap();
        let chance = Chance::of(&[&seed.to_le_bytes()]);
        let native = decide(&rules, "/api/chat", n, &chance);
        prop_assert!(!native.is_empty());
        for script in [chat(), whole()] {
            let Delivery::Http(framed) = all(&native, script.clone()) else { panic!("an answer") };
            prop_assert_eq!(lines(&framed.bytes()), lines(&script.bytes()));
            prop_assert_eq!(framed.end, End::Complete);
            prop_assert_eq!(framed.headers, script.headers);
        }
        let frames = chat().bytes().split_inclusive(|byte| *byte == b'\n').map(|line| Frame {
            at: ms(1),
            bytes: [b"event: x\ndata: ", line, b"\n"].concat().into(),
        }).collect();
        let script = Script::stream("text/event-stream", frames);
        let open = decide(&rules, "/v1/chat/completions", n, &chance);
        let Delivery::Http(framed) = all(&open, script.clone()) else { panic!("an answer") };
        prop_assert_eq!(events(&framed.bytes()), events(&script.bytes()));
        let text = Script::whole(200, "text/plain", "one\ntwo\n");
        let Delivery::Http(framed) = all(&open, text) else { panic!("an answer") };
        prop_assert_eq!(framed.bytes(), b"one\ntwo\n");
    }

    #[test]
    fn slices_are_of_their_length_and_lose_nothing(length in 1..60_u64, pause in 0..5_u64) {
        let slice = read(json!({"kind": "slice", "bytes": length, "pause": pause}));
        let Delivery::Http(sliced) = broken(slice, chat()) else { panic!("an answer") };
        prop_assert_eq!(sliced.bytes(), chat().bytes());
        let Body::Stream(frames) = sliced.body else { panic!("a stream") };
        prop_assert!(frames.iter().all(|frame| (1..=length as usize).contains(&frame.bytes.len())));
        prop_assert!(frames.windows(2).all(|pair| pair[0].at + ms(pause) <= pair[1].at));
    }

    #[test]
    fn a_cut_at_a_byte_leaves_that_many(bytes in 0..300_u64, whole_body in any::<bool>()) {
        let script = if whole_body { whole() } else { chat() };
        let full = script.bytes();
        let Delivery::Http(cut) = broken(Fault::cut_after_bytes(bytes), script) else {
            panic!("an answer");
        };
        let left = full.len().min(bytes as usize);
        prop_assert_eq!(cut.bytes(), &full[..left]);
        prop_assert_eq!(cut.end, End::Close);
    }

    #[test]
    fn any_two_faults_apply_without_a_panic(
        first in any_fault(), second in any_fault(), empty in any::<bool>()
    ) {
        let stream = if empty { Script::stream("application/x-ndjson", Vec::new()) } else { chat() };
        for script in [stream, whole()] {
            let once = all(&[first.clone(), second.clone()], script.clone());
            prop_assert_eq!(once, all(&[first.clone(), second.clone()], script));
        }
    }

    #[test]
    fn a_fault_survives_the_journal(fault in any_fault()) {
        let text = serde_json::to_string(&fault).unwrap();
        prop_assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault);
    }
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let place = || {
        prop_oneof![
            Just(json!({})),
            (0..400_u64).prop_map(|bytes| json!({ "after_bytes": bytes })),
            (0..9_u64).prop_map(|frames| json!({ "after_frames": frames })),
            (0..90_u64).prop_map(|time| json!({ "after_time": time })),
        ]
    };
    let with = |kind: &'static str, mut fields: Value| {
        fields["kind"] = kind.into();
        read(fields)
    };
    prop_oneof![
        place().prop_map(move |place| with("reset", place)),
        place().prop_map(move |place| with("cut", place)),
        (place(), proptest::option::of(0..99_u64)).prop_map(move |(mut place, lasting)| {
            if let Some(lasting) = lasting {
                place["for"] = lasting.into();
            }
            with("stall", place)
        }),
        (200..999_u16).prop_map(Fault::status),
        (1..99_u64, any::<u64>())
            .prop_map(|(bytes, seed)| Fault::Garbage { bytes: Some(bytes), seed: Some(seed) }),
        (1..99_u64).prop_map(Fault::slice),
        (0..9_u64).prop_map(Fault::error_line),
        (0..9_u64).prop_map(|frames| Fault::NoDone { frames: Some(frames) }),
        (0..9_u64).prop_map(|copies| Fault::DuplicateDone { copies: Some(copies) }),
        (0..9_u64).prop_map(|at| Fault::MalformedJson { after_frames: Some(at) }),
        (2..9_u64).prop_map(|frames| Fault::Merge { frames: Some(frames) }),
        (1..40_u64).prop_map(|chunks| Fault::Dribble { chunks: Some(chunks), over: None }),
        prop::sample::select(vec![
            Fault::Crlf {},
            Fault::Bom {},
            Fault::NoLastNewline {},
            Fault::Empty {},
            Fault::NoDone { frames: None },
            Fault::Refuse { lasting: None },
            Fault::DataAfterDone { data: None },
            Fault::ContentType { content_type: None },
        ]),
    ]
}

fn request(path: &str, body: &Value) -> Exchange {
    Exchange::bare("POST", path, &body.to_string())
}

/// A server in small: it counts requests and decides.
struct Deciding {
    seed: u64,
    rules: Vec<FaultRule>,
    seen: Mutex<HashMap<[u8; 16], u64>>,
}

impl Deciding {
    fn decide(&self, exchange: &Exchange) -> Decision {
        let identity = identity(exchange);
        let n = {
            let mut seen = self.seen.lock().unwrap();
            let n = seen.entry(identity).or_default();
            *n += 1;
            *n
        };
        let chance = Chance::of(&[&self.seed.to_le_bytes(), &identity, &n.to_le_bytes()]);
        Decision::new(&identity, n, decide(&self.rules, &exchange.path, n, &chance))
    }
}

fn any_rules() -> impl Strategy<Value = Vec<FaultRule>> {
    let schedule = prop_oneof![
        Just(json!({})),
        (0..4_u64).prop_map(|n| json!({ "first": n })),
        (1..4_u64).prop_map(|n| json!({ "every": n })),
        (0..=10_u64).prop_map(|n| json!({ "probability": n as f64 / 10.0 })),
    ];
    let fault = prop_oneof![
        any_fault().prop_map(|fault| serde_json::to_value(fault).unwrap()),
        Just(json!({"kind": "garbage"})),
        prop::sample::select(vec!["framing", "overload", "flaky-network"])
            .prop_map(|preset| json!({"kind": "chaos", "preset": preset})),
    ];
    let one = (fault, schedule).prop_map(|(mut fault, schedule)| {
        fault.as_object_mut().unwrap().extend(schedule.as_object().unwrap().clone());
        rule(fault)
    });
    prop::collection::vec(one, 1..4)
}

/// Requests, some of them several times: a text and how often it comes.
fn any_requests() -> impl Strategy<Value = Vec<Exchange>> {
    let path = prop::sample::select(vec!["/api/chat", "/v1/messages", "/"]);
    prop::collection::vec((path, "[a-c]{0,2}", 1..5_usize), 1..8).prop_map(|requests| {
        let repeated = |(path, text, times): (&str, String, usize)| {
            vec![request(path, &json!({"model": "m", "prompt": text})); times]
        };
        requests.into_iter().flat_map(repeated).collect()
    })
}

/// Decisions in an order that does not depend on that of arrival.
fn sorted(decisions: impl IntoIterator<Item = Decision>) -> Vec<String> {
    let mut texts: Vec<String> =
        decisions.into_iter().map(|decision| serde_json::to_string(&decision).unwrap()).collect();
    texts.sort();
    texts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn decisions_do_not_depend_on_the_order_of_arrival(
        seed in any::<u64>(),
        rules in any_rules(),
        (requests, shuffled) in any_requests()
            .prop_flat_map(|requests| (Just(requests.clone()), Just(requests).prop_shuffle())),
    ) {
        let server = || Deciding { seed, rules: rules.clone(), seen: Mutex::default() };
        let first = server();
        let in_order = sorted(requests.iter().map(|request| first.decide(request)));
        let second = server();
        prop_assert_eq!(&in_order, &sorted(shuffled.iter().map(|request| second.decide(request))));
        // 64 threads at once, each with its share of the requests.
        let third = server();
        let together = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..64)
                .map(|thread| {
                    let (third, shuffled) = (&third, &shuffled);
                    scope.spawn(move || {
                        let own = shuffled.iter().skip(thread).step_by(64);
                        own.map(|request| third.decide(request)).collect::<Vec<_>>()
                    })
                })
                .collect();
            sorted(threads.into_iter().flat_map(|thread| thread.join().unwrap()))
        });
        prop_assert_eq!(&in_order, &together);
    }

    #[test]
    fn a_journal_decides_the_same_again(
        seed in any::<u64>(), rules in any_rules(), requests in any_requests()
    ) {
        let server = Deciding { seed, rules, seen: Mutex::default() };
        let decided: Vec<Decision> = requests.iter().map(|request| server.decide(request)).collect();
        let entries: Vec<Value> = decided
            .iter()
            .map(|decision| json!({"path": "/api/chat", "body": {}, "decision": decision}))
            .collect();
        let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
        let expected: Decisions = decided.iter().cloned().collect();
        for journal in [json!({ "requests": entries }).to_string(), lines.join("\n")] {
            prop_assert_eq!(&Decisions::from_journal(&journal).unwrap(), &expected);
        }
        for request in &requests {
            let found = expected.of(&identity(request), 1).unwrap();
            prop_assert!(decided.contains(found));
        }
        prop_assert_eq!(expected.len(), decided.len());
    }
}

#[test]
fn decisions_that_cannot_be_read_say_which() {
    let refused = |text: &str| Decisions::from_journal(text).unwrap_err().to_string();
    assert!(refused("{").starts_with("decisions: EOF while parsing"));
    assert_eq!(
        refused(r#"{"requests":[{"path":"/"},{"decision":{"request":"ab","n":1}}]}"#),
        "decisions: request 1: `request` is not 32 hexadecimal digits"
    );
    assert!(refused("[1]").contains("an entry is no object"));
    let none = Decisions::from_journal(r#"{"requests":[{"path":"/","decision":null}]}"#);
    assert!(none.unwrap().is_empty());
}

#[test]
fn the_documents_name_every_kind_and_every_example_is_read() {
    const KINDS: &str = "bom chaos content_type crlf cut data_after_done dribble duplicate_done \
        empty error_line garbage long_line malformed_json merge no_done no_last_newline refuse \
        reset slice stall status";
    let page = include_str!("../../../../docs/mock-faults.md");
    let (faults, times) = page.split_once("## How long").unwrap();
    let examples = |text: &str| -> Vec<Value> {
        let lines = text.lines().filter(|line| line.starts_with('{'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut kinds: Vec<String> = Vec::new();
    for example in examples(faults) {
        let written = serde_json::to_value(rule(example.clone())).unwrap();
        kinds.extend(written["kind"].as_str().map(str::to_owned));
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.join(" "), KINDS);
    for example in examples(times) {
        serde_json::from_value::<crate::testkit::mock_server::timing::Timing>(example).unwrap();
    }
}
