//! The blob that holds the results of one report in one run: columnar, lossless, checksummed.
//!
//! `docs/SEGMENT.md` describes the bytes well enough to decode them without this code. A segment
//! has three parts: the tests and the failures, numbered as the database numbers them, and a body
//! that knows neither, so that it is encoded before the write lock is taken and copied as it is
//! when histories merge.

mod body;
mod durations;
mod varint;
mod workers;

use zstd::bulk::{Compressor, Decompressor};

use self::varint::Cursor;
use crate::model::limits::SEGMENT_SLOTS_MAX;
use crate::model::{Micros, Outcome, Repeat};

/// The version this code writes, and the only one so far.
pub const VERSION: u8 = 1;
/// Bytes of the BLAKE3 hash at a segment's end.
const CHECKSUM_BYTES: usize = 4;
/// zstd writes at least 4 bytes for 128 KiB, so a frame that promises more is a lie.
const ZSTD_RATIO_MAX: usize = 1 << 15;
/// Literals carry nearly all that is squeezed here, so that higher levels only cost time.
const ZSTD_LEVEL: i32 = 1;
/// Shorter columns gain less than a frame's header costs.
const ZSTD_WORTHWHILE_BYTES: usize = 48;
/// Longest varint of a test number's difference.
const TEST_TOKEN_BYTES_MAX: usize = 6;

/// Why a segment could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// Written by a later flakedb.
    #[error("has format {0}, which this flakedb does not know")]
    Version(u8),
    /// Bytes were changed or lost after writing.
    #[error("does not match its checksum")]
    Checksum,
    /// The bytes end too early.
    #[error("ends too early")]
    Truncated,
    /// Something that no writer writes.
    #[error("is wrong in {0}")]
    Invalid(&'static str),
    /// The numbers do not belong to the body.
    #[error("has {found} {what} where {expected} belong")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
}

/// How a result's records were understood, where it is not a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatMark {
    /// The result, in document order.
    pub result: u32,
    /// How its records were understood.
    pub repeat: Repeat,
    /// How many attempts are listed for it.
    pub attempts: u32,
}

/// The results of one report in document order, column by column.
///
/// A *slot* is a result or a listed attempt: first all results, then the attempts of the first
/// result that lists any, and so on. Outcomes, durations and failures are per slot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Columns {
    /// The test of each result.
    pub tests: Vec<u32>,
    /// The outcome of each slot.
    pub outcomes: Vec<Outcome>,
    /// The duration of each slot, where known.
    pub durations: Vec<Option<Micros>>,
    /// The results that are not a single record, in order.
    pub repeats: Vec<RepeatMark>,
    /// The slots that have a failure, in order.
    pub failure_slots: Vec<u32>,
    /// The failure of each of those slots.
    pub failures: Vec<u32>,
}

/// One attempt that failed or errored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadMark {
    /// The result, in document order.
    pub result: u32,
    /// The attempt, from 0.
    pub attempt: u32,
    /// Failed or errored.
    pub outcome: Outcome,
    /// Its failure, as a place in [`Columns::failures`].
    pub failure: Option<u32>,
}

impl Columns {
    /// Forgets everything and keeps the allocations.
    pub fn clear(&mut self) {
        self.tests.clear();
        self.outcomes.clear();
        self.durations.clear();
        self.repeats.clear();
        self.failure_slots.clear();
        self.failures.clear();
    }

    /// Results and listed attempts together.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.outcomes.len()
    }

    /// Every attempt that failed or errored, by result and attempt.
    #[must_use]
    pub fn bad_marks(&self) -> Vec<BadMark> {
        let mut marks = Vec::new();
        let mut repeats = self.repeats.iter().filter(|mark| mark.attempts > 0).peekable();
        let mut first_slot = self.tests.len();
        for result in 0..self.tests.len() {
            let mut slots = result..result + 1;
            if let Some(mark) = repeats.next_if(|mark| mark.result as usize == result) {
                slots = first_slot..first_slot + mark.attempts as usize;
                first_slot = slots.end;
            }
            for (attempt, slot) in slots.enumerate() {
                let Some(&outcome) = self.outcomes.get(slot).filter(|outcome| outcome.is_bad())
                else {
                    continue;
                };
                let failure = self.failure_slots.binary_search(&(slot as u32)).ok();
                marks.push(BadMark {
                    result: result as u32,
                    attempt: attempt as u32,
                    outcome,
                    failure: failure.map(|place| place as u32),
                });
            }
        }
        marks
    }
}

/// Writes segments; keep one and reuse it.
pub struct Encoder {
    zstd: Option<Compressor<'static>>,
    tests: Vec<u8>,
}

impl Default for Encoder {
    fn default() -> Self {
        // Without a compressor segments are larger, not wrong.
        Self { zstd: Compressor::new(ZSTD_LEVEL).ok(), tests: Vec::new() }
    }
}

impl Encoder {
    /// The part of a segment that knows no numbers of the database: everything but
    /// [`Columns::tests`] and [`Columns::failures`].
    #[must_use]
    pub fn body(&mut self, columns: &Columns) -> Vec<u8> {
        body::encode(columns, &mut |bytes| self.squeeze(bytes))
    }

