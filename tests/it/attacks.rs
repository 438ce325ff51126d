//! What somebody who means harm writes into reports, files and histories, and what comes of it at
//! the other end of the command. docs/SECURITY.md has the table.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use crate::command::{Sandbox, project, report};
use crate::promises::history;

/// Names that act where text is not only text.
const NAMES: &[&str] = &[
    "title \u{1b}]0;owned\u{7} \u{1b}[2J\u{1b}[31mred \u{9b}5m",
    "order \u{202e}dlrow\u{2066} \u{200b}\u{feff}",
    "=HYPERLINK(\"https://evil.example\",\"x\")",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd",
    "@SUM(A1:A9)",
    "\t=1+1",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "\" onmouseover=\"alert(3)\" x=\"",
    "</script><svg/onload=alert(4)>",
    "::set-output name=token::secret",
    "::add-mask::a",
    "x%0A::error file=a::b",
    "y\n::stop-commands::z",
    "##vso[task.setvariable variable=PATH]/evil",
    "##[add-path]/evil",
    "##teamcity[setParameter name='a' value='b']",
    "[click](javascript:alert(5)) ![x](https://evil.example/a.png) @everyone #1",
    "``` | --- | <!-- \\",
    "x\"} 1e9\nflakedb_fake{a=\"",
    "'; DROP TABLE run; --",
    "nul \u{0} and \u{ffff}",
    "${IFS}$(touch owned)`touch owned`; touch owned",
    "../../../../owned",
    "%s%n%d {0} {{7*7}}",
];

/// Screens of people and files of programs: the arguments, and what they are read by.
const SCREENS: &[(&[&str], &str)] = &[
    (&["report", "--all"], "terminal"),
    (&["report", "--all", "--format", "markdown"], "markdown"),
    (&["report", "--all", "--format", "json"], "json"),
    (&["report", "--all", "--format", "csv"], "csv"),
    (&["report", "--all", "--format", "html"], "html"),
    (&["report", "--all", "--format", "junit"], "xml"),
    (&["report", "--all", "--format", "github"], "github"),
    (&["report", "--all", "--format", "prometheus"], "prometheus"),
    (&["quarantine"], "terminal"),
    (&["quarantine", "--format", "json"], "json"),
    (&["quarantine", "--format", "csv"], "csv"),
    (&["quarantine", "--format", "markdown"], "markdown"),
    (&["db", "info"], "terminal"),
    (&["db", "check"], "terminal"),
];

fn xml_text(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' => out += &format!("&#{};", u32::from(c)),
            // Reports hold raw what XML forbids; so does this one.
            c => out.push(c),
        }
    }
    out
}

/// A history of tests with these names, each of which fails and recovers now and then.
fn history_of(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for run in 0..12_usize {
        let mut xml = String::from("<testsuites><testsuite name=\"s\">\n");
        for (at, name) in names.iter().enumerate() {
            let name = xml_text(name);
            let failure =
                format!("<failure message=\"{name}\" type=\"{name}\">{name}\n{name}</failure>");
            let inside = if (run + at) % 5 == 0 { failure } else { String::new() };
            let again = format!("<testcase classname=\"{name}\" name=\"{name}\" file=\"{name}\"/>");
            xml += &format!(
                "<testcase classname=\"{name}\" name=\"{name}\" file=\"{name}\" time=\"0.1\">{inside}</testcase>{}\n",
                if inside.is_empty() { "" } else { &again }
            );
        }
        sandbox.write("r.xml", xml + "</testsuite></testsuites>\n");
        let (build, started) = (run.to_string(), (1_790_000_000 + run * 7_200).to_string());
        let arguments = [
            "ingest",
            "r.xml",
            "--quiet",
            "--project",
            "p",
            "--branch",
            "main",
            "--lane",
            "default",
            "--build",
            &build,
            "--revision",
            &build,
            "--started",
            &started,
            "--url",
            "javascript:alert(6)",
        ];
        let said = sandbox.run(&arguments);
        assert!(matches!(said.code, 0 | 1), "{said:?}");
    }
    sandbox
}

