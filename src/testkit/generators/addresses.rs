//! Addresses of mail and of pages, at hosts that nobody can own.

use serde_json::{Value, json};

use super::generate::Generate;
use super::invalid::{Checked, Invalid, of_kind};
use super::primitives::ALPHANUMERIC;
use super::source::Stream;
use crate::testkit::nodes::field::Kind;
use crate::testkit::nodes::{Rule, Violation};

const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

/// Addresses of mail, at domains that nobody can own: `qhzkwtma@ydkrvp.example`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emails;

/// Addresses of pages, at domains that nobody can own: `https://qhzkwtma.example/a1b2c3d4e5`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Urls;

impl Generate for Emails {
    type Output = String;
    const KIND: &'static str = "email";

    fn generate(&self, stream: &mut Stream) -> String {
        let user = stream.text(LOWER, 8);
        format!("{user}@{}.example", stream.text(LOWER, 6))
    }
}

impl Generate for Urls {
    type Output = String;
    const KIND: &'static str = "url";

    fn generate(&self, stream: &mut Stream) -> String {
        let host = stream.text(LOWER, 8);
        format!("https://{host}.example/{}", stream.text(ALPHANUMERIC, 10))
    }
}

fn is_host(text: &str) -> bool {
    let labels: Vec<&str> = text.split('.').collect();
    labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(user, host)| {
        let fine = |b: u8| b.is_ascii_alphanumeric() || b"._+-".contains(&b);
        !user.is_empty() && user.bytes().all(fine) && is_host(host)
    })
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        is_host(host) && path.bytes().all(|b| b.is_ascii_graphic())
    })
}

fn text_that(value: &Value, holds: fn(&str) -> bool, rule: Rule, what: &str) -> Vec<Violation> {
    match value.as_str() {
        Some(text) if !holds(text) => {
            vec![Violation::new(rule, "", format!("{text:?} is no {what}"))]
        }
        _ => Kind::Text.violations(value),
    }
}

impl Checked for Emails {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        text_that(value, is_email, Rule::BadEmail, "address like someone@host.example")
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        let without_at = good.as_str().unwrap_or_default().replace('@', "");
        let mut found = of_kind(&Kind::Text, good);
        found.push(Invalid::new(Rule::BadEmail, "", json!(without_at)));
        found
    }
}

impl Checked for Urls {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        text_that(value, is_url, Rule::BadUrl, "URL like https://host.example/path")
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        let without_scheme = good.as_str().unwrap_or_default().replace("https://", "");
        let mut found = of_kind(&Kind::Text, good);
        found.push(Invalid::new(Rule::BadUrl, "", json!(without_scheme)));
        found
    }
}
