//! The models that the server has, and which of them are loaded.

mod blobs;
mod family;
mod keep_alive;
mod loads;
mod model;
mod name;

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use blobs::{Blobs, digest_of_path};
pub use family::Capability;
pub use keep_alive::{DEFAULT_KEEP_ALIVE, KeepAlive};
pub use loads::{Load, Loads};
pub use model::{Layer, Model, sha256};
pub use name::{Name, NameError};

/// The version that the server says it has.
pub const VERSION: &str = "0.32.15";

/// The models that a server has where nothing else is said.
pub const DEFAULT_MODELS: [&str; 7] = [
    "llama3.2:latest",
    "qwen3:latest",
    "qwen2.5:3b",
    "qwen2.5:0.5b",
    "phi3:mini",
    "granite-code:3b",
    "nomic-embed-text:latest",
];

/// Tokens that a loaded model attends to where no request says.
pub const DEFAULT_CONTEXT_LENGTH: u64 = 4_096;

/// Tokens that a created model may say that it attends to, at most.
pub const CONTEXT_LENGTH_MAX: u64 = 1 << 24;

/// Length of the vectors of a created model, at most.
pub const EMBEDDING_LENGTH_MAX: u64 = 16_384;

/// What a request for a model gets that the server does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownModels {
    /// The real server's 404.
    #[default]
    Reject,
    /// An answer, as if the model was there. Listings do not show it.
    Allow,
}

/// Everything about models in one namespace.
#[derive(Debug, Clone)]
pub struct Models {
    /// Newest first.
    models: Vec<Model>,
    loads: Loads,
    blobs: Blobs,
    unknown: UnknownModels,
    default_model: Option<String>,
    /// Keys of names that a pull does not find.
    not_in_registry: BTreeSet<String>,
}

impl Default for Models {
    fn default() -> Self {
        Self::new(DEFAULT_MODELS)
    }
}

