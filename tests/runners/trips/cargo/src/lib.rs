//! Tests whose names begin with each other's, in modules, in two binaries and in documentation.

/// Adds.
///
/// ```
/// assert_eq!(shop_till::add(1, 1), 2);
/// ```
pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

/// Adds one.
///
/// ```
/// assert_eq!(shop_till::add_one(1), 2);
/// ```
pub fn add_one(a: i32) -> i32 {
    add(a, 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn adds() {}
    #[test]
    fn adds_two() {}
    #[test]
    fn größe() {}
    mod deep {
        #[test]
        fn adds() {}
        #[test]
        fn ends() {}
    }
}

#[cfg(test)]
#[test]
fn top() {}

#[cfg(test)]
#[test]
fn top_two() {}
