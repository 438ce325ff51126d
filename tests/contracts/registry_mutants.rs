//! Registries that break one clause each, and are caught by it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use flakedb::testkit::contracts::{
    Made, RegistryFixture, RegistrySubject, Report, Verdict, clauses, run_registry,
    run_registry_subject,
};
use flakedb::testkit::nodes::config::NODE_CONFIG;
use flakedb::testkit::nodes::field::Shape;
use flakedb::testkit::nodes::types::{Entry, Exit};
use flakedb::testkit::nodes::{
    Behavior, BehaviorNode, Environment, Failure, NodeDefinition, NodeResult, NodeType, Registry,
    Turn, Violation,
};
use serde_json::{Value, json};

use crate::echo::EchoFixture;
use flakedb::testkit::contracts::NodeFixture as _;

fn names() -> [NodeType; 2] {
    ["echo.one", "echo.two"].map(|name| NodeType::Custom(name.to_owned()))
}

fn right() -> Registry {
    let mut registry = EchoFixture::of(names()[0].clone()).registry();
    registry.register(names()[1].clone(), BehaviorNode::<Whisper>::make).unwrap();
    registry
}

/// Another node than the echo.
struct Whisper;

impl Behavior for Whisper {
    const SHAPE: &'static Shape = &NODE_CONFIG;

    fn new(_: &Value, _: &Environment) -> Result<Self, Vec<Violation>> {
        Ok(Self)
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        Ok(NodeResult::said(turn.answer().build()))
    }
}

struct Echoes;

impl RegistryFixture for Echoes {
    fn registry(&self) -> Registry {
        right()
    }

    fn expected(&self) -> Vec<NodeType> {
        names().to_vec()
    }

    fn config(&self, _: &NodeType) -> Value {
        json!({})
    }
}

flakedb::registry_contract!(echoes, Echoes);

/// A registry with one thing wrong.
struct Mutant {
    inner: Registry,
    flaw: &'static str,
    global: Rc<RefCell<BTreeSet<NodeType>>>,
}

impl RegistrySubject for Mutant {
    fn types(&self) -> Vec<NodeType> {
        let mut types = RegistrySubject::types(&self.inner);
        match self.flaw {
            "RC-01" => types.truncate(1),
            "RC-06" => types.reverse(),
            "RC-07" => types.extend(self.global.borrow().iter().cloned()),
            _ => {}
        }
        types
    }

    fn create(&self, definition: &NodeDefinition) -> Result<Made, String> {
        let made = RegistrySubject::create(&self.inner, definition);
        match self.flaw {
            "RC-02" => made.map(|made| Made { node_type: names()[0].clone(), ..made }),
            "RC-03" => made.map(|made| Made { text: "<Node id=x type=echo.one>".into(), ..made }),
            "RC-05" => made.map_err(|_| "KeyError".to_owned()),
            _ => made,
        }
    }

    fn register(&mut self, node_type: NodeType) -> Result<(), String> {
        match self.flaw {
            "RC-04" => {
                RegistrySubject::replace(&mut self.inner, node_type);
                Ok(())
            }
            "RC-07" => {
                self.global.borrow_mut().insert(node_type);
                Ok(())
            }
            _ => RegistrySubject::register(&mut self.inner, node_type),
        }
    }

    fn replace(&mut self, node_type: NodeType) {
        if self.flaw != "RC-08" {
            RegistrySubject::replace(&mut self.inner, node_type);
        }
    }
}

fn judged(flaw: &'static str) -> Report {
    let global = Rc::default();
    let make = || -> Box<dyn RegistrySubject> {
        Box::new(Mutant { inner: right(), flaw, global: Rc::clone(&global) })
    };
    run_registry_subject("mutant", &make, names().to_vec(), &|_| json!({}))
}

#[test]
fn for_every_clause_a_registry_that_breaks_it_is_caught_by_it() {
    let ids: Vec<&str> =
        clauses().map(|clause| clause.id).filter(|id| id.starts_with("RC")).collect();
    assert_eq!(ids.len(), 8);
    for flaw in ids {
        let report = judged(flaw);
        assert!(!report.conforms(), "{flaw}\n{report}");
        assert_eq!(report.judgement(flaw).unwrap().verdict, Verdict::Fail, "{flaw}\n{report}");
    }
    assert!(judged("none").is_complete());
}

#[test]
fn one_implementation_under_two_names_is_found_whatever_it_calls_itself() {
    let make = || -> Box<dyn RegistrySubject> {
        let mut registry = Registry::new(Environment::default());
        registry.register(NodeType::Entry, BehaviorNode::<Entry>::make).unwrap();
        registry.register(NodeType::Exit, BehaviorNode::<Exit>::make).unwrap();
        Registry::replace(&mut registry, NodeType::Exit, BehaviorNode::<Entry>::make);
        Box::new(registry)
    };
    let types = vec![NodeType::Entry, NodeType::Exit];
    let report = run_registry_subject("registry", &make, types, &|_| json!({}));
    let judgement = report.judgement("RC-03").unwrap();
    assert_eq!(judgement.verdict, Verdict::Fail, "{report}");
    let said = &judgement.evidence;
    assert!(said.starts_with("`entry` and `exit` have one implementation"), "{said}");
}

#[test]
fn a_registry_without_types_passes_nothing() {
    let make = || -> Box<dyn RegistrySubject> { Box::new(Registry::default()) };
    let report = run_registry_subject("empty", &make, Vec::new(), &|_| json!({}));
    assert!(!report.is_complete(), "{report}");
    assert_eq!(run_registry(&Echoes).count(Verdict::Pass), 8);
}
