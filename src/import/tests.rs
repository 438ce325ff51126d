//! What all formats have in common.

use std::sync::Mutex;

use proptest::prelude::*;

use super::*;

/// The runs of a document, in order, and the account.
pub(super) fn read(format: &Format, bytes: &[u8]) -> (Vec<Run>, Account) {
    let runs = Mutex::new(Vec::new());
    let source = Source { bytes, ..Source::default() };
    let account = format.read(&source, &|run| runs.lock().unwrap().push(run));
    let mut runs = runs.into_inner().unwrap();
    runs.sort_by_key(|run| run.place);
    (runs, account)
}

/// One document of each format, whole.
fn samples() -> Vec<(&'static Format, Vec<u8>)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/import");
    let file = |name: &str, path: &str| {
        (Format::from_name(name).unwrap(), std::fs::read(root.join(path)).unwrap())
    };
    vec![
        file("ctrf", "pytest/ctrf-report.json"),
        file("pytest-json", "pytest/report.json"),
        file("pytest-flaky-history", "pytest/.pytest_flaky_history.json"),
        file("jenkins", "jenkins/jobs/shop/builds/7/junitResult.xml"),
        (
            &FORMATS[0],
            b"{\"type\":\"meta\",\"tests\":[\"a.B::c\"]}\n{\"ts\":1,\"passed\":[0]}\n{\"ts\":2,\"results\":[[0,\"fail\",1,\"x\",[\"fail\"]]]}\n".to_vec(),
        ),
    ]
}

#[test]
fn each_format_is_told_by_content_and_has_a_name_of_its_own() {
    for (format, bytes) in samples() {
        assert_eq!(Format::detect(&bytes).map(|found| found.name), Some(format.name));
        let (runs, account) = read(format, &bytes);
        assert!(!runs.is_empty() && account.verdict() <= Verdict::Warn, "{}", format.name);
    }
    let mut names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FORMATS.len());
    for other in
        ["", "{}", "[1]", "<testsuite/>", "<result/>", "{\"results\": 1}", "{\"name\": {}}"]
    {
        assert!(Format::detect(other.as_bytes()).is_none(), "{other}");
    }
}

#[test]
fn what_is_of_another_format_is_refused_with_a_reason() {
    for format in FORMATS {
        for (other, bytes) in samples() {
            if other.name != format.name {
                let (runs, account) = read(format, &bytes);
                assert!(runs.is_empty(), "{} read {}", format.name, other.name);
                assert!(!account.findings.is_empty(), "{} said nothing", format.name);
            }
        }
    }
}

#[test]
fn wherever_a_document_is_cut_no_result_is_made_up_or_changed() {
    let results = |format: &Format, bytes: &[u8]| -> Vec<Vec<String>> {
        let (runs, _) = read(format, bytes);
        let one = |run: &Run| {
            let results = run.report.results.iter().map(|result| {
                let test = run.report.tests.get(result.test).unwrap().label();
                format!("{test} {}", result.outcome.strip_char())
            });
            results.collect()
        };
        runs.iter().map(one).collect()
    };
    for (format, bytes) in samples() {
        let whole: Vec<String> = results(format, &bytes).into_iter().flatten().collect();
        // Outcomes that no run is known for move to another run when some are missing.
        let is_aligned = format.name == "pytest-flaky-history";
        for end in (0..bytes.len()).step_by(37).chain(bytes.len() - 40..bytes.len()) {
            for result in results(format, &bytes[..end]).iter().flatten() {
                assert!(is_aligned || whole.contains(result), "{} {end}: {result}", format.name);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_damage_makes_a_reader_panic(sample in 0..5_usize, at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_, mut bytes) = samples().swap_remove(sample);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = Format::detect(&bytes);
        for format in FORMATS {
            let _ = read(format, &bytes);
            let _ = read(format, &bytes[at..]);
        }
    }

    #[test]
    fn no_bytes_at_all_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Format::detect(&bytes);
        for format in FORMATS {
            let (runs, account) = read(format, &bytes);
            prop_assert_eq!(runs.len() as u64, account.runs);
        }
    }
}
