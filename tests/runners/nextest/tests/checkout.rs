//! The same names in another binary: a filter that looks at names alone removes too much.

mod tests {
    #[test]
    fn settles() {
        assert_eq!(shop_cart::total(&[250, 50]), 300);
    }

    #[test]
    fn total_of_nothing() {
        assert_eq!(shop_cart::total(&[]), 0);
    }
}
