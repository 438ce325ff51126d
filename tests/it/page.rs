//! `flakedb report --format html`: one page, in a file or a pipe, never on a terminal.

use crate::command::{Sandbox, report};

const PROJECT: [&str; 2] = ["--project", "acme/shop"];

fn ingested(sandbox: &Sandbox) {
    for run in 0..12 {
        let flaky = if run % 3 == 1 { 'F' } else { '.' };
        let cases = [("test_add", '.'), ("test_<b>pay</b>", flaky), ("test_tax", '.')];
        let xml = report(&cases).replace("<b>pay</b>", "&lt;b&gt;pay&lt;/b&gt;");
        sandbox.write("report.xml", xml);
        let started = (1_790_000_000 + run * 20_000).to_string();
        let build = run.to_string();
        let revision = format!("{:040x}", run / 2 + 1);
        let about = [
            ["--branch", "main"],
            ["--build", &build],
            ["--revision", &revision],
            ["--started", &started],
        ];
        let about = PROJECT.into_iter().chain(about.iter().flatten().copied());
        let arguments: Vec<&str> = ["ingest", "report.xml"].into_iter().chain(about).collect();
        sandbox.run(&arguments).exits(0);
    }
}

fn page(sandbox: &Sandbox, more: &[&str]) -> crate::command::Said {
    let arguments = ["report", "--format", "html"].into_iter().chain(PROJECT);
    sandbox.run(&arguments.chain(more.iter().copied()).collect::<Vec<_>>())
}

#[test]
fn a_page_has_everything_of_a_window() {
    let sandbox = Sandbox::new();
    ingested(&sandbox);
    sandbox.write(
        "quarantine.toml",
        "[[entry]]\npattern = \"shop.cart::*pay*\"\nreason = \"waits\"\nexpires = 2026-10-09\n",
    );
    let said = page(&sandbox, &["-o", "page.html", "--today", "2026-10-02"]).exits(0);
    assert_eq!(said.stdout, "");
    let page = std::fs::read_to_string(sandbox.path("page.html")).unwrap();
    for told in [
        "3 tests in 12 runs",
        "shop.cart::test_&#60;b&#62;pay&#60;/b&#62;",
        "flaked in 4 of 12 runs",
        "2026-10-09 (in 7 days)",
        "No run of this window was set aside",
        "href=\"#t0\"",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
    assert!(page.ends_with("</html>\n") && !page.contains("<b>pay"));
}

#[test]
fn a_page_goes_into_a_pipe_and_its_exit_code_is_that_of_the_report() {
    let sandbox = Sandbox::new();
    ingested(&sandbox);
    let said = page(&sandbox, &["--fail-on", "flaky"]).exits(1);
    assert!(said.stdout.starts_with("<!doctype html>"), "{}", said.stdout);
    page(&sandbox, &["--fail-on", "newly-broken"]).exits(0);
    let only = page(&sandbox, &["--status", "flaky"]).exits(0);
    assert!(
        !only.stdout.contains("test_add") && only.stdout.contains("2 more tests are not listed")
    );
}

#[test]
fn a_page_is_of_a_window_and_of_nothing_else() {
    let sandbox = Sandbox::new();
    ingested(&sandbox);
    let said = page(&sandbox, &["--backtest"]).exits(2);
    assert!(said.stderr.contains("a back-test cannot be written as html"), "{}", said.stderr);
    let said = page(&sandbox, &["--list", "none.toml"]).exits(2);
    assert!(said.stderr.contains("there is no list at none.toml"), "{}", said.stderr);
    let said = sandbox.run(&["show", "test_add", "--format", "html"]).exits(2);
    assert!(said.stderr.contains("html"), "{}", said.stderr);
}

/// Python gives the command a terminal.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_no_page() {
    let sandbox = Sandbox::new();
    let program = env!("CARGO_BIN_EXE_flakedb");
    let typist =
        "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mut command = std::process::Command::new("python3");
    command.args(["-c", typist, program, "report", "--format", "html"]);
    command.current_dir(sandbox.path("."));
    let said = crate::command::finish(command).exits(2);
    assert!(said.stdout.contains("HTML is for a browser"), "{said:?}");
    assert!(said.stdout.contains("-o report.html"), "{said:?}");
}
