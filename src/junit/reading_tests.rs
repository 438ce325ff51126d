//! Small documents, each for one rule of the reader.

use super::*;

fn reading(text: &str) -> Reading {
    read(text.as_bytes(), &ReadOptions::default())
}

fn codes(text: &str) -> Vec<Code> {
    reading(text).warnings.iter().map(|warning| warning.code).collect()
}

#[test]
fn a_control_character_is_found_in_whichever_block_it_stands() {
    for place in [0, 7, 4_095, 4_096, 4_106, 9_000] {
        let mut bytes = vec![b'x'; 10_000];
        bytes[..3].copy_from_slice(b"\t\r\n");
        bytes[place] = 0x1b;
        assert_eq!(first_control(&bytes), Some(place));
    }
    assert_eq!(first_control(b"a\tb\r\nc"), None);
}

#[test]
fn more_declared_failures_than_shown_are_said() {
    let suites = |first: u32, second: u32| {
        format!(
            r#"<testsuites><testsuite name="a" failures="{first}"><testcase name="n" classname="c">
            <failure message="m">t</failure></testcase></testsuite><testsuite name="b"
            failures="{second}"><testcase name="o" classname="c"/></testsuite></testsuites>"#
        )
    };
    let mismatch = Code::CountMismatch;
    assert!(!codes(&suites(1, 0)).contains(&mismatch));
    assert!(codes(&suites(1, 1)).contains(&mismatch));
    assert!(codes(&suites(2, 0)).contains(&mismatch));
}

#[test]
fn more_declared_tests_than_shown_are_said_and_skipped_ones_are_no_failures() {
    let document = |counts: &str| {
        format!(r#"<testsuite name="a" {counts}><testcase name="n" classname="c"/></testsuite>"#)
    };
    assert!(codes(&document(r#"tests="2""#)).contains(&Code::MissingTests));
    assert!(codes(&document(r#"tests="1" skipped="5""#)).is_empty());
    assert!(codes(&document(r#"tests="many""#)).contains(&Code::CountMismatch));
    assert!(codes(&document(r#"tests="" failures=" ""#)).is_empty());
}

#[test]
fn the_name_of_the_root_gives_its_producer_away() {
    let document = |root: &str| {
        format!(
            r#"<testsuites name="{root}"><testsuite name="a"><testcase name="n" classname="c"/>
            </testsuite></testsuites>"#
        )
    };
    for (root, producer) in [("jest tests", "jest-junit"), ("bun test", "bun")] {
        assert_eq!(reading(&document(root)).report.producer, producer);
    }
}

#[test]
fn a_failure_keeps_its_kind_its_message_and_its_text_without_the_lines_around_it() {
    let read = reading(
        "<testsuite name='a'><testcase name='n' classname='c'><failure type='T' message='m'>\n\
         \x20 first\n  second \n</failure></testcase></testsuite>",
    );
    let failure = &read.report.failures[0];
    assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("T", "m"));
    assert_eq!(failure.text, "  first\n  second");
    assert_eq!(read.report.results[0].failure, Some(0));
}

#[test]
fn each_root_is_held_to_its_own_counts() {
    let document = |second: &str| {
        format!(
            "<testsuite name='a' tests='1' failures='1'><testcase name='n' classname='c'>\
             <failure/></testcase></testsuite>\
             <testsuite name='b' {second}><testcase name='o' classname='c'/></testsuite>"
        )
    };
    assert_eq!(codes(&document("tests='1'")), [Code::MultiRoot]);
    assert!(codes(&document("tests='2'")).contains(&Code::MissingTests));
    assert!(codes(&document("failures='1'")).contains(&Code::CountMismatch));
}

#[test]
fn the_outermost_suite_of_the_first_document_tells_the_producer() {
    let nested = "<testsuite name='Mocha Tests'><testsuite name='x'><testcase name='n' classname='c'/>\
                  </testsuite></testsuite>";
    assert_eq!(reading(nested).report.producer, "mocha");
}

#[test]
fn other_output_in_front_of_a_report_is_no_root_of_it() {
    let suite = "<testsuite name='a'><testcase name='n' classname='c'/></testsuite>";
    for before in ["<5 ms>\n", "log <output>\n", "log\n<b>bold</b>\n"] {
        let read = reading(&format!("{before}{suite}"));
        assert_eq!((read.report.results.len(), read.verdict), (1, Verdict::Warn), "{before}");
        assert!(read.warnings.iter().any(|warning| warning.code == Code::JunkBefore), "{before}");
    }
    assert_eq!(reading(&format!("<output/>{suite}")).verdict, Verdict::Reject);
}
