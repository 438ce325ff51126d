//! One model: what it is made of, and what it says of itself. Everything derives from its name
//! and from what `/api/create` changed, so it is the same on every machine.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::family::{self, Capability};
use super::name::Name;

/// Media types of layers.
const MODEL: &str = "application/vnd.ollama.image.model";
const TEMPLATE: &str = "application/vnd.ollama.image.template";
const LICENSE: &str = "application/vnd.ollama.image.license";
const SYSTEM: &str = "application/vnd.ollama.image.system";
const PARAMS: &str = "application/vnd.ollama.image.params";
const MESSAGES: &str = "application/vnd.ollama.image.messages";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// The license of a model that none was created with.
const MIT: &str = "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy of this model.";

/// A part of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What it holds.
    pub media_type: &'static str,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// In bytes.
    pub size: u64,
}

impl Layer {
    fn of(media_type: &'static str, content: &[u8]) -> Self {
        Self { media_type, digest: sha256(content), size: content.len() as u64 }
    }
}

/// A model that the server has.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name.
    pub name: Name,
    /// What it was created from; empty where it was pulled.
    pub parent: String,
    /// `general.architecture`.
    pub architecture: String,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// How many parameters it has.
    pub parameter_count: u64,
    /// How they are stored: `Q4_K_M`.
    pub quantization: String,
    /// Tokens that it can attend to.
    pub context_length: u64,
    /// Length of its vectors.
    pub embedding_length: u64,
    /// The template of its prompts.
    pub template: String,
    /// Its system prompt; empty for none.
    pub system: String,
    /// Its license.
    pub license: String,
    /// Options that it sets.
    pub parameters: Map<String, Value>,
    /// Messages before each conversation (`role`, `content`).
    pub messages: Vec<Value>,
    /// `renderer`, `parser` and `requires` of the request that created it; empty for none.
    pub renderer: String,
    /// See `renderer`.
    pub parser: String,
    /// See `renderer`.
    pub requires: String,
    /// Its weights.
    pub weights: Layer,
    /// When it came.
    pub modified_at: DateTime<Utc>,
}

impl Model {
    /// The model of this name, as the registry has it.
    #[must_use]
    pub fn from_registry(name: Name, modified_at: DateTime<Utc>) -> Self {
        let family = family::of(name.model());
        let (count, quantization) = size_in_tag(name.tag());
        let parameter_count = count.unwrap_or(family.millions * 1_000_000);
        let embeds = family.capabilities.contains(&Capability::Embedding);
        let quantization =
            quantization.unwrap_or_else(|| if embeds { "F16" } else { "Q4_K_M" }.to_owned());
        let size = parameter_count.saturating_mul(bits_of(&quantization)) / 8;
        let weights = Layer {
            media_type: MODEL,
            digest: sha256(format!("weights of {}", name.key()).as_bytes()),
            size,
        };
        let mut parameters = Map::new();
        if !embeds {
            parameters.insert("stop".to_owned(), json!(stops(name.model())));
        }
        Self {
            name,
            parent: String::new(),
            architecture: family.architecture.to_owned(),
            capabilities: family.capabilities.to_vec(),
            parameter_count,
            quantization,
            context_length: family.context_length,
            embedding_length: family.embedding_length,
            template: template(family.capabilities),
            system: String::new(),
            license: MIT.to_owned(),
            parameters,
            messages: Vec::new(),
            renderer: String::new(),
            parser: String::new(),
            requires: String::new(),
            weights,
            modified_at,
        }
    }

    /// Weights in another storage.
    #[must_use]
    pub fn quantized(weights: &Layer, quantization: &str, parameter_count: u64) -> Layer {
        Layer {
            media_type: MODEL,
            digest: sha256(format!("{} as {quantization}", weights.digest).as_bytes()),
            size: parameter_count.saturating_mul(bits_of(quantization)) / 8,
        }
    }

