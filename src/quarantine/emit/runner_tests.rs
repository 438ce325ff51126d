//! What each runner gets; that it is right is shown with the runners themselves, in tests/runners.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use proptest::prelude::*;
use regex::Regex;

use super::tests::{entry, notes, test, text};
use super::*;

/// A test as a report names it, in a suite or a file.
fn within(suite: &str, file: &str, test: TestName) -> TestName {
    TestName { suite: suite.into(), file: file.into(), ..test }
}

fn listed(tests: &[TestName]) -> Vec<EmitEntry> {
    tests.iter().cloned().map(EmitEntry::of).collect()
}

/// Everything of one format: the text, the selection and all notes.
fn whole(format: &str, tests: &[TestName], known: &[TestName]) -> String {
    let format = Format::find(format).unwrap();
    let emitted = emit(format, &listed(tests), known);
    let mut out = format!("{}{}", emitted.text, lines("note", &emitted.notes));
    if let Some(selected) = select(format, tests, known) {
        out.push_str(&lines("argument", &selected.arguments));
        out.push_str(&selected.file.map_or(String::new(), |file| file.text));
        out.push_str(&lines("note", &selected.notes));
        let missing: Vec<String> = selected.missing.into_iter().map(|test| test.label).collect();
        out.push_str(&lines("missing", &missing));
    }
    out
}

fn lines(what: &str, lines: &[String]) -> String {
    lines.iter().map(|line| format!("{what}: {line}\n")).collect()
}

#[test]
fn mocha_takes_titles_from_three_reporters() {
    let tests = [
        within("Mocha Tests", "t/a.js", test("outer in.ner", "adds (1)")),
        within("Root Suite", "", test("top $1", "top $1")),
        within("outer", "", test("adds", "outer adds")),
        within("outer", "", test("outer flipped", "flipped")),
        within("Root Suite.a.b", "", test("a.b", "in Jenkins")),
        within("Root Suite.x", "", test("x", "x")),
    ];
    let known = [within("other", "", test("outer adds", "outer  adds")), test("", "")];
    assert_snapshot!(whole("mocha", &tests, &known));
    assert_eq!(notes("mocha", &[entry("", " ")], &[]).len(), 1);
}

#[test]
fn playwright_names_the_file_and_lets_tags_be() {
    let tests = [
        test("a.spec.ts", "outer › inner (x) › adds 1 › 2"),
        test("dir/b.spec.ts", "ends"),
        test("tests.test_a", "x"),
    ];
    let known = [
        test("dir/b.spec.ts", "ends @slow @net"),
        test("dir/b.spec.ts", "ends twice"),
        test("b.spec.ts", "ends"),
    ];
    assert_snapshot!(whole("playwright", &tests, &known));
}

#[test]
fn gtest_joins_names() {
    let tests = [test("Few/Rows", "Work/0"), test("Cart", "DISABLED_Old"), test("a-b", "C")];
    assert_snapshot!(whole("gtest", &tests, &[test("Few/Rows", "Work/01")]));
}

#[test]
fn ctest_escapes_for_cmake() {
    let tests = [test("a.b (c) [d]{2}", "a.b (c) [d]{2}"), test("", r"\d+$|^x*?"), test("C", "n")];
    assert_snapshot!(whole("ctest", &tests, &[]));
}

#[test]
fn rspec_compares_descriptions() {
    let spec = |name: &str| within("rspec", "./spec/a_spec.rb", test("spec.a_spec", name));
    let tests = [spec("String#size counts (é)"), spec("is it"), spec("it is expected to eq 1")];
    let known =
        [within("rspec", "./spec/b_spec.rb", test("spec.b_spec", "is  it")), test("C", "is it")];
    assert_snapshot!(whole("rspec", &tests, &known));
}

#[test]
fn phpunit_turns_dots_into_namespaces() {
    let tests = [
        test("Shop.Cart.CartTest", "testNamed with data set \"a/b #1 @x\""),
        test("CartTest", "testRow with data set #0"),
        test("CartTest", "it adds"),
        test("src/a.js", "x"),
    ];
    assert_snapshot!(whole("phpunit", &tests, &[test("Shop.Cart.CartTest", "testName")]));
}

