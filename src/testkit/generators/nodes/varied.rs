//! Random settings of each type, over the whole of their ranges.

use serde_json::{Map, Value, json};

use super::super::invalid::with;
use super::super::messages::hundredths;
use super::super::source::Stream;
use super::super::words::{one_of, words};
use super::Nodes;
use super::spoiled::{built_in, settings_violations};
use crate::testkit::nodes::NodeType;
use crate::testkit::nodes::field::Kind;

/// Random settings of a type.
pub(super) fn config(node_type: &NodeType, stream: &mut Stream) -> Value {
    let mut config = together(node_type, stream);
    let Some(built_in) = built_in(node_type) else { return config };
    for field in built_in.shape.fields {
        // Those that need one another are there already.
        if config.get(field.name).is_some() || !stream.chance(0.5) {
            continue;
        }
        let Some(value) = within(&field.kind, stream) else { continue };
        let more = with(&config, field.name, value);
        // A setting that does not go with the others is left out.
        if settings_violations(built_in, &more).is_empty() {
            config = more;
        }
    }
    config
}

/// A number or a truth in its range, the ends as often as all between; none of other kinds.
fn within(kind: &Kind, stream: &mut Stream) -> Option<Value> {
    /// A range without an end is drawn from as far as this.
    const FAR: i64 = 100_000;
    let end = stream.below(4);
    match *kind {
        Kind::Boolean => Some(json!(stream.chance(0.5))),
        Kind::Integer(least, greatest) => {
            let greatest = greatest.min(least.saturating_add(FAR).max(FAR));
            Some(json!(match end {
                0 => least,
                1 => greatest,
                _ => stream.integer(least, greatest),
            }))
        }
        Kind::Number(least, greatest) => Some(json!(match end {
            0 => least,
            1 => greatest,
            _ => least + (greatest - least) * hundredths(stream),
        })),
        _ => None,
    }
}

/// Settings that go together.
fn together(node_type: &NodeType, stream: &mut Stream) -> Value {
    match node_type {
        NodeType::Entry => json!({"required_fields": fields(stream)}),
        NodeType::Exit => json!({"status": one_of(stream, &["success", "fallback", "error"])}),
        NodeType::Model => {
            let mut config = Map::new();
            config.insert("model".to_owned(), json!(model(stream)));
            if stream.chance(0.5) {
                config.insert("system_prompt".to_owned(), json!(words(stream, 6)));
            }
            Value::Object(config)
        }
        NodeType::Router => router(stream),
        NodeType::Gate => gate(stream),
        NodeType::Transform => {
            let count = 1 + stream.below(4);
            json!({"transforms": (0..count).map(|_| transform(stream)).collect::<Vec<_>>()})
        }
        NodeType::Loop => turns(stream),
        NodeType::DynamicFanout => {
            let strategies = ["all", "first_success", "majority_vote", "best_score"];
            let targets = 1 + stream.below(5);
            json!({
                "target_nodes": (1..=targets).map(|at| format!("node{at}")).collect::<Vec<_>>(),
                "aggregation_strategy": one_of(stream, &strategies),
            })
        }
        NodeType::Timeout => match one_of(stream, &["error", "fallback", "skip"]) {
            "fallback" => json!({
                "inner_node": "test.inner", "on_timeout": "fallback",
                "fallback_response": words(stream, 5),
            }),
            other => json!({"inner_node": "test.inner", "on_timeout": other}),
        },
        NodeType::Reasoning => json!({"model": model(stream)}),
        NodeType::Tool | NodeType::Custom(_) => Nodes::default_config(node_type),
    }
}

fn model(stream: &mut Stream) -> &'static str {
    one_of(stream, &["qwen2.5:0.5b", "qwen2.5:3b", "granite-code:3b", "phi3:mini"])
}

fn fields(stream: &mut Stream) -> Vec<&'static str> {
    let mut fields = vec!["task", "content"];
    fields.truncate(stream.below(3) as usize);
    fields
}

const TOPICS: [&str; 5] = ["code", "math", "general", "support", "search"];

fn router(stream: &mut Stream) -> Value {
    let count = 1 + stream.below(TOPICS.len() as u64) as usize;
    let routes: Vec<Value> = TOPICS
        .iter()
        .take(count)
        .map(|topic| {
            json!({
                "name": topic,
                "description": words(stream, 4),
                "target": format!("{topic}.specialist"),
                "priority": stream.below(10),
            })
        })
        .collect();
    let default = stream.pick(&TOPICS[..count]).copied();
    json!({
        "model": model(stream),
        "routes": routes,
        "default_route": default,
        "multi_label": stream.chance(0.3),
    })
}

fn gate(stream: &mut Stream) -> Value {
    const EXPRESSIONS: [&str; 6] = [
        "len(content) > 0",
        "'error' in content",
        "route == 'code'",
        "confidence >= 0.5 and len(task) > 3",
        "not content",
        "any([len(content) > 100, len(task) > 100])",
    ];
    let count = 1 + stream.below(3);
    let conditions: Vec<Value> = (0..count)
        .map(|at| {
            json!({
                "name": format!("condition{at}"),
                "expression": one_of(stream, &EXPRESSIONS),
                "target": format!("next{at}"),
            })
        })
        .collect();
    json!({"mode": "expression", "conditions": conditions, "default_target": "next"})
}

fn transform(stream: &mut Stream) -> Value {
    let (name, params) = match stream.below(11) {
        0 => ("uppercase", json!({})),
        1 => ("lowercase", json!({})),
        2 => ("strip", json!({})),
        3 => ("truncate", json!({"max_length": 1 + stream.below(200)})),
        4 => ("json_wrap", json!({"key": "content"})),
        5 => ("json_stringify", json!({})),
        6 => ("regex_extract", json!({"pattern": "[a-z]+"})),
        7 => ("regex_replace", json!({"pattern": "[0-9]+", "replacement": "#"})),
        8 => ("template", json!({"template": "Answer: {content}"})),
        9 => ("split", json!({"separator": " "})),
        _ => ("split", json!({"separator": " ", "index": 0})),
    };
    json!({"type": name, "params": params})
}

fn turns(stream: &mut Stream) -> Value {
    let most = 1 + stream.below(1_000);
    match one_of(stream, &["fixed_count", "until_success", "until_condition", "while_condition"]) {
        "fixed_count" => json!({
            "body_node": "test.body", "condition_type": "fixed_count",
            "max_iterations": most, "fixed_count": 1 + stream.below(most),
        }),
        "until_success" => json!({
            "body_node": "test.body", "condition_type": "until_success", "max_iterations": most,
        }),
        other => json!({
            "body_node": "test.body", "condition_type": other, "max_iterations": most,
            "condition_expression": format!("iteration < {}", 1 + stream.below(most)),
        }),
    }
}
