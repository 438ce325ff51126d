//! Tools that nodes can call.

pub mod arithmetic;
mod calculator;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use serde_json::{Map, Value, json};

use crate::testkit::nearest::hint;
use crate::testkit::shown::cut;

pub use calculator::Calculator;

/// What a tool gives back: an output, or why there is none.
pub type ToolOutcome = Result<Value, String>;

/// A tool.
///
/// ```
/// use flakedb::testkit::nodes::{Tool, ToolOutcome, ToolRegistry, async_trait};
/// use serde_json::{Map, Value};
///
/// /// Turns a text around.
/// struct Mirror;
///
/// #[async_trait]
/// impl Tool for Mirror {
///     fn id(&self) -> &str {
///         "mirror"
///     }
///
///     fn description(&self) -> &str {
///         "Turns a text around."
///     }
///
///     async fn call(&self, input: &Map<String, Value>) -> ToolOutcome {
///         let text = input.get("input").and_then(Value::as_str).ok_or("needs `input`, a text")?;
///         Ok(text.chars().rev().collect::<String>().into())
///     }
/// }
///
/// let mut tools = ToolRegistry::built_in();
/// tools.register(Mirror)?;
/// assert_eq!(tools.ids().collect::<Vec<_>>(), ["calculator", "mirror"]);
/// # Ok::<(), flakedb::testkit::nodes::tool::ToolError>(())
/// ```
#[async_trait]
pub trait Tool: Send + Sync {
    /// What nodes call it by.
    fn id(&self) -> &str;

    /// What it is for, in one sentence; models read it.
    fn description(&self) -> &str;

    /// The JSON schema of its input; models read it. Any object, unless told otherwise.
    fn parameters(&self) -> Value {
        json!({"type": "object"})
    }

    /// Does what it is for. What tool nodes give it without an `input_mapping` is `{"input": ...}`.
    async fn call(&self, input: &Map<String, Value>) -> ToolOutcome;
}

/// Why a tool gives nothing back, or cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// There is no such tool.
    #[error("Tool not found: {id}{mend}")]
    NotFound {
        /// The tool asked for.
        id: String,
        /// What was meant, or which there are.
        mend: String,
    },
    /// It is switched off.
    #[error("Tool is disabled: {0}")]
    Disabled(String),
    /// It gave no output.
    #[error("Tool execution failed: {0}")]
    Failed(String),
    /// It panicked.
    #[error("Tool execution error: {0}")]
    Panicked(String),
    /// There is one of this id already.
    #[error("tool `{0}` is registered already; `replace` says that it is meant")]
    AlreadyRegistered(String),
}

struct Entry {
    tool: Arc<dyn Tool>,
    enabled: AtomicBool,
}

/// The tools that there are, each on or off. A clone is switched apart from its original.
#[derive(Default)]
pub struct ToolRegistry {
    tools: BTreeMap<String, Entry>,
}

impl ToolRegistry {
    /// No tools.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tools that come along: the [`Calculator`].
    #[must_use]
    pub fn built_in() -> Self {
        let mut tools = Self::new();
        tools.replace(Calculator);
        tools
    }

    /// Adds a tool, switched on.
    ///
    /// # Errors
    /// [`ToolError::AlreadyRegistered`] where there is one of its id.
    pub fn register(&mut self, tool: impl Tool + 'static) -> Result<(), ToolError> {
        if self.tools.contains_key(tool.id()) {
            return Err(ToolError::AlreadyRegistered(tool.id().to_owned()));
        }
        self.replace(tool);
        Ok(())
    }

    /// Adds a tool, switched on, in the place of any of its id.
    pub fn replace(&mut self, tool: impl Tool + 'static) {
        let entry = Entry { tool: Arc::new(tool), enabled: AtomicBool::new(true) };
        self.tools.insert(entry.tool.id().to_owned(), entry);
    }

    /// Switches a tool on.
    ///
    /// # Errors
    /// [`ToolError::NotFound`].
    pub fn enable(&self, id: &str) -> Result<(), ToolError> {
        self.switch(id, true)
    }

    /// Switches a tool off: whoever calls it is told so.
    ///
    /// # Errors
    /// [`ToolError::NotFound`].
    pub fn disable(&self, id: &str) -> Result<(), ToolError> {
        self.switch(id, false)
    }

    fn switch(&self, id: &str, on: bool) -> Result<(), ToolError> {
        self.entry(id)?.enabled.store(on, Ordering::Relaxed);
        Ok(())
    }

    /// The tool of an id.
    ///
    /// # Errors
    /// Where there is none, or it is switched off.
    pub fn get(&self, id: &str) -> Result<&Arc<dyn Tool>, ToolError> {
        let entry = self.entry(id)?;
        match entry.enabled.load(Ordering::Relaxed) {
            true => Ok(&entry.tool),
            false => Err(ToolError::Disabled(id.to_owned())),
        }
    }

    /// Calls a tool. A panic in it goes no further.
    ///
    /// # Errors
    /// Where there is no such tool, it is switched off, or it gives no output.
    pub async fn call(&self, id: &str, input: &Map<String, Value>) -> Result<Value, ToolError> {
        let tool = self.get(id)?;
        match AssertUnwindSafe(tool.call(input)).catch_unwind().await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(reason)) => Err(ToolError::Failed(reason)),
            Err(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
                Err(ToolError::Panicked(text.unwrap_or_else(|| "it panicked".to_owned())))
            }
        }
    }

    /// The ids of all tools, on or off, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.tools.keys().map(String::as_str)
    }

    fn entry(&self, id: &str) -> Result<&Entry, ToolError> {
        self.tools.get(id).ok_or_else(|| {
            let mend = match hint(id, self.ids()) {
                mend if mend.is_empty() && self.tools.is_empty() => "; there are none".to_owned(),
                mend if mend.is_empty() => {
                    format!("; there are {}", self.ids().collect::<Vec<_>>().join(", "))
                }
                mend => mend,
            };
            ToolError::NotFound { id: cut(id).into_owned(), mend }
        })
    }
}

impl Clone for ToolRegistry {
    fn clone(&self) -> Self {
        let tools = self.tools.iter().map(|(id, Entry { tool, enabled })| {
            let enabled = AtomicBool::new(enabled.load(Ordering::Relaxed));
            (id.clone(), Entry { tool: Arc::clone(tool), enabled })
        });
        Self { tools: tools.collect() }
    }
}

impl fmt::Debug for ToolRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tools.keys()).finish()
    }
}
