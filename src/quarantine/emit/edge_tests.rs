//! Names and texts at the edges of what each runner takes.

use super::phpunit::PATTERN_BYTES_MAX;
use super::request::note_length;
use super::tests::{entry, notes, test, text};
use super::*;

fn typed(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn chosen(format: &str, tests: &[TestName]) -> Option<Selected> {
    select(Format::find(format).unwrap(), tests, &[])
}

/// A name that makes something so many bytes long, where it is `length_of` a name of one byte.
fn name_for(bytes: usize, length_of: impl Fn(&str) -> usize) -> String {
    "x".repeat(1 + bytes - length_of("x"))
}

#[test]
fn tests_of_other_runners_are_left_out_and_counted() {
    let of = |producer: &str, name: &str| EmitEntry {
        producers: vec![producer.to_owned()],
        ..entry("tests.test_a", name)
    };
    let pytest = Format::find("pytest").unwrap();
    let emitted = emit(pytest, &[of("jest", "a"), of("pytest", "b"), of("unknown", "c")], &[]);
    let wanted = "--deselect=tests/test_a.py::b\n--deselect=tests/test_a.py::c\n";
    assert_eq!(emitted.text, wanted);
    assert_eq!(emitted.notes, ["left out 1 test of other runners than pytest"]);
    let emitted = emit(pytest, &[of("jest", "a"), of("go", "b")], &[]);
    assert_eq!(emitted.notes, ["left out 2 tests of other runners than pytest"]);
    let list = Format::find("list").unwrap();
    assert_eq!(emit(list, &[of("jest", "a")], &[]).notes, [""; 0]);
}

#[test]
fn a_selection_is_used_as_it_says_or_has_no_use() {
    let usage = |name: &str| Format::find(name).unwrap().only_usage();
    assert_eq!(usage("list"), None);
    assert_eq!(usage("cargo-test"), Some("xargs -d '\\n' -a FILE cargo test --"));
}

#[test]
fn pytest_runs_the_listed_in_their_order_each_once() {
    let tests = ["z", "a", "m", "z"].map(|name| test("tests.test_a", name));
    let pytest = Format::find("pytest").unwrap();
    let selected = select_in_order(pytest, &tests, &[]).unwrap();
    let ids: Vec<String> = selected.order.unwrap().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["tests/test_a.py::z", "tests/test_a.py::a", "tests/test_a.py::m"]);
    let list = "SELECTED = [\n    \"tests/test_a.py::z\",\n    \"tests/test_a.py::a\",\n    \
                \"tests/test_a.py::m\",\n]\n";
    let text = selected.file.unwrap().text;
    assert!(text.contains(list) && text.contains("import pytest\n"), "{text}");
}

#[test]
fn names_that_are_none_are_refused_in_words() {
    let empty = "its name is empty or has a control character";
    for (format, classname, name, why) in [
        ("cargo-test", "a::b", "", empty),
        ("cargo-test", "a\u{1}", "b", empty),
        ("cargo-test", "a", "b\u{1}", empty),
        ("ctest", "", "", empty),
        ("ctest", "a\u{1}", "a\u{1}", empty),
        ("surefire", "", "works", "its class name is no class of Java"),
        ("surefire", "a-b.C", "works", "its class name is no class of Java"),
        ("surefire", "a.C", "1x", "its name is no method of Java"),
        ("nextest", "a b", "t", "its class name is no binary id"),
        ("nextest", "", "t", "its class name is no binary id"),
        ("rspec", "a.b", "works", "its file is no .rb"),
    ] {
        let entry = EmitEntry { test: test(classname, name), ..entry(classname, name) };
        let said = notes(format, &[entry], &[]);
        assert!(said.len() == 1 && said[0].contains(why), "{format}: {said:?}");
    }
    for (format, classname, name) in [
        ("surefire", "a.C1", "x1"),
        ("surefire", "_a.$C", "_x$2"),
        ("nextest", "my-crate::bin/some_tool", "t"),
        ("rspec", "spec.models.cart_spec", "works"),
    ] {
        assert!(!text(format, &[entry(classname, name)]).is_empty(), "{format}");
    }
    let by_file = TestName { file: "spec/a.rb".into(), ..test("other", "works") };
    assert_eq!(notes("rspec", &[EmitEntry::of(by_file)], &[]), [""; 0]);
}

