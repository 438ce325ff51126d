//! A whole stub as rule files spell it, and back.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::fields::{Field, Fields, StubError};
use super::then::Then;
use super::{Counting, Exhausted, PRIORITY, Stub, read_condition, read_then};

impl Stub {
    /// Reads a stub as rule files and the admin API spell it.
    ///
    /// # Errors
    /// [`StubError`] that says where it is wrong, and what was probably meant.
    pub fn from_json(value: &Value) -> Result<Self, StubError> {
        read(&Field::root(value))
    }

    /// The stub as rule files spell it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        write(self)
    }
}

impl<'de> Deserialize<'de> for Stub {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Stub {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

pub(super) fn read(field: &Field<'_>) -> Result<Stub, StubError> {
    let mut fields = field.fields()?;
    let stub = read_from(field, &mut fields)?;
    fields.finish()?;
    Ok(stub)
}

pub(super) fn read_from(field: &Field<'_>, fields: &mut Fields<'_>) -> Result<Stub, StubError> {
    let mut stub = Stub::any();
    if let Some(field) = fields.take(&["name", "description"])? {
        stub.name = Some(field.text()?);
    }
    // A listing has these; a stub out of it can be posted again.
    if let Some(Value::String(name)) = fields.take(&["id"])?.map(|field| field.value) {
        stub.name.get_or_insert_with(|| name.clone());
    }
    fields.take(&["matched"])?;
    if let Some(field) = fields.take(&["priority"])? {
        let priority = field.count(0)?;
        stub.priority = u32::try_from(priority).map_err(|_| field.error("is too large"))?;
    }
    if let Some(field) = fields.take(&["match", "when", "request", "matcher"])? {
        if field.value.is_string() {
            let user = json!({ "user": field.value });
            stub.conditions = read_condition::read(&mut Field::root(&user).fields()?)?;
        } else {
            let mut inner = field.fields()?;
            stub.conditions = read_condition::read(&mut inner)?;
            stub.conditions.extend(read_condition::read_inside(&mut inner)?);
            inner.finish()?;
        }
    }
    stub.conditions.extend(read_condition::read(fields)?);
    if let Some(field) = fields.take(&["times", "up_to_n_times", "limit"])? {
        stub.times = Some(field.count(1)?);
    }
    if let Some(field) = fields.take(&["per", "count_per", "counted_per"])? {
        stub.counting = match field.text()?.as_str() {
            "stub" => Counting::Stub,
            "request" => Counting::Request,
            _ => return Err(field.error("wants \"stub\" or \"request\"")),
        };
    }
    if let Some(field) = fields.take(&["scenario", "scenarioName"])? {
        stub.scenario = field.text()?;
    }
    let required = ["state", "when_state", "required_state", "requiredScenarioState"];
    if let Some(field) = fields.take(&required)? {
        stub.when_state = Some(field.text()?);
    }
    let next = ["next_state", "then_state", "new_state", "set_state", "newScenarioState"];
    if let Some(field) = fields.take(&next)? {
        stub.then_state = Some(field.text()?);
    }
    let exhausted = fields.take(&["on_exhausted", "when_exhausted", "exhausted"])?;
    if let Some(field) = exhausted {
        stub.exhausted = Exhausted::named(&field.text()?).ok_or_else(|| {
            field.error("wants \"repeat_last\", \"cycle\", \"error\" or \"fallthrough\"")
        })?;
    }
    read_answers(&mut stub, field, fields)?;
    Ok(stub)
}

/// The answer or answers of a stub, under their own key or among its fields.
fn read_answers(
    stub: &mut Stub,
    whole: &Field<'_>,
    fields: &mut Fields<'_>,
) -> Result<(), StubError> {
    let one = fields.take(&["reply", "respond", "then", "response", "answer"])?;
    let many = fields.take(&["replies", "sequence", "responses", "answers"])?;
    let beside = one.is_some() || many.is_some();
    let flat = match beside {
        true => read_then::read_beside(fields)?,
        false => read_then::read_fields(fields)?,
    };
    let list = match (one, many) {
        (Some(_), Some(many)) => return Err(many.error("give one of `reply` and `replies`")),
        (Some(field), None) | (None, Some(field)) => Some(field),
        (None, None) => None,
    };
    let answers = match &list {
        Some(field) => {
            field.items().iter().map(read_then::read).collect::<Result<Vec<Then>, StubError>>()?
        }
        None => Vec::new(),
    };
    if let Some(field) = list.filter(|_| answers.is_empty()) {
        return Err(field.error("wants at least one answer"));
    }
    match (answers.is_empty(), flat) {
        (true, Some(flat)) => stub.answers = vec![flat],
        (true, None) if stub.then_state.is_some() => stub.answers = vec![Then::default()],
        (true, None) => {
            // A misspelt key is why there is none.
            fields.finish()?;
            return Err(whole.error(
                "a stub wants an answer: `reply`, `replies`, `error`, `raw`, `template`, \
                 `auto`, a fault or a latency",
            ));
        }
        (false, flat) => {
            stub.answers = answers;
            let flat = flat.unwrap_or_default();
            if flat.answer != super::then::Answer::Auto {
                return Err(whole.error("has an answer in `reply` and another beside it"));
            }
            for answer in &mut stub.answers {
                answer.add_headers(&flat.headers);
            }
            stub.timing = flat.timing;
            stub.faults = flat.faults;
        }
    }
    Ok(())
}

fn write(stub: &Stub) -> Value {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        map.insert(key.to_owned(), value);
    };
    if let Some(name) = &stub.name {
        put("name", json!(name));
    }
    if stub.priority != PRIORITY {
        put("priority", json!(stub.priority));
    }
    let conditions = read_condition::write(&stub.conditions);
    if !conditions.is_empty() {
        put("match", Value::Object(conditions));
    }
    if !stub.scenario.is_empty() {
        put("scenario", json!(stub.scenario));
    }
    if let Some(state) = &stub.when_state {
        put("state", json!(state));
    }
    if let Some(state) = &stub.then_state {
        put("next_state", json!(state));
    }
    if let Some(times) = stub.times {
        put("times", json!(times));
    }
    if stub.counting == Counting::Request {
        put("per", json!("request"));
    }
    match stub.answers.as_slice() {
        [only] => put("reply", Value::Object(read_then::write(only))),
        many => {
            let many: Vec<Map<String, Value>> = many.iter().map(read_then::write).collect();
            put("replies", json!(many));
            put("on_exhausted", json!(stub.exhausted.name()));
        }
    }
    let shared = read_then::write(&Then {
        timing: stub.timing.clone(),
        faults: stub.faults.clone(),
        ..Then::default()
    });
    map.extend(shared.into_iter().filter(|(key, _)| key != "auto"));
    Value::Object(map)
}
