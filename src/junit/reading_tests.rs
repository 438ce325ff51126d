//! Small documents, each for one rule of the reader.

use super::*;
use crate::model::{Outcome, Repeat, limits};

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

#[test]
fn blanks_and_zeros_are_as_empty_as_nothing() {
    assert_eq!(codes(" \n\0"), codes(""));
}

#[test]
fn findings_that_are_only_counted_are_findings_all_the_same() {
    let nested = r#"<testcase name="a"><testcase name="b"/></testcase>"#;
    let document = |count| format!("<testsuite name='s'>{}</testsuite>", nested.repeat(count));
    let (few, many) = (reading(&document(1)), reading(&document(limits::WARNINGS_MAX + 1)));
    assert_eq!((few.verdict, few.warnings_dropped), (Verdict::Accept, 0));
    assert!(many.warnings_dropped > 0 && many.verdict == Verdict::Warn);
}

#[test]
fn records_beyond_what_is_kept_are_counted() {
    let record = r#"<testcase classname="c" name="a"/>"#;
    let count = limits::ATTEMPTS_MAX + 3;
    let read = reading(&format!("<testsuite name='s'>{}</testsuite>", record.repeat(count)));
    let said = read.warnings.iter().find(|one| one.code == Code::TooManyAttempts).unwrap();
    let expected = format!("{count} records of `s::c::a`; {} are kept", limits::ATTEMPTS_MAX);
    assert!(said.message.starts_with(&expected), "{}", said.message);
    assert_eq!(read.report.results[0].attempts.len(), limits::ATTEMPTS_MAX);
}

#[test]
fn elements_of_one_case_beyond_what_is_kept_are_left_out() {
    let of = |suite: &str, element: &str| {
        let elements = element.repeat(limits::ATTEMPTS_MAX + 3);
        let text = format!(
            "<testsuites name='{suite}'><testsuite name='s'><testcase classname='c' name='a'>\
             <failure/>{elements}</testcase></testsuite></testsuites>"
        );
        reading(&text).report.results[0].attempts.len()
    };
    assert_eq!(of("n", "<rerunFailure/>"), limits::ATTEMPTS_MAX);
    assert_eq!(of("vitest tests", "<failure/>"), limits::ATTEMPTS_MAX);
}

/// The message of the failure of the first result.
fn blamed(text: &str) -> String {
    let report = reading(text).report;
    let place = report.results[0].failure.unwrap();
    report.failures[place as usize].message.clone()
}

#[test]
fn a_repeated_test_shows_the_failure_of_the_record_that_decides() {
    let failed = |message: &str| {
        format!("<testcase classname='c' name='a'><failure message='{message}'/></testcase>")
    };
    let passed = "<testcase classname='c' name='a'/>";
    let of = |root: &str, cases: &[&str]| {
        format!(
            "<testsuites name='{root}'><testsuite name='s'>{}</testsuite></testsuites>",
            cases.concat()
        )
    };
    // Different tests of one name: the worst.
    assert_eq!(blamed(&of("jest tests", &[&failed("m"), passed])), "m");
    // One execution: the call that failed, not the teardown behind it.
    let teardown = "<testcase classname='c' name='a'><error message='t'/></testcase>";
    assert_eq!(blamed(&of("pytest tests", &[&failed("call"), teardown])), "call");
}

#[test]
fn vitests_failures_are_attempts_and_are_not_put_together() {
    let of = |root: &str| {
        let text = format!(
            "<testsuites name='{root}'><testsuite name='s'><testcase classname='c' name='a'>\
             <failure message='1'/><failure message='2'/></testcase></testsuite></testsuites>"
        );
        reading(&text).report.failures.len()
    };
    assert_eq!((of("vitest tests"), of("other")), (2, 3));
}

#[test]
fn a_repeat_on_purpose_is_told_by_all_its_numbers() {
    let of = |total: u32, last: u32| {
        let case = |index| match index {
            1 => format!("<testcase classname='c' name=\"t[1-{total}]\"><failure/></testcase>"),
            index => format!("<testcase classname='c' name=\"t[{index}-{total}]\"/>"),
        };
        let cases: String = (1..=last).map(case).collect();
        let read = reading(&format!("<testsuite name='pytest'>{cases}</testsuite>")).report;
        (read.producer, read.results.len(), read.results[0].repeat)
    };
    assert_eq!(of(3, 3), ("pytest-repeat", 1, Repeat::Retried));
    assert_eq!(of(3, 2), ("pytest", 2, Repeat::Single));
    assert_eq!(of(limits::ATTEMPTS_MAX as u32 + 1, 2).0, "pytest");
}

