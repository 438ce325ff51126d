//! What every generator can do.

use super::source::{Source, Stream};

/// The most letters of a text and items of a list that builders make; those that are asked for more
/// stay there.
pub const LENGTH_MAX: usize = 1_000_000;
/// The most words, nodes, edges, messages, turns, texts, tests and modules.
pub const COUNT_MAX: usize = 100_000;

/// A range of sizes, both ends included, that goes no further than `most`.
pub(super) fn sizes(least: usize, greatest: usize, most: usize) -> (usize, usize) {
    (least.min(most), greatest.max(least).min(most))
}

/// A generator: what it makes depends on its settings and the stream alone.
///
/// ```
/// use flakedb::testkit::generators::{Generate, Source, Stream};
///
/// /// Throws of a die.
/// struct Dice;
///
/// impl Generate for Dice {
///     type Output = i64;
///     const KIND: &'static str = "dice";
///
///     fn generate(&self, stream: &mut Stream) -> i64 {
///         stream.integer(1, 6)
///     }
/// }
///
/// let throws = Dice.batch(3, &mut Source::seeded(7));
/// assert_eq!(throws, Dice.batch(3, &mut Source::seeded(7)));
/// ```
pub trait Generate {
    /// What it makes.
    type Output;
    /// The kind of data: items of one kind share a stream of their own.
    const KIND: &'static str;

    /// Makes one.
    fn generate(&self, stream: &mut Stream) -> Self::Output;

    /// The next one of a source.
    fn one(&self, source: &mut Source) -> Self::Output {
        self.generate(&mut source.take(Self::KIND, 1).next().unwrap_or_else(|| {
            // A source of 2^64 items has begun again.
            source.item(Self::KIND, 0)
        }))
    }

    /// The next `count` of a source.
    fn batch(&self, count: usize, source: &mut Source) -> Vec<Self::Output> {
        source.take(Self::KIND, count as u64).map(|mut stream| self.generate(&mut stream)).collect()
    }
}
