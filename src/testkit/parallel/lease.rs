//! Numbers of which each is lent to one holder on this machine at a time.
//!
//! A lease is a lock on a file. The system gives it back when the process dies, however it dies, so
//! nothing is ever lost and nobody has to tidy up. Lock files stay where they are: a lock on a file
//! that somebody removed would hold nobody off.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::shelf::{Block, Shelf, common_directory};
use super::worker::Worker;

/// The variable that names the directory of the lock files.
pub const LEASES_VARIABLE: &str = "FLAKEDB_LEASES";
/// How long is waited for a number that others hold.
pub const WAIT: Duration = Duration::from_secs(60);
/// The pauses between two looks, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_micros(500), Duration::from_millis(20));
/// How long at least is waited for a turn to look.
const TURN_WAIT: Duration = Duration::from_secs(5);
/// The file by which holders take turns at looking.
const TURN: &str = "turn.lock";
/// Longest name of a resource, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// So many holders are named in an error.
const HOLDERS_SHOWN: u32 = 4;

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The name of the resource cannot be the name of a directory everywhere.
    #[error("`{0}` cannot name a resource: take letters, digits, - and _, 100 at most")]
    Name(String),
    /// There is nothing to lend.
    #[error("there is no number in {range} to lend for {name}")]
    Empty {
        /// The resource.
        name: String,
        /// The numbers.
        range: String,
    },
    /// All are lent.
    #[error(
        "{name}: all {count} of {range} are taken, after {waited:.1?} of waiting: {holders}; \
         end others, start fewer workers, wait longer, or widen the range"
    )]
    Taken {
        /// The resource.
        name: String,
        /// The numbers.
        range: String,
        /// How many there are.
        count: u32,
        /// How long was waited.
        waited: Duration,
        /// Who holds them.
        holders: String,
    },
    /// Somebody looks for a free number, and does not come to an end.
    #[error("{name}: another process holds {} for {waited:.1?} now, which takes a moment: is it stopped?", path.display())]
    NoTurn {
        /// The resource.
        name: String,
        /// How long was waited.
        waited: Duration,
        /// What it holds.
        path: PathBuf,
    },
    /// The lock files cannot be used.
    #[error("the lease of {name} needs {}: {source}; name another directory in FLAKEDB_LEASES", path.display())]
    Files {
        /// The resource.
        name: String,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The directory of the lock files: what `FLAKEDB_LEASES` says, else one for the whole machine.
///
/// It does not follow `TMPDIR`, which workers have of their own: those who must not share a resource
/// have to meet here.
#[must_use]
pub fn place() -> PathBuf {
    let named = std::env::var_os(LEASES_VARIABLE).filter(|path| !path.is_empty());
    // Children may run elsewhere, and have to meet us there.
    named.map_or_else(place_of_machine, |path| absolute(Path::new(&path)))
}

/// The directory for the whole machine.
fn place_of_machine() -> PathBuf {
    let common = if cfg!(unix) {
        PathBuf::from("/tmp")
    } else {
        std::env::var_os("ProgramData").map_or_else(std::env::temp_dir, PathBuf::from)
    };
    common.join("flakedb-leases")
}

/// The same place, wherever a process runs.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

/// Lends a number of `range` that nobody else on this machine holds, until it is dropped or the
/// process ends. Waits up to [`WAIT`].
///
/// # Errors
/// [`LeaseError`]; where all are taken, it names the holders.
///
/// ```
/// let mine = flakedb::testkit::parallel::lease("redis-db", 0..16)?;
/// let other = flakedb::testkit::parallel::lease("redis-db", 0..16)?;
/// assert_ne!(mine.number(), other.number());
/// # Ok::<(), flakedb::testkit::parallel::LeaseError>(())
/// ```
pub fn lease(name: &str, range: Range<u32>) -> Result<Lease, LeaseError> {
    Pool::new(name, range).lease()
}

/// Numbers to lend.
#[derive(Debug, Clone)]
pub struct Pool {
    name: String,
    range: Range<u32>,
    step: u32,
    wait: Duration,
    prefer: Option<u32>,
    holder: Option<String>,
    place: Option<PathBuf>,
}

impl Pool {
    /// The numbers of `range` as resource `name`.
    ///
    /// Names that differ only in case, or in `-` and `_`, are one resource: `REDIS_DB` and
    /// `redis-db`.
    #[must_use]
    pub fn new(name: &str, range: Range<u32>) -> Self {
        Self {
            name: name.to_owned(),
            range,
            step: 1,
            wait: WAIT,
            prefer: None,
            holder: None,
            place: None,
        }
    }

    /// Lends so many numbers at once, the first of which is the lease's number.
    #[must_use]
    pub const fn step(mut self, step: u32) -> Self {
        self.step = step;
        self
    }

    /// Waits so long for what others hold; not at all where it is zero.
    #[must_use]
    pub const fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Where to look first: the so manieth of the numbers, from 0. Otherwise the worker's own.
    #[must_use]
    pub const fn prefer(mut self, place: u32) -> Self {
        self.prefer = Some(place);
        self
    }

    /// What others are told of the holder.
    #[must_use]
    pub fn holder(mut self, holder: &str) -> Self {
        self.holder = Some(holder.to_owned());
        self
    }

    /// Keeps the lock files elsewhere than at [`place`].
    #[must_use]
    pub fn at(mut self, place: &Path) -> Self {
        self.place = Some(place.to_path_buf());
        self
    }

    /// How many can be lent at the same time.
    #[must_use]
    pub fn count(&self) -> u32 {
        let length = self.range.end.saturating_sub(self.range.start);
        length.checked_div(self.step).unwrap_or(0)
    }

    /// How many numbers are lent at once.
    pub(super) const fn step_of(&self) -> u32 {
        self.step
    }

    /// Lends one.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn lease(&self) -> Result<Lease, LeaseError> {
        self.lease_of(&|_| true)
    }

    /// Lends one that is fit for use: a port, say, that no stranger listens at.
    ///
    /// # Errors
    /// [`LeaseError`].
    pub fn lease_of(&self, is_fit: &dyn Fn(u32) -> bool) -> Result<Lease, LeaseError> {
        let count = self.count();
        if count == 0 {
            return Err(LeaseError::Empty { name: self.name.clone(), range: self.shown() });
        }
        let shelf = self.shelf()?;
        let started = Instant::now();
        let mut pause = PAUSES.0;
        loop {
            let turn = shelf.lock(TURN)?;
            let had_turn = turn.is_some();
            if let Some(turn) = turn {
                let found = self.look(&shelf, count, is_fit);
                // Given back by hand: a process that is being started may have the file, too.
                let _ = turn.unlock();
                if let Some(lease) = found? {
                    return Ok(lease);
                }
            }
            let waited = started.elapsed();
            // Who does not want to wait has to look once all the same.
            let most = if had_turn { self.wait } else { self.wait.max(TURN_WAIT) };
            if waited >= most {
                return Err(match had_turn {
                    true => self.taken(&shelf, count, waited),
                    false => LeaseError::NoTurn {
                        name: self.name.clone(),
                        waited,
                        path: shelf.directory.join(TURN),
                    },
                });
            }
            std::thread::sleep(pause.min(most.saturating_sub(waited)));
            pause = uneven((pause * 2).min(PAUSES.1));
        }
    }

    /// One that is free, from the preferred one on.
    fn look(
        &self,
        shelf: &Shelf,
        count: u32,
        is_fit: &dyn Fn(u32) -> bool,
    ) -> Result<Option<Lease>, LeaseError> {
        let first = self.prefer.unwrap_or_else(|| Worker::current().number()) % count;
        let others = shelf.blocks()?;
        for place in (first..count).chain(0..first) {
            let start = self.start_of(place);
            let block = Block { start, last: start.saturating_add(self.step.saturating_sub(1)) };
            let Some(file) = shelf.lock(&block.file())? else { continue };
            let free = others
                .iter()
                .filter(|other| **other != block && other.meets(block))
                .map(|other| shelf.lock(&other.file()).map(|lock| lock.map(|lock| lock.unlock())))
                .collect::<Result<Vec<_>, _>>()?
                .iter()
                .all(Option::is_some);
            if !free || !is_fit(start) {
                let _ = file.unlock();
                continue;
            }
            let account = shelf.directory.join(block.account());
            self.sign(&account);
            return Ok(Some(Lease { name: self.name.clone(), block, file, account }));
        }
        Ok(None)
    }

    fn start_of(&self, place: u32) -> u32 {
        self.range.start.saturating_add(place.saturating_mul(self.step))
    }

    /// Says who holds it. Nothing but a message depends on it, so it may fail.
    fn sign(&self, account: &Path) {
        use std::io::Write as _;
        // Never through a link that somebody else has put there.
        let _ = fs::remove_file(account);
        let worker = Worker::current();
        let holder = self.holder.clone().unwrap_or_else(|| match worker.runner() {
            Some(runner) => format!("worker {} of {runner}", worker.id()),
            None => String::new(),
        });
        let told = if holder.is_empty() { String::new() } else { format!(" ({holder})") };
        if let Ok(mut file) = OpenOptions::new().write(true).create_new(true).open(account) {
            let _ = write!(file, "process {}{told}", std::process::id());
        }
    }

    fn taken(&self, shelf: &Shelf, count: u32, waited: Duration) -> LeaseError {
        let mut holders = Vec::new();
        for place in 0..count.min(HOLDERS_SHOWN) {
            let start = self.start_of(place);
            let block = Block { start, last: start.saturating_add(self.step.saturating_sub(1)) };
            holders.push(format!("{start} by {}", shelf.holder(block)));
        }
        if count > HOLDERS_SHOWN {
            holders.push("…".to_owned());
        }
        LeaseError::Taken {
            name: self.name.clone(),
            range: self.shown(),
            count,
            waited,
            holders: holders.join(", "),
        }
    }

    fn shown(&self) -> String {
        let Range { start, end } = self.range;
        if self.step == 1 {
            format!("{start}..{end}")
        } else {
            format!("{start}..{end} in steps of {}", self.step)
        }
    }

    fn shelf(&self) -> Result<Shelf, LeaseError> {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if self.name.is_empty()
            || self.name.len() > NAME_BYTES_MAX
            || !self.name.bytes().all(is_fine)
        {
            return Err(LeaseError::Name(self.name.clone()));
        }
        let root = self.place.clone().unwrap_or_else(place);
        let directory = root.join(self.name.to_ascii_lowercase().replace('_', "-"));
        let shelf = Shelf { name: self.name.clone(), directory };
        // Who names a directory may name it by a link. Where all users write, a link leads where
        // another user wants us to write.
        let by_link = root != place_of_machine();
        for (path, by_link) in [(&root, by_link), (&shelf.directory, false)] {
            common_directory(path, by_link).map_err(|source| shelf.files(path, source))?;
        }
        Ok(shelf)
    }
}

