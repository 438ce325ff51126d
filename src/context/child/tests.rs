use super::*;
use std::time::Instant;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn quick() -> Watch {
    Watch { terminal: Terminal::Kept, timeout: None, grace: Duration::from_millis(300) }
}

fn limited() -> Watch {
    Watch { timeout: Some(Duration::from_millis(200)), ..quick() }
}

#[test]
fn how_a_command_ended_is_told_apart() {
    for (script, how, code) in [
        ("exit 0", How::Exited(0), 0),
        ("exit 5", How::Exited(5), 5),
        ("exit 137", How::Exited(137), 137),
        ("kill -SEGV $$", How::Signalled(11), 139),
        ("kill -KILL $$", How::Signalled(9), 137),
    ] {
        let ended = supervise(shell(script), &quick()).unwrap();
        assert_eq!((ended.how, ended.how.code(), ended.asked), (how, code, None), "{script}");
        let plainly = plain::supervise(shell(script), &limited(), &super::NEVER).unwrap();
        assert_eq!(plainly.how, how, "{script}");
    }
    assert_eq!(How::Exited(256).code(), 1);
    assert_eq!(How::Exited(-1_073_741_819).code(), 1);
}

#[test]
fn what_cannot_be_started_says_so() {
    let missing = supervise(Command::new("no-such-command-here"), &quick()).unwrap_err();
    assert_eq!((missing.code(), matches!(missing, StartError::NotFound { .. })), (127, true));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script");
    std::fs::write(&path, "#!/bin/sh\n").unwrap();
    let refused = supervise(Command::new(&path), &quick()).unwrap_err();
    assert_eq!(refused.code(), 126);
    assert!(refused.to_string().contains("script` cannot be started"), "{refused}");
}

#[test]
fn what_takes_too_long_is_told_to_end_and_then_killed() {
    for script in ["sleep 60", "trap '' TERM; while :; do sleep 1; done"] {
        let begun = Instant::now();
        let ended = supervise(shell(script), &limited()).unwrap();
        assert_eq!((ended.how, ended.how.code()), (How::TimedOut, 124), "{script}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{script}: {:?}", begun.elapsed());
    }
    let ended = plain::supervise(shell("exec sleep 60"), &limited(), &super::NEVER).unwrap();
    assert_eq!(ended.how, How::TimedOut);
}

#[test]
fn a_command_that_cleans_up_in_time_may() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("cleaned");
    let script =
        format!("trap 'echo > {}; exit 3' TERM; while :; do sleep 0.05; done", mark.display());
    let watch = Watch { grace: Duration::from_secs(20), ..limited() };
    assert_eq!(supervise(shell(&script), &watch).unwrap().how, How::TimedOut);
    assert!(mark.exists());
}

#[test]
fn nothing_of_the_process_group_outlives_a_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let number = folder.path().join("pid");
    // The child of a child ignores the polite signal, and its parent is long gone.
    let script = format!(
        "(trap '' TERM; echo $$ > /dev/null; sh -c 'echo $$ > {0}; exec sleep 60' &) ; sleep 60",
        number.display()
    );
    supervise(shell(&script), &limited()).unwrap();
    let pid = std::fs::read_to_string(&number).unwrap();
    let gone = |pid: &str| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", pid.trim()));
        status.map_or(true, |text| text.contains("State:\tZ"))
    };
    let alive = || {
        let found = Command::new("kill").args(["-0", pid.trim()]).output().unwrap();
        found.status.success() && !gone(&pid)
    };
    let until = Instant::now() + Duration::from_secs(5);
    while alive() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!alive(), "process {pid} is still there");
}

#[test]
fn many_commands_at_once_each_have_their_own_end() {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|code| scope.spawn(move || supervise(shell(&format!("exit {code}")), &quick())))
            .collect();
        for (code, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap().unwrap().how, How::Exited(code as i32));
        }
    });
}

#[test]
fn what_is_stopped_is_told_to_end() {
    let stop = AtomicBool::new(true);
    let ended = supervise_until(shell("exec sleep 60"), &quick(), &stop).unwrap();
    // Where the interrupt is ignored, as in the background of a script, it is killed in the end.
    assert!(matches!(ended.how, How::Signalled(2 | 9)), "{:?}", ended.how);
    assert_eq!(ended.asked, None);
    let plainly = plain::supervise(shell("exec sleep 60"), &quick(), &stop).unwrap();
    assert_eq!(plainly.how, How::Signalled(9));
}
