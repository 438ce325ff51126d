//! Rule files: models, settings and stubs in JSON or TOML.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Stub;
use super::fields::{Field, Fields, StubError};
use super::locate::Source;
use super::replies::{self, DefaultReplies};
use super::{read_stub, read_then};
use crate::testkit::mock_server::fault::{FaultRule, chaos};
use crate::testkit::mock_server::models::{Capability, Name};
use crate::testkit::mock_server::settings::Settings;
use crate::testkit::mock_server::timing::Timing;
use crate::testkit::nearest::hint;

/// Everything that a rule file says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleFile {
    /// Names of models that the server has.
    pub models: Vec<String>,
    /// What those of them can do that say so, by the name that they have in `models`.
    pub capabilities: BTreeMap<String, Vec<Capability>>,
    /// How it answers where no stub says.
    pub settings: RuleSettings,
    /// The stubs, in the order of the file: later ones win over earlier ones of their priority.
    pub stubs: Vec<Stub>,
}

/// The settings of a rule file; what it does not say stays as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleSettings {
    /// What every decision derives from.
    pub seed: Option<u64>,
    /// Whether a request without a stub gets a default reply.
    pub default_replies: Option<bool>,
    /// Default replies by a word of the user's text.
    pub keyword_replies: Vec<(String, String)>,
    /// Whether `format` and `tools` of a request answer it.
    pub auto: Option<bool>,
    /// The model of requests that name none.
    pub default_model: Option<String>,
    /// Whether models that the server does not have are answered for.
    pub any_model: Option<bool>,
    /// Names that a pull does not find; it finds all others.
    pub not_in_registry: Option<Vec<String>>,
    /// How long answers take.
    pub timing: Timing,
    /// What breaks, and when, where no stub says.
    pub faults: Vec<FaultRule>,
}

/// A rule file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// It cannot be read at all.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{name}:{line}: {problem}")]
    Wrong {
        /// The file.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what was probably meant.
        problem: String,
    },
}

impl RuleFile {
    /// Reads a file: TOML where its name ends in `.toml`, else JSON.
    ///
    /// # Errors
    /// [`RuleError`] with the line, and the nearest known key where a key is unknown.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, RuleError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| RuleError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the text of a file; `name` stands in errors, and `.toml` at its end means TOML.
    ///
    /// # Errors
    /// As [`RuleFile::read`].
    pub fn parse(text: &str, name: &str) -> Result<Self, RuleError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let is_toml = name.to_lowercase().ends_with(".toml");
        let source = if is_toml { Source::toml(text) } else { Source::json(text) };
        let wrong = |line, problem| RuleError::Wrong { name: name.to_owned(), line, problem };
        let source = source.map_err(|error| wrong(error.line, error.message))?;
        Self::from_value(&source.value)
            .map_err(|error| wrong(source.line(&error.path), error.to_string()))
    }

    /// A rule file as a JSON value: an object, or the bare list of its stubs.
    ///
    /// # Errors
    /// [`StubError`] that says where it is wrong.
    pub fn from_value(value: &Value) -> Result<Self, StubError> {
        let root = Field::root(value);
        if value.is_array() {
            let stubs = root.items().iter().map(read_stub::read).collect::<Result<_, _>>()?;
            return Ok(Self { stubs, ..Self::default() });
        }
        let mut fields = root.fields()?;
        let mut rules = Self::default();
        if let Some(field) = fields.take(&["models", "model_list"])? {
            for item in field.items() {
                let (name, capabilities) = model(&item)?;
                if let Some(capabilities) = capabilities {
                    rules.capabilities.insert(name.clone(), capabilities);
                }
                rules.models.push(name);
            }
        }
        if let Some(field) = fields.take(&["settings"])? {
            let mut inner = field.fields()?;
            rules.settings = settings(&mut inner)?;
            inner.finish()?;
        }
        if let Some(field) = fields.take(&["stubs", "rules", "mocks", "mappings", "fixtures"])? {
            rules.stubs = field.items().iter().map(read_stub::read).collect::<Result<_, _>>()?;
        }
        rules.settings.faults.extend(faults(&mut fields)?);
        fields.take(&["$schema"])?;
        fields.finish()?;
        Ok(rules)
    }
}

impl RuleSettings {
    /// Changes what the file says; `default_model`, `any_model` and `not_in_registry` are the models' affair.
    pub fn apply(&self, settings: &mut Settings) {
        if let Some(seed) = self.seed {
            settings.seed = seed;
        }
        if let Some(default_replies) = self.default_replies {
            settings.default_replies = default_replies;
        }
        if let Some(auto) = self.auto {
            settings.auto = auto;
        }
        settings.keyword_replies.extend(self.keyword_replies.iter().cloned());
        settings.timing = self.timing.over(&settings.timing);
        settings.faults.extend(self.faults.iter().cloned());
    }
}

