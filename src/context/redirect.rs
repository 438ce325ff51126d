//! A test command's reports, written to a directory instead of where the command says: so that
//! several processes of one command leave each other's reports alone.

mod nextest;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::places::{ANY_OUTPUT, MARKS, OPTIONS, VARIABLES, program};

/// Stands for the directory, in words of a command.
pub const DIRECTORY: &str = "{dir}";
/// The file that a runner is told to write.
const REPORT: &str = "report.xml";
/// Stands for the path of the report in an option of [`WAYS`].
const PATH: &str = "{report}";
/// Options of runners that name another file which they write, such as a page for people: side by
/// side it would be written by all.
const BESIDE: [&str; 7] = [
    "--html",                   // pytest-html
    "--json-report-file",       // pytest-json-report
    "--report-log",             // pytest-reportlog
    "--jsonfile",               // gotestsum
    "--jsonfile-timing-events", // gotestsum
    "-coverprofile",            // go test
    "--coverageDirectory",      // jest
];
/// Variables that name what a runner writes besides its report, with a name in the directory.
const OWN: [(&str, &str, &str); 4] = [
    ("pytest", "COVERAGE_FILE", ".coverage"),
    ("playwright", "PLAYWRIGHT_HTML_OUTPUT_DIR", "html"),
    ("playwright", "PLAYWRIGHT_HTML_REPORT", "html"),
    ("playwright", "PLAYWRIGHT_BLOB_OUTPUT_DIR", "blob"),
];

/// Where added words belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// In front of a `--`, else at the end.
    BeforeDashes,
    /// At the end: what stands behind a `--` is the runner's.
    End,
    /// Behind the program: the rest is another program's.
    BehindProgram,
}

/// How a runner is told to write a report.
struct Way {
    /// The runner, as the table of runners names it.
    runner: &'static str,
    /// Where the words belong.
    spot: Spot,
    /// The words; none where the variables say it all.
    words: &'static [&'static str],
    /// Variables that name the file.
    variables: &'static [&'static str],
    /// The program that it is a matter of, where the runner has several.
    program: Option<&'static str>,
}

const fn way(
    runner: &'static str,
    spot: Spot,
    words: &'static [&'static str],
    variables: &'static [&'static str],
) -> Way {
    Way { runner, spot, words, variables, program: None }
}

/// One row for each runner that can be told.
///
/// Jest has no JUnit reporter of its own; where its configuration names jest-junit, the variable
/// tells that where to write.
const WAYS: &[Way] = &[
    way("pytest", Spot::BeforeDashes, &["--junitxml={report}"], &[]),
    Way {
        program: Some("gotestsum"),
        ..way("go", Spot::BehindProgram, &["--junitfile={report}"], &[])
    },
    way("jest", Spot::End, &[], &["JEST_JUNIT_OUTPUT_FILE"]),
    way(
        "vitest",
        Spot::End,
        &["--reporter=default", "--reporter=junit", "--outputFile.junit={report}"],
        &[],
    ),
    way(
        "mocha",
        Spot::BeforeDashes,
        &["--reporter", "mocha-junit-reporter", "--reporter-option", "mochaFile={report}"],
        &["MOCHA_FILE"],
    ),
    way("playwright", Spot::End, &["--reporter=list,junit"], &["PLAYWRIGHT_JUNIT_OUTPUT_FILE"]),
    way("rspec", Spot::End, &["--format", "RspecJunitFormatter", "--out", PATH], &[]),
    way("phpunit", Spot::End, &["--log-junit", PATH], &[]),
    way("ctest", Spot::End, &["--output-junit", PATH], &[]),
    way("gtest", Spot::End, &["--gtest_output=xml:{report}"], &[]),
];

/// A command whose reports go to a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirected {
    /// Its words, without those that [`complete`](Self::complete) adds.
    pub words: Vec<String>,
    /// Variables that its process must find.
    pub variables: Vec<(&'static str, OsString)>,
    /// Files that must exist, with what they hold.
    pub files: Vec<(PathBuf, String)>,
    /// Where its reports will be: paths and patterns.
    pub places: Vec<PathBuf>,
    added: Vec<String>,
    spot: Spot,
}

impl Redirected {
    /// The words of a command that was made of [`words`](Self::words), with those that make its
    /// runner write a report.
    #[must_use]
    pub fn complete(&self, mut words: Vec<String>) -> Vec<String> {
        let dashes = words.iter().position(|word| word == "--");
        let script = words.first().is_some_and(|word| program(word) == "npm");
        let at = match self.spot {
            Spot::BeforeDashes if !script => dashes.unwrap_or(words.len()),
            Spot::BeforeDashes | Spot::End => words.len(),
            Spot::BehindProgram => words.len().min(1),
        };
        words.splice(at..at, self.added.iter().cloned());
        words
    }
}

