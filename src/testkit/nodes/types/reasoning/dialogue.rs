//! What the model is asked at each step, and what its answers mean.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::chain::Chain;
use super::step::{Conclusion, StepKind, Thinking, Verdict};
use crate::testkit::nodes::tool::ToolRegistry;

/// What a model wants to do next.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Move {
    Think(Thinking, String),
    Act(String, Map<String, Value>),
    Verify(String),
    Conclude(String),
    /// None of these.
    Other(String),
}

/// A check of a claim, as the model wrote it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Check {
    pub(super) claim: String,
    pub(super) evidence: Vec<String>,
    pub(super) verdict: Verdict,
    pub(super) reasoning: String,
}

/// What the model is told throughout.
pub(super) fn system(chain: &Chain, tools: &ToolRegistry) -> String {
    let mut text = "You reason step by step. Each answer is one line, one of:\n\
        thought: what you think (thought(decompose): to take the question apart, \
        thought(synthesize): to put together what you have, thought(critique): to find what is \
        wrong)\n\
        verify: a claim to be checked\n\
        conclude: when you know the answer\n"
        .to_owned();
    let tools: Vec<String> = tools
        .ids()
        .filter_map(|id| Some(format!("- {id}: {}\n", tools.get(id).ok()?.description())))
        .collect();
    if !tools.is_empty() {
        text.push_str("action: tool(parameter=value), with one of these tools:\n");
        text.extend(tools);
    }
    if let Some(trap) = chain.trap() {
        text.push_str(&format!("Mind the question: {}.\n", trap.advice()));
    }
    text
}

/// Asks for the next step.
pub(super) fn next_step(chain: &Chain) -> String {
    format!("Question: {}\n{}Next step:", chain.query(), history(chain))
}

/// Asks for a check of a claim.
pub(super) fn check(chain: &Chain, claim: &str) -> String {
    format!(
        "Question: {}\n{}Check this: {claim}\nAnswer in these lines:\nCLAIM: the claim\n\
         EVIDENCE: what speaks for it or against it; and more with semicolons between\n\
         VERDICT: verified, refuted or uncertain\nREASONING: why",
        chain.query(),
        history(chain)
    )
}

/// Asks for the conclusion.
pub(super) fn conclude(chain: &Chain) -> String {
    format!(
        "Question: {}\n{}Conclude. Answer in these lines:\nANSWER: the answer\n\
         CONFIDENCE: 0 to 1\nCAVEATS: what to mind, with semicolons between, or none\n\
         UNCERTAIN: yes or no\nREASON: why it is uncertain, if it is",
        chain.query(),
        history(chain)
    )
}

/// The steps so far, a line each.
fn history(chain: &Chain) -> String {
    let line = |kind: &StepKind| match kind {
        StepKind::Thought { content, .. } => format!("thought: {content}"),
        StepKind::Action { tool_id, input } => {
            format!("action: {tool_id}({})", Value::Object(input.clone()))
        }
        StepKind::Observation { content, success: true, .. } => format!("observation: {content}"),
        StepKind::Observation { content, .. } => format!("observation: it failed: {content}"),
        StepKind::Verification { claim, verdict, evidence, .. } => {
            let verdict = match verdict {
                Verdict::Verified => "verified",
                Verdict::Refuted => "refuted",
                Verdict::Uncertain => "uncertain",
            };
            format!("{verdict}: {claim} ({})", evidence.join("; "))
        }
        StepKind::Conclusion(Conclusion { answer, .. }) => format!("conclusion: {answer}"),
    };
    chain.steps().iter().map(|step| line(&step.kind) + "\n").collect()
}

/// What an answer proposes: its first line that is not empty, marks of lists and emphasis aside.
pub(super) fn read_move(text: &str) -> Move {
    static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let line = r"(?is)^[-*>#\s\d.]*(thought|action|verify|conclude)\s*(?:\(\s*([a-z]*)\s*\))?\s*\**\s*:\s*\**\s*(.*)$";
        Regex::new(line).ok()
    });
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let other = || Move::Other(line.to_owned());
    let Some(parts) = LINE.as_ref().and_then(|regex| regex.captures(line)) else { return other() };
    let part = |at: usize| parts.get(at).map_or("", |part| part.as_str()).trim();
    let content = part(3).to_owned();
    match part(1).to_lowercase().as_str() {
        "thought" => {
            let thinking = match part(2).to_lowercase().as_str() {
                "decompose" => Thinking::Decompose,
                "synthesize" => Thinking::Synthesize,
                "critique" => Thinking::Critique,
                _ => Thinking::Analyze,
            };
            Move::Think(thinking, content)
        }
        "verify" => Move::Verify(content),
        "conclude" => Move::Conclude(content),
        _ => match call(&content) {
            Some((tool, input)) => Move::Act(tool, input),
            None => other(),
        },
    }
}

