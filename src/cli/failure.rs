//! Why a command stops: an error chain, the exit code it leads to, and what to do next.

use std::fmt::Display;

use super::exit;

/// An error with its exit code and a hint.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What went wrong, with its causes; `None` where everything has been said already.
    pub error: Option<anyhow::Error>,
    /// What the user can do about it.
    pub hint: Option<String>,
}

impl Failure {
    /// Wrong usage or configuration.
    #[must_use]
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: exit::USAGE, error: Some(error.into()), hint: None }
    }

    /// An input that could not be read.
    #[must_use]
    pub fn input(error: impl Into<anyhow::Error>) -> Self {
        Self { code: exit::INPUT, error: Some(error.into()), hint: None }
    }

    /// A history that could not be used.
    #[must_use]
    pub fn history(error: impl Into<anyhow::Error>) -> Self {
        Self { code: exit::HISTORY, error: Some(error.into()), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// True where the reader of our output went away, which is no failure of ours.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        self.error.as_ref().is_some_and(|error| {
            error.chain().any(|cause| {
                cause
                    .downcast_ref::<std::io::Error>()
                    .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
            })
        })
    }
}

/// An error that nothing says more about: writing output, most often.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self { code: exit::USAGE, error: Some(error), hint: None }
    }
}

/// Output that cannot be written ends a command like any failed system call.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self { code: exit::INPUT, error: Some(error.into()), hint: None }
    }
}