#[test]
fn jest_names_files_only_where_no_test_is_named() {
    let of_file = |name: &str| TestName { file: "src/a.test.js".into(), ..test("a", name) };
    let arguments = |test| chosen("jest", &[test]).unwrap().arguments;
    assert_eq!(arguments(of_file("")), ["--runTestsByPath", "src/a.test.js"]);
    assert_eq!(arguments(of_file("adds"))[0], "--testNamePattern");
    assert_eq!(chosen("jest", &[test("", "")]), None);
}

#[test]
fn a_sign_that_joins_titles_is_a_title_at_their_ends() {
    for (format, classname, sign) in
        [("playwright", "a.spec.ts", "›"), ("vitest", "a.test.ts", ">")]
    {
        let line = |name: String| text(format, &[entry(classname, &name)]);
        assert!(line(format!("{sign} a b")).contains(&format!("{sign}\\s+a\\s+b")), "{format}");
        assert!(line(format!("a b {sign}")).contains(&format!("a\\s+b\\s+{sign}")), "{format}");
        assert!(!line(format!("a {sign} b")).contains(&format!("a\\s+{sign}")), "{format}");
    }
}

#[test]
fn a_module_of_python_is_told_by_either_end_of_its_name() {
    let id = |classname: &str| text("pytest", &[entry(classname, "t")]);
    assert_eq!(id("pkg.cart_test.inner"), "--deselect=pkg/cart_test.py::inner::t\n");
    assert_eq!(id("pkg.test_cart.inner"), "--deselect=pkg/test_cart.py::inner::t\n");
    assert_eq!(id("pkg.cart.inner"), "--deselect=pkg/cart/inner.py::t\n");
}

#[test]
fn many_other_variants_are_counted() {
    let others = |count: usize| EmitEntry {
        variant: "os=a".into(),
        other_variants: (0..count).map(|no| format!("os=b{no}")).collect(),
        ..entry("tests.test_a", "test_1")
    };
    let said = |count: usize| notes("pytest", &[others(count)], &[]).concat();
    assert!(said(7).contains("os=b4 and in 2 more variants, where"), "{}", said(7));
    assert!(said(5).contains("os=b3 and in os=b4, where"), "{}", said(5));
}

#[test]
fn a_text_is_too_long_beyond_one_argument() {
    for (bytes, count) in [(ARGUMENT_BYTES_MAX, 0), (ARGUMENT_BYTES_MAX + 1, 1)] {
        let mut notes = Vec::new();
        note_length(&"x".repeat(bytes), &mut notes);
        assert_eq!(notes.len(), count);
    }
    // The same for what a runner itself takes.
    let cargo = Format::find("cargo-test").unwrap();
    let listed = |name: &str| emit(cargo, &[EmitEntry::of(libtest(name))], &[]);
    for (bytes, count) in [(ARGUMENT_BYTES_MAX, 0), (ARGUMENT_BYTES_MAX + 1, 1)] {
        let emitted = listed(&name_for(bytes, |name| listed(name).text.len()));
        assert_eq!((emitted.text.len(), emitted.notes.len()), (bytes, count));
    }
}

fn libtest(name: &str) -> TestName {
    TestName { suite: "test".into(), ..test("crate", name) }
}

