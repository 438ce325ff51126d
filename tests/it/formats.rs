//! Every format of one history tells the same numbers, and they are those of the reports.

use std::collections::BTreeMap;

use crate::command::{Sandbox, finish};

/// What became of each test in 24 runs, two a revision: `r` is a failure, then a success.
const TESTS: [(&str, &str); 9] = [
    ("test_total", "........................"),
    ("test_tax[EUR, \"19 %\"]", "..F...r...F....F...F..r."),
    ("test_stock", "....................FFFF"),
    ("test_search", "EEEEEEEEEEEEEEEEEEEEEEEE"),
    ("test_refund", "ssssssssssssssssssssssss"),
    ("test_mail", "......s........s........"),
    ("=test|formula", "........................"),
    ("test_bounce", ".......r................"),
    ("test_young", "                      ..."),
];
const RUNS: usize = 24;
const PROJECT: &str = "acme/shop";

/// How often a test ran, ended badly, passed on retry, and was skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Numbers {
    executions: u64,
    failures: u64,
    retried: u64,
    skipped: u64,
}

type ByTest = BTreeMap<String, Numbers>;

fn case(test: &str, outcome: char) -> String {
    let inside = match outcome {
        'F' => {
            "<failure message=\"no\" type=\"AssertionError\">tests/test_cart.py:12: no</failure>"
        }
        'E' => "<error message=\"crash\"/>",
        's' => "<skipped/>",
        'r' => return case(test, 'F') + &case(test, '.'),
        _ => "",
    };
    let test = test.replace('"', "&quot;");
    format!(
        "<testcase classname=\"tests.test_cart\" name=\"{test}\" file=\"tests/test_cart.py\" \
         time=\"0.25\">{inside}</testcase>\n"
    )
}

/// Writes the reports of all runs and ingests them; returns the reports.
fn history(sandbox: &Sandbox) -> Vec<String> {
    let mut reports = Vec::new();
    for run in 0..RUNS {
        let mut xml = String::from("<testsuites><testsuite name=\"s\">\n");
        for (test, strip) in TESTS {
            if let Some(outcome) = strip.chars().nth(run).filter(|mark| *mark != ' ') {
                xml += &case(test, outcome);
            }
        }
        xml += "</testsuite></testsuites>\n";
        let started = 1_790_000_000 + run * 20_000;
        sandbox.write("report.xml", &xml);
        let (build, revision) = (format!("{run}"), format!("{:040x}", run / 2 + 1));
        let started = started.to_string();
        let arguments = [
            ["--project", PROJECT],
            ["--branch", "main"],
            ["--lane", "default"],
            ["--build", &build],
            ["--revision", &revision],
            ["--started", &started],
        ];
        let arguments = arguments.iter().flatten().copied();
        let arguments: Vec<&str> = ["ingest", "report.xml"].into_iter().chain(arguments).collect();
        sandbox.run(&arguments).exits(0);
        reports.push(xml);
    }
    reports
}

/// The numbers of each test, counted from the reports by another reader.
fn recount(reports: &[String]) -> ByTest {
    let mut numbers = ByTest::new();
    for report in reports {
        let document = roxmltree::Document::parse(report).unwrap();
        let mut marks: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
            let inside = case.children().find(roxmltree::Node::is_element);
            let mark = inside.map_or("passed", |inside| inside.tag_name().name());
            let name = format!("tests.test_cart::{}", case.attribute("name").unwrap());
            marks.entry(name).or_default().push(mark);
        }
        for (test, marks) in marks {
            let one = numbers.entry(test).or_default();
            let last = *marks.last().unwrap();
            one.skipped += u64::from(last == "skipped");
            one.executions += u64::from(last != "skipped");
            one.failures += u64::from(["failure", "error"].contains(&last));
            one.retried += u64::from(last == "passed" && marks.len() > 1);
        }
    }
    numbers
}

/// Runs in which each test had a bad attempt, from the tables themselves.
fn bad_runs(sandbox: &Sandbox) -> BTreeMap<String, u64> {
    let database = rusqlite::Connection::open(sandbox.path(".flakedb/history.db")).unwrap();
    let sql = "SELECT name, count(DISTINCT run_id) FROM bad JOIN test USING (test_id) GROUP BY 1";
    let mut select = database.prepare(sql).unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        Ok((
            format!("tests.test_cart::{}", row.get::<_, String>(0)?),
            u64::from(row.get::<_, u32>(1)?),
        ))
    };
    select.query_map([], row).unwrap().map(Result::unwrap).collect()
}

