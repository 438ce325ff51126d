//! The server's time, where it is virtual.

use std::time::Duration;

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::input::wrong_kind;
use super::{Answer, Call, Problem};
use crate::testkit::mock_server::timing::SPAN_MAX;

pub(super) fn show(call: &Call<'_>) -> Result<Answer, Problem> {
    Answer::ok(shown(call))
}

fn shown(call: &Call<'_>) -> Value {
    let clock = call.world.clock();
    json!({
        "now": clock.now().to_rfc3339_opts(SecondsFormat::Micros, true),
        "virtual": clock.is_virtual(),
    })
}

pub(super) fn advance(call: &Call<'_>) -> Result<Answer, Problem> {
    let mut fields = call.body()?.fields(&["advance_ms"])?;
    let value = fields.given("advance_ms").ok_or_else(|| {
        Problem::wrong("`advance_ms` is missing: the milliseconds to move the clock on by")
    })?;
    let span = value
        .as_f64()
        .and_then(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0).ok())
        .filter(|span| *span <= SPAN_MAX)
        .ok_or_else(|| {
            let most = format!("a number of milliseconds from 0 to {}", SPAN_MAX.as_millis());
            wrong_kind("advance_ms", &value, &most)
        })?;
    let clock = call.world.clock();
    if !clock.is_virtual() {
        return Err(Problem {
            status: 409,
            error: "the server goes by the machine's clock, which nobody moves; start it with a \
                    virtual one (`Clock::virtual_from`)"
                .to_owned(),
            details: Vec::new(),
        });
    }
    clock.advance(span);
    Answer::ok(shown(call))
}