/// `tool(a=1, b="two")`, or `tool(text)` for `{"input": "text"}`.
fn call(text: &str) -> Option<(String, Map<String, Value>)> {
    let (name, rest) = text.split_once('(')?;
    let inside = rest.trim_end().strip_suffix(')')?.trim();
    let name = name.trim();
    let is_name = |letter: char| letter.is_alphanumeric() || "_.-".contains(letter);
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let parts = arguments(inside);
    let named: Option<Map<String, Value>> = parts.iter().map(|part| parameter(part)).collect();
    let input = match named {
        Some(named) if !inside.is_empty() => named,
        _ if inside.is_empty() => Map::new(),
        _ => Map::from_iter([("input".to_owned(), value(inside))]),
    };
    Some((name.to_owned(), input))
}

fn parameter(part: &str) -> Option<(String, Value)> {
    let (key, written) = part.split_once('=')?;
    let key = key.trim();
    let is_key =
        !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    // `a == b` is no parameter.
    (is_key && !written.starts_with('=')).then(|| (key.to_owned(), value(written)))
}

/// JSON where it is, else the text, without quotes around it.
fn value(written: &str) -> Value {
    let written = written.trim();
    serde_json::from_str(written).unwrap_or_else(|_| {
        let quoted = written.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        Value::String(quoted.unwrap_or(written).to_owned())
    })
}

/// The parts of a text at its commas, those in quotes and brackets aside.
fn arguments(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// What stands after a label at the begin of a line, up to the next of `labels`.
fn labelled(text: &str, labels: &[&str], wanted: &str) -> String {
    let mut found = String::new();
    let mut inside = false;
    for line in text.lines() {
        let bare = line.trim_start_matches(['*', '#', '-', ' ', '\t']);
        let label = labels.iter().find_map(|label| {
            let head = bare.get(..label.len())?;
            let rest = bare.get(label.len()..)?.trim_start_matches(['*', ' ']);
            let rest = rest.strip_prefix(':')?.trim_start_matches('*');
            head.eq_ignore_ascii_case(label).then_some((*label, rest))
        });
        let rest = match label {
            Some((label, rest)) => {
                inside = label == wanted;
                rest
            }
            None => line,
        };
        if inside {
            found.push_str(rest.trim());
            found.push('\n');
        }
    }
    found.trim().to_owned()
}

/// The parts of a list with semicolons, "none" aside.
fn listed(text: &str) -> Vec<String> {
    let parts = text.split(';').map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty() && !part.eq_ignore_ascii_case("none")).collect()
}

/// Reads a check; none where the claim or the evidence is missing.
pub(super) fn read_check(text: &str) -> Option<Check> {
    const LABELS: [&str; 4] = ["CLAIM", "EVIDENCE", "VERDICT", "REASONING"];
    let part = |label: &str| labelled(text, &LABELS, label);
    let verdict = match part("VERDICT").to_lowercase() {
        verdict if verdict.starts_with("verified") => Verdict::Verified,
        verdict if verdict.starts_with("refuted") => Verdict::Refuted,
        _ => Verdict::Uncertain,
    };
    let check = Check {
        claim: part("CLAIM"),
        evidence: listed(&part("EVIDENCE")),
        verdict,
        reasoning: part("REASONING"),
    };
    (!check.claim.is_empty() && !check.evidence.is_empty()).then_some(check)
}

/// Reads a conclusion; none where there is no text. A text without labels is the answer, and is
/// half sure.
pub(super) fn read_conclusion(text: &str) -> Option<Conclusion> {
    const LABELS: [&str; 5] = ["ANSWER", "CONFIDENCE", "CAVEATS", "UNCERTAIN", "REASON"];
    let part = |label: &str| labelled(text, &LABELS, label);
    let answer = match part("ANSWER") {
        answer if answer.is_empty() => text.trim().to_owned(),
        answer => answer,
    };
    let said = part("UNCERTAIN").to_lowercase();
    let uncertain =
        ["yes", "true"].iter().any(|yes| said.starts_with(yes)).then(|| match part("REASON") {
            reason if reason.is_empty() => "the model gives no reason".to_owned(),
            reason => reason,
        });
    (!answer.is_empty()).then(|| Conclusion {
        answer,
        confidence: confidence(&part("CONFIDENCE")).unwrap_or(0.5),
        caveats: listed(&part("CAVEATS")),
        uncertain,
    })
}

/// The first number of a text, as a part of 1: `0.8`, `about 80%`, `80`, `High (0.8)`, `8/10`, `8 out
/// of 10`.
fn confidence(text: &str) -> Option<f64> {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let number = r"\d+(?:[.,]\d+)?|[.,]\d+";
        let text = format!(r"([-−]?)({number})\s*(?:(%)|(?:/|out\s+of|of)\s*({number}))?");
        Regex::new(&text).ok()
    });
    let parts = NUMBER.as_ref()?.captures(text)?;
    let number = |at: usize| parts.get(at)?.as_str().replace(',', ".").parse::<f64>().ok();
    if !parts.get(1)?.is_empty() {
        return None;
    }
    let value = number(2)?;
    let whole = match (parts.get(3), number(4)) {
        (Some(_), _) => 100.0,
        (None, Some(whole)) => whole,
        (None, None) if value > 1.0 => 100.0,
        (None, None) => 1.0,
    };
    (whole > 0.0).then(|| (value / whole).clamp(0.0, 1.0))
}