/// What one format says: tests by status, and the numbers of each test as far as it has them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    by_status: BTreeMap<String, u64>,
    tests: ByTest,
}

impl Told {
    fn count(&mut self, status: &str) {
        *self.by_status.entry(status.to_owned()).or_default() += 1;
    }
}

fn write(sandbox: &Sandbox, format: &str, more: &[&str]) -> String {
    let arguments = [&["report", "--all", "--format", format], more].concat();
    sandbox.run(&arguments).exits(0).stdout
}

fn json(page: &str) -> Told {
    let page: serde_json::Value = serde_json::from_str(page).unwrap();
    let mut told = Told::default();
    for test in page["tests"].as_array().unwrap() {
        told.count(test["status"].as_str().unwrap());
        let number = |key: &str| test[key].as_u64().unwrap();
        let numbers = Numbers {
            executions: number("executions"),
            failures: number("failures"),
            retried: number("retried"),
            skipped: number("skipped"),
        };
        told.tests.insert(test["test"].as_str().unwrap().to_owned(), numbers);
    }
    // The totals are counted apart from the list.
    for (status, count) in &told.by_status {
        assert_eq!(page["totals"][status.replace('-', "_")], *count, "{status}");
    }
    assert_eq!(page["totals"]["verdicts"], told.tests.len());
    told
}

fn csv(page: &str) -> Told {
    let mut told = Told::default();
    let mut reader = ::csv::Reader::from_reader(page.as_bytes());
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        told.count(&row["status"]);
        let number = |key: &str| row[key].parse().unwrap();
        let numbers = Numbers {
            executions: number("executions"),
            failures: number("failures"),
            retried: number("retried"),
            skipped: number("skipped"),
        };
        told.tests.insert(row["test"].clone(), numbers);
    }
    told
}

fn junit(page: &str) -> Told {
    let mut told = Told::default();
    let document = roxmltree::Document::parse(page).unwrap();
    for case in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        let property = |name: &str| {
            let mut nodes = case.descendants().filter(|node| node.has_tag_name("property"));
            let name = format!("flakedb.{name}");
            nodes.find(|node| node.attribute("name") == Some(&name)).unwrap().attribute("value")
        };
        let status = property("status").unwrap();
        told.count(status);
        let number = |key: &str| property(key).unwrap().parse().unwrap();
        let numbers = Numbers {
            executions: number("executions"),
            failures: number("failures"),
            retried: number("retried"),
            skipped: number("skipped"),
        };
        let mark = case.children().find(|node| {
            ["failure", "error", "skipped", "flakyFailure", "flakyError"]
                .contains(&node.tag_name().name())
        });
        let mark = mark.map_or("passed", |mark| mark.tag_name().name());
        let wanted = match status {
            "broken" | "newly-broken" => ["failure", "error"].as_slice(),
            "flaky" => &["flakyFailure", "flakyError"],
            _ if numbers.executions == 0 => &["skipped"],
            _ => &["passed"],
        };
        assert!(wanted.contains(&mark), "{status}: {mark}");
        let name = [case.attribute("classname").unwrap(), case.attribute("name").unwrap()];
        told.tests.insert(name.join("::"), numbers);
    }
    told
}

/// Of `1 flaky, 2 newly broken`, as pages for people count.
fn counts(sentence: &str) -> BTreeMap<String, u64> {
    // Some pages keep a number and its word together with a space that does not break.
    let part = |part: &str| {
        let (count, status) = part.trim().split_once(char::is_whitespace).unwrap();
        (status.replace(char::is_whitespace, "-"), count.replace(',', "").parse().unwrap())
    };
    sentence.trim_end_matches('.').split(", ").map(part).collect()
}

/// `3 of 24` for each test.
type Failing = BTreeMap<String, (u64, u64)>;

