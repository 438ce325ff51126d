//! The bodies of the fuzz targets on stable Rust: over the seeds that fuzzing left, over damaged
//! ones, and over any bytes.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::command::project;
use crate::promises::{TARGETS, Target};

/// Cases of one target; a fuzzer runs millions.
const CASES: u32 = 40;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = project("fuzz/seeds").join(target);
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs a body over any bytes, and over seeds that are cut, patched and joined.
fn holds((name, body): Target) {
    let seeds = seeds(name);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    seeds.iter().for_each(|seed| body(seed));
    let mut runner = TestRunner::new(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 64,
        ..ProptestConfig::default()
    });
    let index = any::<prop::sample::Index>;
    let patches = proptest::collection::vec((index(), any::<u8>()), 0..6);
    let bytes = proptest::collection::vec(any::<u8>(), 0..120);
    let case = (index(), index(), index(), patches, bytes);
    runner
        .run(&case, |(one, other, cut, patches, bytes)| {
            let mut damaged = seeds[one.index(seeds.len())].clone();
            damaged.truncate(cut.index(damaged.len() + 1));
            damaged.extend(&seeds[other.index(seeds.len())]);
            for (place, byte) in patches {
                if !damaged.is_empty() {
                    let place = place.index(damaged.len());
                    damaged[place] = byte;
                }
            }
            body(&damaged);
            body(&bytes);
            Ok(())
        })
        .unwrap();
}

fn target(name: &str) -> Target {
    *TARGETS.iter().find(|(known, _)| *known == name).unwrap()
}

#[test]
fn archives_keep_their_promises() {
    holds(target("archive"));
}

#[test]
fn configurations_keep_their_promises() {
    holds(target("configuration"));
}

#[test]
fn histories_from_elsewhere_keep_their_promises() {
    holds(target("history"));
}

#[test]
fn imports_keep_their_promises() {
    holds(target("import"));
}

#[test]
fn listings_keep_their_promises() {
    holds(target("listing"));
}

#[test]
fn code_owners_keep_their_promises() {
    holds(target("owners"));
}

#[test]
fn quarantine_lists_keep_their_promises() {
    holds(target("quarantine"));
}

#[test]
fn reports_keep_their_promises() {
    holds(target("read"));
}

#[test]
fn segments_keep_their_promises() {
    holds(target("segment"));
}

#[test]
fn sidecars_keep_their_promises() {
    holds(target("sidecar"));
}

/// A reader that is fuzzed and not tested here, or the other way round, is forgotten in the end.
#[test]
fn every_fuzz_target_is_built_seeded_and_tested() {
    let manifest = fs::read_to_string(project("fuzz/Cargo.toml")).unwrap();
    let own = include_str!("hostile.rs");
    for (name, _) in TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
        assert!(own.contains(&format!("holds(target(\"{name}\"))")), "{name} is not tested");
    }
    let mut built: Vec<String> = fs::read_dir(project("fuzz/fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    built.sort();
    let mut wanted: Vec<String> = TARGETS.iter().map(|(name, _)| format!("{name}.rs")).collect();
    // What is sent to a socket is tested in tests/mock.
    wanted.push("mock.rs".to_owned());
    wanted.sort();
    assert_eq!(built, wanted);
    let bytes: u64 =
        TARGETS.iter().flat_map(|(name, _)| seeds(name)).map(|seed| seed.len() as u64).sum();
    assert!(bytes < 1 << 20, "the seeds are {bytes} bytes");
}
