//! Families of models: what each can do, and how large it is. From the public library, by the
//! start of the name; the rows are tried in order.

/// What a model can do, in the order in which the real server lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Vectors, and nothing else.
    Embedding,
    /// Text.
    Completion,
    /// Images in messages.
    Vision,
    /// Sound in messages.
    Audio,
    /// Calls of tools.
    Tools,
    /// Filling the gap before a `suffix`.
    Insert,
    /// Thinking before the answer.
    Thinking,
    /// Images in place of text; no route of the server makes them any more.
    Image,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Embedding,
        Self::Completion,
        Self::Vision,
        Self::Audio,
        Self::Tools,
        Self::Insert,
        Self::Thinking,
        Self::Image,
    ];

    /// Its name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Completion => "completion",
            Self::Vision => "vision",
            Self::Audio => "audio",
            Self::Tools => "tools",
            Self::Insert => "insert",
            Self::Thinking => "thinking",
            Self::Image => "image",
        }
    }

    /// The capability of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }
}

/// A family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    /// How the names of its models begin.
    pub(super) prefix: &'static str,
    /// `general.architecture`.
    pub(super) architecture: &'static str,
    /// What its models can do.
    pub(super) capabilities: &'static [Capability],
    /// Parameters of a model whose tag says no size, in millions.
    pub(super) millions: u64,
    /// Tokens that it can attend to.
    pub(super) context_length: u64,
    /// Length of its vectors.
    pub(super) embedding_length: u64,
}

use Capability::{Audio, Completion, Embedding, Insert, Thinking, Tools, Vision};

const EMBEDS: &[Capability] = &[Embedding];
const TALKS: &[Capability] = &[Completion];
const SEES: &[Capability] = &[Completion, Vision];
const CALLS: &[Capability] = &[Completion, Tools];
const SEES_CALLS: &[Capability] = &[Completion, Vision, Tools];
const CALLS_INSERTS: &[Capability] = &[Completion, Tools, Insert];
const INSERTS: &[Capability] = &[Completion, Insert];
const CALLS_THINKS: &[Capability] = &[Completion, Tools, Thinking];
const SEES_CALLS_THINKS: &[Capability] = &[Completion, Vision, Tools, Thinking];
const ALL: &[Capability] = &[Completion, Vision, Audio, Tools, Thinking];

/// What is assumed of a model of no known family: it talks, calls tools and fills gaps.
pub(super) const UNKNOWN: Family = family("", "llama", CALLS_INSERTS, 8_000, 131_072, 4_096);
/// What is assumed of one whose name says that it embeds.
pub(super) const UNKNOWN_EMBEDDER: Family = family("", "bert", EMBEDS, 335, 512, 1_024);

