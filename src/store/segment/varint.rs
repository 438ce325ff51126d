//! Numbers of variable length, and a cursor that never reads past the end.

use super::SegmentError;

/// Appends `value` as LEB128: seven bits a byte, lowest first, the top bit set on all but the last.
pub(super) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Maps small negative numbers to small positive ones: 0, -1, 1, -2 become 0, 1, 2, 3.
pub(super) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Reads numbers and stretches of bytes from the front of a slice.
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], SegmentError> {
        let (head, tail) = self.rest.split_at_checked(length).ok_or(SegmentError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, SegmentError> {
        let (&first, tail) = self.rest.split_first().ok_or(SegmentError::Truncated)?;
        self.rest = tail;
        Ok(first)
    }

    pub(super) fn varint(&mut self) -> Result<u64, SegmentError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(SegmentError::Invalid("a number longer than 64 bits"))
    }

    /// A varint that must stay below or at `max`; `what` names it in the error.
    pub(super) fn bounded(
        &mut self,
        max: usize,
        what: &'static str,
    ) -> Result<usize, SegmentError> {
        usize::try_from(self.varint()?)
            .ok()
            .filter(|&value| value <= max)
            .ok_or(SegmentError::Invalid(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_overlong_ones_are_refused() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            assert_eq!(Cursor::new(&bytes).varint().unwrap(), value);
        }
        assert!(Cursor::new(&[0xff; 11]).varint().is_err());
        assert!(Cursor::new(&[0x80]).varint().is_err());
        for value in [0, -1, 1, i64::MIN, i64::MAX] {
            assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    /// The examples of the DWARF standard (LEB128) and of the protocol buffers' manual (zigzag).
    #[test]
    fn numbers_are_written_as_the_standards_say() {
        for (value, wanted) in [
            (2, &[0x02][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (129, &[0x81, 0x01]),
            (12_857, &[0xb9, 0x64]),
            (624_485, &[0xe5, 0x8e, 0x26]),
        ] {
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            assert_eq!(bytes, wanted, "{value}");
        }
        for (value, wanted) in [
            (0, 0),
            (-1, 1),
            (1, 2),
            (-2, 3),
            (0x7fff_ffff, 0xffff_fffe),
            (-0x8000_0000, 0xffff_ffff),
        ] {
            assert_eq!(zigzag(value), wanted, "{value}");
            assert_eq!(unzigzag(wanted), value, "{wanted}");
        }
    }

    #[test]
    fn the_tenth_byte_holds_one_bit() {
        let mut bytes = [0x80; 10];
        bytes[9] = 1;
        assert_eq!(Cursor::new(&bytes).varint().unwrap(), 1 << 63);
        for last in [2, 3, 0x7f, 0x81] {
            bytes[9] = last;
            assert!(Cursor::new(&bytes).varint().is_err(), "a tenth byte of {last:#x}");
        }
    }

    #[test]
    fn a_cursor_takes_what_is_there_and_no_more() {
        let mut cursor = Cursor::new(&[3, 4, 5]);
        assert_eq!(cursor.bounded(3, "a size").unwrap(), 3);
        assert_eq!(cursor.bounded(3, "a size"), Err(SegmentError::Invalid("a size")));
        assert_eq!(cursor.rest(), [5]);
        assert_eq!(cursor.take(2), Err(SegmentError::Truncated));
        assert_eq!(cursor.take(1).unwrap(), [5]);
        assert_eq!(cursor.byte(), Err(SegmentError::Truncated));
        assert!(cursor.take(0).unwrap().is_empty());
    }
}
