use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::testkit::nodes::{ExecutionContext, Message, Payload};

fn message() -> Message {
    let payload = json!({
        "content": "Refund ünder way",
        "structured": {"score": 7, "tags": ["a", "b"], "nested": {"deep": [{"ok": true}]}},
        "route": "code",
        "confidence": 0.75,
        "metadata": {"routes": ["math", "code"], "retries": 2},
    });
    let payload: Payload = serde_json::from_value(payload).unwrap();
    Message::new("trace-1", "user", payload)
}

fn scope() -> Scope {
    let mut context = ExecutionContext::new("trace-1", "graph");
    context.variables.insert("limit".to_owned(), json!(5));
    Scope::of(&message(), &context)
}

fn evaluate(source: &str) -> Result<Value, String> {
    let expression = Expression::parse(source, MESSAGE_NAMES).map_err(|found| found.message)?;
    expression.evaluate(&scope()).map_err(|error| error.to_string())
}

#[test]
fn expressions_come_to_what_python_would_make_of_them() {
    for (source, expected) in [
        ("len(content)", json!(16)),
        ("len(content) > 0 and 'Refund' in content", json!(true)),
        ("'refund' in content.lower()", json!(true)),
        ("'refund' in content", json!(false)),
        ("'refund' not in content", json!(true)),
        ("content|upper", json!("REFUND ÜNDER WAY")),
        ("content.startswith('Ref') and content.strip().endswith('way')", json!(true)),
        ("task == ''", json!(true)),
        ("structured.score >= variables.limit", json!(true)),
        ("structured['score'] * 2 + 1", json!(15)),
        ("structured.nested.deep[0].ok", json!(true)),
        ("structured.get('none', 3)", json!(3)),
        ("structured.get('none')", json!(null)),
        ("structured.none is defined and structured.none > 1", json!(false)),
        ("structured.none is not defined", json!(true)),
        ("route == 'code' and 'math' in routes and len(routes) == 2", json!(true)),
        ("compound_route is none", json!(true)),
        ("0.5 < confidence < 1", json!(true)),
        ("any([0, '', 3]) and not all([1, 0])", json!(true)),
        ("min(3, 1, 2)", json!(1)),
        ("max([3, 1, 2])", json!(3)),
        ("int('42') + int(2.9) + int(true)", json!(45)),
        ("float('1.5')", json!(1.5)),
        ("str(12) + 'a'", json!("12a")),
        ("bool('') or bool('x')", json!(true)),
        ("True and not False", json!(true)),
        ("'yes' if structured.score > 5 else 'no'", json!("yes")),
    ] {
        assert_eq!(evaluate(source), Ok(expected), "{source}");
    }
}

