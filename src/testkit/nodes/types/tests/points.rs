use serde_json::json;

use super::{Payload, content, made, refused, run};
use crate::testkit::nodes::{Message, NodeType, Rule};

#[test]
fn an_entry_lets_in_what_has_all_it_must_have() {
    let node = made(NodeType::Entry, json!({"required_fields": ["content", "user", "task"]}));
    let mut message = content("hello");
    message.payload.extra.insert("user".to_owned(), json!(null));
    let result = run(&node, &message, Vec::new());
    assert_eq!(result.error.as_deref(), Some("Missing required fields: user, task"));
    message.payload.extra.insert("user".to_owned(), json!(7));
    message.payload.task = Some("greet".to_owned());
    let result = run(&node, &message, Vec::new());
    assert_eq!(result.output_messages[0].payload, message.payload);
    assert_eq!(result.metadata["validated"], true);
}

#[test]
fn an_exit_says_content_and_data_and_nothing_else() {
    let node = made(NodeType::Exit, json!({}));
    let payload = Payload {
        task: Some("greet".to_owned()),
        content: Some("hello".to_owned()),
        structured: json!({"a": 1}).as_object().cloned(),
        confidence: Some(0.5),
        metadata: json!({"b": 2}).as_object().cloned().unwrap(),
        ..Payload::default()
    };
    let result = run(&node, &Message::new("trace", "user", payload), Vec::new());
    let said = serde_json::to_value(&result.output_messages[0].payload).unwrap();
    assert_eq!(said, json!({"content": "hello", "structured": {"a": 1}, "metadata": {}}));
    assert_eq!(result.metadata["exit_status"], "success");
    assert_eq!(result.next_nodes, Vec::<String>::new());
}

#[test]
fn an_exit_that_is_no_success_says_so_in_its_error_and_still_has_a_message() {
    for status in ["fallback", "error"] {
        let node = made(NodeType::Exit, json!({"status": status}));
        let result = run(&node, &content("sorry"), Vec::new());
        assert_eq!(result.error, Some(format!("Exit with status {status}")));
        assert_eq!(result.output_messages[0].payload.content.as_deref(), Some("sorry"));
        assert_eq!(result.metadata["exit_status"], status);
    }
    assert_eq!(
        refused(NodeType::Exit, json!({"status": "done"})),
        [(Rule::NotAChoice, "status".to_owned())]
    );
    assert_eq!(
        refused(NodeType::Exit, json!({"output_schema": {}})),
        [(Rule::UnknownKey, "output_schema".to_owned())]
    );
}
