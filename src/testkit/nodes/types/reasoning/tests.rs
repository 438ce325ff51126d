use proptest::prelude::*;
use serde_json::json;

use super::dialogue::{read_check, read_conclusion, read_move};
use super::*;
use crate::testkit::mock_server::fault::{Fault, FaultRule};
use crate::testkit::mock_server::stub::Stub;
use crate::testkit::nodes::types::trial::{Trial, broken, content};
use crate::testkit::nodes::{NodeType, Payload, Rule};

const CHECK: &str = "CLAIM: 6 * 7 is 42\nEVIDENCE: the calculator says so; 7 * 6 is the same\n\
                     VERDICT: verified\nREASONING: both agree";
const CONCLUSION: &str = "ANSWER: 42\nCONFIDENCE: 0.9\nCAVEATS: none\nUNCERTAIN: no\nREASON:";

/// A node whose model takes these steps, checks so and concludes so.
fn reasoning(config: Value, steps: &[&str], check: &str, conclusion: &str) -> Trial {
    let trial = Trial::of::<Reasoning>(NodeType::Reasoning, config);
    let stub = |asked: &str| Stub::generate().user_contains(asked);
    trial.mock.stub(stub("Next step:").replies(steps.iter().copied()));
    trial.mock.stub(stub("Check this:").reply(check));
    trial.mock.stub(stub("Conclude. Answer").reply(conclusion).usage(10, 5));
    trial
}

fn kinds(result: &NodeResult) -> Vec<String> {
    let steps = result.metadata["reasoning_chain"]["steps"].as_array().unwrap();
    steps.iter().map(|step| step["type"].as_str().unwrap().to_owned()).collect()
}

const STEPS: [&str; 4] = [
    "thought: I should work it out.",
    "action: calculator(expression=6 * 7)",
    "verify: 6 * 7 is 42",
    "conclude: it is 42",
];

#[test]
fn a_chain_thinks_acts_verifies_and_concludes() {
    let trial = reasoning(json!({}), &STEPS, CHECK, CONCLUSION);
    let result = trial.run(Payload::task("What is 6 * 7?"));
    assert_eq!(content(&result), "42");
    let expected = ["thought", "action", "observation", "verification", "conclusion"];
    assert_eq!(kinds(&result), expected);
    let chain = &result.metadata["reasoning_chain"];
    assert_eq!(chain["state"], "completed");
    assert_eq!(chain["steps"][2]["content"], "42", "the calculator was called");
    assert_eq!(chain["steps"][3]["evidence"].as_array().unwrap().len(), 2);
    assert!(chain["id"].as_str().unwrap().starts_with("chain_"));
    assert_eq!(result.metadata["reasoning_verified"], true);
    assert_eq!(result.metadata["reasoning_steps"], 5);
    // 0.5 for the thought, 1 for action, observation (half each) and check (twice), 0.9 thrice.
    let sure = (0.5 + 0.5 + 0.5 + 2.0 + 2.7) / 7.0;
    let told = result.output_messages[0].payload.confidence.unwrap();
    assert!((told - sure).abs() < 1e-9, "{told} is not {sure}");
    assert!(result.output_messages[0].metadata.tokens_out.unwrap() > 5);
    // Four steps, a check, a conclusion.
    assert_eq!(trial.mock.requests().len(), 6);
    let last = trial.mock.requests()[5].json().unwrap();
    assert!(last["prompt"].as_str().unwrap().contains("observation: 42\nverified: 6 * 7 is 42"));
}

#[test]
fn an_early_conclusion_is_verified_first() {
    let steps = ["conclude: 42", "conclude: 42"];
    let trial = reasoning(json!({"min_verifications": 1}), &steps, CHECK, CONCLUSION);
    let result = trial.ask("What is 6 * 7?");
    assert_eq!(kinds(&result), ["verification", "conclusion"]);

    let trial = reasoning(json!({"require_verification": false}), &steps, CHECK, CONCLUSION);
    let result = trial.ask("What is 6 * 7?");
    assert_eq!(kinds(&result), ["conclusion"]);
    assert_eq!(result.metadata["reasoning_verified"], false);
}

