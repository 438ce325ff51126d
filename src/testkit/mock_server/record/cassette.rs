//! Tapes of many requests, as a rule file.

use serde_json::{Map, Value, json};

use super::tape::{Said, Tape};

/// What was recorded: for each thing that was asked, its answers in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cassette {
    recorded: Vec<(Said, Vec<Tape>)>,
}

/// A cassette that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cassette: {place}{wrong}")]
pub struct CassetteError {
    place: String,
    wrong: String,
}

impl Cassette {
    /// Adds an answer. What is asked again gets its answers in this order; an answer that says the
    /// same as the one before, at whatever times, is not kept twice.
    pub fn add(&mut self, said: Said, tape: Tape) {
        let Some((_, tapes)) = self.recorded.iter_mut().find(|(other, _)| *other == said) else {
            self.recorded.push((said, vec![tape]));
            return;
        };
        if tapes.last().is_none_or(|last| last.instant_script() != tape.instant_script()) {
            tapes.push(tape);
        }
    }

    /// How many things were asked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.recorded.len()
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recorded.is_empty()
    }

    /// What was recorded: for each thing that was asked, its answers in order.
    pub fn recorded(&self) -> impl Iterator<Item = (&Said, &[Tape])> {
        self.recorded.iter().map(|(said, tapes)| (said, tapes.as_slice()))
    }

    /// The rule file: JSON, each thing that was asked a stub.
    #[must_use]
    pub fn to_rules(&self) -> Value {
        let stubs: Vec<Value> = self.recorded().map(|(said, tapes)| stub(said, tapes)).collect();
        json!({ "stubs": stubs })
    }

    /// Reads what [`to_rules`](Self::to_rules) wrote.
    ///
    /// # Errors
    /// [`CassetteError`] where a stub holds anything but tapes; a rule file with other stubs is for
    /// the server to read, not a cassette.
    pub fn from_rules(rules: &Value) -> Result<Self, CassetteError> {
        let error = |place: &str, wrong: &str| CassetteError {
            place: place.to_owned(),
            wrong: wrong.to_owned(),
        };
        let stubs = rules.get("stubs").and_then(Value::as_array);
        let stubs = stubs.ok_or_else(|| error("", "it has no list `stubs`"))?;
        let mut recorded = Vec::with_capacity(stubs.len());
        for (index, stub) in stubs.iter().enumerate() {
            let place = format!("stubs[{index}]: ");
            let said = stub.get("match").map(said).unwrap_or_default();
            let replies = match (stub.get("replay"), stub.get("sequence").and_then(Value::as_array))
            {
                (Some(one), None) => vec![one],
                (None, Some(many)) => many.iter().filter_map(|reply| reply.get("replay")).collect(),
                _ => return Err(error(&place, "it has no `replay`")),
            };
            let tapes: Result<Vec<Tape>, CassetteError> = replies
                .into_iter()
                .map(|tape| {
                    serde_json::from_value(tape.clone())
                        .map_err(|wrong| error(&place, &format!("`replay`: {wrong}")))
                })
                .collect();
            recorded.push((said, tapes?));
        }
        Ok(Self { recorded })
    }
}

fn stub(said: &Said, tapes: &[Tape]) -> Value {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), name(said).into());
    fields.insert("match".to_owned(), Value::Object(conditions(said)));
    match tapes {
        [tape] => fields.insert("replay".to_owned(), json!(tape)),
        tapes => {
            let replies: Vec<Value> = tapes.iter().map(|tape| json!({ "replay": tape })).collect();
            fields.insert("sequence".to_owned(), replies.into())
        }
    };
    Value::Object(fields)
}

/// A few words of what was asked, for people.
fn name(said: &Said) -> String {
    const LETTERS_MAX: usize = 40;
    let mut name = format!("{} {}", said.method, said.path);
    if let Some(text) = said.user.as_ref().or(said.tool_result.as_ref()) {
        let start: String = text.chars().take(LETTERS_MAX).collect();
        let more = if text.chars().nth(LETTERS_MAX).is_some() { "…" } else { "" };
        name.push_str(&format!(": {start}{more}"));
    }
    name
}

fn conditions(said: &Said) -> Map<String, Value> {
    let texts = [
        ("model", &said.model),
        ("user_equals", &said.user),
        ("tool_result_equals", &said.tool_result),
    ];
    let mut conditions = Map::new();
    conditions.insert("method".to_owned(), said.method.clone().into());
    conditions.insert("route".to_owned(), said.path.clone().into());
    for (name, text) in texts {
        if let Some(text) = text {
            conditions.insert(name.to_owned(), text.clone().into());
        }
    }
    if let Some(inputs) = &said.inputs {
        conditions.insert("body".to_owned(), json!({ "input": inputs }));
    }
    if let Some(stream) = said.stream {
        conditions.insert("stream".to_owned(), stream.into());
    }
    conditions
}

fn said(conditions: &Value) -> Said {
    let text = |name| conditions.get(name).and_then(Value::as_str).map(str::to_owned);
    Said {
        method: text("method").unwrap_or_default(),
        path: text("route").unwrap_or_default(),
        model: text("model"),
        user: text("user_equals"),
        tool_result: text("tool_result_equals"),
        inputs: conditions
            .pointer("/body/input")
            .and_then(|inputs| serde_json::from_value(inputs.clone()).ok()),
        stream: conditions.get("stream").and_then(Value::as_bool),
    }
}
