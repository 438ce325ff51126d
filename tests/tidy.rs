//! The rules of the house (docs/ARCHITECTURE.md), enforced on the sources themselves.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// What stands above a module of tests.
const TEST_ONLY: &str = "#[cfg(test)]";
const VAGUE_NAMES: [&str; 6] = ["util", "utils", "helper", "helpers", "common", "misc"];

/// Which modules of this crate each module may name. A module is not in its own list.
const LAYERS: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("junit", &["model"]),
    ("import", &["model", "junit"]),
    ("listing", &["model"]),
    ("context", &["model"]),
    ("config", &["model"]),
    ("store", &["model"]),
    ("analysis", &["model", "store::query"]),
    ("quarantine", &["model", "analysis", "store::query"]),
    ("report", &["model", "analysis", "quarantine", "store::query"]),
    (
        "ops",
        &[
            "model",
            "junit",
            "import",
            "listing",
            "context",
            "config",
            "store",
            "analysis",
            "quarantine",
            "report",
        ],
    ),
    (
        "cli",
        &[
            "ops",
            "report",
            "config",
            "context",
            "model",
            "analysis",
            "quarantine",
            "junit",
            "import",
            "listing",
            "store",
            "testkit",
        ],
    ),
    ("testkit", &["model", "junit::writer"]),
];

/// What only some layers, or parts of them, may do, and the words that give it away.
const RESERVED: [(&str, &[&str], &[&str]); 4] = [
    (
        "printing",
        &["print!(", "println!(", "eprint!(", "eprintln!(", "io::stdout", "io::stderr"],
        &["cli"],
    ),
    (
        "the clock",
        &["SystemTime::now", "Instant::now", "Utc::now", "Local::now", "Local.from_local"],
        &["cli", "context", "testkit"],
    ),
    // What isolates workers has to see, and to set, what they find around them.
    (
        "the environment",
        &["std::env", "env::var", "env::current_dir"],
        &["cli", "context", "testkit/parallel"],
    ),
    ("SQL", &["rusqlite"], &["store"]),
];