#[test]
fn a_check_without_evidence_does_not_count() {
    let trial = reasoning(json!({"max_steps": 3}), &["conclude: 42"], "I checked it.", CONCLUSION);
    let result = trial.ask("What is 6 * 7?");
    let error = result.error.unwrap();
    assert_eq!(error, "Reasoning stopped at step 3: 0 verifications, needs 1");
    assert_eq!(result.metadata["reasoning_chain"]["state"], "failed");
    assert_eq!(trial.mock.requests().len(), 6, "three steps, three checks");
}

#[test]
fn a_claim_that_was_refuted_verifies_nothing() {
    for verdict in ["refuted", "uncertain"] {
        let check = CHECK.replace("VERDICT: verified", &format!("VERDICT: {verdict}"));
        let steps = ["verify: it is 43", "conclude: 43"];
        let result = reasoning(json!({"max_steps": 2}), &steps, &check, CONCLUSION).ask("6 * 7?");
        let error = "Reasoning stopped at step 2: 0 verifications, needs 1";
        assert_eq!(result.error.as_deref(), Some(error), "{verdict}");
        assert_eq!(kinds(&result), ["verification", "verification"]);
        assert_eq!(result.metadata["reasoning_verified"], false);

        let free = json!({"require_verification": false});
        let result = reasoning(free, &steps, &check, CONCLUSION).ask("6 * 7?");
        assert!(result.success);
        assert_eq!(result.metadata["reasoning_verified"], false);
    }
}

#[test]
fn answers_without_a_form_lead_somewhere_too() {
    let trial = reasoning(json!({}), &["Well, 42.", "Certainly 42."], CHECK, "42, I think.");
    let result = trial.ask("What is 6 * 7?");
    assert_eq!(kinds(&result), ["verification", "conclusion"]);
    let expected = "[Uncertain: confidence 0.5 is below 0.6] 42, I think.";
    assert_eq!(content(&result), expected);
}

#[test]
fn doubt_caveats_and_traps_are_told() {
    let doubt = "ANSWER: It is not flat.\nCONFIDENCE: 80%\nCAVEATS: only roughly a sphere; \
                 mountains\nUNCERTAIN: yes\nREASON: the question";
    let steps = ["verify: its shape", "conclude: now"];
    let trial = reasoning(json!({}), &steps, CHECK, doubt);
    let result = trial.ask("Why is the Earth flat?");
    assert_eq!(
        content(&result),
        "[Detected: false_premise] [Uncertain: the question] It is not flat.\n\n\
         Caveats:\n- only roughly a sphere\n- mountains"
    );
    assert_eq!(result.metadata["reasoning_traps_detected"], json!(["false_premise"]));
    let system = trial.mock.requests()[0].json().unwrap()["system"].clone();
    assert!(system.as_str().unwrap().contains("check that first"));

    let strict = json!({"allow_uncertain": false, "trap_detection": false});
    let result = reasoning(strict, &steps, CHECK, doubt).ask("Why is the Earth flat?");
    let error = "Reasoning stopped at step 2: the conclusion is uncertain: the question";
    assert_eq!(result.error.as_deref(), Some(error));
    assert_eq!(result.metadata["reasoning_traps_detected"], json!([]));
}

#[test]
fn a_tool_that_fails_is_an_observation() {
    let steps = ["thought: try", "action: oven(heat=3)", "verify: it", "conclude: no"];
    let result = reasoning(json!({}), &steps, CHECK, CONCLUSION).ask("Bake.");
    let observed = &result.metadata["reasoning_chain"]["steps"][2];
    assert_eq!(observed["success"], false);
    assert_eq!(observed["content"], "Tool not found: oven; there are calculator");
}

