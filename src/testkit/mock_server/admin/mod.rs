//! The admin API under `/__admin/`: what tools in any language set, put and read. Everything acts
//! on the namespace of the request. One row of [`ENDPOINTS`] an endpoint.

mod clock;
mod fault;
mod input;
mod models;
mod requests;
mod routes;
mod service;
mod settings;
mod states;
mod stubs;
#[cfg(test)]
mod tests;
mod verification;

use hyper::header::ALLOW;
use serde_json::{Value, json};

use super::exchange::Exchange;
use super::headers::JSON_UTF8;
use super::namespace::Namespace;
use super::script::Script;
use super::surface::decoded;
use super::world::World;
use crate::testkit::nearest;
use input::Body;

/// What the paths of all endpoints begin with.
const PREFIX: &str = "/__admin";

/// An admin request.
struct Call<'a> {
    exchange: &'a Exchange,
    world: &'a World,
    namespace: &'a Namespace,
    /// The segment that stands for the endpoint's parameter; empty where it has none.
    parameter: String,
}

/// What an endpoint answers.
struct Answer {
    status: u16,
    body: Value,
}

/// Why an endpoint does not do what it was asked.
#[derive(Debug, PartialEq)]
struct Problem {
    status: u16,
    error: String,
    /// More fields of the answer.
    details: Vec<(&'static str, Value)>,
}

impl Answer {
    fn ok(body: Value) -> Result<Self, Problem> {
        Ok(Self { status: 200, body })
    }

    fn created(body: Value) -> Result<Self, Problem> {
        Ok(Self { status: 201, body })
    }
}

impl Problem {
    /// 400: the request is wrong; the text names the field and the mend.
    fn wrong(error: impl Into<String>) -> Self {
        Self { status: 400, error: error.into(), details: Vec::new() }
    }