fn failing(cell: &str) -> (u64, u64) {
    let mut words = cell.split_whitespace().filter_map(|word| word.parse().ok());
    (words.next().unwrap(), words.next().unwrap())
}

fn markdown(page: &str) -> (BTreeMap<String, u64>, Failing) {
    let summary = page.lines().find(|line| line.contains(" tests in ")).unwrap();
    let by_status = counts(summary.split_once("): ").unwrap().1);
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let tests = rows.filter(|row| !row.starts_with(['S', '-'])).map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let name = cells[1].replace("<code>", "").replace("</code>", "").replace('`', "");
        let mut name = name.split("<br>").next().unwrap().to_owned();
        for c in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".chars() {
            name = name.replace(&format!("&#{};", u32::from(c)), &c.to_string());
        }
        (name, failing(cells[2].split("<br>").next().unwrap()))
    });
    (by_status, tests.collect())
}

fn table(page: &str) -> (BTreeMap<String, u64>, Failing) {
    let summary = page.lines().find(|line| line.contains(" tests: ")).unwrap();
    let by_status = counts(summary.split_once(": ").unwrap().1);
    let mut tests = Failing::new();
    for line in page.lines().filter(|line| line.contains(" of ")) {
        let Some((_, rest)) = line.split_once("tests.test_cart::") else { continue };
        let Some((name, cell)) = rest.split_once("   ") else { continue };
        let cell = cell.trim().split("  ").next().unwrap();
        tests.insert(format!("tests.test_cart::{}", name.trim()), failing(cell));
    }
    (by_status, tests)
}

/// What the page for browsers says: its tally of verdicts, and its table of all tests.
fn html(page: &str) -> (BTreeMap<String, u64>, Failing) {
    let between = |text: &'_ str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap();
        rest.split(to).next().unwrap().to_owned()
    };
    let plain = |markup: &str| {
        let mut text = String::new();
        let mut inside = false;
        for c in markup.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                c if !inside => text.push(c),
                _ => {}
            }
        }
        text.replace("&#34;", "\"").replace("&amp;", "&").trim().to_owned()
    };
    let tally = between(page, "<ul class=tally>", "</ul>");
    let by_status: Vec<String> = tally.split("<li>").skip(1).map(plain).collect();
    let table = between(page, "<tbody id=shown>", "</table>");
    let rows = table.split("<tr>").skip(1).map(|row| {
        let cells: Vec<String> = row.split("<td>").map(plain).collect();
        (cells[0].clone(), failing(&cells[3]))
    });
    (counts(&by_status.join(", ")), rows.collect())
}

fn prometheus(page: &str) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
    let value = |line: &str| line.rsplit(' ').next().unwrap().parse().unwrap();
    let label = |line: &str, key: &str| {
        let (_, rest) = line.split_once(&format!("{key}=\"")).unwrap();
        // The label behind it, or the end: a quote in a name has a backslash before it.
        let end = rest.find("\",").or_else(|| rest.find("\"}")).unwrap();
        rest[..end].replace("\\\"", "\"")
    };
    let of = |name: &str| {
        let name = format!("{name}{{");
        page.lines().filter(move |line| line.starts_with(&name)).collect::<Vec<_>>()
    };
    let by_status =
        of("flakedb_tests").into_iter().map(|line| (label(line, "status"), value(line)));
    let failures =
        of("flakedb_test_failures").into_iter().map(|line| (label(line, "test"), value(line)));
    (by_status.filter(|(_, count)| *count > 0).collect(), failures.collect())
}

