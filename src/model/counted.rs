//! Counts as people read them.

/// A count with its noun, which takes an s: `1 run`, `12 runs`.
///
/// ```
/// use flakedb::model::counted;
/// assert_eq!([0_u32, 1, 2].map(|count| counted(count, "run")), ["0 runs", "1 run", "2 runs"]);
/// ```
#[must_use]
pub fn counted(count: impl Into<u64>, noun: &str) -> String {
    match count.into() {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_thing_alone_takes_no_s() {
        let counts = [0_u32, 1, 2, 1_000].map(|count| counted(count, "test"));
        assert_eq!(counts, ["0 tests", "1 test", "2 tests", "1000 tests"]);
    }
}