/// What no text may hold that people see: other than a line's end, nothing that acts.
fn acting(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}')
}

#[test]
fn no_screen_lets_a_name_act() {
    let sandbox = history_of(NAMES);
    let shown: Vec<String> = sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json()
        ["tests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(shown.len(), NAMES.len(), "two names became one test, or one was lost");
    for id in &shown {
        for format in ["table", "json", "markdown", "csv"] {
            let said = sandbox.run(&["show", id, "--format", format]).exits(0);
            let kind = if format == "table" { "terminal" } else { format };
            check(kind, &said.stdout);
            check("terminal", &said.stderr);
        }
    }
    for (arguments, kind) in SCREENS {
        let said = sandbox.run(arguments).exits(0);
        check(kind, &said.stdout);
        check("terminal", &said.stderr);
        // Narrow enough that names are broken anywhere.
        if *kind == "terminal" {
            for columns in ["40", "61", "80"] {
                let mut narrow = sandbox.command(arguments);
                narrow.env("COLUMNS", columns);
                check(kind, &crate::command::finish(narrow).stdout);
            }
        }
    }
    assert!(!sandbox.path("owned").exists());
    for format in flakedb::quarantine::emit::FORMATS {
        let said = sandbox.run(&["quarantine", "--emit", format.name]).exits(0);
        assert!(!said.stdout.contains(['\u{1b}', '\u{7}', '\0']), "{}", format.name);
        check("terminal", &said.stderr);
    }
}

#[test]
fn no_decision_of_the_gate_lets_a_name_act() {
    let sandbox = history_of(NAMES);
    let bad: Vec<String> = NAMES.iter().map(|name| xml_text(name)).collect();
    let cases: Vec<(&str, char)> = bad.iter().map(|name| (name.as_str(), 'F')).collect();
    sandbox.write("now.xml", report(&cases));
    for (format, kind) in
        [("table", "terminal"), ("json", "json"), ("markdown", "markdown"), ("github", "github")]
    {
        let said = sandbox.run(&[
            "gate",
            "now.xml",
            "--runner-exit-code",
            "1",
            "--runner",
            "pytest",
            "--format",
            format,
        ]);
        assert_eq!(said.code, 1, "{said:?}");
        check(kind, &said.stdout);
        check("terminal", &said.stderr);
    }
    for format in ["table", "json", "markdown"] {
        let said = sandbox.run(&["validate", "now.xml", "--format", format]);
        check(if format == "table" { "terminal" } else { format }, &said.stdout);
    }
}

/// What each reader of a screen must not be told.
fn check(kind: &str, text: &str) {
    let crlf = text.replace("\r\n", "\n");
    // What programs read has its own escapes, and marks of writing are text to them.
    let acts = |c: char| match kind {
        "json" => c.is_control() && c != '\n',
        _ => acting(c),
    };
    if kind != "xml" {
        assert!(!crlf.contains(acts), "{kind}: {:?} in {crlf}", crlf.chars().find(|c| acts(*c)));
    }
    match kind {
        "csv" => check_csv(text),
        "html" => check_html(text),
        "markdown" => check_markdown(text),
        "prometheus" => check_prometheus(text),
        "xml" => drop(roxmltree::Document::parse(text).unwrap()),
        "json" => drop(serde_json::from_str::<serde_json::Value>(text).unwrap()),
        _ => {}
    }
    if kind != "html" && kind != "xml" {
        check_commands(kind == "github", text);
    }
}

/// No line of a log is a command of GitHub but those that are meant, or one of Azure or `TeamCity`.
fn check_commands(annotates: bool, text: &str) {
    let own = Regex::new(r"^::(error|warning|notice) ([a-z]+=[^:,]*)(,[a-z]+=[^:,]*)*::[^\r\n]*$")
        .unwrap();
    let bracketed = Regex::new(r"##[A-Za-z]*\[").unwrap();
    let workflow = Regex::new(r"(?i)^\s*::[a-z-]+(\s[^\n]*)?::").unwrap();
    for line in text.lines() {
        assert!(annotates || !workflow.is_match(line), "a command: {line}");
        assert!(!annotates || own.is_match(line), "no annotation of ours: {line}");
        assert!(!bracketed.is_match(line), "a command: {line}");
    }
}

/// No cell is a formula.
fn check_csv(text: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap() {
            let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
            assert!(!is_formula || cell.parse::<f64>().is_ok(), "a formula: {cell}");
        }
    }
}