#[test]
fn what_cannot_be_said_is_an_error_and_not_false() {
    let said: Vec<String> = [
        "structured.none > 1",
        "structured.none",
        "structured.none.deeper",
        "len(3)",
        "len(structured.none)",
        "int('4x')",
        "int(1e300)",
        "float('nan')",
        "min([])",
        "any('text')",
        "content.get('a')",
        "content * 100000000",
        "1 / 0",
        "content + 1",
    ]
    .iter()
    .map(|source| match evaluate(source) {
        Ok(value) => format!("{source} IS {value}"),
        Err(error) => error,
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn what_cannot_be_read_is_a_violation_that_says_why() {
    let long = "1 + ".repeat(1_000);
    let deep = format!("{}1{}", "(".repeat(900), ")".repeat(900));
    let said: Vec<String> = [
        "",
        "content >",
        "len(content",
        "contnt == 'a'",
        "unheard_of",
        "__import__('os').system('true')",
        "content.__class__.__mro__()",
        "content|shout",
        "content|lower|shout",
        "content is sparkling",
        "content is not sparkling",
        "content.format(1)",
        "range(9)",
        "[x for x in routes]",
        "lambda: 1",
        "content = 'a'",
        "{{ content }}",
        &long,
        &deep,
    ]
    .iter()
    .map(|source| match Expression::parse(source, MESSAGE_NAMES) {
        Ok(_) => format!("{source} CAN BE READ"),
        Err(found) => {
            assert_eq!(found.rule, Rule::BadExpression);
            found.message
        }
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn words_in_texts_are_no_filters() {
    assert_eq!(evaluate("'a|shout is odd.format(1)' == \"it's|b\""), Ok(json!(false)));
    assert_eq!(evaluate(r"'a\'|shout' == 'x'"), Ok(json!(false)));
}

#[test]
fn other_names_can_be_given() {
    let names = json!({"iteration": 3, "last_success": true});
    let scope = Scope::new(names.as_object().unwrap());
    let expression =
        Expression::parse("iteration >= 3 and last_success", &["iteration", "last_success"]);
    assert_eq!(expression.unwrap().holds(&scope), Ok(true));
    assert!(Expression::parse("content", &["iteration"]).is_err());
}

#[test]
fn work_is_bounded() {
    let big = Value::Array(vec![json!("x".repeat(1_000)); 20_000]);
    let names = Map::from_iter([("big".to_owned(), big)]);
    let expression = Expression::parse("'y' in big|join and 'y' in big|join", &["big"]).unwrap();
    let error = expression.holds(&Scope::new(&names)).unwrap_err();
    assert!(error.reason.contains("fuel"), "{error}");
}

#[test]
fn names_of_routes_are_told_from_expressions() {
    let context = ExecutionContext::new("trace-1", "graph");
    let holds = |text: &str| Condition::parse(text).unwrap().holds(&message(), &context);
    for name in ["code", "CODE", " math ", "code-review", "code.specialist", "default", "größe"] {
        assert!(matches!(Condition::parse(name), Ok(Condition::Route(_))), "{name}");
    }
    for expression in ["content", "structured.score", "true", "not route", "route == 'code'", "1"] {
        let read = Condition::parse(expression);
        assert!(matches!(read, Ok(Condition::Expression(_))), "{expression}");
    }
    assert!(holds("code") && holds("Math") && !holds("general"));
    assert!(holds("structured.score") && holds("true") && !holds("false"));
    assert!(!holds("structured.none"), "what fails does not hold");
    let failing = Condition::parse("structured.none").unwrap();
    assert!(failing.check(&message(), &context).is_err());
    assert!(Condition::parse("").is_err() && Condition::parse("code review").is_err());
    assert_eq!(Condition::parse("confidence > 0.5").unwrap().to_string(), "confidence > 0.5");
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in r#"[-a-z0-9 .'"()\[\]{}|<>=!+*/%,~\\é]{0,60}"#) {
        if let Ok(expression) = Expression::parse(&text, MESSAGE_NAMES) {
            let _ = expression.evaluate(&scope());
        }
        let _ = Condition::parse(&text);
    }

    #[test]
    fn comparisons_agree_with_rust(a in -1_000_i64..1_000, b in -1_000_i64..1_000) {
        let names = json!({"a": a, "b": b});
        let scope = Scope::new(names.as_object().unwrap());
        for (sign, expected) in
            [("<", a < b), ("<=", a <= b), ("==", a == b), ("!=", a != b), (">", a > b)]
        {
            let expression = Expression::parse(&format!("a {sign} b"), &["a", "b"]).unwrap();
            prop_assert_eq!(expression.holds(&scope), Ok(expected));
        }
    }
}

/// Reads, evaluates and drops on a stack of so many KiB.
fn with_stack(kib: usize, source: String) -> bool {
    let run = move || {
        let expression = Expression::parse(&source, MESSAGE_NAMES);
        expression.is_ok_and(|read| {
            let _ = read.evaluate(&scope());
            true
        })
    };
    std::thread::Builder::new().stack_size(kib << 10).spawn(run).unwrap().join().unwrap()
}

#[test]
fn the_deepest_expressions_leave_the_stack_alone() {
    let sources: [fn(usize) -> String; 9] = [
        |n| "-".repeat(n) + "1",
        |n| "not ".repeat(n) + "content",
        |n| "content".to_owned() + &".a".repeat(n),
        |n| "1".to_owned() + &" if 0 else 1".repeat(n),
        |n| "1".to_owned() + &" + 1".repeat(n),
        |n| "1".to_owned() + &" ~ 1".repeat(n),
        |n| "1".to_owned() + &" and 1".repeat(n),
        |n| "content".to_owned() + &"|lower".repeat(n),
        |n| "2".to_owned() + &"**1".repeat(n),
    ];
    for source in sources {
        // All that a text can hold, as near to `CHARS_MAX` as its repetition comes.
        let most = (0..=CHARS_MAX).rev().find(|n| source(*n).chars().count() <= CHARS_MAX).unwrap();
        assert!(!with_stack(512, source(most)), "{}", source(1));
        let allowed = (0..most).rev().find(|n| with_stack(512, source(*n))).unwrap();
        assert!(allowed >= OPERATORS_MAX / 2, "{}: {allowed}", source(1));
    }
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("len(", ")"),
        ("{1: ", "}"),
        ("1 + (- ", ")"),
        ("(------", ")"),
        ("[not not not not not not ", "]"),
    ] {
        let nested = |n: usize| open.repeat(n) + "content" + &close.repeat(n);
        assert!(with_stack(512, nested(BRACKETS_MAX)), "{open}");
        let most = (CHARS_MAX - 7) / (open.len() + close.len());
        assert!(!with_stack(512, nested(most)), "{open}");
    }
}

#[test]
fn errors_show_the_begin_of_what_is_wrong() {
    let names = Map::from_iter([("big".to_owned(), json!("x".repeat(1 << 20)))]);
    for source in ["int(big)", "float(big)"] {
        let expression = Expression::parse(source, &["big"]).unwrap();
        let error = expression.holds(&Scope::new(&names)).unwrap_err();
        assert!(error.reason.len() < 200, "{}", error.reason.len());
    }
    let found = Expression::parse(&"y".repeat(CHARS_MAX), MESSAGE_NAMES).unwrap_err();
    assert!(found.message.len() < 500, "{}", found.message);
}
