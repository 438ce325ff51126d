use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn assert_valid(schema: &Value, text: &str) -> Value {
    let value = instance(schema, text);
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .unwrap_or_else(|error| panic!("{schema}: {error}"));
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{schema}\n{value}\n{errors:?}");
    value
}

#[test]
fn values_come_from_the_text() {
    let person = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer"},
            "mood": {"enum": ["happy", "sad"]},
            "email": {"type": "string", "format": "email"},
        },
        "required": ["name", "age", "mood", "email"],
        "additionalProperties": false,
    });
    let text = "name: Grace Hopper, age 85, sad, reach her at grace@navy.mil";
    assert_eq!(
        assert_valid(&person, text).to_string(),
        r#"{"name":"Grace Hopper","age":85,"mood":"sad","email":"grace@navy.mil"}"#
    );
    assert_valid(&person, "");
}

#[test]
fn keywords_of_every_kind_are_met() {
    let schemas = [
        json!(true),
        json!({}),
        json!({"type": "null"}),
        json!({"type": ["null", "string"]}),
        json!({"const": {"a": [1, null]}}),
        json!({"enum": [null, 3, "x"]}),
        json!({"type": "integer", "minimum": 10, "exclusiveMaximum": 12, "multipleOf": 11}),
        json!({"type": "number", "multipleOf": 0.01, "minimum": 0.305, "maximum": 0.32}),
        json!({"type": "integer", "multipleOf": 2.5, "minimum": 6}),
        json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        json!({"type": "integer", "minimum": -5, "maximum": -3}),
        json!({"type": "number", "minimum": 1e12}),
        json!({"type": "string", "minLength": 40}),
        json!({"type": "string", "maxLength": 2}),
        json!({"type": "string", "minLength": 3, "maxLength": 3}),
        json!({"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"}),
        json!({"type": "string", "pattern": "^(foo|bar)+$", "minLength": 10}),
        json!({"type": "string", "pattern": "b+"}),
        json!({"type": "string", "pattern": "^\\S+@\\S+\\.[a-z]{2,}$"}),
        json!({"type": "array"}),
        json!({"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": true}),
        json!({"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": true}),
        json!({"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": true}),
        json!({"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}, "minItems": 3, "uniqueItems": true}),
        json!({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": false, "minItems": 2}),
        json!({"type": "array", "contains": {"const": 7}, "minContains": 2, "minItems": 4}),
        json!({"type": "array", "maxItems": 0}),
        json!({"type": "object", "minProperties": 3}),
        json!({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2}),
        json!({"type": "object", "patternProperties": {"^x-[a-z]+$": {"type": "integer"}}, "additionalProperties": false, "minProperties": 2}),
        json!({"type": "object", "propertyNames": {"pattern": "^[A-Z]{2}$"}, "minProperties": 2}),
        json!({"type": "object", "required": ["undeclared"]}),
        json!({"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "maxProperties": 1}),
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "not": {"required": ["b"]}}),
        json!({"type": "object", "properties": {"a": {}}, "dependentRequired": {"a": ["b"]}}),
        json!({"type": "object", "properties": {"a": {}}, "dependentSchemas": {"a": {"required": ["b"], "properties": {"b": {"const": 5}}}}}),
        json!({"type": "string", "not": {"enum": ["text"]}}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}),
        json!({"oneOf": [{"type": "number", "multipleOf": 3}, {"type": "number", "multipleOf": 5}]}),
        json!({"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"a": {"minimum": 5}, "b": {"const": "x"}}, "required": ["b"]}]}),
        json!({"allOf": [{"enum": [1, 2, 3]}, {"enum": [3, 4]}]}),
        json!({"type": "object", "properties": {"kind": {"enum": ["a", "b"]}}, "required": ["kind"], "if": {"properties": {"kind": {"const": "a"}}}, "then": {"required": ["x"]}, "else": {"required": ["y"]}}),
    ];
    for schema in schemas {
        for text in ["", "foo b 42, kind: b", "name is text"] {
            assert_valid(&schema, text);
        }
    }
}

#[test]
fn formats_are_met_at_every_length() {
    for format in [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "uuid",
        "json-pointer",
        "regex",
        "iri",
    ] {
        let schema = json!({"type": "string", "format": format});
        assert_valid(&schema, "");
        assert_valid(
            &schema,
            "mail a.b@c.example or see https://d.example/e?f, 2026-02-03, 300.1.1.1",
        );
        let several = json!({"type": "array", "items": schema, "minItems": 5, "uniqueItems": true});
        assert_valid(&several, "");
    }
    for format in ["email", "hostname", "uri"] {
        assert_valid(&json!({"type": "string", "format": format, "minLength": 50}), "");
    }
}

#[test]
fn references_may_go_in_circles() {
    let tree = json!({
        "$ref": "#/$defs/Node",
        "$defs": {"Node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                "parent": {"$ref": "#/$defs/Node"},
            },
            "required": ["value", "children"],
            "additionalProperties": false,
        }},
    });
    assert_eq!(assert_valid(&tree, "").to_string(), r#"{"value":1,"children":[]}"#);
    let list = json!({
        "type": "object",
        "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}, "id": {"type": "string"}},
        "required": ["next", "id"],
    });
    assert_valid(&list, "");
    let sum = json!({
        "$defs": {"Expr": {"oneOf": [
            {"type": "object", "properties": {"left": {"$ref": "#/$defs/Expr"}, "right": {"$ref": "#/$defs/Expr"}, "op": {"enum": ["+", "-"]}}, "required": ["left", "op", "right"], "additionalProperties": false},
            {"type": "number"},
        ]}},
        "$ref": "#/$defs/Expr",
    });
    assert_valid(&sum, "");
    let filled = json!({
        "$defs": {"Node": {"type": "object", "required": ["children"], "properties": {"children": {"type": "array", "minItems": 1, "items": {"anyOf": [{"$ref": "#/$defs/Node"}, {"$ref": "#/$defs/Leaf"}]}}}}, "Leaf": {"const": "leaf"}},
        "$ref": "#/$defs/Node",
    });
    assert_valid(&filled, "");
}

#[test]
fn what_cannot_be_met_gives_an_object_and_ends() {
    for schema in [
        json!(false),
        json!({"$ref": "#"}),
        json!({"$ref": "#/nowhere"}),
        json!({"type": "integer", "minimum": 3, "maximum": 2}),
        json!({"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}, "required": ["a", "b"]}),
        json!({"type": "array", "minItems": 1_000_000_000}),
        json!({"type": "array", "items": {"type": "boolean"}, "minItems": 3, "uniqueItems": true}),
    ] {
        assert_eq!(instance(&schema, "x"), json!({}), "{schema}");
    }
    assert_eq!(instance(&json!({"type": "string", "pattern": "(?=a)b"}), ""), json!("text"));
    // Each round through the root doubles the branches to look at.
    let branching =
        json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"const": 7}], "not": {"const": 7}});
    assert_eq!(instance(&branching, ""), json!({}));
}

#[test]
fn the_branch_that_the_text_speaks_of_is_taken() {
    let shape = json!({"oneOf": [
        {"type": "object", "properties": {"kind": {"const": "circle"}, "radius": {"type": "number"}}, "required": ["kind", "radius"]},
        {"type": "object", "properties": {"kind": {"const": "square"}, "side": {"type": "number"}}, "required": ["kind", "side"]},
    ]});
    assert_eq!(assert_valid(&shape, "Draw a square, side 4"), json!({"kind": "square", "side": 4}));
    assert_eq!(assert_valid(&shape, "Draw")["kind"], "circle");
    let tags =
        json!({"type": "array", "items": {"enum": ["red", "green", "blue"]}, "uniqueItems": true});
    assert_eq!(assert_valid(&tags, "blue and red"), json!(["blue", "red"]));
}

/// As much as a thread of a runtime may have left.
const STACK_BYTES: usize = 512 * 1024;

fn on_small_stack(schema: Value) -> Value {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(move || instance(&schema, "a text of 3 words")).unwrap().join().unwrap()
}

fn nested(levels: usize, around: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(json!({"type": "string"}), |inner, _| around(inner))
}

#[test]
fn no_schema_needs_a_deep_stack() {
    let parts = json!({"allOf": vec![json!({"type": "string"}); 700]});
    assert!(on_small_stack(parts).is_string());
    let differing: Vec<Value> = (0..700)
        .map(|n| json!({"properties": {"a": {"type": "string", "minLength": n % 7, "x": n}}}))
        .collect();
    assert!(
        on_small_stack(json!({"type": "object", "required": ["a"], "allOf": differing}))["a"]
            .is_string()
    );
    let chain: Map<String, Value> = (0..300)
        .map(|n| (n.to_string(), json!({"$ref": format!("#/$defs/{}", n + 1)})))
        .chain([("300".to_owned(), json!({"type": "integer"}))])
        .collect();
    let chained = on_small_stack(json!({"$ref": "#/$defs/0", "$defs": chain.clone()}));
    assert!(chained.is_i64(), "{chained}");
    let described: Map<String, Value> = chain
        .into_iter()
        .map(|(name, mut schema)| {
            schema["description"] = json!("more than a reference");
            (name, schema)
        })
        .collect();
    on_small_stack(json!({"$ref": "#/$defs/0", "$defs": described}));

    for levels in [30, 60, 120, 240] {
        on_small_stack(nested(levels, |inner| json!({"anyOf": [inner]})));
        on_small_stack(nested(levels, |inner| json!({"allOf": [{"oneOf": [inner, false]}]})));
        on_small_stack(nested(levels, |inner| json!({"not": {"not": inner}})));
        on_small_stack(nested(levels, |inner| json!({"type": "array", "items": inner})));
        on_small_stack(nested(
            levels,
            |inner| json!({"type": "object", "properties": {"a": inner}, "required": ["a"]}),
        ));
    }
    let endless = json!({"properties": {"a": {"anyOf": [{"$ref": "#"}]}}, "required": ["a"]});
    on_small_stack(endless);
    let groups = format!("{}a{}", "(".repeat(200), ")".repeat(200));
    on_small_stack(nested(20, |inner| json!({"type": "array", "items": inner, "minItems": 1})));
    on_small_stack(json!({"type": "string", "pattern": groups}));
}

#[test]
fn large_schemas_of_real_use_are_within_the_bound() {
    let long = "Many words, 12 of them, for a long prompt. ".repeat(5_000);
    let row = json!({"type": "object", "required": ["id", "name", "mood", "email", "score"],
        "additionalProperties": false, "properties": {
            "id": {"type": "integer"}, "name": {"type": "string", "minLength": 2},
            "mood": {"enum": ["happy", "sad", "calm"]},
            "email": {"type": "string", "pattern": "^\\S+@\\S+\\.[a-z]{2,}$"},
            "score": {"type": "number", "minimum": 0, "maximum": 1}}});
    assert_valid(&json!({"type": "array", "items": row, "minItems": 200}), &long);
    let properties: Map<String, Value> = (0..400)
        .map(|n| (format!("p{n}"), json!({"anyOf": [{"type": "string"}, {"type": "null"}]})))
        .collect();
    let names: Vec<&String> = properties.keys().collect();
    let wide = json!({"type": "object", "required": names, "properties": properties,
        "additionalProperties": false});
    assert_valid(&wide, &long);
    let names: Vec<String> = (0..500).map(|n| format!("value {n}")).collect();
    assert_valid(&json!({"type": "array", "items": {"enum": names}, "minItems": 3}), &long);
}

#[test]
fn schemas_made_to_cost_are_given_up_in_time() {
    let unsatisfiable = json!({"type": "string", "minLength": 9, "maxLength": 1});
    let numbers = |n: usize| {
        json!({"type": "number", "multipleOf": 0.7 + n as f64, "minimum": 1e9,
        "maximum": 1e9 + 1e-3})
    };
    let defs: Vec<Value> = (0..300).map(|n| json!({"$ref": format!("missing{n}")})).collect();
    let names: Vec<String> = (0..20_000).map(|n| format!("n{n}")).collect();
    let pattern = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let schemas = [
        json!({"allOf": vec![json!({"anyOf": vec![unsatisfiable.clone(); 60]}); 60]}),
        json!({"allOf": vec![json!({"anyOf": vec![json!({"minLength": 3}); 60]}); 60],
               "not": {"type": "string"}, "type": "string"}),
        json!({"anyOf": (0..500).map(numbers).collect::<Vec<_>>()}),
        json!({"anyOf": defs}),
        json!({"enum": names, "not": {}}),
        json!({"type": "object", "required": names, "not": {}}),
        json!({"type": "array", "minItems": 1000, "items": {"type": "string", "minLength": 1_000_000}}),
        json!({"type": "array", "minItems": 1000, "uniqueItems": true, "items": {"multipleOf": 0.001, "type": "number"}}),
        json!({"allOf": (0..60).map(|n| json!({"anyOf": (0..60).map(|m| json!({"properties":
            {(format!("p{n}")): {"minLength": m}}})).collect::<Vec<_>>()})).collect::<Vec<_>>(),
            "type": "object", "minProperties": 100, "maxProperties": 3}),
        json!({"type": "array", "minItems": 1000, "items": {"type": "array", "minItems": 1000,
            "items": {"type": "array", "minItems": 1000, "items": {}}}}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"properties": {"l": {"$ref": "#/$defs/a"},
            "r": {"$ref": "#/$defs/a"}}, "required": ["l", "r"]}, {"$ref": "#/$defs/a"}]}}}),
        json!({"type": "object", "minProperties": 1000, "propertyNames": {"maxLength": 1}}),
        json!({"type": "object", "minProperties": 1000, "patternProperties": {"^\\w{400}$": {"not": {}}},
            "additionalProperties": false}),
        pattern("(?:|a){100000000}"),
        pattern("(?:(?:(?:|a){1000}){1000}){1000}"),
        pattern("^(?:\\w{1,500}x){1,500}$"),
        json!({"anyOf": (0..200).map(|n| pattern(&format!("^\\w{{{}}}$", 900 + n))).collect::<Vec<_>>()}),
    ];
    let long = "Many words, 12 of them, for a long prompt. ".repeat(5_000);
    for (schema, text) in schemas.iter().flat_map(|schema| [(schema, ""), (schema, &*long)]) {
        // It ends: without a bound of work these took minutes, or had no end.
        instance(schema, text);
    }
}

