use proptest::prelude::*;
use serde_json::{Value, json};

use super::parse::{Malformed, parse};
use super::*;

static INNER: Shape = Shape {
    package: "api",
    name: "Inner",
    fields: &[("text", Type::Text), ("small", Type::Whole("int32"))],
};

static ALONE: Shape = Shape { package: "api", name: "Alias", fields: INNER.fields };

static OUTER: Shape = Shape {
    package: "api",
    name: "Outer",
    fields: &[
        ("model", Type::Text),
        ("flag", Type::Flag),
        ("count", Type::Whole("int")),
        ("share", Type::Real("float32")),
        ("maybe", Type::Pointer(&Type::Flag)),
        ("inner", Type::Struct(&INNER)),
        ("items", Type::List("[]api.Inner", &Type::Struct(&INNER))),
        ("alone", Type::List("[]api.Alone", &Type::Alone(&ALONE))),
        ("names", Type::List("[]string", &Type::Text)),
        ("table", Type::Map("map[string]string", &Type::Text)),
        ("options", Type::Map("map[string]interface {}", &Type::Any)),
        ("any", Type::Any),
        ("raw", Type::Raw),
        ("image", Type::Bytes("api.ImageData")),
    ],
};

fn outcome(body: &str) -> Result<Value, String> {
    read(body.as_bytes(), &OUTER)
        .map(|fields| Value::Object(fields.0))
        .map_err(|refusal| refusal.message)
}