#[test]
fn surefire_tells_rows_of_junit_4_and_not_of_5() {
    let tests = [
        test("shop.CartTest$Inner", "adds"),
        test("shop.CartTest", "row{int}[1]"),
        test("shop.CartTest", "named[a b,c]"),
        test("shop.CartTest", "numbered[1]"),
        test("shop.CartTest", "slash[a/b]"),
        test("shop.CartTest", "a display name"),
        test("shop.CartTest", "shop.CartTest"),
    ];
    let known = [
        test("shop.CartTest", "row{int}[2]"),
        test("shop.CartTest", "named[a bxc]"),
        test("shop.CartTest", "numbered[2]"),
        test("shop.CartTest", "rowToo"),
    ];
    assert_snapshot!(whole("surefire", &tests, &known));
    assert_eq!(
        text("maven", &[entry("shop.CartTest", "adds")]),
        "Test*,*Test,*Tests,*TestCase,!shop.CartTest#adds\n"
    );
}

#[test]
fn gradle_gets_a_script() {
    let tests = [
        test("shop.CartTest", "adds(int)[1]"),
        test("shop.CartTest", "row[it's \\ *]"),
        test("shop.CartTest", "[1] 2"),
    ];
    let known = [test("shop.CartTest", "adds(int)[2]"), test("shop.CartTest", "row[it's \\ 1]")];
    assert_snapshot!(whole("gradle", &tests, &known));
}

#[test]
fn dotnet_leaves_rows_to_their_frameworks() {
    let tests = [
        test("Shop.CartTests`1[A,B]", "Adds"),
        test("Shop.CartTests", "Row(1)"),
        test("Shop.CartTests", "a display name"),
        test("Cart", "Adds"),
    ];
    assert_snapshot!(whole("dotnet", &tests, &[test("Shop.CartTests`1[A,B]", "adds")]));
}

#[test]
fn cargo_test_refuses_names_that_rustdoc_would_split() {
    let libtest = |class: &str, name: &str| within("test", "", test(class, name));
    let tests = [
        libtest("src/lib.rs", "add (line 5)"),
        libtest("a", "--b"),
        libtest("integration", "--b"),
        libtest("m", "f"),
    ];
    let known = [within("shop", "", test("shop", "m::f")), libtest("m", "f2")];
    assert_snapshot!(whole("cargo-test", &tests, &known));
}

#[test]
fn nextest_retries_the_listed() {
    assert_snapshot!(whole("nextest-config", &[test("shop", "it's")], &[]));
}

#[test]
fn a_test_that_still_runs_is_not_called_removed() {
    let windows = EmitEntry {
        variant: "os=windows".into(),
        other_variants: vec!["os=linux".into()],
        ..entry("shop", "a")
    };
    for format in ["pytest-nonblocking", "nextest-config"] {
        let said = notes(format, std::slice::from_ref(&windows), &[]).join("");
        assert!(said.starts_with("`shop::a` is also excused in os=linux, "), "{said}");
    }
}

#[test]
fn pytest_nonblocking_is_a_python_file() {
    assert_snapshot!(text("pytest-nonblocking", &[entry("tests.test_a", "test_b")]));
}

#[test]
fn toml_says_the_same_again() {
    let full = EmitEntry {
        variant: "os=linux".into(),
        owner: Some("@team \"a\"".into()),
        reason: "back\\slash\nand line".into(),
        since: Some(Timestamp(1_795_000_000_000)),
        expires: Some(Timestamp(1_796_000_000_000)),
        ..entry("A", "b\u{1b}\u{7f} é")
    };
    let entries = [full, entry("A", "c")];
    let written = text("toml", &entries);
    assert_snapshot!(written);
    let parsed: ::toml::Table = written.parse().unwrap();
    for (table, entry) in parsed["entry"].as_array().unwrap().iter().zip(&entries) {
        assert_eq!(table["test"].as_str(), Some(entry.test.label.as_str()));
        assert_eq!(table["reason"].as_str(), Some(entry.reason.as_str()));
        assert_eq!(table.get("owner").and_then(::toml::Value::as_str), entry.owner.as_deref());
    }
}

