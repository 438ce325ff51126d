//! Runs the real binary in a directory of its own, with nothing of this machine's environment.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command said and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts the exit code and hands the rest on.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

/// A directory with a home of its own.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The command, ready to run.
    pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flakedb"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TZ", "UTC")
            // Git must not look for a repository above the sandbox.
            .env("GIT_CEILING_DIRECTORIES", self.folder.path().parent().unwrap())
            .env("PATH", std::env::var_os("PATH").unwrap())
            .stdin(Stdio::null());
        // Where coverage is measured, what commands cover counts, and lies in no sandbox.
        command.envs(std::env::vars_os().filter(|(name, _)| name == "LLVM_PROFILE_FILE"));
        command
    }

    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Said {
        finish(self.command(arguments))
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Said {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        said(&child.wait_with_output().unwrap())
    }
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command) -> Said {
    said(&command.output().unwrap())
}

fn said(output: &std::process::Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A file or directory of the project.
pub(crate) fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A report of one suite: `(test, outcome)` with outcomes as in a strip, `.FEs`.
pub(crate) fn report(cases: &[(&str, char)]) -> String {
    let mut xml = String::from("<testsuites><testsuite name=\"suite\">\n");
    for (name, outcome) in cases {
        let inside = match outcome {
            'F' => "<failure message=\"no\">trace</failure>",
            'E' => "<error message=\"crash\"/>",
            's' => "<skipped/>",
            _ => "",
        };
        xml += &format!(
            "<testcase classname=\"shop.cart\" name=\"{name}\" time=\"0.012\">{inside}</testcase>\n"
        );
    }
    xml + "</testsuite></testsuites>\n"
}

/// Runs git in a sandbox, apart from the configuration of this machine.
pub(crate) fn git(sandbox: &Sandbox, arguments: &[&str]) -> bool {
    let settings =
        ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
    let run = Command::new("git")
        .args(settings)
        .args(arguments)
        .current_dir(sandbox.path(""))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output();
    run.is_ok_and(|said| said.status.success())
}