/// A model by its name, or `{name, capabilities}` as the admin API lists it.
fn model(field: &Field<'_>) -> Result<(String, Option<Vec<Capability>>), StubError> {
    if field.value.is_string() {
        return Ok((valid_name(field)?, None));
    }
    let mut fields = field.fields()?;
    let name = fields.take(&["name", "model"])?;
    let capabilities = fields.take(&["capabilities"])?;
    fields.take(&["modified_at"])?;
    fields.finish()?;
    let Some(name) = name else { return Err(field.error("a model wants a `name`")) };
    let capabilities = capabilities
        .map(|field| field.items().iter().map(capability).collect::<Result<_, _>>())
        .transpose()?;
    Ok((valid_name(&name)?, capabilities))
}

fn valid_name(field: &Field<'_>) -> Result<String, StubError> {
    let name = field.text()?;
    Name::parse(&name).map_err(|error| field.error(error.to_string()))?;
    Ok(name)
}

fn capability(field: &Field<'_>) -> Result<Capability, StubError> {
    const KNOWN: [&str; 8] =
        ["completion", "tools", "insert", "vision", "embedding", "thinking", "image", "audio"];
    let name = field.text()?;
    Capability::named(&name).ok_or_else(|| {
        let meant = hint(&name, KNOWN);
        field.error(format!("no capability is {name:?}{meant}; known are {}", KNOWN.join(", ")))
    })
}

fn settings(fields: &mut Fields<'_>) -> Result<RuleSettings, StubError> {
    let mut settings =
        RuleSettings { timing: read_then::timing(fields)?, ..RuleSettings::default() };
    settings.seed = fields.take(&["seed"])?.map(|field| field.count(0)).transpose()?;
    settings.auto = fields.take(&["auto"])?.map(|field| field.boolean()).transpose()?;
    settings.default_model =
        fields.take(&["default_model"])?.map(|field| valid_name(&field)).transpose()?;
    if let Some(field) = fields.take(&["not_in_registry", "missing"])? {
        let names = field.items().iter().map(valid_name).collect::<Result<_, _>>()?;
        settings.not_in_registry = Some(names);
    }
    if let Some(field) = fields.take(&["strict"])? {
        settings.default_replies = Some(!field.boolean()?);
    }
    if let Some(field) = fields.take(&["default_replies"])? {
        match replies::read(&field)? {
            DefaultReplies::Usual(wanted) => settings.default_replies = Some(wanted),
            DefaultReplies::Keywords(replies) => settings.keyword_replies = replies,
        }
    }
    if let Some(field) = fields.take(&["any_model"])? {
        settings.any_model = Some(field.boolean()?);
    }
    if let Some(field) = fields.take(&["unknown_models"])? {
        settings.any_model = Some(match field.text()?.as_str() {
            "allow" => true,
            "reject" => false,
            _ => return Err(field.error("wants \"allow\" or \"reject\"")),
        });
    }
    settings.faults = faults(fields)?;
    Ok(settings)
}

