//! A history as files, and as JSON Lines, for `flakedb ingest`.

use serde::Serialize;
use serde_json::{Value, json};

use super::fate::TestFate;
use crate::model::Lane;
use crate::testkit::generators::GeneratedFile;
use crate::testkit::generators::junit::{Dialect, File, TestRun};

/// The name of the file that says which run the reports beside it come from.
pub(super) const SIDECAR: &str = "flakedb-run.toml";

/// A CI history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// The project.
    pub project: String,
    /// The dialect of its reports.
    pub dialect: &'static str,
    /// What the tests and runs really were.
    pub truth: Truth,
    /// The runs in the order of their starts.
    pub runs: Vec<Run>,
}

/// What the tests and runs of a history really were.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// The tests.
    pub tests: Vec<TestFate>,
    /// The runs that the machine ruined, by their ids.
    pub outages: Vec<String>,
}

/// One run of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The name of its directory.
    pub id: String,
    /// What is known of it besides its reports.
    #[serde(flatten)]
    pub sidecar: Sidecar,
    /// What it really was.
    pub truth: RunTruth,
    /// Its reports.
    pub files: Vec<File>,
    /// Its tests, before a runner wrote them down.
    #[serde(skip)]
    pub tests: TestRun,
}

/// What a run really was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunTruth {
    /// True where the machine ruined it.
    pub outage: bool,
    /// The tests that its reports show as failed, by name.
    pub failed: Vec<String>,
}

/// What `flakedb-run.toml` says of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sidecar {
    /// The project.
    pub project: String,
    /// The revision under test, 40 hexadecimal digits.
    pub revision: String,
    /// `main`, or `PR-` and a number.
    pub branch: String,
    /// The lane of the branch.
    pub lane: Lane,
    /// The number of the build.
    pub build: String,
    /// The attempt at the build, from 1.
    pub attempt: u32,
    /// The CI job.
    pub job: String,
    /// Its page.
    pub url: String,
    /// When it started, in RFC 3339.
    pub started: String,
}

impl Sidecar {
    /// The text of the file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // A struct of texts and a number is always TOML.
        toml::to_string(self).unwrap_or_default()
    }
}

impl History {
    /// The history as a directory: `truth.json`, and for each run a folder with its reports and
    /// its `flakedb-run.toml`.
    #[must_use]
    pub fn files(&self) -> Vec<GeneratedFile> {
        let runs: Vec<Value> = self
            .runs
            .iter()
            .map(|run| json!({"run": run.id, "outage": run.truth.outage, "failed": run.truth.failed}))
            .collect();
        let truth = json!({"tests": self.truth.tests, "outages": self.truth.outages, "runs": runs});
        let mut text = format!("{truth:#}");
        text.push('\n');
        let mut files = vec![GeneratedFile { path: "truth.json".into(), bytes: text.into_bytes() }];
        for run in &self.runs {
            files.push(GeneratedFile {
                path: format!("{}/{SIDECAR}", run.id),
                bytes: run.sidecar.to_toml().into_bytes(),
            });
            files.extend(run.files.iter().map(|file| GeneratedFile {
                path: format!("{}/{}", run.id, file.path),
                bytes: file.content.clone().into_bytes(),
            }));
        }
        files
    }

    /// The history as lines that `flakedb ingest` reads, one for each run; the first holds the
    /// truth, which flakedb does not look at.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let meta = json!({"type": "meta", "project": self.project, "truth": self.truth});
        let Ok(dialect) = Dialect::named(self.dialect) else { return vec![meta] };
        let runs = self.runs.iter().map(|run| {
            let results: Vec<Value> = run
                .tests
                .cases()
                .filter_map(|(module, case)| {
                    let shown = dialect.shown(case)?;
                    let names = dialect.names(&run.tests, module, case);
                    let mut result = json!({
                        "suite": names.suites,
                        "classname": names.class,
                        "name": names.name,
                        "file": names.file,
                        "outcome": shown.outcome,
                        "duration": shown.duration_ms as f64 / 1000.0,
                    });
                    if shown.outcome.is_bad() {
                        result["type"] = dialect.kind(&case.last).into();
                        result["message"] = case.last.message.as_str().into();
                    }
                    if shown.attempts > 1 {
                        result["attempts"] =
                            dialect.attempts(case).map(|outcome| json!(outcome)).collect();
                    }
                    Some(result)
                })
                .collect();
            let mut line = json!({"type": "run"});
            if let (Some(line), Ok(Value::Object(sidecar))) =
                (line.as_object_mut(), serde_json::to_value(&run.sidecar))
            {
                line.extend(sidecar);
                line.insert("host".into(), run.tests.host.as_str().into());
                line.insert("results".into(), results.into());
            }
            line
        });
        std::iter::once(meta).chain(runs).collect()
    }
}