/// The page has the tags of a page about harmless names, and no handler or address that runs.
fn check_html(text: &str) {
    let tag = Regex::new(r"<([a-zA-Z!/][^\s>]*)([^>]*)>").unwrap();
    let quoted = Regex::new("\"[^\"]*\"").unwrap();
    let handler = Regex::new(r"\bon[a-z]+\s*=").unwrap();
    for found in tag.captures_iter(text) {
        let (name, attributes) = (found[1].to_lowercase(), found[2].to_lowercase());
        assert!(
            !["img", "svg/onload=alert(4)", "iframe", "object"].contains(&name.as_str()),
            "{}",
            &found[0]
        );
        let outside = quoted.replace_all(&attributes, "\"\"");
        assert!(!handler.is_match(&outside), "{}", &found[0]);
        assert!(!attributes.contains("javascript:"), "{}", &found[0]);
    }
    assert_eq!(text.matches("<script").count(), 1, "a script that is not ours");
    assert!(text.contains("Content-Security-Policy"));
}

/// No link or picture leads where a report says, nobody is notified, and no tag is raw.
fn check_markdown(text: &str) {
    // Outside of code, where everything is text.
    let code = Regex::new(r"(?s)(?m)^(`{3,})text\n.*?\n`{3,}$|`[^`\n]*`").unwrap();
    let prose = code.replace_all(text, "");
    let runs = Regex::new(r"\]\(\s*(?i:javascript|data|vbscript):").unwrap();
    assert!(!runs.is_match(&prose), "{prose}");
    for raw in ["<script", "<img", "<svg", "](https://evil", "@everyone"] {
        assert!(!prose.contains(raw), "{raw} in {prose}");
    }
}

/// Every line is a comment or a sample of a family of ours.
fn check_prometheus(text: &str) {
    let sample =
        Regex::new(r#"^flakedb_[a-z_]+\{([a-z_]+="([^"\\]|\\.)*",?)*\} [0-9.e+NaInf-]+$"#).unwrap();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        assert!(sample.is_match(line), "no sample: {line}");
        assert!(!line.starts_with("flakedb_fake"), "{line}");
    }
}