/// `faults`, and the presets of `chaos`.
fn faults(fields: &mut Fields<'_>) -> Result<Vec<FaultRule>, StubError> {
    let mut rules = read_then::faults(fields)?;
    if let Some(field) = fields.take(&["chaos"])? {
        for item in field.items() {
            rules.extend(chaos(&item.text()?).map_err(|error| item.error(error.to_string()))?);
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testkit::mock_server::fault::Fault;

    const TOML: &str = r#"
models = ["llama3.2", "qwen3"]

[settings]
seed = 7
auto = true
latency = 20
default_replies = { ping = "pong" }

[[stubs]]
name = "weather"
match.user.contains = "weather"
reply = "Sunny"

[[stubs]]
match = { user = "Fail once.", model = "qwen3" }
reply.text = { z = 1, a = 2 }
faults = [{ kind = "status", status = 500, first = 1 }]
"#;

    #[test]
    fn toml_and_json_say_the_same() {
        let json = json!({
            "models": ["llama3.2", {"name": "qwen3"}],
            "settings": {"seed": 7, "auto": true, "latency": 20, "default_replies": {"ping": "pong"}},
            "stubs": [
                {"name": "weather", "match": {"user": {"contains": "weather"}}, "reply": "Sunny"},
                {"match": {"user": "Fail once.", "model": "qwen3"}, "reply": {"text": {"z": 1, "a": 2}},
                 "faults": [{"kind": "status", "status": 500, "first": 1}]},
            ],
        });
        let from_toml = RuleFile::parse(TOML, "rules.toml").unwrap();
        assert_eq!(from_toml, RuleFile::parse(&json.to_string(), "rules.json").unwrap());
        assert_eq!(
            from_toml.stubs[1],
            Stub::any()
                .model("qwen3")
                .user("Fail once.")
                .reply(r#"{"z":1,"a":2}"#)
                .fault(FaultRule::new(Fault::status(500)).first(1))
        );
        let mut settings = Settings::default();
        from_toml.settings.apply(&mut settings);
        assert_eq!((settings.seed, settings.auto), (7, true));
        assert_eq!(settings.keyword_replies, [("ping".to_owned(), "pong".to_owned())]);
    }

    #[test]
    fn models_say_what_they_can_do_and_what_a_pull_does_not_find() {
        let text = "[[models]]\nname = 'a'\ncapabilities = ['completion', 'tools']\n\
                    [[models]]\nname = 'b'\n[settings]\nmissing = 'gone'\n";
        let rules = RuleFile::parse(text, "r.toml").unwrap();
        assert_eq!(rules.models, ["a", "b"]);
        assert_eq!(rules.capabilities.len(), 1);
        assert_eq!(rules.capabilities["a"], [Capability::Completion, Capability::Tools]);
        assert_eq!(rules.settings.not_in_registry, Some(vec!["gone".to_owned()]));
    }

    #[test]
    fn default_replies_are_spelt_in_many_ways() {
        let wanted = [("ping".to_owned(), "pong".to_owned())];
        for spelt in [
            json!({"ping": "pong"}),
            json!([{"ping": "pong"}]),
            json!([["ping", "pong"]]),
            json!([{"keyword": "ping", "text": "pong"}]),
            json!([{"match": "ping", "reply": "pong"}]),
            json!([{"contains": "ping", "response": "pong"}]),
            json!([{"prompt": "ping", "reply": "pong"}]),
        ] {
            let rules = RuleFile::from_value(&json!({"settings": {"default_replies": spelt}}));
            assert_eq!(rules.unwrap().settings.keyword_replies, wanted, "{spelt}");
        }
    }

    #[test]
    fn a_bare_list_is_the_stubs() {
        let rules = RuleFile::parse(r#"[{"match": "Hi", "reply": "Hello"}]"#, "x").unwrap();
        assert_eq!(rules.stubs, [Stub::any().user("Hi").reply("Hello")]);
    }

    #[test]
    fn errors_name_the_line_and_what_was_meant() {
        let errors: Vec<String> = [
            ("r.toml", "[[stubs]]\nreply = 'x'\nmatch.usr = 'y'\n"),
            ("r.toml", "model = []\n"),
            ("r.toml", "stubs = [\n"),
            ("r.toml", "[settings]\nunknown_models = 'deny'\n"),
            ("r.toml", "[[stubs]]\nmatch.user.regex = '('\nreply = 'x'\n"),
            ("r.json", "{\n \"stubs\": [\n  {\"reply\": \"x\"},\n  {\"match\": {}}\n ]}"),
            ("r.json", "[{\"reply\": \"x\",\n \"priorty\": 1}]"),
            ("r.json", "{\"stubs\": [}"),
            ("r.json", "{\"chaos\": \"overlod\"}"),
            ("r.toml", "[[models]]\nname = 'a'\n[[models]]\nname = 'b c'\n"),
            ("r.toml", "[[models]]\nname = 'a'\ncapabilites = ['tools']\n"),
            ("r.toml", "[[models]]\nname = 'a'\ncapabilities = ['tool']\n"),
            ("r.toml", "[settings]\ndefault_replies = [['a', 1]]\n"),
            ("r.toml", "[settings]\nmissing = ['a b']\n"),
            ("r.toml", "[[stubs]]\nmatch = 'x'\nrepyl = 'y'\n"),
        ]
        .iter()
        .map(|(name, text)| match RuleFile::parse(text, name) {
            Err(error) => error.to_string(),
            Ok(rules) => panic!("{text} is {rules:?}"),
        })
        .collect();
        insta::assert_snapshot!(errors.join("\n"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_rules_or_an_error_with_a_line(
            text in "(\\{|\\[|stubs|reply|match|user|\"|:|,|=|\\}|\\]|x|1|\n| ){0,30}",
            toml: bool,
        ) {
            let name = if toml { "r.toml" } else { "r.json" };
            if let Err(error) = RuleFile::parse(&text, name) {
                proptest::prop_assert!(error.to_string().starts_with(name));
            }
        }
    }
}
