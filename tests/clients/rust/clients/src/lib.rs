//! What the tests of both crates share: where the mock is, and what its rules say.

/// What the rules answer about the sky.
pub const SKY: &str = "The sky is blue because of Rayleigh scattering.";

/// What the rules answer in letters of several bytes.
pub const RAIN: &str = "雨 (ame) ☔ 😀";

/// The mock that run.py started.
pub fn url() -> String {
    std::env::var("MOCK_URL").expect("MOCK_URL says where the mock is; run.sh sets it")
}

/// A client of the mock. It takes the place of `Ollama::default()` in the tests of ollama-rs.
pub fn ollama() -> ollama_rs::Ollama {
    ollama_rs::Ollama::try_new(url()).expect("an address")
}

/// A country, for structured output.
#[derive(Debug, PartialEq, serde::Deserialize, schemars::JsonSchema)]
pub struct Country {
    /// Its name.
    pub name: String,
    /// Its capital.
    pub capital: String,
    /// What is spoken there.
    pub languages: Vec<String>,
}

impl Country {
    /// What the rules know.
    pub fn canada() -> Self {
        let languages = vec!["English".to_owned(), "French".to_owned()];
        Self { name: "Canada".to_owned(), capital: "Ottawa".to_owned(), languages }
    }
}
