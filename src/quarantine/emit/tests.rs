use insta::assert_snapshot;
use proptest::prelude::*;
use regex::Regex;

use super::*;

pub(super) fn test(classname: &str, name: &str) -> TestName {
    TestName {
        label: format!("{classname}::{name}"),
        classname: classname.into(),
        name: name.into(),
        ..TestName::default()
    }
}

pub(super) fn entry(classname: &str, name: &str) -> EmitEntry {
    EmitEntry {
        producers: Vec::new(),
        test: test(classname, name),
        variant: String::new(),
        other_variants: Vec::new(),
        owner: None,
        reason: "flaky".into(),
        since: None,
        expires: None,
    }
}

pub(super) fn text(format: &str, entries: &[EmitEntry]) -> String {
    let emitted = emit(Format::find(format).unwrap(), entries, &[]);
    assert_eq!(emitted.notes, [""; 0], "{format}");
    emitted.text
}

pub(super) fn notes(format: &str, entries: &[EmitEntry], known: &[TestName]) -> Vec<String> {
    emit(Format::find(format).unwrap(), entries, known).notes
}

#[test]
fn an_empty_list_removes_nothing() {
    let texts: Vec<(&str, String)> =
        FORMATS.iter().map(|format| (format.name, text(format.name, &[]))).collect();
    insta::assert_debug_snapshot!(texts);
}

#[test]
fn order_duplicates_and_variants_do_not_change_what_a_runner_gets() {
    let (one, other) = (entry("tests.test_a", "test_1"), entry("tests.test_a", "test_2"));
    let linux = EmitEntry { variant: "os=linux".into(), ..one.clone() };
    for format in FORMATS.iter().filter(|format| !["list", "json", "toml"].contains(&format.name)) {
        let pair = emit(format, &[one.clone(), other.clone()], &[]);
        let mixed = [other.clone(), linux.clone(), one.clone(), one.clone()];
        assert_eq!(emit(format, &mixed, &[]), pair, "{}", format.name);
    }
    assert_snapshot!(text("list", &[other, linux, one]));
}

#[test]
fn a_runner_that_removes_a_test_in_other_variants_says_so() {
    let windows = EmitEntry {
        variant: "os=windows".into(),
        other_variants: vec!["os=linux".into(), "os=mac".into()],
        ..entry("tests.test_a", "test_1")
    };
    let wanted = ["`tests.test_a::test_1` is also removed in os=linux and in os=mac, where it is \
                   not flaky; emit for one variant with --variant os=windows"];
    assert_eq!(notes("pytest", std::slice::from_ref(&windows), &[]), wanted);
    assert_eq!(notes("list", std::slice::from_ref(&windows), &[]), [""; 0]);
    assert_eq!(notes("json", &[windows], &[]), [""; 0]);
}

#[test]
fn list_and_json_keep_the_order_of_harm() {
    let entries = [entry("z", "worst"), entry("a", "mild"), entry("z", "worst")];
    assert_eq!(text("list", &entries), "z::worst\na::mild\n");
    let json = text("json", &entries);
    assert!(json.find("z::worst") < json.find("a::mild"));
}

#[test]
fn json_has_all_that_is_known() {
    let mut entry = entry("A", "b \"quoted\"");
    entry.test.suite = "outer\u{1f}inner".into();
    entry.owner = Some("@team".into());
    entry.expires = Some(Timestamp(1_795_000_000_000));
    assert_snapshot!(text("json", &[entry]));
}

#[test]
fn a_list_line_is_one_line() {
    let notes = notes("list", &[entry("A", "b\nc\u{1b}[31m")], &[]);
    assert_snapshot!(notes.join("\n"));
}

#[test]
fn pytest_node_ids_by_file_and_by_dots() {
    for (classname, file, name, id) in [
        ("tests.test_a", "", "test_b[1]", "tests/test_a.py::test_b[1]"),
        ("tests.test_a.TestX.TestY", "", "test_b", "tests/test_a.py::TestX::TestY::test_b"),
        ("test_pkg.test_a.TestX", "", "test_b", "test_pkg/test_a.py::TestX::test_b"),
        ("tests.dir.dot.test_z", "tests/dir.dot/test_z.py", "t", "tests/dir.dot/test_z.py::t"),
        ("tests.test_inh.TestChild", "lib/base.py", "t", "tests/test_inh.py::TestChild::t"),
        ("shop.check.TestCart", "", "t", "shop/check.py::TestCart::t"),
        ("shop.check", "", "pkg.mod.func", "shop/check.py::pkg.mod.func"),
        ("TestOnly", "", "t", "TestOnly.py::t"),
        (
            "tests.sp ace.cart_test",
            "",
            "t[a b-\"q\"-é-::-/]",
            "tests/sp ace/cart_test.py::t[a b-\"q\"-é-::-/]",
        ),
    ] {
        let mut entry = entry(classname, name);
        entry.test.file = file.into();
        assert_eq!(text("pytest", &[entry]), format!("--deselect={id}\n"));
    }
}

