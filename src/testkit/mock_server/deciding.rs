//! Deciding what becomes of a request, in the order in which its answer may come from somewhere: a
//! fault put by hand, a route of the user's, the API's own checks, a stub, what needs no stub.

use super::ask::Asked;
use super::chance::Chance;
use super::decided::{Decided, Occasion, Open, Otherwise, Plan};
use super::exchange::{Exchange, Stamp};
use super::fault::{self, Fault, FaultRule};
use super::journal::{Answer, MatchedStub};
use super::namespace::State;
use super::refusal::Refusal;
use super::script::Script;
use super::stub::{Action, Facts, Matched};
use super::surface::{self, Found, Row, Surface};

impl State {
    /// Decides what becomes of a request, and what that changes: counters, states, models.
    pub(super) fn decide(&mut self, exchange: &mut Exchange, occasion: &Occasion) -> Decided {
        let found = surface::find(&exchange.method, &exchange.path);
        let put = self.take_put_fault(&exchange.path, occasion);
        let route = match &found {
            Found::Route(row, _) => Some(*row),
            _ => None,
        };
        if put.iter().any(Fault::replaces) {
            // The request is not even read: the fault answers in place of everything.
            return self.ready(Script::nothing(), Answer::Fault, route, put);
        }
        if let Some(custom) = self.settings.route(&exchange.method, &exchange.path) {
            let script = Script::raw(custom.status, custom.headers.clone(), custom.body.clone());
            let (rules, path) = (&self.settings.faults, &exchange.path);
            let faults = self.faults(put, rules, path, occasion, &occasion.stamp.chance);
            return self.ready(script, Answer::Route, route, faults);
        }
        let row = match found {
            Found::Route(row, parameter) => {
                exchange.parameter = parameter;
                row
            }
            other => {
                let script = surface::unrouted(&other, exchange);
                return self.ready(script, Answer::Refused, None, put);
            }
        };
        if row.changes_models() {
            // What a fault answers in place of is not done: a try that failed can be tried again.
            let (rules, chance) = (&self.settings.faults, &occasion.stamp.chance);
            let faults = self.faults(Vec::new(), rules, row.path, occasion, chance);
            if faults.iter().any(Fault::replaces) {
                return self.ready(Script::nothing(), Answer::Fault, route, faults);
            }
        }
        match (row.read)(exchange, &mut self.models, &occasion.stamp) {
            Ok(asked) => self.decide_asked(exchange, asked, row, put, occasion),
            Err(refusal) => {
                let script = (row.surface.refuse)(&refusal, &occasion.stamp);
                self.ready(script, Answer::Refused, route, put)
            }
        }
    }

    /// The same for a request that the API has read.
    fn decide_asked(
        &mut self,
        exchange: &Exchange,
        asked: Asked,
        row: &'static Row,
        put: Vec<Fault>,
        occasion: &Occasion,
    ) -> Decided {
        let Occasion { identity, n, stamp } = *occasion;
        let chance = stamp.chance;
        let facts = Facts { exchange, route: row.path, asked: &asked, identity, n, chance };
        let found = self.stubs.find(&facts);
        let near_misses = match (&found, &asked) {
            (None, Asked::Text(_) | Asked::Vectors(_)) => self.stubs.near_misses(&facts),
            _ => Vec::new(),
        };
        let (mut timing, rules, chance) = match &found {
            Some((_, matched)) => (
                matched.timing.over(&self.settings.timing),
                Some(&matched.faults).filter(|rules| !rules.is_empty()),
                chance.under(&matched.name),
            ),
            None => (self.settings.timing.clone(), None, chance),
        };
        let rules = rules.unwrap_or(&self.settings.faults);
        let faults = self.faults(put, rules, row.path, occasion, &chance);
        if let Some(decided) = self.settings.decided(&identity, n) {
            timing.latency = decided.latency.map(|latency| latency.0.into());
        }
        let named = found
            .as_ref()
            .map(|(_, matched)| MatchedStub { id: matched.id, name: matched.name.clone() });
        let headers =
            found.as_ref().map(|(_, matched)| matched.headers.clone()).unwrap_or_default();
        let (plan, source) = if faults.iter().any(Fault::replaces) {
            (Plan::Ready(Script::nothing(), Some(asked)), Answer::Fault)
        } else {
            if let Some((place, _)) = &found {
                self.stubs.count(*place, &facts);
            }
            self.plan(asked, found.map(|(_, matched)| matched), row.surface, &near_misses, &stamp)
        };
        Decided {
            plan,
            source,
            surface: row.surface,
            headers,
            timing,
            faults,
            route: Some(row.path),
            matched: named,
            near_misses,
        }
    }

