//! Colour where it is welcome, and nowhere else: by flag, by environment, by terminal.

use crate::command::{Sandbox, finish, project};

/// Flags, variables, and whether there is colour then.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], bool);

const ESCAPE: char = '\u{1b}';

fn demo() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.run(&["ingest", "-q", project("fixtures/demo").to_str().unwrap()]).exits(0);
    sandbox
}

#[test]
fn flags_win_over_variables_and_a_pipe_gets_none_unasked() {
    let sandbox = demo();
    let cases: [Case<'_>; 10] = [
        (&[], &[], false),
        (&[], &[("TERM", "xterm-256color")], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color", "auto"], &[("CLICOLOR_FORCE", "1")], true),
        (&["--color", "always"], &[], true),
        (&["--color=always"], &[("NO_COLOR", "1"), ("TERM", "dumb")], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&[], &[("FLAKEDB_COLOR", "always")], true),
        (&["--color", "never"], &[("FLAKEDB_COLOR", "always")], false),
    ];
    let commands: [&[&str]; 6] = [
        &["report"],
        &["show", "test_reserve_last_piece"],
        &["quarantine"],
        &["quarantine", "update"],
        // Wrong in what it asks for, and wrong for the parser.
        &["show", "no such test at all"],
        &["report", "--no-such-flag"],
    ];
    for command in commands {
        for (flags, variables, coloured) in cases {
            let mut run = sandbox.command(&[command, flags].concat());
            run.envs(variables.iter().copied());
            let said = finish(run);
            let all = said.stdout.clone() + &said.stderr;
            assert_eq!(
                all.contains(ESCAPE),
                coloured,
                "{command:?} {flags:?} {variables:?}: {all}"
            );
            assert!(!all.contains("\u{1b}]"), "a pipe opens no links: {all}");
        }
    }
}

#[test]
fn what_programs_read_has_no_colour_even_where_it_is_forced() {
    let sandbox = demo();
    for format in ["json", "markdown"] {
        let said = sandbox.run(&["report", "--color", "always", "--format", format]).exits(0);
        assert!(!said.stdout.contains(ESCAPE), "{}", said.stdout);
    }
    let file = ["report", "--color", "always", "-o", "page.txt"];
    sandbox.run(&file).exits(0);
    assert!(!std::fs::read_to_string(sandbox.path("page.txt")).unwrap().contains(ESCAPE));
    let list = sandbox.run(&["quarantine", "--emit", "--color", "always"]).exits(0);
    assert!(!list.stdout.contains(ESCAPE), "{}", list.stdout);
}

#[cfg(unix)]
#[test]
fn a_terminal_gets_colour_and_links_unless_it_is_dumb_or_told_not_to() {
    let sandbox = demo();
    let flakedb = env!("CARGO_BIN_EXE_flakedb");
    let show = |settings: &[&str], flags: &[&str]| {
        let test = ["show", "test_reserve_last_piece"];
        let command = [&["env"], settings, &[flakedb], &test, flags].concat();
        crate::terminal::typed(&sandbox, "?latest first", &command).exits(0).stdout
    };
    let colour = show(&["TERM=xterm-256color"], &[]);
    assert!(colour.contains("\u{1b}[31m"), "{colour:?}");
    assert!(colour.contains("\u{1b}]8;;https://ci.example.com/shop/builds/"), "{colour:?}");
    let console = show(&["TERM=linux"], &[]);
    assert!(console.contains("\u{1b}[31m") && !console.contains("\u{1b}]"), "{console:?}");
    for (settings, flags) in [
        (&["TERM=dumb"][..], &[][..]),
        (&["TERM=xterm-256color", "NO_COLOR=1"], &[]),
        (&["TERM=xterm-256color"], &["--color", "never"]),
    ] {
        let plain = show(settings, flags);
        assert!(!plain.contains(ESCAPE), "{settings:?} {flags:?}: {plain:?}");
        assert!(
            plain.contains("Log of the latest: https://ci.example.com/shop/builds/"),
            "{plain}"
        );
    }
}
