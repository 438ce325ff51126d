//! Everything that one server holds: its namespaces, and what they begin with.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;

use super::clock::Clock;
use super::headers;
use super::namespace::{Beginning, Namespace};
use super::recorder::Recorder;
use super::script::Script;

/// The header that names the namespace of a request.
pub const NAMESPACE_HEADER: &str = "x-flakedb-namespace";
/// What begins a path whose second segment names the namespace.
const PATH_PREFIX: &str = "/ns/";
/// What begins an API key that names the namespace.
const KEY_PREFIX: &str = "ns:";
/// Length of a namespace's name, at most, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// Namespaces at most; each holds the models and stubs of its own.
const NAMESPACES_MAX: usize = 10_000;

/// One server's memory.
pub(crate) struct World {
    pub(crate) options: Options,
    beginning: Beginning,
    clock: Clock,
    recorder: Option<Recorder>,
    default: Arc<Namespace>,
    others: RwLock<HashMap<String, Arc<Namespace>>>,
}

/// What holds for the whole server, not for a namespace.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// A body, at most, in bytes.
    pub(crate) body_bytes_max: usize,
    /// Whether requests for a foreign `Host` are refused.
    pub(crate) checks_host: bool,
}

/// A request's namespace, and what is left of its path.
pub(crate) struct Addressed {
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) path: String,
    /// The API key only named the namespace.
    pub(crate) own_key: bool,
}

impl World {
    pub(crate) fn new(
        options: Options,
        beginning: Beginning,
        clock: Clock,
        recorder: Option<Recorder>,
    ) -> Self {
        let default = Arc::new(Namespace::new("", &beginning));
        Self { options, beginning, clock, recorder, default, others: RwLock::new(HashMap::new()) }
    }

    /// Where requests go to be recorded.
    pub(crate) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn beginning(&self) -> &Beginning {
        &self.beginning
    }

    pub(crate) fn body_bytes_max(&self) -> usize {
        self.options.body_bytes_max
    }

    pub(crate) fn checks_host(&self) -> bool {
        self.options.checks_host
    }

    pub(crate) fn default_namespace(&self) -> Arc<Namespace> {
        Arc::clone(&self.default)
    }

    /// The namespace of this name, made where there is none; the empty name is the default one.
    ///
    /// # Errors
    /// What to answer where the name is too long, or one too many.
    pub(crate) fn namespace(&self, name: &str) -> Result<Arc<Namespace>, Script> {
        if name.is_empty() {
            return Ok(Arc::clone(&self.default));
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(refused(&format!("a namespace's name has at most {NAME_BYTES_MAX} bytes")));
        }
        let known = self.others.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if others.len() >= NAMESPACES_MAX && !others.contains_key(name) {
            return Err(refused(&format!(
                "there are {NAMESPACES_MAX} namespaces already; POST /__admin/reset?all=true ends them"
            )));
        }
        let made = others
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(Namespace::new(name, &self.beginning)));
        Ok(Arc::clone(made))
    }

    /// All namespaces, the default one first, the others by name.
    pub(crate) fn namespaces(&self) -> Vec<Arc<Namespace>> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Arc<Namespace>> = others.values().cloned().collect();
        all.sort_by(|one, other| one.name().cmp(other.name()));
        all.insert(0, Arc::clone(&self.default));
        all
    }

    /// Returns every namespace to the beginning, and forgets those that nobody holds.
    pub(crate) fn reset_all(&self) {
        for namespace in self.namespaces() {
            namespace.state().reset(&self.beginning);
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        others.retain(|_, namespace| Arc::strong_count(namespace) > 1);
    }

    /// The namespace that a request names: by its path (`/ns/NAME/…`), its header, or its API key.
    ///
    /// # Errors
    /// As [`World::namespace`].
    pub(crate) fn addressed(&self, path: &str, headers: &HeaderMap) -> Result<Addressed, Script> {
        if let Some(rest) = path.strip_prefix(PATH_PREFIX) {
            let (name, path) = match rest.find('/') {
                Some(at) => (&rest[..at], &rest[at..]),
                None => (rest, "/"),
            };
            let namespace = self.namespace(&super::surface::decoded(name))?;
            return Ok(Addressed { namespace, path: path.to_owned(), own_key: false });
        }
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let key = header(AUTHORIZATION.as_str())
            .and_then(|value| value.strip_prefix("Bearer "))
            .or_else(|| header("x-api-key"))
            .and_then(|key| key.trim().strip_prefix(KEY_PREFIX));
        let name = header(NAMESPACE_HEADER).or(key).unwrap_or_default();
        Ok(Addressed {
            namespace: self.namespace(name)?,
            path: path.to_owned(),
            own_key: key.is_some(),
        })
    }
}

fn refused(text: &str) -> Script {
    let body = serde_json::json!({ "error": text }).to_string();
    Script::whole(400, headers::JSON_UTF8, body)
}
