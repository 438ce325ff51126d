//! Leases under SIGKILL: many processes that take turns and are killed at any moment.
//!
//! The kernel is the judge: every holder binds an abstract Unix socket with the name of what it
//! holds, and a second holder would be refused it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::lease::Pool;

const WORKERS: usize = 32;
const LEASES: usize = 200;
const NUMBERS: u32 = 16;
/// So many workers are killed; until then nobody has done enough.
const KILLS: u64 = 400;
const ENOUGH: &str = "enough-were-killed";
const DIRECTORY: &str = "FLAKEDB_STORM";
const NUMBER: &str = "FLAKEDB_STORM_WORKER";

fn pool(place: &Path) -> Pool {
    Pool::new("storm", 0..NUMBERS).at(place).wait(Duration::from_secs(600))
}

/// Bits without a pattern that differ from call to call.
fn mixed(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits ^ (bits >> 27)
}

fn leases_of(place: &Path, worker: usize) -> usize {
    fs::metadata(place.join(format!("done-{worker}"))).map_or(0, |found| found.len() as usize)
}

#[test]
#[ignore = "a worker of the storm below, which starts it"]
fn one_worker() {
    let place = std::env::var_os(DIRECTORY).expect("only the storm starts it");
    let (place, worker) = (Path::new(&place), std::env::var(NUMBER).unwrap());
    let mut done = OpenOptions::new()
        .create(true)
        .append(true)
        .open(place.join(format!("done-{worker}")))
        .unwrap();
    let worker: usize = worker.parse().unwrap();
    let pool = pool(place).prefer(worker as u32 % NUMBERS);
    let mut state = u64::from(std::process::id());
    while leases_of(place, worker) < LEASES || !place.join(ENOUGH).exists() {
        let lease = pool.lease().unwrap();
        // Linux ends the files of a process that is killed from the last to the first (the works of
        // a task are a stack): behind the lock, the claim has gone when the lock goes.
        let socket = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let mut claim = socket();
        let mut passed_over = Vec::new();
        while claim.as_raw_fd() < lease.descriptor() {
            passed_over.push(std::mem::replace(&mut claim, socket()));
        }
        let name = format!("\0flakedb-storm{}-{}", place.display(), lease.number());
        if let Err(error) = claim.bind(&SockAddr::unix(name).unwrap()) {
            let clash = format!("worker {worker}, number {}: {error}\n", lease.number());
            fs::write(place.join(format!("clash-{worker}-{}", std::process::id())), clash).unwrap();
            std::process::exit(1);
        }
        done.write_all(b"x").unwrap();
        std::thread::sleep(Duration::from_micros(mixed(&mut state) % 2_000));
        drop(claim);
        drop(lease);
    }
}

fn start(place: &Path, worker: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["testkit::parallel::storm::one_worker", "--exact", "--ignored"])
        .env(DIRECTORY, place)
        .env(NUMBER, worker.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn no_number_has_two_holders_and_none_is_lost_whoever_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let mut workers: Vec<Child> = (0..WORKERS).map(|worker| start(place, worker)).collect();
    let (mut state, mut killed) = (u64::from(std::process::id()), 0);
    let mut gave_up = Vec::new();
    loop {
        let open: Vec<usize> = (0..WORKERS)
            .filter(|worker| killed < KILLS || leases_of(place, *worker) < LEASES)
            .collect();
        if open.is_empty() || !gave_up.is_empty() {
            break;
        }
        if killed < KILLS {
            workers[mixed(&mut state) as usize % WORKERS].kill().unwrap();
            killed += 1;
            if killed == KILLS {
                fs::write(place.join(ENOUGH), "").unwrap();
            }
        }
        for worker in open {
            if let Some(ended) = workers[worker].try_wait().unwrap() {
                // Who was killed has no code; who ended by itself before it was done got no lease.
                let code = ended.code().filter(|code| *code != 0);
                gave_up.extend(code.map(|code| format!("worker {worker}: code {code}")));
                workers[worker] = start(place, worker);
            }
        }
        std::thread::sleep(Duration::from_millis(mixed(&mut state) % 10));
    }
    for worker in &mut workers {
        if !gave_up.is_empty() {
            worker.kill().unwrap();
        }
        worker.wait().unwrap();
    }
    let clashes: Vec<String> = fs::read_dir(place)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("clash-"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    assert!(clashes.is_empty(), "{} of two holders:\n{}", clashes.len(), clashes.join(""));
    assert!(gave_up.is_empty(), "ended by themselves: {gave_up:?}");
    let free = pool(place).wait(Duration::ZERO);
    let all: Vec<_> = (0..NUMBERS).map(|_| free.lease().unwrap()).collect();
    assert!(free.lease().is_err(), "{} and one more", all.len());
}

#[test]
fn the_judge_refuses_a_second_holder() {
    let name = format!("\0flakedb-storm-judge-{}", std::process::id());
    let claims = [(); 2].map(|()| Socket::new(Domain::UNIX, Type::STREAM, None).unwrap());
    let address = SockAddr::unix(name).unwrap();
    claims[0].bind(&address).unwrap();
    assert!(claims[1].bind(&address).is_err());
    let [first, second] = claims;
    drop(first);
    second.bind(&address).unwrap();
}
