//! Histories with one flaw each.

use serde::Serialize;

use super::builder::Histories;
use super::written::SIDECAR;
use crate::testkit::generators::{Generate, GeneratedFile, Stream};

/// One way in which what is known of a run is wrong.
#[derive(Debug)]
pub struct Flaw {
    /// The name, such as `unknown-key`.
    pub name: &'static str,
    /// What is wrong.
    pub about: &'static str,
    /// Words of the error by which `flakedb ingest` refuses it.
    pub says: &'static str,
    damage: fn(&str) -> String,
}

/// All flaws.
pub const FLAWS: &[Flaw] = &[
    Flaw {
        name: "unknown-key",
        about: "a key that there is not",
        says: "unknown field",
        damage: |text| text.replace("branch =", "brnach ="),
    },
    Flaw {
        name: "empty-revision",
        about: "a revision without a digit",
        says: "`revision` is empty",
        damage: |text| with(text, "revision", "\"\""),
    },
    Flaw {
        name: "attempt-zero",
        about: "attempts counted from 0",
        says: "`attempt` counts from 1",
        damage: |text| with(text, "attempt", "0"),
    },
    Flaw {
        name: "no-zone",
        about: "a start without its zone",
        says: "with its zone",
        damage: |text| with(text, "started", "\"2026-01-05T06:00:00\""),
    },
    Flaw {
        name: "unknown-lane",
        about: "a lane that there is not",
        says: "unknown variant",
        damage: |text| with(text, "lane", "\"nightly\""),
    },
    Flaw {
        name: "no-toml",
        about: "a value without its quotes",
        says: "must be quoted",
        damage: |text| with(text, "job", "unit tests"),
    },
];

/// A history whose first run has one flaw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flawed {
    /// The name of the flaw, one of [`FLAWS`].
    pub flaw: &'static str,
    /// What is wrong.
    pub about: &'static str,
    /// The file with the flaw.
    pub at: String,
    /// Words of the error by which `flakedb ingest` refuses it.
    pub says: &'static str,
    /// All files.
    #[serde(serialize_with = "texts")]
    files: Vec<GeneratedFile>,
}

fn texts<S: serde::Serializer>(files: &[GeneratedFile], serializer: S) -> Result<S::Ok, S::Error> {
    serializer
        .collect_map(files.iter().map(|file| (&file.path, String::from_utf8_lossy(&file.bytes))))
}

impl Flawed {
    /// The files, below a directory named after the flaw.
    #[must_use]
    pub fn files(self) -> Vec<GeneratedFile> {
        let flaw = self.flaw;
        let below = |file: GeneratedFile| GeneratedFile {
            path: format!("{flaw}/{}", file.path),
            bytes: file.bytes,
        };
        self.files.into_iter().map(below).collect()
    }
}

impl Histories {
    /// One history of two builds for each of the [`FLAWS`]: its first run has the flaw.
    #[must_use]
    pub fn invalid(&self, stream: &mut Stream) -> Vec<Flawed> {
        let sound = self.clone().runs(2).outages(0).generate(stream);
        let Some(first) = sound.runs.first() else { return Vec::new() };
        let at = format!("{}/{SIDECAR}", first.id);
        FLAWS
            .iter()
            .map(|flaw| {
                let damaged = (flaw.damage)(&first.sidecar.to_toml()).into_bytes();
                let mut files = sound.files();
                for file in files.iter_mut().filter(|file| file.path == at) {
                    file.bytes.clone_from(&damaged);
                }
                Flawed {
                    flaw: flaw.name,
                    about: flaw.about,
                    at: at.clone(),
                    says: flaw.says,
                    files,
                }
            })
            .collect()
    }
}

/// The text with another value of a key.
fn with(text: &str, key: &str, value: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once(" = ") {
        Some((known, _)) if known == key => format!("{key} = {value}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}
