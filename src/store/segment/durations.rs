//! Durations as one symbol a value, which an entropy coder squeezes, and raw bits below it.
//!
//! The symbol carries the magnitude, where nearly all regularity is; the bits below are close to
//! random, so they are packed as they are. This stays within a few hundredths of a bit of the
//! entropy of log-normal durations, whatever their unit.

use super::SegmentError;
use crate::model::Micros;

/// Largest unit exponent: durations in whole seconds.
const UNIT_EXPONENT_MAX: u32 = 6;
/// Values below this have a symbol of their own and no bits.
const SMALL: u64 = 16;
const SYMBOL_ABSENT: u8 = 0;
const SYMBOL_SMALL: u8 = 1;
const SYMBOL_LARGE: u8 = SYMBOL_SMALL + SMALL as u8;
/// Bit length of the smallest value that is not small.
const LARGE_BITS_MIN: u32 = 5;
const SYMBOL_MAX: u8 = SYMBOL_LARGE + 2 * (u64::BITS - LARGE_BITS_MIN) as u8 + 1;

/// The largest power of ten, as an exponent, that divides every duration.
fn unit_exponent(durations: &[Option<Micros>]) -> u32 {
    let mut exponent = UNIT_EXPONENT_MAX;
    let mut unit = 10_u64.pow(exponent);
    for micros in durations.iter().flatten() {
        while exponent > 0 && micros.0 % unit != 0 {
            exponent -= 1;
            unit /= 10;
        }
        if exponent == 0 {
            break;
        }
    }
    exponent
}

/// Appends the unit exponent and one symbol a duration to `symbols`, the bits below to `bits`.
pub(super) fn encode(durations: &[Option<Micros>], symbols: &mut Vec<u8>, bits: &mut Vec<u8>) {
    let exponent = unit_exponent(durations);
    let unit = 10_u64.pow(exponent);
    symbols.push(exponent as u8);
    let mut writer = BitWriter { out: bits, pending: 0, count: 0 };
    for duration in durations {
        let Some(micros) = duration else {
            symbols.push(SYMBOL_ABSENT);
            continue;
        };
        let value = micros.0 / unit;
        if value < SMALL {
            symbols.push(SYMBOL_SMALL + value as u8);
            continue;
        }
        let length = u64::BITS - value.leading_zeros();
        let below = length - 2;
        let second_bit = (value >> below) as u8 & 1;
        symbols.push(SYMBOL_LARGE + 2 * (length - LARGE_BITS_MIN) as u8 + second_bit);
        writer.push(value, below);
    }
    writer.finish();
}

/// Reads one duration for each symbol; `bits` must be used up exactly.
pub(super) fn decode(
    exponent: u8,
    symbols: &[u8],
    bits: &[u8],
    out: &mut Vec<Option<Micros>>,
) -> Result<(), SegmentError> {
    let exponent = u32::from(exponent);
    if exponent > UNIT_EXPONENT_MAX {
        return Err(SegmentError::Invalid("the unit of durations"));
    }
    let unit = 10_u64.pow(exponent);
    let mut reader = BitReader { bytes: bits, position: 0 };
    out.reserve(symbols.len());
    for &symbol in symbols {
        let value = match symbol {
            SYMBOL_ABSENT => {
                out.push(None);
                continue;
            }
            SYMBOL_SMALL..SYMBOL_LARGE => u64::from(symbol - SYMBOL_SMALL),
            SYMBOL_LARGE..=SYMBOL_MAX => {
                let step = u32::from(symbol - SYMBOL_LARGE);
                let below = step / 2 + LARGE_BITS_MIN - 2;
                (0b10 | u64::from(step & 1)) << below | reader.take(below)?
            }
            _ => return Err(SegmentError::Invalid("the symbol of a duration")),
        };
        let micros = value.checked_mul(unit).ok_or(SegmentError::Invalid("a duration"))?;
        out.push(Some(Micros(micros)));
    }
    if reader.position.div_ceil(8) == bits.len() {
        Ok(())
    } else {
        Err(SegmentError::Invalid("the length of the durations"))
    }
}

