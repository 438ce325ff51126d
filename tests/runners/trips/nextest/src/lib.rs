//! A second binary, with a name of the first.

#[cfg(test)]
mod tests {
    #[test]
    fn plain() {}

    #[test]
    fn settles_at_the_second_attempt() {
        let first = std::env::var("NEXTEST_ATTEMPT").as_deref() == Ok("1");
        assert!(!(first && std::env::var_os("TRIP_FLAKY").is_some()));
    }
}

#[cfg(test)]
#[test]
fn plain() {}
