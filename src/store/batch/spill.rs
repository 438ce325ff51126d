//! Where a batch that grows large keeps what only its writing needs: in a file without a name, which
//! goes with its process.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{NewFailure, StoredText};
use crate::model::hash::{FailureId, SignatureId};

/// Bodies and failures of so many bytes stay in memory, so that no usual ingest needs a file.
const HERE_BYTES_MAX: usize = 12 << 20;
/// What is written to the file, and read from it, at once: what one report has lies together.
const BLOCK_BYTES: usize = 64 << 10;

/// What the body of a report is, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Body {
    Here(Vec<u8>),
    Away(Piece),
}

/// A failure, wherever its texts are.
#[derive(Debug, Clone)]
pub(in crate::store) enum Held {
    Here(Box<NewFailure>),
    Away(Piece),
}

impl From<NewFailure> for Held {
    fn from(failure: NewFailure) -> Self {
        Self::Here(Box::new(failure))
    }
}

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Piece {
    at: u64,
    len: usize,
}

/// The part of a batch that is not in memory.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Spill {
    here_bytes: usize,
    away: Option<Arc<Mutex<Away>>>,
    /// The file could not be made: all stays in memory.
    is_broken: bool,
}

impl Spill {
    /// Keeps the body of a report.
    pub(in crate::store) fn body(&mut self, body: Vec<u8>) -> Body {
        match self.put(body.len(), &[&body]) {
            Some(piece) => Body::Away(piece),
            None => Body::Here(body),
        }
    }

    /// Keeps a failure.
    pub(in crate::store) fn failure(&mut self, failure: NewFailure) -> Held {
        let NewFailure { id, signature, kind, message, text } = &failure;
        let bytes = kind.len() + message.len() + text.stored_bytes() + size_of::<NewFailure>();
        let (is_plain, text) = match text {
            StoredText::Plain(text) => (true, text.as_bytes()),
            StoredText::Squeezed(frame) => (false, frame.as_slice()),
        };
        let [kinds, messages] = [kind, message].map(|text| (text.len() as u64).to_le_bytes());
        let flag = [u8::from(is_plain)];
        let head: [&[u8]; 5] = [&id.0, &signature.0, &flag, &kinds, &messages];
        let texts = [kind.as_bytes(), message.as_bytes(), text];
        match self.put(bytes, &[head.as_slice(), &texts].concat()) {
            Some(piece) => Held::Away(piece),
            None => failure.into(),
        }
    }

    /// Writes what is too much for memory to the file; `None` where it may stay, or has to.
    fn put(&mut self, bytes: usize, parts: &[&[u8]]) -> Option<Piece> {
        if self.is_broken {
            return None;
        }
        if self.here_bytes + bytes <= HERE_BYTES_MAX {
            self.here_bytes += bytes;
            return None;
        }
        if self.away.is_none() {
            match tempfile::tempfile() {
                Ok(file) => self.away = Some(Arc::new(Mutex::new(Away::new(file)))),
                Err(_) => self.is_broken = true,
            }
        }
        let away = self.away.as_ref()?;
        Some(away.lock().unwrap_or_else(PoisonError::into_inner).put(parts))
    }

    /// The bytes of a body.
    ///
    /// # Errors
    /// What the system says of the file.
    pub(in crate::store) fn bytes_of<'a>(&self, body: &'a Body) -> io::Result<Cow<'a, [u8]>> {
        match body {
            Body::Here(bytes) => Ok(Cow::Borrowed(bytes)),
            Body::Away(piece) => self.read(*piece, |bytes| Some(Cow::Owned(bytes.to_vec()))),
        }
    }

    /// A failure with its texts.
    ///
    /// # Errors
    /// What the system says of the file.
    pub(in crate::store) fn failure_of<'a>(
        &self,
        held: &'a Held,
    ) -> io::Result<Cow<'a, NewFailure>> {
        match held {
            Held::Here(failure) => Ok(Cow::Borrowed(failure)),
            Held::Away(piece) => self.read(*piece, |bytes| failure_in(bytes).map(Cow::Owned)),
        }
    }

    fn read<T>(&self, piece: Piece, made: impl FnOnce(&[u8]) -> Option<T>) -> io::Result<T> {
        let away = self.away.as_ref().ok_or(ErrorKind::NotFound)?;
        let mut away = away.lock().unwrap_or_else(PoisonError::into_inner);
        made(away.get(piece)?).ok_or_else(|| ErrorKind::InvalidData.into())
    }
}

/// What [`Spill::failure`] wrote.
fn failure_in(mut bytes: &[u8]) -> Option<NewFailure> {
    let mut take = |len: usize| {
        let (part, rest) = bytes.split_at_checked(len)?;
        bytes = rest;
        Some(part)
    };
    let id = FailureId(take(16)?.try_into().ok()?);
    let signature = SignatureId(take(16)?.try_into().ok()?);
    let is_plain = take(1)? == [1];
    let mut length = || Some(u64::from_le_bytes(take(8)?.try_into().ok()?) as usize);
    let (kinds, messages) = (length()?, length()?);
    let text = |bytes: &[u8]| Some(std::str::from_utf8(bytes).ok()?.to_owned());
    let (kind, message) = (text(take(kinds)?)?, text(take(messages)?)?);
    let text = match is_plain {
        true => StoredText::Plain(text(bytes)?),
        false => StoredText::Squeezed(bytes.to_vec()),
    };
    Some(NewFailure { id, signature, kind, message, text })
}

/// The file, written from its beginning to its end and read in any order.
#[derive(Debug)]
struct Away {
    file: File,
    written: u64,
    /// What comes behind that, and cannot be written where the disk is full.
    tail: Vec<u8>,
    /// What was read last, from a place on.
    block: Vec<u8>,
    block_at: u64,
}

