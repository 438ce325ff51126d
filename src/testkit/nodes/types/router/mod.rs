//! `router`: sends a message on by what a model says it is about.

mod labels;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};

use super::asking::{
    beginning, excerpt, failure, folded, name_violations, prompt, server, written_by,
};
use super::settings;
use crate::testkit::nodes::behavior::{Behavior, Failure, Turn};
use crate::testkit::nodes::config::{RETRY_COUNT, RETRY_DELAY_MS, TIMEOUT_MS};
use crate::testkit::nodes::field::{Extra, Field, Kind, Literal, Shape};
use crate::testkit::nodes::message::Child;
use crate::testkit::nodes::ollama::{Generate, Ollama, Options, Reply};
use crate::testkit::nodes::registry::Environment;
use crate::testkit::nodes::result::NodeResult;
use crate::testkit::nodes::violation::{Rule, Violation};
use crate::testkit::shown::cut;
use labels::Labels;

/// Tokens of a classification, at most: a few names, and thinking before them.
const TOKENS_MAX: u64 = 512;
const FAILED: &str = "Routing failed";

/// Sends a message on by what a model says it is about.
///
/// The model is asked `Classify this request:` and the task, else the content. The first line of
/// its answer is compared with the names of the routes, letters and digits alone, whatever their
/// case; so a name may have spaces, dots and hyphens. Where none fits, `default_route` is taken: a
/// node, or the name of a route.
///
/// With `multi_label` the answer may name several routes, or domains of theirs: as a JSON array,
/// with commas, or one a line; names that no route has are left out and told in `unknown_labels`.
/// An answer is read up to 8 KiB. A compound route wins whose domains are all among them, the one with the most domains first. Else
/// with `fanout_enabled` every target gets a message; else the route of the highest priority does.
///
/// With a `confidence_threshold` above 0 the server is asked how likely each token of its answer
/// was; an answer less likely in the mean counts as none.
#[derive(Debug)]
pub struct Router {
    settings: Settings,
    system: String,
    server: Ollama,
}

#[derive(Debug, Deserialize)]
struct Settings {
    model: String,
    prompt_id: Option<String>,
    routes: Vec<Route>,
    default_route: Option<String>,
    confidence_threshold: f64,
    multi_label: bool,
    compound_routes: Vec<Compound>,
    fanout_enabled: bool,
    max_labels: usize,
}

#[derive(Debug, Deserialize)]
struct Route {
    name: String,
    description: String,
    target: String,
    priority: i64,
    domains: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Compound {
    domains: Vec<String>,
    target: String,
    priority: i64,
}

const PRIORITY: Field =
    Field::default("priority", Kind::Integer(i64::MIN, i64::MAX), Literal::Integer(0));
const NAME: Kind = Kind::Length(1, usize::MAX);

static ROUTE: Shape = Shape {
    name: "route",
    extra: Extra::Refused,
    fields: &[
        Field::required("name", NAME),
        Field::default("description", Kind::Text, Literal::Text("")),
        Field::required("target", Kind::Identifier),
        PRIORITY,
        Field::default("domains", Kind::List(0, &NAME), Literal::EmptyList),
    ],
};

static COMPOUND_ROUTE: Shape = Shape {
    name: "compound route",
    extra: Extra::Refused,
    fields: &[
        Field::required("domains", Kind::List(1, &NAME)),
        Field::required("target", Kind::Identifier),
        PRIORITY,
    ],
};

static SHAPE: Shape = Shape {
    name: "router configuration",
    extra: Extra::Refused,
    fields: &[
        TIMEOUT_MS,
        RETRY_COUNT,
        RETRY_DELAY_MS,
        Field::default("model", NAME, Literal::Text("qwen2.5:0.5b")),
        Field::optional("prompt_id", Kind::Text),
        Field::required("routes", Kind::List(1, &Kind::Object(&ROUTE))),
        Field::optional("default_route", NAME),
        Field::default("confidence_threshold", Kind::Number(0.0, 1.0), Literal::Number(0.0)),
        Field::default("multi_label", Kind::Boolean, Literal::Boolean(false)),
        Field::default(
            "compound_routes",
            Kind::List(0, &Kind::Object(&COMPOUND_ROUTE)),
            Literal::EmptyList,
        ),
        Field::default("fanout_enabled", Kind::Boolean, Literal::Boolean(false)),
        Field::default("max_labels", Kind::Integer(1, 5), Literal::Integer(3)),
    ],
};

impl Behavior for Router {
    const SHAPE: &'static Shape = &SHAPE;