#[test]
fn a_test_id_beats_the_names_unless_it_is_blank() {
    let of = |id: &str| {
        let text = format!(
            "<testsuite name='s'><testcase classname='c' name='a'><properties><property \
             name='test_id' value='{id}'/></properties></testcase></testsuite>"
        );
        reading(&text).report.tests.iter().next().unwrap().id
    };
    assert_ne!(of("x"), of("y"));
    assert_ne!(of("x"), of(" "));
    assert_eq!(of(""), of(" "));
}

#[test]
fn a_day_ahead_is_no_future_but_a_clock_of_another_zone() {
    let is_future = |time: &str| {
        let text =
            format!("<testsuite name='s' timestamp='{time}'><testcase name='a'/></testsuite>");
        // 2026-11-22T00:00:00Z
        let now = Some(Timestamp(1_795_305_600_000));
        let read = read(text.as_bytes(), &ReadOptions { now, ..ReadOptions::default() });
        read.warnings.iter().any(|one| one.code == Code::BadTimestamp)
    };
    for zone in ["", "Z"] {
        assert!(!is_future(&format!("2026-11-23T00:00:00{zone}")), "{zone}");
        assert!(is_future(&format!("2026-11-23T00:00:00.001{zone}")), "{zone}");
    }
}

#[test]
fn a_document_that_is_readable_is_not_utf_16_whatever_it_declares() {
    let text = "<?xml version='1.0' encoding='utf-16'?><testsuite name='s'><testcase name='a'/></testsuite>";
    assert_eq!(reading(text).report.counts.cases, 1);
}

#[test]
fn names_are_long_beyond_their_limit_and_not_at_it() {
    let is_long = |suite: usize, class: usize| {
        let [suite, class] = [suite, class].map(|length| "n".repeat(length));
        codes(&format!(
            "<testsuite name='{suite}'><testcase classname='{class}' name='a'/></testsuite>"
        ))
        .contains(&Code::LongName)
    };
    let most = limits::NAME_BYTES_MAX;
    assert!(!is_long(most, most));
    assert!(is_long(most + 1, 1) && is_long(1, most + 1));
}

#[test]
fn elements_of_any_name_nest_and_what_is_left_open_is_closed() {
    let text =
        "<testsuites><testsuite name='s'><_x></_x><testcase name='a'/></testsuite></testsuites>";
    assert_eq!(codes(text), []);
    let open = reading("<testsuites><testsuite name='s'><testcase name='a'/></testsuites>");
    assert_eq!((open.verdict, open.report.complete), (Verdict::Warn, true));
    assert_eq!(open.warnings.len(), 1, "{:?}", open.warnings);
}

#[test]
fn a_text_ends_behind_its_comments_and_is_as_deep_as_its_elements() {
    let of = |body: &str| {
        reading(&format!(
            "<testsuite name='s'><testcase name='a'><failure>{body}</failure></testcase></testsuite>"
        ))
    };
    let commented = of("x <!-- </failure> --> y");
    assert_eq!(commented.report.failures[0].text, "x  y");
    let less = of(&"1 < 2\n".repeat(limits::DEPTH_MAX * 2));
    assert!(less.warnings.iter().all(|one| one.code != Code::TooDeep), "{:?}", less.warnings);
    assert_eq!(less.report.counts.failed, 1);
}

#[test]
fn a_worker_of_a_suite_ran_the_tests_of_that_suite() {
    let property = "<properties><property name='worker' value='w7'/></properties>";
    let text = format!(
        "<testsuites><testsuite name='r'><testcase name='a'/></testsuite>\
         <testsuite name='s'><testcase name='b'/>{property}<testcase name='c'/></testsuite></testsuites>"
    );
    let report = reading(&text).report;
    let workers: Vec<_> = (0..3).map(|place| report.workers.of(place)).collect();
    assert_eq!(workers, [None, Some("w7"), Some("w7")]);
}