#[test]
fn arguments_are_few_and_none_too_long() {
    let jest = |bytes: usize| {
        let length = |name: &str| chosen("jest", &[test("a.js", name)]).unwrap().arguments[1].len();
        chosen("jest", &[test("a.js", &name_for(bytes, length))])
    };
    assert!(jest(ARGUMENT_BYTES_MAX).is_some());
    assert_eq!(jest(ARGUMENT_BYTES_MAX + 1), None);
    let phpunit = |bytes: usize| {
        let length = |name: &str| chosen("phpunit", &[test("A", name)]).unwrap().arguments[1].len();
        chosen("phpunit", &[test("A", &name_for(bytes, length))])
    };
    assert!(phpunit(PATTERN_BYTES_MAX).is_some());
    assert_eq!(phpunit(PATTERN_BYTES_MAX + 1), None);
    // One argument each, and together at most eight times as long as one.
    let cargo = |last: usize| {
        let bytes = |no: usize| if no == 8 { last } else { ARGUMENT_BYTES_MAX - 100 };
        let name = |no: usize| format!("{no}{}", "x".repeat(bytes(no) - 1));
        let tests: Vec<TestName> = (0..9).map(|no| libtest(&name(no))).collect();
        chosen("cargo-test", &tests)
    };
    let bytes = |chosen: &Selected| chosen.arguments.iter().map(String::len).sum::<usize>();
    let left = 8 * ARGUMENT_BYTES_MAX - bytes(&cargo(1).unwrap());
    assert_eq!(bytes(&cargo(1 + left).unwrap()), 8 * ARGUMENT_BYTES_MAX);
    assert_eq!(cargo(2 + left), None);
}

#[test]
fn nextest_joins_binaries_up_to_one_argument() {
    let group = |name: &str| chosen("nextest", &[test("a", name)]).unwrap().arguments[1].len();
    let expressions = |lengths: [usize; 3]| -> Vec<usize> {
        let names = lengths.map(|bytes| name_for(bytes, group));
        let tests: Vec<TestName> =
            ["a", "b", "c"].iter().zip(&names).map(|(binary, name)| test(binary, name)).collect();
        let arguments = chosen("nextest", &tests).unwrap().arguments;
        arguments.iter().filter(|text| *text != "-E").map(String::len).collect()
    };
    let half = (ARGUMENT_BYTES_MAX - " | ".len()) / 2;
    assert_eq!(expressions([half - 50, half - 60, 4_000]), [2 * half - 107, 4_000]);
    let rest = ARGUMENT_BYTES_MAX - " | ".len() - 1_000;
    assert_eq!(expressions([1_000, rest, 4_000]), [ARGUMENT_BYTES_MAX, 4_000]);
    assert_eq!(expressions([1_000, rest + 1, 4_000]), [1_000, rest + 1, 4_000]);
}

#[test]
fn nextest_divides_a_binary_at_half_an_argument() {
    let groups = |first: usize, second: usize| {
        let tests = [test("a", &"x".repeat(first)), test("a", &"y".repeat(second))];
        let text = text("nextest", &tests.map(EmitEntry::of));
        text.matches("binary_id(=a)").count()
    };
    let around = "(binary_id(=a) & (test(=)".len() + "test(=)".len();
    let half = ARGUMENT_BYTES_MAX / 2 - around;
    assert_eq!(groups(1_000, half - 1_000 - 1), 1);
    assert_eq!(groups(1_000, half - 1_000), 2);
}

#[test]
fn words_of_scripts_and_of_packages_are_told_from_others() {
    let jest = chosen("jest", &[test("a.js", "x")]).unwrap();
    assert_eq!(jest.command(&typed("npm test -t cart"), "").unwrap_err(), "-t");
    let go = chosen("go", &[test("p", "TestA")]).unwrap();
    for command in ["gotestsum ./cart", "gotestsum example.com/...", "go test", "go test p"] {
        let whole = go.command(&typed(command), "").unwrap().join(" ");
        assert_eq!(whole, format!("{command} -run ^TestA$"));
    }
    let pytest = chosen("pytest", &[test("tests.test_a", "x")]).unwrap();
    let whole = pytest.command(&typed("npm test -- tests"), "").unwrap().join(" ");
    assert_eq!(whole, "npm test -- tests -p flakedb_only");
}