#[test]
fn a_message_says_a_name_and_does_not_act_it() {
    let sandbox = history_of(&["a"]);
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[31m\u{202e}";
    sandbox.write("flakedb-evil.toml", format!("project = \"{evil}\"\n\"{evil}\" = 1\n"));
    sandbox.write(
        "quarantine.toml",
        format!("[[entry]]\n'{}' = 1\n", evil.replace(['\u{1b}', '\u{7}'], "")),
    );
    sandbox.write("evil.xml", format!("<!DOCTYPE {evil}><{evil} a='{evil}'>{evil}</x>"));
    for arguments in [
        vec!["report", "--config", "flakedb-evil.toml"],
        vec!["quarantine"],
        vec!["show", evil],
        vec!["report", "--project", evil],
        vec!["report", "--db", evil],
        vec!["ingest", evil],
        vec!["ingest", "evil.xml"],
        vec!["validate", "evil.xml"],
        vec!["report", "--set", evil],
        vec!["report", "--set", "judging.method=\u{1b}[31m"],
    ] {
        let said = sandbox.run(&arguments);
        assert_ne!(said.code, 0, "{said:?}");
        let all = said.stdout.clone() + &said.stderr;
        assert!(!all.is_empty() && !all.contains(acting), "{arguments:?}: {all:?}");
    }
}

#[test]
fn names_with_sql_are_names() {
    let names =
        ["'; DROP TABLE run; --", "\" OR 1=1 --", "a' UNION SELECT * FROM failure --", "%", "_"];
    let sandbox = history_of(&names);
    sandbox.run(&["db", "check"]).exits(0);
    let shown = sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json();
    for name in names {
        let tests = shown["tests"].as_array().unwrap();
        let test = tests.iter().find(|test| test["name"] == name).unwrap();
        let label = test["test"].as_str().unwrap();
        let said = sandbox.run(&["show", label, "--format", "json"]).exits(0).json();
        assert_eq!(said["test"], label, "{said:#}");
        sandbox.run(&["report", "--branch", name, "--format", "json"]);
        sandbox.run(&["report", "--project", name]).exits(2);
    }
    let said = sandbox.run(&["db", "info", "--format", "json"]).exits(0).json();
    assert_eq!(said["runs"], 12, "{said:#}");
}

/// Two tests that claim one identity are one test, and no test takes over another one's history by
/// chance: what a report says of `test_id` counts for the project it comes into, and nowhere else.
#[test]
fn a_test_that_claims_the_identity_of_another_is_told_from_it_where_it_can_be() {
    let sandbox = Sandbox::new();
    let case = |name: &str, id: &str, inside: &str| {
        format!(
            "<testcase classname=\"c\" name=\"{name}\"><properties><property name=\"test_id\" \
             value=\"{id}\"/></properties>{inside}</testcase>"
        )
    };
    let failed = "<failure message=\"no\"/>";
    let xml = [
        "<testsuite name=\"s\">",
        &case("a", "same", failed),
        &case("b", "same", ""),
        "</testsuite>",
    ];
    sandbox.write("r.xml", xml.concat());
    let said = sandbox.run(&["ingest", "r.xml", "--project", "p", "--format", "json"]);
    assert!(matches!(said.code, 0 | 1), "{said:?}");
    sandbox.run(&["db", "check"]).exits(0);
    // One identity, two records: the failure is not hidden behind the other name's success.
    let said = sandbox.run(&["report", "--all", "--format", "json"]).exits(0).json();
    assert_eq!(said["tests"].as_array().unwrap().len(), 1, "{said:#}");
    let test = &said["tests"][0];
    let bad = test["failures"].as_u64().unwrap_or(0) + test["retried"].as_u64().unwrap_or(0);
    assert!(bad > 0, "the failure is gone: {test:#}");
}

#[test]
fn entities_are_never_expanded_and_nothing_outside_is_read() {
    let sandbox = Sandbox::new();
    sandbox.write("secret.txt", "the secret");
    let secret = sandbox.path("secret.txt");
    let documents = [
        format!(
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file://{}\">]><testsuite><testcase name=\"n\" \
             classname=\"c\"><failure message=\"&x;\">&x;</failure></testcase></testsuite>",
            secret.display()
        ),
        format!(
            "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY % x SYSTEM \"file://{}\"> %x;]><testsuite>\
             <testcase name=\"n\" classname=\"c\"/></testsuite>",
            secret.display()
        ),
        "<!DOCTYPE a [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \
         \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]><testsuite><testcase name=\"&c;\" classname=\"c\"/></testsuite>"
            .to_owned(),
    ];
    for (at, document) in documents.iter().enumerate() {
        sandbox.write("r.xml", document);
        let build = at.to_string();
        let said = sandbox.run(&["ingest", "r.xml", "--project", "p", "--build", &build]);
        let all = said.stdout + &said.stderr;
        assert!(!all.contains("the secret") && !all.contains("lollol"), "{all}");
    }
    for arguments in
        [&["report", "--all", "--format", "json"][..], &["quarantine", "--format", "json"]]
    {
        let all = sandbox.run(arguments).stdout;
        assert!(!all.contains("the secret") && !all.contains("lollol"), "{all}");
    }
}

#[test]
fn nothing_of_an_archive_is_written_to_the_disk() {
    let sandbox = Sandbox::new();
    let mut archive = tar::Builder::new(Vec::new());
    let body = report(&[("a", '.')]);
    for name in ["ok.xml", "../up.xml", "/abs.xml", "a/../../up2.xml", "c:\\up3.xml", "..\\up4.xml"]
    {
        let mut header = tar::Header::new_gnu();
        // The builder refuses such names, so they are written as bytes.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(body.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, body.as_bytes()).unwrap();
    }
    let mut link = tar::Header::new_gnu();
    link.set_entry_type(tar::EntryType::Symlink);
    link.set_size(0);
    archive.append_link(&mut link, "link.xml", "/etc/passwd").unwrap();
    sandbox.write("in/evil.tar", archive.into_inner().unwrap());
    let before = all_files(&sandbox.path(""));
    let said = sandbox.run(&[
        "ingest",
        "in/evil.tar",
        "--project",
        "p",
        "--db",
        "in/h.db",
        "--format",
        "json",
    ]);
    assert_eq!(said.code, 3, "{said:?}");
    let said = said.json();
    let problems = said["problems"].as_array().unwrap();
    let refused = problems.iter().filter(|problem| problem["code"] == "ARCHIVE_PATH").count();
    // A name that begins with a dot is hidden, and never looked at.
    assert_eq!(refused, 5, "{said:#}");
    assert_eq!(said["files"], 1, "{said:#}");
    let mut after = all_files(&sandbox.path(""));
    after.retain(|file| !file.contains("/h.db"));
    assert_eq!(after, before);
}

fn all_files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.path().is_dir() {
            true => found.extend(all_files(&entry.path())),
            false => drop(found.insert(entry.path().display().to_string())),
        }
    }
    found
}

