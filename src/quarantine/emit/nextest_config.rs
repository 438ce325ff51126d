//! cargo-nextest, run but seldom failing: a tool's configuration with retries for the list.
//!
//! nextest has no way to let a failed test pass. What it has is retries for some tests: they keep
//! running, the report keeps each attempt, and the run fails only where all of them fail. A
//! tool's configuration ranks below the repository's own, and needs an absolute path. Measured on
//! cargo-nextest 0.9.143; `flaky-result` is known since 0.9.131, earlier versions warn of it.

use super::nextest::expression;
use super::request::{Purpose, Request};
use super::{Emitted, Format};

pub(super) const FORMAT: Format = Format {
    name: "nextest-config",
    aliases: &[],
    summary: "a configuration for cargo-nextest that retries the listed tests",
    usage: "cargo nextest run --tool-config-file \"flakedb:$PWD/FILE\"",
    producers: &["cargo-nextest"],
    emit,
    only: None,
};

/// A test that fails in one of three runs fails all of five attempts in one of 243.
const RETRIES: u32 = 4;

fn emit(request: &Request<'_>) -> Emitted {
    let request = request.with(Purpose::Excuse);
    let mut emitted = Emitted::default();
    let Some((listed, _)) = expression(&request, &mut emitted.notes) else {
        return emitted;
    };
    // A literal string has no escapes; what it cannot hold is written as nextest's own escape.
    let listed = listed.replace('\'', "\\u{27}");
    emitted.text = format!(
        "# Written by `flakedb quarantine --emit nextest-config`.\n\
         [[profile.default.overrides]]\n\
         filter = '{listed}'\n\
         retries = {RETRIES}\n\
         flaky-result = \"pass\"\n"
    );
    emitted
}