impl Away {
    const fn new(file: File) -> Self {
        Self { file, written: 0, tail: Vec::new(), block: Vec::new(), block_at: 0 }
    }

    fn put(&mut self, parts: &[&[u8]]) -> Piece {
        let at = self.written + self.tail.len() as u64;
        parts.iter().for_each(|part| self.tail.extend_from_slice(part));
        let len = (self.written + self.tail.len() as u64 - at) as usize;
        // What a full disk does not take stays where it is, and is tried again with what comes.
        if self.tail.len() >= BLOCK_BYTES && self.flush().is_ok() {
            self.written += self.tail.len() as u64;
            self.tail.clear();
        }
        Piece { at, len }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(&self.tail)
    }

    fn get(&mut self, Piece { at, len }: Piece) -> io::Result<&[u8]> {
        let (bytes, from) = match at.checked_sub(self.written) {
            Some(from) => (&self.tail, from),
            None => {
                let end = self.block_at + self.block.len() as u64;
                if at < self.block_at || at + len as u64 > end {
                    self.load(at, len)?;
                }
                (&self.block, at - self.block_at)
            }
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let piece = bytes.get(from..from.saturating_add(len));
        piece.ok_or_else(|| ErrorKind::UnexpectedEof.into())
    }

    fn load(&mut self, at: u64, len: usize) -> io::Result<()> {
        let most = (self.written - at).min(len.max(BLOCK_BYTES) as u64);
        self.block.clear();
        self.file.seek(SeekFrom::Start(at))?;
        (&self.file).take(most).read_to_end(&mut self.block)?;
        self.block_at = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn failure(number: usize) -> NewFailure {
        let text = match number % 2 {
            0 => StoredText::Plain("x".repeat(1 << 20)),
            _ => StoredText::Squeezed(vec![number as u8; 1 << 20]),
        };
        NewFailure {
            id: FailureId([number as u8; 16]),
            signature: SignatureId([7; 16]),
            kind: "Error".into(),
            message: format!("number {number}"),
            text,
        }
    }

    #[test]
    fn what_does_not_fit_comes_back_as_it_was() {
        let mut spill = Spill::default();
        let held: Vec<Held> = (0..20).map(|number| spill.failure(failure(number))).collect();
        let body = spill.body(vec![9; 1 << 20]);
        assert!(matches!((&held[0], &held[19]), (Held::Here(_), Held::Away(_))));
        assert!(matches!(body, Body::Away(_)));
        for (number, held) in held.iter().enumerate() {
            let (found, wanted) = (spill.failure_of(held).unwrap(), failure(number));
            assert_eq!(
                (found.id, &found.message, &found.text),
                (wanted.id, &wanted.message, &wanted.text)
            );
        }
        assert_eq!(*spill.bytes_of(&body).unwrap(), vec![9; 1 << 20]);
        let beyond = Piece { at: 1 << 40, len: 3 };
        assert!(spill.bytes_of(&Body::Away(beyond)).is_err());
        assert!(Spill::default().bytes_of(&Body::Away(beyond)).is_err());
    }

    #[test]
    fn so_many_bytes_stay_in_memory_and_not_one_more() {
        let mut spill = Spill::default();
        assert!(matches!(spill.body(vec![1; HERE_BYTES_MAX]), Body::Here(_)));
        assert!(matches!(spill.body(vec![2]), Body::Away(_)));
        assert!(matches!(Spill::default().body(vec![3; HERE_BYTES_MAX + 1]), Body::Away(_)));
    }

    #[test]
    fn a_failure_counts_with_each_of_its_texts() {
        let empty = || StoredText::Plain(String::new());
        let bare = || NewFailure {
            kind: String::new(),
            message: String::new(),
            text: empty(),
            ..failure(0)
        };
        let long = || "x".repeat(HERE_BYTES_MAX);
        for failure in [
            NewFailure { kind: long(), ..bare() },
            NewFailure { message: long(), ..bare() },
            NewFailure { text: StoredText::Plain(long()), ..bare() },
        ] {
            assert!(matches!(Spill::default().failure(failure), Held::Away(_)));
        }
        assert!(matches!(Spill::default().failure(bare()), Held::Here(_)));
    }

    #[test]
    fn small_pieces_are_written_together() {
        let mut away = Away::new(tempfile::tempfile().unwrap());
        away.put(&[&vec![1; BLOCK_BYTES - 1]]);
        assert_eq!((away.written, away.tail.len()), (0, BLOCK_BYTES - 1));
        away.put(&[&[2]]);
        assert_eq!((away.written, away.tail.len()), (BLOCK_BYTES as u64, 0));
    }

    #[test]
    fn a_disk_that_takes_nothing_loses_nothing() {
        let read_only = File::open("Cargo.toml").unwrap();
        let mut away = Away::new(read_only);
        let pieces: Vec<Piece> =
            (0..5_u8).map(|number| away.put(&[&vec![number; BLOCK_BYTES]])).collect();
        for (number, piece) in (0..5).zip(pieces) {
            assert_eq!(away.get(piece).unwrap(), vec![number; BLOCK_BYTES]);
        }
    }

    proptest! {
        #[test]
        fn pieces_read_back_in_any_order(
            lengths in vec(0..3 * BLOCK_BYTES / 2, 1..9),
            order in vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut away = Away::new(tempfile::tempfile().unwrap());
            let bytes = |place: usize| vec![place as u8; lengths[place]];
            let pieces: Vec<Piece> =
                (0..lengths.len()).map(|place| away.put(&[&bytes(place)])).collect();
            for index in order {
                let place = index.index(pieces.len());
                prop_assert_eq!(away.get(pieces[place]).unwrap(), bytes(place));
            }
        }
    }
}