    /// What strikes a request: the faults put by hand, else those of an earlier run, else those that
    /// the rules have for the how manieth time that it is seen.
    fn faults(
        &self,
        put: Vec<Fault>,
        rules: &[FaultRule],
        path: &str,
        occasion: &Occasion,
        chance: &Chance,
    ) -> Vec<Fault> {
        if !put.is_empty() {
            return put;
        }
        match self.settings.decided(&occasion.identity, occasion.n) {
            Some(decided) => decided.faults.clone(),
            None => fault::decide(rules, path, occasion.n, chance),
        }
    }

    /// What is to be answered, with the reply chosen.
    fn plan(
        &self,
        asked: Asked,
        matched: Option<Matched>,
        surface: &'static Surface,
        near_misses: &[String],
        stamp: &Stamp,
    ) -> (Plan, Answer) {
        let by_stub = matched.is_some();
        let source = Answer::Stub;
        let refused = |asked| {
            let script = (surface.refuse)(&unmatched(near_misses), stamp);
            (Plan::Ready(script, Some(asked)), Answer::Refused)
        };
        let action = match matched {
            Some(matched) => matched.action,
            None => Action::Auto,
        };
        match (action, asked) {
            (Action::Raw { status, headers, body }, asked) => {
                (Plan::Ready(Script::raw(status, headers, body), Some(asked)), source)
            }
            (Action::Script(script), asked) => (Plan::Ready(script, Some(asked)), source),
            (Action::Refuse(refusal), asked) => {
                (Plan::Ready((surface.refuse)(&refusal, stamp), Some(asked)), source)
            }
            (_, Asked::Done(script)) => (Plan::Ready(script, None), Answer::Service),
            (Action::Reply(reply), Asked::Text(ask)) => (Plan::Text(ask, reply), source),
            (Action::Reply(reply), Asked::Vectors(ask)) => {
                (Plan::Vectors(ask, reply.embeddings), source)
            }
            (Action::Auto, Asked::Vectors(ask)) if by_stub || !self.settings.is_strict() => {
                (Plan::Vectors(ask, None), Answer::Default)
            }
            (Action::Auto, asked @ Asked::Vectors(_)) => refused(asked),
            (Action::Auto, Asked::Text(ask)) => {
                let otherwise = match self.settings.is_strict() && !by_stub {
                    true => Otherwise::Refusal(unmatched(near_misses)),
                    false => match self.settings.keyword_reply(ask.last_user()) {
                        Some(text) => Otherwise::Text(text.to_owned()),
                        None => Otherwise::Default,
                    },
                };
                let auto = self.settings.auto || by_stub;
                (Plan::Open(ask, Open { auto, otherwise }), Answer::Default)
            }
        }
    }

    /// What the fault put by hand does to a request on this path; counts it.
    fn take_put_fault(&mut self, path: &str, occasion: &Occasion) -> Vec<Fault> {
        let Some(put) = self.settings.put_fault.as_mut().filter(|put| put.left != Some(0)) else {
            return Vec::new();
        };
        let rule = std::slice::from_ref(&put.rule);
        let faults = fault::decide(rule, path, occasion.n, &occasion.stamp.chance);
        if let (Some(left), false) = (&mut put.left, faults.is_empty()) {
            *left -= 1;
        }
        faults
    }

    /// An answer that no stub has a part in.
    fn ready(
        &self,
        script: Script,
        source: Answer,
        row: Option<&'static Row>,
        faults: Vec<Fault>,
    ) -> Decided {
        Decided {
            plan: Plan::Ready(script, None),
            source,
            surface: row.map_or_else(surface::native, |row| row.surface),
            headers: Vec::new(),
            timing: self.settings.timing.clone(),
            faults,
            route: row.map(|row| row.path),
            matched: None,
            near_misses: Vec::new(),
        }
    }
}

/// The error of a request without a stub where nothing else may answer.
fn unmatched(near_misses: &[String]) -> Refusal {
    let mut message = "no stub matches this request".to_owned();
    for miss in near_misses.iter().take(3) {
        message.push_str("; ");
        message.push_str(miss);
    }
    message.push_str(" (flakedb mock; default replies are off)");
    Refusal::new(501, message)
}
