//! Two schemas as one that both allow, keyword by keyword.

use serde_json::{Map, Value, json};

use super::check;

/// The keywords of both; `None` where nothing can fit.
pub(super) fn merge(
    mut one: Map<String, Value>,
    mut other: Map<String, Value>,
) -> Option<Map<String, Value>> {
    for map in [&mut one, &mut other] {
        if let Some(constant) = map.shift_remove("const") {
            let values = match map.shift_remove("enum") {
                Some(Value::Array(values)) => {
                    values.into_iter().filter(|value| check::same(value, &constant)).collect()
                }
                _ => vec![constant],
            };
            map.insert("enum".to_owned(), Value::Array(values));
        }
    }
    let properties = properties(&mut one, &mut other);
    for (key, new) in other {
        let merged = match one.shift_remove(&key) {
            None => new,
            Some(old) => keyword(&key, old, new)?,
        };
        one.insert(key, merged);
    }
    if let Some(properties) = properties {
        one.insert("properties".to_owned(), properties);
    }
    Some(one)
}

fn keyword(key: &str, old: Value, new: Value) -> Option<Value> {
    match key {
        "type" => types(&old, &new),
        "enum" => {
            let (Value::Array(old), Value::Array(new)) = (old, new) else { return None };
            let both: Vec<Value> = old
                .into_iter()
                .filter(|value| new.iter().any(|other| check::same(value, other)))
                .collect();
            (!both.is_empty()).then_some(Value::Array(both))
        }
        "required" => {
            let (Value::Array(mut all), Value::Array(new)) = (old, new) else { return None };
            for name in new {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
            Some(Value::Array(all))
        }
        "minimum" | "minLength" | "minItems" | "minProperties" | "minContains" => {
            Some(if old.as_f64() >= new.as_f64() { old } else { new })
        }
        "exclusiveMinimum" if old.is_number() && new.is_number() => {
            Some(if old.as_f64() >= new.as_f64() { old } else { new })
        }
        "maximum" | "maxLength" | "maxItems" | "maxProperties" | "maxContains" => {
            Some(if old.as_f64() <= new.as_f64() { old } else { new })
        }
        "exclusiveMaximum" if old.is_number() && new.is_number() => {
            Some(if old.as_f64() <= new.as_f64() { old } else { new })
        }
        "multipleOf" => Some(Value::Array([listed(old), listed(new)].concat())),
        "uniqueItems" => Some(Value::Bool(old == Value::Bool(true) || new == Value::Bool(true))),
        "items" | "additionalProperties" | "propertyNames" | "contains" | "additionalItems" => {
            Some(both(old, new))
        }
        "patternProperties" | "$defs" | "definitions" | "dependentRequired" => {
            let (Value::Object(mut all), Value::Object(new)) = (old, new) else { return None };
            for (name, schema) in new {
                let merged = match all.shift_remove(&name) {
                    Some(known) if key == "patternProperties" => both(known, schema),
                    _ => schema,
                };
                all.insert(name, merged);
            }
            Some(Value::Object(all))
        }
        "prefixItems" => {
            let (Value::Array(old), Value::Array(new)) = (old, new) else { return None };
            let length = old.len().max(new.len());
            let at = |items: &[Value], index: usize| {
                items.get(index).cloned().unwrap_or(Value::Bool(true))
            };
            Some((0..length).map(|index| both(at(&old, index), at(&new, index))).collect())
        }
        // Of two patterns, formats or descriptions the first leads; the check knows both.
        _ => Some(old),
    }
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        value => vec![value],
    }
}

fn both(old: Value, new: Value) -> Value {
    match (&old, &new) {
        (Value::Bool(true), _) => new,
        (_, Value::Bool(true)) => old,
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        _ if old == new => old,
        // Side by side: one in the other, many of them would nest without end.
        (Value::Object(map), _)
            if map.len() == 1 && map.get("allOf").is_some_and(Value::is_array) =>
        {
            let mut all = old;
            if let Some(Value::Array(parts)) = all.get_mut("allOf") {
                parts.push(new);
            }
            all
        }
        _ => json!({ "allOf": [old, new] }),
    }
}

fn types(old: &Value, new: &Value) -> Option<Value> {
    let names = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(names) => {
                names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            value => value.as_str().map(str::to_owned).into_iter().collect(),
        }
    };
    let new = names(new);
    let has = |name: &str| new.iter().any(|other| other == name);
    let mut both: Vec<Value> = Vec::new();
    for name in names(old) {
        if has(&name) || (name == "integer" && has("number")) {
            both.push(json!(name));
        } else if name == "number" && has("integer") {
            both.push(json!("integer"));
        }
    }
    (!both.is_empty()).then_some(Value::Array(both))
}

/// The properties of both, each with what the other schema says of undeclared ones.
fn properties(one: &mut Map<String, Value>, other: &mut Map<String, Value>) -> Option<Value> {
    let undeclared = |map: &Map<String, Value>| match map.get("additionalProperties") {
        // A pattern may allow what no name does; the check decides that.
        Some(schema) if !map.contains_key("patternProperties") => schema.clone(),
        _ => Value::Bool(true),
    };
    let (first, second) = (undeclared(one), undeclared(other));
    let old = one.shift_remove("properties");
    let new = other.shift_remove("properties");
    if old.is_none() && new.is_none() {
        return None;
    }
    let object = |value: Option<Value>| match value {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let (old, mut new) = (object(old), object(new));
    let mut all = Map::new();
    for (name, schema) in old {
        let rest = new.shift_remove(&name).unwrap_or_else(|| second.clone());
        all.insert(name, both(schema, rest));
    }
    for (name, schema) in new {
        all.insert(name, both(schema, first.clone()));
    }
    Some(Value::Object(all))
}
