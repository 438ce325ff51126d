use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testkit::mock_server::ask::{Ask, EmbedAsk, Format, Message, Tool};
use crate::testkit::mock_server::fault::Fault;
use crate::testkit::mock_server::identity::identity;
use crate::testkit::mock_server::script::Script;

/// A request as the APIs read it.
struct Request {
    exchange: Exchange,
    asked: Asked,
    route: &'static str,
}

impl Request {
    fn chat(messages: &[(&str, &str)]) -> Self {
        let messages: Vec<Message> = messages
            .iter()
            .map(|(role, content)| Message {
                role: (*role).to_owned(),
                content: (*content).to_owned(),
                ..Message::default()
            })
            .collect();
        let ask = Ask { model: "llama3.2".to_owned(), messages, stream: true, ..Ask::default() };
        Self::of("/api/chat", Asked::Text(Box::new(ask)))
    }

    fn user(text: &str) -> Self {
        Self::chat(&[("user", text)])
    }

    fn embed(inputs: &[&str]) -> Self {
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        let ask = EmbedAsk { model: "all-minilm".to_owned(), inputs, ..EmbedAsk::default() };
        Self::of("/api/embed", Asked::Vectors(ask))
    }

    fn of(route: &'static str, asked: Asked) -> Self {
        let body = match &asked {
            Asked::Text(ask) => json!({"model": ask.model, "prompt": ask.last_user()}),
            Asked::Vectors(ask) => json!({"model": ask.model, "input": ask.inputs}),
            Asked::Done(_) => Value::Null,
        };
        Self { exchange: Exchange::bare("POST", route, &body.to_string()), asked, route }
    }

    fn with(mut self, change: impl FnOnce(&mut Ask)) -> Self {
        if let Asked::Text(ask) = &mut self.asked {
            change(ask);
        }
        self
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            exchange: &self.exchange,
            route: self.route,
            asked: &self.asked,
            identity: identity(&self.exchange),
            n: 1,
            chance: Chance::of(&[b"seed"]),
        }
    }
}

impl Stubs {
    /// Finds and counts, as where no fault strikes.
    fn answer(&mut self, facts: &Facts<'_>) -> Option<Matched> {
        let (place, matched) = self.find(facts)?;
        self.count(place, facts);
        Some(matched)
    }
}

fn stubs(all: impl IntoIterator<Item = Stub>) -> Stubs {
    let mut stubs = Stubs::default();
    for stub in all {
        stubs.add(stub);
    }
    stubs
}

/// The text of the stub that answers; a `-` where none does.
fn says(stubs: &mut Stubs, request: &Request) -> String {
    match stubs.answer(&request.facts()).map(|matched| matched.action) {
        None => "-".to_owned(),
        Some(Action::Reply(reply)) => reply.text,
        Some(Action::Auto) => "auto".to_owned(),
        Some(Action::Refuse(refusal)) => refusal.to_string(),
        Some(Action::Script(script)) => String::from_utf8_lossy(&script.bytes()).into_owned(),
        Some(Action::Raw { status, body, .. }) => {
            format!("{status} {}", String::from_utf8_lossy(&body))
        }
    }
}

fn matches(stub: Stub, request: &Request) -> bool {
    stubs([stub]).answer(&request.facts()).is_some()
}