#[test]
fn every_control_character_counts_alone() {
    for byte in 0..=0x7f_u8 {
        let is_control = byte < 0x20 && !b"\t\r\n".contains(&byte);
        assert_eq!(first_control(&[byte]), is_control.then_some(0), "{byte:#x}");
        let read =
            super::text::body(std::str::from_utf8(&[byte]).unwrap(), &mut Default::default());
        let wanted = match byte {
            b'\n' | b'\r' => "\n".to_owned(),
            0x7f => "\u{fffd}".to_owned(),
            _ if is_control => "\u{fffd}".to_owned(),
            _ => char::from(byte).to_string(),
        };
        assert_eq!(read, wanted, "{byte:#x}");
    }
}

#[test]
fn what_is_remembered_changes_nothing_at_a_limit() {
    let nested = |depth: usize| {
        let (open, close) = ("<testsuite name=\"s\">", "</testsuite>");
        let case = "<testcase classname=\"c\" name=\"n\" time=\"0.1\"/>";
        format!("{}{case}{case}{}", open.repeat(depth), close.repeat(depth))
    };
    let long = |bytes: usize| {
        let case = format!("<testcase classname=\"c\" name=\"{}\" time=\"1\"/>", "n".repeat(bytes));
        format!("<testsuite name=\"s\">{case}<testcase name=\"o\"/>{case}</testsuite>")
    };
    let depths = (limits::DEPTH_MAX - 2..=limits::DEPTH_MAX + 1).map(nested);
    let lengths = (limits::NAME_BYTES_MAX - 1..=limits::NAME_BYTES_MAX + 1).map(long);
    for text in depths.chain(lengths) {
        let (options, mut reader) = (ReadOptions::default(), Reader::within(1 << 20));
        let _ = reader.read(nested(1).as_bytes(), &options);
        let fresh = format!("{:?}", reading(&text));
        for _ in 0..2 {
            let again = format!("{:?}", reader.read(text.as_bytes(), &options));
            assert!(again == fresh, "{} bytes: {again}\n{fresh}", text.len());
        }
    }
}

#[test]
fn a_message_at_the_limit_stays_as_it_is() {
    let of = |bytes: usize| {
        let message = "m".repeat(bytes);
        let text = format!(
            r#"<testsuite name="s"><testcase classname="c" name="n"><failure message="{message}">t</failure></testcase></testsuite>"#
        );
        let failure = reading(&text).report.failures.remove(0);
        (failure.message.len(), failure.text.len())
    };
    let most = limits::FAILURE_MESSAGE_BYTES_MAX;
    assert_eq!(of(most), (most, 1));
    let (message, text) = of(most + 1);
    assert!(message <= most);
    assert_eq!(text, most + 1 + "\nt".len());
    assert_eq!(of(most + 100).1, most + 100 + "\nt".len());
}

#[test]
fn encodings_without_a_mark_are_told_by_their_zeros() {
    let text = r#"<testsuite name="s"><testcase classname="c" name="ä"/></testsuite>"#;
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little, big] {
        let reading = read(&bytes, &ReadOptions::default());
        assert_eq!(reading.report.tests.iter().map(|test| test.name).collect::<Vec<_>>(), ["ä"]);
    }
}

#[test]
fn each_producer_has_its_own_advice() {
    assert_eq!(
        ["minitest", "catch2", "doctest", "anything"].map(super::assembly::advice),
        [
            "update minitest-reporters, whose class names collide",
            "give sections and cases names of their own",
            "give sections and cases names of their own",
            "give each test a name of its own",
        ]
    );
}

#[test]
fn a_skipped_case_of_eunit_is_a_killed_one_only_where_it_timed_out() {
    let outcome = |suite: &str, kind: &str| {
        let text = format!(
            r#"<testsuite name="{suite}"><testcase time="0.1" name="m:t_test/0"><skipped type="{kind}"/></testcase></testsuite>"#
        );
        reading(&text).report.results[0].outcome
    };
    assert_eq!(outcome("module 'm'", "timeout"), Outcome::Errored);
    assert_eq!(outcome("module 'm'", "reason"), Outcome::Skipped);
    assert_eq!(outcome("m", "timeout"), Outcome::Skipped);
}

