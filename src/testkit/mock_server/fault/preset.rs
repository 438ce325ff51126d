//! Faults by the handful: `--chaos framing,overload:0.2`.

use std::str::FromStr;
use std::time::Duration;

use super::kind::Fault;
use super::rule::FaultRule;
use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::timing::Time;

/// Faults that belong together; which of them strikes is drawn for each request. They leave the
/// server's own pages alone (`/`, by which clients see that it is up): only paths below `/api/` and
/// `/v1/` are struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// The same data in other bytes: slices, lines that go out together, CR LF, no last line end. A
    /// client that reads as the standards say gets the right answer every time.
    Framing,
    /// 503 with the real server's text, 429 with `Retry-After`.
    Overload,
    /// Resets, stalls of [`STALL_TIME`], closed connections, empty replies.
    FlakyNetwork,
}

/// How long [`Preset::FlakyNetwork`] stalls: bounded, so that a client without a time limit fails
/// slowly and not never.
pub const STALL_TIME: Duration = Duration::from_secs(5);

/// How many slices [`Preset::Framing`] makes of an answer at most: a large one (vectors, say) would
/// take seconds byte by byte.
const SLICES_MAX: u64 = 4096;

/// A `--chaos` that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChaosError {
    /// No preset of that name.
    #[error("`{0}` is no preset; there are framing, overload and flaky-network")]
    Unknown(String),
    /// No probability.
    #[error("`{0}` is no probability; it is a number from 0 to 1, as in overload:0.2")]
    Probability(String),
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Framing, Self::Overload, Self::FlakyNetwork];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Framing => "framing",
            Self::Overload => "overload",
            Self::FlakyNetwork => "flaky-network",
        }
    }

    /// How likely it strikes a request where nobody says.
    #[must_use]
    pub fn probability(self) -> f64 {
        match self {
            Self::Framing => 1.0,
            Self::Overload => 0.3,
            Self::FlakyNetwork => 0.2,
        }
    }

    /// The faults of the `n`-th time that a request is seen.
    pub(super) fn draw(self, path: &str, n: u64, chance: &Chance, name: &str) -> Vec<Fault> {
        if !path.starts_with("/api/") && !path.starts_with("/v1/") {
            return Vec::new();
        }
        let mut draw = Draw { chance, name: format!("{name} {}", self.name()), n, taken: 0 };
        match self {
            Self::Framing => framing(path, &mut draw),
            Self::Overload => match draw.below(10) {
                0..7 => vec![Fault::overloaded()],
                _ => vec![Fault::rate_limited(1 + draw.below(3))],
            },
            Self::FlakyNetwork => vec![flaky(&mut draw)],
        }
    }
}

impl FromStr for Preset {
    type Err = ChaosError;

    fn from_str(text: &str) -> Result<Self, ChaosError> {
        let name = text.trim().to_ascii_lowercase().replace('_', "-");
        let preset = Self::ALL.into_iter().find(|preset| preset.name() == name);
        preset.ok_or_else(|| ChaosError::Unknown(text.trim().to_owned()))
    }
}

/// Reads `--chaos`: names of presets with commas between them, each perhaps with a probability
/// (`overload:0.2`).
///
/// # Errors
/// [`ChaosError`] where a name or a probability is none.
pub fn chaos(text: &str) -> Result<Vec<FaultRule>, ChaosError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, probability) = match part.split_once(':') {
                None => (part, None),
                Some((name, probability)) => (name, Some(probability.trim())),
            };
            let preset: Preset = name.parse()?;
            let probability = match probability {
                None => preset.probability(),
                Some(text) => text
                    .parse()
                    .ok()
                    .filter(|probability| (0.0..=1.0).contains(probability))
                    .ok_or_else(|| ChaosError::Probability(text.to_owned()))?,
            };
            Ok(FaultRule::chaos(preset).probability(probability))
        })
        .collect()
}

/// Draws one after another, all of one request.
struct Draw<'a> {
    chance: &'a Chance,
    name: String,
    n: u64,
    taken: u64,
}

impl Draw<'_> {
    /// A number from 0 to `limit - 1`.
    fn below(&mut self, limit: u64) -> u64 {
        self.taken += 1;
        let name = format!("{} {}", self.name, self.taken);
        // The remainder favours small numbers by less than 1 in 10^15 for limits this small.
        self.chance.bits(&name, self.n) % limit.max(1)
    }
}

fn framing(path: &str, draw: &mut Draw<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if draw.below(3) == 0 {
        faults.push(Fault::Merge { frames: Some(2 + draw.below(3)) });
    }
    if draw.below(3) == 0 {
        faults.push(Fault::Crlf {});
    }
    // An event without its blank line is lost by the standard; a line of NDJSON is not.
    if path.starts_with("/api/") && draw.below(3) == 0 {
        faults.push(Fault::NoLastNewline {});
    }
    let slice = match draw.below(6) {
        0 => Some(1),
        1 => Some(7),
        2 => Some(40),
        3 => Some(4096),
        4 => Some(2 + draw.below(63)),
        _ => None,
    };
    let alone = faults.is_empty().then_some(3);
    faults.extend(slice.or(alone).map(|bytes| Fault::Slice {
        bytes,
        pause: None,
        slices: Some(SLICES_MAX),
    }));
    faults
}

fn flaky(draw: &mut Draw<'_>) -> Fault {
    match draw.below(6) {
        0 => Fault::reset(),
        1 => Fault::reset_after_bytes(draw.below(200)),
        2 => Fault::cut_after_frames(1 + draw.below(4)),
        3 => Fault::cut_after_bytes(draw.below(200)),
        4 => Fault::Stall {
            after_bytes: None,
            after_frames: Some(draw.below(4)),
            after_time: None,
            lasting: Some(Time(STALL_TIME)),
        },
        _ => Fault::Empty {},
    }
}