    /// A whole segment from the numbers and a body.
    #[must_use]
    pub fn segment(&mut self, tests: &[u32], failures: &[u32], body: &[u8]) -> Vec<u8> {
        let mut raw = std::mem::take(&mut self.tests);
        raw.clear();
        push_tests(&mut raw, tests);
        let squeezed = self.squeeze(&raw);
        let mut out = Vec::with_capacity(body.len() + raw.len() + 4 * failures.len() + 32);
        out.push(VERSION);
        push_stretch(&mut out, &raw, squeezed.as_deref());
        let mut numbers = Vec::with_capacity(2 * failures.len());
        let mut last = 0_i64;
        for &failure in failures {
            varint::push(&mut numbers, varint::zigzag(i64::from(failure) - last));
            last = i64::from(failure);
        }
        varint::push(&mut out, numbers.len() as u64);
        out.extend_from_slice(&numbers);
        out.extend_from_slice(body);
        let checksum = checksum(&out);
        out.extend_from_slice(&checksum);
        self.tests = raw;
        out
    }

    fn squeeze(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if bytes.len() < ZSTD_WORTHWHILE_BYTES {
            return None;
        }
        let frame = self.zstd.as_mut()?.compress(bytes).ok()?;
        (frame.len() < bytes.len()).then_some(frame)
    }
}

/// The three parts of a segment whose checksum holds.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    tests: &'a [u8],
    tests_squeezed: bool,
    failures: &'a [u8],
    /// The part that knows no numbers of the database.
    pub body: &'a [u8],
}

/// The bytes in front of a checksum that holds, the first of which is the version.
fn unsealed(sealed: &[u8], version: u8) -> Result<&[u8], SegmentError> {
    let end = sealed.len().checked_sub(CHECKSUM_BYTES).ok_or(SegmentError::Truncated)?;
    let (bytes, sum) = sealed.split_at(end);
    match bytes.first() {
        Some(&found) if found != version => Err(SegmentError::Version(found)),
        Some(_) if checksum(bytes) == *sum => Ok(bytes),
        Some(_) => Err(SegmentError::Checksum),
        None => Err(SegmentError::Truncated),
    }
}

/// Takes a segment apart without decoding its columns.
///
/// # Errors
/// [`SegmentError`] where the version, the checksum or the lengths do not hold.
pub fn split(segment: &[u8]) -> Result<Parts<'_>, SegmentError> {
    let bytes = unsealed(segment, VERSION)?;
    let mut cursor = Cursor::new(bytes);
    cursor.byte()?;
    let (tests, tests_squeezed) = take_stretch(&mut cursor)?;
    let length = cursor.bounded(bytes.len(), "the length of the failures")?;
    let failures = cursor.take(length)?;
    Ok(Parts { tests, tests_squeezed, failures, body: cursor.rest() })
}

/// Adds the numbers of a segment's failures to `out`, without reading anything else of it.
///
/// # Errors
/// [`SegmentError`] where the version, the checksum or a number does not hold.
pub fn failures(segment: &[u8], out: &mut Vec<u32>) -> Result<(), SegmentError> {
    push_failures_of(split(segment)?.failures, out)
}

/// Reads segments; keep one and reuse it.
#[derive(Default)]
pub struct Decoder {
    zstd: Option<Decompressor<'static>>,
    scratch: Vec<u8>,
}

impl Decoder {
    /// Reads all columns of a segment into `out`, replacing what is there.
    ///
    /// Never panics and never allocates more than about 24 bytes for each of
    /// [`SEGMENT_SLOTS_MAX`] slots, whatever the bytes are.
    ///
    /// # Errors
    /// [`SegmentError`] where the bytes are not what [`Encoder::segment`] writes.
    pub fn decode(&mut self, segment: &[u8], out: &mut Columns) -> Result<(), SegmentError> {
        out.clear();
        let parts = split(segment)?;
        let results = body::decode(parts.body, self, out)?;
        self.tests(&parts, results, &mut out.tests)?;
        pull_failures(parts.failures, out.failure_slots.len(), &mut out.failures)
    }

    fn tests(
        &mut self,
        parts: &Parts<'_>,
        results: usize,
        out: &mut Vec<u32>,
    ) -> Result<(), SegmentError> {
        if !parts.tests_squeezed {
            return pull_tests(parts.tests, results, out);
        }
        let mut raw = std::mem::take(&mut self.scratch);
        let read = self
            .expand(parts.tests, results.saturating_mul(TEST_TOKEN_BYTES_MAX), &mut raw)
            .and_then(|()| pull_tests(&raw, results, out));
        self.scratch = raw;
        read
    }

