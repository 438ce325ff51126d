//! Direction: whether a window, or a test, gets better, or only looks so.

use serde::Serialize;

use super::statistics::counts::{LnFactorials, Table};

/// A difference between halves that chance makes no more often than this is one, in billionths:
/// rounding must not tell one table of exactly 5 % from another.
const LEVEL: u64 = 50_000_000;
const BILLION: f64 = 1e9;

/// Where a share of failures goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Fewer fail than before.
    Better,
    /// More fail than before.
    Worse,
    /// What differs may be chance.
    #[default]
    Unclear,
}

impl Direction {
    /// The word used in JSON and CSV.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Unclear => "unclear",
        }
    }

    /// Compares the older half with the newer, each as (failed, all): Fisher's exact test, two
    /// sided, at the 5 % level.
    ///
    /// ```
    /// use flakedb::analysis::direction::Direction;
    /// assert_eq!(Direction::between((12, 60), (2, 60)), Direction::Better);
    /// assert_eq!(Direction::between((3, 25), (2, 26)), Direction::Unclear);
    /// ```
    #[must_use]
    pub fn between(older: (u32, u32), newer: (u32, u32)) -> Self {
        let all = older.1.saturating_add(newer.1);
        Self::by(&LnFactorials::up_to(all), older, newer)
    }

    /// The same by factorials that reach at least to the number of all.
    pub(super) fn by(factorials: &LnFactorials, older: (u32, u32), newer: (u32, u32)) -> Self {
        let all = older.1.saturating_add(newer.1);
        let marked = older.0.saturating_add(newer.0);
        let table = Table { hits: newer.0, drawn: newer.1, marked, all };
        if (factorials.either_way(table) * BILLION).round() as u64 > LEVEL {
            return Self::Unclear;
        }
        // The larger share, without dividing by an empty half.
        let (before, after) =
            (u64::from(older.0) * u64::from(newer.1), u64::from(newer.0) * u64::from(older.1));
        match before.cmp(&after) {
            std::cmp::Ordering::Greater => Self::Better,
            std::cmp::Ordering::Less => Self::Worse,
            std::cmp::Ordering::Equal => Self::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_may_be_chance_has_no_direction() {
        for (older, newer, wanted) in [
            ((0, 0), (0, 0), Direction::Unclear),
            ((1, 2), (0, 2), Direction::Unclear),
            // By hand: 2 * C(5,0) * C(5,5) / C(10,5) = 2/252.
            ((5, 5), (0, 5), Direction::Better),
            ((0, 5), (5, 5), Direction::Worse),
            // By hand: 2 * (C(4,4) * C(4,0)) / C(8,4) = 2/70, C(8,4) = 70.
            ((4, 4), (0, 4), Direction::Better),
            // By hand: 2 * 1/20 = 0.1.
            ((3, 3), (0, 3), Direction::Unclear),
        ] {
            assert_eq!(Direction::between(older, newer), wanted, "{older:?} {newer:?}");
        }
    }

    #[test]
    fn a_difference_of_exactly_the_level_is_one_whichever_way_time_goes() {
        // By hand: 1/20, C(4,2) / C(16,2) = 6/120 and C(6,2) / C(25,2) = 15/300.
        for (less, more) in [((0, 19), (1, 1)), ((2, 14), (2, 2)), ((4, 23), (2, 2))] {
            assert_eq!(Direction::between(less, more), Direction::Worse, "{less:?} {more:?}");
            assert_eq!(Direction::between(more, less), Direction::Better, "{less:?} {more:?}");
        }
        // 1/19 is more than 5 %.
        assert_eq!(Direction::between((0, 18), (1, 1)), Direction::Unclear);
    }

    #[test]
    fn the_word_is_that_of_json() {
        for direction in [Direction::Better, Direction::Worse, Direction::Unclear] {
            assert_eq!(serde_json::to_value(direction).unwrap(), direction.word());
        }
    }

    proptest! {
        #[test]
        fn time_turned_round_turns_the_direction(a in 0_u32..40, b in 0_u32..40, more_a in 0_u32..40, more_b in 0_u32..40) {
            let (older, newer) = ((a, a + more_a), (b, b + more_b));
            let turned = match Direction::between(newer, older) {
                Direction::Better => Direction::Worse,
                Direction::Worse => Direction::Better,
                Direction::Unclear => Direction::Unclear,
            };
            prop_assert_eq!(Direction::between(older, newer), turned);
        }
    }
}
