//! The meter on a decompressor: what went in, what came out, and when it is too much.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use crate::model::limits::{COMPRESSION_RATIO_FREE_BYTES, COMPRESSION_RATIO_MAX};

/// Why a stream was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excess {
    /// More than this many bytes.
    Bytes(u64),
    /// More output per input than any report needs.
    Ratio,
}

impl Excess {
    pub(super) fn message(self) -> String {
        match self {
            Self::Bytes(limit) => format!(
                "holds more than {} MiB decompressed, the limit; split it into smaller reports",
                limit >> 20
            ),
            Self::Ratio => format!(
                "grows more than {COMPRESSION_RATIO_MAX}-fold when decompressed, like a zip bomb; \
                 decompress it yourself if you trust it"
            ),
        }
    }
}

/// Counters shared by both ends of a decompressor; they live as long as one source is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    consumed: Rc<Cell<u64>>,
    produced: Rc<Cell<u64>>,
    excess: Rc<Cell<Option<Excess>>>,
}

impl Meter {
    /// The meter of one more stream of the same source: the ratio counts over all of them, so that
    /// many small bombs get no more room than one.
    pub(super) fn another(&self) -> Self {
        Self { excess: Rc::default(), ..self.clone() }
    }

    /// The limit that was hit, if one was.
    pub(super) fn excess(&self) -> Option<Excess> {
        self.excess.get()
    }

    /// Counts what is read from `inner` as compressed input.
    pub(super) fn input<R: Read>(&self, inner: R) -> Input<R> {
        Input { inner, consumed: Rc::clone(&self.consumed) }
    }

    /// Fails, and says so to [`Meter::excess`], once `inner` gave more than `bytes_max` or more
    /// than the ratio allows.
    pub(super) fn output<R: Read>(&self, inner: R, bytes_max: u64) -> Output<R> {
        Output { inner, meter: self.clone(), produced: 0, bytes_max }
    }
}

#[derive(Debug)]
pub(super) struct Input<R> {
    inner: R,
    consumed: Rc<Cell<u64>>,
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.consumed.set(self.consumed.get().saturating_add(count as u64));
        Ok(count)
    }
}

#[derive(Debug)]
pub(super) struct Output<R> {
    inner: R,
    meter: Meter,
    produced: u64,
    bytes_max: u64,
}

impl<R: Read> Read for Output<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.produced = self.produced.saturating_add(count as u64);
        let of_all = self.meter.produced.get().saturating_add(count as u64);
        self.meter.produced.set(of_all);
        let allowed = self.meter.consumed.get().saturating_mul(COMPRESSION_RATIO_MAX);
        let excess = if self.produced > self.bytes_max {
            Excess::Bytes(self.bytes_max)
        } else if of_all > allowed.max(COMPRESSION_RATIO_FREE_BYTES) {
            Excess::Ratio
        } else {
            return Ok(count);
        };
        self.meter.excess.set(Some(excess));
        Err(io::Error::other("a limit was reached"))
    }
}
