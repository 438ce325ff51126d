//! The flags that ask a question: each is one question, answered on a screen of its own.

use crate::ops::question::{Moment, Question, QuestionError};

use super::failure::Failure;
use super::window::parse_time;

/// What to ask.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Questions")]
#[group(id = "question", multiple = false)]
pub struct QuestionArgs {
    /// Which tests cost most, in red builds and in time
    #[arg(long)]
    costs: bool,
    /// What is new since then: a span (7d, 24h, 2w), a date, or a revision [default: 7d]
    #[arg(long, value_name = "WHEN", num_args = 0..=1, default_missing_value = "7d",
          value_parser = parse_moment)]
    compare: Option<Moment>,
    /// What this revision brought: the first characters of its hash, or what git calls it (HEAD~3)
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    /// Which failures are one and the same cause: those that look alike, tests that fail together
    #[arg(long)]
    clusters: bool,
    /// Who owns the tests that fail, and what they cost
    #[arg(long)]
    owners: bool,
    /// Which tests only fail on one machine, shard, variant, or at one time
    #[arg(long)]
    associations: bool,
    /// Which tests got slower, since when and by how much
    #[arg(long)]
    slower: bool,
    /// What healed: fixed, no longer flaky, recovering
    #[arg(long)]
    healed: bool,
}

impl QuestionArgs {
    /// The question, where there is one.
    #[must_use]
    pub fn asked(&self) -> Option<Question> {
        let questions = [
            self.costs.then_some(Question::Costs),
            self.compare.clone().map(Question::Since),
            self.revision.clone().map(Question::Revision),
            self.clusters.then_some(Question::Clusters),
            self.owners.then_some(Question::Owners),
            self.associations.then_some(Question::Associations),
            self.slower.then_some(Question::Slower),
            self.healed.then_some(Question::Healed),
        ];
        questions.into_iter().flatten().next()
    }
}

/// Reads a span of time, a date or time, or else a revision.
fn parse_moment(text: &str) -> Result<Moment, String> {
    const HOUR: i64 = 3_600_000;
    const UNITS: [(char, i64); 3] = [('h', HOUR), ('d', 24 * HOUR), ('w', 7 * 24 * HOUR)];
    let wrong = || "write a span as 7d, 24h or 2w, a date as 2026-11-22, or a revision".to_owned();
    if let Some((number, millis)) =
        UNITS.iter().find_map(|(unit, millis)| Some((text.strip_suffix(*unit)?, millis)))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        // Longer ones are revisions of digits that end with `d`.
        && number.len() <= SPAN_DIGITS_MAX
    {
        let number: i64 = number.parse().map_err(|_| wrong())?;
        return match number {
            0 => Err(wrong()),
            number => Ok(Moment::Ago { millis: number * millis }),
        };
    }
    if let Ok(time) = parse_time(text) {
        return Ok(Moment::At(time));
    }
    match text.is_empty() || text.contains(char::is_whitespace) {
        true => Err(wrong()),
        false => Ok(Moment::Revision(text.to_owned())),
    }
}

/// Digits of a span: ten thousand days are all of CI's past.
const SPAN_DIGITS_MAX: usize = 4;

impl From<QuestionError> for Failure {
    fn from(error: QuestionError) -> Self {
        match error {
            QuestionError::Judging(error) => error.into(),
            QuestionError::NoRevision { .. } => {
                Self::usage(error).hint("look further back: --runs, --days or --since")
            }
            QuestionError::NoRevisions => {
                Self::usage(error).hint("name it when you ingest: --revision SHA")
            }
            _ => Self::usage(error).hint("type more of it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    #[test]
    fn a_moment_is_a_span_a_date_or_a_revision() {
        let ago = |hours: i64| Ok(Moment::Ago { millis: hours * 3_600_000 });
        let revision = |text: &str| Ok(Moment::Revision(text.to_owned()));
        for (text, wanted) in [
            ("7d", ago(168)),
            ("24h", ago(24)),
            ("2w", ago(336)),
            ("2026-11-08T06:00:00Z", Ok(Moment::At(Timestamp(1_794_117_600_000)))),
            ("1f3a9c0", revision("1f3a9c0")),
            ("1234567d", revision("1234567d")),
            ("v1.2", revision("v1.2")),
        ] {
            assert_eq!(parse_moment(text), wanted, "{text}");
        }
        for wrong in ["", "0d", "last week"] {
            assert!(parse_moment(wrong).is_err(), "{wrong}");
        }
    }
}
