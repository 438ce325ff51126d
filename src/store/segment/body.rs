//! The part of a segment that knows neither test nor failure numbers.
//!
//! ```text
//! body  = length << 1 | squeezed, meta, bits
//! meta  = results, repeats, { gap, attempts << 2 | repeat }, { run << 2 | outcome },
//!         failure slots, { gap }, unit exponent, { duration symbol }
//! ```

use super::varint::{self, Cursor};
use super::{Columns, Decoder, RepeatMark, SegmentError, durations, push_stretch, take_stretch};
use crate::model::limits::SEGMENT_SLOTS_MAX;
use crate::model::{Outcome, Repeat};

/// Largest meta column: each slot has a symbol and at most about five bytes elsewhere.
const META_BYTES_MAX: usize = 6 * SEGMENT_SLOTS_MAX;

pub(super) fn encode(
    columns: &Columns,
    squeeze: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let mut meta = Vec::with_capacity(columns.slots() + 32);
    varint::push(&mut meta, columns.tests.len() as u64);
    push_repeats(&mut meta, &columns.repeats);
    push_outcomes(&mut meta, &columns.outcomes);
    varint::push(&mut meta, columns.failure_slots.len() as u64);
    let mut next = 0;
    for &slot in &columns.failure_slots {
        varint::push(&mut meta, u64::from(slot - next));
        next = slot + 1;
    }
    let mut bits = Vec::with_capacity(columns.slots() * 2);
    durations::encode(&columns.durations, &mut meta, &mut bits);
    let mut out = Vec::with_capacity(meta.len() + bits.len() + 8);
    let squeezed = squeeze(&meta);
    push_stretch(&mut out, &meta, squeezed.as_deref());
    out.extend_from_slice(&bits);
    out.shrink_to_fit();
    out
}

/// Reads everything but the numbers; returns how many results there are.
pub(super) fn decode(
    body: &[u8],
    decoder: &mut Decoder,
    out: &mut Columns,
) -> Result<usize, SegmentError> {
    let mut cursor = Cursor::new(body);
    let (stored, squeezed) = take_stretch(&mut cursor)?;
    if !squeezed {
        return decode_meta(stored, cursor.rest(), out);
    }
    let mut meta = std::mem::take(&mut decoder.scratch);
    let read = decoder
        .expand(stored, META_BYTES_MAX, &mut meta)
        .and_then(|()| decode_meta(&meta, cursor.rest(), out));
    decoder.scratch = meta;
    read
}

fn decode_meta(meta: &[u8], bits: &[u8], out: &mut Columns) -> Result<usize, SegmentError> {
    let mut cursor = Cursor::new(meta);
    // Each slot has a symbol, so that no count can be larger than the column itself.
    let slots_max = meta.len().min(SEGMENT_SLOTS_MAX);
    let results = cursor.bounded(slots_max, "the number of results")?;
    let attempts = pull_repeats(&mut cursor, results, slots_max - results, &mut out.repeats)?;
    let slots = results + attempts;
    pull_outcomes(&mut cursor, slots, &mut out.outcomes)?;
    pull_failure_slots(&mut cursor, slots, &mut out.failure_slots)?;
    let exponent = cursor.byte()?;
    let symbols = cursor.take(slots)?;
    if !cursor.rest().is_empty() {
        return Err(SegmentError::Invalid("the end of its columns"));
    }
    durations::decode(exponent, symbols, bits, &mut out.durations)?;
    Ok(results)
}

fn push_repeats(out: &mut Vec<u8>, repeats: &[RepeatMark]) {
    varint::push(out, repeats.len() as u64);
    let mut next = 0;
    for mark in repeats {
        varint::push(out, u64::from(mark.result - next));
        varint::push(out, u64::from(mark.attempts) << 2 | mark.repeat as u64);
        next = mark.result + 1;
    }
}

/// Returns the number of listed attempts.
fn pull_repeats(
    cursor: &mut Cursor<'_>,
    results: usize,
    attempts_max: usize,
    out: &mut Vec<RepeatMark>,
) -> Result<usize, SegmentError> {
    let count = cursor.bounded(results, "the number of repeats")?;
    let (mut next, mut attempts) = (0, 0);
    for _ in 0..count {
        let gap = cursor.bounded(results, "the place of a repeat")?;
        let result = next + gap;
        if result >= results {
            return Err(SegmentError::Invalid("the place of a repeat"));
        }
        let word = cursor.varint()?;
        let listed = usize::try_from(word >> 2)
            .ok()
            .filter(|listed| *listed <= attempts_max - attempts)
            .ok_or(SegmentError::Invalid("the number of attempts"))?;
        let repeat = Repeat::from_code(word as u8 & 3).ok_or(SegmentError::Invalid("a repeat"))?;
        out.push(RepeatMark { result: result as u32, repeat, attempts: listed as u32 });
        attempts += listed;
        next = result + 1;
    }
    Ok(attempts)
}