/// Schemas that something fits, nested.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "null"})),
        Just(json!({"type": "boolean"})),
        (-50_i64..50, 0_i64..40).prop_map(
            |(low, room)| json!({"type": "integer", "minimum": low, "maximum": low + room})
        ),
        (-50_i64..50, 1_i64..40).prop_map(|(low, room)| json!({
            "type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + room})),
        (1_i64..9, -90_i64..90)
            .prop_map(|(step, low)| json!({"type": "integer", "multipleOf": step, "minimum": low})),
        (0_usize..12, 0_usize..12).prop_map(
            |(low, room)| json!({"type": "string", "minLength": low, "maxLength": low + room})
        ),
        prop::sample::select(vec!["^[a-z]{2,5}$", "^\\d+-x*$", "[A-F0-9]{4}", "^(a|bc)+d?$"])
            .prop_map(|pattern| json!({"type": "string", "pattern": pattern})),
        prop::sample::select(vec!["date-time", "date", "email", "uuid", "uri", "ipv4", "time"])
            .prop_map(|format| json!({"type": "string", "format": format})),
        Just(json!({"enum": ["red", "green", 3, null]})),
        Just(json!({"const": "fixed"})),
        Just(json!({})),
        Just(json!({"$ref": "#/$defs/shared"})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0_usize..4, 0_usize..3).prop_map(|(items, low, room)| json!({
                "type": "array", "items": items, "minItems": low, "maxItems": low + room})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|items| json!({
                "type": "array", "prefixItems": items, "minItems": items.len(), "items": false})),
            (prop::collection::vec(inner.clone(), 1..4), any::<u8>(), any::<bool>())
                .prop_map(|(values, required, closed)| object(&values, required, closed)),
            inner.clone().prop_map(|values| json!({
                "type": "object", "additionalProperties": values, "minProperties": 1})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|options| json!({"anyOf": options})),
            inner.clone().prop_map(|part| json!({"allOf": [part, {"description": "x"}]})),
            inner.prop_map(|part| json!({"oneOf": [
                {"type": "object", "properties": {"kind": {"const": "a"}, "part": part}, "required": ["kind"]},
                {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]}]})),
        ]
    })
}

