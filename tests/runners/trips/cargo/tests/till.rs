#[test]
fn top() {}

#[test]
fn opens() {}

mod tests {
    #[test]
    fn adds() {}
    #[test]
    fn closes() {}
}