#[rustfmt::skip]
pub(super) static FAMILIES: &[Family] = &[
    family("nomic-embed-text-v2", "nomic-bert-moe", EMBEDS, 475, 512, 768),
    family("nomic-embed-text", "nomic-bert", EMBEDS, 137, 2_048, 768),
    family("all-minilm", "bert", EMBEDS, 23, 256, 384),
    family("mxbai-embed-large", "bert", EMBEDS, 334, 512, 1_024),
    family("bge-m3", "bert", EMBEDS, 567, 8_192, 1_024),
    family("bge-large", "bert", EMBEDS, 335, 512, 1_024),
    family("snowflake-arctic-embed2", "bert", EMBEDS, 568, 8_192, 1_024),
    family("snowflake-arctic-embed", "bert", EMBEDS, 335, 512, 1_024),
    family("paraphrase-multilingual", "bert", EMBEDS, 278, 512, 768),
    family("granite-embedding", "bert", EMBEDS, 30, 512, 384),
    family("embeddinggemma", "gemma3", EMBEDS, 308, 2_048, 768),
    family("qwen3-embedding", "qwen3", EMBEDS, 7_600, 40_960, 4_096),
    family("qwen2.5-coder", "qwen2", CALLS_INSERTS, 7_600, 32_768, 3_584),
    family("qwen2.5vl", "qwen25vl", SEES, 8_300, 128_000, 3_584),
    family("qwen2.5", "qwen2", CALLS, 7_600, 32_768, 3_584),
    family("qwen2-math", "qwen2", TALKS, 7_600, 4_096, 3_584),
    family("qwen2", "qwen2", CALLS, 7_600, 32_768, 3_584),
    family("qwen3-coder", "qwen3moe", CALLS, 30_500, 262_144, 2_048),
    family("qwen3-vl", "qwen3vl", SEES_CALLS_THINKS, 8_800, 262_144, 4_096),
    family("qwen3.5", "qwen35", SEES_CALLS_THINKS, 9_700, 262_144, 4_096),
    family("qwen3.6", "qwen35", SEES_CALLS_THINKS, 27_000, 262_144, 5_120),
    family("qwen3", "qwen3", CALLS_THINKS, 8_200, 40_960, 4_096),
    family("qwen", "qwen2", TALKS, 4_000, 32_768, 2_560),
    family("qwq", "qwen2", CALLS, 32_800, 131_072, 5_120),
    family("llama4", "llama4", SEES_CALLS, 108_600, 10_485_760, 5_120),
    family("llama3.3", "llama", CALLS, 70_600, 131_072, 8_192),
    family("llama3.2-vision", "mllama", SEES, 10_700, 131_072, 4_096),
    family("llama3.2", "llama", CALLS, 3_200, 131_072, 3_072),
    family("llama3.1", "llama", CALLS, 8_000, 131_072, 4_096),
    family("llama3-groq-tool-use", "llama", CALLS, 8_000, 8_192, 4_096),
    family("llama3", "llama", TALKS, 8_000, 8_192, 4_096),
    family("llama2", "llama", TALKS, 6_700, 4_096, 4_096),
    family("codellama", "llama", INSERTS, 6_700, 16_384, 4_096),
    family("tinyllama", "llama", TALKS, 1_100, 2_048, 2_048),
    family("phi4-reasoning", "phi3", &[Completion, Thinking], 14_700, 32_768, 5_120),
    family("phi4-mini", "phi3", CALLS, 3_800, 131_072, 3_072),
    family("phi4", "phi3", TALKS, 14_700, 16_384, 5_120),
    family("phi", "phi3", TALKS, 3_800, 131_072, 3_072),
    family("gemma4", "gemma4", ALL, 8_000, 131_072, 2_560),
    family("gemma3n", "gemma3n", TALKS, 6_900, 32_768, 2_048),
    family("gemma3", "gemma3", SEES, 4_300, 131_072, 2_560),
    family("gemma2", "gemma2", TALKS, 9_200, 8_192, 3_584),
    family("gemma", "gemma", TALKS, 8_500, 8_192, 3_072),
    family("codegemma", "gemma", INSERTS, 8_500, 8_192, 3_072),
    family("functiongemma", "gemma3", CALLS, 268, 32_768, 640),
    family("llava", "llama", SEES, 7_200, 32_768, 4_096),
    family("bakllava", "llama", SEES, 7_200, 32_768, 4_096),
    family("moondream", "phi2", SEES, 1_400, 2_048, 2_048),
    family("minicpm-v", "qwen2", SEES, 7_600, 32_768, 3_584),
    family("deepseek-r1", "qwen3", CALLS_THINKS, 8_200, 131_072, 4_096),
    family("deepseek-coder", "llama", INSERTS, 1_300, 16_384, 2_048),
    family("deepseek-v3", "deepseek2", CALLS_THINKS, 671_000, 163_840, 7_168),
    family("gpt-oss", "gptoss", CALLS_THINKS, 20_900, 131_072, 2_880),
    family("granite-code", "llama", INSERTS, 3_500, 128_000, 2_560),
    family("granite4", "granitehybrid", CALLS_INSERTS, 3_400, 131_072, 2_560),
    family("granite3.2-vision", "granite", SEES_CALLS, 2_500, 16_384, 2_048),
    family("granite3", "granite", CALLS, 8_200, 131_072, 4_096),
    family("starcoder", "starcoder2", INSERTS, 3_000, 16_384, 3_072),
    family("codestral", "llama", INSERTS, 22_200, 32_768, 6_144),
    family("mistral-small", "mistral3", SEES_CALLS, 24_000, 131_072, 5_120),
    family("mistral", "llama", CALLS, 7_200, 32_768, 4_096),
    family("mixtral", "llama", CALLS, 46_700, 32_768, 4_096),
    family("magistral", "llama", CALLS_THINKS, 23_600, 40_000, 5_120),
    family("ministral", "mistral3", SEES_CALLS, 8_900, 262_144, 4_096),
    family("devstral", "llama", CALLS, 23_600, 131_072, 5_120),
    family("command-r", "command-r", CALLS, 32_300, 131_072, 8_192),
    family("smollm2", "llama", CALLS, 1_700, 8_192, 2_048),
    family("smollm", "llama", TALKS, 1_700, 2_048, 2_048),
    family("hermes3", "llama", CALLS, 8_000, 131_072, 4_096),
    family("nemotron-3", "nemotron_h_moe", CALLS_THINKS, 31_600, 1_048_576, 2_688),
    family("nemotron", "llama", CALLS, 70_600, 131_072, 8_192),
    family("cogito", "llama", CALLS_THINKS, 8_000, 131_072, 4_096),
    family("glm-", "glm4moe", CALLS_THINKS, 357_000, 202_752, 5_120),
    family("kimi-", "deepseek2", CALLS_THINKS, 1_000_000, 262_144, 7_168),
    family("minimax-", "minimax-m2", CALLS_THINKS, 230_000, 204_800, 3_072),
    family("orca-mini", "llama", TALKS, 3_400, 2_048, 3_200),
    family("stable-code", "stablelm", INSERTS, 3_000, 16_384, 2_560),
    family("vicuna", "llama", TALKS, 6_700, 4_096, 4_096),
    family("dolphin", "llama", TALKS, 8_000, 32_768, 4_096),
];

const fn family(
    prefix: &'static str,
    architecture: &'static str,
    capabilities: &'static [Capability],
    millions: u64,
    context_length: u64,
    embedding_length: u64,
) -> Family {
    Family { prefix, architecture, capabilities, millions, context_length, embedding_length }
}

/// The family of a model of this name (without namespace and tag).
pub(super) fn of(model: &str) -> Family {
    let lower = model.to_ascii_lowercase();
    let known = FAMILIES.iter().find(|family| lower.starts_with(family.prefix));
    match known {
        Some(family) => *family,
        None if lower.contains("embed") => UNKNOWN_EMBEDDER,
        None => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_hides_a_later_one() {
        for (at, row) in FAMILIES.iter().enumerate() {
            assert_eq!(of(row.prefix).prefix, row.prefix, "row {at}");
        }
    }

    #[test]
    fn capabilities_are_in_the_order_of_the_real_server() {
        for row in FAMILIES {
            assert!(row.capabilities.is_sorted(), "{}", row.prefix);
            assert!(row.capabilities.iter().all(|one| Capability::named(one.name()) == Some(*one)));
        }
    }
}
