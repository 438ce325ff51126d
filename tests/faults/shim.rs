//! The library that stands between flakedb and the system, and what it is told to do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::command::{Sandbox, project};

/// What happens at the chosen call; see shim.c for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Kill,
    Torn,
    Power,
    PowerSome,
    Full,
    Io,
    IoOnce,
    ReadOnly,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Kill,
        Self::Torn,
        Self::Power,
        Self::PowerSome,
        Self::Full,
        Self::Io,
        Self::IoOnce,
        Self::ReadOnly,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Torn => "torn",
            Self::Power => "power",
            Self::PowerSome => "power-some",
            Self::Full => "full",
            Self::Io => "io",
            Self::IoOnce => "io-once",
            Self::ReadOnly => "ro",
        }
    }

    /// True where the process does not live to say anything.
    pub(super) fn is_death(self) -> bool {
        matches!(self, Self::Kill | Self::Torn | Self::Power | Self::PowerSome)
    }
}

/// Puts the library in front of the C library; it does nothing until it is told to.
pub(super) fn load(command: &mut Command) -> &mut Command {
    command.env("LD_PRELOAD", library())
}

/// Lets the command meet a fault at its `at`-th call.
pub(super) fn inject(command: &mut Command, kind: Kind, at: usize) -> &mut Command {
    let (name, once) = match kind {
        Kind::IoOnce => ("io", "1"),
        other => (other.name(), "0"),
    };
    load(command)
        .env("FAULT_KIND", name)
        .env("FAULT_ONCE", once)
        .env("FAULT_AT", at.to_string())
        .env("FAULT_SEED", at.to_string())
}

/// The counted calls of a command that nothing disturbs, one line each.
pub(super) fn calls(sandbox: &Sandbox, arguments: &[String]) -> Vec<String> {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = sandbox.command(arguments);
    load(&mut command).env("FAULT_LOG", log.path());
    crate::command::finish(command).exits(0);
    std::fs::read_to_string(log.path()).unwrap().lines().map(str::to_owned).collect()
}

/// Compiled once, by the compiler that SQLite needed as well.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("faults-{}.so", std::process::id()));
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let said = Command::new(compiler)
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&library)
            .arg(project("tests/faults/shim.c"))
            .arg("-lpthread")
            .output()
            .unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        library
    })
}