#[test]
fn reports_of_any_shape_end_and_are_told_apart() {
    let sandbox = Sandbox::new();
    let depth = 100_000;
    let nested =
        format!("{}{}", "<testsuite name=\"s\">".repeat(depth), "</testsuite>".repeat(depth));
    let attributes: String = (0..50_000).map(|at| format!(" a{at}=\"{at}\"")).collect();
    let gigantic = "n".repeat(20 << 20);
    let numbers = "<testsuite tests=\"99999999999999999999\" time=\"1e400\"><testcase classname=\"c\" \
        name=\"n\" time=\"-1e309\"/><testcase classname=\"c\" name=\"m\" time=\"NaN\"/><testcase \
        classname=\"c\" name=\"o\" time=\"99999999999999999999999\"/></testsuite>";
    let flooded: String =
        (0..20_000).map(|at| format!("<testcase classname=\"c{at}\" name=\"n\"/>")).collect();
    for (name, text, code) in [
        ("nested", nested, 3),
        (
            "attributes",
            format!("<testsuite><testcase classname=\"c\" name=\"n\"{attributes}/></testsuite>"),
            0,
        ),
        (
            "gigantic",
            format!("<testsuite><testcase classname=\"c\" name=\"{gigantic}\"/></testsuite>"),
            0,
        ),
        ("numbers", numbers.to_owned(), 0),
        ("flooded", format!("<testsuite>{flooded}</testsuite>"), 0),
        (
            "nul",
            "<testsuite><testcase classname=\"c\" name=\"a\u{0}b\"/></testsuite>".to_owned(),
            0,
        ),
    ] {
        sandbox.write("r.xml", text);
        let said = sandbox.run(&[
            "ingest",
            "r.xml",
            "--project",
            "p",
            "--build",
            name,
            "--format",
            "json",
        ]);
        assert_eq!(
            said.code,
            code,
            "{name}: {}",
            &said.stderr.chars().take(2_000).collect::<String>()
        );
    }
    sandbox.run(&["db", "check"]).exits(0);
    let said = sandbox.run(&["report", "--all"]).exits(0);
    assert!(said.stdout.len() < 8 << 20, "{} bytes", said.stdout.len());
}

