//! How long answers take, in nominal time: seeded distributions.
//!
//! Every draw is a pure function of a [`Chance`], a name and an index, and gives the same nanosecond
//! on every machine: the standard library's `exp` and `ln` may differ in their last bit from one
//! platform to the next, so the distributions go by `normal` and the `libm` crate, which are plain
//! Rust over the exactly rounded operations of IEEE 754.

mod normal;
mod spelling;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::chance::Chance;
pub use spelling::{Time, TimeError};

/// The longest span that can be set or drawn: a day. Longer ones are slips of units.
pub const SPAN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// A span of time, fixed or drawn.
///
/// In JSON and TOML: a number of milliseconds (`250`), a text with a unit (`"1.5s"`),
/// `{"uniform": [100, 300]}`, `{"lognormal": {"median": "200ms", "sigma": 0.4, "max": "2s"}}` or
/// `{"normal": {"mean": 50, "deviation": 10}}`.
#[derive(Debug, Clone, PartialEq)]
pub enum Span {
    /// Always the same.
    Fixed(Duration),
    /// Anything from `lower` to `upper`, all alike.
    Uniform {
        /// The shortest.
        lower: Duration,
        /// The longest.
        upper: Duration,
    },
    /// Mostly near the median, now and then far above it, as services answer.
    Lognormal {
        /// Half of the draws are shorter.
        median: Duration,
        /// Standard deviation of the logarithm: 0.1 is narrow, 1 wide.
        sigma: f64,
        /// Draws above this are this.
        max: Option<Duration>,
    },
    /// Around a mean; draws below zero are zero.
    Normal {
        /// The middle.
        mean: Duration,
        /// Standard deviation.
        deviation: Duration,
    },
}

impl Default for Span {
    fn default() -> Self {
        Self::Fixed(Duration::ZERO)
    }
}

impl From<Duration> for Span {
    fn from(span: Duration) -> Self {
        Self::Fixed(span)
    }
}

impl Span {
    /// Anything from `lower` to `upper`, all alike.
    #[must_use]
    pub fn uniform(lower: Duration, upper: Duration) -> Self {
        Self::Uniform { lower, upper: upper.max(lower) }
    }

    /// Mostly near `median`, now and then far above it; `sigma` as in [`Span::Lognormal`].
    #[must_use]
    pub fn lognormal(median: Duration, sigma: f64) -> Self {
        Self::Lognormal { median, sigma, max: None }
    }

    /// Around `mean`.
    #[must_use]
    pub fn normal(mean: Duration, deviation: Duration) -> Self {
        Self::Normal { mean, deviation }
    }

    /// The `index`-th value under `name`, at most [`SPAN_MAX`].
    #[must_use]
    pub fn draw(&self, chance: &Chance, name: &str, index: u64) -> Duration {
        match self {
            Self::Fixed(span) => (*span).min(SPAN_MAX),
            Self::Uniform { .. } | Self::Lognormal { .. } | Self::Normal { .. } => {
                self.quantile(open_uniform(chance.bits(name, index)))
            }
        }
    }

    /// The span that a share of `at` (in `(0, 1)`) of all draws stays below, at most [`SPAN_MAX`].
    #[must_use]
    pub fn quantile(&self, at: f64) -> Duration {
        match self {
            Self::Fixed(span) => (*span).min(SPAN_MAX),
            Self::Uniform { lower, upper } => {
                let (lower, upper) = (nanoseconds(*lower), nanoseconds(*upper));
                duration(lower + at * (upper - lower))
            }
            Self::Lognormal { median, sigma, max } => {
                let drawn = nanoseconds(*median) * libm::exp(sigma * normal::quantile(at));
                duration(drawn).min(max.unwrap_or(SPAN_MAX))
            }
            Self::Normal { mean, deviation } => {
                duration(nanoseconds(*mean) + nanoseconds(*deviation) * normal::quantile(at))
            }
        }
    }
}

/// A number in `(0, 1)`, both ends left out: each of 2^52 is as likely as another.
fn open_uniform(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

fn nanoseconds(span: Duration) -> f64 {
    span.min(SPAN_MAX).as_nanos() as f64
}

/// A span of so many nanoseconds; below zero and not a number are zero.
fn duration(nanoseconds: f64) -> Duration {
    // The conversion saturates, and rounds only what is already whole.
    Duration::from_nanos(nanoseconds.round() as u64).min(SPAN_MAX)
}

/// How long the parts of an answer take. What is not set is not waited for.
///
/// In JSON and TOML `ttft` is another name of `first_token`, and `tokens_per_second` stands for its
/// inverse, `per_token`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "spelling::SpelledTiming", into = "spelling::SpelledTiming")]
pub struct Timing {
    /// Before anything of the answer.
    pub latency: Option<Span>,
    /// From there to the first token (reading the prompt).
    pub first_token: Option<Span>,
    /// For each token after the first.
    pub per_token: Option<Span>,
    /// How far each of `first_token` and `per_token` strays from what it would be, as a share of
    /// it from 0 to 1: 0.2 is up to 20 % more or less.
    pub jitter: Option<f64>,
}

impl Timing {
    /// `self`, with what it does not set taken from `base`.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self {
            latency: self.latency.clone().or_else(|| base.latency.clone()),
            first_token: self.first_token.clone().or_else(|| base.first_token.clone()),
            per_token: self.per_token.clone().or_else(|| base.per_token.clone()),
            jitter: self.jitter.or(base.jitter),
        }
    }

    /// How long this request waits before anything of its answer.
    #[must_use]
    pub fn latency_of(&self, chance: &Chance) -> Duration {
        self.latency.as_ref().map_or(Duration::ZERO, |span| span.draw(chance, "latency", 0))
    }

    /// How long it is from there to the first token of this request.
    #[must_use]
    pub fn first_token_of(&self, chance: &Chance) -> Duration {
        let span = self.first_token.as_ref();
        let drawn = span.map_or(Duration::ZERO, |span| span.draw(chance, "first_token", 0));
        self.jittered(drawn, chance, "first_token jitter", 0)
    }

    /// How long the `index`-th token (from 1: the one after the first) of this request takes.
    #[must_use]
    pub fn token_of(&self, chance: &Chance, index: u64) -> Duration {
        let span = self.per_token.as_ref();
        let drawn = span.map_or(Duration::ZERO, |span| span.draw(chance, "per_token", index));
        self.jittered(drawn, chance, "per_token jitter", index)
    }

    fn jittered(&self, span: Duration, chance: &Chance, name: &str, index: u64) -> Duration {
        match self.jitter {
            Some(share) if share > 0.0 && !span.is_zero() => {
                let side = 2.0 * open_uniform(chance.bits(name, index)) - 1.0;
                duration(nanoseconds(span) * (1.0 + share * side))
            }
            _ => span,
        }
    }
}