    /// Whether it can do this.
    #[must_use]
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }

    /// Its layers in the order of its manifest, its configuration last.
    #[must_use]
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers = vec![self.weights.clone()];
        for (media_type, text) in
            [(TEMPLATE, &self.template), (SYSTEM, &self.system), (LICENSE, &self.license)]
        {
            if !text.is_empty() {
                layers.push(Layer::of(media_type, text.as_bytes()));
            }
        }
        if !self.parameters.is_empty() {
            let text = Value::Object(self.parameters.clone()).to_string();
            layers.push(Layer::of(PARAMS, text.as_bytes()));
        }
        if !self.messages.is_empty() {
            let text = Value::Array(self.messages.clone()).to_string();
            layers.push(Layer::of(MESSAGES, text.as_bytes()));
        }
        layers.push(Layer::of(CONFIG, self.config().to_string().as_bytes()));
        layers
    }

    fn config(&self) -> Value {
        json!({
            "model_format": "gguf",
            "model_family": self.architecture,
            "model_type": self.parameter_size(),
            "file_type": self.quantization,
            "renderer": self.renderer,
            "parser": self.parser,
            "requires": self.requires,
            "capabilities": self.capability_names(),
            "context_length": self.context_length,
            "parent": self.parent,
        })
    }

    /// The digest of its manifest: 64 hexadecimal digits without a prefix.
    #[must_use]
    pub fn digest(&self) -> String {
        let manifest: Vec<Value> = self
            .layers()
            .iter()
            .map(|layer| {
                json!({"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size})
            })
            .collect();
        let digest = sha256(Value::Array(manifest).to_string().as_bytes());
        digest.trim_start_matches("sha256:").to_owned()
    }

    /// The bytes of all its layers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.layers().iter().fold(0, |sum, layer| sum.saturating_add(layer.size))
    }

    /// The names of what it can do.
    #[must_use]
    pub fn capability_names(&self) -> Vec<&'static str> {
        self.capabilities.iter().map(|capability| capability.name()).collect()
    }

    /// How many parameters it has, for people: `3.2B`, `137M`.
    #[must_use]
    pub fn parameter_size(&self) -> String {
        let count = self.parameter_count;
        match count {
            1_000_000_000.. => scaled(count, 1_000_000_000, "B"),
            1_000_000.. => format!("{:.2}M", count as f64 / 1e6),
            1_000.. => format!("{:.0}K", count as f64 / 1e3),
            _ => count.to_string(),
        }
    }
}

/// One digit after the point, as the real server writes it.
fn scaled(count: u64, unit: u64, letter: &str) -> String {
    let value = count as f64 / unit as f64;
    if value >= 100.0 { format!("{value:.0}{letter}") } else { format!("{value:.1}{letter}") }
}

/// `sha256:` and the digest of these bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// What a tag says of the number of parameters and their storage: `8b-instruct-q8_0`.
fn size_in_tag(tag: &str) -> (Option<u64>, Option<String>) {
    let lower = tag.to_ascii_lowercase();
    let (mut count, mut quantization) = (None, None);
    for part in lower.split('-') {
        if let Some(found) = parameters_in(part) {
            count = count.or(Some(found));
        } else if matches!(part, "fp16" | "f16" | "bf16" | "fp32" | "f32" | "mxfp4" | "nvfp4")
            || (part.starts_with('q') && part.as_bytes().get(1).is_some_and(u8::is_ascii_digit))
            || part.starts_with("iq")
        {
            quantization =
                Some(part.replace("fp16", "f16").replace("fp32", "f32").to_ascii_uppercase());
        }
    }
    (count, quantization)
}

/// The number in `3b`, `0.5b`, `335m`, `8x7b`.
fn parameters_in(part: &str) -> Option<u64> {
    let (digits, unit) = match (part.strip_suffix('b'), part.strip_suffix('m')) {
        (Some(digits), _) => (digits, 1e9),
        (None, Some(digits)) => (digits, 1e6),
        (None, None) => return None,
    };
    let digits = digits.strip_prefix('e').unwrap_or(digits);
    let number = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|number| text.starts_with(|c: char| c.is_ascii_digit()) && *number > 0.0)
    };
    let value = match digits.split_once('x') {
        Some((experts, each)) => number(experts)? * number(each)?,
        None => number(digits)?,
    };
    Some((value * unit) as u64).filter(|count| *count > 0 && *count < 1_000_000_000_000_000)
}

