//! Node definitions with one thing wrong.

use serde_json::{Value, json};

use super::super::invalid::{Invalid, of_shape, with};
use crate::testkit::nodes::definition::NODE_DEFINITION;
use crate::testkit::nodes::types::{BUILT_IN, BuiltIn};
use crate::testkit::nodes::{Environment, NodeDefinition, NodeError, NodeType, Rule, Violation};

/// A type that comes along.
pub(super) fn built_in(node_type: &NodeType) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|built_in| built_in.node_type == *node_type)
}

/// All that is wrong with a definition; where its fields are right, with its settings.
pub(super) fn violations(value: &Value) -> Vec<Violation> {
    let definition = match NodeDefinition::from_value(value) {
        Ok(definition) => definition,
        Err(found) => return found,
    };
    let Some(built_in) = built_in(&definition.node_type) else { return Vec::new() };
    let found = settings_violations(built_in, &Value::Object(definition.config)).into_iter();
    found.map(|found| found.below("config")).collect()
}

/// All that is wrong with settings of a type.
pub(super) fn settings_violations(built_in: &BuiltIn, config: &Value) -> Vec<Violation> {
    let definition = NodeDefinition::new("node", built_in.node_type.clone()).config(config.clone());
    match (built_in.make)(&definition, &Environment::default()) {
        Err(NodeError::Invalid { violations, .. }) => violations,
        Ok(_) | Err(_) => Vec::new(),
    }
}

/// Every way to spoil a good definition in one place: its fields, its settings one by one, and
/// settings that do not go together.
pub(super) fn spoiled(good: &Value) -> Vec<Invalid> {
    let mut found = of_shape(&NODE_DEFINITION, good);
    let node_type = good.get("type").and_then(|name| name.as_str()?.parse().ok());
    let Some(built_in) = node_type.as_ref().and_then(built_in) else { return found };
    let empty = json!({});
    let config = good.get("config").unwrap_or(&empty);
    // The whole of the settings being of the wrong type is among the fields already.
    let settings = of_shape(built_in.shape, config).into_iter().filter(|one| !one.at.is_empty());
    let together = disagreeing(&built_in.node_type).into_iter();
    let together = together.map(|(rule, at, config)| Invalid::new(rule, at, config));
    found.extend(
        settings
            .chain(together)
            .map(|one| one.below("config", |value| with(good, "config", value))),
    );
    found
}

/// Settings whose fields are right each for itself, and that cannot be used all the same: what they
/// break, where, and the settings.
type Disagreeing = Vec<(Rule, &'static str, Value)>;

fn disagreeing(node_type: &NodeType) -> Disagreeing {
    match node_type {
        NodeType::Model => models(),
        NodeType::Router => routers(),
        NodeType::Gate => gates(),
        NodeType::Transform => transforms(),
        NodeType::Loop => loops(),
        NodeType::Timeout => timeouts(),
        _ => Vec::new(),
    }
}

fn models() -> Disagreeing {
    vec![
        (Rule::MissingCompanion, "fallback_models", json!({"enable_fallback": true})),
        (Rule::NotAChoice, "prompt_id", json!({"prompt_id": "zzz_no_such_prompt"})),
    ]
}

fn routers() -> Disagreeing {
    let route = |name: &str| json!({"name": name, "description": "Code", "target": "next"});
    let compound = |domain: &str| json!({"domains": [domain], "target": "next"});
    vec![
        (Rule::BadIdentifier, "routes.0.name", json!({"routes": [route("?")]})),
        (Rule::Contradiction, "routes.1.name", json!({"routes": [route("code"), route("Code")]})),
        (
            Rule::MissingCompanion,
            "multi_label",
            json!({"routes": [route("code")], "fanout_enabled": true}),
        ),
        (
            Rule::Contradiction,
            "compound_routes.0.domains.0",
            json!({
                "routes": [route("code")], "multi_label": true,
                "compound_routes": [compound("cooking")],
            }),
        ),
    ]
}

fn gates() -> Disagreeing {
    let condition = |name: &str, expression: &str| json!({"name": name, "expression": expression, "target": "next"});
    let any = |name| condition(name, "len(content) > 0");
    vec![
        (Rule::MissingCompanion, "conditions", json!({"conditions": []})),
        (
            Rule::MissingCompanion,
            "conditions.0.expression",
            json!({"conditions": [{"name": "any", "target": "next"}]}),
        ),
        (
            Rule::BadExpression,
            "conditions.0.expression",
            json!({"conditions": [condition("any", "len(")]}),
        ),
        (Rule::Contradiction, "conditions.1.name", json!({"conditions": [any("any"), any("Any")]})),
    ]
}

fn transforms() -> Disagreeing {
    vec![
        (
            Rule::MissingParameter,
            "transforms.0.params.max_length",
            json!({"transforms": [{"type": "truncate"}]}),
        ),
        (
            Rule::BadPattern,
            "transforms.0.params.pattern",
            json!({"transforms": [{"type": "regex_extract", "params": {"pattern": "("}}]}),
        ),
    ]
}

fn loops() -> Disagreeing {
    vec![
        (Rule::MissingCompanion, "fixed_count", json!({"body_node": "test.body"})),
        (
            Rule::Contradiction,
            "fixed_count",
            json!({"body_node": "test.body", "fixed_count": 11, "max_iterations": 10}),
        ),
        (
            Rule::MissingCompanion,
            "condition_expression",
            json!({"body_node": "test.body", "condition_type": "until_condition"}),
        ),
        (
            Rule::BadExpression,
            "condition_expression",
            json!({
                "body_node": "test.body", "condition_type": "while_condition",
                "condition_expression": "iteration <",
            }),
        ),
    ]
}

fn timeouts() -> Disagreeing {
    let settings = json!({"inner_node": "test.inner", "on_timeout": "fallback"});
    vec![(Rule::MissingCompanion, "fallback_response", settings)]
}