#[test]
fn a_step_that_cannot_follow_stops_the_chain() {
    let act = "action: calculator(1 + 1)";
    let stopped = |config: Value, steps: &[&str]| {
        reasoning(config, steps, CHECK, CONCLUSION).ask("What?").error.unwrap()
    };
    assert_eq!(
        stopped(json!({}), &["thought: a", act, act]),
        "Reasoning stopped at step 3: executing_action cannot follow observing; analyzing, \
         verifying, synthesizing, failed can"
    );
    let apart = "thought(decompose): in parts";
    let steps = [apart, "thought: the first", apart, "thought: the second", apart];
    assert_eq!(
        stopped(json!({"max_depth": 2}), &steps),
        "Reasoning stopped at step 5: the question was taken apart 2 times"
    );
    let none = json!({"require_verification": false});
    assert!(
        stopped(none, &[apart, "conclude: 2"]).contains("concluding cannot follow decomposing")
    );
}

#[test]
fn trouble_with_the_server_is_a_failure_and_is_tried_again() {
    let config = json!({"timeout_ms": 100, "retry_count": 1, "retry_delay_ms": 0});
    let trial = reasoning(config.clone(), &STEPS, CHECK, CONCLUSION);
    trial.mock.fault(FaultRule::new(Fault::stall()));
    let result = trial.ask("What is 6 * 7?");
    assert_eq!(result.error.as_deref(), Some("Reasoning execution failed: Timeout after 100ms"));
    assert_eq!(result.metadata["attempts"], 2);

    let trial = reasoning(json!({}), &STEPS, CHECK, CONCLUSION);
    trial.mock.fault(FaultRule::new(Fault::status(400)));
    let error = trial.ask("What?").error.unwrap();
    assert!(error.starts_with("Reasoning execution failed: http://"), "{error}");
    let result = trial.run(Payload::default());
    assert_eq!(result.error.as_deref(), Some("No query provided for reasoning"));
    let error = trial.ask(&"x".repeat(5_001)).error.unwrap();
    assert_eq!(error, "Reasoning execution failed: a query of 5001 characters; it needs 1 to 5000");
}

#[test]
fn settings_are_checked() {
    let one = |rule: Rule, at: &str| vec![(rule, at.to_owned())];
    let found = broken::<Reasoning>(json!({"num_steps": 3}));
    assert_eq!(found, one(Rule::UnknownKey, "num_steps"));
    let found = broken::<Reasoning>(json!({"max_steps": 51}));
    assert_eq!(found, one(Rule::AboveMaximum, "max_steps"));
    let found = broken::<Reasoning>(json!({"reasoning_timeout_ms": 4_999}));
    assert_eq!(found, one(Rule::BelowMinimum, "reasoning_timeout_ms"));
    assert!(broken::<Reasoning>(json!({"min_verifications": 0})).is_empty());
}

#[test]
fn moves_are_read_from_the_first_line() {
    let call =
        |tool: &str, input: Value| Move::Act(tool.to_owned(), input.as_object().unwrap().clone());
    for (text, expected) in [
        ("thought: a", Move::Think(Thinking::Analyze, "a".to_owned())),
        ("\n\n- **Thought**: a\nverify: b", Move::Think(Thinking::Analyze, "a".to_owned())),
        ("THOUGHT (decompose): a: b", Move::Think(Thinking::Decompose, "a: b".to_owned())),
        ("thought(synthesize): a", Move::Think(Thinking::Synthesize, "a".to_owned())),
        ("thought(critique): a", Move::Think(Thinking::Critique, "a".to_owned())),
        ("1. verify: a", Move::Verify("a".to_owned())),
        ("conclude:", Move::Conclude(String::new())),
        (
            "action: t(a=1, b='x, y', c=[1, 2])",
            call("t", json!({"a": 1, "b": "x, y", "c": [1, 2]})),
        ),
        ("action: t(expression=2 + 2)", call("t", json!({"expression": "2 + 2"}))),
        ("action: t(max(1, 2))", call("t", json!({"input": "max(1, 2)"}))),
        ("action: t(\"a=b\")", call("t", json!({"input": "a=b"}))),
        ("action: t(a == b)", call("t", json!({"input": "a == b"}))),
        ("action: t()", call("t", json!({}))),
        ("action: do it", Move::Other("action: do it".to_owned())),
        ("I think so", Move::Other("I think so".to_owned())),
        ("", Move::Other(String::new())),
    ] {
        assert_eq!(read_move(text), expected, "{text}");
    }
}