#[test]
fn malformed_bodies_have_the_texts_of_gos_scanner() {
    for (body, expected) in [
        ("", "missing request body"),
        (" \r\n\t", "missing request body"),
        ("{not json", "invalid character 'n' looking for beginning of object key string"),
        ("not json", "invalid character 'o' in literal null (expecting 'u')"),
        ("xyz", "invalid character 'x' looking for beginning of value"),
        ("{", "unexpected EOF"),
        (r#"{"model": "x""#, "unexpected EOF"),
        (r#"{"model": tru"#, "unexpected EOF"),
        (r#"{"model": "x"]"#, "invalid character ']' after object key:value pair"),
        (r#"{"model" "x"}"#, "invalid character '\"' after object key"),
        (r#"{"model": "x",}"#, "invalid character '}' looking for beginning of object key string"),
        (r#"{"names": [1 2]}"#, "invalid character '2' after array element"),
        (r#"{"names": [1,]}"#, "invalid character ']' looking for beginning of value"),
        ("{'model': 1}", r"invalid character '\'' looking for beginning of object key string"),
        ("{\"model\": \"a\nb\"}", r"invalid character '\n' in string literal"),
        (r#"{"model": "\x"}"#, "invalid character 'x' in string escape code"),
        (r#"{"model": "\u12G4"}"#, r"invalid character 'G' in \u hexadecimal character escape"),
        (r#"{"count": -x}"#, "invalid character 'x' in numeric literal"),
        (r#"{"count": 1.x}"#, "invalid character 'x' after decimal point in numeric literal"),
        (r#"{"count": 1e}"#, "invalid character '}' in exponent of numeric literal"),
        (r#"{"count": 01}"#, "invalid character '1' after object key:value pair"),
        (r#"{"flag": falze}"#, "invalid character 'z' in literal false (expecting 's')"),
        (r#"{"flag": True}"#, "invalid character 'T' looking for beginning of value"),
        (r#"{"count": NaN}"#, "invalid character 'N' looking for beginning of value"),
        ("\u{feff}{}", "invalid character 'ï' looking for beginning of value"),
        ("{} rest", ""),
    ] {
        assert_eq!(outcome(body).err().unwrap_or_default(), expected, "{body}");
    }
    assert_eq!(outcome(&"[".repeat(100_000)).unwrap_err(), "exceeded max depth");
}

#[test]
fn wrong_types_have_the_texts_of_gos_decoder() {
    let field = |value: &str, path: &str, wanted: &str| {
        format!("json: cannot unmarshal {value} into Go struct field {path} of type {wanted}")
    };
    for (body, expected) in [
        ("[]", "json: cannot unmarshal array into Go value of type api.Outer".to_owned()),
        ("5", "json: cannot unmarshal number into Go value of type api.Outer".to_owned()),
        (r#"{"model": 5}"#, field("number", "Outer.model", "string")),
        (r#"{"model": true}"#, field("bool", "Outer.model", "string")),
        (r#"{"model": {}}"#, field("object", "Outer.model", "string")),
        (r#"{"model": []}"#, field("array", "Outer.model", "string")),
        (r#"{"flag": "yes"}"#, field("string", "Outer.flag", "bool")),
        (r#"{"maybe": "yes"}"#, field("string", "Outer.maybe", "bool")),
        (r#"{"count": 1.5}"#, field("number 1.5", "Outer.count", "int")),
        (r#"{"count": 1e2}"#, field("number 1e2", "Outer.count", "int")),
        (r#"{"share": 1e999}"#, field("number 1e999", "Outer.share", "float32")),
        (r#"{"share": "1"}"#, field("string", "Outer.share", "float32")),
        (r#"{"inner": {"text": 1}}"#, field("number", "Inner.inner.text", "string")),
        (
            r#"{"inner": {"small": 3000000000}}"#,
            field("number 3000000000", "Inner.inner.small", "int32"),
        ),
        (r#"{"items": "x"}"#, field("string", "Outer.items", "[]api.Inner")),
        (r#"{"items": [{}, 5]}"#, field("number", "Outer.items", "api.Inner")),
        (r#"{"items": [{"text": []}]}"#, field("array", "Inner.items.text", "string")),
        (r#"{"alone": [{"text": 5}]}"#, field("number", "Outer.alone.text", "string")),
        (r#"{"alone": [5]}"#, field("number", "Outer.alone", "api.Alias")),
        (r#"{"names": ["a", 5]}"#, field("number", "Outer.names", "string")),
        (r#"{"table": {"a": 5}}"#, field("number", "Outer.table", "string")),
        (r#"{"options": []}"#, field("array", "Outer.options", "map[string]interface {}")),
        (r#"{"options": {"a": [1e999]}}"#, field("number 1e999", "Outer.options", "float64")),
        (r#"{"image": "data:x"}"#, "illegal base64 data at input byte 4".to_owned()),
        // The first wrong type counts, unless a type that reads itself ends the reading.
        (r#"{"model": 5, "flag": 5}"#, field("number", "Outer.model", "string")),
        (r#"{"model": 5, "alone": [{"text": 5}]}"#, field("number", "Outer.alone.text", "string")),
        // A malformed text counts before all of them.
        (r#"{"model": 5, "#, "unexpected EOF".to_owned()),
    ] {
        assert_eq!(outcome(body), Err(expected), "{body}");
    }
}

#[test]
fn names_match_whatever_their_case_and_the_last_value_counts() {
    assert_eq!(
        outcome(r#"{"MODEL": "a", "Flag": true, "unknown": [1], "ITEMS": [null], "\u212A": 1}"#),
        Ok(json!({"model": "a", "flag": true, "items": [{}]}))
    );
    assert_eq!(outcome(r#"{"model": "a", "Model": "b"}"#), Ok(json!({"model": "b"})));
    assert_eq!(outcome(r#"{"model": "a", "model": null}"#), Ok(json!({"model": "a"})));
    assert_eq!(outcome(r#"{"maybe": true, "maybe": null}"#), Ok(json!({})));
    assert_eq!(
        outcome(r#"{"table": {"a": "1"}, "table": {"b": "2"}}"#),
        Ok(json!({"table": {"a": "1", "b": "2"}}))
    );
    assert_eq!(outcome(r#"{"names": ["a", null]}"#), Ok(json!({"names": ["a", ""]})));
    assert_eq!(outcome("null"), Ok(json!({})));
    assert_eq!(
        outcome(r#"{"raw": {"b": 1, "a": 2}, "any": 1e2}"#),
        Ok(json!({"raw": {"b": 1, "a": 2}, "any": 100.0}))
    );
}

#[test]
fn a_zero_before_a_digit_is_a_value_of_its_own() {
    for body in ["00", "01", "-00", "0x"] {
        let zero = if body.starts_with('-') { "-0" } else { "0" };
        assert_eq!(parse(body.as_bytes()), Ok(Node::Number(zero.to_owned())), "{body}");
        assert_eq!(
            outcome(body),
            Err("json: cannot unmarshal number into Go value of type api.Outer".to_owned()),
        );
    }
    assert_eq!(
        outcome(r#"{"names": [00]}"#),
        Err("invalid character '0' after array element".to_owned())
    );
}

#[test]
fn half_a_surrogate_pair_becomes_the_replacement_character() {
    let text = |body: &str| outcome(body).unwrap()["model"].as_str().unwrap().to_owned();
    assert_eq!(text(r#"{"model": "\ud83d\ude00"}"#), "😀");
    assert_eq!(text(r#"{"model": "\ud83dx"}"#), "\u{fffd}x");
    assert_eq!(text(r#"{"model": "\ud83d\u0041"}"#), "\u{fffd}A");
    let bytes = read(b"{\"model\": \"a\xff\xfeb\"}", &OUTER).unwrap();
    assert_eq!(bytes.text("model"), "a\u{fffd}\u{fffd}b");
    // Go also takes a list of numbers for bytes.
    assert_eq!(outcome(r#"{"image": [65, 66, null]}"#), Ok(json!({"image": "QUIA"})));
}

/// What Go itself says (`encoding/json`, `encoding/base64`, `time` and `strconv` of Go 1.27).
#[test]
fn agrees_with_go() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/go/texts.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let rows = |name: &str| golden[name].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut differences = Vec::new();
    let mut compare = |what: String, ours: String, go: String| {
        if ours != go {
            differences.push(format!("{what}\n   go: {go}\n ours: {ours}"));
        }
    };
    for row in rows("bodies") {
        let go = text(&row[1]).replace("EOF", "missing request body");
        let go = go.replace("unexpected missing request body", "unexpected EOF");
        let ours = outcome(row[0].as_str().unwrap()).err().unwrap_or_else(|| "ok".to_owned());
        compare(text(&row[0]), ours, go);
    }
    for row in rows("base64") {
        let ours = decode_base64(row[0].as_str().unwrap());
        let ours = ours.map_or_else(
            |at| format!("illegal base64 data at input byte {at}"),
            |_| "<nil>".to_owned(),
        );
        compare(text(&row[0]), ours, text(&row[1]));
    }
    for row in rows("quotes") {
        let given = row[0].as_str().unwrap();
        compare(given.to_owned(), quoted(given), text(&row[1]));
        compare(given.to_owned(), String::from_utf8(to_vec(given)).unwrap(), text(&row[2]));
    }
    for row in rows("floats") {
        let given = row[0].as_f64().unwrap();
        compare(given.to_string(), String::from_utf8(to_vec(&given)).unwrap(), text(&row[1]));
        compare(
            given.to_string(),
            String::from_utf8(to_vec(&(given as f32))).unwrap(),
            text(&row[2]),
        );
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

/// Any JSON, and texts that are nearly JSON.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let marks = "[\\[\\]{}:,\"\\\\ntfue0-9.+eE -]{0,24}";
    let value = prop::sample::select(vec![
        r#"{"a": [1, -2.5e3, "x\u00e9\n", null, true], "b": {"c": {}}}"#,
        r#"[[], {}, "", 0, -0, 1e-7, false]"#,
        r#""text""#,
    ]);
    let broken = (value, any::<prop::sample::Index>(), any::<u8>(), 0_u8..3).prop_map(
        |(text, at, byte, how)| {
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                _ => bytes.insert(at, byte),
            }
            bytes
        },
    );
    prop_oneof![marks.prop_map(String::into_bytes), broken, any::<Vec<u8>>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// What serde_json takes we take, with the same value; what it does not take has a text, but
    /// for what Go mends: bytes that are no UTF-8, halves of surrogate pairs, numbers that no float
    /// holds, and data after the first value. So `00` is `0` and more, as for Go's `Decoder`, which
    /// is given a byte that cannot follow and ends the value before it.
    #[test]
    fn agrees_with_another_parser(body in nearly_json()) {
        let ours = parse(&body);
        let mut theirs = serde_json::Deserializer::from_slice(&body).into_iter::<Value>();
        match (ours, theirs.next()) {
            (Ok(node), Some(Ok(value))) => prop_assert_eq!(node.into_value(), value),
            // What follows a number or a word is not looked at; the other parser wants a mark there,
            // and refuses a zero before a digit. Both must take what we took when it is alone.
            (Ok(node @ (Node::Number(_) | Node::Bool(_) | Node::Null)), Some(Err(_))) => {
                let alone = match &node {
                    Node::Number(digits) => digits.clone(),
                    other => other.clone().into_value().to_string(),
                };
                let theirs = serde_json::from_str::<Value>(&alone);
                let too_large = theirs.as_ref().is_err_and(|error| {
                    error.to_string().contains("out of range")
                });
                prop_assert!(too_large || theirs.ok() == Some(node.into_value()), "{}", alone);
            }
            (Ok(_), Some(Err(error))) => {
                let reason = error.to_string();
                let mended = ["unicode", "surrogate", "hex escape", "out of range", "trailing", "escape"];
                prop_assert!(mended.iter().any(|text| reason.contains(text)), "{}", reason);
            }
            (Err(Malformed::Empty), None) => {}
            (Err(Malformed::Syntax(text)), Some(Err(_))) => {
                prop_assert!(text == "unexpected EOF" || text.starts_with("invalid character "));
            }
            (ours, theirs) => prop_assert!(false, "{:?} but {:?}", ours, theirs),
        }
    }

    #[test]
    fn any_body_is_read_or_refused(body in any::<Vec<u8>>()) {
        if let Err(refusal) = read(&body, &OUTER) {
            prop_assert_eq!(refusal.status, 400);
            prop_assert!(!refusal.message.is_empty());
        }
    }
}