#[test]
fn a_name_that_is_typed_otherwise_is_understood() {
    for (typed, name) in [("plain", "list"), ("maven", "surefire"), ("googletest", "gtest")] {
        assert_eq!(Format::find(typed).unwrap().name, name);
    }
    let typed: Vec<&str> = FORMATS
        .iter()
        .flat_map(|format| format.aliases.iter().copied().chain([format.name]))
        .collect();
    let distinct: BTreeSet<&str> = typed.iter().copied().collect();
    assert_eq!(distinct.len(), typed.len());
}

#[test]
fn every_format_is_documented_with_its_usage() {
    let page = include_str!("../../../docs/RUNNERS.md").replace("\\|", "|").replace('`', "");
    for format in FORMATS {
        assert!(page.contains(format.name), "{}", format.name);
        assert!(page.contains(&format.usage.replace('`', "")), "{}", format.usage);
    }
}

#[test]
fn a_pattern_longer_than_the_runner_takes_is_noted_and_not_chosen() {
    let long = "x".repeat(30_000);
    for (format, name) in [
        ("ctest", TestName { classname: long.clone(), ..test("", &long) }),
        ("phpunit", test("A", &long)),
    ] {
        assert_eq!(notes(format, &listed(std::slice::from_ref(&name)), &[]).len(), 1, "{format}");
        assert_eq!(select(Format::find(format).unwrap(), &[name], &[]), None, "{format}");
    }
}

#[test]
fn npm_hands_arguments_on_and_gotestsum_needs_packages() {
    let typed = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let jest = select(Format::find("jest").unwrap(), &[test("a.js", "x")], &[]).unwrap();
    let command = jest.command(&typed("npm test -- --ci"), "").unwrap();
    assert_eq!(command.join(" "), r"npm test -- --ci --testNamePattern ^\s*(?:x)\s*$");
    let go = select(Format::find("go").unwrap(), &[test("p", "TestA")], &[]).unwrap();
    for command in ["gotestsum ./...", "gotestsum --", "/bin/gotestsum -- ./a"] {
        let whole = go.command(&typed(command), "").unwrap().join(" ");
        assert_eq!(whole, format!("{command} -run ^TestA$"));
    }
    assert_eq!(go.command(&typed("gotestsum --junitfile x"), "").unwrap_err(), "gotestsum");
}

/// The part of a pattern between two texts, for an engine that knows no look-ahead.
fn inner<'a>(pattern: &'a str, before: &str, after: &str) -> &'a str {
    pattern.trim_end_matches('\n').strip_prefix(before).unwrap().strip_suffix(after).unwrap()
}

/// For each format the class of its tests, and the pattern of what it leaves out.
fn left_out(format: &str, names: &[String]) -> Regex {
    let tests: Vec<TestName> = names.iter().map(|name| of(format, name)).collect();
    let pattern = text(format, &listed(&tests));
    let pattern = match format {
        "mocha" => format!(r"^\s*(?:{})\s*$", inner(&pattern, r"^(?!\s*(?:", r")\s*$)")),
        "rspec" => {
            let pattern = inner(&pattern, r"\A(?![[:space:]]*(?:", r")[[:space:]]*\z)");
            format!(r"\A[[:space:]]*(?:{pattern})[[:space:]]*\z")
        }
        "phpunit" => format!(r"\A(?:{})\z", inner(&pattern, r"/\A(?!(?:", r")\z)/")),
        "playwright" => inner(&pattern, "/", "/").to_owned(),
        _ => pattern.trim_end_matches('\n').to_owned(),
    };
    // Escapes that only other engines know.
    let mut known = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next().unwrap() {
                plain if "/=!<>:".contains(plain) => known.push(plain),
                special => known.extend([c, special]),
            },
            (c, false) => known.push(c),
        }
    }
    Regex::new(&known).unwrap()
}

