//! The members of a request, read.

use serde_json::{Map, Value};

/// A request's members under the names of the real server's struct; what is not there, or was
/// `null`, has Go's zero value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::testkit::mock_server) struct Fields(
    pub(in crate::testkit::mock_server) Map<String, Value>,
);

impl Fields {
    /// The members of a nested struct; none where the value is no object.
    pub(in crate::testkit::mock_server) fn of(value: &Value) -> Self {
        Self(value.as_object().cloned().unwrap_or_default())
    }

    /// All members, by name.
    pub(in crate::testkit::mock_server) fn into_members(self) -> Map<String, Value> {
        self.0
    }

    /// A member, where it is there.
    pub(in crate::testkit::mock_server) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A text; empty where it is not there.
    pub(in crate::testkit::mock_server) fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A flag; `None` where it is not there.
    pub(in crate::testkit::mock_server) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    /// A whole number; 0 where it is not there.
    pub(in crate::testkit::mock_server) fn whole(&self, name: &str) -> i64 {
        self.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    /// A list; empty where it is not there.
    pub(in crate::testkit::mock_server) fn list(&self, name: &str) -> &[Value] {
        self.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A map; empty where it is not there.
    pub(in crate::testkit::mock_server) fn map(&self, name: &str) -> Map<String, Value> {
        self.get(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }
}
