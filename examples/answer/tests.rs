//! The whole testkit at work: a mock server with chaos, generated messages, a node under contract.

use flakedb::testkit::contracts::{Case, NodeFixture, Scenario, Setup};
use flakedb::testkit::generators::{Generate as _, Messages, Source};
use flakedb::testkit::mock_server::fault::{Fault, FaultRule, Preset};
use flakedb::testkit::mock_server::{Builder, MockOllama, stub::Stub, verify::Expect};
use flakedb::testkit::nodes::{Message, Outcome};
use serde_json::json;

use super::*;

/// A model that knows a sum when it sees one, and says the same of everything else.
fn model() -> Builder {
    MockOllama::builder()
        .stub(Stub::generate().reply("Nobody knows."))
        .stub(Stub::generate().user_contains("Classify this request:").reply("talk"))
        .stub(Stub::generate().user_matches("^Classify.*:\nWhat is .*[0-9]").reply("sum"))
}

async fn answer(executor: &Executor, question: &str) -> String {
    let response = executor.respond(&TaskPayload::new(question)).await;
    response.content.unwrap_or_else(|| panic!("{:?}", response.error))
}

#[tokio::test]
async fn sums_are_calculated_and_the_rest_is_asked() {
    let ollama = model().start().unwrap();
    let executor = answers(ollama.url()).unwrap();
    assert_eq!(answer(&executor, "What is 6 * (3 + 4)?").await, "42");
    assert_eq!(answer(&executor, "Why is the sky blue?").await, "Nobody knows.");
    // The calculator did the sum: the model was asked what it is, not how much.
    ollama.verify(Expect::requests().to("/api/generate").times(3)).unwrap();
}

#[tokio::test]
async fn an_overloaded_model_is_asked_again() {
    let busy = FaultRule::new(Fault::status(503)).first(2);
    let ollama = model().fault(busy).start().unwrap();
    assert_eq!(answer(&answers(ollama.url()).unwrap(), "What is 1 + 1?").await, "2");
    ollama.verify(Expect::requests().times(3)).unwrap();
}

#[tokio::test]
async fn a_hundred_questions_at_once_are_answered_as_one_by_one() {
    let ollama = model().seed(7).fault(FaultRule::chaos(Preset::Framing)).start().unwrap();
    let executor = answers(ollama.url()).unwrap();
    let questions = Messages::new().batch(100, &mut Source::seeded(7));
    let walk = |question: Message| async { executor.run(question).await };
    let at_once = futures_util::future::join_all(questions.iter().cloned().map(walk)).await;
    for (question, outcome) in questions.into_iter().zip(&at_once) {
        assert!(outcome.success(), "{:?}", outcome.error());
        assert_eq!(said(&walk(question).await), said(outcome));
    }
    let sums = at_once.iter().filter(|outcome| said(outcome).as_deref() == Some("391")).count();
    assert!((1..100).contains(&sums), "{sums} of 100 messages ask for 17 * 23");
    // Every execution of both rounds was counted, and none twice.
    assert_eq!(executor.stats()["classify"].successful_executions, 200);
}

fn said(outcome: &Outcome) -> Option<String> {
    outcome.answer()?.payload.content.clone()
}

struct ExtractSumFixture;

impl NodeFixture for ExtractSumFixture {
    fn node_type(&self) -> NodeType {
        NodeType::Custom("extract_sum".to_owned())
    }

    fn registry(&self) -> Registry {
        registry("http://127.0.0.1:9".to_owned())
    }

    fn case(&self, scenario: Scenario) -> Setup {
        let asked =
            |content: &str| Setup::Case(Case::default().payload(json!({"content": content})));
        match scenario {
            Scenario::Usual => asked("What is 6 * 7?"),
            Scenario::Failing => asked("Why?"),
            Scenario::Slow | Scenario::Troubled => Setup::impossible("it waits for nothing"),
        }
    }
}

flakedb::node_contract!(extract_sum, ExtractSumFixture);