fn push_outcomes(out: &mut Vec<u8>, outcomes: &[Outcome]) {
    for run in outcomes.chunk_by(|left, right| left == right) {
        let code = run.first().map_or(0, |outcome| u64::from(outcome.code()));
        varint::push(out, (run.len() as u64) << 2 | code);
    }
}

fn pull_outcomes(
    cursor: &mut Cursor<'_>,
    slots: usize,
    out: &mut Vec<Outcome>,
) -> Result<(), SegmentError> {
    const WHAT: SegmentError = SegmentError::Invalid("a run of outcomes");
    while out.len() < slots {
        let word = cursor.varint()?;
        let outcome = Outcome::from_code(word as u8 & 3).ok_or(WHAT)?;
        let length = usize::try_from(word >> 2).map_err(|_| WHAT)?;
        if length == 0 || length > slots - out.len() {
            return Err(WHAT);
        }
        out.resize(out.len() + length, outcome);
    }
    Ok(())
}

fn pull_failure_slots(
    cursor: &mut Cursor<'_>,
    slots: usize,
    out: &mut Vec<u32>,
) -> Result<(), SegmentError> {
    let count = cursor.bounded(slots, "the number of failures")?;
    let mut next = 0;
    for _ in 0..count {
        let slot = next + cursor.bounded(slots, "the place of a failure")?;
        if slot >= slots {
            return Err(SegmentError::Invalid("the place of a failure"));
        }
        out.push(slot as u32);
        next = slot + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_list_no_more_attempts_than_there_are_together() {
        let bytes = [2, 0, 2 << 2 | 1, 0, 2 << 2 | 1];
        let read = |attempts_max| {
            let mut marks = Vec::new();
            pull_repeats(&mut Cursor::new(&bytes), 2, attempts_max, &mut marks)
                .map(|all| (all, marks))
        };
        let mark = |result| RepeatMark { result, repeat: Repeat::Retried, attempts: 2 };
        assert_eq!(read(4), Ok((4, vec![mark(0), mark(1)])));
        assert_eq!(read(3), Err(SegmentError::Invalid("the number of attempts")));
    }

    #[test]
    fn a_repeat_stands_at_a_result_that_is_there() {
        let read = |bytes: &[u8]| pull_repeats(&mut Cursor::new(bytes), 2, 9, &mut Vec::new());
        assert_eq!(read(&[1, 1, 4]), Ok(1));
        assert_eq!(read(&[1, 2, 4]), Err(SegmentError::Invalid("the place of a repeat")));
        assert_eq!(read(&[2, 1, 4, 0, 4]), Err(SegmentError::Invalid("the place of a repeat")));
        assert_eq!(read(&[3]), Err(SegmentError::Invalid("the number of repeats")));
    }

    #[test]
    fn runs_of_outcomes_are_as_long_as_their_slots() {
        let read = |bytes: &[u8]| {
            let mut out = Vec::new();
            pull_outcomes(&mut Cursor::new(bytes), 3, &mut out).map(|()| out)
        };
        let wrong = Err(SegmentError::Invalid("a run of outcomes"));
        let (passed, failed) = (Outcome::Passed, Outcome::Failed);
        assert_eq!(read(&[1 << 2, 2 << 2 | 1]), Ok(vec![passed, failed, failed]));
        assert_eq!(read(&[1 << 2, 3 << 2 | 1]), wrong);
        assert_eq!(read(&[4 << 2]), wrong);
        assert_eq!(read(&[0, 3 << 2]), wrong);
    }

    #[test]
    fn a_failure_stands_at_a_slot_that_is_there() {
        let read = |bytes: &[u8]| {
            let mut out = Vec::new();
            pull_failure_slots(&mut Cursor::new(bytes), 3, &mut out).map(|()| out)
        };
        assert_eq!(read(&[2, 0, 1]), Ok(vec![0, 2]));
        assert_eq!(read(&[2, 0, 2]), Err(SegmentError::Invalid("the place of a failure")));
        assert_eq!(read(&[4]), Err(SegmentError::Invalid("the number of failures")));
    }

    #[test]
    fn results_and_attempts_together_are_no_more_than_a_column_has_symbols() {
        // One result with four attempts are five slots; no more than four symbols are here.
        let read = decode_meta(&[1, 1, 0, 4 << 2 | 1], &[], &mut Columns::default());
        assert_eq!(read, Err(SegmentError::Invalid("the number of attempts")));
    }
}