    /// 404: there is no such thing.
    fn missing(error: impl Into<String>) -> Self {
        Self { status: 404, error: error.into(), details: Vec::new() }
    }
}

/// An endpoint.
struct Endpoint {
    method: &'static str,
    /// Below the prefix; a last segment `{x}` stands for any one segment.
    path: &'static str,
    /// What it does, in a few words.
    about: &'static str,
    /// The query's keys.
    query: &'static [&'static str],
    act: fn(&Call<'_>) -> Result<Answer, Problem>,
}

const fn row(
    method: &'static str,
    path: &'static str,
    about: &'static str,
    query: &'static [&'static str],
    act: fn(&Call<'_>) -> Result<Answer, Problem>,
) -> Endpoint {
    Endpoint { method, path, about, query, act }
}

/// Every endpoint, in the order in which they are listed.
static ENDPOINTS: &[Endpoint] = &[
    row("GET", "/", "this list", &[], service::list),
    row("GET", "/health", "whether it is up, and what it holds", &[], service::health),
    row("GET", "/settings", "how it answers where no stub says", &[], settings::show),
    row("PATCH", "/settings", "changes the settings that the body names", &[], settings::change),
    row("POST", "/settings", "the same as PATCH", &[], settings::change),
    row("PUT", "/settings", "the same as PATCH", &[], settings::change),
    row(
        "POST",
        "/reset",
        "back to how the server started; ?all=true for every namespace",
        &["all"],
        service::reset,
    ),
    row("GET", "/stubs", "the stubs", &[], stubs::list),
    row("POST", "/stubs", "adds a stub, or a list of them", &[], stubs::add),
    row("DELETE", "/stubs", "removes all stubs", &[], stubs::clear),
    row("GET", "/stubs/{id}", "one stub", &[], stubs::show),
    row("DELETE", "/stubs/{id}", "removes one stub", &[], stubs::remove),
    row("GET", "/states", "the states of scenarios", &[], states::show),
    row("PUT", "/states", "sets the states that the body names", &[], states::set),
    row(
        "GET",
        "/fault",
        "the fault that was put, and how often it still strikes",
        &[],
        fault::show,
    ),
    row("PUT", "/fault", "breaks the next requests", &[], fault::put),
    row("POST", "/fault", "the same as PUT", &[], fault::put),
    row("DELETE", "/fault", "takes the fault away", &[], fault::remove),
    row("GET", "/models", "the models that the server has", &[], models::list),
    row("POST", "/models", "adds a model", &[], models::add),
    row("DELETE", "/models", "removes a model: ?name=NAME", &["name", "model"], models::remove),
    row("DELETE", "/models/{name}", "removes one model", &[], models::remove_named),
    row("GET", "/requests", "the journal", &requests::FILTERS, requests::list),
    row("GET", "/requests/{index}", "one request", &[], requests::show),
    row("DELETE", "/requests", "empties the journal", &[], requests::clear),
    row(
        "POST",
        "/verify",
        "checks the journal: how often, in which order",
        &[],
        verification::verify,
    ),
    row("GET", "/audit", "what the real server would have treated oddly", &[], requests::audit),
    row("GET", "/routes", "raw answers by method and path", &[], routes::list),
    row("POST", "/routes", "adds a raw answer, before the API's own", &[], routes::add),
    row("DELETE", "/routes", "removes raw answers", &["method", "path"], routes::remove),
    row("GET", "/clock", "the server's time", &[], clock::show),
    row("POST", "/clock", "moves a virtual clock on", &[], clock::advance),
    row("GET", "/namespaces", "all namespaces", &[], service::namespaces),
    row("GET", "/schema", "the JSON Schema of this API", &[], service::schema),
];

/// What other stub servers, and people, call an endpoint.
const ELSEWHERE: [(&str, &str); 8] = [
    ("journal", "/requests"),
    ("log", "/requests"),
    ("mappings", "/stubs"),
    ("rules", "/stubs"),
    ("mocks", "/stubs"),
    ("scenarios", "/states"),
    ("faults", "/fault"),
    ("config", "/settings"),
];

/// Answers an admin request.
pub(crate) fn respond(exchange: &Exchange, world: &World, namespace: &Namespace) -> Script {
    match find(exchange) {
        Ok((endpoint, parameter)) => {
            let call = Call { exchange, world, namespace, parameter };
            let answered = call.check_query(endpoint).and_then(|()| (endpoint.act)(&call));
            match answered {
                Ok(answer) => rendered(answer.status, &answer.body),
                Err(problem) => refused(&problem),
            }
        }
        Err(script) => script,
    }
}

/// Indented, for people with curl, with a line end.
fn rendered(status: u16, body: &Value) -> Script {
    Script::whole(status, JSON_UTF8, format!("{body:#}\n"))
}

fn refused(problem: &Problem) -> Script {
    let mut body = json!({ "error": problem.error });
    if let Some(fields) = body.as_object_mut() {
        let details = problem.details.iter();
        fields.extend(details.map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    rendered(problem.status, &body)
}

fn find(exchange: &Exchange) -> Result<(&'static Endpoint, String), Script> {
    let path = exchange.path.strip_prefix(PREFIX).unwrap_or(&exchange.path);
    let path = match path.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let here: Vec<(&Endpoint, String)> = ENDPOINTS
        .iter()
        .filter_map(|endpoint| Some((endpoint, parameter(endpoint.path, path)?)))
        .collect();
    // HEAD is GET without a body, which the server leaves out.
    let method = if exchange.method == "HEAD" { "GET" } else { exchange.method.as_str() };
    let allowed: Vec<&str> = here.iter().map(|(endpoint, _)| endpoint.method).collect();
    if let Some(found) = here.iter().position(|(endpoint, _)| endpoint.method == method) {
        let (endpoint, parameter) = &here[found];
        return Ok((endpoint, parameter.clone()));
    }
    if allowed.is_empty() {
        let elsewhere = ELSEWHERE.iter().find(|(name, _)| path.split('/').nth(1) == Some(*name));
        let hint = match elsewhere {
            Some((_, meant)) => format!("; did you mean {meant}?"),
            None => nearest::hint(path, ENDPOINTS.iter().map(|endpoint| endpoint.path)),
        };
        return Err(refused(&Problem::missing(format!(
            "there is no {PREFIX}{path}{hint}; GET {PREFIX}/ lists the endpoints"
        ))));
    }
    let mut script = refused(&Problem {
        status: 405,
        error: format!("{PREFIX}{path} does not take {method}; use {}", allowed.join(", ")),
        details: Vec::new(),
    });
    script.headers.push((ALLOW.as_str().to_owned(), allowed.join(", ")));
    Err(script)
}

/// The text that stands for an endpoint's parameter, empty where it has none; `None`: another path.
fn parameter(pattern: &str, path: &str) -> Option<String> {
    match pattern.split_once('{') {
        None => (pattern == path).then(String::new),
        Some((before, _)) => {
            let rest = path.strip_prefix(before)?;
            (!rest.is_empty() && !rest.contains('/')).then(|| decoded(rest))
        }
    }
}

impl Call<'_> {
    fn body(&self) -> Result<Body, Problem> {
        Body::read(&self.exchange.body)
    }

    /// A value of the query; empty where its key stands alone.
    fn query(&self, name: &str) -> Option<String> {
        self.pairs().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        self.exchange.query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&key.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
    }

    /// A value of the query that is a yes or a no; no where it is absent.
    fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.query(name).as_deref() {
            None => Ok(None),
            Some("" | "true" | "1" | "yes") => Ok(Some(true)),
            Some("false" | "0" | "no") => Ok(Some(false)),
            Some(other) => Err(Problem::wrong(format!("?{name}={other}: {name} is true or false"))),
        }
    }

    fn check_query(&self, endpoint: &Endpoint) -> Result<(), Problem> {
        let unknown = self.pairs().map(|(key, _)| key).find(|key| {
            // `_` is from clients that bust caches.
            !endpoint.query.contains(&key.as_str()) && key != "_"
        });
        let Some(unknown) = unknown else { return Ok(()) };
        let hint = nearest::hint(&unknown, endpoint.query.iter().copied());
        let known = match endpoint.query {
            [] => "it takes no query".to_owned(),
            known => format!("it takes {}", known.join(", ")),
        };
        Err(Problem::wrong(format!(
            "{} {PREFIX}{} does not know ?{unknown}{hint}; {known}",
            endpoint.method, endpoint.path
        )))
    }
}
