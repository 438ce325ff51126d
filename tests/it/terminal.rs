//! `flakedb run` at a terminal, and under signals: as if it were not there.

#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{Sandbox, finish};
use crate::run::is_alive;

/// Starts a command at a pseudo-terminal of its own, types and waits by turns, prints what the
/// terminal showed and exits with the command's code.
const TYPIST: &str = r#"
import os, pty, select, sys, time
pid, terminal = pty.fork()
steps, command = sys.argv[1].split("|"), sys.argv[2:]
if pid == 0:
    os.execvp(command[0], command)
seen, read = b"", 0
def listen(until):
    global seen, read
    deadline = time.time() + 30
    while time.time() < deadline:
        if until is not None and until in seen[read:]:
            read = seen.index(until, read) + len(until)
            return
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                more = os.read(terminal, 4096)
            except OSError:
                more = b""
            if not more:
                break
            seen += more
    if until is not None:
        sys.stdout.buffer.write(seen)
        print("never seen:", until)
        os.kill(pid, 9)
        sys.exit(99)
for step in steps:
    text = step[1:].encode().decode("unicode_escape").encode()
    if step[0] == "?":
        listen(text)
    else:
        time.sleep(0.2)
        os.write(terminal, text)
listen(None)
sys.stdout.buffer.write(seen)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
"#;

/// Types `steps` (`?` waits for a text, `!` types one) at a terminal with this command.
pub(crate) fn typed(sandbox: &Sandbox, steps: &str, command: &[&str]) -> crate::command::Said {
    typed_by(Command::new("python3"), sandbox, steps, command)
}

fn typed_by(
    mut typist: Command,
    sandbox: &Sandbox,
    steps: &str,
    command: &[&str],
) -> crate::command::Said {
    typist
        .args(["-c", TYPIST, steps])
        .args(command)
        .current_dir(sandbox.path(""))
        .env_clear()
        .env("HOME", sandbox.path(""))
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("FLAKEDB", env!("CARGO_BIN_EXE_flakedb"))
        .env("TERM", "dumb");
    finish(typist)
}

const FLAKEDB: &str = env!("CARGO_BIN_EXE_flakedb");

#[test]
fn a_terminal_stays_a_terminal() {
    let sandbox = Sandbox::new();
    let script = "test -t 0 && test -t 1 && test -t 2 && echo is-a-terminal; read line; echo got $line; exit 7";
    let command = [FLAKEDB, "run", "--", "sh", "-c", script];
    let said = typed(&sandbox, "?is-a-terminal|!hello\\n|?got hello", &command).exits(7);
    assert!(said.stdout.contains("flakedb: kept exit code 7"), "{said:?}");
}

#[test]
fn a_key_that_interrupts_goes_to_the_command() {
    let sandbox = Sandbox::new();
    let command = [FLAKEDB, "run", "--", "sh", "-c", "echo ready; sleep 60"];
    typed(&sandbox, "?ready|!\\x03", &command).exits(130);
    let handles = "trap 'echo cleaned; exit 9' INT; echo ready; while :; do sleep 0.1; done";
    let command = [FLAKEDB, "run", "--", "sh", "-c", handles];
    typed(&sandbox, "?ready|!\\x03|?cleaned", &command).exits(9);
    let command = [FLAKEDB, "run", "--", "sh", "-c", "echo ready; sleep 60"];
    typed(&sandbox, "?ready|!\\x1c", &command).exits(131);
}

#[test]
fn a_shell_can_stop_it_and_let_it_go_on() {
    let sandbox = Sandbox::new();
    sandbox.write("ask.sh", "echo ready; read line; echo got $line; exit 3\n");
    let steps = "!PS1=prom'pt> '\\n|?prompt> |!$FLAKEDB run -- sh ask.sh\\n|?ready|!\\x1a|?topped|?prompt> \
                 |!fg\\n|?ask.sh|!hello\\n|?got hello|?prompt> \
                 |!echo code $?\\n|?code 3|?prompt> |!exit 5\\n";
    typed(&sandbox, steps, &["sh", "-i"]).exits(5);
}

#[test]
fn a_pipeline_is_stopped_as_a_whole() {
    let sandbox = Sandbox::new();
    sandbox.write("ask.sh", "echo ready; read line < /dev/tty; echo got $line\n");
    let steps = "!PS1=prom'pt> '\\n|?prompt> |!$FLAKEDB run -- sh ask.sh | cat\\n|?ready|!\\x1a|?topped|?prompt> \
                 |!fg\\n|?ask.sh|!hello\\n|?got hello|?prompt> |!exit 5\\n";
    typed(&sandbox, steps, &["sh", "-i"]).exits(5);
}

#[test]
fn in_the_background_of_a_shell_it_leaves_the_terminal_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("ask.sh", "echo ready; read line; echo got $line; exit 3\n");
    let until_stopped = "while :; do jobs > out; grep -q topped out && break; sleep 0.1; done";
    let steps = format!(
        "!PS1=prom'pt> '\\n|?prompt> |!$FLAKEDB run -- sh ask.sh &\\n|?ready\
         |!{until_stopped}; echo sto''pped\\n|?stopped\
         |!fg\\n|?ask.sh|!hello\\n|?got hello|?prompt> |!exit 5\\n"
    );
    typed(&sandbox, &steps, &["sh", "-i"]).exits(5);
}

#[test]
fn where_no_shell_could_let_it_go_on_it_does_not_stop() {
    let sandbox = Sandbox::new();
    let command = [FLAKEDB, "run", "--", "sh", "-c", "echo ready; read line; echo got $line"];
    typed(&sandbox, "?ready|!\\x1a|!hello\\n|?got hello", &command).exits(0);
}