/// A command of a runner that writes its reports to `directory`, an absolute path; `None` where
/// nothing tells how.
///
/// `{dir}` in a word is the directory. Else what the command's own options and the environment
/// name is replaced; else the runner is told by its own words.
#[must_use]
pub fn redirect(
    runner: &str,
    words: &[String],
    variable: &dyn Fn(&str) -> Option<OsString>,
    directory: &Path,
) -> Option<Redirected> {
    let folder = directory.to_string_lossy();
    let mut redirected = Redirected {
        words: words.to_vec(),
        variables: Vec::new(),
        files: Vec::new(),
        places: Vec::new(),
        added: Vec::new(),
        spot: Spot::End,
    };
    if words.iter().any(|word| word.contains(DIRECTORY)) {
        redirected.words = words.iter().map(|word| word.replace(DIRECTORY, &folder)).collect();
        redirected.places = vec![directory.join("**").join("*.xml")];
        return Some(redirected);
    }
    if runner == "nextest" {
        nextest::redirect(&mut redirected, variable, directory);
        return Some(redirected);
    }
    let mut files = Files { directory, count: 0, beside: 0 };
    replace_options(&mut redirected.words, &mut files);
    let told = files.count > 0;
    let way = WAYS.iter().find(|way| way.runner == runner && way.fits(words));
    let report = directory.join(REPORT);
    let own = way.map_or(&[][..], |way| way.variables);
    let set = VARIABLES.into_iter().filter(|name| variable(name).is_some_and(|v| !v.is_empty()));
    let set: Vec<&str> = set.filter(|name| !own.contains(name)).collect();
    if !told && set.is_empty() {
        let way = way?;
        let path = report.to_string_lossy();
        redirected.spot = way.spot;
        redirected.added = way.added(&mut redirected.words, &path)?;
    }
    let own = own.iter().copied().filter(|_| !told);
    redirected.variables =
        set.into_iter().chain(own).map(|name| (name, (&report).into())).collect();
    let beside = OWN.iter().filter(|(whose, ..)| *whose == runner);
    redirected.variables.extend(beside.map(|(_, name, at)| (*name, directory.join(at).into())));
    if runner == "playwright" {
        results(&mut redirected, directory);
    }
    redirected.places = match files.count {
        0 | 1 => vec![report],
        _ => vec![directory.join("*.xml")],
    };
    Some(redirected)
}

impl Way {
    fn fits(&self, words: &[String]) -> bool {
        self.program.is_none_or(|wanted| words.first().is_some_and(|word| program(word) == wanted))
    }

    /// The words that are to be added, beside a reporter that the command has already; `None`
    /// where the runner has one reporter only, and that is another.
    fn added(&self, words: &mut [String], path: &str) -> Option<Vec<String>> {
        let has = |text: &str| words.iter().any(|word| word.contains(text));
        match self.runner {
            "mocha" if has("--reporter") && !has("mocha-junit-reporter") => return None,
            "vitest" if has("junit") => return Some(vec![format!("--outputFile.junit={path}")]),
            "rspec" if has("RspecJunitFormatter") => {
                let behind = words.iter().skip_while(|word| !word.contains("RspecJunitFormatter"));
                let outs = behind.filter(|word| matches!(word.as_str(), "--out" | "-o")).count();
                let out = words.iter().rposition(|word| matches!(word.as_str(), "--out" | "-o"));
                match out.and_then(|at| words.get_mut(at + 1)).filter(|_| outs > 0) {
                    Some(file) => path.clone_into(file),
                    None => return Some(vec!["--out".to_owned(), path.to_owned()]),
                }
                return Some(Vec::new());
            }
            "playwright" => {
                if let Some(word) = words.iter_mut().find(|word| word.starts_with("--reporter=")) {
                    let list = word.split_once('=').map_or("", |(_, list)| list);
                    if !list.split(',').any(|one| one == "junit") {
                        word.push_str(",junit");
                    }
                    return Some(Vec::new());
                }
            }
            _ => {}
        }
        Some(self.words.iter().map(|word| word.replace(PATH, path)).collect())
    }
}

/// Playwright empties the directory of its results as it starts, even while another one writes there.
fn results(redirected: &mut Redirected, directory: &Path) {
    let path = directory.join("results").to_string_lossy().into_owned();
    let at = redirected.words.iter().position(|word| word == "--output");
    match at.and_then(|at| redirected.words.get_mut(at + 1)) {
        Some(value) => *value = path,
        None => {
            redirected.words.retain(|word| !word.starts_with("--output="));
            redirected.added.push(format!("--output={path}"));
        }
    }
}

/// The files that stand in for the reports of a command.
struct Files<'a> {
    directory: &'a Path,
    count: usize,
    beside: usize,
}

