//! Patterns of paths, matched without ever going back further than the last star.

use super::Flavour;
use crate::model::limits::CODEOWNERS_ALTERNATIVES_MAX;

/// A compiled pattern; it matches whole paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Any number of directories, none included.
    Any,
    /// One name.
    Name(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Many,
    Set { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// Compiles a pattern by the rules of a forge; `None` for one that names nothing.
    pub(super) fn new(text: &str, flavour: Flavour) -> Option<Self> {
        let names: Vec<&str> = text.split('/').filter(|name| !name.is_empty()).collect();
        let (&last, before) = names.split_last()?;
        let within = text.trim_end_matches('/').contains('/');
        let directory = text.ends_with('/');
        let sets = flavour == Flavour::GitLab;
        // Only a leading slash ties a pattern of GitLab to the root; elsewhere any slash does.
        let anchored = if sets { text.starts_with('/') } else { within };
        let mut parts = Vec::with_capacity(names.len() + 3);
        if !anchored {
            parts.push(Part::Any);
        }
        parts.extend(before.iter().map(|name| part(name, sets)));
        let anything = || Part::Name(vec![Token::Many]);
        match (flavour, last, directory) {
            (Flavour::GitLab, "**", false) => parts.push(anything()),
            (Flavour::GitLab, last, true) => {
                parts.extend([part(last, true), Part::Any, anything()]);
            }
            (Flavour::GitLab, last, false) => parts.push(part(last, true)),
            (_, "**", _) => parts.extend([Part::Any, anything()]),
            // `docs/*` is what lies directly in docs, and a lone `*` is every file.
            (_, "*", false) => parts.push(anything()),
            (_, last, true) => parts.extend([part(last, false), anything(), Part::Any]),
            (_, last, false) => parts.extend([part(last, false), Part::Any]),
        }
        parts.dedup_by(|next, before| *next == Part::Any && *before == Part::Any);
        Some(Self(parts))
    }

    /// True if the whole path matches.
    pub(super) fn matches(&self, path: &[Vec<char>]) -> bool {
        wild(
            &self.0,
            path,
            |part| *part == Part::Any,
            |part, name| match part {
                Part::Any => false,
                Part::Name(tokens) => wild(tokens, name, |token| *token == Token::Many, one),
            },
        )
    }
}

fn part(name: &str, sets: bool) -> Part {
    if name == "**" { Part::Any } else { Part::Name(tokens(name, sets)) }
}

/// Matches items against a pattern in which some parts stand for any number of items.
///
/// When a part does not fit, only the last such star takes one item more: if an earlier one could
/// help, so could the last. That bounds the cost by the product of the lengths.
fn wild<P, I>(
    pattern: &[P],
    items: &[I],
    is_star: impl Fn(&P) -> bool,
    fits: impl Fn(&P, &I) -> bool,
) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(item) = items.get(seen) {
        match (pattern.get(at), retry) {
            (Some(part), _) if is_star(part) => {
                retry = Some((at, seen));
                at += 1;
            }
            (Some(part), _) if fits(part, item) => {
                at += 1;
                seen += 1;
            }
            (_, Some((star, from))) => {
                retry = Some((star, from + 1));
                at = star + 1;
                seen = from + 1;
            }
            (_, None) => return false,
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(is_star))
}

fn one(token: &Token, c: &char) -> bool {
    match token {
        Token::Char(expected) => expected == c,
        Token::One => true,
        Token::Many => false,
        Token::Set { negated, ranges } => {
            ranges.iter().any(|(low, high)| (low..=high).contains(&c)) != *negated
        }
    }
}

fn tokens(name: &str, sets: bool) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(name.len());
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        let token = match c {
            '\\' => Token::Char(rest.next().unwrap_or('\\')),
            '?' => Token::One,
            '*' => Token::Many,
            '[' if sets => match set(rest.as_str()) {
                Some((token, after)) => {
                    rest = after.chars();
                    token
                }
                None => Token::Char('['),
            },
            c => Token::Char(c),
        };
        if token != Token::Many || tokens.last() != Some(&Token::Many) {
            tokens.push(token);
        }
    }
    tokens
}

/// The set that begins behind a `[`, and what follows it; `None` if it is never closed.
fn set(text: &str) -> Option<(Token, &str)> {
    let (negated, body) = match text.strip_prefix(['!', '^']) {
        Some(body) => (true, body),
        None => (false, text),
    };
    let mut chars = body.char_indices().peekable();
    let mut members: Vec<char> = Vec::new();
    let mut ranges = Vec::new();
    while let Some((index, c)) = chars.next() {
        match c {
            ']' if index > 0 => {
                ranges.extend(members.into_iter().map(|member| (member, member)));
                return Some((Token::Set { negated, ranges }, body.get(index + 1..)?));
            }
            '-' if !members.is_empty() && chars.peek().is_some_and(|&(_, next)| next != ']') => {
                if let (Some(low), Some((_, high))) = (members.pop(), chars.next()) {
                    ranges.push((low, high));
                }
            }
            c => members.push(c),
        }
    }
    None
}

/// The patterns that the braces of one stand for, such as `a.js` and `a.ts` for `a.{js,ts}`;
/// `None` if they are too many.
pub(super) fn alternatives(pattern: &str) -> Option<Vec<String>> {
    let mut open = vec![pattern.to_owned()];
    let mut closed = Vec::new();
    while let Some(next) = open.pop() {
        match braces(&next) {
            None => closed.push(next),
            Some((before, choices, after)) => {
                open.extend(choices.iter().map(|choice| format!("{before}{choice}{after}")));
            }
        }
        if open.len() + closed.len() > CODEOWNERS_ALTERNATIVES_MAX {
            return None;
        }
    }
    Some(closed)
}

/// The first braces of a pattern: what is before, the choices within, what is after.
fn braces(pattern: &str) -> Option<(&str, Vec<&str>, &str)> {
    let start = pattern.find('{')?;
    let inside = pattern.get(start + 1..)?;
    let mut depth = 0_usize;
    let mut from = 0;
    let mut choices = Vec::new();
    for (index, c) in inside.char_indices() {
        match (c, depth) {
            ('{', _) => depth += 1,
            ('}', 0) => {
                choices.push(inside.get(from..index)?);
                return Some((pattern.get(..start)?, choices, inside.get(index + 1..)?));
            }
            ('}', _) => depth -= 1,
            (',', 0) => {
                choices.push(inside.get(from..index)?);
                from = index + 1;
            }
            _ => {}
        }
    }
    None
}