    fn new(config: &Value, environment: &Environment) -> Result<Self, Vec<Violation>> {
        let settings: Settings = settings::read(config)?;
        let written = prompt(settings.prompt_id.as_deref(), environment)?;
        let found = violations(&settings);
        if !found.is_empty() {
            return Err(found);
        }
        let system = written.unwrap_or_else(|| told(&settings));
        Ok(Self { system, server: server(environment)?, settings })
    }

    async fn perform(&self, turn: &Turn<'_>) -> Result<NodeResult, Failure> {
        let question = turn.message.payload.question();
        if question.is_empty() {
            let why = "the message has neither a task nor a content to classify";
            return Err(Failure::lasting(format!("{FAILED}: {why}")));
        }
        let reply = self.ask(question).await?;
        let confidence = self.confidence(&reply)?;
        let sure = confidence.is_none_or(|sure| sure >= self.settings.confidence_threshold);
        let said = Said { turn, reply: &reply, confidence, settings: &self.settings };
        let outcome = match (sure, self.settings.multi_label) {
            (false, _) => said.by_default(&format!(
                "the model's confidence {:.3} is below {}",
                confidence.unwrap_or_default(),
                self.settings.confidence_threshold
            )),
            (true, true) => said.by_labels(),
            (true, false) => said.by_first_line(),
        };
        outcome.map(|result| result.fact("raw_response", beginning(&reply.text)))
    }
}

impl Router {
    async fn ask(&self, question: &str) -> Result<Reply, Failure> {
        let request = Generate {
            model: self.settings.model.clone(),
            prompt: format!("Classify this request:\n{question}"),
            system: Some(self.system.clone()),
            options: Options { temperature: Some(0.0), num_predict: Some(TOKENS_MAX) },
            logprobs: self.settings.confidence_threshold > 0.0,
            ..Generate::default()
        };
        self.server.generate(&request).await.map_err(|error| failure(FAILED, &error))
    }

    /// How sure the model is, where that matters.
    fn confidence(&self, reply: &Reply) -> Result<Option<f64>, Failure> {
        if self.settings.confidence_threshold <= 0.0 {
            return Ok(None);
        }
        match reply.confidence() {
            Some(confidence) => Ok(Some(confidence)),
            None => Err(Failure::lasting(format!(
                "{FAILED}: {} does not say how likely its tokens are, which \
                 `confidence_threshold` needs (Ollama 0.12.11 and later do)",
                self.server.url()
            ))),
        }
    }
}

/// What is wrong beyond fields and ranges.
fn violations(settings: &Settings) -> Vec<Violation> {
    let Settings { routes, multi_label, compound_routes, fanout_enabled, .. } = settings;
    let mut found = name_violations("routes", routes.iter().map(|route| route.name.as_str()));
    for (key, set) in
        [("compound_routes", !compound_routes.is_empty()), ("fanout_enabled", *fanout_enabled)]
    {
        if set && !multi_label {
            let message = format!("`{key}` needs `multi_label`: true");
            found.push(Violation::new(Rule::MissingCompanion, "multi_label", message));
        }
    }
    let known: BTreeSet<String> = routes
        .iter()
        .flat_map(|route| route.domains.iter().chain([&route.name]))
        .map(|name| folded(name))
        .collect();
    for (at, compound) in compound_routes.iter().enumerate() {
        for (place, domain) in compound.domains.iter().enumerate() {
            if !known.contains(&folded(domain)) {
                let message = format!("`{}` is neither a route nor a domain of one", cut(domain));
                let at = format!("compound_routes.{at}.domains.{place}");
                found.push(Violation::new(Rule::Contradiction, at, message));
            }
        }
    }
    found
}

/// What the model is told where no prompt is.
fn told(settings: &Settings) -> String {
    let wanted = match settings.multi_label {
        true => format!(
            "Answer with the names of those that fit, {} at most, with commas between them, and \
             nothing else.",
            settings.max_labels
        ),
        false => "Answer with the name of the one that fits best, and nothing else.".to_owned(),
    };
    let mut text = format!("You classify requests. {wanted}\n");
    for Route { name, description, domains, .. } in &settings.routes {
        let _ = write!(text, "- {name}");
        if !description.is_empty() {
            let _ = write!(text, ": {description}");
        }
        if !domains.is_empty() {
            let _ = write!(text, " ({})", domains.join(", "));
        }
        text.push('\n');
    }
    text
}

/// What the model said, and what it is compared with.
struct Said<'a> {
    turn: &'a Turn<'a>,
    reply: &'a Reply,
    confidence: Option<f64>,
    settings: &'a Settings,
}

