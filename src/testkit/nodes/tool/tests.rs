use proptest::prelude::*;
use serde_json::{Value, json};

use super::arithmetic::{Number, evaluate};
use super::*;

fn call(tool: &dyn Tool, input: &Value) -> ToolOutcome {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(tool.call(input.as_object().unwrap()))
}

#[test]
fn sums_come_out_right() {
    for (text, expected) in [
        ("2+2", json!(4)),
        ("(2 + 3) * 4", json!(20)),
        ("2 + 3 * 4 - 5", json!(9)),
        ("7 / 2", json!(3.5)),
        ("6 / 2", json!(3)),
        ("7 // 2", json!(3)),
        ("-7 // 2", json!(-4)),
        ("-7 % 3", json!(2)),
        ("7.5 % 2", json!(1.5)),
        ("2 ^ 10", json!(1024)),
        ("2 ** 3 ** 2", json!(512)),
        ("-2 ^ 2", json!(-4)),
        ("2 ^ -1", json!(0.5)),
        ("2 * -3", json!(-6)),
        ("--3", json!(3)),
        ("1e3", json!(1000)),
        ("1.5e-1", json!(0.15)),
        ("2e", json!(null)),
        ("0.1 + 0.2", json!(0.3)),
        ("1 / 3", json!(0.333333333333333)),
        ("9007199254740993 + 0", json!(9_007_199_254_740_993_i64)),
        ("18446744073709551615", json!(u64::MAX)),
        ("sqrt(16) + abs(-2)", json!(6)),
        ("max(1, 5, 3) - min(4, 2)", json!(3)),
        ("max(9007199254740993, 9007199254740992)", json!(9_007_199_254_740_993_i64)),
        ("max(9007199254740992, 9007199254740993)", json!(9_007_199_254_740_993_i64)),
        ("min(9007199254740993, 9007199254740992)", json!(9_007_199_254_740_992_i64)),
        ("max(9007199254740993, 0.5, 1e300 * 0)", json!(9_007_199_254_740_993_i64)),
        ("min(-3, -3.5) + max(3, 3.5, pi)", json!(0)),
        ("round(2.5) + floor(-2.5) + ceil(2.1)", json!(3)),
        ("cos(0) + sin(0)", json!(1)),
        ("ln(e)", json!(1)),
        ("PI * 0", json!(0)),
        ("round(PI * 100)", json!(314)),
        ("6 × 7 ÷ 2 − 1", json!(20)),
    ] {
        let value = evaluate(text).map_or(Value::Null, Number::to_json);
        assert_eq!(value, expected, "{text}");
    }
}

#[test]
fn what_cannot_be_worked_out_says_why() {
    let deep = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    let said: Vec<String> = [
        "",
        "2 +",
        "2 2",
        "(1",
        "1)",
        "1 / 0",
        "5 % 0",
        "5 // 0.0",
        "sqrt(-1)",
        "ln(0)",
        "10 ^ 400",
        "1.2.3",
        ".",
        "é + 1",
        "what is 2 + 2?",
        "sqrt 4",
        "sqrt(1, 2)",
        "import('os')",
        &deep,
        &"-".repeat(3_000),
        &"1+".repeat(3_000),
    ]
    .iter()
    .map(|text| {
        let shown: String = text.chars().take(20).collect();
        match evaluate(text) {
            Ok(value) => format!("{shown} IS {value:?}"),
            Err(error) => format!("{shown}: {error}"),
        }
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn the_calculator_takes_an_expression_or_the_input() {
    assert_eq!(call(&Calculator, &json!({"expression": "6 * 7"})), Ok(json!(42)));
    assert_eq!(call(&Calculator, &json!({"input": "6 * 7"})), Ok(json!(42)));
    assert_eq!(call(&Calculator, &json!({"input": 42})), Ok(json!(42)));
    let needed = Err("needs `expression`, a text like \"2 + 2\"".to_owned());
    assert_eq!(call(&Calculator, &json!({})), needed);
    assert_eq!(call(&Calculator, &json!({"expression": ["2"]})), needed);
    assert_eq!(call(&Calculator, &json!({"input": "1/0"})), Err("division by zero".to_owned()));
}

#[test]
fn tools_are_registered_once_and_switched_on_and_off() {
    let mut tools = ToolRegistry::built_in();
    let again = tools.register(Calculator);
    assert_eq!(again, Err(ToolError::AlreadyRegistered("calculator".to_owned())));
    assert!(tools.get("calculator").is_ok());

    tools.disable("calculator").unwrap();
    let said = |tools: &ToolRegistry, id: &str| tools.get(id).err().map(|error| error.to_string());
    assert_eq!(said(&tools, "calculator"), Some("Tool is disabled: calculator".to_owned()));
    let clone = tools.clone();
    tools.enable("calculator").unwrap();
    assert_eq!(said(&tools, "calculator"), None);
    assert!(said(&clone, "calculator").is_some(), "a clone is switched apart");

    let unknown = "Tool not found: calculater; did you mean calculator?";
    assert_eq!(said(&tools, "calculater").as_deref(), Some(unknown));
    let unknown = "Tool not found: oven; there are calculator";
    assert_eq!(said(&tools, "oven").as_deref(), Some(unknown));
    assert_eq!(tools.disable("oven").unwrap_err().to_string(), unknown);
    let none = "Tool not found: oven; there are none";
    assert_eq!(said(&ToolRegistry::new(), "oven").as_deref(), Some(none));
}

proptest! {
    #[test]
    fn whole_sums_agree_with_rust(a in any::<i32>(), b in any::<i32>(), c in 1_i32..1_000) {
        let (a, b, c) = (i128::from(a), i128::from(b), i128::from(c));
        let value = evaluate(&format!("{a} * ({b} - {c}) // {c} + {a} % {c}"));
        let expected = (a * (b - c)).div_euclid(c) + a.rem_euclid(c);
        prop_assert_eq!(value, Ok(Number::Whole(expected)));
    }

    #[test]
    fn any_text_is_worked_out_without_harm(text in "[-0-9+*/^%(). a-zé,]{0,80}") {
        if let Ok(Number::Real(value)) = evaluate(&text) {
            prop_assert!(value.is_finite());
        }
    }
}
