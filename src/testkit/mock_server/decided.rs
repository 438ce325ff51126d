//! What was decided of a request, as it goes out and as the journal keeps it.

use super::answer;
use super::ask::{Ask, Asked, EmbedAsk};
use super::exchange::{Exchange, Stamp};
use super::fault::{self, Breakable, Fault};
use super::journal::{Answer, Decision, Entry, MatchedStub};
use super::refusal::Refusal;
use super::reply::Reply;
use super::script::{Delivery, Script};
use super::surface::Surface;
use super::timing::Timing;

/// One time that a request is seen.
#[derive(Clone, Copy)]
pub(super) struct Occasion {
    /// What the request is.
    pub(super) identity: [u8; 16],
    /// The how manieth time, from 1.
    pub(super) n: u64,
    /// Its moment and its chance.
    pub(super) stamp: Stamp,
}

/// What answers a request, before it has bytes.
pub(super) enum Plan {
    /// Bytes already, with what was asked, where that is known.
    Ready(Script, Option<Asked>),
    /// The reply of a stub.
    Text(Box<Ask>, Reply),
    /// A reply that is made from the request; making it takes its time, so not while the namespace
    /// is locked.
    Open(Box<Ask>, Open),
    /// Vectors, those of a stub or the text's own.
    Vectors(EmbedAsk, Option<Vec<Vec<f32>>>),
}

/// How a reply is made where no stub has one.
pub(super) struct Open {
    /// By the request's `format` and `tools`, where it has them.
    pub(super) auto: bool,
    pub(super) otherwise: Otherwise,
}

/// The reply to what asks for no schema and no tool.
pub(super) enum Otherwise {
    /// Only stubs may answer.
    Refusal(Refusal),
    /// This text.
    Text(String),
    /// A useful one.
    Default,
}

impl Open {
    /// The reply, and who made it.
    fn reply(self, ask: &Ask) -> Result<(Reply, Answer), Refusal> {
        if self.auto
            && let Some(reply) = answer::automatic(ask)
        {
            return Ok((reply, Answer::Auto));
        }
        match self.otherwise {
            Otherwise::Refusal(refusal) => Err(refusal),
            Otherwise::Text(text) => Ok((Reply { text, ..Reply::default() }, Answer::Default)),
            Otherwise::Default => Ok((answer::by_default(ask), Answer::Default)),
        }
    }
}

/// All that was decided of a request while the namespace was locked.
pub(super) struct Decided {
    pub(super) plan: Plan,
    /// Who answers, faults apart.
    pub(super) source: Answer,
    pub(super) surface: &'static Surface,
    /// Headers that the stub gives the answer.
    pub(super) headers: Vec<(String, String)>,
    pub(super) timing: Timing,
    pub(super) faults: Vec<Fault>,
    pub(super) route: Option<&'static str>,
    pub(super) matched: Option<MatchedStub>,
    pub(super) near_misses: Vec<String>,
}

impl Decided {
    /// The answer as it goes out, and what the journal keeps of the request.
    pub(super) fn delivery(self, exchange: Exchange, occasion: &Occasion) -> (Delivery, Entry) {
        let Occasion { identity, n, stamp } = *occasion;
        let stamp = &stamp;
        let Self { plan, surface, headers, timing, faults, mut source, .. } = self;
        let chance = &stamp.chance;
        let latency = timing.latency_of(chance);
        let played = |ask: Box<Ask>, reply| {
            let performance = answer::perform(&ask, reply, &timing, chance);
            ((surface.text)(&ask, &performance, stamp), Some(Asked::Text(ask)))
        };
        let (script, asked) = match plan {
            Plan::Ready(script, asked) => (script.delayed(latency), asked),
            Plan::Text(ask, reply) => played(ask, reply),
            Plan::Open(ask, open) => match open.reply(&ask) {
                Ok((reply, by)) => {
                    source = by;
                    played(ask, reply)
                }
                Err(refusal) => {
                    source = Answer::Refused;
                    let script = (surface.refuse)(&refusal, stamp).delayed(latency);
                    (script, Some(Asked::Text(ask)))
                }
            },
            Plan::Vectors(ask, vectors) => {
                let vectors = vectors.unwrap_or_else(|| answer::vectors(&ask));
                let metrics = answer::embed_metrics(&ask, &timing, chance);
                let script = (surface.vectors)(&ask, &vectors, &metrics, stamp);
                (script.delayed(latency), Some(Asked::Vectors(ask)))
            }
        };
        let script = script.with_headers(headers);
        let nobody = Ask::default();
        let ask = match &asked {
            Some(Asked::Text(ask)) => ask,
            _ => &nobody,
        };
        let api = Breakable {
            refuse: &|status, text| (surface.refuse)(&Refusal::new(status, text), stamp),
            broken_off: &|text| (surface.broken_off)(text, ask, stamp),
        };
        let delivery = fault::apply(&faults, script, &api);
        let status = match &delivery {
            Delivery::Http(script) => Some(script.status),
            Delivery::Raw { .. } | Delivery::Refuse(_) => None,
        };
        let delivery = match exchange.method.as_str() {
            "HEAD" => fault::to_head(delivery),
            _ => delivery,
        };
        let answer = if faults.iter().any(Fault::replaces) { Answer::Fault } else { source };
        let entry = Entry {
            index: 0,
            exchange,
            route: self.route,
            model: model_of(asked),
            matched: self.matched,
            decision: Decision { identity, n, answer, latency, faults },
            status,
            near_misses: self.near_misses,
        };
        (delivery, entry)
    }
}

/// The model that a request names.
fn model_of(asked: Option<Asked>) -> Option<String> {
    match asked {
        Some(Asked::Text(ask)) => Some(ask.model),
        Some(Asked::Vectors(ask)) => Some(ask.model),
        Some(Asked::Done(_)) | None => None,
    }
}
