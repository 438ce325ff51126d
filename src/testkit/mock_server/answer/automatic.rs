//! `--auto`: answers made from what the request itself says an answer is.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::{default, schema, words};
use crate::testkit::mock_server::ask::{Ask, Format, Tool};
use crate::testkit::mock_server::reply::{Reply, ToolCall};

/// A word of a tool's name says as much as so many of its description.
const NAME_WEIGHT: usize = 3;

/// `--auto`: a call of one of the request's `tools`, or an instance of its `format`; after a tool's
/// result, a text that uses it. `None` where the request has neither tools nor a format.
pub(crate) fn automatic(ask: &Ask) -> Option<Reply> {
    let question = ask.last_user();
    let thinking = ask.thinks.then(|| default::thinking(question));
    let reply = Reply { thinking, ..Reply::default() };
    let result = ask.tool_result();
    if let Some(tool) = fitting_tool(&ask.tools, question).filter(|_| result.is_none()) {
        return Some(Reply { tool_calls: vec![call(tool, question)], ..reply });
    }
    let text = match (&ask.format, result) {
        (Format::Schema(schema), Some(result)) => {
            let said = format!("{question}\n{}", result.content);
            schema::instance(schema, &said).to_string()
        }
        (Format::Schema(schema), None) => schema::instance(schema, question).to_string(),
        (Format::Json, _) => default::object(question),
        (Format::None, Some(result)) => default::from_result(result),
        (Format::None, None) => return None,
    };
    Some(Reply { text, ..reply })
}

/// A valid call of a tool, its arguments from the question where they can be.
fn call(tool: &Tool, question: &str) -> ToolCall {
    let arguments = match schema::instance(&tool.parameters, question) {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    };
    ToolCall { name: tool.name.clone(), arguments, id: None }
}

/// The tool with the most words in the question; of equals, the first.
fn fitting_tool<'a>(tools: &'a [Tool], question: &str) -> Option<&'a Tool> {
    let said = words::of(question);
    let count = |words: Vec<String>| {
        let mut words = words;
        words.sort();
        words.dedup();
        words.iter().filter(|word| !words::is_stop(word) && speaks_of(&said, word)).count()
    };
    tools.iter().min_by_key(|tool| {
        let in_name = count(words::of_name(&tool.name));
        Reverse(in_name * NAME_WEIGHT + count(words::of(&tool.description)))
    })
}

/// Whether a word is said, be it in the plural.
fn speaks_of(said: &[String], word: &str) -> bool {
    let stem = |word: &str| word.strip_suffix('s').unwrap_or(word).to_owned();
    said.iter().any(|other| stem(other) == stem(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testkit::mock_server::ask::Message;

    fn message(role: &str, content: &str) -> Message {
        Message { role: role.to_owned(), content: content.to_owned(), ..Message::default() }
    }

    fn tool(name: &str, description: &str, parameters: Value) -> Tool {
        Tool { name: name.to_owned(), description: description.to_owned(), parameters }
    }

    fn ask(question: &str) -> Ask {
        let numbers = json!({
            "type": "object",
            "required": ["a", "b"],
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        });
        let weather = json!({
            "type": "object",
            "required": ["location", "unit"],
            "properties": {
                "location": {"type": "string", "description": "The city"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
        });
        Ask {
            messages: vec![message("user", question)],
            tools: vec![
                tool("add_two_numbers", "Add two numbers", numbers),
                tool("get_weather", "Get the current weather for a location", weather),
            ],
            ..Ask::default()
        }
    }

    fn called(question: &str) -> Value {
        let reply = automatic(&ask(question)).unwrap();
        assert_eq!(reply.tool_calls.len(), 1);
        json!({ reply.tool_calls[0].name.clone(): reply.tool_calls[0].arguments })
    }

    #[test]
    fn the_tool_that_the_question_speaks_of_is_called() {
        assert_eq!(
            called("What is the weather in New York in fahrenheit?"),
            json!({"get_weather": {"location": "New York", "unit": "fahrenheit"}})
        );
        assert_eq!(
            called("Add the numbers 3 and 14"),
            json!({"add_two_numbers": {"a": 3, "b": 14}})
        );
        assert_eq!(called("Hello"), json!({"add_two_numbers": {"a": 1, "b": 1}}));
    }

    #[test]
    fn a_result_is_used_and_no_tool_called_again() {
        let mut asked = ask("What is the weather in Rome?");
        asked.messages.push(message("assistant", ""));
        asked.messages.push(message("tool", "31 degrees"));
        let reply = automatic(&asked).unwrap();
        assert!(reply.tool_calls.is_empty());
        assert_eq!(reply.text, "According to the tool: 31 degrees");
        asked.messages.push(message("user", "And the weather in Oslo?"));
        assert_eq!(automatic(&asked).unwrap().tool_calls.len(), 1);
    }

    #[test]
    fn a_format_shapes_the_answer() {
        let schema = json!({
            "type": "object",
            "required": ["name", "age"],
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        });
        let asked = Ask {
            tools: Vec::new(),
            format: Format::Schema(schema),
            ..ask("Ada is 36 years old.")
        };
        assert_eq!(automatic(&asked).unwrap().text, r#"{"name":"Ada","age":36}"#);
        let nothing = Ask { tools: Vec::new(), ..ask("Hello") };
        assert_eq!(automatic(&nothing), None);
    }
}