#[test]
fn each_condition_holds_and_fails() {
    let request = Request::chat(&[
        ("system", "You are terse."),
        ("user", "Hi"),
        ("assistant", "Hello."),
        ("user", "What is the weather?"),
    ])
    .with(|ask| {
        ask.options.insert("temperature".to_owned(), json!(f64::from(0.1_f32)));
        ask.tools = vec![Tool {
            name: "get_weather".to_owned(),
            description: String::new(),
            parameters: Value::Null,
        }];
        ask.format = Format::Json;
    });
    let any = || Stub::any().reply("x");
    for (good, bad) in [
        (any().model("LLAMA3.*"), any().model("qwen*")),
        (any().user("What is the weather?"), any().user("weather")),
        (any().user_contains("weather"), any().user_contains("wether")),
        (any().user_matches("^What .* weather"), any().user_matches("^weather")),
        (any().system_contains("terse"), any().system_contains("kind")),
        (any().any_message_contains("Hello"), any().any_message_contains("Bye")),
        (any().turn(2), any().turn(1)),
        (any().offers_tool("get_weather"), any().offers_tool("get_time")),
        (any().option("temperature", 0.1), any().option("temperature", 0.2)),
        (any().option("seed", Value::Null), any().option("seed", 1)),
        (any().streams(true), any().streams(false)),
        (any().has_format(), any().has_images()),
        (any().thinks(false), any().thinks(true)),
        (any().body("/model", "llama3.2"), any().body("/model", "other")),
        (any().route("/api/*"), any().route("/v1/*")),
        (any().route("chat"), any().route("v1.chat")),
        (Stub::chat().reply("x"), Stub::generate().reply("x")),
        (any(), any().has_tool_result()),
        (any(), any().header("x-test", "a")),
        (any(), any().user_matches("(")),
    ] {
        assert!(matches(good.clone(), &request), "{good:?}");
        assert!(!matches(bad.clone(), &request), "{bad:?}");
        let misses = stubs([bad]).near_misses(&request.facts());
        assert_eq!(misses.len(), 1);
        assert!(stubs([good]).near_misses(&request.facts()).is_empty());
    }
}

#[test]
fn tool_results_are_matched_only_where_they_are_newest() {
    let stub = || Stub::any().tool_result_contains("22").reply("Warm");
    let asked = [("user", "weather?"), ("assistant", ""), ("tool", "22 degrees")];
    assert!(matches(stub(), &Request::chat(&asked)));
    let went_on = [asked[0], asked[1], asked[2], ("assistant", "Warm"), ("user", "Thanks")];
    assert!(!matches(stub(), &Request::chat(&went_on)));
}

#[test]
fn a_text_beside_an_image_is_the_users() {
    let parts = Request::chat(&[("user", "What is this?"), ("user", "")]);
    assert!(matches(Stub::any().user("What is this?").turn(1).reply("A cat."), &parts));
    let two = Request::chat(&[("user", "one"), ("user", "two")]);
    for whole in ["two", "one\ntwo"] {
        assert!(matches(Stub::any().user(whole).reply("x"), &two));
    }
}

#[test]
fn priority_wins_and_then_the_newest() {
    let mut found = stubs([
        Stub::any().priority(1).user_contains("a").reply("first"),
        Stub::any().reply("old"),
        Stub::any().reply("new"),
        Stub::any().priority(9).reply("late"),
    ]);
    assert_eq!(says(&mut found, &Request::user("a")), "first");
    assert_eq!(says(&mut found, &Request::user("b")), "new");
    assert!(found.remove("3"));
    assert!(!found.remove("3"));
    assert_eq!(says(&mut found, &Request::user("b")), "old");
    let counts: Vec<(u64, u64)> = found.list().iter().map(|stub| (stub.id, stub.matched)).collect();
    assert_eq!(counts, [(1, 1), (2, 1), (4, 0)]);
}

