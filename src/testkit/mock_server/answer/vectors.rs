//! Vectors of texts: hashed words and runs of letters, so that alike texts are near each other.

use std::collections::BTreeMap;

use super::words;
use crate::testkit::mock_server::ask::EmbedAsk;

/// Lengths by what the name of a model holds; the first that fits counts.
const LENGTHS: [(&str, usize); 12] = [
    ("nomic-embed", 768),
    ("all-minilm", 384),
    ("mxbai-embed", 1024),
    ("bge-m3", 1024),
    ("bge-large", 1024),
    ("snowflake-arctic-embed2", 1024),
    ("snowflake-arctic-embed", 1024),
    ("embeddinggemma", 768),
    ("granite-embedding", 384),
    ("paraphrase-multilingual", 768),
    ("qwen3-embedding", 4096),
    ("llama3.2", 3072),
];
/// The length where no row fits.
const LENGTH: usize = 2048;
const WORD: f64 = 1.0;
const STOP_WORD: f64 = 0.2;
const PAIR: f64 = 0.5;
const LETTERS: f64 = 0.25;
/// The text as it is, case and marks counted: no two texts have the same vector.
const EXACT: f64 = 0.05;

/// A word of the same group.
const RELATED: f64 = 0.7;
/// In place of 0, and so far from 1: Go writes whole numbers without a point, and a client would
/// read integers among its floating-point numbers.
const NUDGE: f64 = 1e-6;

/// Words that are near each other; the more groups they share, the nearer.
const GROUPS: [&[&str]; 29] = [
    &["cat", "kitten", "kitty", "feline"],
    &["dog", "puppy", "hound", "canine"],
    &[
        "animal", "pet", "cat", "kitten", "kitty", "feline", "dog", "puppy", "hound", "canine",
        "hamster", "horse", "cow", "lion", "tiger", "wolf", "bird", "fish", "bear",
    ],
    &["king", "queen", "prince", "princess", "royal", "throne", "crown", "monarch"],
    &["man", "boy", "father", "brother", "son", "uncle", "king", "prince"],
    &["woman", "girl", "mother", "sister", "daughter", "aunt", "queen", "princess"],
    &["father", "mother", "parent", "son", "daughter", "child", "brother", "sister", "family"],
    &["car", "truck", "automobile", "vehicle", "bus", "engine", "drive", "driver"],
    &["train", "railway", "plane", "airplane", "flight", "ship", "boat", "travel", "trip"],
    &["sky", "blue", "cloud", "atmosphere", "rayleigh", "scattering", "sunlight"],
    &["rain", "snow", "storm", "wind", "weather", "sunny", "cloud", "forecast", "temperature"],
    &["sun", "moon", "star", "planet", "earth", "space", "galaxy", "astronomy"],
    &["ocean", "sea", "lake", "river", "water", "wave", "beach"],
    &["grass", "green", "tree", "leaf", "plant", "flower", "forest", "garden"],
    &["red", "green", "blue", "yellow", "color", "colour", "orange", "purple"],
    &["apple", "banana", "orange", "fruit", "pear", "grape", "cherry"],
    &["pizza", "pasta", "bread", "food", "meal", "eat", "dinner", "lunch", "restaurant", "cook"],
    &["coffee", "tea", "drink", "juice", "beer", "wine"],
    &["doctor", "nurse", "hospital", "medicine", "patient", "health", "disease"],
    &["teacher", "school", "student", "university", "class", "education", "learn"],
    &["computer", "software", "program", "code", "programming", "developer", "algorithm"],
    &["python", "rust", "java", "javascript", "golang", "programming", "code"],
    &["model", "embedding", "vector", "neural", "learning", "llm", "ai", "transformer"],
    &["money", "bank", "stock", "price", "market", "finance", "dollar", "economy"],
    &["football", "soccer", "basketball", "tennis", "sport", "game", "team", "player"],
    &["music", "song", "guitar", "piano", "band", "singer", "concert"],
    &["paris", "france", "french", "eiffel"],
    &["happy", "glad", "joy", "joyful", "cheerful", "pleased"],
    &["sad", "unhappy", "sorrow", "gloomy", "miserable"],
];

/// Vectors for texts: of unit length, the same text always the same, alike texts near each other.
/// `dimensions` cuts them; what is left has unit length again.
pub(crate) fn vectors(ask: &EmbedAsk) -> Vec<Vec<f32>> {
    let model = ask.model.to_lowercase();
    let length = ask.length.unwrap_or_else(|| length(&model));
    ask.inputs
        .iter()
        .map(|input| {
            let mut vector = features(&model, input, length);
            if let Some(cut) = ask.dimensions.filter(|cut| *cut > 0) {
                vector.truncate(cut);
            }
            unit(vector)
        })
        .collect()
}

/// The length of a model's vectors, by its name in lower case.
fn length(model: &str) -> usize {
    LENGTHS.iter().find(|(part, _)| model.contains(part)).map_or(LENGTH, |(_, length)| *length)
}

