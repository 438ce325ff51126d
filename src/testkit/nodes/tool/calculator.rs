//! The tool that does sums.

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::arithmetic;
use super::{Tool, ToolOutcome};

/// Does sums, see [`arithmetic`]: `{"expression": "2 + 2"}`, or `{"input": "2 + 2"}`, gives 4.
#[derive(Debug, Clone, Copy)]
pub struct Calculator;

#[async_trait]
impl Tool for Calculator {
    fn id(&self) -> &str {
        "calculator"
    }

    fn description(&self) -> &str {
        "Works out an arithmetic expression such as (2 + 3) * 4, sqrt(2) or 10 % 3."
    }

    fn parameters(&self) -> Value {
        json!({
            "type": "object",
            "properties": {"expression": {"type": "string", "description": "What to work out."}},
            "required": ["expression"],
        })
    }

    async fn call(&self, input: &Map<String, Value>) -> ToolOutcome {
        let expression = ["expression", "input"].iter().find_map(|key| input.get(*key));
        match expression {
            Some(Value::String(text)) => match arithmetic::evaluate(text) {
                Ok(number) => Ok(number.to_json()),
                Err(error) => Err(error.to_string()),
            },
            Some(Value::Number(number)) => Ok(Value::Number(number.clone())),
            Some(_) | None => Err("needs `expression`, a text like \"2 + 2\"".to_owned()),
        }
    }
}