#[test]
fn sequences_go_on_as_told() {
    let three = |exhausted| {
        let mut found = stubs([
            Stub::any().reply("below"),
            Stub::any().replies(["a", "b"]).on_exhausted(exhausted),
        ]);
        (0..4).map(|_| says(&mut found, &Request::user("x"))).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(three(Exhausted::RepeatLast), "a b b b");
    assert_eq!(three(Exhausted::Cycle), "a b a b");
    assert_eq!(three(Exhausted::Fallthrough), "a b below below");
    let error = "500: stub 2: its 2 replies are used up";
    assert_eq!(three(Exhausted::Error), format!("a b {error} {error}"));
}

#[test]
fn times_run_out_and_errors_come_first() {
    let mut found = stubs([Stub::any().reply("fine"), Stub::any().status(503, "busy").times(2)]);
    let said: Vec<String> = (0..3).map(|_| says(&mut found, &Request::user("x"))).collect();
    assert_eq!(said, ["503: busy", "503: busy", "fine"]);
    let mut found = stubs([Stub::any().status(500, "no").then_reply("yes")]);
    let said: Vec<String> = (0..3).map(|_| says(&mut found, &Request::user("x"))).collect();
    assert_eq!(said, ["500: no", "yes", "yes"]);
}

#[test]
fn counted_by_request_the_order_of_arrival_makes_no_difference() {
    let stub = || Stub::any().replies(["first", "second"]).per_request();
    let requests = [Request::user("a"), Request::user("b")];
    let mut orders = Vec::new();
    for order in [[0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 1, 0]] {
        let mut found = stubs([stub()]);
        let mut said: Vec<(usize, String)> =
            order.iter().map(|index| (*index, says(&mut found, &requests[*index]))).collect();
        said.sort();
        orders.push(said);
    }
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]), "{orders:?}");
    assert_eq!(orders[0][0].1, "first");
}

#[test]
fn states_lead_from_one_to_the_next() {
    let mut found = stubs([
        Stub::any().when_state("open").user_contains("close").reply("closed").then_state("shut"),
        Stub::any().when_state(START).user_contains("open").reply("opened").then_state("open"),
        Stub::any().when_state("shut").scenario("other").reply("never"),
    ]);
    assert_eq!(says(&mut found, &Request::user("close")), "-");
    assert_eq!(says(&mut found, &Request::user("open")), "opened");
    assert_eq!(found.state(""), "open");
    assert_eq!(says(&mut found, &Request::user("open")), "-");
    assert_eq!(says(&mut found, &Request::user("close")), "closed");
}

#[test]
fn text_answers_text_and_vectors_vectors() {
    let mut found = stubs([
        Stub::any().reply("text"),
        Stub::any().embeddings([vec![1.0, 0.0], vec![0.0, 1.0]]),
    ]);
    assert_eq!(says(&mut found, &Request::user("x")), "text");
    let three = Request::embed(&["a", "b", "c"]);
    let Some(Action::Reply(reply)) = found.answer(&three.facts()).map(|found| found.action) else {
        panic!("the vectors answer")
    };
    assert_eq!(reply.embeddings.unwrap(), [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]);
    let listing = Request::of("/api/tags", Asked::Done(Script::whole(200, "text/plain", "")));
    let mut raw = stubs([Stub::any().raw(200, "application/json", "{}")]);
    assert_eq!(says(&mut raw, &listing), "-");
    let mut raw = stubs([Stub::any().route("tags").raw(200, "application/json", "{}")]);
    assert_eq!(says(&mut raw, &listing), "200 {}");
}

#[test]
fn templates_see_the_request() {
    let request = Request::chat(&[("system", "Be kind."), ("user", "my name is Ada")]);
    let source = "{{ user | replace('my name is ', 'Hello, ') }}! {{ model }}/{{ turn }}/{{ n }}/\
                  {{ messages[0].role }}/{{ body.model }}/{{ options.seed is undefined }}";
    let mut found = stubs([Stub::any().template(source)]);
    let said = says(&mut found, &request);
    assert_eq!(said, "Hello, Ada! llama3.2/1/1/system/llama3.2/True");
    let drawn = "{{ random_int(1, 6) }} {{ choose(['a', 'b']) }} {{ uuid() }} {{ random() < 1 }}";
    let mut found = stubs([Stub::any().template(drawn)]);
    let (first, second) = (says(&mut found, &request), says(&mut found, &request));
    assert_eq!(first, second);
    let shape = "^[1-6] [ab] [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12} True$";
    assert!(regex::Regex::new(shape).unwrap().is_match(&first), "{first}");
    let mut found = stubs([Stub::any().named("t").template("{{ nothing }}")]);
    assert_eq!(
        says(&mut found, &request),
        "500: stub 1 (t): its template: line 1: undefined value"
    );
}