impl Files<'_> {
    /// A file instead of what an option names.
    fn of_option(&mut self, option: &str, value: &str) -> Option<String> {
        let is_report =
            OPTIONS.contains(&option) && (option != ANY_OUTPUT || value.ends_with(".xml"));
        if is_report { self.instead_of(value) } else { self.beside(value) }
    }

    /// A file of its own for what is written besides the reports; its ending says what it holds.
    fn beside(&mut self, value: &str) -> Option<String> {
        if value.is_empty() || value.starts_with('-') {
            return None;
        }
        self.beside += 1;
        let name = value.rsplit(['/', '\\']).next().unwrap_or(value);
        let name = format!("beside-{}-{name}", self.beside);
        Some(self.directory.join(name).to_string_lossy().into_owned())
    }

    /// A file for one more report; `None` for what is no file.
    fn instead_of(&mut self, value: &str) -> Option<String> {
        if value.is_empty() || matches!(value, "stdout" | "stderr") {
            return None;
        }
        self.count += 1;
        let name = match self.count {
            1 => REPORT.to_owned(),
            count => format!("report-{count}.xml"),
        };
        Some(self.directory.join(name).to_string_lossy().into_owned())
    }
}

/// Replaces the values of all options that name a report.
fn replace_options(words: &mut [String], files: &mut Files<'_>) {
    let mut open: Option<String> = None;
    for word in words {
        if let Some(option) = open.take() {
            if let Some(path) = files.of_option(&option, word) {
                *word = path;
            }
            continue;
        }
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (word.as_str(), None),
        };
        if is_option(option) {
            match value {
                None => open = Some(option.to_owned()),
                Some(value) => {
                    if let Some(path) = files.of_option(option, value) {
                        *word = format!("{option}={path}");
                    }
                }
            }
            continue;
        }
        let mark = MARKS.iter().find_map(|mark| word.find(mark).map(|at| at + mark.len()));
        if let Some(at) = mark {
            let (before, rest) = word.split_at(at);
            let (value, rest) = rest.split_once(',').map_or((rest, None), |(v, r)| (v, Some(r)));
            if let Some(path) = files.instead_of(value) {
                let rest = rest.map(|rest| format!(",{rest}")).unwrap_or_default();
                *word = format!("{before}{path}{rest}");
            }
        }
    }
}

/// True for an option that names a file to write; `--outputFile.json` is one as well.
fn is_option(option: &str) -> bool {
    OPTIONS.contains(&option) || BESIDE.contains(&option) || is_any_output(option)
}

