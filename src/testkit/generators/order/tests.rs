use std::collections::BTreeSet;

use super::*;

fn written(order: &Order) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(order, &mut bytes).expect("written");
    bytes
}

fn order(kind: &Kind) -> Order {
    let order = Order::of(kind.name).expect("a kind").seed(7);
    // A whole history of the usual size takes long where tests are not optimized.
    if kind.name == "history" { order.set("runs", "4").expect("a setting") } else { order }
}

#[test]
fn every_kind_is_written_as_json_that_is_read_back() {
    for kind in KINDS {
        let order = order(kind).count(3).format(Format::Json).expect("JSON");
        let items: Vec<serde_json::Value> =
            serde_json::from_slice(&written(&order)).expect("an array");
        assert_eq!(items.len(), 3, "{}", kind.name);
        assert_eq!(written(&order), written(&order), "{}", kind.name);
        let none: Vec<serde_json::Value> =
            serde_json::from_slice(&written(&order.count(0))).expect("an array");
        assert_eq!(none.len(), 0, "{}", kind.name);
    }
}

#[test]
fn every_line_of_json_lines_is_an_item() {
    for kind in KINDS {
        let order = order(kind).count(2).format(Format::Jsonl).expect("JSON Lines");
        let text = String::from_utf8(written(&order)).expect("UTF-8");
        assert!(text.ends_with('\n'));
        for line in text.lines() {
            assert!(
                serde_json::from_str::<serde_json::Value>(line).is_ok(),
                "{}: {line}",
                kind.name
            );
        }
        assert!(text.lines().count() >= 2, "{}", kind.name);
    }
}

#[test]
fn more_items_begin_with_the_same_ones() {
    for kind in KINDS {
        let few = order(kind).count(1).format(Format::Jsonl).expect("JSON Lines");
        let many = written(&few.clone().count(3));
        let few = written(&few);
        assert!(many.starts_with(&few) && many.len() > few.len(), "{}", kind.name);
    }
}

#[test]
fn every_invalid_variant_says_what_is_wrong() {
    for kind in KINDS.iter().filter(|kind| kind.has_invalid) {
        let order = order(kind).invalid().expect("invalid").format(Format::Json).expect("JSON");
        let items: Vec<serde_json::Value> =
            serde_json::from_slice(&written(&order)).expect("an array");
        assert!(!items.is_empty(), "{}", kind.name);
        for item in items {
            let named = ["flaw", "rule"].iter().any(|key| item.get(key).is_some());
            assert!(named, "{}: {item}", kind.name);
        }
    }
}

#[test]
fn files_have_paths_of_their_own() {
    for kind in KINDS.iter().filter(|kind| kind.formats.contains(&Format::Junit)) {
        for count in [1, 3] {
            let sound = order(kind).count(count).format(Format::Junit).expect("JUnit");
            for order in [sound.clone(), sound.invalid().expect("invalid")] {
                let files = files(&order).expect("files");
                let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
                assert_eq!(paths.len(), files.len(), "{}", kind.name);
                assert!(paths.iter().all(|path| !path.starts_with('/') && !path.contains("..")));
            }
        }
    }
}

#[test]
fn one_report_fits_a_stream_and_several_do_not() {
    let one = Order::of("report").expect("a kind").format(Format::Junit).expect("JUnit");
    assert!(written(&one).starts_with(b"<?xml"));
    let error = write(&one.clone().count(2), &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "the order makes 2 files, and a stream holds one; give a directory for them");
    let error = write(&one.count(0), &mut Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "the order makes 0 files, and a stream holds one; give a directory for them");
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let said = |result: Result<Order, OrderError>| result.unwrap_err().to_string();
    assert!(said(Order::of("reprot")).starts_with("there is no kind reprot; did you mean report?"));
    let report = || Order::of("report").expect("a kind");
    let history = || Order::of("history").expect("a kind");
    insta::assert_snapshot!(
        [
            said(report().set("test", "1")),
            said(report().set("tests", "-1")),
            said(report().set("failed", "2")),
            said(report().set("project", "My Shop")),
            said(history().set("dialect", "jset")),
            "yaml".parse::<Format>().unwrap_err().to_string(),
        ]
        .join("\n")
    );
}

#[test]
fn every_setting_takes_its_default() {
    for kind in KINDS {
        for setting in kind.settings {
            // A default in words is held below.
            if setting.default.contains(' ') {
                continue;
            }
            let set = Order::of(kind.name).expect("a kind").set(setting.name, setting.default);
            let set = set.unwrap_or_else(|error| panic!("{error}"));
            let (plain, set) = (order(kind), set.seed(7));
            if kind.name != "history" {
                assert_eq!(written(&plain), written(&set), "{} {}", kind.name, setting.name);
            }
        }
    }
}

/// What an order gives with a few settings, item by item.
fn given(kind: &str, count: usize, settings: &[(&str, &str)]) -> Vec<serde_json::Value> {
    let order = Order::of(kind).expect("a kind").seed(7).count(count);
    let order = settings.iter().fold(order, |order, (name, value)| {
        order.set(name, value).unwrap_or_else(|error| panic!("{error}"))
    });
    serde_json::from_slice(&written(&order)).expect("an array")
}

#[test]
fn defaults_in_words_are_what_happens() {
    let worded = KINDS.iter().flat_map(|kind| {
        let settings = kind.settings.iter().filter(|setting| setting.default.contains(' '));
        settings.map(|setting| (kind.name, setting.name, setting.default))
    });
    let expected = [
        ("node", "type", "a random one of the eleven"),
        ("graph", "depth", "as it comes"),
        ("graph", "max-degree", "as it comes"),
        ("chat", "tools", "no tool at all"),
        ("conversation", "turns", "one to four"),
        ("conversation", "system", "nothing at all"),
        ("report", "modules", "one for each eight tests"),
    ];
    assert_eq!(worded.collect::<Vec<_>>(), expected);

    let types: BTreeSet<String> =
        given("node", 400, &[]).iter().map(|node| node["type"].to_string()).collect();
    assert_eq!(types.len(), 11, "{types:?}");
    let forms: BTreeSet<String> = given("graph", 100, &[("nodes", "6")])
        .iter()
        .map(|graph| graph["edges"].to_string())
        .collect();
    assert!(forms.len() > 20, "{}", forms.len());
    for chat in given("chat", 100, &[]) {
        assert_eq!(chat["message"].get("tool_calls"), None);
    }
    let mut turns = BTreeSet::new();
    for conversation in given("conversation", 200, &[]) {
        let roles: Vec<&str> = conversation["messages"]
            .as_array()
            .expect("messages")
            .iter()
            .map(|message| message["role"].as_str().expect("a role"))
            .collect();
        assert!(!roles.contains(&"system"));
        turns.insert(roles.iter().filter(|role| **role == "user").count());
    }
    assert_eq!(turns, (1..=4).collect());
    let report = &given("report", 1, &[("tests", "20")])[0];
    let modules: BTreeSet<&str> = report["truth"]
        .as_array()
        .expect("a truth")
        .iter()
        .filter_map(|test| test["test"].as_str()?.split("::").next())
        .collect();
    assert_eq!(modules.len(), 3, "{modules:?}");
}
