//! A suite whose truth is known: see ../../README.md for what each test does in which run.

/// The sum of the prices, in cents.
pub fn total(cents: &[u64]) -> u64 {
    cents.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::total;

    const FAILS_IN_ALL_ATTEMPTS: [u32; 3] = [3, 6, 8];
    const PASSES_ON_RETRY: [u32; 3] = [2, 5, 9];

    fn number(variable: &str) -> u32 {
        std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
    }

    /// Stands for a slow worker: too late in some runs, late only at first in others.
    fn settle() -> &'static str {
        let run = number("SUITE_RUN");
        let late = FAILS_IN_ALL_ATTEMPTS.contains(&run)
            || (PASSES_ON_RETRY.contains(&run) && number("NEXTEST_ATTEMPT") == 1);
        if late { "pending" } else { "settled" }
    }

    #[test]
    fn total_of_nothing() {
        assert_eq!(total(&[]), 0);
    }

    #[test]
    fn settles() {
        assert_eq!(settle(), "settled", "order {} after 200 ms", number("SUITE_RUN"));
    }

    #[test]
    fn settles_twice() {
        assert_eq!(total(&[1, 2]), 3);
    }

    #[test]
    fn rounding_is_broken() {
        assert_eq!(format!("{:.2}", 2.675_f64), "2.68");
    }

    #[test]
    #[ignore = "needs the payment sandbox"]
    fn refund() {
        panic!("never run");
    }
}