#[test]
fn templates_end() {
    for (source, problem) in [
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            "it takes more than 200000 steps",
        ),
        (
            "{% for a in range(99) %}{{ 'x' * 50000 }}{% endfor %}",
            "it makes more than 1048576 bytes of text",
        ),
    ] {
        let mut found = stubs([Stub::any().template(source)]);
        let said = says(&mut found, &Request::user("x"));
        assert_eq!(said, format!("500: stub 1: its template: {problem}"));
    }
}

#[test]
fn the_nearest_of_many_stubs_is_found_in_a_long_text() {
    let words = ["rain", "sun", "wind", "storm", "cloud", "hail", "snow"];
    let text: Vec<String> =
        (0..4_000).map(|n| format!("{}{}", words[n % words.len()], n % 97)).collect();
    let text =
        format!("{} the wether in Rome {}", text[..1_000].join(" "), text[1_000..].join(" "));
    let found = stubs((0..50).map(|n| {
        let wanted = if n == 20 {
            "weather in Rome".into()
        } else {
            format!("{} {n} zzz", "word ".repeat(n))
        };
        Stub::any().user_contains(wanted).reply("a")
    }));
    // Word by word at every place this took minutes.
    let misses = found.near_misses(&Request::user(&text).facts());
    assert_eq!(
        misses[0],
        r#"stub 21 differs in the user text: wants "weather in Rome", got "wether in Rome""#
    );
}

#[test]
fn near_misses_are_in_the_words_of_the_test() {
    let found = stubs([
        Stub::any().named("greeting").user("Hello").reply("a"),
        Stub::any().turn(2).user_contains("wether").reply("b"),
        Stub::chat().named("weather").user_contains("weather").reply("c"),
        Stub::generate().model("qwen3").user_contains("x").reply("d"),
    ]);
    insta::assert_snapshot!(
        found.near_misses(&Request::user("How is the wether?").facts()).join("\n")
    );
    let mut used = stubs([Stub::any().times(1).reply("a")]);
    let request = Request::user("x");
    used.answer(&request.facts());
    assert_eq!(
        used.near_misses(&request.facts()),
        ["stub 1 has answered 1 time, which is all it does"]
    );
}

