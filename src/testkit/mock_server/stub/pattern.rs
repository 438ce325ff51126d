//! A stub's conditions without its answers: what verification looks for in the journal.

use super::condition::Seen;
use super::{Facts, Stub};

impl Stub {
    /// How a request differs from what the stub matches: for each condition that fails how near it
    /// came (0 to 1), and the difference in words. Empty where all hold. States, priorities and
    /// answers make no difference.
    pub(crate) fn differences(&self, facts: &Facts<'_>) -> Vec<(f64, String)> {
        let seen = Seen { exchange: facts.exchange, route: facts.route, asked: facts.asked };
        self.conditions
            .iter()
            .filter(|condition| !condition.holds(&seen))
            .map(|condition| condition.difference(&seen))
            .collect()
    }

    /// Its conditions, for people: `with {"route":"chat"}`, or nothing where there are none.
    pub(crate) fn describe(&self) -> String {
        match super::read_condition::write(&self.conditions) {
            conditions if conditions.is_empty() => "of any kind".to_owned(),
            conditions => format!("with {}", serde_json::Value::Object(conditions)),
        }
    }
}
