//! Names of models, taken apart as the real server does.

use std::fmt;

/// The registry where a name says none.
const HOST: &str = "registry.ollama.ai";
/// The namespace where a name says none.
const NAMESPACE: &str = "library";
/// The tag where a name says none.
const TAG: &str = "latest";

/// `[host/][namespace/]name[:tag]`, its missing parts filled in, its spelling kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    host: String,
    namespace: String,
    model: String,
    tag: String,
    /// The full name in lower case.
    key: String,
}

/// Why a text names no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty.
    #[error("model is required")]
    Empty,
    /// It says both that the model is local and that it is in the cloud.
    #[error("use either :local or :cloud, not both: {0}")]
    TwoSources(String),
    /// A part is missing, too long, or has characters that it must not have.
    #[error("invalid model name")]
    Invalid,
}

impl Name {
    /// Takes a name apart, as `model.ParseName` does: without a mark for its source.
    ///
    /// # Errors
    /// Where a part is not valid.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (rest, tag) = match (text.rfind(':'), text.rfind('/')) {
            (Some(colon), slash) if slash.is_none_or(|slash| colon > slash) => {
                (text.get(..colon).unwrap_or_default(), text.get(colon + 1..).unwrap_or_default())
            }
            _ => (text, TAG),
        };
        let (rest, model) = rest.rsplit_once('/').map_or((None, rest), |(a, b)| (Some(a), b));
        let (host, namespace) = match rest.map(|rest| rest.rsplit_once('/').ok_or(rest)) {
            None => (HOST, NAMESPACE),
            Some(Err(namespace)) => (HOST, namespace),
            Some(Ok((host, namespace))) => {
                (host.split_once("://").map_or(host, |(_, host)| host), namespace)
            }
        };
        let valid = valid_part(host, 350, ".:-_")
            && valid_part(namespace, 80, "-_")
            && valid_part(model, 80, ".-_")
            && valid_part(tag, 80, ".-_");
        if !valid {
            return Err(NameError::Invalid);
        }
        let mut key = format!("{host}/{namespace}/{model}:{tag}");
        key.make_ascii_lowercase();
        Ok(Self {
            host: host.to_owned(),
            namespace: namespace.to_owned(),
            model: model.to_owned(),
            tag: tag.to_owned(),
            key,
        })
    }

    /// Takes a request's model apart: white space around it and a `:local` or `:cloud` at its end
    /// are no part of the name. A model in the cloud has the tag `cloud`, or `-cloud` after its tag.
    ///
    /// # Errors
    /// Where it is empty, has two sources, or a part is not valid.
    pub fn of_request(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let (base, source) = without_source(text);
        if source != Source::Unsaid && without_source(&base).1 != Source::Unsaid {
            return Err(NameError::TwoSources(
                crate::testkit::mock_server::surface::go_json::quoted(text),
            ));
        }
        match source {
            Source::Unsaid | Source::Local => Self::parse(&base),
            Source::Cloud => {
                let tagged = base.rfind(':') > base.rfind('/');
                Self::parse(&if tagged { format!("{base}-cloud") } else { format!("{base}:cloud") })
            }
        }
    }

    /// The name without its parts that are the default, with its tag: `llama3.2:latest`.
    #[must_use]
    pub fn short(&self) -> String {
        let same = str::eq_ignore_ascii_case;
        match (same(&self.host, HOST), same(&self.namespace, NAMESPACE)) {
            (true, true) => format!("{}:{}", self.model, self.tag),
            (true, false) => format!("{}/{}:{}", self.namespace, self.model, self.tag),
            (false, _) => self.to_string(),
        }
    }

    /// The family and size as they are written: `llama3.2`.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The model in the cloud that this name stands for: `gpt-oss:20b` of `gpt-oss:20b-cloud`.
    #[must_use]
    pub fn in_cloud(&self) -> Option<String> {
        if self.tag.eq_ignore_ascii_case("cloud") {
            return Some(self.model.clone());
        }
        let (tag, mark) = self.tag.split_at_checked(self.tag.len().checked_sub(6)?)?;
        mark.eq_ignore_ascii_case("-cloud").then(|| format!("{}:{tag}", self.model))
    }

    /// What two spellings of one name share.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// The full name.
impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}/{}:{}", self.host, self.namespace, self.model, self.tag)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Unsaid,
    Local,
    Cloud,
}

/// The name without the mark of its source.
fn without_source(text: &str) -> (String, Source) {
    let Some((base, mark)) = text.rsplit_once(':') else {
        return (text.to_owned(), Source::Unsaid);
    };
    let mark = mark.trim();
    let lower = mark.to_ascii_lowercase();
    match lower.as_str() {
        "cloud" => (base.to_owned(), Source::Cloud),
        "local" => (base.to_owned(), Source::Local),
        _ => match lower.strip_suffix("-cloud") {
            Some(tag) if !mark.contains('/') => {
                (format!("{base}:{}", mark.get(..tag.len()).unwrap_or_default()), Source::Cloud)
            }
            _ => (text.to_owned(), Source::Unsaid),
        },
    }
}

/// A part: letters, digits and `others`, the first a letter, a digit or `_`.
fn valid_part(part: &str, longest: usize, others: &str) -> bool {
    let first = part.bytes().next();
    part.len() <= longest
        && first.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && part
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || others.contains(character))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_filled_in() {
        for (text, full, short) in [
            ("llama3.2", "registry.ollama.ai/library/llama3.2:latest", "llama3.2:latest"),
            ("Llama3.2:1B", "registry.ollama.ai/library/Llama3.2:1B", "Llama3.2:1B"),
            ("me/x", "registry.ollama.ai/me/x:latest", "me/x:latest"),
            ("hf.co/a/b:Q4_K_M", "hf.co/a/b:Q4_K_M", "hf.co/a/b:Q4_K_M"),
            ("http://localhost:5000/a/b", "localhost:5000/a/b:latest", "localhost:5000/a/b:latest"),
            ("_x", "registry.ollama.ai/library/_x:latest", "_x:latest"),
        ] {
            let name = Name::parse(text).unwrap();
            assert_eq!((name.to_string().as_str(), name.short().as_str()), (full, short));
        }
        for text in [
            "",
            ":x",
            "x:",
            "/x",
            "x/",
            "a b",
            "-x",
            "x:-y",
            "a/b/c/d/e",
            "é",
            "a.b/x:y:z",
            &"x".repeat(81),
        ] {
            assert_eq!(Name::parse(text), Err(NameError::Invalid), "{text}");
        }
    }

    #[test]
    fn a_request_may_say_the_source() {
        let short = |text| Name::of_request(text).map(|name| name.short());
        assert_eq!(short(" x:local "), Ok("x:latest".to_owned()));
        assert_eq!(short("x:7b:local"), Ok("x:7b".to_owned()));
        assert_eq!(short("gpt-oss:20b-cloud"), Ok("gpt-oss:20b-cloud".to_owned()));
        assert_eq!(short("gpt-oss:20b:cloud"), Ok("gpt-oss:20b-cloud".to_owned()));
        assert_eq!(short("gpt-oss:cloud"), Ok("gpt-oss:cloud".to_owned()));
        assert_eq!(short("  "), Err(NameError::Empty));
        assert_eq!(
            short("x:cloud:local").unwrap_err().to_string(),
            r#"use either :local or :cloud, not both: "x:cloud:local""#
        );
    }

    #[test]
    fn a_name_may_stand_for_a_model_in_the_cloud() {
        for (text, model) in [
            ("gpt-oss:20b-cloud", Some("gpt-oss:20b")),
            ("kimi-k2:CLOUD", Some("kimi-k2")),
            ("x:latest", None),
            ("x:y", None),
            ("cloud", None),
        ] {
            assert_eq!(Name::parse(text).unwrap().in_cloud().as_deref(), model, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_short_name_names_the_same(text in "[A-Za-z0-9_./:-]{0,30}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(&name.short()), Ok(name.clone()));
                prop_assert_eq!(Name::parse(&name.to_string()), Ok(name));
            }
        }
    }
}