#[test]
fn a_fraction_may_have_a_sign_and_a_unit_in_words() {
    let seconds = |text: &str| super::value::seconds(text).value.map(|micros| micros.0);
    for (text, micros) in [
        ("1.5 m", Some(90_000_000)),
        ("2 min", Some(120_000_000)),
        ("3 sec", Some(3_000_000)),
        ("4 ms", Some(4_000)),
        ("1e-3", Some(1_000)),
        ("1e+2", Some(100_000_000)),
        ("1e", None),
        ("1e5x", None),
        ("NaN", None),
        ("inf", None),
        ("-0.0", Some(0)),
    ] {
        assert_eq!(seconds(text), micros, "{text}");
    }
}

/// The names of the tests that were read.
fn names(reading: &Reading) -> Vec<String> {
    reading.report.tests.iter().map(|test| test.name.to_owned()).collect()
}

#[test]
fn a_sign_that_must_be_escaped_is_repaired_and_a_missing_quote_is_not() {
    let less = "<testsuite name='s'><testcase classname='c' name='a<b'/></testsuite>";
    assert_eq!(codes(less), [Code::Repaired]);
    assert_eq!(names(&reading(less)), ["a<b"]);
    let swallowed = "<testsuite name='s'><testcase classname='c' name='first'/>\
                     <testcase classname='c' name='a/>\n<testcase classname='c' name='b' file='x'/><y z='/></testsuite>";
    let read = reading(swallowed);
    assert_eq!(read.warnings[0].code, Code::Malformed);
    assert!(read.warnings[0].message.starts_with("a quote is missing"), "{:?}", read.warnings);
    assert_eq!((names(&read), read.report.complete), (vec!["first".to_owned()], false));
}

#[test]
fn stray_signs_are_text_and_cut_markup_is_none() {
    let of = |inside: &str| {
        let read = reading(&format!(
            "<testsuite name='s'><testcase classname='c' name='a'/>{inside}<testcase classname='c' name='b'/></testsuite>"
        ));
        (names(&read).len(), read.warnings.first().map(|warning| warning.code))
    };
    assert_eq!(of("x <! y > and more of it"), (2, Some(Code::Repaired)));
    assert_eq!(of("<!-- a comment -->"), (2, None));
    assert_eq!(of("<![CDATA[<!]]>"), (2, None));
    assert_eq!(of("<!-- it never ends "), (1, Some(Code::Malformed)));
}

#[test]
fn failed_attempts_that_show_as_passed_cases_are_counted_as_attempts() {
    // pytest-rerunfailures writes a failed attempt as a case without a child.
    let case = |inside: &str| {
        format!("<testcase classname='tests.test_a' name='test_b' time='0.1'>{inside}</testcase>")
    };
    let bare = "<testcase classname='tests.test_a' name='test_b' time='0.1' />";
    let document = |cases: &[&str]| {
        let head = "<testsuites><testsuite name='pytest' errors='0' failures='0' skipped='0' tests='1' time='0.1' timestamp='2026-11-01T08:00:00' hostname='h'>";
        reading(&format!("{head}{}</testsuite></testsuites>", cases.concat())).report
    };
    let report = document(&[bare, bare, bare]);
    assert_eq!(report.producer, "pytest");
    let counts = &report.counts;
    assert_eq!([counts.cases, counts.passed, counts.failed, counts.flaky], [1, 1, 0, 1]);
    // One that calls itself flaky is counted as such already, and is no failed attempt.
    let flaky = bare.replace(" />", " flaky='true'><failure/></testcase>");
    let counts = document(&[bare, &flaky]).counts;
    assert_eq!([counts.cases, counts.passed, counts.failed, counts.flaky], [1, 1, 0, 1]);
    let counts = document(&[&flaky.replace("<failure/>", ""), bare]).counts;
    assert_eq!([counts.cases, counts.passed, counts.failed, counts.flaky], [2, 2, 0, 1]);
    let failed = case("<failure message='m'>t</failure>");
    let report = document(&[bare, &failed]);
    let counts = &report.counts;
    assert_eq!([counts.cases, counts.passed, counts.failed, counts.flaky], [1, 0, 1, 0]);
    assert_eq!(report.results[0].attempts.len(), 2);
    let broken = case("<error message='teardown'>t</error>");
    let report = document(&[&failed, &broken]);
    let [result] = report.results.as_slice() else { panic!("{:?}", report.results) };
    assert_eq!((result.outcome, result.attempts.len()), (Outcome::Failed, 0));
    assert_eq!(report.failures[result.failure.unwrap() as usize].message, "m");
}

