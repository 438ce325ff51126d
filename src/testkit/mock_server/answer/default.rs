//! Default replies: useful for the words of the question, the same each time.

use serde_json::json;

use super::{arithmetic, known, schema, tokens, words};
use crate::testkit::mock_server::ask::{Ask, Format, Message};
use crate::testkit::mock_server::reply::Reply;

/// A summary has so many words.
const SUMMARY_WORDS: usize = 16;
/// A subject is named with so many words.
const SUBJECT_WORDS: usize = 8;
/// Default replies have so many tokens at most, instances of schemas apart.
const TOKENS_MAX: usize = 400;
/// Longer texts are not greetings, whatever their first word.
const GREETING_WORDS_MAX: usize = 6;

/// A language to write code in: its names, and a function that adds.
const LANGUAGES: [(&[&str], &str); 8] = [
    (&["rust"], "```rust\nfn add(a: i64, b: i64) -> i64 {\n    a + b\n}\n```"),
    (
        &["typescript", "ts"],
        "```typescript\nfunction add(a: number, b: number): number {\n  return a + b;\n}\n```",
    ),
    (&["javascript", "js", "node"], "```javascript\nfunction add(a, b) {\n  return a + b;\n}\n```"),
    (&["golang"], "```go\nfunc add(a, b int) int {\n\treturn a + b\n}\n```"),
    (&["java"], "```java\nstatic int add(int a, int b) {\n    return a + b;\n}\n```"),
    (&["sql", "query"], "```sql\nSELECT id, name FROM users ORDER BY id;\n```"),
    (&["bash", "shell"], "```bash\nadd() { echo $(($1 + $2)); }\n```"),
    (&["python"], PYTHON),
];
const PYTHON: &str =
    "```python\ndef add(a, b):\n    \"\"\"Return the sum of a and b.\"\"\"\n    return a + b\n```";
const CODE_WORDS: [&str; 6] = ["function", "code", "program", "script", "class", "algorithm"];
const GREETINGS: [&str; 9] =
    ["hi", "hello", "hey", "greetings", "howdy", "hallo", "bonjour", "hola", "morning"];
const SUMMARY_CALLS: [&str; 6] =
    ["summarize", "summarise", "summary", "summarizing", "summarising", "tldr"];
const SAY_CALLS: [&str; 6] = ["say", "repeat", "reply with", "respond with", "answer with", "echo"];

/// Words after what is to be said.
const TAILS: [&str; 3] = [" and nothing else", " and no more", ", nothing else"];
/// Words before what is to be said, in this order.
const FILLERS: [&str; 12] = [
    "after me",
    "exactly",
    "only",
    "just",
    "the single word",
    "a single word",
    "the one word",
    "one word",
    "the word",
    "the text",
    "this",
    ":",
];

/// A reply where no stub has one: useful for its words, the same each time.
pub(crate) fn by_default(ask: &Ask) -> Reply {
    let question = ask.last_user();
    let thinking = ask.thinks.then(|| thinking(question));
    Reply { text: text(ask, question), thinking, ..Reply::default() }
}

/// What is thought before a reply to this question.
pub(super) fn thinking(question: &str) -> String {
    let said = match subject(question) {
        Some(subject) => format!("The user asks about {subject}. I will answer in short."),
        None => "The user did not ask for much. I will answer in short.".to_owned(),
    };
    cut(&said)
}

fn cut(text: &str) -> String {
    tokens::first(text, TOKENS_MAX).to_owned()
}

fn text(ask: &Ask, question: &str) -> String {
    match &ask.format {
        Format::Schema(schema) => return schema::instance(schema, question).to_string(),
        Format::Json => return object(question),
        Format::None => {}
    }
    if let Some(result) = ask.tool_result() {
        return from_result(result);
    }
    if ask.suffix.is_some() {
        return "    return a + b\n".to_owned();
    }
    let words = words::of(question);
    let known = known::answering(&words);
    let text = known
        .filter(|known| known.is_topic())
        .map(|known| known.says.to_owned())
        .or_else(|| sum(question))
        .or_else(|| said(question))
        .or_else(|| summary(question, &words))
        .or_else(|| greeting(question, &words))
        .or_else(|| code(&words))
        .or_else(|| known.map(|known| known.says.to_owned()))
        .or_else(|| known::following(ask, &words).map(str::to_owned))
        .unwrap_or_else(|| echo(question));
    cut(&text)
}

fn sum(question: &str) -> Option<String> {
    arithmetic::find(question).map(|sum| format!("{} = {}", sum.expression, sum.value))
}