/// Bits of each parameter, scales among them.
fn bits_of(quantization: &str) -> u64 {
    match quantization {
        "F32" => 32,
        "F16" | "BF16" => 16,
        _ => match quantization.trim_start_matches('I').as_bytes() {
            [b'Q', b'2', ..] => 3,
            [b'Q', b'3', ..] => 4,
            [b'Q', b'5', ..] => 6,
            [b'Q', b'6', ..] => 7,
            [b'Q', b'8', ..] => 9,
            _ => 5,
        },
    }
}

/// The texts at which a model of this name ends an answer.
fn stops(model: &str) -> &'static [&'static str] {
    if model.to_ascii_lowercase().starts_with("llama2") {
        return &["[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"];
    }
    &["<|im_start|>", "<|im_end|>"]
}

/// A template (in Go's language) that shows what the model can do.
fn template(capabilities: &[Capability]) -> String {
    if capabilities.contains(&Capability::Embedding) {
        return "{{ .Prompt }}".to_owned();
    }
    let mut text = String::new();
    if capabilities.contains(&Capability::Insert) {
        text.push_str(
            "{{- if .Suffix }}<|fim_prefix|>{{ .Prompt }}<|fim_suffix|>{{ .Suffix }}<|fim_middle|>\n{{- else }}",
        );
    }
    text.push_str("{{- if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ end }}");
    if capabilities.contains(&Capability::Tools) {
        text.push_str(
            "{{- if .Tools }}<|im_start|>system\n<tools>{{ .Tools }}</tools><|im_end|>\n{{ end }}",
        );
    }
    text.push_str("{{- range .Messages }}<|im_start|>{{ .Role }}\n");
    if capabilities.contains(&Capability::Thinking) {
        text.push_str("{{ if .Thinking }}<think>{{ .Thinking }}</think>\n{{ end }}");
    }
    text.push_str("{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n");
    if capabilities.contains(&Capability::Insert) {
        text.push_str("{{- end }}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> Model {
        Model::from_registry(Name::parse(name).unwrap(), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn sizes_are_read_from_tags() {
        for (name, parameters, quantization) in [
            ("llama3.2:latest", "3.2B", "Q4_K_M"),
            ("qwen2.5:0.5b", "500.00M", "Q4_K_M"),
            ("llama3.1:70b-instruct-q8_0", "70.0B", "Q8_0"),
            ("mixtral:8x7b", "56.0B", "Q4_K_M"),
            ("deepseek-r1:671b", "671B", "Q4_K_M"),
            ("nomic-embed-text", "137.00M", "F16"),
            ("all-minilm:33m", "33.00M", "F16"),
            ("phi3:mini", "3.8B", "Q4_K_M"),
            ("x:b", "8.0B", "Q4_K_M"),
            ("x:999999999999999999999999b", "8.0B", "Q4_K_M"),
        ] {
            let model = model(name);
            assert_eq!(
                (model.parameter_size().as_str(), model.quantization.as_str()),
                (parameters, quantization),
                "{name}"
            );
        }
    }

    #[test]
    fn a_change_changes_the_digest_and_a_spelling_does_not() {
        let one = model("llama3.2");
        assert_eq!(one.digest(), model("LLAMA3.2:latest").digest());
        assert_ne!(one.digest(), model("llama3.2:1b").digest());
        let mut changed = one.clone();
        changed.system = "Be brief.".to_owned();
        assert_ne!(one.digest(), changed.digest());
        assert_eq!(changed.layers()[0], one.layers()[0]);
        assert_eq!(one.digest().len(), 64);
        assert_eq!(one.size(), one.layers().iter().map(|layer| layer.size).sum::<u64>());
    }
}
