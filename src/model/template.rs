//! Texts with places to fill in, such as `redis://localhost/{REDIS_DB}`.

/// A place that nothing is known for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Nothing has this name.
    #[error("`{text}`: there is no {{{name}}}")]
    Unknown {
        /// The whole text.
        text: String,
        /// What stands between the braces.
        name: String,
    },
    /// A brace that no other closes or opens.
    #[error("`{text}`: a brace stands alone; write {{{{ or }}}} for one that is meant as such")]
    Brace {
        /// The whole text.
        text: String,
    },
}

/// Fills in what stands in braces; `{{` and `}}` are braces themselves.
///
/// # Errors
/// [`TemplateError`], with the text.
///
/// ```
/// use flakedb::model::fill;
/// let value = |name: &str| (name == "worker").then(|| "3".to_owned());
/// assert_eq!(fill("app_{worker}", &value).unwrap(), "app_3");
/// assert_eq!(fill("{{{worker}}}", &value).unwrap(), "{3}");
/// assert!(fill("{wroker}", &value).is_err());
/// ```
pub fn fill(text: &str, value: &dyn Fn(&str) -> Option<String>) -> Result<String, TemplateError> {
    let brace = || TemplateError::Brace { text: text.to_owned() };
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let opens = from.starts_with('{');
        if let Some(after) = from.strip_prefix(if opens { "{{" } else { "}}" }) {
            filled.push(if opens { '{' } else { '}' });
            rest = after;
            continue;
        }
        let (name, after) = from
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .filter(|(name, _)| !name.contains('{'))
            .ok_or_else(brace)?;
        let known = value(name).ok_or_else(|| TemplateError::Unknown {
            text: text.to_owned(),
            name: name.to_owned(),
        })?;
        filled.push_str(&known);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_text_is_said_with_the_text() {
        let value = |name: &str| (name == "worker").then(|| "3".to_owned());
        let said = |text: &str| fill(text, &value).unwrap_err().to_string();
        assert_eq!(said("a_{wroker}"), "`a_{wroker}`: there is no {wroker}");
        for alone in ["{", "}", "a{worker", "{a{worker}", "worker}"] {
            assert!(said(alone).starts_with(&format!("`{alone}`: a brace")), "{alone}");
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        let value = |_: &str| Some("{worker}".to_owned());
        assert_eq!(fill("{a}-{b}", &value).unwrap(), "{worker}-{worker}");
        assert_eq!(fill("ü{a}ü", &value).unwrap(), "ü{worker}ü");
    }
}