#[expect(clippy::needless_pass_by_value, reason = "`json!` gives values")]
fn stub(json: Value) -> Stub {
    Stub::from_json(&json).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn spellings_mean_the_same() {
    let weather = Stub::any().user_contains("weather").reply("Sunny");
    for spelt in [
        json!({"match": {"user": {"contains": "weather"}}, "reply": "Sunny"}),
        json!({"when": {"user_contains": "weather"}, "respond": {"text": "Sunny"}}),
        json!({"request": {"prompt": {"contains": "weather"}}, "response": {"content": "Sunny"}}),
        json!({"user_contains": "weather", "then": {"message": {"role": "assistant", "content": "Sunny"}}}),
        json!({"prompt_contains": "weather", "text": "Sunny"}),
        json!({"match": {"last_user": {"contains": "weather", "ignore_case": false}}, "reply": ["Sunny"]}),
    ] {
        assert_eq!(stub(spelt.clone()), weather, "{spelt}");
    }
    let call = Stub::any().calls_tool("get_weather", json!({"city": "Paris"}));
    for spelt in [
        json!({"tool_calls": [{"name": "get_weather", "arguments": {"city": "Paris"}}]}),
        json!({"reply": {"tool_calls": [{"type": "function", "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}}]}}),
        json!({"reply": {"calls": {"type": "tool_use", "name": "get_weather", "input": {"city": "Paris"}}}}),
    ] {
        assert_eq!(stub(spelt.clone()), call, "{spelt}");
    }
    assert_eq!(
        stub(json!({"match": "Hi", "reply": "Hello"})),
        Stub::any().user("Hi").reply("Hello")
    );
    assert_eq!(stub(json!({"error": "no"})), Stub::any().status(500, "no"));
    assert_eq!(
        stub(json!({"status": 429, "message": "slow down"})),
        Stub::any().status(429, "slow down")
    );
    assert_eq!(
        stub(json!({"route": "tags", "raw": {"status": 200, "json": {"models": []}}})),
        Stub::any().route("tags").raw(200, "application/json", r#"{"models":[]}"#)
    );
    let late = std::time::Duration::from_millis(20);
    assert_eq!(
        stub(json!({"reply": "x", "latency": 20, "fault": "reset"})),
        Stub::any().reply("x").latency(late).fault(Fault::reset())
    );
}

#[test]
fn a_stub_is_written_as_it_is_read() {
    for spelt in [
        json!({"match": {"route": "chat", "model": "a*", "user": {"ignore_case": true, "contains": ["a", "b"]}, "turn": 2}, "reply": {"text": "x", "finish": "length", "prompt_tokens": 3}}),
        json!({"name": "n", "priority": 1, "scenario": "s", "state": "a", "next_state": "b", "times": 2, "per": "request", "replies": [{"text": "x", "latency": 5}, {"error": {"status": 500, "message": "m"}}], "on_exhausted": "cycle"}),
        json!({"match": {"system": {"not": {"regex": "^x"}}, "has_tool_result": false, "tool": ["t"], "format": "schema", "images": true, "options": {"seed": 1}, "think": "high", "stream": false, "header": {"x-a": {"equals": "b"}, "x-c": true}, "body": {"/a/b": [1], "/c": {"contains": "d"}}}, "reply": {"chunks": ["a", "b"], "thinking": "t", "tool_calls": [{"name": "f", "arguments": {"a": 1}, "id": "call_1"}]}}),
        json!({"reply": {"raw": {"status": 418, "headers": {"x-a": "b", "content-type": "text/plain"}, "body": "tea"}}, "faults": [{"kind": "reset"}]}),
        json!({"reply": {"raw": {"status": 200, "headers": {"content-type": "a/b"}, "body_base64": "/wA="}}}),
        json!({"reply": {"template": "{{ user }}"}}),
        json!({"match": {"route": "embed"}, "reply": {"embeddings": [[1.0, 2.0]]}}),
        json!({"reply": {"auto": true}, "latency": 5}),
    ] {
        let read = stub(spelt.clone());
        let written = read.to_json();
        assert_eq!(stub(written.clone()), read, "{written}");
        let again = serde_json::from_value::<Stub>(serde_json::to_value(&read).unwrap()).unwrap();
        assert_eq!(again, read);
    }
}

#[test]
fn headers_and_statuses_are_never_dropped() {
    let with = |spelt: Value| {
        let matched = stubs([stub(spelt)]).answer(&Request::user("x").facts()).unwrap();
        (matched.action, matched.headers)
    };
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let retry = vec![header("x-a", "b"), header("retry-after", "2")];
    for spelt in [
        json!({"error": {"status": 429, "message": "m", "headers": {"X-A": "b"}, "retry_after": 2}}),
        json!({"status": 429, "text": "m", "headers": {"x-a": "b"}, "retry_after": "2"}),
        json!({"reply": {"error": "m", "status": 429}, "headers": {"x-a": "b"}, "retry_after": 2}),
    ] {
        let refused = Action::Refuse(crate::testkit::mock_server::refusal::Refusal::new(429, "m"));
        assert_eq!(with(spelt.clone()), (refused, retry.clone()), "{spelt}");
        let again = stub(spelt).to_json();
        assert_eq!(stub(again.clone()).to_json(), again);
        assert_eq!(with(again).1, retry);
    }
    let (action, headers) = with(json!({"reply": {"text": "hi"}, "headers": {"x-a": ["b", "c"]}}));
    assert!(matches!(action, Action::Reply(reply) if reply.text == "hi"));
    assert_eq!(headers, [header("x-a", "b"), header("x-a", "c")]);
    let raw = |spelt| match with(spelt) {
        (Action::Raw { status, headers, body }, more) if more.is_empty() => {
            (status, headers, String::from_utf8_lossy(&body).into_owned())
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(raw(json!({"status": 204})), (204, vec![], String::new()));
    assert_eq!(
        raw(json!({"raw": {"status": 201, "body": "a"}, "headers": {"content-type": "x/y"}})),
        (201, vec![header("content-type", "x/y")], "a".to_owned())
    );
}

#[test]
fn a_status_that_none_can_have_is_said_in_the_answer() {
    let text = "500: the stub's status is from 200 to 999, not 99";
    for stub in [Stub::any().status(99, "x"), Stub::any().raw(99, "text/plain", "x")] {
        assert_eq!(says(&mut stubs([stub]), &Request::user("x")), text);
    }
    let slow = Stub::any().tokens_per_second(0.0).reply("x").to_json();
    assert_eq!(slow, Stub::any().tokens_per_second(f64::NAN).reply("x").to_json());
    assert_ne!(slow, Stub::any().tokens_per_second(1e9).reply("x").to_json());
}

#[test]
fn an_id_is_taken_out_before_a_name() {
    let mut found = stubs([Stub::any().named("2").reply("named"), Stub::any().reply("second")]);
    assert!(found.remove("2"));
    assert_eq!(says(&mut found, &Request::user("x")), "named");
    assert!(found.remove("2"));
    assert!(found.is_empty());
}

#[test]
fn a_text_may_be_known_by_its_start() {
    let request = Request::user("Translate this");
    assert!(matches(Stub::any().user_starts_with("Translate").reply("x"), &request));
    assert!(matches(stub(json!({"user_prefix": "Trans", "reply": "x"})), &request));
    let stub = stub(json!({"match": {"user": {"prefix": "Trnslate"}}, "reply": "x"}));
    assert!(!matches(stub.clone(), &request));
    assert_eq!(
        stubs([stub]).near_misses(&request.facts()),
        [r#"stub 1 differs in the user text: at its start wants "Trnslate", got "Translat""#]
    );
}

fn any_text_match() -> impl Strategy<Value = TextMatch> {
    ("[a-cA-C]{1,3}", 0..4, any::<bool>(), any::<bool>()).prop_map(
        |(text, kind, ignore_case, negated)| {
            let found = match kind {
                0 => TextMatch::equals(text),
                1 => TextMatch::contains(text),
                2 => TextMatch::starts_with(text),
                _ => TextMatch::regex(text).unwrap(),
            };
            let found = if ignore_case { found.ignoring_case().unwrap() } else { found };
            if negated { found.negated() } else { found }
        },
    )
}

fn any_condition() -> impl Strategy<Value = condition::Condition> {
    use condition::Condition;
    prop_oneof![
        any_text_match().prop_map(Condition::User),
        any_text_match().prop_map(Condition::System),
        any_text_match().prop_map(|text| Condition::Message(None, text)),
        any_text_match().prop_map(Condition::ToolResultText),
        ("x-[ab]", any_text_match()).prop_map(|(name, text)| Condition::Header(name, text)),
        ("x-[ab]", any::<bool>()).prop_map(|(name, has)| Condition::HeaderPresent(name, has)),
        ("/[ab]", any_text_match()).prop_map(|(place, text)| Condition::BodyText(place, text)),
        ("/[ab]", 0..3).prop_map(|(place, n)| Condition::Body(place, json!({ "n": n }))),
        ("[ab]", 0..3).prop_map(|(name, n)| Condition::Option(name, json!(n))),
        (1..4_usize).prop_map(|turn| Condition::Turn(turn, turn)),
        "[ab]".prop_map(Condition::Tool),
        "[ab]".prop_map(Condition::Model),
        prop_oneof![Just("chat"), Just("embed")]
            .prop_map(|route| Condition::Route(vec![route.to_owned()])),
        any::<bool>().prop_map(Condition::Stream),
    ]
}

proptest! {
    /// Whatever the conditions, and however many on one thing: read back they are the same.
    #[test]
    fn conditions_are_read_as_they_are_written(
        conditions in proptest::collection::vec(any_condition(), 0..8),
    ) {
        let sorted = |stub: &Stub| {
            let mut all: Vec<String> =
                stub.conditions.iter().map(|one| format!("{one:?}")).collect();
            all.sort();
            all
        };
        let written = Stub { conditions, ..Stub::any().reply("x") };
        let read = Stub::from_json(&written.to_json()).map_err(|error| {
            TestCaseError::fail(format!("{error}: {}", written.to_json()))
        })?;
        prop_assert_eq!(sorted(&read), sorted(&written));
    }
}

#[test]
fn what_cannot_be_read_says_where_and_what_was_meant() {
    let wrong = [
        json!({"match": {"usr": "x"}, "reply": "y"}),
        json!({"match": {"user": {"contain": "x"}}, "reply": "y"}),
        json!({"match": {"user": {"regex": "("}}, "reply": "y"}),
        json!({"match": {"route": "chats"}, "reply": "y"}),
        json!({"match": {"turn": 0}, "reply": "y"}),
        json!({"reply": {"txt": "y"}}),
        json!({"replies": ["a", {"tool_calls": [{"arguments": {}}]}]}),
        json!({"reply": {"tool_calls": [{"name": "f", "arguments": "{"}]}}),
        json!({"reply": "a", "text": "b"}),
        json!({"reply": "a", "respond": "b"}),
        json!({"reply": []}),
        json!({"match": {"user": "x"}}),
        json!({"reply": "a", "on_exhausted": "stop"}),
        json!({"reply": {"template": "{{ user"}}),
        json!({"reply": {"status": 99}}),
        json!({"reply": "a", "latency": "soon"}),
        json!({"reply": "a", "fault": {"kind": "rset"}}),
        json!({"reply": {"headers": {"x": "a\nb"}, "body": "c"}}),
        json!(3),
        json!({"macth": "x", "repyl": "y"}),
        json!({"match": "x", "replies": [{"tetx": "y"}]}),
        json!({"reply": {"text": "a", "error": "b"}}),
        json!({"reply": {"text": "a", "body": "b"}}),
        json!({"reply": {"template": "a", "text": "b"}}),
        json!({"reply": {"auto": true, "text": "b"}}),
        json!({"reply": {"raw": "a", "body": "b"}}),
        json!({"reply": {"text": "a", "message": {"content": "b"}}}),
        json!({"reply": "a", "auto": true}),
        json!({"reply": "a", "status": 500}),
        json!({"reply": {"status": 201, "text": "a"}}),
        json!({"reply": {"status": 500, "text": "a", "thinking": "b"}}),
        json!({"reply": {"status": 500, "template": "a"}}),
        json!({"reply": {"status": 500, "error": {"status": 400}}}),
        json!({"reply": {"error": {"status": 1000}}}),
        json!({"reply": {"raw": {"status": 101}}}),
        json!({"reply": {"text": "a", "headers": {"Content-Length": 3}}}),
        json!({"match": {"user": ["a", "b"]}, "reply": "c"}),
    ];
    let errors: Vec<String> = wrong
        .iter()
        .map(|wrong| match Stub::from_json(wrong) {
            Err(error) => error.to_string(),
            Ok(stub) => panic!("{wrong} is {stub:?}"),
        })
        .collect();
    insta::assert_snapshot!(errors.join("\n"));
}