#[test]
fn every_format_tells_the_numbers_of_the_reports() {
    let sandbox = Sandbox::new();
    let wanted = recount(&history(&sandbox));
    assert_eq!(wanted.len(), TESTS.len());
    let in_tables = bad_runs(&sandbox);
    for (test, numbers) in &wanted {
        let bad = in_tables.get(test).copied().unwrap_or(0);
        assert_eq!(numbers.failures + numbers.retried, bad, "{test}");
    }
    // Once by the filter, once by a rule that counts nothing but failures.
    for method in [&[][..], &["--method", "threshold"]] {
        let from_json = json(&write(&sandbox, "json", method));
        assert_eq!(from_json.tests, wanted);
        let page = write(&sandbox, "csv", method);
        assert!(page.contains(",'=test|formula,"), "no formula: {page}");
        assert_eq!(csv(&page), from_json);
        assert_eq!(junit(&write(&sandbox, "junit", method)), from_json);
        let (by_status, failures) = prometheus(&write(&sandbox, "prometheus", method));
        assert_eq!(by_status, from_json.by_status);
        for (test, failures) in &failures {
            assert_eq!(*failures, wanted[test].failures, "{test}");
        }
        assert!(failures.len() >= 3, "{failures:?}");
        let pages = [
            markdown(&write(&sandbox, "markdown", method)),
            html(&write(&sandbox, "html", method)),
            table(&write(&sandbox, "table", method)),
        ];
        for (by_status, tests) in pages {
            assert_eq!(by_status, from_json.by_status);
            assert_eq!(tests.len(), wanted.len(), "{tests:?}");
            // The filter tells flakes of chances where it knows them; the rule tells failures.
            for (test, told) in tests.iter().filter(|_| !method.is_empty()) {
                let Numbers { executions, failures, retried, .. } = wanted[test];
                assert_eq!(*told, (failures + retried, executions), "{test}");
            }
        }
    }
}

#[test]
fn a_failure_is_annotated_where_it_happened() {
    let sandbox = Sandbox::new();
    history(&sandbox);
    let annotations = sandbox.run(&["report", "--format", "github"]).exits(0).stdout;
    let stock = annotations.lines().find(|line| line.contains("test_stock")).unwrap();
    assert!(stock.starts_with("::error file=tests/test_cart.py,line=12,title="), "{annotations}");
    let json = sandbox.run(&["report", "--format", "json"]).exits(0).json();
    let tests = json["tests"].as_array().unwrap();
    let stock = tests.iter().find(|test| test["name"] == "test_stock").unwrap();
    assert_eq!(stock["latest_failure"]["location"]["line"], 12);
    assert_eq!(stock["latest_failure"]["kind"], "AssertionError");
    let show = sandbox.run(&["show", "test_stock", "--format", "json"]).exits(0).json();
    assert_eq!(show["variants"][0]["latest_failure"], stock["latest_failure"]);
}

#[test]
fn a_format_that_a_view_lacks_is_wrong_usage_and_help_does_not_promise_it() {
    let sandbox = Sandbox::new();
    history(&sandbox);
    let said = sandbox.run(&["report", "--backtest", "--format", "csv"]).exits(2);
    assert!(said.stderr.contains("table, markdown, json"), "{said:?}");
    for (command, formats) in [
        (&["show"][..], &["csv"][..]),
        (&["quarantine"], &["csv"]),
        (&["quarantine", "lint"], &["github"]),
        (&["gate"], &["github"]),
        (&["compare-methods"], &[]),
        (&["report"], &["csv", "junit", "prometheus", "github"]),
    ] {
        let help = sandbox.run(&[command, &["--help"]].concat()).exits(0).stdout;
        let (_, listed) = help.split_once("--format <FORMAT>").unwrap();
        let listed = listed.split_once("--output").unwrap().0;
        for format in ["csv", "junit", "prometheus", "github"] {
            let promised = listed.contains(&format!("- {format}:"));
            assert_eq!(promised, formats.contains(&format), "{command:?} {format}: {listed}");
        }
    }
}

#[test]
fn what_a_csv_leaves_out_is_said_beside_it() {
    let sandbox = Sandbox::new();
    history(&sandbox);
    let said = sandbox.run(&["report", "--format", "csv"]).exits(0);
    assert!(said.stderr.contains("--all lists all"), "{said:?}");
    assert_eq!(sandbox.run(&["report", "--format", "csv", "--all"]).exits(0).stderr, "");
    let mut command = sandbox.command(&["report", "--format", "prometheus", "-o", "flakedb.prom"]);
    command.env("FLAKEDB_PROJECT", PROJECT);
    finish(command).exits(0);
    let written = std::fs::read_to_string(sandbox.path("flakedb.prom")).unwrap();
    assert!(written.starts_with("# HELP flakedb_tests "), "{written}");
    // A collector reads *.prom at any moment: nothing half-written may lie there.
    let files = std::fs::read_dir(sandbox.path(".")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("prom")).count(), 1);
}