/// The sum of the directions of everything in a text.
fn features(model: &str, text: &str, length: usize) -> Vec<f64> {
    let words = words::of(text);
    let mut weights: BTreeMap<(&str, String), f64> = BTreeMap::new();
    let mut add = |kind: &'static str, feature: String, weight: f64| {
        *weights.entry((kind, feature)).or_insert(0.0) += weight;
    };
    for word in &words {
        let weight = if words::is_stop(word) { STOP_WORD } else { WORD };
        add("word", word.clone(), weight);
        let padded: Vec<char> =
            std::iter::once(' ').chain(word.chars()).chain(std::iter::once(' ')).collect();
        for run in padded.windows(3) {
            add("letters", run.iter().collect(), weight * LETTERS);
        }
        let single = word.strip_suffix('s').unwrap_or(word);
        for (number, group) in GROUPS.iter().enumerate() {
            if group.iter().any(|related| word == related || single == *related) {
                add("group", number.to_string(), RELATED);
            }
        }
    }
    for pair in words.windows(2) {
        add("pair", pair.join(" "), PAIR);
    }
    add("exact", text.to_owned(), EXACT);
    let model = model.split(':').next().unwrap_or(model);
    let mut sums = vec![0.0; length];
    for ((kind, feature), weight) in weights {
        go(&mut sums, &[model, kind, &feature], weight);
    }
    for sum in sums.iter_mut().filter(|sum| **sum == 0.0) {
        *sum = NUDGE;
    }
    sums
}

/// Moves so far in the direction of a feature: in each place one way or the other, by its hash.
fn go(sums: &mut [f64], feature: &[&str], weight: f64) {
    let mut hasher = blake3::Hasher::new();
    for part in feature {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut bits = vec![0; sums.len().div_ceil(8)];
    hasher.finalize_xof().fill(&mut bits);
    for (places, bits) in sums.chunks_mut(8).zip(bits) {
        for (place, sum) in places.iter_mut().enumerate() {
            *sum += if bits >> place & 1 == 0 { weight } else { -weight };
        }
    }
}

/// The vector with length 1; where a cut left nothing, the first axis.
fn unit(vector: Vec<f64>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm == 0.0 {
        let axis = |at| if at == 0 { 1.0 - NUDGE } else { NUDGE };
        return (0..vector.len()).map(|at| axis(at) as f32).collect();
    }
    // One place alone would be 1 or -1.
    let most = 1.0 - NUDGE;
    vector.into_iter().map(|x| (x / norm).clamp(-most, most) as f32).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(model: &str, inputs: &[&str]) -> EmbedAsk {
        EmbedAsk {
            model: model.to_owned(),
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            ..EmbedAsk::default()
        }
    }

    fn cosine(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    }

    #[test]
    fn models_have_their_lengths() {
        for (model, length) in [
            ("nomic-embed-text", 768),
            ("nomic-embed-text:v1.5", 768),
            ("all-minilm", 384),
            ("mxbai-embed-large", 1024),
            ("whatever", 2048),
        ] {
            assert_eq!(vectors(&ask(model, &["hi"]))[0].len(), length, "{model}");
        }
    }

    #[test]
    fn alike_texts_are_nearer_than_others() {
        let found = vectors(&ask(
            "all-minilm",
            &[
                "The cat sat on the mat",
                "A cat is sitting on a mat",
                "Stock prices fell sharply on Monday",
                "the cat sat on the mat.",
            ],
        ));
        let near = cosine(&found[0], &found[1]);
        let far = cosine(&found[0], &found[2]);
        assert!(near > far + 0.2, "{near} {far}");
        assert!(cosine(&found[0], &found[3]) > 0.95);
        assert_ne!(found[0], found[3]);
    }

    #[test]
    fn related_words_are_nearer_than_others() {
        for model in ["all-minilm", "nomic-embed-text", "mxbai-embed-large"] {
            for (word, near, far) in [
                ("cat", "kitten", "dog"),
                ("cat", "dog", "car"),
                ("king", "queen", "car"),
                ("sky", "blue", "bread"),
                ("doctor", "nurse", "guitar"),
                ("A cat sleeps", "Kittens are sleeping", "The stock market fell"),
                ("Why is the sky blue?", "Rayleigh scattering of sunlight", "How to cook pasta"),
            ] {
                let found = vectors(&ask(model, &[word, near, far]));
                let (near_by, far_off) =
                    (cosine(&found[0], &found[1]), cosine(&found[0], &found[2]));
                assert!(
                    near_by > far_off + 0.05,
                    "{model}: {word}, {near}, {far}: {near_by} {far_off}"
                );
            }
        }
    }

    #[test]
    fn one_text_has_one_vector_however_it_is_asked() {
        let alone = vectors(&ask("nomic-embed-text", &["rain"]));
        let tagged = vectors(&ask("Nomic-Embed-Text:latest", &["sun", "rain"]));
        assert_eq!(alone[0], tagged[1]);
    }

    #[test]
    fn a_cut_vector_is_the_start_of_the_whole_one() {
        let whole = vectors(&ask("all-minilm", &["rain falls on the plain"]));
        let cut = vectors(&EmbedAsk {
            dimensions: Some(64),
            ..ask("all-minilm", &["rain falls on the plain"])
        });
        assert_eq!(cut[0].len(), 64);
        assert!((cosine(&cut[0], &cut[0]) - 1.0).abs() < 1e-5);
        let scale = whole[0].iter().zip(&cut[0]).find(|(_, y)| **y != 0.0).map(|(x, y)| x / y);
        for (x, y) in whole[0].iter().zip(&cut[0]) {
            assert!((x - y * scale.unwrap()).abs() < 1e-6);
        }
    }

    proptest! {
        #[test]
        fn every_vector_has_unit_length(text in "\\PC{0,80}", cut in prop_oneof![1_usize..4, 1_usize..3000]) {
            let asked = EmbedAsk { dimensions: Some(cut), ..ask("all-minilm", &[&text]) };
            let vector = &vectors(&asked)[0];
            prop_assert_eq!(vector.len(), cut.min(384));
            // Go writes a whole number without a point.
            prop_assert!(vector.iter().all(|x| x.fract() != 0.0));
            prop_assert!((cosine(vector, vector) - 1.0).abs() < 1e-5);
        }
    }
}
