//! Shares as people read them.

/// A share as a percentage that never rounds to 0 or 100 what is not: `12`, `0.4`, `99.6`, `>99.9`.
///
/// Shares below 0 and above 1 count as these.
///
/// ```
/// use flakedb::model::percent;
/// assert_eq!([0.0, 0.119, 0.052, 0.996].map(percent), ["0", "12", "5.2", "99.6"]);
/// ```
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share.clamp(0.0, 1.0) * 100.0;
    match percent {
        p if p.is_nan() => "?".to_owned(),
        p if p > 0.0 && p < 0.1 => "<0.1".to_owned(),
        p if p > 99.9 && p < 100.0 => ">99.9".to_owned(),
        p if (9.95..=99.0).contains(&p) => format!("{:.0}", p.round()),
        p => format!("{p:.1}").trim_end_matches(".0").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_called_so() {
        for (share, wanted) in [
            (0.0, "0"),
            (0.000_2, "<0.1"),
            (0.001, "0.1"),
            (0.004, "0.4"),
            (0.05, "5"),
            (0.099_4, "9.9"),
            (0.099_6, "10"),
            (0.119, "12"),
            (0.125, "13"),
            (0.99, "99"),
            (0.991, "99.1"),
            (0.996, "99.6"),
            (0.999, "99.9"),
            (0.999_1, ">99.9"),
            (1.0, "100"),
            (1.5, "100"),
            (-1.0, "0"),
            (f64::NAN, "?"),
        ] {
            assert_eq!(percent(share), wanted, "{share}");
        }
    }
}