impl Models {
    /// A server with these models, listed in this order. A name that is not valid is left out.
    #[must_use]
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut models = Self {
            models: Vec::new(),
            loads: Loads::default(),
            blobs: Blobs::default(),
            unknown: UnknownModels::default(),
            default_model: None,
            not_in_registry: BTreeSet::new(),
        };
        for (at, name) in names.into_iter().enumerate() {
            let age = TimeDelta::minutes(i64::try_from(at).unwrap_or(i64::MAX).min(1_000_000));
            if let Ok(name) = Name::parse(name.as_ref())
                && models.listed(&name).is_none()
            {
                models.models.push(Model::from_registry(name, installed_at() - age));
            }
        }
        models
    }

    /// Adds a model as if it had been pulled at `moment`; the new one where it was there already.
    ///
    /// # Errors
    /// Where the name is not valid.
    pub fn add(&mut self, name: &str, moment: DateTime<Utc>) -> Result<&Model, NameError> {
        let name = Name::parse(name)?;
        Ok(self.put(Model::from_registry(name, moment)))
    }

    /// Adds a model where there is none of this name.
    ///
    /// # Errors
    /// Where the name is not valid.
    pub fn add_unless_listed(
        &mut self,
        name: &str,
        moment: DateTime<Utc>,
    ) -> Result<(), NameError> {
        let name = Name::parse(name)?;
        if self.listed(&name).is_none() {
            self.put(Model::from_registry(name, moment));
        }
        Ok(())
    }

    /// Removes a model, and unloads it. Whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let Ok(name) = Name::parse(name) else { return false };
        let before = self.models.len();
        self.models.retain(|model| model.name.key() != name.key());
        self.loads.unload(&name);
        self.models.len() < before
    }

    /// The models that there are, newest first, under their short names.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.models.iter().map(|model| model.name.short()).collect()
    }

    /// The models that there are, newest first.
    #[must_use]
    pub fn all(&self) -> &[Model] {
        &self.models
    }

    /// The model for a request, spelt as the server spells it: one that is there, or any where
    /// unknown models are allowed.
    #[must_use]
    pub fn find(&self, name: &Name) -> Option<Cow<'_, Model>> {
        let there = self.listed(name).or_else(|| match self.unknown {
            UnknownModels::Allow => self.loads.get(name).map(|load| &load.model),
            UnknownModels::Reject => None,
        });
        match there {
            Some(model) => Some(Cow::Borrowed(model)),
            None if self.unknown == UnknownModels::Allow => {
                Some(Cow::Owned(Model::from_registry(name.clone(), installed_at())))
            }
            None => None,
        }
    }

    /// Uses a model at `moment`, loading it where it is not in memory or has another context
    /// length there. Whether it had to be loaded.
    pub fn load(
        &mut self,
        name: &Name,
        keep_alive: KeepAlive,
        context_length: Option<u64>,
        moment: DateTime<Utc>,
    ) -> bool {
        let listed = self.models.iter().find(|model| model.name.key() == name.key());
        let model = || match listed {
            Some(model) => model.clone(),
            None => Model::from_registry(name.clone(), installed_at()),
        };
        self.loads.touch(name, model, keep_alive, context_length, moment)
    }

    /// The model of this name that a listing shows.
    #[must_use]
    pub fn listed(&self, name: &Name) -> Option<&Model> {
        self.models.iter().find(|model| model.name.key() == name.key())
    }

    /// Puts a model in front of the others, in the place of one of the same name.
    pub fn put(&mut self, mut model: Model) -> &Model {
        let same = |other: &Model| other.name.key() == model.name.key();
        if let Some(at) = self.models.iter().position(same) {
            model.name = self.models.remove(at).name;
        }
        let at = self.models.partition_point(|other| other.modified_at > model.modified_at);
        self.models.insert(at, model);
        &self.models[at]
    }

    /// Sets what the model of this name can do, where there is one.
    pub fn set_capabilities(&mut self, name: &Name, capabilities: &[Capability]) {
        if let Some(mut model) = self.listed(name).cloned() {
            model.capabilities = capabilities.to_vec();
            self.put(model);
        }
    }

    /// What a request for an unknown model gets.
    #[must_use]
    pub fn unknown_models(&self) -> UnknownModels {
        self.unknown
    }

    /// Sets what a request for an unknown model gets.
    pub fn set_unknown_models(&mut self, policy: UnknownModels) {
        self.unknown = policy;
    }

    /// The model of a request that names none, where one is set; the real server has none.
    #[must_use]
    pub fn default_model(&self) -> Option<&str> {
        self.default_model.as_deref()
    }

    /// Sets the model of a request that names none.
    pub fn set_default_model(&mut self, name: Option<String>) {
        self.default_model = name;
    }

    /// Sets the names that a pull does not find; it finds all others. Names that are not valid are
    /// not found anyway.
    pub fn set_not_in_registry<N: AsRef<str>>(&mut self, names: impl IntoIterator<Item = N>) {
        self.not_in_registry = names
            .into_iter()
            .filter_map(|name| Name::parse(name.as_ref()).ok())
            .map(|name| name.key().to_owned())
            .collect();
    }

    /// The names that a pull does not find, in lower case and with registry, namespace and tag.
    pub fn not_in_registry(&self) -> impl Iterator<Item = &str> {
        self.not_in_registry.iter().map(String::as_str)
    }

    /// Puts a model in the registry, as a push does: a pull then finds it.
    pub fn publish(&mut self, name: &Name) {
        self.not_in_registry.remove(name.key());
    }

    /// Whether the registry has a model of this name.
    #[must_use]
    pub fn in_registry(&self, name: &Name) -> bool {
        !self.not_in_registry.contains(name.key())
    }

    /// Which models are loaded.
    #[must_use]
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    /// Which models are loaded, to change it.
    pub fn loads_mut(&mut self) -> &mut Loads {
        &mut self.loads
    }

    /// What was uploaded.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// What was uploaded, to change it.
    pub fn blobs_mut(&mut self) -> &mut Blobs {
        &mut self.blobs
    }

    /// Whether there is a blob of this digest (`sha256:…`): uploaded, or a layer of a model.
    #[must_use]
    pub fn has_blob(&self, digest: &str) -> bool {
        self.blobs.get(digest).is_some() || self.layer(digest).is_some()
    }

    /// The layer of this digest in any model.
    #[must_use]
    pub fn layer(&self, digest: &str) -> Option<Layer> {
        self.models
            .iter()
            .flat_map(Model::layers)
            .find(|layer| layer.digest.eq_ignore_ascii_case(digest))
    }
}

/// When the models came that a server starts with: a fixed moment, so that listings do not depend
/// on the clock.
fn installed_at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_785_585_600, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests;