#[test]
fn pytest_says_what_it_cannot_express_and_what_goes_along() {
    let collection = TestName { name: "tests.test_a".into(), ..test("", "") };
    let entries = [
        entry("src/a.test.ts", "x"),
        entry("tests.test_a", "test_b"),
        EmitEntry { test: collection, ..entry("", "") },
        entry("tests.test_a", "a\nb"),
    ];
    let known = [
        test("tests.test_a", "test_b"),
        test("tests.test_a", "test_bc"),
        test("tests.test_a", "test_b[1]"),
        test("tests.test_a", "test_a"),
    ];
    assert_snapshot!(notes("pytest", &entries, &known).join("\n"));
    assert_eq!(notes("pytest-plugin", &entries[1..2], &known), [""; 0]);
}

#[test]
fn pytest_plugin_is_a_python_file() {
    let entries = [entry("tests.test_a", "test_b[\"q\" \\ é 😀]"), entry("tests.test_a", "test_c")];
    assert_snapshot!(text("pytest-plugin", &entries));
}

#[test]
fn nextest_groups_by_binary_and_escapes() {
    let entries = [
        entry("shop-core", "m::tests::a"),
        entry("shop-core::it", "b"),
        entry("shop-core@stress-1", "m::tests::b"),
        entry("shop::bin/tool", " f(x), a\\b sl/ash "),
        entry("shop::bin/tool", "tab\there"),
    ];
    assert_snapshot!(text("nextest", &entries));
}

#[test]
fn nextest_is_told_of_control_characters_in_words() {
    let text = text("nextest", &[entry("a", "x\u{1b}[2J\u{7}")]);
    assert!(text.contains("test(=x\\u{1b}[2J\\u{7})"), "{text}");
}

#[test]
fn nextest_leaves_out_what_it_would_refuse() {
    let entries = [entry("gone::it", "a"), entry("tests.test_a", "b"), entry("here", "c")];
    let format = Format::find("nextest").unwrap();
    let emitted = emit(format, &entries, &[test("here", "x")]);
    assert_eq!(emitted.text, "not ((binary_id(=here) & (test(=c))))\n");
    assert_snapshot!(emitted.notes.join("\n"));
}

#[test]
fn go_anchors_each_element() {
    let entries = [
        entry("shop/cart", "TestA"),
        entry("shop/cart", "TestTable/[1]"),
        entry("shop/cart", "TestTable/a|b/in"),
        entry("shop/cart", "ExampleÉ/x^$"),
    ];
    assert_snapshot!(text("go", &entries));
}

#[test]
fn go_says_what_goes_along() {
    let entries = [entry("shop/cart", "TestA"), entry("shop/cart", "helper")];
    let known = [
        test("shop/cart", "TestA"),
        test("shop/cart", "TestA/sub"),
        test("shop/mail", "TestA"),
        test("shop/cart", "TestAB"),
    ];
    assert_snapshot!(notes("go", &entries, &known).join("\n"));
}

/// How `go test` reads a pattern of this shape: at `/` outside brackets, element by element.
fn go_skips(pattern: &str, name: &str) -> bool {
    let (mut depth, mut escaped) = (0, false);
    let mut alternatives = vec![vec![String::new()]];
    for c in pattern.trim_end().chars() {
        let fresh = !escaped && depth == 0;
        match c {
            '|' if fresh => alternatives.push(vec![String::new()]),
            '/' if fresh => alternatives.last_mut().unwrap().push(String::new()),
            c => {
                depth += i32::from(!escaped && c == '[') - i32::from(!escaped && c == ']');
                alternatives.last_mut().unwrap().last_mut().unwrap().push(c);
            }
        }
        escaped = c == '\\' && !escaped;
    }
    let elements: Vec<&str> = name.split('/').collect();
    alternatives.iter().any(|patterns| {
        patterns.len() <= elements.len()
            && patterns
                .iter()
                .zip(&elements)
                .all(|(pattern, element)| Regex::new(pattern).unwrap().is_match(element))
    })
}

