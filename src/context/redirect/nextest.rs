//! nextest takes the place of reports from its configuration alone. It may name the file of the report,
//! and what stands in the repository's own wins over a tool's: so the directory of all is moved, by a
//! tool's configuration, and where the repository names that as well, by a copy of its own.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{REPORT, Redirected, Spot};

/// Names the configuration that nextest is given.
const TOOL: &str = "nextest.toml";
/// Names the copy of the repository's.
const COPY: &str = "nextest-repository.toml";
/// Where a repository has its own.
const OWN: &str = ".config/nextest.toml";
/// The option and the variable that name another one.
const OPTION: &str = "--config-file";
const VARIABLE: &str = "NEXTEST_CONFIG_FILE";

pub(super) fn redirect(
    redirected: &mut Redirected,
    variable: &dyn Fn(&str) -> Option<OsString>,
    directory: &Path,
) {
    let store = directory.join("nextest");
    let text = format!(
        "[store]\ndir = {}\n\n[profile.default.junit]\npath = \"{REPORT}\"\n",
        Value::String(store.to_string_lossy().into_owned())
    );
    let config = directory.join(TOOL);
    redirected.added =
        vec!["--tool-config-file".to_owned(), format!("flakedb:{}", config.display())];
    redirected.files = vec![(config, text)];
    redirected.spot = Spot::BeforeDashes;
    redirected.places = vec![store.join("**").join("*.xml")];
    let moved = own(&redirected.words, variable)
        .and_then(|path| fs::read_to_string(path).ok())
        .and_then(|text| moved(&text, &store));
    if let Some(text) = moved {
        let copy = directory.join(COPY);
        without_option(&mut redirected.words);
        redirected.added.extend([OPTION.to_owned(), copy.to_string_lossy().into_owned()]);
        redirected.files.push((copy, text));
    }
}

/// The repository's configuration: as the command or the environment names it, else where it is by
/// custom, above the manifest or the working directory.
fn own(words: &[String], variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(path) = value_of(words, OPTION) {
        return Some(path.into());
    }
    if let Some(path) = variable(VARIABLE).filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let manifest = value_of(words, "--manifest-path").map(std::path::absolute);
    let start = match manifest {
        Some(path) => path.ok()?.parent()?.to_path_buf(),
        None => std::env::current_dir().ok()?,
    };
    start.ancestors().map(|above| above.join(OWN)).find(|path| path.is_file())
}

fn value_of<'a>(words: &'a [String], option: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| word == option);
    let behind = at.and_then(|at| words.get(at + 1)).map(String::as_str);
    let joined = || words.iter().find_map(|word| word.strip_prefix(option)?.strip_prefix('='));
    behind.or_else(joined)
}

fn without_option(words: &mut Vec<String>) {
    if let Some(at) = words.iter().position(|word| word == OPTION) {
        words.drain(at..words.len().min(at + 2));
    }
    words.retain(|word| !word.strip_prefix(OPTION).is_some_and(|rest| rest.starts_with('=')));
}

/// The configuration with its reports in `store`; `None` where they go there anyway.
fn moved(text: &str, store: &Path) -> Option<String> {
    let mut config: Table = text.parse().ok()?;
    let mut changed = false;
    let dir = config.get_mut("store").and_then(|store| store.get_mut("dir"));
    if let Some(dir) = dir {
        *dir = Value::String(store.to_string_lossy().into_owned());
        changed = true;
    }
    let profiles = config.get_mut("profile").and_then(Value::as_table_mut);
    for (_, profile) in profiles.into_iter().flatten() {
        let path = profile.get_mut("junit").and_then(|junit| junit.get_mut("path"));
        // It would leave any directory.
        let leaves = |path: &Value| {
            path.as_str().is_some_and(|path| Path::new(path).is_absolute() || path.contains(".."))
        };
        if let Some(path) = path.filter(|path| leaves(path)) {
            *path = Value::String(REPORT.to_owned());
            changed = true;
        }
    }
    changed.then(|| config.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_the_repository_names_is_moved_with_all_else_kept() {
        let store = Path::new("/w/nextest");
        assert_eq!(
            moved("[profile.ci]\nretries = 2\n[profile.ci.junit]\npath = \"a/b.xml\"", store),
            None
        );
        let text = "[store]\ndir = \"target/mine\"\n[profile.ci]\nretries = 2\n\
                    [profile.ci.junit]\npath = \"/out/a.xml\"\n";
        let moved: Table = moved(text, store).unwrap().parse().unwrap();
        assert_eq!(moved["store"]["dir"].as_str(), Some("/w/nextest"));
        let ci = &moved["profile"]["ci"];
        assert_eq!(ci["retries"].as_integer(), Some(2));
        assert_eq!(ci["junit"]["path"].as_str(), Some("report.xml"));
    }

    #[test]
    fn a_configuration_that_the_command_names_is_copied() {
        let directory = tempfile::tempdir().unwrap();
        let own = directory.path().join("own.toml");
        fs::write(&own, "[store]\ndir = \"x\"\n").unwrap();
        let line = format!("cargo nextest run --config-file {} -- a", own.display());
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let part = super::super::redirect("nextest", &words, &|_| None, Path::new("/w")).unwrap();
        assert_eq!(
            part.complete(part.words.clone()).join(" "),
            "cargo nextest run --tool-config-file flakedb:/w/nextest.toml \
             --config-file /w/nextest-repository.toml -- a"
        );
        assert!(part.files[1].1.contains("/w/nextest"), "{:?}", part.files);
    }
}