/// The object of `format: "json"`.
pub(super) fn object(question: &str) -> String {
    let answer = arithmetic::find(question)
        .map(|sum| sum.value)
        .or_else(|| known::answering(&words::of(question)).map(|known| known.says.to_owned()))
        .unwrap_or_else(|| echo(question));
    json!({ "answer": cut(&answer) }).to_string()
}

/// A text that uses what a tool gave.
pub(super) fn from_result(result: &Message) -> String {
    let content = result.content.trim();
    match (result.tool_name.as_deref().filter(|name| !name.is_empty()), content) {
        (_, "") => "The tool gave no result.".to_owned(),
        (Some(name), content) => cut(&format!("According to {name}: {content}")),
        (None, content) => cut(&format!("According to the tool: {content}")),
    }
}

/// `Reply with the word "pong"`: what is to be said.
fn said(question: &str) -> Option<String> {
    let lower = question.to_lowercase();
    // Lower case can be of another length; then offsets would not fit.
    if lower.len() != question.len() {
        return None;
    }
    let start = SAY_CALLS.iter().filter_map(|call| {
        let begins = lower.trim_start().starts_with(call)
            || lower
                .trim_start()
                .strip_prefix("please ")
                .is_some_and(|rest| rest.starts_with(call));
        let end = lower.find(call)? + call.len();
        let whole = lower[end..].starts_with([' ', ':']);
        (begins && whole).then_some(end)
    });
    let rest = question.get(start.min()?..)?.trim_start_matches([':', ' ']);
    let mut words = rest;
    for filler in FILLERS {
        if let Some(after) = words.get(..filler.len()).filter(|w| w.eq_ignore_ascii_case(filler)) {
            words = words[after.len()..].trim_start_matches([':', ' ']);
        }
    }
    let quoted = words.split_once(['"', '“', '\'', '`']).filter(|(before, _)| before.is_empty());
    let said = match quoted {
        Some((_, after)) => after.split(['"', '”', '\'', '`']).next().unwrap_or(after),
        None => {
            let end = TAILS.iter().filter_map(|tail| words.to_ascii_lowercase().find(tail)).min();
            let words = end.and_then(|end| words.get(..end)).unwrap_or(words);
            words.trim_end_matches(['.', '!', ',', ' ', '\n'])
        }
    };
    (!said.is_empty()).then(|| said.to_owned())
}

fn summary(question: &str, words: &[String]) -> Option<String> {
    words.iter().find(|word| SUMMARY_CALLS.contains(&word.as_str()))?;
    // What comes after the call, where it is set apart; else everything.
    let text = question.split_once([':', '\n']).map_or(question, |(_, rest)| rest).trim();
    let text = if text.is_empty() { question } else { text };
    let sentence = text.split_inclusive(['.', '!', '?', '\n']).next().unwrap_or(text).trim();
    let kept: Vec<&str> = sentence.split_whitespace().take(SUMMARY_WORDS).collect();
    Some(format!("Summary: {}", kept.join(" ")))
}

fn greeting(question: &str, words: &[String]) -> Option<String> {
    const HELLO: &str = "Hello! How can I help you today?";
    let Some(first) = words.first() else {
        return question.trim().is_empty().then(|| HELLO.to_owned());
    };
    if words.len() > GREETING_WORDS_MAX {
        return None;
    }
    if question.to_lowercase().contains("how are you") {
        return Some("I am well, thank you. How can I help you today?".to_owned());
    }
    let greets = |word: &String| GREETINGS.contains(&word.as_str());
    let good = first == "good" && words.get(1).is_some_and(greets);
    (greets(first) || good).then(|| HELLO.to_owned())
}

fn code(words: &[String]) -> Option<String> {
    let has = |wanted: &&str| words.iter().any(|word| word == wanted);
    let language = LANGUAGES.iter().find(|(names, _)| names.iter().any(has));
    match language {
        Some((_, block)) => Some(format!("Here is an example:\n\n{block}")),
        None if CODE_WORDS.iter().any(has) => Some(format!("Here is an example:\n\n{PYTHON}")),
        None => None,
    }
}

fn echo(question: &str) -> String {
    match subject(question) {
        Some(subject) => format!(
            "You asked about {subject}. This is a default answer of the mock server: it is the \
             same each time, and a stub can replace it."
        ),
        None => "This is a default answer of the mock server: it is the same each time, and a \
                 stub can replace it."
            .to_owned(),
    }
}

