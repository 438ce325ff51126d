//! What generated tests are about: parts of a shop, and what should hold of them.

use crate::testkit::generators::Stream;

const MODULES: [&str; 24] = [
    "cart",
    "inventory",
    "orders",
    "prices",
    "search",
    "mail",
    "sessions",
    "payments",
    "webhooks",
    "refunds",
    "shipping",
    "taxes",
    "discounts",
    "accounts",
    "catalog",
    "reviews",
    "invoices",
    "queue",
    "cache",
    "uploads",
    "audit",
    "reports",
    "currency",
    "calendar",
];

const VERBS: [&str; 16] = [
    "keeps", "refuses", "counts", "finds", "removes", "merges", "sorts", "stores", "forgets",
    "renames", "closes", "retries", "rounds", "escapes", "splits", "returns",
];

/// Prime in number, so that every step but a multiple of it visits all.
const OBJECTS: [&str; 17] = [
    "the last piece",
    "an empty list",
    "equal goods",
    "what it never held",
    "names beyond ASCII",
    "a < b & c",
    "the \"quoted\" part",
    "its own order",
    "a job twice",
    "half a cent",
    "the oldest entry",
    "an expired key",
    "two shops at once",
    "a slow answer",
    "the first page",
    "it's owner",
    "a missing field",
];

const FAILURES: [&str; 8] = [
    "expected {a} but was {b}",
    "expected length {a}, got {b}",
    "{a} is not less than {b}",
    "missing key \"total\" in a map of {a}",
    "unexpected status {b}, wanted 200",
    "expected <ok> & got <late> after {a} ms",
    "order of {a} items differs at {b}",
    "balance is {a} cents, not {b}",
];

const ERRORS: [&str; 4] = [
    "no answer within {a} ms",
    "connection to 10.0.0.{b}:5432 was reset",
    "no free port after {a} tries",
    "setup of fixture #{b} failed",
];

const SKIPS: [&str; 3] =
    ["needs the sandbox of the payment provider", "only on Windows", "too slow without a GPU"];

/// The names of `count` modules.
pub(in crate::testkit::generators) fn modules(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|index| numbered(MODULES[index % MODULES.len()], index / MODULES.len()))
}

/// What `count` tests of one module hold, all different.
pub(in crate::testkit::generators) fn behaviours(count: usize, stream: &mut Stream) -> Vec<String> {
    let all = VERBS.len() * OBJECTS.len();
    let first = stream.below(all as u64) as usize;
    (0..count)
        .map(|index| {
            // A step prime to the number of pairs meets each of them once.
            let pair = (first + index * 19) % all;
            let text = format!("{} {}", VERBS[pair / OBJECTS.len()], OBJECTS[pair % OBJECTS.len()]);
            numbered(&text, index / all)
        })
        .collect()
}

fn numbered(text: &str, round: usize) -> String {
    if round == 0 { text.to_owned() } else { format!("{text} {}", round + 1) }
}

/// A cause that one test fails for again and again; only its numbers change.
#[derive(Debug, Clone, Copy)]
pub(in crate::testkit::generators) struct Cause(&'static str);

impl Cause {
    /// A failed assertion.
    pub(in crate::testkit::generators) fn of_failure(stream: &mut Stream) -> Self {
        Self(stream.pick(&FAILURES).copied().unwrap_or_default())
    }

    /// An error.
    pub(in crate::testkit::generators) fn of_error(stream: &mut Stream) -> Self {
        Self(stream.pick(&ERRORS).copied().unwrap_or_default())
    }

    /// The message of one failure.
    pub(in crate::testkit::generators) fn message(self, stream: &mut Stream) -> String {
        let (a, b) = (stream.integer(3, 900), stream.integer(1, 250));
        self.0.replace("{a}", &a.to_string()).replace("{b}", &b.to_string())
    }
}

/// Why a test was skipped.
pub(in crate::testkit::generators) fn skip(stream: &mut Stream) -> &'static str {
    stream.pick(&SKIPS).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testkit::generators::Source;

    #[test]
    fn names_never_repeat_even_as_identifiers() {
        let mut stream = Source::seeded(7).item("words", 0);
        let behaviours = behaviours(1000, &mut stream);
        let names = |of: fn(&str) -> String| -> BTreeSet<String> {
            behaviours.iter().map(|behaviour| of(behaviour)).collect()
        };
        assert_eq!(names(super::super::names::snake).len(), 1000);
        assert_eq!(names(super::super::names::pascal).len(), 1000);
        assert_eq!(modules(100).collect::<BTreeSet<_>>().len(), 100);
    }
}