/// The full names that a pattern `^(?!\s*(?:…)\s*$)` excludes.
fn excluded(pattern: &str) -> Regex {
    let inner = pattern.trim_end().strip_prefix("^(?!").unwrap().strip_suffix(')').unwrap();
    Regex::new(&format!("^{}", inner.replace("\\/", "/"))).unwrap()
}

#[test]
fn jest_and_vitest_patterns() {
    let jest = [
        entry("outer plain", "outer plain"),
        entry("src/top.test.js", " top"),
        entry("describe", "title (x) $1"),
        entry("a/b", "a  b / c"),
    ];
    assert_snapshot!(text("jest", &jest));
    let vitest =
        [entry("src/a.test.ts", "outer > plain"), entry("src/a.test.ts", "outer > x > y [1]")];
    let pattern = text("vitest", &vitest);
    assert_snapshot!(pattern);
    for full_name in ["outer plain", "outer > plain", " outer\nplain ", "outer x > y [1]"] {
        assert!(excluded(&pattern).is_match(full_name), "{full_name}");
    }
    for full_name in ["outer plain 2", "not outer plain", "outer  x y [2]", "Outer plain"] {
        assert!(!excluded(&pattern).is_match(full_name), "{full_name}");
    }
}

#[test]
fn jest_and_vitest_say_what_goes_along() {
    let known = [
        test("src/a.test.ts", "Top"),
        test("src/b.test.ts", "top"),
        test("src/b.test.ts", "top 2"),
    ];
    let entries = [entry("src/a.test.ts", "top")];
    assert_snapshot!(notes("jest", &entries, &known).join("\n"));
    assert_snapshot!(notes("vitest", &entries, &known).join("\n"));
    assert_snapshot!(notes("vitest", &[entry("tests.test_a", "b")], &[]).join("\n"));
}

#[test]
fn a_text_beyond_one_argument_is_noted() {
    let long = "x".repeat(ARGUMENT_BYTES_MAX);
    for (format, classname) in [("nextest", "a"), ("jest", "a.js"), ("vitest", "a.js")] {
        assert_eq!(notes(format, &[entry(classname, &long)], &[]).len(), 1, "{format}");
    }
    assert_eq!(notes("go", &[entry("a", &format!("Test{long}"))], &[]).len(), 1);
}

fn selected(format: &str, tests: &[TestName]) -> Selected {
    select(Format::find(format).unwrap(), tests, &[]).unwrap()
}

fn command(format: &str, typed: &str) -> Result<String, String> {
    let typed: Vec<String> = typed.split(' ').map(str::to_owned).collect();
    let classname = if format == "jest" { "a.js" } else { "x" };
    let test = TestName { suite: "test".into(), ..test(classname, "TestA") };
    selected(format, &[test]).command(&typed, "/d/f").map(|words| words.join(" "))
}

#[test]
fn arguments_stand_where_the_runner_reads_them() {
    for (format, typed, whole) in [
        ("nextest", "cargo nextest run", "cargo nextest run -E (binary_id(=x) & (test(=TestA)))"),
        ("cargo-test", "cargo test -q", "cargo test -q -- --exact x::TestA"),
        ("cargo-test", "cargo test -- --nocapture", "cargo test -- --nocapture --exact x::TestA"),
        ("go", "go test ./...", "go test ./... -run ^TestA$"),
        ("pytest", "pytest tests -- x", "pytest tests -p flakedb_only -- x"),
        ("jest", "npm test", r"npm test -- --testNamePattern ^\s*(?:TestA)\s*$"),
        ("jest", "npx jest src", r"npx jest src --testNamePattern ^\s*(?:TestA)\s*$"),
    ] {
        assert_eq!(command(format, typed).unwrap(), whole);
    }
}

#[test]
fn a_command_that_selects_by_itself_is_refused_by_its_word() {
    for (format, typed, word) in [
        ("nextest", "cargo nextest run --filterset=all()", "--filterset=all()"),
        ("jest", "npx jest -t cart", "-t"),
        ("go", "go test ./... -args -v", "-args"),
    ] {
        assert_eq!(command(format, typed).unwrap_err(), word);
    }
}

