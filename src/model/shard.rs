//! Which part of a suite a run is.

use std::fmt;
use std::num::NonZeroU32;

/// One of several parts of a suite, written `2/4`: the second of four.
///
/// ```
/// use flakedb::model::Shard;
/// let shard: Shard = "2/4".parse().unwrap();
/// assert_eq!((shard.place(), shard.all()), (1, 4));
/// assert_eq!(shard.to_string(), "2/4");
/// assert!("0/4".parse::<Shard>().is_err() && "5/4".parse::<Shard>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    place: u32,
    all: NonZeroU32,
}

/// A shard that is no part of so many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard; write the second of four shards as 2/4")]
pub struct ShardError(String);

impl Shard {
    /// The shard at `place`, from 0, of `all`; `None` where there is no such part.
    #[must_use]
    pub const fn new(place: u32, all: u32) -> Option<Self> {
        match NonZeroU32::new(all) {
            Some(all) if place < all.get() => Some(Self { place, all }),
            _ => None,
        }
    }

    /// Its place, from 0.
    #[must_use]
    pub const fn place(self) -> u32 {
        self.place
    }

    /// How many parts there are.
    #[must_use]
    pub const fn all(self) -> u32 {
        self.all.get()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place.saturating_add(1), self.all)
    }
}

impl std::str::FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let refuse = || ShardError(text.to_owned());
        let (number, all) = text.trim().split_once('/').ok_or_else(refuse)?;
        let number: u32 = number.trim().parse().map_err(|_| refuse())?;
        let all = all.trim().parse().map_err(|_| refuse())?;
        number.checked_sub(1).and_then(|place| Self::new(place, all)).ok_or_else(refuse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_counted_from_one_by_people_and_from_zero_inside() {
        let shard: Shard = " 2 / 4 ".parse().unwrap();
        assert_eq!((shard.place(), shard.all()), (1, 4));
        assert_eq!(shard.to_string(), "2/4");
        assert_eq!(Some(shard), Shard::new(1, 4));
        assert_eq!("4/4".parse::<Shard>().unwrap().place(), 3);
    }

    #[test]
    fn what_is_no_shard_is_refused_with_an_example() {
        for text in ["", "2", "0/4", "5/4", "1/0", "x/4", "1/x", "-1/4", "1/4/8"] {
            let error = text.parse::<Shard>().unwrap_err().to_string();
            assert_eq!(
                error,
                format!("`{text}` is no shard; write the second of four shards as 2/4")
            );
        }
        assert_eq!((Shard::new(4, 4), Shard::new(0, 0)), (None, None));
    }
}