/// Packs bits, the lowest of the first value in the lowest bit of the first byte.
struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    count: u32,
}

impl BitWriter<'_> {
    fn push(&mut self, value: u64, count: u32) {
        // Two halves, so that pending bits and new ones always fit in one word.
        if count > 32 {
            self.push_short(value & 0xffff_ffff, 32);
            self.push_short(value >> 32, count - 32);
        } else {
            self.push_short(value, count);
        }
    }

    fn push_short(&mut self, value: u64, count: u32) {
        self.pending |= (value & ((1 << count) - 1)) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn finish(self) {
        if self.count > 0 {
            self.out.push(self.pending as u8);
        }
    }
}

struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl BitReader<'_> {
    fn take(&mut self, count: u32) -> Result<u64, SegmentError> {
        if count > 32 {
            Ok(self.take_short(32)? | self.take_short(count - 32)? << 32)
        } else {
            self.take_short(count)
        }
    }

    fn take_short(&mut self, count: u32) -> Result<u64, SegmentError> {
        let end = self.position + count as usize;
        if end > self.bytes.len() * 8 {
            return Err(SegmentError::Truncated);
        }
        let tail = self.bytes.get(self.position / 8..).unwrap_or_default();
        let word = match tail.first_chunk::<8>() {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => tail.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
        };
        let value = (word >> (self.position % 8)) & ((1 << count) - 1);
        self.position = end;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exponent and symbols, and the bits below.
    fn written(micros: &[u64]) -> (Vec<u8>, Vec<u8>) {
        let durations: Vec<_> = micros.iter().map(|value| Some(Micros(*value))).collect();
        let (mut symbols, mut bits) = (Vec::new(), Vec::new());
        encode(&durations, &mut symbols, &mut bits);
        (symbols, bits)
    }

    #[test]
    fn the_unit_is_the_largest_power_of_ten_up_to_a_second() {
        for (micros, exponent) in [
            (&[1][..], 0),
            (&[1_000, 2_000], 3),
            (&[1_000, 2_500], 2),
            (&[20_000_000, 3_000_000], 6),
            (&[70_000_000], 6),
            (&[1_000_000, 10], 1),
            (&[], 6),
        ] {
            assert_eq!(written(micros).0[0], exponent, "{micros:?}");
        }
    }

    /// By hand: 31 is 11111, 45 is 101101; a symbol takes the length and the two highest bits, what
    /// is below them is packed from the lowest bit on.
    #[test]
    fn symbols_and_bits_are_those_of_the_documents() {
        assert_eq!(written(&[0, 1, 15]), (vec![0, 1, 2, 16], vec![]));
        assert_eq!(written(&[16, 24]), (vec![0, 17, 18], vec![0]));
        assert_eq!(written(&[31, 45]), (vec![0, 18, 19], vec![0b110_1111]));
        let largest = u64::MAX;
        assert_eq!(
            written(&[largest]),
            (vec![0, SYMBOL_MAX], vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f])
        );
    }

    #[test]
    fn what_no_writer_makes_is_refused_for_what_is_wrong() {
        let read = |exponent, symbols: &[u8], bits: &[u8]| {
            let mut out = Vec::new();
            decode(exponent, symbols, bits, &mut out).map(|()| out)
        };
        assert_eq!(read(6, &[2], &[]), Ok(vec![Some(Micros(1_000_000))]));
        assert_eq!(read(7, &[2], &[]), Err(SegmentError::Invalid("the unit of durations")));
        assert_eq!(
            read(0, &[SYMBOL_MAX + 1], &[]),
            Err(SegmentError::Invalid("the symbol of a duration"))
        );
        assert_eq!(read(0, &[17], &[]), Err(SegmentError::Truncated));
        assert_eq!(
            read(0, &[17], &[0, 0]),
            Err(SegmentError::Invalid("the length of the durations"))
        );
        assert_eq!(read(6, &[SYMBOL_MAX], &[0xff; 8]), Err(SegmentError::Invalid("a duration")));
    }
}