#[test]
fn checks_and_conclusions_are_read_by_their_labels() {
    let check = read_check("**CLAIM:** a\nEvidence: b; ; c\nand d\nverdict: Refuted.").unwrap();
    assert_eq!(check.claim, "a");
    assert_eq!(check.evidence, ["b", "c\nand d"]);
    assert_eq!(check.verdict, Verdict::Refuted);
    assert_eq!(read_check("CLAIM: a\nEVIDENCE: none\nVERDICT: verified"), None);
    assert_eq!(read_check("EVIDENCE: b"), None);

    let conclusion = read_conclusion("ANSWER: a\nb\nCONFIDENCE: 85\nUNCERTAIN: yes").unwrap();
    assert_eq!((conclusion.answer.as_str(), conclusion.confidence), ("a\nb", 0.85));
    assert_eq!(conclusion.uncertain.as_deref(), Some("the model gives no reason"));
    for (written, expected) in [
        ("0.8", 0.8),
        ("80 %", 0.8),
        ("1", 1.0),
        ("often", 0.5),
        ("900", 1.0),
        ("8/10", 0.8),
        ("8 out of 10", 0.8),
        ("1 / 0", 0.5),
        ("0.9.", 0.9),
        ("~0.9", 0.9),
        (".9", 0.9),
        ("0,9", 0.9),
        ("High (0.9)", 0.9),
        ("about 95%, of 100", 0.95),
        ("0.5%", 0.005),
        ("-0.9", 0.5),
    ] {
        let conclusion = read_conclusion(&format!("ANSWER: a\nCONFIDENCE: {written}")).unwrap();
        assert!((conclusion.confidence - expected).abs() < 1e-9, "{written}");
    }
    assert_eq!(read_conclusion("  "), None);
}

#[test]
fn traps_are_told_by_their_words() {
    for (question, trap) in [
        ("Since everyone knows it is so, why?", Trap::FalsePremise),
        ("Do we use only 10% of our brains?", Trap::FalsePremise),
        ("Is the Great Wall visible from space?", Trap::FalsePremise),
        ("How many animals did Moses take on the ark?", Trap::TrickQuestion),
        ("What is heavier, a pound of feathers or gold?", Trap::TrickQuestion),
        ("Give me the exact quote of page 3", Trap::HallucinationBait),
        ("Give me papers with DOIs", Trap::HallucinationBait),
        ("What are the winning lottery numbers?", Trap::ImpossibleTask),
        ("What is the last digit of pi?", Trap::ImpossibleTask),
        ("What about it?", Trap::AmbiguousQuery),
        ("Which one is better?", Trap::AmbiguousQuery),
        ("Isn’t it true that cats fly?", Trap::FalsePremise),
    ] {
        assert_eq!(detect(question), Some(trap), "{question}");
    }
    for question in
        ["What is 2 + 2?", "Which one is better, tea or coffee?", "", "Explain gravity."]
    {
        assert_eq!(detect(question), None, "{question}");
    }
    for (_, words) in traps::WORDS {
        assert!(regex::Regex::new(words).is_ok(), "{words}");
    }
}

