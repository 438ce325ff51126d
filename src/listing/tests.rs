use super::{ListedTest, Lister, Listing};

fn read(lister: &str, text: &str) -> Listing {
    (Lister::find(lister).unwrap().read)(text).unwrap()
}

/// Each test as class, name and file, with its word.
fn names(lister: &str, text: &str) -> Vec<[String; 4]> {
    let parts = |listed: &ListedTest| {
        let test = &listed.test;
        [&listed.word, &test.classname, &test.name, &test.file].map(String::clone)
    };
    read(lister, text).tests.iter().map(parts).collect()
}

fn asked(lister: &str, command: &str) -> Option<String> {
    let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
    (Lister::find(lister).unwrap().command)(&words).map(|words| words.join(" "))
}

#[test]
fn pytest_names_classes_by_module_and_keeps_groups_apart() {
    let text = "tests/test_a.py::test_x\ntests/test_a.py::TestC::test_y[a::b]\n\
                tests/test_a.py::TestC::test_y[c@d]\ntests/test_a.py::test_g@db\n\n4 tests collected\n";
    let module = "tests.test_a";
    assert_eq!(
        names("pytest", text),
        [
            ["tests/test_a.py::test_x", module, "test_x", "tests/test_a.py"],
            [
                "tests/test_a.py::TestC::test_y[a::b]",
                "tests.test_a.TestC",
                "test_y[a::b]",
                "tests/test_a.py"
            ],
            [
                "tests/test_a.py::TestC::test_y[c@d]",
                "tests.test_a.TestC",
                "test_y[c@d]",
                "tests/test_a.py"
            ],
            ["tests/test_a.py::test_g", module, "test_g", "tests/test_a.py"],
        ]
    );
    let groups: Vec<_> = read("pytest", text).tests.into_iter().map(|test| test.group).collect();
    assert_eq!(groups, [None, None, None, Some("db".to_owned())]);
    // Counts by file are what -qq prints.
    let refused = (Lister::find("pytest").unwrap().read)("tests/test_a.py: 5\n").unwrap_err();
    assert!(refused.to_string().contains("--collect-only -q"), "{refused}");
    assert!(read("pytest", "\nno tests collected in 0.01s\n").tests.is_empty());
}

/// As cargo-nextest 0.9 prints it, cut down to what matters.
const NEXTEST: &str = r#"{"test-count":4,"rust-suites":{"demo":{"binary-id":"demo","testcases":{
"tests::ignored":{"ignored":true,"filter-match":{"status":"mismatch","reason":"ignored"}},
"tests::passes":{"ignored":false,"filter-match":{"status":"matches"}}}},
"demo::api":{"testcases":{"answers":{"filter-match":{"status":"matches"}}}}}}"#;

#[test]
fn nextest_says_the_same_in_each_of_its_formats() {
    let wanted = [
        ["demo tests::passes", "demo", "tests::passes", ""],
        ["demo::api answers", "demo::api", "answers", ""],
    ];
    assert_eq!(names("nextest", NEXTEST), wanted);
    assert_eq!(names("nextest", "demo tests::passes\ndemo::api answers\n"), wanted);
    assert_eq!(names("nextest", "demo:\n    tests::passes\ndemo::api:\n    answers\n"), wanted);
    assert!((Lister::find("nextest").unwrap().read)("one\n").is_err());
}

#[test]
fn go_names_tests_by_the_package_below_them_and_leaves_out_benchmarks() {
    let wanted = [
        ["example.com/a.TestA", "example.com/a", "TestA", ""],
        ["example.com/a.FuzzB", "example.com/a", "FuzzB", ""],
    ];
    let text = "TestA\nBenchmarkC\nFuzzB\nok  \texample.com/a\t0.003s\n?   \texample.com/b\t[no test files]\n";
    assert_eq!(names("go", text), wanted);
    let event = |output: &str| {
        format!(
            "{{\"Action\":\"output\",\"Package\":\"example.com/a\",\"Output\":\"{output}\\n\"}}\n"
        )
    };
    assert_eq!(
        names("go", &(event("TestA") + &event("FuzzB") + &event("ok  \\texample.com/a"))),
        wanted
    );
    let cut = (Lister::find("go").unwrap().read)("TestA\n").unwrap_err();
    assert_eq!(cut.line, 1);
}

#[test]
fn runners_of_javascript_name_files_and_titles_as_their_reports_do() {
    let jest = ["/w/a.test.js", "", "", "/w/a.test.js"];
    assert_eq!(names("jest", "[\"/w/a.test.js\"]"), [jest]);
    assert_eq!(names("jest", "/w/a.test.js\n"), [jest]);
    let vitest = ["a.test.js > Outer > passes", "a.test.js", "Outer > passes", "a.test.js"];
    assert_eq!(names("vitest", "a.test.js > Outer > passes\n"), [vitest]);
    let json = r#"[{"name":"Outer > passes","file":"a.test.js"}]"#;
    assert_eq!(names("vitest", json), [vitest]);
    let playwright = r#"{"config":{"rootDir":"/w (1)"},"suites":[{"title":"a.spec.ts","file":"a.spec.ts",
        "specs":[{"title":"alone","file":"a.spec.ts","line":9}],
        "suites":[{"title":"Outer","specs":[{"title":"passes","file":"a.spec.ts","line":3},{"title":"passes","file":"a.spec.ts","line":3}]}]}]}"#;
    assert_eq!(
        names("playwright", playwright),
        [
            ["/w \\(1\\)/a.spec.ts:9", "a.spec.ts", "alone", "a.spec.ts"],
            ["/w \\(1\\)/a.spec.ts:3", "a.spec.ts", "Outer › passes", "a.spec.ts"]
        ]
    );
    assert_eq!(
        names(
            "playwright",
            "Listing tests:\n  [chromium] › a.spec.ts:3:5 › Outer › passes\nTotal: 1 test in 1 file\n"
        ),
        [["a.spec.ts:3", "a.spec.ts", "Outer › passes", "a.spec.ts"]]
    );
}