fn object(values: &[Value], required: u8, closed: bool) -> Value {
    const NAMES: [&str; 4] = ["city", "count", "first_name", "x"];
    let properties: Map<String, Value> = NAMES
        .iter()
        .zip(values)
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    let required: Vec<&str> = NAMES
        .iter()
        .take(values.len())
        .enumerate()
        .filter(|(index, _)| required >> index & 1 == 1)
        .map(|(_, name)| *name)
        .collect();
    json!({"type": "object", "properties": properties, "required": required,
           "additionalProperties": !closed})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_instance_is_valid(
        schema in schemas(),
        text in "[a-z 0-9]{0,20}|city: [A-Z][a-z]{1,6}, count [0-9]{1,3}|red, first name Bob",
    ) {
        let mut schema = schema;
        if let Value::Object(map) = &mut schema {
            map.insert("$defs".to_owned(), json!({"shared": {
                "type": "object",
                "properties": {"again": {"$ref": "#/$defs/shared"}, "id": {"type": "integer"}},
                "required": ["id"],
            }}));
        }
        assert_valid(&schema, &text);
    }

    #[test]
    fn order_of_properties_is_kept(names in prop::collection::btree_set("[a-z]{1,6}", 1..8)) {
        let names: Vec<String> = names.into_iter().rev().collect();
        let properties: Map<String, Value> =
            names.iter().map(|name| (name.clone(), json!({"type": "integer"}))).collect();
        let value = instance(&json!({"type": "object", "properties": properties}), "");
        let found: Vec<&String> = value.as_object().unwrap().keys().collect();
        prop_assert_eq!(found, names.iter().collect::<Vec<_>>());
    }
}
