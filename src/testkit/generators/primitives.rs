//! Random primitives: texts, numbers, truths, times.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::generate::{Generate, LENGTH_MAX, sizes};
use super::invalid::{Checked, Invalid, of_kind};
use super::source::Stream;
use crate::testkit::nodes::field::Kind;
use crate::testkit::nodes::{Rule, Violation};

/// When generated data begins: 2026-01-01T00:00:00Z. Generators never ask the clock.
pub const EPOCH_SECONDS: i64 = 1_767_225_600;
/// How long generated times go on after that: thirty days.
pub const SPAN_SECONDS: i64 = 30 * 24 * 60 * 60;

pub(super) const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub(super) const ALPHANUMERIC: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Stream {
    /// `length` characters of an alphabet in ASCII.
    pub(super) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).filter_map(|_| self.pick(alphabet).copied().map(char::from)).collect()
    }

    /// A time in the thirty days from [`EPOCH_SECONDS`], in whole milliseconds.
    pub(super) fn moment(&mut self) -> DateTime<Utc> {
        let bits = self.below(SPAN_SECONDS as u64 * 1_000) as i64;
        DateTime::from_timestamp_millis(EPOCH_SECONDS * 1_000 + bits).unwrap_or_default()
    }
}

/// Writes the trait for a primitive that one kind of field describes.
macro_rules! checked {
    ($($name:ident => |$this:ident| $kind:expr;)+) => {
        $(impl Checked for $name {
            fn violations(&self, value: &Value) -> Vec<Violation> {
                let $this = self;
                $kind.violations(value)
            }

            fn spoiled(&self, good: &Value) -> Vec<Invalid> {
                let $this = self;
                of_kind(&$kind, good)
            }
        })+
    };
}

pub(super) use checked;

checked! {
    Strings => |this| Kind::Length(this.length.0, this.length.1);
    Integers => |this| Kind::Integer(this.range.0, this.range.1);
    Floats => |this| Kind::Number(this.range.0, this.range.1);
    Booleans => |_this| Kind::Boolean;
    Timestamps => |_this| Kind::Time;
}

/// Texts of letters, A to Z and a to z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strings {
    length: (usize, usize),
}

/// Texts of letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphanumerics {
    length: (usize, usize),
}

impl Default for Strings {
    /// Ten characters.
    fn default() -> Self {
        Self { length: (10, 10) }
    }
}

impl Default for Alphanumerics {
    /// Ten characters.
    fn default() -> Self {
        Self { length: (10, 10) }
    }
}

impl Strings {
    /// Ten characters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many characters, both ends included, at most [`LENGTH_MAX`].
    #[must_use]
    pub fn length(self, least: usize, greatest: usize) -> Self {
        Self { length: sizes(least, greatest, LENGTH_MAX) }
    }
}

impl Alphanumerics {
    /// Ten characters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many characters, both ends included, at most [`LENGTH_MAX`].
    #[must_use]
    pub fn length(self, least: usize, greatest: usize) -> Self {
        Self { length: sizes(least, greatest, LENGTH_MAX) }
    }
}

impl Generate for Strings {
    type Output = String;
    const KIND: &'static str = "string";

    fn generate(&self, stream: &mut Stream) -> String {
        let length = stream.size(self.length);
        stream.text(LETTERS, length)
    }
}

impl Generate for Alphanumerics {
    type Output = String;
    const KIND: &'static str = "alphanumeric";

    fn generate(&self, stream: &mut Stream) -> String {
        let length = stream.size(self.length);
        stream.text(ALPHANUMERIC, length)
    }
}

impl Checked for Alphanumerics {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        let mut found = Kind::Length(self.length.0, self.length.1).violations(value);
        if let Some(other) =
            value.as_str().and_then(|text| text.chars().find(|c| !c.is_ascii_alphanumeric()))
        {
            let message = format!("{other:?} is neither a letter nor a digit");
            found.push(Violation::new(Rule::BadCharacter, "", message));
        }
        found
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        let mut found = of_kind(&Kind::Length(self.length.0, self.length.1), good);
        if self.length.1 > 0 {
            let rest = good.as_str().unwrap_or_default().chars().skip(1);
            let value = std::iter::once('-').chain(rest).collect::<String>();
            found.push(Invalid::new(Rule::BadCharacter, "", json!(value)));
        }
        found
    }
}

/// Whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integers {
    range: (i64, i64),
}

impl Default for Integers {
    /// From 0 to 1,000.
    fn default() -> Self {
        Self { range: (0, 1_000) }
    }
}

impl Integers {
    /// From 0 to 1,000.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From `least` to `greatest`, both included.
    #[must_use]
    pub fn range(self, least: i64, greatest: i64) -> Self {
        Self { range: (least, greatest.max(least)) }
    }
}

impl Generate for Integers {
    type Output = i64;
    const KIND: &'static str = "integer";

    fn generate(&self, stream: &mut Stream) -> i64 {
        stream.integer(self.range.0, self.range.1)
    }
}

/// Numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Floats {
    range: (f64, f64),
}

impl Default for Floats {
    /// From 0 to 1.
    fn default() -> Self {
        Self { range: (0.0, 1.0) }
    }
}

impl Floats {
    /// From 0 to 1.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From `least` to `greatest`; what is no number counts as 0.
    #[must_use]
    pub fn range(self, least: f64, greatest: f64) -> Self {
        let number = |bound: f64| if bound.is_finite() { bound } else { 0.0 };
        let (least, greatest) = (number(least), number(greatest));
        Self { range: (least, greatest.max(least)) }
    }
}

impl Generate for Floats {
    type Output = f64;
    const KIND: &'static str = "float";

    fn generate(&self, stream: &mut Stream) -> f64 {
        let (least, greatest) = self.range;
        let share = stream.uniform();
        // In this form the difference of two great numbers cannot overflow; rounding may go one
        // step beyond.
        (least * (1.0 - share) + greatest * share).clamp(least, greatest)
    }
}

/// True or false.
#[derive(Debug, Clone, PartialEq)]
pub struct Booleans {
    probability: f64,
}

impl Default for Booleans {
    /// Each as often as the other.
    fn default() -> Self {
        Self { probability: 0.5 }
    }
}

impl Booleans {
    /// Each as often as the other.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// True with this probability.
    #[must_use]
    pub fn probability(self, probability: f64) -> Self {
        Self { probability }
    }
}

impl Generate for Booleans {
    type Output = bool;
    const KIND: &'static str = "boolean";

    fn generate(&self, stream: &mut Stream) -> bool {
        stream.chance(self.probability)
    }
}

/// Times by RFC 3339, in whole seconds. They do not depend on the clock: by default they are in
/// January 2026.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamps {
    seconds: (i64, i64),
}

impl Default for Timestamps {
    /// The thirty days from [`EPOCH_SECONDS`].
    fn default() -> Self {
        Self { seconds: (EPOCH_SECONDS, EPOCH_SECONDS + SPAN_SECONDS - 1) }
    }
}

impl Timestamps {
    /// The thirty days from [`EPOCH_SECONDS`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From `first` to `last`, both included.
    #[must_use]
    pub fn between(self, first: DateTime<Utc>, last: DateTime<Utc>) -> Self {
        Self { seconds: (first.timestamp(), last.timestamp().max(first.timestamp())) }
    }
}

impl Generate for Timestamps {
    type Output = String;
    const KIND: &'static str = "timestamp";

    fn generate(&self, stream: &mut Stream) -> String {
        let seconds = stream.integer(self.seconds.0, self.seconds.1);
        let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        time.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}
