//! Arrays and objects.

use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::{Builder, Place, State, check, mention, mentions_reference, work};

/// Arrays and maps longer than this are not made.
const ITEMS_MAX: usize = 1_000;
/// Values that are tried for one place of an array whose items must differ.
const DISTINCT_TRIES: u64 = 64;

impl Builder<'_> {
    pub(super) fn array(&self, state: &State<'_>, place: &Place, attempt: u64) -> Option<Value> {
        let keys = &state.keys;
        let (prefix, rest) = check::prefix_and_rest(keys);
        let least = size(keys, "minItems").unwrap_or(0);
        let most = size(keys, "maxItems").unwrap_or(usize::MAX);
        let contains = keys.get("contains");
        let contained = contains.map_or(0, |_| size(keys, "minContains").unwrap_or(1));
        let looked_at = rest.map_or(0, work::of) * (1 + state.refs.len() as u64 / 8);
        self.work.spend(looked_at)?;
        let circular = rest.is_some_and(|schema| mentions_reference(schema, &state.refs));
        let usual = match rest {
            Some(Value::Bool(false)) => prefix.len(),
            _ if circular => prefix.len(),
            // An odd attempt tries without what need not be.
            Some(schema) if attempt.is_multiple_of(2) => {
                prefix.len() + self.mentioned(schema).max(1)
            }
            _ if attempt.is_multiple_of(2) => prefix.len().max(1),
            _ => 0,
        };
        let length = usual.max(contained).max(least).min(most);
        if length > ITEMS_MAX {
            return None;
        }
        let distinct = keys.get("uniqueItems") == Some(&Value::Bool(true));
        let anything = Value::Bool(true);
        let mut items: Vec<Value> = Vec::with_capacity(length);
        for index in 0..length {
            self.work.spend(1 + if distinct { index as u64 / 8 } else { 0 })?;
            let schema = prefix.get(index).or(rest).unwrap_or(&anything);
            let joined = contains
                .filter(|_| index < contained)
                .map(|contains| json!({ "allOf": [schema, contains] }));
            let schema = joined.as_ref().unwrap_or(schema);
            let variants = if distinct { DISTINCT_TRIES } else { 1 };
            let first = place.salt + attempt + index as u64;
            let item = (first..first + variants)
                .filter_map(|salt| self.build(schema, &place.item(index, &state.refs, salt)))
                .find(|item| !distinct || !items.iter().any(|other| check::same(other, item)));
            match item {
                Some(item) => items.push(item),
                None if items.len() >= least.max(contained) => break,
                None => return None,
            }
        }
        Some(Value::Array(items))
    }

    /// How many of an enumeration's values the text says.
    fn mentioned(&self, schema: &Value) -> usize {
        match schema.get("enum") {
            Some(Value::Array(values)) => {
                if self.work.spend(values.len() as u64 * self.reading()).is_none() {
                    return 0;
                }
                values.iter().filter(|value| mention::position(self.text, value).is_some()).count()
            }
            _ => 0,
        }
    }

    pub(super) fn object(&self, state: &State<'_>, place: &Place, attempt: u64) -> Option<Value> {
        let keys = &state.keys;
        let least = size(keys, "minProperties").unwrap_or(0);
        let most = size(keys, "maxProperties").unwrap_or(usize::MAX);
        if least > ITEMS_MAX {
            return None;
        }
        let declared = keys.get("properties").and_then(Value::as_object);
        let required = names(keys.get("required"));
        self.work.spend(2 * (required.len() + declared.map_or(0, Map::len)) as u64)?;
        let mut needed_names: HashSet<String> = required.iter().cloned().collect();
        // An odd attempt tries without what need not be; a later one without all that is circular.
        let all = attempt.is_multiple_of(2);
        let mut open: Vec<String> = declared.into_iter().flat_map(Map::keys).cloned().collect();
        let declares = |name: &str| declared.is_some_and(|declared| declared.contains_key(name));
        open.extend(required.iter().filter(|name| !declares(name)).cloned());
        let mut optional = most.saturating_sub(required.len());
        let mut object = Map::new();
        let mut index = 0;
        while let Some(name) = open.get(index).cloned() {
            index += 1;
            let needed = needed_names.contains(&name);
            let schema = self.property_schema(keys, &name);
            let wanted = all
                && optional > 0
                && !self.circular(&schema, &state.refs)
                && self.may_be_named(keys, &name);
            if !needed && !wanted {
                continue;
            }
            match self.build(&schema, &place.property(&name, &state.refs)) {
                Some(value) => {
                    object.insert(name.clone(), value);
                    optional -= usize::from(!needed);
                    let follows = keys.get("dependentRequired").and_then(|all| all.get(&name));
                    for next in names(follows) {
                        needed_names.insert(next.clone());
                        if !object.contains_key(&next) {
                            open.push(next);
                        }
                    }
                }
                None if needed => return None,
                None => {}
            }
        }
        self.fill(&mut object, state, place, least, most)?;
        Some(Value::Object(object))
    }

    /// Adds properties that no name declares: as many as there must be, one where that is the point.
    fn fill(
        &self,
        object: &mut Map<String, Value>,
        state: &State<'_>,
        place: &Place,
        least: usize,
        most: usize,
    ) -> Option<()> {
        let keys = &state.keys;
        let declared = keys.get("properties").and_then(Value::as_object);
        let is_map = declared.is_none_or(Map::is_empty)
            && (keys.get("additionalProperties").is_some_and(Value::is_object)
                || keys.contains_key("patternProperties"));
        let least = if is_map { least.max(1).min(most) } else { least };
        let patterns = keys.get("patternProperties").and_then(Value::as_object);
        let pattern = patterns.and_then(|all| all.keys().next());
        let mut variant = 0;
        while object.len() < least && variant < 4 * ITEMS_MAX as u64 {
            let Some(name) = self.free_name(keys, pattern, place, variant) else { break };
            variant += 1;
            if object.contains_key(&name) || !self.may_be_named(keys, &name) {
                continue;
            }
            let schema = self.property_schema(keys, &name);
            if self.circular(&schema, &state.refs) && is_map {
                break;
            }
            match self.build(&schema, &place.property(&name, &state.refs)) {
                Some(value) => object.insert(name, value),
                None if self.work.spend(1).is_none() => return None,
                None => continue,
            };
        }
        Some(())
    }

    fn free_name(
        &self,
        keys: &Map<String, Value>,
        pattern: Option<&String>,
        place: &Place,
        variant: u64,
    ) -> Option<String> {
        let closed = keys.get("additionalProperties") == Some(&Value::Bool(false));
        match (pattern, keys.get("propertyNames")) {
            (Some(pattern), _) if closed || variant == 0 => {
                let length = usize::try_from(variant / 8).ok()?;
                super::pattern::text(pattern, length, variant, self.work)
            }
            (_, Some(names)) => {
                let names = json!({ "allOf": [{ "type": "string" }, names] });
                let place = Place { salt: place.salt + variant, ..place.clone() };
                self.build(&names, &place)?.as_str().map(str::to_owned)
            }
            _ if variant == 0 => Some("key".to_owned()),
            _ => Some(format!("key_{}", variant + 1)),
        }
    }

    /// Everything that a property of this name must fit, as one schema.
    fn property_schema<'k>(&self, keys: &'k Map<String, Value>, name: &str) -> Cow<'k, Value> {
        let schemas: Vec<&Value> = self.checker.property_schemas(keys, name).collect();
        match schemas.as_slice() {
            [] => Cow::Owned(Value::Bool(true)),
            [only] => Cow::Borrowed(*only),
            all => {
                self.work.spend(all.iter().map(|schema| work::of(schema)).sum());
                Cow::Owned(json!({ "allOf": all }))
            }
        }
    }

    fn may_be_named(&self, keys: &Map<String, Value>, name: &str) -> bool {
        keys.get("propertyNames")
            .is_none_or(|schema| self.checker.valid(schema, &Value::String(name.to_owned())))
    }

    /// Whether a schema leads straight back to where the search came from.
    fn circular(&self, schema: &Value, refs: &[Rc<str>]) -> bool {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => refs.iter().any(|known| **known == *reference) || reference == "#",
            None => match schema.get("allOf") {
                Some(Value::Array(parts)) => parts.iter().any(|part| self.circular(part, refs)),
                _ => false,
            },
        }
    }
}

fn size(keys: &Map<String, Value>, key: &str) -> Option<usize> {
    keys.get(key).and_then(Value::as_f64).map(|size| size.max(0.0) as usize)
}

fn names(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect()
}