fn is_any_output(option: &str) -> bool {
    option.strip_prefix(ANY_OUTPUT).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn told(runner: &str, line: &str) -> Option<String> {
        let redirected = redirect(runner, &words(line), &|_| None, Path::new("/w"))?;
        Some(redirected.complete(redirected.words.clone()).join(" "))
    }

    #[test]
    fn what_a_command_names_is_replaced() {
        for (runner, line, wanted) in [
            ("pytest", "pytest --junitxml=a.xml -q", "pytest --junitxml=/w/report.xml -q"),
            ("pytest", "pytest --junit-xml a.xml -q", "pytest --junit-xml /w/report.xml -q"),
            (
                "go",
                "gotestsum --junitfile a.xml ./...",
                "gotestsum --junitfile /w/report.xml ./...",
            ),
            ("vitest", "vitest --outputFile=a.xml", "vitest --outputFile=/w/report.xml"),
            ("gtest", "./t --gtest_output=xml:o/g.xml", "./t --gtest_output=xml:/w/report.xml"),
            (
                "x",
                "m --reporter-options mochaFile=m.xml,a=1",
                "m --reporter-options mochaFile=/w/report.xml,a=1",
            ),
            (
                "x",
                "t --log-junit a.xml --log-junit b.xml",
                "t --log-junit /w/report.xml --log-junit /w/report-2.xml",
            ),
            ("x", "t -o {dir}/a.xml", "t -o /w/a.xml"),
            ("vitest", "vitest --outputFile a.xml", "vitest --outputFile /w/report.xml"),
        ] {
            assert_eq!(told(runner, line).as_deref(), Some(wanted), "{line}");
        }
    }

    #[test]
    fn a_runner_that_was_not_told_is_told() {
        for (runner, line, wanted) in [
            ("pytest", "python -m pytest -q", "python -m pytest -q --junitxml=/w/report.xml"),
            ("pytest", "pytest -q -- tests", "pytest -q --junitxml=/w/report.xml -- tests"),
            ("go", "gotestsum ./...", "gotestsum --junitfile=/w/report.xml ./..."),
            ("jest", "npx jest", "npx jest"),
            (
                "playwright",
                "npx playwright test --reporter=line",
                "npx playwright test --reporter=line,junit --output=/w/results",
            ),
            ("ctest", "ctest", "ctest --output-junit /w/report.xml"),
            (
                "nextest",
                "cargo nextest run -- x",
                "cargo nextest run --tool-config-file flakedb:/w/nextest.toml -- x",
            ),
        ] {
            assert_eq!(told(runner, line).as_deref(), Some(wanted), "{line}");
        }
        assert_eq!(told("go", "go test ./..."), None);
        assert_eq!(told("mocha", "mocha --reporter dot"), None);
        assert_eq!(told("unheard-of", "make check"), None);
    }

    #[test]
    fn what_is_written_besides_the_report_is_moved_as_well() {
        for (runner, line, wanted) in [
            (
                "pytest",
                "pytest --html=out/a.html --report-log b.json",
                "pytest --html=/w/beside-1-a.html --report-log /w/beside-2-b.json \
                 --junitxml=/w/report.xml",
            ),
            ("jest", "jest --outputFile=a.json", "jest --outputFile=/w/beside-1-a.json"),
            (
                "vitest",
                "vitest --outputFile.json a.json --outputFile.junit=b.xml",
                "vitest --outputFile.json /w/beside-1-a.json --outputFile.junit=/w/report.xml",
            ),
            (
                "playwright",
                "playwright test --output=out",
                "playwright test --reporter=list,junit --output=/w/results",
            ),
            (
                "playwright",
                "playwright test --output out",
                "playwright test --output /w/results --reporter=list,junit",
            ),
        ] {
            assert_eq!(told(runner, line).as_deref(), Some(wanted), "{line}");
        }
        let pytest = redirect("pytest", &words("pytest --cov"), &|_| None, Path::new("/w"));
        let own = [("COVERAGE_FILE", OsString::from("/w/.coverage"))];
        assert_eq!(pytest.unwrap().variables, own);
    }

    #[test]
    fn variables_that_name_a_report_are_replaced() {
        let set = |name: &str| (name == "GOTESTSUM_JUNITFILE").then(|| OsString::from("a.xml"));
        let redirected = redirect("go", &words("make check"), &set, Path::new("/w")).unwrap();
        assert_eq!(
            redirected.variables,
            [("GOTESTSUM_JUNITFILE", OsString::from("/w/report.xml"))]
        );
        let jest = redirect("jest", &words("npm test"), &|_| None, Path::new("/w")).unwrap();
        assert_eq!(jest.variables, [("JEST_JUNIT_OUTPUT_FILE", OsString::from("/w/report.xml"))]);
        assert_eq!(jest.places, [PathBuf::from("/w/report.xml")]);
    }

    #[test]
    fn two_parts_of_one_command_write_no_file_together() {
        for (runner, line) in [
            ("pytest", "pytest --junitxml a.xml --html a.html --report-log=b.json"),
            ("go", "gotestsum --junitfile=a.xml --jsonfile b.json -- -coverprofile=c.out ./..."),
            ("jest", "npx jest --json --outputFile=a.json"),
            ("vitest", "vitest run --outputFile a.xml --outputFile.html=b.html"),
            ("mocha", "mocha --reporter xunit --reporter-options mochaFile=m.xml"),
            ("playwright", "npx playwright test --output out.xml"),
            ("rspec", "rspec --format RspecJunitFormatter --out a.xml"),
            ("phpunit", "phpunit --log-junit a.xml"),
            ("ctest", "ctest --output-junit a.xml"),
            ("gtest", "./t --gtest_output=xml:a.xml"),
            ("nextest", "cargo nextest run"),
        ] {
            let all = |directory: &str| {
                let part = redirect(runner, &words(line), &|_| None, Path::new(directory)).unwrap();
                let mut all = part.complete(part.words.clone());
                all.extend(part.places.iter().map(|path| path.display().to_string()));
                all.extend(part.variables.iter().map(|(_, value)| value.display().to_string()));
                all
            };
            let (one, other) = (all("/w/1"), all("/w/2"));
            let shared: Vec<&String> = one.iter().filter(|word| other.contains(word)).collect();
            let is_file = |word: &&&String| {
                [".xml", "a.json", "b.json", "html=", ".out"].iter().any(|end| word.contains(end))
            };
            assert_eq!(shared.iter().find(is_file), None, "{line}");
            assert!(one.len() > shared.len(), "{line}");
        }
    }

    #[test]
    fn several_reports_of_one_command_are_all_found() {
        let line = words("t --log-junit a.xml --log-junit b.xml");
        let redirected = redirect("phpunit", &line, &|_| None, Path::new("/w")).unwrap();
        assert_eq!(redirected.places, [PathBuf::from("/w/*.xml")]);
    }
}
