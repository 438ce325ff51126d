//! Variables for a while: for a child, or for a piece of code, restored afterwards.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Variables to set and to take away.
///
/// ```
/// use flakedb::testkit::parallel::Environment;
/// let before = std::env::var("LOG_LEVEL");
/// Environment::new().set("LOG_LEVEL", "ERROR").within(|| {
///     assert_eq!(std::env::var("LOG_LEVEL").as_deref(), Ok("ERROR"));
/// });
/// assert_eq!(std::env::var("LOG_LEVEL"), before);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: BTreeMap<OsString, Option<OsString>>,
}

impl Environment {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a variable.
    #[must_use]
    pub fn set(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.as_ref().to_owned(), Some(value.as_ref().to_owned()));
        self
    }

    /// Takes a variable away.
    #[must_use]
    pub fn remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.as_ref().to_owned(), None);
        self
    }

    /// For a child: nothing of this process changes.
    pub fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for (name, value) in &self.variables {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// For a piece of code, and restored whatever it does, a panic included.
    ///
    /// Variables belong to the whole process: of all such pieces in all threads one runs at a time.
    /// Other code that reads them meanwhile sees them, too. Prefer [`Environment::apply`].
    pub fn within<R>(&self, code: impl FnOnce() -> R) -> R {
        let variables: Vec<(&OsString, Option<&OsString>)> =
            self.variables.iter().map(|(name, value)| (name, value.as_ref())).collect();
        temp_env::with_vars(variables, code)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    const NAME: &str = "FLAKEDB_TEST_OF_ENVIRONMENT";

    #[test]
    fn variables_are_as_before_even_after_a_panic() {
        let outer = Environment::new().set(NAME, "outer");
        outer.within(|| {
            let inner = Environment::new().set(NAME, "inner");
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                inner.within(|| {
                    assert_eq!(std::env::var(NAME).as_deref(), Ok("inner"));
                    Environment::new()
                        .remove(NAME)
                        .within(|| assert!(std::env::var(NAME).is_err()));
                    std::panic::resume_unwind(Box::new(()));
                });
            }));
            assert!(panicked.is_err());
            assert_eq!(std::env::var(NAME).as_deref(), Ok("outer"));
        });
        assert!(std::env::var(NAME).is_err());
    }

    #[test]
    fn threads_take_turns() {
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || {
                    let value = number.to_string();
                    for _ in 0..50 {
                        Environment::new().set("FLAKEDB_TEST_OF_TURNS", &value).within(|| {
                            std::thread::yield_now();
                            assert_eq!(std::env::var("FLAKEDB_TEST_OF_TURNS").as_ref(), Ok(&value));
                        });
                    }
                });
            }
        });
    }

    #[test]
    fn a_child_finds_them_and_we_do_not() {
        let mut command = Command::new("anything");
        Environment::new().set(NAME, "x").remove("HOME").apply(&mut command);
        let found: BTreeMap<_, _> = command.get_envs().collect();
        assert_eq!(found[OsStr::new(NAME)], Some(OsStr::new("x")));
        assert_eq!(found[OsStr::new("HOME")], None);
    }
}