#[test]
fn a_selection_that_would_run_everything_is_none() {
    let pytest = Format::find("pytest").unwrap();
    assert_eq!(select(pytest, &[], &[]), None);
    assert_eq!(select(pytest, &[test("", "tests.test_a")], &[]), None);
    assert_eq!(select(Format::find("json").unwrap(), &[test("a", "b")], &[]), None);
    let long = test("a.js", &"x".repeat(ARGUMENT_BYTES_MAX));
    assert_eq!(select(Format::find("jest").unwrap(), &[long], &[]), None);
}

#[test]
fn a_selection_says_what_is_missing_and_what_runs_besides() {
    let tests = [test("p", "TestA"), test("p", "helper")];
    let selected =
        select(Format::find("go").unwrap(), &tests, &[test("q", "TestA"), test("p", "TestA/x")]);
    let selected = selected.unwrap();
    assert_eq!(selected.arguments, ["-run", "^TestA$"]);
    assert_eq!(selected.missing, [test("p", "helper")]);
    assert_snapshot!(selected.notes.join("\n"));
}

#[test]
fn cargo_test_takes_names_from_libtest_and_from_nextest() {
    let libtest =
        |classname: &str, name: &str| TestName { suite: "test".into(), ..test(classname, name) };
    let tests = [
        libtest("a::b", "c"),
        libtest("crate", "top"),
        libtest("integration", "whole::name"),
        libtest("src/lib.rs", "f (line 1)"),
        TestName { suite: "shop-cart".into(), ..test("shop-cart", "m::n") },
    ];
    assert_snapshot!(selected("cargo-test", &tests).text());
}

proptest! {
    #[test]
    fn go_removes_exactly_the_listed(names in prop::collection::btree_set("Test[A-Ca-c]{0,2}(/[a-c\\[\\]|(){}$^.*+?é\\\\]{1,3}){0,2}", 1..8)) {
        let names: Vec<String> = names.into_iter().collect();
        let (listed, others) = names.split_at(names.len() / 2 + 1);
        let entries: Vec<EmitEntry> = listed.iter().map(|name| entry("p", name)).collect();
        let pattern = text("go", &entries);
        for name in listed {
            prop_assert!(go_skips(&pattern, name), "{} {}", pattern, name);
        }
        for name in others {
            let below = listed.iter().any(|parent| name.starts_with(&format!("{parent}/")));
            prop_assert_eq!(go_skips(&pattern, name), below, "{} {}", pattern, name);
        }
    }

    #[test]
    fn jest_excludes_exactly_the_listed(names in prop::collection::btree_set("[a-c()|$^.*+?/\\\\é😀 ]{1,5}[a-c]", 1..8)) {
        let flat = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ");
        let names: Vec<String> = names.iter().map(|name| flat(name)).collect();
        let (listed, others) = names.split_at(names.len() / 2 + 1);
        let entries: Vec<EmitEntry> = listed.iter().map(|name| entry("a.js", name)).collect();
        let pattern = excluded(&text("jest", &entries));
        for name in listed {
            prop_assert!(pattern.is_match(name), "{}", name);
        }
        for name in others.iter().filter(|name| !listed.contains(name)) {
            prop_assert!(!pattern.is_match(name), "{}", name);
        }
    }

    #[test]
    fn no_format_panics_and_nothing_is_dropped_silently(
        names in prop::collection::vec(("\\PC{0,12}", "\\PC{0,12}"), 0..6),
        odd in "(\\PC|[\n\t\u{0}\u{1b}]){0,9}",
    ) {
        let mut entries: Vec<EmitEntry> = names.iter().map(|(c, n)| entry(c, n)).collect();
        entries.push(entry(&odd, &odd));
        entries.push(entry("a", &odd));
        for format in FORMATS {
            let emitted = emit(format, &entries, &[]);
            prop_assert!(!emitted.text.contains('\u{1b}'), "{} commands a terminal", format.name);
            prop_assert!(emitted.text.is_empty() || emitted.text.ends_with('\n'));
            for note in &emitted.notes {
                prop_assert!(!note.contains(char::is_control), "{:?}", note);
            }
            let alone = emit(format, &entries[..1], &[]);
            let empty = emit(format, &[], &[]);
            prop_assert!(alone.text != empty.text || !alone.notes.is_empty(), "{}", format.name);
        }
    }
}