impl Said<'_> {
    fn by_first_line(&self) -> Result<NodeResult, Failure> {
        let line = beginning(&self.reply.text).lines().find(|line| !line.trim().is_empty());
        let said = folded(line.unwrap_or_default());
        match self.settings.routes.iter().find(|route| folded(&route.name) == said) {
            Some(route) => Ok(self.to_route(route)),
            None => {
                let shown = excerpt(line.unwrap_or_default());
                self.by_default(&format!("No matching route found for: {shown}"))
            }
        }
    }

    fn by_labels(&self) -> Result<NodeResult, Failure> {
        let Settings { routes, compound_routes, fanout_enabled, max_labels, .. } = self.settings;
        let labels = Labels::read(&self.reply.text, routes, *max_labels);
        let names: Vec<&str> = labels.routes.iter().map(|route| route.name.as_str()).collect();
        let Some(best) = labels.best() else {
            return self.by_default("No labels matched from multi-label classification");
        };
        let result = if let Some(compound) = labels.compound(compound_routes) {
            let joined = compound.domains.join("+");
            let message = self.answer(&joined).fact("compound_route", joined.as_str());
            let message = message.fact("routes", json!(names)).target(&compound.target).build();
            NodeResult::said(message)
                .fact("compound_route", joined)
                .fact("route_target", compound.target.as_str())
                .next([&compound.target])
        } else if *fanout_enabled {
            self.to_all(&labels.routes, &names)
        } else {
            let message = self.answer(&best.name).fact("routes", json!(names)).target(&best.target);
            NodeResult::said(message.build())
                .fact("route", best.name.as_str())
                .fact("route_target", best.target.as_str())
                .next([&best.target])
        };
        let result = result.fact("routes", json!(names));
        Ok(match labels.unknown.is_empty() {
            true => result,
            false => result.fact("unknown_labels", json!(labels.unknown)),
        })
    }

    /// A message for each target, once.
    fn to_all(&self, routes: &[&Route], names: &[&str]) -> NodeResult {
        let mut targets: Vec<&str> = Vec::new();
        let mut messages = Vec::new();
        for route in routes {
            if targets.contains(&route.target.as_str()) {
                continue;
            }
            let message = self.answer(&route.name).fact("routes", json!(names));
            let message = message.fact("fanout_branch", targets.len()).target(&route.target);
            messages.push(message.build());
            targets.push(&route.target);
        }
        NodeResult { success: true, output_messages: messages, ..NodeResult::default() }
            .fact("route_targets", json!(targets))
            .next(targets)
    }

    fn to_route(&self, route: &Route) -> NodeResult {
        NodeResult::said(self.answer(&route.name).target(&route.target).build())
            .fact("route", route.name.as_str())
            .fact("route_target", route.target.as_str())
            .next([&route.target])
    }

    /// The default route, or the failure that there is none.
    fn by_default(&self, why: &str) -> Result<NodeResult, Failure> {
        let Some(default) = &self.settings.default_route else {
            let result = NodeResult::default().fact("raw_response", beginning(&self.reply.text));
            return Err(Failure::lasting(why).with(result));
        };
        let named = self.settings.routes.iter().find(|route| route.name == *default);
        let (name, target) = named.map_or(("default", default.as_str()), |route| {
            (route.name.as_str(), route.target.as_str())
        });
        let mut message = self.answer(name).target(target);
        if self.settings.multi_label {
            message = message.fact("routes", json!([name]));
        }
        let result = NodeResult::said(message.build())
            .fact("route", name)
            .fact("route_target", target)
            .fact("why_default", why)
            .next([target]);
        Ok(match self.settings.multi_label {
            true => result.fact("routes", json!([name])),
            false => result,
        })
    }

    /// The message going on, with the route that it was given.
    fn answer(&self, route: &str) -> Child {
        let mut payload = self.turn.message.payload.clone();
        payload.route = Some(route.to_owned());
        payload.confidence = self.confidence.or(payload.confidence);
        self.turn
            .answer()
            .payload(payload)
            .fact("route", route)
            .metadata(written_by(&self.settings.model, self.reply))
    }
}
