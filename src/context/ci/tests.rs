use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/ci")
}

fn detect_in(variables: &BTreeMap<String, String>) -> Option<Detected> {
    let read = |path: &str| fs::read(directory().join(path)).ok();
    detect(&|name| variables.get(name).cloned(), &read)
}

fn fixture(name: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(directory().join(format!("{name}.env"))).unwrap();
    let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.into(), value.into()));
    text.lines().filter_map(pair).collect()
}

fn as_json(detected: &Detected) -> Map<String, Value> {
    let context = &detected.context;
    let all = json!({
        "provider": detected.provider,
        "project": context.project,
        "revision": context.revision,
        "branch": context.branch,
        "default_branch": detected.default_branch,
        "lane": context.lane.map(Lane::word),
        "build": context.build,
        "attempt": context.attempt,
        "job": context.job,
        "url": context.url,
    });
    let fields = all.as_object().unwrap().clone();
    fields.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

#[test]
fn every_fixture_is_read_as_expected_and_every_provider_has_one() {
    let text = fs::read_to_string(directory().join("expected.json")).unwrap();
    let expected: BTreeMap<String, Map<String, Value>> = serde_json::from_str(&text).unwrap();
    let files: BTreeSet<String> = fs::read_dir(directory())
        .unwrap()
        .filter_map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".env")
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(files, expected.keys().cloned().collect());

    let mut seen = BTreeSet::new();
    for (name, fields) in &expected {
        let detected = detect_in(&fixture(name)).unwrap_or_else(|| panic!("{name}: no CI"));
        assert_eq!(&as_json(&detected), fields, "{name}");
        seen.insert(detected.provider);
    }
    let known: BTreeSet<&str> = table::PROVIDERS.iter().map(|row| row.name).collect();
    assert_eq!(seen, known);
    assert!(known.len() >= 14);
}

#[test]
fn outside_of_ci_nothing_is_detected() {
    assert_eq!(detect(&|_| None, &|_| None), None);
    let plain = |name: &str| (name == "CI").then(|| "true".to_owned());
    assert_eq!(detect(&plain, &|_| None), None);
    let off = |name: &str| (name == "GITHUB_ACTIONS").then(|| "false".to_owned());
    assert_eq!(detect(&off, &|_| None), None);
}

#[test]
fn a_broken_event_file_leaves_what_the_variables_said() {
    let variables = fixture("github-pull-request");
    for content in [&b""[..], b"{", b"[]", b"{\"pull_request\":7}", b"\xff"] {
        let read = |_: &str| Some(content.to_vec());
        let detected = detect(&|name| variables.get(name).cloned(), &read).unwrap();
        assert_eq!(detected.context.branch.as_deref(), Some("fix-cart"));
        assert_eq!(detected.context.lane, Some(Lane::Change));
    }
}

#[test]
fn properties_are_read_with_their_escapes() {
    let read = teamcity_properties(b"# no\na=1\n b : x\\:y\\\\z\nnothing\n");
    assert_eq!(
        read,
        [("a", "1"), ("b", "x:y\\z")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    );
}

fn teamcity_properties(bytes: &[u8]) -> BTreeMap<String, String> {
    teamcity::properties(bytes).into_iter().collect()
}

/// Every variable that any provider reads.
fn names() -> Vec<String> {
    let mut names: BTreeSet<String> =
        ["GITHUB_EVENT_PATH", "TEAMCITY_BUILD_PROPERTIES_FILE"].map(str::to_owned).into();
    for entry in fs::read_dir(directory()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".env") {
            names.extend(fixture(name).into_keys());
        }
    }
    names.into_iter().collect()
}

proptest! {
    #[test]
    fn no_environment_panics_or_gives_blank_or_wild_values(
        picks in prop::collection::vec((any::<prop::sample::Index>(), "\\PC{0,12}|[ \n\t]{0,3}|refs/[a-z/]{0,9}|[0-9a-f]{7,40}|[0-9]{1,12}"), 0..40),
        file in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let names = names();
        let variables: BTreeMap<String, String> =
            picks.iter().map(|(index, value)| (index.get(&names).clone(), value.clone())).collect();
        let detected = detect(&|name| variables.get(name).cloned(), &|_| Some(file.clone()));
        if let Some(Detected { context, .. }) = detected {
            prop_assert!(context.attempt != Some(0));
            prop_assert!(context.revision.is_none_or(|revision| is_commit(&revision)));
            for text in [context.branch, context.build, context.job, context.url].into_iter().flatten() {
                prop_assert!(!text.is_empty());
            }
        }
    }
}