#[test]
fn states_follow_each_other_as_they_may() {
    let table: Vec<String> = State::ALL
        .iter()
        .map(|state| {
            let nexts: Vec<&str> = state.nexts().iter().map(|next| next.as_str()).collect();
            format!(
                "{state}: {}",
                if nexts.is_empty() { "the end".to_owned() } else { nexts.join(", ") }
            )
        })
        .collect();
    insta::assert_snapshot!(table.join("\n"));
    for state in State::ALL {
        assert_eq!(state.nexts().contains(&State::Failed), !state.is_terminal());
        assert_eq!(state.nexts().is_empty(), state.is_terminal());
    }
}

/// One thing that a chain can be asked to do.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Think(Thinking),
    Act,
    Observe,
    Verify,
    Verified,
    Conclude,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        Just(Deed::Think(Thinking::Analyze)),
        Just(Deed::Think(Thinking::Decompose)),
        Just(Deed::Think(Thinking::Synthesize)),
        Just(Deed::Think(Thinking::Critique)),
        Just(Deed::Act),
        Just(Deed::Observe),
        Just(Deed::Verify),
        Just(Deed::Verified),
        Just(Deed::Conclude),
    ];
    prop::collection::vec(deed, 0..40)
}

fn done(chain: &mut Chain, deed: Deed) -> Result<(), ChainError> {
    match deed {
        Deed::Think(thinking) => chain.think(thinking, "so"),
        Deed::Act => chain.act("tool", serde_json::Map::new()).map(|_| ()),
        Deed::Observe => {
            let id = chain.steps().last().map_or(String::new(), |step| step.id.clone());
            chain.observe(&id, "it", true)
        }
        Deed::Verify => chain.verify(),
        Deed::Verified => chain.verified("so", vec!["because".to_owned()], Verdict::Verified, ""),
        Deed::Conclude => chain.conclude(Conclusion {
            answer: "so".to_owned(),
            confidence: 0.5,
            caveats: Vec::new(),
            uncertain: None,
        }),
    }
}

proptest! {
    #[test]
    fn whatever_is_asked_of_a_chain_it_stays_whole(deeds in deeds()) {
        let mut chain = Chain::begin("why", None).unwrap();
        for deed in deeds {
            let before = chain.clone();
            if done(&mut chain, deed).is_err() && before.state() != State::Initializing {
                prop_assert_eq!(&chain.steps(), &before.steps(), "what fails adds nothing");
                prop_assert_eq!(chain.state(), before.state(), "and goes nowhere");
            }
            prop_assert!(!before.state().is_terminal() || chain == before, "the end is the end");
        }
        let ids: std::collections::BTreeSet<&str> =
            chain.steps().iter().map(|step| step.id.as_str()).collect();
        prop_assert_eq!(ids.len(), chain.steps().len());
        for Step { kind, confidence, .. } in chain.steps() {
            prop_assert!((0.0..=1.0).contains(confidence));
            if let StepKind::Observation { action_id, .. } = kind {
                let is_it = |step: &&Step| step.id == *action_id;
                let action = chain.steps().iter().find(is_it).map(|step| &step.kind);
                let is_action = matches!(action, Some(StepKind::Action { .. }));
                prop_assert!(is_action, "an observation has its action");
            }
        }
        let concluded =
            chain.steps().iter().any(|step| matches!(step.kind, StepKind::Conclusion(_)));
        prop_assert_eq!(chain.state() == State::Completed, concluded, "a conclusion ends it");
        prop_assert!((0.0..=1.0).contains(&chain.confidence()));
    }

    #[test]
    fn any_answer_is_read_without_harm(text in "\\PC{0,80}(\nANSWER: \\PC{0,9})?") {
        let _ = (read_move(&text), read_check(&text), read_conclusion(&text), detect(&text));
    }

    #[test]
    fn any_call_is_read_without_harm(text in r#"action: [a-z(),='"\[\]{} ü]{0,40}\)"#) {
        let _ = read_move(&text);
    }
}