struct Source {
    path: PathBuf,
    shown: String,
    layer: String,
    /// Everything before the file's own test module.
    code: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(below: &Path, extension: Option<&str>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![below.to_path_buf()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if entry.is_dir() {
                if !["target", "node_modules", ".venv", "snapshots"].contains(&name.as_str()) {
                    open.push(entry);
                }
            } else if extension.is_none_or(|wanted| name.ends_with(wanted)) {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<Source> {
    let paths = files(&root().join("src"), Some(".rs"));
    let tests: Vec<PathBuf> = paths.iter().flat_map(|path| test_modules(path)).collect();
    paths
        .into_iter()
        .filter(|path| {
            !tests.iter().any(|test| path.starts_with(test.with_extension("")) || path == test)
        })
        .map(|path| {
            let shown = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            let layer = shown.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
            let code = without_tests(&fs::read_to_string(&path).unwrap());
            Source { path, shown, layer, code }
        })
        .collect()
}

/// The files of the modules that `path` declares for tests alone.
fn test_modules(path: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(path).unwrap();
    let folder = match path.file_stem().unwrap().to_str().unwrap() {
        "mod" | "lib" | "main" => path.parent().unwrap().to_path_buf(),
        stem => path.parent().unwrap().join(stem),
    };
    let mut modules = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == TEST_ONLY {
            modules.extend(lines.find(|line| !line.starts_with("#[")));
        }
    }
    modules
        .into_iter()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(|name| folder.join(format!("{name}.rs")))
        .collect()
}

/// The lines before the file's own test module, declarations of test modules left out.
fn without_tests(text: &str) -> Vec<String> {
    let mut code = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let declared =
            if line == TEST_ONLY { lines.find(|line| !line.starts_with("#[")) } else { None };
        match declared {
            Some(module) if module.starts_with("mod ") && module.ends_with('{') => break,
            Some(_) => {}
            None => code.push(line.to_owned()),
        }
    }
    code
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn report(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

#[test]
fn modules_name_only_the_layers_above_them() {
    let mut broken = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == source.layer) else {
            continue;
        };
        for (number, line) in source.code.iter().enumerate().filter(|(_, line)| !is_comment(line)) {
            for (at, _) in line.match_indices("crate::") {
                let rest = &line[at + "crate::".len()..];
                let fine = rest.starts_with(&source.layer)
                    || allowed.iter().any(|layer| rest.starts_with(layer))
                    || !LAYERS.iter().any(|(layer, _)| rest.starts_with(layer));
                if !fine {
                    broken.push(format!("{}:{}: {}", source.shown, number + 1, line.trim()));
                }
            }
        }
    }
    report("a layer imports what it must not know (see LAYERS)", &broken);
}

#[test]
fn every_module_stands_in_the_table_of_layers() {
    let mut broken = Vec::new();
    for source in sources() {
        let known = ["lib", "main"].contains(&source.layer.as_str())
            || LAYERS.iter().any(|(layer, _)| *layer == source.layer);
        if !known {
            broken.push(source.shown);
        }
    }
    report("a module that no layer names", &broken);
}

#[test]
fn printing_clock_environment_and_sql_stay_where_they_belong() {
    let mut broken = Vec::new();
    for source in sources() {
        for (what, words, layers) in RESERVED {
            let is_in = |place: &&str| Path::new(&source.shown).starts_with(format!("src/{place}"));
            if layers.contains(&source.layer.as_str()) || layers.iter().any(is_in) {
                continue;
            }
            for (number, line) in source.code.iter().enumerate() {
                if !is_comment(line) && words.iter().any(|word| line.contains(word)) {
                    let place = format!("{}:{}", source.shown, number + 1);
                    broken.push(format!("{place}: {what} belongs in {layers:?}: {}", line.trim()));
                }
            }
        }
    }
    report("something is done in the wrong layer", &broken);
}

#[test]
fn files_and_functions_stay_short() {
    let mut broken = Vec::new();
    for source in sources() {
        if source.code.len() > FILE_LINES_MAX {
            broken.push(format!("{}: {} lines", source.shown, source.code.len()));
        }
        for (start, name, lines) in functions(&source.code) {
            if lines > FUNCTION_LINES_MAX {
                broken.push(format!("{}:{start}: fn {name}: {lines} lines", source.shown));
            }
        }
    }
    report("longer than 500 lines a file or 70 a function", &broken);
}

/// (first line, name, length) of every function; relies on rustfmt's closing brace.
fn functions(code: &[String]) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (start, line) in code.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(at) = line.find("fn ").filter(|at| {
            !is_comment(line)
                && line[indent..*at].split_whitespace().all(|word| {
                    ["pub", "const", "async"].contains(&word) || word.starts_with("pub(")
                })
        }) else {
            continue;
        };
        let name: String =
            line[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let closing = format!("{}}}", " ".repeat(indent));
        if let Some(length) = code[start..].iter().position(|line| *line == closing) {
            found.push((start + 1, name, length + 1));
        }
    }
    found
}

#[test]
fn no_module_has_a_vague_name() {
    let broken: Vec<String> = files(&root().join("src"), None)
        .iter()
        .flat_map(|path| path.components().map(|part| part.as_os_str().to_string_lossy()))
        .map(|part| part.trim_end_matches(".rs").to_owned())
        .filter(|part| VAGUE_NAMES.contains(&part.as_str()))
        .collect();
    report("a module's name must say what it knows", &broken);
}

#[test]
fn nothing_that_input_can_reach_panics() {
    const WORDS: [&str; 6] =
        [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!("];
    let mut broken = Vec::new();
    for source in sources() {
        for (number, line) in source.code.iter().enumerate() {
            if !is_comment(line) && WORDS.iter().any(|word| line.contains(word)) {
                broken.push(format!("{}:{}: {}", source.shown, number + 1, line.trim()));
            }
        }
    }
    report("panics outside tests", &broken);
}

#[test]
fn every_module_says_what_it_is_for() {
    let broken: Vec<String> = sources()
        .iter()
        .filter(|source| !source.path.ends_with("src/main.rs"))
        .filter(|source| !fs::read_to_string(&source.path).unwrap().starts_with("//!"))
        .map(|source| source.shown.clone())
        .collect();
    report("a module without a header", &broken);
}

#[test]
fn every_limit_is_used() {
    let limits = fs::read_to_string(root().join("src/model/limits.rs")).unwrap();
    let elsewhere: String = sources()
        .iter()
        .filter(|source| !source.shown.ends_with("limits.rs"))
        .flat_map(|source| source.code.iter().map(|line| format!("{line}\n")))
        .collect();
    let broken: Vec<String> = limits
        .lines()
        .filter_map(|line| line.strip_prefix("pub const "))
        .filter_map(|line| line.split(':').next())
        .filter(|name| !elsewhere.contains(name))
        .map(str::to_owned)
        .collect();
    report("a limit that nothing enforces", &broken);
}

#[test]
fn every_fixture_is_used() {
    let mut tests = String::new();
    for file in files(&root().join("src"), Some(".rs")) {
        tests.push_str(&fs::read_to_string(file).unwrap());
    }
    for extension in [".rs", ".sh", ".py"] {
        for file in files(&root().join("tests"), Some(extension)) {
            tests.push_str(&fs::read_to_string(file).unwrap());
        }
    }
    let fixtures = root().join("fixtures");
    let folders: BTreeSet<String> = files(&fixtures, None)
        .iter()
        .filter_map(|path| path.strip_prefix(&fixtures).ok()?.parent().map(Path::to_path_buf))
        .filter_map(|folder| Some(folder.iter().next()?.to_string_lossy().into_owned()))
        .collect();
    assert!(!folders.is_empty());
    let broken: Vec<String> = folders
        .into_iter()
        .filter(|folder| !tests.contains(&format!("fixtures/{folder}")))
        .collect();
    report("a folder of fixtures that no test names", &broken);
}

#[test]
fn the_declared_toolchain_covers_every_dependency() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let declared = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .map(|version| version.trim_matches('"').to_owned())
        .unwrap();
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--no-default-features"])
        .args(["--features", "cli", "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let broken: Vec<String> = runtime_packages(&metadata)
        .into_iter()
        .filter_map(|package| {
            let needs = package["rust_version"].as_str()?;
            (version(needs) > version(&declared))
                .then(|| format!("{} needs {needs}, declared is {declared}", package["name"]))
        })
        .collect();
    report("a dependency needs a newer compiler than rust-version", &broken);
}

/// The packages that the binary links or builds with; dev-dependencies do not count.
fn runtime_packages(metadata: &serde_json::Value) -> Vec<&serde_json::Value> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let mut open = vec![metadata["resolve"]["root"].as_str().unwrap()];
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !reached.insert(id) {
            continue;
        }
        let node = nodes.iter().find(|node| node["id"] == id).unwrap();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                open.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| reached.contains(package["id"].as_str().unwrap())).collect()
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|part| part.parse().unwrap()).collect();
    parts.resize(3, 0);
    parts
}
