//! Verification for tools in any language.

use serde_json::{Value, json};

use super::input::{Fields, whole, wrong_kind};
use super::{Answer, Call, Problem};
use crate::testkit::mock_server::stub::Stub;
use crate::testkit::mock_server::verify::{
    Count, Expect, Expectation, VerifyError, verify as check,
};

const KNOWN: [&str; 7] = ["match", "times", "at_least", "at_most", "never", "once", "in_order"];

/// 200 where the requests are those expected, else 422 with what differs.
pub(super) fn verify(call: &Call<'_>) -> Result<Answer, Problem> {
    let mut fields = call.body()?.fields(&KNOWN)?;
    let expectation = match fields.given("in_order") {
        None => Expectation::from(read(fields, "")?),
        Some(_) if !fields.0.is_empty() => {
            return Err(Problem::wrong(
                "`in_order` stands alone; each of its steps has its own `match` and `times`",
            ));
        }
        Some(Value::Array(steps)) => Expectation::InOrder(read_steps(steps)?),
        Some(other) => return Err(wrong_kind("in_order", &other, "a list of steps")),
    };
    let (entries, models, dropped) = {
        let state = call.namespace.state();
        (state.journal.snapshot(), state.models.clone(), state.journal.dropped())
    };
    match check(&expectation, &entries, dropped, &models) {
        Ok(counted) => {
            let requests: Vec<u64> = counted.iter().map(|entry| entry.index).collect();
            Answer::ok(json!({
                "verified": true,
                "count": requests.len(),
                "requests": requests,
                "dropped": dropped,
            }))
        }
        Err(error) => Err(failed(&error)),
    }
}

fn failed(error: &VerifyError) -> Problem {
    Problem {
        status: 422,
        error: error.to_string(),
        details: vec![
            ("verified", json!(false)),
            ("count", json!(error.counted.len())),
            ("requests", json!(error.counted)),
            ("near_misses", json!(error.near_misses)),
            ("dropped", json!(error.dropped)),
        ],
    }
}

fn read_steps(steps: Vec<Value>) -> Result<Vec<Expect>, Problem> {
    steps
        .into_iter()
        .enumerate()
        .map(|(at, step)| {
            let place = format!("in_order[{at}].");
            let Value::Object(fields) = step else {
                return Err(wrong_kind(&format!("in_order[{at}]"), &step, "an object"));
            };
            read(Fields(fields).known(&KNOWN[..6])?, &place)
        })
        .collect()
}

fn read(mut fields: Fields, place: &str) -> Result<Expect, Problem> {
    let pattern = match fields.given("match") {
        None => Stub::any(),
        Some(conditions @ Value::Object(_)) => {
            Stub::from_json(&json!({ "match": conditions, "auto": true }))
                .map_err(|error| Problem::wrong(format!("{place}{error}")))?
        }
        Some(other) => return Err(wrong_kind(&format!("{place}match"), &other, "an object")),
    };
    Ok(Expect::that(pattern).count(read_count(&mut fields, place)?))
}

/// `times` alone, or the least and the most; at least once where nothing is said.
fn read_count(fields: &mut Fields, place: &str) -> Result<Count, Problem> {
    let exactly = |times| Count { least: times, most: Some(times) };
    let mut counts = Vec::new();
    if fields.flag("never")? == Some(true) {
        counts.push(exactly(0));
    }
    if fields.flag("once")? == Some(true) {
        counts.push(exactly(1));
    }
    if let Some(times) = fields.given("times") {
        counts.push(match times {
            Value::Object(limits) => read_limits(&mut Fields(limits).known(&KNOWN[2..4])?, place)?
                .unwrap_or(Count { least: 1, most: None }),
            times => exactly(whole(&times).ok_or_else(|| {
                wrong_kind(&format!("{place}times"), &times, "a whole number from 0")
            })?),
        });
    }
    counts.extend(read_limits(fields, place)?);
    match counts.as_slice() {
        [] => Ok(Count { least: 1, most: None }),
        [count] => Ok(*count),
        _ => Err(Problem::wrong(format!(
            "{place}`times`, `at_least` with `at_most`, `once` and `never` say the same; send one"
        ))),
    }
}

fn read_limits(fields: &mut Fields, place: &str) -> Result<Option<Count>, Problem> {
    let (least, most) = (fields.number("at_least")?, fields.number("at_most")?);
    match (least, most) {
        (None, None) => Ok(None),
        (Some(least), Some(most)) if least > most => Err(Problem::wrong(format!(
            "{place}`at_least` is {least} and `at_most` is {most}, which no number is"
        ))),
        (least, most) => Ok(Some(Count { least: least.unwrap_or(0), most })),
    }
}
