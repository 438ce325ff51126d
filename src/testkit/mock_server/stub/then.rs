//! What a stub answers, and how that becomes an action for one request.

use bytes::Bytes;

use super::Facts;
use super::template;
use crate::testkit::mock_server::ask::Asked;
use crate::testkit::mock_server::fault::FaultRule;
use crate::testkit::mock_server::record::Tape;
use crate::testkit::mock_server::refusal::Refusal;
use crate::testkit::mock_server::reply::Reply;
use crate::testkit::mock_server::stub::Action;
use crate::testkit::mock_server::timing::Timing;

/// One answer of a stub, with times and faults of its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Then {
    pub(super) answer: Answer,
    /// Beside those that the answer has by itself; names in lower case. Those of raw bytes are theirs.
    pub(super) headers: Vec<(String, String)>,
    pub(super) timing: Timing,
    pub(super) faults: Vec<FaultRule>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Answer {
    /// As if there were no stub; only times and faults are the stub's.
    #[default]
    Auto,
    Reply(Box<Reply>),
    /// A reply whose text is made from the request.
    Template {
        source: String,
        rest: Box<Reply>,
    },
    Error(Refusal),
    /// What a real server answered, as it was recorded.
    Replay(Box<Tape>),
    Raw {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
}

impl Then {
    /// Gives the answer these headers, too, where it has none of the name.
    pub(super) fn add_headers(&mut self, more: &[(String, String)]) {
        let headers = match &mut self.answer {
            Answer::Raw { headers, .. } => headers,
            _ => &mut self.headers,
        };
        let own: Vec<String> = headers.iter().map(|(name, _)| name.clone()).collect();
        headers.extend(more.iter().filter(|(name, _)| !own.contains(name)).cloned());
    }
}

impl Answer {
    /// Whether this can answer such a request: text where text is asked for, vectors for vectors.
    pub(super) fn suits(&self, asked: &Asked) -> bool {
        match (self, asked) {
            (Self::Error(_) | Self::Raw { .. } | Self::Replay(_) | Self::Auto, _) => true,
            (Self::Template { .. }, asked) => matches!(asked, Asked::Text(_)),
            (Self::Reply(reply), Asked::Text(_)) => speaks(reply) || reply.embeddings.is_none(),
            (Self::Reply(reply), Asked::Vectors(_)) => reply.embeddings.is_some(),
            (Self::Reply(_), Asked::Done(_)) => false,
        }
    }

    /// The action for a request that is seen the `n`-th time by this stub; `named` is the stub.
    pub(super) fn action(&self, facts: &Facts<'_>, n: u64, named: &str) -> Action {
        match self {
            Self::Auto => Action::Auto,
            Self::Error(refusal) => Action::Refuse(refusal.clone()),
            Self::Replay(tape) => Action::Script(tape.script()),
            Self::Raw { status, headers, body } => {
                Action::Raw { status: *status, headers: headers.clone(), body: body.clone() }
            }
            Self::Reply(reply) => Action::Reply(fitted(reply, facts.asked)),
            Self::Template { source, rest } => match template::render(source, facts, n) {
                Ok(text) => Action::Reply(Reply { text, ..(**rest).clone() }),
                Err(error) => {
                    Action::Refuse(Refusal::new(500, format!("{named}: its template: {error}")))
                }
            },
        }
    }
}

/// Whether a reply says anything.
fn speaks(reply: &Reply) -> bool {
    !reply.text.is_empty()
        || !reply.tool_calls.is_empty()
        || reply.thinking.is_some()
        || reply.chunks.is_some()
}

/// The reply with as many vectors as there are inputs, from the first again where it has fewer.
fn fitted(reply: &Reply, asked: &Asked) -> Reply {
    let mut reply = reply.clone();
    if let (Asked::Vectors(ask), Some(vectors)) = (asked, &reply.embeddings) {
        let enough = vectors.iter().cycle().take(ask.inputs.len()).cloned().collect();
        reply.embeddings = Some(enough);
    }
    reply
}
