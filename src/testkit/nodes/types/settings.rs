//! How a type reads its settings.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::testkit::nodes::violation::{Rule, Violation};

/// Settings as a type keeps them; the shape has checked them before.
pub(super) fn read<T: DeserializeOwned>(config: &Value) -> Result<T, Vec<Violation>> {
    serde_json::from_value(config.clone())
        .map_err(|error| vec![Violation::new(Rule::WrongType, "", error.to_string())])
}