    /// Decompresses a frame of at most `max` bytes into `out`, replacing what is there.
    fn expand(&mut self, frame: &[u8], max: usize, out: &mut Vec<u8>) -> Result<(), SegmentError> {
        let max = max.min(frame.len().saturating_mul(ZSTD_RATIO_MAX));
        let size = zstd::zstd_safe::get_frame_content_size(frame)
            .ok()
            .flatten()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|&size| size <= max)
            .ok_or(SegmentError::Invalid("the size of a compressed column"))?;
        if self.zstd.is_none() {
            self.zstd = Decompressor::new().ok();
        }
        out.clear();
        out.reserve(size);
        let done = self.zstd.as_mut().and_then(|zstd| zstd.decompress_to_buffer(frame, out).ok());
        match done {
            Some(written) if written == size => Ok(()),
            _ => Err(SegmentError::Invalid("a compressed column")),
        }
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}

/// Appends a column with its stored length, whose lowest bit says whether it is a zstd frame.
fn push_stretch(out: &mut Vec<u8>, raw: &[u8], squeezed: Option<&[u8]>) {
    let (bytes, flag) = squeezed.map_or((raw, 0), |frame| (frame, 1));
    varint::push(out, (bytes.len() as u64) << 1 | flag);
    out.extend_from_slice(bytes);
}

fn take_stretch<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a [u8], bool), SegmentError> {
    let word = cursor.varint()?;
    let length = usize::try_from(word >> 1).map_err(|_| SegmentError::Truncated)?;
    Ok((cursor.take(length)?, word & 1 == 1))
}

/// Test numbers as differences from the one before plus one: an even token is a zigzag difference,
/// an odd one a stretch of numbers that follow each other.
fn push_tests(out: &mut Vec<u8>, tests: &[u32]) {
    let mut next = 0_i64;
    let mut stretch = 0_u64;
    for &test in tests {
        let test = i64::from(test);
        if test == next {
            stretch += 1;
        } else {
            flush_stretch(out, &mut stretch);
            varint::push(out, varint::zigzag(test - next) << 1);
        }
        next = test + 1;
    }
    flush_stretch(out, &mut stretch);
}

fn flush_stretch(out: &mut Vec<u8>, stretch: &mut u64) {
    if *stretch > 0 {
        varint::push(out, *stretch << 1 | 1);
        *stretch = 0;
    }
}

fn pull_tests(bytes: &[u8], results: usize, out: &mut Vec<u32>) -> Result<(), SegmentError> {
    const WHAT: SegmentError = SegmentError::Invalid("a test number");
    let mut cursor = Cursor::new(bytes);
    let mut next = 0_i64;
    out.reserve(results);
    while out.len() < results {
        let token = cursor.varint()?;
        let (first, count) = if token & 1 == 1 {
            let left = (results - out.len()) as u64;
            let count = token >> 1;
            (next, (1..=left).contains(&count).then_some(count).ok_or(WHAT)?)
        } else {
            (next.checked_add(varint::unzigzag(token >> 1)).ok_or(WHAT)?, 1)
        };
        let last = first.checked_add_unsigned(count - 1).ok_or(WHAT)?;
        let (Ok(first), Ok(end)) = (u32::try_from(first), u32::try_from(last)) else {
            return Err(WHAT);
        };
        out.extend(first..=end);
        next = last + 1;
    }
    if cursor.rest().is_empty() {
        Ok(())
    } else {
        Err(SegmentError::Count { what: "tests", found: results + 1, expected: results })
    }
}

fn push_failures_of(bytes: &[u8], out: &mut Vec<u32>) -> Result<(), SegmentError> {
    const WHAT: SegmentError = SegmentError::Invalid("a failure number");
    let mut cursor = Cursor::new(bytes);
    let mut last = 0_i64;
    while !cursor.rest().is_empty() {
        last = last.checked_add(varint::unzigzag(cursor.varint()?)).ok_or(WHAT)?;
        out.push(u32::try_from(last).map_err(|_| WHAT)?);
    }
    Ok(())
}

fn pull_failures(bytes: &[u8], expected: usize, out: &mut Vec<u32>) -> Result<(), SegmentError> {
    push_failures_of(bytes, out)?;
    if out.len() == expected {
        Ok(())
    } else {
        Err(SegmentError::Count { what: "failures", found: out.len(), expected })
    }
}

/// True where a report of so many slots fits one segment.
#[must_use]
pub const fn fits(slots: usize) -> bool {
    slots <= SEGMENT_SLOTS_MAX
}

/// Feeds arbitrary bytes to the decoder, once as they are and once with a checksum that holds.
///
/// The body of the fuzz target `segment`, and of a property test.
pub fn fuzz(bytes: &[u8]) {
    let mut decoder = Decoder::default();
    let mut columns = Columns::default();
    let _ = decoder.decode(bytes, &mut columns);
    let mut sealed = vec![VERSION];
    sealed.extend_from_slice(bytes);
    let sum = checksum(&sealed);
    sealed.extend_from_slice(&sum);
    if decoder.decode(&sealed, &mut columns).is_ok() {
        let _ = columns.bad_marks();
        let mut encoder = Encoder::default();
        let body = encoder.body(&columns);
        let again = encoder.segment(&columns.tests, &columns.failures, &body);
        let mut copy = Columns::default();
        assert_eq!(decoder.decode(&again, &mut copy), Ok(()));
        assert_eq!(copy, columns);
    }
}

#[cfg(test)]
mod tests;