#[test]
fn code_in_the_schema_of_a_history_is_never_run() {
    let sandbox = Sandbox::new();
    for (at, planted) in history::PLANTED.iter().enumerate() {
        let theirs = sandbox.path(&format!("theirs-{at}.db"));
        fs::copy(history::seed(), &theirs).unwrap();
        history::sql(&theirs, |connection| connection.execute_batch(planted))
            .unwrap_or_else(|error| panic!("{planted}: {error}"));
        history::holds(&theirs, tempfile::tempdir().unwrap().path());
        // The own history may have been written by others, too: what they planted does not run.
        let db = theirs.to_str().unwrap();
        let before = counted(&theirs);
        sandbox.write("r.xml", report(&[(&format!("new_{at}"), '.')]));
        let said = sandbox.run(&["ingest", "r.xml", "--project", history::PROJECT, "--db", db]);
        if said.code == 0 {
            assert_eq!(counted(&theirs), before.map(|runs| runs + 1), "{planted}");
        } else {
            assert_eq!(said.code, 4, "{planted}: {said:?}");
            assert_eq!(counted(&theirs), before, "{planted}");
        }
        for arguments in [["report", "--db", db], ["quarantine", "--db", db]] {
            let said = sandbox.run(&arguments);
            assert!(matches!(said.code, 0 | 4), "{planted}: {said:?}");
        }
    }
}

fn counted(path: &Path) -> Option<i64> {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.query_row("SELECT count(*) FROM run", [], |row| row.get(0)).ok()
}

#[test]
fn patterns_made_to_take_for_ever_end() {
    let long = "a".repeat(3_000);
    let sandbox = history_of(&[long.as_str(), "b"]);
    let stars = "*a".repeat(500);
    sandbox
        .write("quarantine.toml", format!("[[entry]]\npattern = \"{stars}b\"\nowner = \"@x\"\n"));
    sandbox.write("CODEOWNERS", format!("{stars}b @x\n**/{}**/x @y\n", "**/a/".repeat(150)));
    sandbox.run(&["quarantine"]).exits(0);
    sandbox.run(&["report", "--all"]).exits(0);
    let glob = format!("{}b.xml", "*a".repeat(300));
    sandbox.write(&format!("{}.xml", "a".repeat(200)), report(&[("a", '.')]));
    sandbox.run(&["ingest", &glob, "--project", "p"]).exits(3);
}

/// Every attack of the table has a test that is there, and every test of this file is in the table.
#[test]
fn the_table_of_attacks_names_tests_that_are_there() {
    let page = fs::read_to_string(project("docs/SECURITY.md")).unwrap();
    let named = Regex::new(r"`([a-z0-9_]+)` in `((?:src|tests)/[a-z0-9_/]+\.rs)`").unwrap();
    let mut met = BTreeSet::new();
    for found in named.captures_iter(&page) {
        let (test, file) = (&found[1], &found[2]);
        let source =
            fs::read_to_string(project(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {test}(")), "{file} has no test {test}");
        met.insert(test.to_owned());
    }
    let own = Regex::new(r"(?m)^#\[test\]\nfn ([a-z0-9_]+)\(").unwrap();
    for found in own.captures_iter(include_str!("attacks.rs")) {
        let is_this = &found[1] == "the_table_of_attacks_names_tests_that_are_there";
        assert!(is_this || met.contains(&found[1]), "{} is not in docs/SECURITY.md", &found[1]);
    }
}