fn of(format: &str, name: &str) -> TestName {
    match format {
        "mocha" => within("Root Suite", "", test("", name)),
        "playwright" => test("a.spec.ts", name),
        "rspec" => within("rspec", "./spec/a_spec.rb", test("spec.a_spec", name)),
        "phpunit" => test("T", &format!("t with data set \"{name}\"")),
        _ => test(name, name),
    }
}

/// What the runner compares.
fn subject(format: &str, name: &str) -> String {
    match format {
        "playwright" => format!(" chromium a.spec.ts {name}"),
        "phpunit" => format!("T::t with data set \"{name}\""),
        _ => name.to_owned(),
    }
}

proptest! {
    #[test]
    fn patterns_leave_out_exactly_the_listed(names in prop::collection::btree_set("[a-c(){}\\[\\]|$^.*+?/\\\\é😀<>=!:~\"', -]{1,5}[a-c]", 2..8)) {
        let flat = |name: &String| name.split_whitespace().collect::<Vec<_>>().join(" ");
        let names: BTreeSet<String> = names.iter().map(flat).collect();
        let names: Vec<String> = names.into_iter().collect();
        let (listed, others) = names.split_at(names.len() / 2 + 1);
        for format in ["mocha", "playwright", "rspec", "phpunit", "ctest"] {
            let pattern = left_out(format, listed);
            for name in listed {
                prop_assert!(pattern.is_match(&subject(format, name)), "{format}: {pattern} {name}");
            }
            for name in others {
                prop_assert!(!pattern.is_match(&subject(format, name)), "{format}: {pattern} {name}");
            }
        }
    }

    #[test]
    fn a_glob_means_what_a_regex_means(pattern in "[ab*?é]{0,8}", text in "[abé]{0,8}") {
        let regex = format!("^{}$", pattern.replace('*', ".*").replace('?', "."));
        prop_assert_eq!(language::glob(&pattern, &text), Regex::new(&regex).unwrap().is_match(&text));
    }

    #[test]
    fn a_selection_misses_no_test_silently(
        names in prop::collection::vec(("\\PC{0,12}", "\\PC{0,12}"), 1..6),
    ) {
        let tests: Vec<TestName> = names.iter().map(|(class, name)| test(class, name)).collect();
        for format in FORMATS {
            for test in &tests {
                let Some(selected) = select(format, std::slice::from_ref(test), &[]) else { continue };
                prop_assert!(selected.missing.is_empty(), "{}", format.name);
                prop_assert!(!selected.arguments.is_empty());
            }
            let distinct: BTreeSet<&TestName> = tests.iter().collect();
            if let Some(selected) = select(format, &tests, &[]) {
                let left_out = selected.notes.iter().filter(|note| note.starts_with("left out `"));
                prop_assert_eq!(left_out.count(), selected.missing.len(), "{}", format.name);
                prop_assert!(selected.missing.len() < distinct.len());
            }
        }
    }
}

#[test]
fn vitest_and_jest_run_files_alone_where_nothing_else_is_listed() {
    let arguments = |format: &str, tests: &[TestName], known: &[TestName]| {
        let selected = select(Format::find(format).unwrap(), tests, known).unwrap();
        (selected.arguments, selected.notes)
    };
    let known = ["a.test.js", "b.test.js"].map(|file| test(file, "cart > adds"));
    // A file of the same name elsewhere is not touched.
    let (words, notes) = arguments("vitest", &known[..1], &known);
    assert_eq!(words, ["--testNamePattern", r"^\s*(?:cart\s+(?:>\s+)?adds)\s*$", "a.test.js"]);
    assert_eq!(notes, Vec::<String>::new());
    let file = |path: &str| TestName { file: path.to_owned(), ..TestName::default() };
    let files = ["a.test.js", "b.test.js"].map(file);
    assert_eq!(arguments("vitest", &files, &[]).0, ["a.test.js", "b.test.js"]);
    assert_eq!(arguments("jest", &files, &[]).0, ["--runTestsByPath", "a.test.js", "b.test.js"]);
}