/// The words that enter a process namespace of its own, where this machine allows one: there,
/// groups and sessions that began outside have no number.
const APART: [&str; 3] = ["unshare", "--pid", "--fork"];

/// False where the machine allows no process namespaces, as some containers do not.
fn may_be_apart() -> bool {
    Command::new(APART[0]).args(&APART[1..]).arg("true").status().is_ok_and(|it| it.success())
}

#[test]
fn a_group_that_has_no_number_here_keeps_its_terminal() {
    if !may_be_apart() {
        return;
    }
    let sandbox = Sandbox::new();
    let asks = [FLAKEDB, "run", "--", "sh", "-c", "echo ready; read line; echo got $line; exit 3"];
    let entered = [&APART[..], &asks].concat();
    typed(&sandbox, "?ready|!hello\\n|?got hello", &entered).exits(3);
}

#[test]
fn a_session_that_has_no_number_here_is_not_taken_for_a_shell() {
    if !may_be_apart() {
        return;
    }
    let sandbox = Sandbox::new();
    let mut typist = Command::new(APART[0]);
    typist.args(&APART[1..]).arg("python3");
    let asks = [FLAKEDB, "run", "--", "sh", "-c", "echo ready; read line; echo got $line"];
    typed_by(typist, &sandbox, "?ready|!\\x1a|!hello\\n|?got hello", &asks).exits(0);
}

/// Starts flakedb with this script and waits until it has written `ready`.
fn started(sandbox: &Sandbox, flags: &[&str], script: &str) -> Child {
    let script = format!("{script}\n");
    sandbox.write("script.sh", script);
    let arguments: Vec<&str> =
        ["run"].iter().chain(flags).chain(&["--", "sh", "script.sh"]).copied().collect();
    let mut command = sandbox.command(&arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(|| sandbox.path("ready").exists());
    child
}

#[track_caller]
fn wait_for(condition: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < until, "it never happened");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

fn code(mut child: Child) -> Option<i32> {
    wait_for_end(&mut child);
    child.wait().unwrap().code()
}

fn wait_for_end(child: &mut Child) {
    let until = Instant::now() + Duration::from_secs(30);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < until, "it never ended");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn signals_are_passed_on() {
    for (name, number) in
        [("TERM", 15), ("INT", 2), ("HUP", 1), ("QUIT", 3), ("USR1", 10), ("USR2", 12)]
    {
        let number = if cfg!(target_os = "macos") && name == "USR1" { 30 } else { number };
        let number = if cfg!(target_os = "macos") && name == "USR2" { 31 } else { number };
        let sandbox = Sandbox::new();
        let child = started(&sandbox, &[], "touch ready; sleep 60 & wait");
        signal(&child, name);
        assert_eq!(code(child), Some(128 + number), "{name}");
    }
    let sandbox = Sandbox::new();
    let handles = "trap 'exit 42' TERM; touch ready; while :; do sleep 0.1; done";
    let child = started(&sandbox, &[], handles);
    signal(&child, "TERM");
    assert_eq!(code(child), Some(42));
}

#[test]
fn the_process_group_ends_with_us() {
    let sandbox = Sandbox::new();
    let orphan =
        "sh -c 'trap \"\" TERM; echo $$ > pid; touch ready; while :; do sleep 0.1; done' & wait";
    let child = started(&sandbox, &[], orphan);
    signal(&child, "TERM");
    assert_eq!(code(child), Some(143));
    wait_for(|| !is_alive(&sandbox));
}

#[test]
fn what_will_not_end_is_killed_after_its_grace_or_at_the_second_signal() {
    let stubborn = "trap '' TERM; echo $$ > pid; touch ready; while :; do sleep 0.1; done";
    let sandbox = Sandbox::new();
    let child = started(&sandbox, &["--grace", "300ms"], stubborn);
    signal(&child, "TERM");
    assert_eq!(code(child), Some(137));
    assert!(!is_alive(&sandbox));
    let sandbox = Sandbox::new();
    let child = started(&sandbox, &["--grace", "1h"], stubborn);
    signal(&child, "TERM");
    std::thread::sleep(Duration::from_millis(100));
    signal(&child, "TERM");
    assert_eq!(code(child), Some(137));
    wait_for(|| !is_alive(&sandbox));
}

#[test]
fn a_command_that_was_killed_says_so_and_what_it_started_is_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("script.sh", "sleep 60 > /dev/null 2>&1 & echo $! > pid; kill -KILL $$\n");
    let said = sandbox.run(&["run", "--", "sh", "script.sh"]).exits(137);
    assert!(said.stderr.starts_with("flakedb: kept exit code 137: "), "{said:?}");
    assert!(is_alive(&sandbox), "a daemon was killed");
    let pid = std::fs::read_to_string(sandbox.path("pid")).unwrap();
    assert!(Command::new("kill").arg(pid.trim()).status().unwrap().success());
}

#[test]
fn what_is_ignored_stays_ignored() {
    if !Path::new("/proc/self/status").exists() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("script.sh", "touch ready; sleep 1; exit 6\n");
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$0\" run -- sh script.sh", FLAKEDB])
        .current_dir(sandbox.path(""))
        .stderr(Stdio::null());
    let child = command.spawn().unwrap();
    wait_for(|| sandbox.path("ready").exists());
    signal(&child, "HUP");
    assert_eq!(code(child), Some(6));
}
