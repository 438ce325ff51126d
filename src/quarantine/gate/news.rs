//! What is new about a test that failed or was retried: did this change bring it?

use crate::model::Lane;

/// So many failures in a row on the default branch are a breakage there, whatever was before.
const BROKEN_RUNS: u32 = 2;

/// What one earlier run says about the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastResult {
    /// The lane of the run.
    pub lane: Lane,
    /// Whether it tested the change at hand, so that its failures may come from that very change.
    pub this_change: bool,
    /// Whether it tested the same revision.
    pub this_revision: bool,
    /// Whether the test failed in the end.
    pub bad: bool,
    /// Whether the test passed only after a failure.
    pub flaky: bool,
}

/// What is new about a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The history cannot say.
    Unknown,
    /// It failed or was retried before, where this change was not.
    KnownFlaky {
        /// In so many runs.
        bad: u32,
        /// Of so many.
        runs: u32,
    },
    /// It fails on the default branch as well.
    KnownBroken {
        /// In so many runs there until now.
        runs: u32,
    },
    /// It never failed but with this change.
    NewFailure,
    /// It failed and passed with this change, and never failed without.
    NewFlake,
}

impl News {
    /// The stable word of JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::KnownFlaky { .. } => "known-flaky",
            Self::KnownBroken { .. } => "known-broken",
            Self::NewFailure => "new-failure",
            Self::NewFlake => "new-flake",
        }
    }

    /// True where this change brought it, as far as the history tells.
    #[must_use]
    pub const fn is_new(self) -> bool {
        matches!(self, Self::NewFailure | Self::NewFlake)
    }

    /// In words, to stand behind a test.
    #[must_use]
    pub fn text(self) -> String {
        let runs = |n: u32| if n == 1 { "1 run".to_owned() } else { format!("{n} runs") };
        match self {
            Self::Unknown => "the history cannot say whether it is new".to_owned(),
            Self::KnownFlaky { bad, runs: all } => {
                format!("known: failed before, in {bad} of {}", runs(all))
            }
            Self::KnownBroken { runs: 1 } => {
                "known: the last run on the default branch failed as well".to_owned()
            }
            Self::KnownBroken { runs: n } => {
                format!("known: the last {} on the default branch failed as well", runs(n))
            }
            Self::NewFailure => "new: it never failed without this change".to_owned(),
            Self::NewFlake => {
                "new: it failed and passed with this change, and never failed without".to_owned()
            }
        }
    }
}

/// What is new about a test, by its earlier results in its variant, oldest first; `failing` is
/// false for one that passed on a retry.
#[must_use]
pub fn tell(past: &[PastResult], failing: bool) -> News {
    let elsewhere: Vec<&PastResult> = past.iter().filter(|result| !result.this_change).collect();
    let bad = elsewhere.iter().filter(|result| result.bad || result.flaky).count() as u32;
    let on_default = past.iter().rev().filter(|result| result.lane == Lane::Default);
    let broken = on_default.take_while(|result| result.bad).count() as u32;
    let passed_here = past.iter().any(|result| result.this_revision && !result.bad);
    match (failing, broken, bad) {
        (true, BROKEN_RUNS.., _) => News::KnownBroken { runs: broken },
        // The only failure that is known, and it is the last thing that happened there.
        (true, 1, _) if bad <= 1 => News::KnownBroken { runs: 1 },
        (_, _, 1..) => News::KnownFlaky { bad, runs: elsewhere.len() as u32 },
        (true, _, 0) if !passed_here => News::NewFailure,
        (_, _, 0) => News::NewFlake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `.` passed, `F` failed, `r` retried on the default branch; lower case letters `p`, `f` and
    /// `q` the same on other branches; `P`, `X` and `R` passed, failed and retried with this change,
    /// `=` passed on this very revision.
    fn past(strip: &str) -> Vec<PastResult> {
        strip
            .chars()
            .map(|mark| PastResult {
                lane: if ".Fr".contains(mark) { Lane::Default } else { Lane::Change },
                this_change: "PXR=".contains(mark),
                this_revision: mark == '=',
                bad: "FfX".contains(mark),
                flaky: "rqR".contains(mark),
            })
            .collect()
    }

    #[test]
    fn what_happened_before_tells_what_is_new() {
        use News::{KnownBroken, KnownFlaky, NewFailure, NewFlake};
        for (strip, failing, wanted) in [
            ("", true, NewFailure),
            ("", false, NewFlake),
            ("....", true, NewFailure),
            ("....", false, NewFlake),
            // Failures with this change alone are this change's.
            ("....XX", true, NewFailure),
            ("....RX", false, NewFlake),
            // It passed on this revision.
            ("....=", true, NewFlake),
            ("....XP", true, NewFailure),
            // Seen elsewhere.
            ("..F.", true, KnownFlaky { bad: 1, runs: 4 }),
            ("..F.", false, KnownFlaky { bad: 1, runs: 4 }),
            ("..r.X", true, KnownFlaky { bad: 1, runs: 4 }),
            ("..f.", true, KnownFlaky { bad: 1, runs: 4 }),
            ("..q.", true, KnownFlaky { bad: 1, runs: 4 }),
            ("..F.=", true, KnownFlaky { bad: 1, runs: 4 }),
            // Broken on the default branch.
            ("..FF", true, KnownBroken { runs: 2 }),
            ("F..FFF", true, KnownBroken { runs: 3 }),
            ("..FFpp", true, KnownBroken { runs: 2 }),
            ("...F", true, KnownBroken { runs: 1 }),
            ("...FX", true, KnownBroken { runs: 1 }),
            ("F..F", true, KnownFlaky { bad: 2, runs: 4 }),
            ("f..F", true, KnownFlaky { bad: 2, runs: 4 }),
            ("..FF", false, KnownFlaky { bad: 2, runs: 4 }),
            ("...F", false, KnownFlaky { bad: 1, runs: 4 }),
            // A retried pass there is no breakage.
            ("..Fr", true, KnownFlaky { bad: 2, runs: 4 }),
        ] {
            assert_eq!(tell(&past(strip), failing), wanted, "{strip} {failing}");
        }
    }

    #[test]
    fn words_say_which() {
        let all = [
            (News::Unknown, "unknown", false, "cannot say"),
            (News::KnownFlaky { bad: 1, runs: 1 }, "known-flaky", false, "in 1 of 1 run"),
            (News::KnownFlaky { bad: 2, runs: 9 }, "known-flaky", false, "in 2 of 9 runs"),
            (News::KnownBroken { runs: 1 }, "known-broken", false, "the last run on"),
            (News::KnownBroken { runs: 3 }, "known-broken", false, "the last 3 runs on"),
            (News::NewFailure, "new-failure", true, "never failed without"),
            (News::NewFlake, "new-flake", true, "failed and passed"),
        ];
        for (news, word, new, part) in all {
            assert_eq!((news.word(), news.is_new()), (word, new));
            assert!(news.text().contains(part), "{}", news.text());
        }
    }
}