/// A pause that differs from those of others, so that nobody always comes second.
fn uneven(pause: Duration) -> Duration {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mixed = (count ^ std::process::id().rotate_left(16)).wrapping_mul(0x9E37_79B1) >> 28;
    pause * (8 + mixed) / 16
}

/// A number that nobody else holds until this is dropped.
#[derive(Debug)]
pub struct Lease {
    name: String,
    block: Block,
    file: File,
    account: PathBuf,
}

impl Lease {
    /// The number; where several were lent, the first.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.block.start
    }

    /// All numbers that were lent.
    #[must_use]
    pub const fn numbers(&self) -> std::ops::RangeInclusive<u32> {
        self.block.start..=self.block.last
    }

    /// The resource.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of the open lock file.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn descriptor(&self) -> i32 {
        std::os::fd::AsRawFd::as_raw_fd(&self.file)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.account);
        // By hand: closing is not enough while a child that is being started has the file, too.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::thread;

    use super::super::shelf::is_still_there;
    use super::*;

    fn pool(place: &Path, range: Range<u32>) -> Pool {
        Pool::new("redis-db", range).at(place).wait(Duration::ZERO)
    }

    #[test]
    fn a_number_has_one_holder_and_comes_back() {
        let place = tempfile::tempdir().unwrap();
        let pool = pool(place.path(), 0..2).prefer(1);
        let (first, second) = (pool.lease().unwrap(), pool.lease().unwrap());
        assert_eq!((first.number(), second.number()), (1, 0));
        assert!(matches!(pool.lease(), Err(LeaseError::Taken { .. })));
        drop(first);
        assert_eq!(pool.lease().unwrap().number(), 1);
    }

    #[test]
    fn who_gets_none_is_told_who_has_them() {
        let place = tempfile::tempdir().unwrap();
        let pool = pool(place.path(), 3..4);
        let _held = pool.clone().holder("worker 7").lease().unwrap();
        let said = pool.lease().unwrap_err().to_string();
        let holder = format!("3 by process {} (worker 7)", std::process::id());
        assert!(said.starts_with("redis-db: all 1 of 3..4 are taken"), "{said}");
        assert!(said.contains(&holder), "{said}");
    }

    #[test]
    fn who_does_not_wait_has_looked_once_and_who_never_can_is_told_why() {
        let place = tempfile::tempdir().unwrap();
        let pool = pool(place.path(), 0..1);
        let shelf = pool.shelf().unwrap();
        let turn = shelf.lock(TURN).unwrap().unwrap();
        let asking = thread::spawn(move || pool.lease().map(|lease| lease.number()));
        thread::sleep(Duration::from_millis(30));
        turn.unlock().unwrap();
        assert_eq!(asking.join().unwrap().unwrap(), 0);
        let _turn = shelf.lock(TURN).unwrap().unwrap();
        let impatient = Pool::new("redis-db", 0..1).at(place.path()).wait(Duration::ZERO);
        assert!(matches!(impatient.lease(), Err(LeaseError::NoTurn { .. })));
    }

    #[test]
    fn who_waits_gets_what_is_given_back() {
        let place = tempfile::tempdir().unwrap();
        let held = pool(place.path(), 0..1).lease().unwrap();
        let patient = pool(place.path(), 0..1).wait(WAIT);
        let waiting = thread::spawn(move || patient.lease().map(|lease| lease.number()));
        thread::sleep(Duration::from_millis(30));
        assert!(!waiting.is_finished());
        drop(held);
        assert_eq!(waiting.join().unwrap().unwrap(), 0);
    }

    #[test]
    fn threads_of_one_process_never_share() {
        let place = tempfile::tempdir().unwrap();
        let held = Mutex::new(BTreeSet::new());
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let lease = pool(place.path(), 0..3).wait(WAIT).lease().unwrap();
                        assert!(held.lock().unwrap().insert(lease.number()), "two holders");
                        thread::yield_now();
                        assert!(held.lock().unwrap().remove(&lease.number()));
                    }
                });
            }
        });
    }

    #[test]
    fn blocks_that_overlap_are_not_lent_together_whatever_their_steps() {
        let place = tempfile::tempdir().unwrap();
        let ports = |range, step| pool(place.path(), range).step(step).prefer(0);
        let wide = ports(100..300, 100).lease().unwrap();
        assert_eq!(wide.numbers(), 100..=199);
        assert!(ports(150..200, 50).lease().is_err());
        assert_eq!(ports(150..250, 50).lease().unwrap().numbers(), 200..=249);
        let narrow = ports(250..260, 10).lease().unwrap();
        assert!(ports(200..300, 100).lease().is_err());
        drop(wide);
        assert_eq!(ports(100..300, 100).lease().unwrap().number(), 100);
        drop(narrow);
        let both = ports(100..300, 100);
        let (first, second) = (both.lease().unwrap(), both.lease().unwrap());
        assert_eq!((first.number(), second.number()), (100, 200));
    }

    #[test]
    fn one_resource_may_be_spelt_as_a_variable() {
        let place = tempfile::tempdir().unwrap();
        let _held = pool(place.path(), 0..1).lease().unwrap();
        let variable = Pool::new("REDIS_DB", 0..1).at(place.path()).wait(Duration::ZERO);
        assert!(matches!(variable.lease(), Err(LeaseError::Taken { .. })));
    }

    #[test]
    fn what_cannot_be_lent_is_refused() {
        let place = tempfile::tempdir().unwrap();
        for name in ["", "a/b", "..", "a b", &"a".repeat(101)] {
            let error = Pool::new(name, 0..1).at(place.path()).lease().unwrap_err();
            assert!(matches!(error, LeaseError::Name(_)), "{name}: {error}");
        }
        let reversed = Range { start: 5, end: 2 };
        for pool in [
            pool(place.path(), 4..4),
            pool(place.path(), reversed),
            pool(place.path(), 0..9).step(10),
            pool(place.path(), 0..9).step(0),
        ] {
            assert!(matches!(pool.lease(), Err(LeaseError::Empty { .. })), "{pool:?}");
        }
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        let said = pool(&file, 0..1).lease().unwrap_err().to_string();
        assert!(said.contains("name another directory in FLAKEDB_LEASES"), "{said}");
    }

    #[test]
    fn what_a_child_has_open_meanwhile_is_given_back_all_the_same() {
        let place = tempfile::tempdir().unwrap();
        let pool = pool(place.path(), 0..1);
        let lease = pool.lease().unwrap();
        let copy = lease.file.try_clone().unwrap();
        drop(lease);
        assert!(pool.lease().is_ok());
        drop(copy);
    }

    #[cfg(unix)]
    #[test]
    fn what_others_put_in_the_place_of_a_lock_file_is_refused() {
        use std::os::unix::fs::symlink;
        let [place, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let target = elsewhere.path().join("file");
        fs::write(&target, "").unwrap();
        let pool = pool(place.path(), 0..1);
        let path = pool.shelf().unwrap().directory.join("0-0.lock");
        symlink(&target, &path).unwrap();
        let said = pool.lease().unwrap_err().to_string();
        assert!(said.contains("it is no plain file"), "{said}");
        fs::remove_file(&path).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(matches!(pool.lease(), Err(LeaseError::Files { .. })));
        // A link to the directory of all resources may be meant; one to that of this may not.
        let link = elsewhere.path().join("link");
        symlink(place.path(), &link).unwrap();
        assert!(Pool::new("other", 0..1).at(&link).lease().is_ok());
        symlink(elsewhere.path(), place.path().join("linked")).unwrap();
        let said = Pool::new("linked", 0..1).at(place.path()).lease().unwrap_err().to_string();
        assert!(said.contains("it is a link"), "{said}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn every_user_can_lock_the_files_and_nobody_tidies_them_away() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let _held = pool(place.path(), 0..1).lease().unwrap();
        let mode = |path: &str| {
            fs::metadata(place.path().join(path)).unwrap().permissions().mode() & 0o7777
        };
        assert_eq!(mode("redis-db"), 0o1777);
        // systemd-tmpfiles passes over what has the sticky bit.
        assert_eq!((mode("redis-db/0-0.lock"), mode("redis-db/turn.lock")), (0o1644, 0o1644));
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_file_that_was_removed_holds_off_those_who_come_with_the_next() {
        let place = tempfile::tempdir().unwrap();
        let pool = pool(place.path(), 0..1);
        drop(pool.lease().unwrap());
        let path = place.path().join("redis-db/0-0.lock");
        let old = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!is_still_there(&old, &path));
        let _held = pool.lease().unwrap();
        assert!(!is_still_there(&old, &path));
        assert!(pool.lease().is_err());
    }
}