#[test]
fn suites_are_named_from_the_outside_in() {
    let text = "<testsuites><testsuite name='a'><testsuite name='b'><error message='m'>t</error></testsuite></testsuite></testsuites>";
    let suites: Vec<String> =
        reading(text).report.suite_failures.into_iter().map(|one| one.suite).collect();
    assert_eq!(suites, ["a\u{1f}b"]);
}

#[test]
fn properties_beyond_what_is_kept_are_said_once() {
    let property = |no: usize| format!("<property name='p{no}' value='v'/>");
    let all: String = (0..limits::PROPERTIES_MAX + 3).map(property).collect();
    let text = format!(
        "<testsuite name='s'><properties>{all}</properties><testcase name='a'/></testsuite>"
    );
    let read = reading(&text);
    assert_eq!(read.report.properties.len(), limits::PROPERTIES_MAX);
    assert_eq!(codes(&text), [Code::PropertiesCut]);
}

#[test]
fn a_repetition_that_a_property_names_is_an_attempt() {
    for name in ["repetition", "retry", "attempt", "other"] {
        let case = |inside: &str| {
            format!(
                "<testcase classname='c' name='a'><properties><property name='{name}' value='1'/></properties>{inside}</testcase>"
            )
        };
        let cases = [case(""), case("<failure message='m'/>"), case("")].concat();
        let report = reading(&format!("<testsuite name='s'>{cases}</testsuite>")).report;
        let wanted = if name == "other" { Repeat::Ambiguous } else { Repeat::Retried };
        assert_eq!(report.results[0].repeat, wanted, "{name}");
    }
}

#[test]
fn output_of_tests_is_stepped_over_whatever_it_holds() {
    let shown = "<testcase classname='c' name='shown'/>";
    let output = |name: &str| format!("<{name}><![CDATA[{shown}]]> text <b>bold</b></{name}>");
    let outputs = ["system-out", "system-err", "stackTrace"].map(output).concat();
    let text = format!(
        "<testsuite name='s'>{outputs}<testcase classname='c' name='a'>{outputs}</testcase></testsuite>"
    );
    let read = reading(&text);
    assert_eq!((names(&read), read.warnings.len()), (vec!["a".to_owned()], 0));
    // Unescaped, they look like elements, and are text of the output all the same.
    let loose = "<testsuite name='s'><testcase classname='c' name='a'><system-out><failure message='m'/></system-out></testcase></testsuite>";
    assert_eq!(reading(loose).report.counts.failed, 0);
}

#[test]
fn the_worker_of_one_document_says_nothing_of_the_next() {
    let property = "<properties><property name='worker' value='w7'/></properties>";
    let text = format!(
        "<testsuites>{property}<testsuite name='r'><testcase name='a'/></testsuite></testsuites>\
         <testsuites><testsuite name='s'><testcase name='b'/></testsuite></testsuites>"
    );
    let report = reading(&text).report;
    assert_eq!([report.workers.of(0), report.workers.of(1)], [Some("w7"), None]);
    // The first name of a worker stands for the results in front of it, later ones for none.
    let twice = format!(
        "<testsuite name='s'><testcase name='a'/>{property}{}<testcase name='b'/></testsuite>",
        property.replace("w7", "w8")
    );
    assert_eq!(reading(&twice).report.workers.of(0), Some("w7"));
}

#[test]
fn a_letter_above_ascii_is_one_beside_letters_on_either_side() {
    let of = |name: &[u8]| {
        let mut bytes = b"<testsuite name='s'><testcase classname='c' name='".to_vec();
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(b"'/></testsuite>");
        let read = read(&bytes, &ReadOptions::default());
        (names(&read), read.warnings.first().map(|warning| warning.code))
    };
    assert_eq!(of(b"caf\xe9"), (vec!["café".to_owned()], Some(Code::Encoding)));
    assert_eq!(of(b"\xe9t"), (vec!["ét".to_owned()], Some(Code::Encoding)));
    assert_eq!(of(b"1 \xe9t"), (vec!["1 ét".to_owned()], Some(Code::Encoding)));
    assert_eq!(of(b"1\xe91").1, Some(Code::InvalidUtf8));
    assert_eq!(of(b"a\xff").1, Some(Code::InvalidUtf8));
}