#[test]
fn rspec_names_examples_by_the_file_that_runs_them() {
    let text = "loading\n{\"examples\":[{\"id\":\"./spec/a_spec.rb[1:1]\",\"full_description\":\"Outer passes\",\"file_path\":\"./spec/shared.rb\"}]}\n";
    assert_eq!(
        names("rspec", text),
        [["./spec/a_spec.rb[1:1]", "spec.a_spec", "Outer passes", "spec/a_spec.rb"]]
    );
}

#[test]
fn a_line_is_a_test_or_a_file_with_a_group_behind_a_tab() {
    let found = read("lines", "a.b::test[x::y]\tdb\n\nsrc/a.js\nsrc/a.js\n");
    assert_eq!(found.tests.len(), 2);
    assert_eq!(found.tests[0].group.as_deref(), Some("db"));
    assert_eq!(
        (found.tests[0].test.classname.as_str(), found.tests[0].test.name.as_str()),
        ("a.b", "test[x::y]")
    );
    assert_eq!(found.tests[1].test.file, "src/a.js");
    assert_eq!(found.notes, ["1 of the lines name a test that was listed before"]);
}

#[test]
fn a_listing_is_known_by_its_looks() {
    for (text, wanted) in [
        ("tests/test_a.py::test_x\n", "pytest"),
        (NEXTEST, "nextest"),
        ("TestA\nok  \ta\t0.1s\n", "go"),
        ("/w/a.test.js\n", "jest"),
        ("[\"/w/a.test.js\"]", "jest"),
        ("src/a.test.tsx > Outer > passes\n[unit] b.spec.mjs > c\n", "vitest"),
        ("a > b\n", "lines"),
        ("nx tests::deep::passes\nmy-app::bin/tool answers_2\n", "nextest"),
        ("Outer passes\n", "lines"),
        ("a.b::test[x y]\n", "lines"),
        ("[{\"name\":\"a\",\"file\":\"a.test.js\"}]", "vitest"),
        ("  [chromium] › a.spec.ts:3:5 › Outer › passes\n", "playwright"),
        ("{\"examples\":[{\"full_description\":\"a\"}]}", "rspec"),
        ("a.b::c\n", "lines"),
        ("", "lines"),
    ] {
        assert_eq!(Lister::detect(text).name, wanted, "{text}");
    }
}

#[test]
fn a_test_command_becomes_one_that_lists_and_writes_no_report() {
    for (lister, command, wanted) in [
        (
            "pytest",
            "python -m pytest -q --junitxml=r.xml tests",
            "python -m pytest -q tests --collect-only --verbosity=-1 --no-header --color=no",
        ),
        (
            "pytest",
            "pytest --junitxml r.xml",
            "pytest --collect-only --verbosity=-1 --no-header --color=no",
        ),
        (
            "nextest",
            "cargo nextest run -p a --retries 2 -- b",
            "cargo nextest list -p a --message-format json -- b",
        ),
        ("go", "go test -v ./...", "go test -list . -json ./..."),
        ("jest", "npx jest", "npx jest --listTests --json"),
        ("vitest", "npx vitest run --reporter=junit a", "npx vitest list a --json"),
        (
            "playwright",
            "npx playwright test --reporter=junit",
            "npx playwright test --list --reporter=json",
        ),
        (
            "rspec",
            "bundle exec rspec --format RspecJunitFormatter --out r.xml",
            "bundle exec rspec --dry-run --format json",
        ),
    ] {
        assert_eq!(asked(lister, command).as_deref(), Some(wanted));
    }
    // What gotestsum hands to go is not told by its own words.
    assert_eq!(asked("go", "gotestsum ./..."), None);
    assert_eq!(
        asked("go", "gotestsum --junitfile r.xml -- -race ./...").as_deref(),
        Some("go test -list . -json -race ./...")
    );
}

#[test]
fn tests_that_a_loop_makes_on_one_line_are_all_listed() {
    let spec = |title: &str| format!("{{\"title\":\"{title}\",\"file\":\"a.spec.js\",\"line\":4}}");
    let specs = ["adds", "removes", "adds"].map(spec).join(",");
    let text = format!("{{\"suites\":[{{\"title\":\"a.spec.js\",\"specs\":[{specs}]}}]}}");
    let listing = (Lister::find("playwright").unwrap().read)(&text).unwrap();
    let names: Vec<&str> = listing.tests.iter().map(|test| test.test.name.as_str()).collect();
    assert_eq!(names, ["adds", "removes"]);
}

#[test]
fn a_name_of_nothing_is_no_test() {
    let kept = [["/a.js", "", "", "/a.js"]];
    assert_eq!(names("jest", r#"["", "/a.js"]"#), kept);
}
