//! Failure texts at rest: short ones as text, so that people can read them with any client, long
//! ones as a zstd frame.

use std::cell::RefCell;

use zstd::bulk::Compressor;

use crate::model::limits::STORED_TEXT_BYTES_MAX;

/// Stack traces shrink to a third or less. The next level, which gives each text a code for its
/// characters, would make them a sixth smaller and take twice as long, 5 % of an ingest.
const LEVEL: i32 = -1;
/// Shorter texts gain less than a frame's header costs.
const WORTHWHILE_BYTES: usize = 128;

thread_local! {
    // Setting up a compressor costs more than compressing one text.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> =
        RefCell::new(Compressor::new(LEVEL).ok());
}

/// A failure text as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredText {
    /// As it is; empty where there is none.
    Plain(String),
    /// A zstd frame that records its size.
    Squeezed(Vec<u8>),
}

/// A stored text that is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored text of a failure cannot be decompressed")]
pub struct TextDamaged;

impl StoredText {
    /// Compresses where that saves space.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text.len() < WORTHWHILE_BYTES || text.len() > STORED_TEXT_BYTES_MAX {
            return Self::Plain(text.to_owned());
        }
        COMPRESSOR
            .with_borrow_mut(|zstd| {
                zstd.as_mut().and_then(|zstd| zstd.compress(text.as_bytes()).ok())
            })
            .filter(|frame| frame.len() < text.len())
            .map_or_else(
                || Self::Plain(text.to_owned()),
                |mut frame| {
                    frame.shrink_to_fit();
                    Self::Squeezed(frame)
                },
            )
    }

    /// How many bytes are stored.
    #[must_use]
    pub const fn stored_bytes(&self) -> usize {
        match self {
            Self::Plain(text) => text.len(),
            Self::Squeezed(frame) => frame.len(),
        }
    }

    /// The text again.
    ///
    /// # Errors
    /// [`TextDamaged`] where the frame is broken, too large or not UTF-8.
    pub fn read(self) -> Result<String, TextDamaged> {
        let frame = match self {
            Self::Plain(text) => return Ok(text),
            Self::Squeezed(frame) => frame,
        };
        let size = zstd::zstd_safe::get_frame_content_size(&frame)
            .ok()
            .flatten()
            .and_then(|size| usize::try_from(size).ok())
            .filter(|&size| size <= STORED_TEXT_BYTES_MAX)
            .ok_or(TextDamaged)?;
        let bytes = zstd::bulk::decompress(&frame, size).map_err(|_| TextDamaged)?;
        String::from_utf8(bytes).map_err(|_| TextDamaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_back_and_long_ones_shrink() {
        let long = "  at Example.method(Example.java:17)\n".repeat(40);
        for text in ["", "short", "ä\u{1f600}", &long] {
            assert_eq!(StoredText::of(text).read().unwrap(), text);
        }
        let StoredText::Squeezed(frame) = StoredText::of(&long) else { panic!("left as it was") };
        assert!(frame.len() * 10 < long.len());
    }

    #[test]
    fn damage_is_an_error() {
        for bytes in [&b""[..], b"no frame", &[0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff]] {
            assert_eq!(StoredText::Squeezed(bytes.to_vec()).read(), Err(TextDamaged));
        }
    }

    #[test]
    fn what_compression_would_not_save_stays_as_it_is() {
        let plain = |text: &str| StoredText::of(text) == StoredText::Plain(text.to_owned());
        assert!(plain(&"x".repeat(WORTHWHILE_BYTES - 1)));
        assert!(!plain(&"x".repeat(WORTHWHILE_BYTES)));
        assert!(plain(&"x".repeat(STORED_TEXT_BYTES_MAX + 1)));
        assert!(!plain(&"x".repeat(STORED_TEXT_BYTES_MAX)));
        // Nothing repeats here, so that a frame would be longer than the text.
        let mut noise = blake3::Hasher::new().finalize_xof();
        let mut bytes = vec![0; WORTHWHILE_BYTES.max(400)];
        noise.fill(&mut bytes);
        let text: String = bytes
            .iter()
            .map(|byte| char::from_u32(0x4e00 + u32::from(*byte) * 80).unwrap())
            .collect();
        assert_eq!(StoredText::of(&text).read().unwrap(), text);
    }
}
