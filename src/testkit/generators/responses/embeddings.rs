//! Answers of `/api/embed`.

use serde_json::{Value, json};

use super::super::generate::{COUNT_MAX, Generate};
use super::super::invalid::{Checked, Invalid, of_shape, with};
use super::super::source::Stream;
use super::{duration, exceeding};
use crate::testkit::nodes::response::{EMBED_RESPONSE, EmbedResponse, Metrics};
use crate::testkit::nodes::{Rule, Violation};

/// The most numbers of one answer.
const NUMBERS_MAX: usize = 10_000_000;

/// Answers of `/api/embed`: vectors of length 1, all of the same dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embeddings {
    model: String,
    texts: usize,
    dimension: usize,
}

impl Default for Embeddings {
    /// One text, eight dimensions.
    fn default() -> Self {
        Self { model: "nomic-embed-text".to_owned(), texts: 1, dimension: 8 }
    }
}

impl Embeddings {
    /// One text, eight dimensions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// By this model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = model.into();
        self
    }

    /// Of so many texts, 1 to [`COUNT_MAX`], and no more than ten million numbers are enough for.
    #[must_use]
    pub fn texts(mut self, texts: usize) -> Self {
        self.texts = texts.clamp(1, COUNT_MAX);
        self
    }

    /// Vectors of so many numbers, 1 to [`COUNT_MAX`].
    #[must_use]
    pub fn dimension(mut self, dimension: usize) -> Self {
        self.dimension = dimension.clamp(1, COUNT_MAX);
        self
    }

    fn vector(&self, stream: &mut Stream) -> Vec<f64> {
        let parts: Vec<f64> = (0..self.dimension).map(|_| stream.uniform() * 2.0 - 1.0).collect();
        // Square roots and products are exact to the last bit everywhere, unlike other functions.
        let length = parts.iter().map(|part| part * part).sum::<f64>().sqrt();
        match length > 0.0 {
            true => parts.iter().map(|part| (part / length * 1e6).round() / 1e6).collect(),
            false => (0..self.dimension).map(|at| f64::from(u8::from(at == 0))).collect(),
        }
    }
}

impl Generate for Embeddings {
    type Output = EmbedResponse;
    const KIND: &'static str = "embedding";

    fn generate(&self, stream: &mut Stream) -> EmbedResponse {
        let texts = self.texts.min(NUMBERS_MAX / self.dimension);
        let embeddings = (0..texts).map(|_| self.vector(stream)).collect();
        let load = duration(stream, 5, 20);
        EmbedResponse {
            model: self.model.clone(),
            embeddings,
            metrics: Metrics {
                total_duration: Some(load + texts as u64 * duration(stream, 2, 8)),
                load_duration: Some(load),
                prompt_eval_count: Some(texts as u64 * (4 + stream.below(20))),
                ..Metrics::default()
            },
        }
    }
}

impl Checked for Embeddings {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        EmbedResponse::violations(value)
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        let mut found = of_shape(&EMBED_RESPONSE, good);
        found.extend(exceeding(good));
        let vectors = good.get("embeddings").and_then(Value::as_array);
        if let Some(vectors) = vectors {
            let longer = json!(vec![0.5; self.dimension + 1]);
            let more = vectors.iter().cloned().chain([longer]).collect();
            let at = format!("embeddings.{}", vectors.len());
            found.push(Invalid::new(Rule::WrongCount, at, with(good, "embeddings", more)));
        }
        found
    }
}
