//! `gate`: sends a message on by conditions.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::ops::Range;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::asking::{
    ANSWER_BYTES_READ, beginning, excerpt, failure, folded, name_violations, server, written_by,
};
use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn};
use crate::testkit::nodes::config::{RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::expression::{Expression, MESSAGE_NAMES, Scope};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::MessageMetadata;
use crate::testkit::nodes::ollama::{Generate, Ollama, Options};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::violation::{Rule, Violation};
use crate::testkit::shown::cut;

/// Tokens of a verdict, at most: a name, and thinking before it.
const TOKENS_MAX: u64 = 512;
/// Words that turn what they stand beside into its opposite, or put it under a condition.
const NEGATIONS: [&str; 24] = [
    "not",
    "no",
    "never",
    "cannot",
    "neither",
    "nor",
    "none",
    "nothing",
    "nobody",
    "nowhere",
    "without",
    "hardly",
    "barely",
    "scarcely",
    "unlikely",
    "unable",
    "fails",
    "failed",
    "false",
    "wrong",
    "incorrect",
    "if",
    "unless",
    "until",
];
/// Verbs that a model may write `n't` after, and forget the apostrophe.
const VERBS: [&str; 18] = [
    "ai", "are", "ca", "could", "did", "do", "does", "had", "has", "have", "is", "must", "need",
    "should", "was", "were", "wo", "would",
];
const FAILED: &str = "LLM gate evaluation failed";

/// Sends a message on by conditions; the message itself stays as it is.
///
/// Mode `expression` takes the first condition whose [`Expression`] holds. One that cannot be
/// evaluated does not hold; `condition_errors` says why.
///
/// Mode `llm` asks a model for the name of the condition that fits. In doubt none does: a name counts
/// where it is all of the answer, or where it stands as words of their own in a part of a sentence
/// (up to a comma) that has no negation and no `if`. `unapproved`, `should not be approved`,
/// `neither approved nor rejected`, `not, in my view, approved` and `"approved": false` do not
/// approve, nor does `approved?`. Where the answer has several names, the longest counts if the
/// others are part of it; else none does, and none does in an answer of more than 8 KiB.
///
/// Mode `hybrid` tries the expressions and asks the model only where none holds. `default_target`
/// is for a message that no condition fits. It does not stand in for a verdict: where the model has
/// to be asked and cannot be, because the server fails or the message has no text, the node fails.
/// What the mode needs must be there when the node is made.
#[derive(Debug)]
pub struct Gate {
    settings: Settings,
    conditions: Vec<Condition>,
    /// Whom to ask, in the modes that ask.
    server: Option<Ollama>,
}

#[derive(Debug, Deserialize)]
struct Settings {
    mode: Mode,
    default_target: Option<String>,
    model: String,
    evaluation_prompt: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Expression,
    Llm,
    Hybrid,
}

#[derive(Debug)]
struct Condition {
    name: String,
    /// The name as a list of lower-case words.
    words: Vec<String>,
    expression: Option<Expression>,
    target: String,
}

#[derive(Debug, Deserialize)]
struct Conditions {
    conditions: Vec<WrittenCondition>,
}

#[derive(Debug, Deserialize)]
struct WrittenCondition {
    name: String,
    expression: Option<String>,
    target: String,
}

static CONDITION: Shape = Shape {
    name: "gate condition",
    extra: Extra::Refused,
    fields: &[
        Field::required("name", Kind::Length(1, usize::MAX)),
        Field::optional("expression", Kind::Text),
        Field::required("target", Kind::Identifier),
    ],
};

static SHAPE: Shape = Shape {
    name: "gate configuration",
    extra: Extra::Refused,
    fields: &[
        TIMEOUT_MS,
        RETRY_COUNT,
        RETRY_DELAY_MS,
        Field::default(
            "mode",
            Kind::Choice(&["expression", "llm", "hybrid"]),
            Literal::Text("expression"),
        ),
        Field::default("conditions", Kind::List(0, &Kind::Object(&CONDITION)), Literal::EmptyList),
        Field::optional("default_target", Kind::Identifier),
        Field::default("model", Kind::Length(1, usize::MAX), Literal::Text("qwen2.5:0.5b")),
        Field::optional("evaluation_prompt", Kind::Text),
    ],
};

impl Behavior for Gate {
    const SHAPE: &'static Shape = &SHAPE;

    fn new(config: &Value, environment: &Environment) -> Result<Self, Vec<Violation>> {
        let settings: Settings = settings::read(config)?;
        let Conditions { conditions: written } = settings::read(config)?;
        let mut found =
            name_violations("conditions", written.iter().map(|condition| condition.name.as_str()));
        if written.is_empty()
            && (settings.mode != Mode::Expression || settings.default_target.is_none())
        {
            let message = match settings.mode {
                Mode::Expression => "a gate needs `conditions`, or a `default_target` at the least",
                Mode::Llm | Mode::Hybrid => "No conditions defined for LLM gate",
            };
            found.push(Violation::new(Rule::MissingCompanion, "conditions", message));
        }
        let mut conditions = Vec::new();
        for (at, WrittenCondition { name, expression, target }) in written.into_iter().enumerate() {
            let at = format!("conditions.{at}.expression");
            let expression = match expression {
                Some(text) => match Expression::parse(&text, MESSAGE_NAMES) {
                    Ok(expression) => Some(expression),
                    Err(violation) => {
                        found.push(violation.below(&at));
                        None
                    }
                },
                None if settings.mode == Mode::Expression => {
                    let message = format!("`{}` needs an expression in this mode", cut(&name));
                    found.push(Violation::new(Rule::MissingCompanion, at, message));
                    None
                }
                None => None,
            };
            conditions.push(Condition { words: words(&name), name, expression, target });
        }
        if !found.is_empty() {
            return Err(found);
        }
        let server = match settings.mode {
            Mode::Expression => None,
            Mode::Llm | Mode::Hybrid => Some(server(environment)?),
        };
        Ok(Self { settings, conditions, server })
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let mut facts = Map::new();
        let mut why = "No gate condition matched".to_owned();
        let mut found = None;
        let mut written = None;
        if self.settings.mode != Mode::Llm {
            found = self.by_expression(turn, &mut facts).map(|condition| (condition, "expression"));
        }
        if let (None, Some(server)) = (found, &self.server) {
            let (reply, metadata) = self.ask(server, turn).await?;
            facts.insert("raw_response".to_owned(), beginning(&reply).into());
            found = self.named_in(&reply).map(|condition| (condition, "llm"));
            why = format!("LLM response didn't match any condition: {}", excerpt(&reply));
            written = Some(metadata);
        }
        let (name, target, method) = match (found, &self.settings.default_target) {
            (Some((condition, method)), _) => {
                if let Some(expression) = condition.expression.as_ref().filter(|_| method != "llm")
                {
                    facts.insert("expression".to_owned(), expression.source().into());
                }
                (condition.name.as_str(), condition.target.as_str(), method)
            }
            (None, Some(target)) => ("default", target.as_str(), "default"),
            (None, None) => {
                let result = NodeResult { metadata: facts, ..NodeResult::default() };
                return Err(Failure::lasting(why).with(result));
            }
        };
        let mut answer = turn.answer().target(target);
        if let Some(metadata) = written {
            answer = answer.metadata(metadata);
        }
        let result = NodeResult { metadata: facts, ..NodeResult::said(answer.build()) };
        Ok(result.fact("matched_condition", name).fact("method", method).next([target]))
    }
}

impl Gate {
    /// The first condition whose expression holds; what could not be evaluated goes to `facts`.
    fn by_expression(&self, turn: &Turn<'_>, facts: &mut Map<String, Value>) -> Option<&Condition> {
        let scope = Scope::of(turn.message, turn.context);
        let mut errors = Map::new();
        let found = self.conditions.iter().find(|condition| {
            let holds = condition.expression.as_ref().map(|expression| expression.holds(&scope));
            match holds {
                Some(Ok(holds)) => holds,
                Some(Err(error)) => {
                    errors.insert(condition.name.clone(), error.reason.into());
                    false
                }
                None => false,
            }
        });
        if !errors.is_empty() {
            facts.insert("condition_errors".to_owned(), errors.into());
        }
        found
    }

    async fn ask(
        &self,
        server: &Ollama,
        turn: &Turn<'_>,
    ) -> Result<(String, MessageMetadata), Failure> {
        let payload = &turn.message.payload;
        let judged = payload.content.as_deref().or(payload.task.as_deref()).unwrap_or_default();
        if judged.is_empty() {
            let why = "the message has neither a content nor a task to judge";
            return Err(Failure::lasting(format!("{FAILED}: {why}")));
        }
        let model = &self.settings.model;
        let request = Generate {
            model: model.clone(),
            prompt: format!("Evaluate this content:\n{judged}"),
            system: Some(self.told()),
            options: Options { temperature: Some(0.0), num_predict: Some(TOKENS_MAX) },
            ..Generate::default()
        };
        let reply = server.generate(&request).await;
        let reply = reply.map_err(|error| failure(FAILED, &error))?;
        let metadata = written_by(model, &reply);
        Ok((reply.text, metadata))
    }

    /// What the model is told: the task, and the names that it can answer with.
    fn told(&self) -> String {
        let task = self.settings.evaluation_prompt.as_deref();
        let mut text = task.unwrap_or("You judge content.").to_owned();
        text.push_str("\nAnswer with the name of the condition that fits, and nothing else:\n");
        for Condition { name, expression, .. } in &self.conditions {
            let _ = write!(text, "- {name}");
            if let Some(expression) = expression {
                let _ = write!(text, ": {expression}");
            }
            text.push('\n');
        }
        text
    }

    /// The condition that an answer names.
    fn named_in(&self, reply: &str) -> Option<&Condition> {
        if reply.len() > ANSWER_BYTES_READ {
            return None;
        }
        let plain = folded(reply);
        let whole = self.conditions.iter().find(|condition| folded(&condition.name) == plain);
        if whole.is_some() {
            return whole;
        }
        let named = self.stated_in(reply);
        let length = |(condition, _): &&(&Condition, Range<usize>)| condition.words.len();
        let (longest, _) = named.iter().max_by_key(length)?;
        let is_longest = |condition: &Condition| condition.name == longest.name;
        let others_are_parts =
            named.iter().filter(|(other, _)| !is_longest(other)).all(|(_, at)| {
                let around = |place: &Range<usize>| place.start <= at.start && at.end <= place.end;
                named.iter().any(|(condition, place)| is_longest(condition) && around(place))
            });
        others_are_parts.then_some(*longest)
    }

    /// The names that an answer states, and where: none of those that it denies or asks for.
    fn stated_in(&self, reply: &str) -> Vec<(&Condition, Range<usize>)> {
        let mut stated = Vec::new();
        let mut begin = 0;
        for sentence in cut_after(reply, &['.', '!', '?', ';', '\n']) {
            let is_question = sentence.trim_end().ends_with('?');
            let mut denied = is_question;
            for part in cut_after(sentence, &[',']) {
                let said = words(part);
                let negations = said.iter().filter(|word| negates(word)).count();
                let mut has_name = false;
                for condition in &self.conditions {
                    for place in places(&condition.words, &said) {
                        has_name = true;
                        // A name may have a negation of its own.
                        let own = condition.words.iter().filter(|word| negates(word)).count();
                        if !denied && negations == own {
                            let place = begin + place.start..begin + place.end;
                            stated.push((condition, place));
                        }
                    }
                }
                // "Not, in my view, approved": what denies nothing yet denies what follows.
                let is_no = said.iter().map(String::as_str).eq(["no"]);
                let denies = denied || (negations > 0 && !is_no);
                denied = is_question || (denies && !has_name);
                begin += said.len();
            }
        }
        stated
    }
}

/// The parts of a text, each up to one of these signs before a space, or before the end.
fn cut_after<'t>(text: &'t str, signs: &[char]) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let is_last = letters.peek().is_none_or(|(_, next)| next.is_whitespace());
        if signs.contains(&letter) && (is_last || letter == '\n') {
            let end = at + letter.len_utf8();
            parts.extend(text.get(start..end));
            start = end;
        }
    }
    parts.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    parts
}

/// Where a name stands among words.
fn places(name: &[String], said: &[String]) -> Vec<Range<usize>> {
    let windows = said.windows(name.len().max(1)).enumerate();
    let found = windows.filter(|(_, window)| *window == name);
    found.map(|(at, window)| at..at + window.len()).collect()
}

/// Whether a word takes back what it stands beside: `not`, `can't`, `cant`, `unless`.
fn negates(word: &str) -> bool {
    let verb = word.strip_suffix("n't").or_else(|| {
        let verb = word.strip_suffix("nt")?;
        VERBS.contains(&verb).then_some(verb)
    });
    verb.is_some() || NEGATIONS.contains(&word)
}

/// The words of a text, in lower case. What holds them together within one stays: `not_approved`
/// is one word, and so is `isn't`.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .replace(['’', '‘', '`'], "'")
        .split(|letter: char| !(letter.is_alphanumeric() || "_-'".contains(letter)))
        .map(|word| word.trim_matches(['\'', '-', '_']).to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}