/// What a question is about: its words that say something, in order, spelt as in the question.
fn subject(question: &str) -> Option<String> {
    let telling: Vec<&str> = question
        .split_whitespace()
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .filter(|word| !words::of(word).iter().all(|word| words::is_stop(word)))
        .take(SUBJECT_WORDS)
        .collect();
    (!telling.is_empty()).then(|| telling.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn ask(question: &str) -> Ask {
        let user =
            Message { role: "user".to_owned(), content: question.to_owned(), ..Message::default() };
        Ask { model: "llama3.2".to_owned(), messages: vec![user], ..Ask::default() }
    }

    fn says(question: &str) -> String {
        by_default(&ask(question)).text
    }

    #[test]
    fn words_of_the_question_choose_the_reply() {
        assert_eq!(says("What is 2+2?"), "2+2 = 4");
        assert_eq!(says("6*7"), "6*7 = 42");
        assert_eq!(says("Hi"), "Hello! How can I help you today?");
        assert_eq!(says(""), "Hello! How can I help you today?");
        assert!(says("Why is the sky blue?").contains("Rayleigh"));
        assert!(says("Write a Rust function").contains("```rust\nfn add"));
        assert!(says("write some code").contains("```python\ndef add"));
        assert_eq!(says("What is the capital of France?"), "The capital of France is Paris.");
        assert_eq!(says("Summarize this: The cat sat. It slept."), "Summary: The cat sat.");
        assert_eq!(says("Say hello"), "hello");
        assert_eq!(says("Reply with exactly: pong."), "pong");
        assert_eq!(says("Please reply with the word \"Ping\" and no more"), "Ping");
    }

    #[test]
    fn single_words_and_other_spellings_are_understood() {
        assert_eq!(says("Respond with the single word OK"), "OK");
        assert_eq!(says("Reply with only the word ready and nothing else."), "ready");
        assert_eq!(says("What is France's capital?"), "The capital of France is Paris.");
        assert!(says("Explain in 3-4 sentences how rainbows form").contains("droplets"));
    }

    #[test]
    fn no_default_reply_is_long() {
        let long = "word ".repeat(5_000);
        let word = "x".repeat(100_000);
        let mut result = ask("weather?");
        result.messages.push(message_of("tool", &long));
        let thinks = Ask { thinks: true, ..ask(&word) };
        let object = Ask { format: Format::Json, ..ask(&word) };
        for asked in [ask(&format!("Say {long}")), ask(&word), result, thinks, object] {
            let reply = by_default(&asked);
            assert!(tokens::count(&reply.text) <= TOKENS_MAX as u64 + 8);
            assert!(tokens::count(&reply.thinking.unwrap_or_default()) <= TOKENS_MAX as u64);
        }
    }

    fn message_of(role: &str, content: &str) -> Message {
        Message { role: role.to_owned(), content: content.to_owned(), ..Message::default() }
    }

    #[test]
    fn only_whole_words_choose() {
        assert!(says("Which decoder fits a barcode?").starts_with("You asked about decoder"));
        assert!(says("Is this high?").starts_with("You asked about high"));
        assert!(says("sayonara my friend").starts_with("You asked about sayonara"));
    }

    #[test]
    fn other_questions_are_echoed() {
        let text = says("How do turtles cross the Atlantic?");
        assert!(text.starts_with("You asked about turtles cross Atlantic."), "{text}");
        assert_eq!(text, says("How do turtles cross the Atlantic?"));
        assert!(says("????").starts_with("This is a default answer"));
    }

    #[test]
    fn json_is_json() {
        let asked = Ask { format: Format::Json, ..ask("What is 2+2?") };
        let value: Value = serde_json::from_str(&by_default(&asked).text).unwrap();
        assert_eq!(value, json!({"answer": "4"}));
    }

    #[test]
    fn results_of_tools_are_used() {
        let mut asked = ask("weather?");
        asked.messages.push(Message {
            role: "tool".to_owned(),
            content: "22 degrees".to_owned(),
            tool_name: Some("get_weather".to_owned()),
            ..Message::default()
        });
        assert_eq!(by_default(&asked).text, "According to get_weather: 22 degrees");
    }

    #[test]
    fn a_thinking_model_thinks_about_the_subject() {
        assert_eq!(by_default(&ask("Tell me of turtles")).thinking, None);
        let asked = Ask { thinks: true, ..ask("Tell me of turtles") };
        let thinking = by_default(&asked).thinking.unwrap();
        assert_eq!(thinking, "The user asks about turtles. I will answer in short.");
    }

    proptest::proptest! {
        #[test]
        fn any_question_has_an_answer(question in "\\PC{0,60}|(say|repeat) \\PC{0,20}") {
            proptest::prop_assert!(!says(&question).is_empty());
        }
    }
}