#[test]
fn places_in_a_document_of_single_bytes_are_those_of_its_bytes() {
    let text = "<?xml version='1.0' encoding='ISO-8859-1'?><testsuite name='é é é'><testcase classname='c' name='a' time='x'/></testsuite>";
    let bytes: Vec<u8> = text.chars().map(|letter| letter as u8).collect();
    let read = read(&bytes, &ReadOptions::default());
    let at = bytes.windows(9).position(|window| window == b"<testcase").unwrap() as u64;
    assert_eq!(read.warnings.iter().map(|warning| warning.offset).collect::<Vec<_>>(), [at]);
}

#[test]
fn a_file_below_the_folder_of_bazels_logs_is_of_bazel_unless_it_says_otherwise() {
    let of = |text: &str, path: &str| {
        let options = ReadOptions { source_path: Some(path), ..ReadOptions::default() };
        read(text.as_bytes(), &options).report.producer
    };
    let path = "x/bazel-testlogs/pkg/target/test.xml";
    let plain = "<testsuites><testsuite name='s'><testcase name='a'/></testsuite></testsuites>";
    let eunit =
        "<testsuite name=\"module 'm'\"><testcase name='m:t_test/0' time='0.1'/></testsuite>";
    assert_eq!([of(plain, path), of(plain, "x/test.xml")], ["bazel", "unknown"]);
    assert_eq!([of(eunit, path), of(eunit, "x/test.xml")], ["eunit", "eunit"]);
}

#[test]
fn tests_that_are_declared_where_none_ran_are_not_said_to_be_missing() {
    assert_eq!(codes(r#"<testsuite name="a" tests="2"/>"#), [Code::NoTests]);
}

#[test]
fn elements_in_a_text_are_too_deep_beyond_the_limit_and_not_at_it() {
    let is_too_deep = |depth: usize| {
        let (open, close) = ("<x>".repeat(depth), "</x>".repeat(depth));
        codes(&format!(
            "<testsuite name='s'><testcase name='a'><failure>{open}{close}</failure></testcase></testsuite>"
        ))
        .contains(&Code::TooDeep)
    };
    assert!(!is_too_deep(limits::DEPTH_MAX) && is_too_deep(limits::DEPTH_MAX + 1));
}

#[test]
fn what_is_odd_about_a_class_is_said_once_for_the_cases_that_share_it() {
    let of = |classes: [&str; 3]| {
        let case =
            |(no, class): (u32, &str)| format!("<testcase classname='{class}' name='t{no}'/>");
        let cases: String = (0..).zip(classes).map(case).collect();
        codes(&format!("<testsuite name='s'>{cases}</testsuite>"))
    };
    assert_eq!(of(["a", "a", "a"]), []);
    assert_eq!(of(["a & b", "a & b", "a"]), [Code::Repaired]);
    assert_eq!(of(["a & b", "a", "a & b"]), [Code::Repaired, Code::Repaired]);
}

#[test]
fn a_sign_that_the_end_cuts_off_may_begin_any_markup() {
    let of =
        |end: &str| codes(&format!("<testsuite name='s'><testcase classname='c' name='a'/>{end}"));
    // Nothing that is shorter than `<![CDATA[` and one more can be told from it.
    for end in ["<!", "<!x", "<!x234567"] {
        assert_eq!(of(end), [Code::Truncated], "{end}");
    }
    assert_eq!(of("<!x2345678"), [Code::Repaired, Code::Truncated]);
}

#[test]
fn rounds_of_a_repeated_test_are_a_retry_only_where_one_failed() {
    // trainer writes what Xcode ran several times, whether to retry or to look for flakes.
    let round = |number: u32, inside: &str| {
        let property = format!(
            "<properties><property name='repetition' value='Repetition {number}'/></properties>"
        );
        format!(
            "<testcase classname='Shop' name='testCart' time='0.1'>{property}{inside}</testcase>"
        )
    };
    let of = |inside: [&str; 3]| {
        let cases: String = (1..).zip(inside).map(|(number, one)| round(number, one)).collect();
        let report = reading(&format!(
            "<testsuites><testsuite name='Shop'>{cases}</testsuite></testsuites>"
        ))
        .report;
        let [result] = report.results.as_slice() else { panic!("{:?}", report.results) };
        (result.outcome, result.repeat, result.attempts.len())
    };
    assert_eq!(of(["", "", ""]), (Outcome::Passed, Repeat::Repeated, 3));
    assert_eq!(of(["", "<failure/>", ""]), (Outcome::Passed, Repeat::Retried, 3));
}
