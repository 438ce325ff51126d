//! Names that people type, and orders that the history remembers.

use super::*;

fn listed(names: &[&str]) -> Vec<ListedTest> {
    let one = |name: &&str| ListedTest {
        word: format!("tests/test_a.py::{name}"),
        test: TestName {
            label: format!("tests.test_a::{name}"),
            classname: "tests.test_a".to_owned(),
            name: (*name).to_owned(),
            ..TestName::default()
        },
        group: None,
    };
    names.iter().map(one).collect()
}

#[test]
fn a_test_is_found_by_its_label_its_word_and_a_part_of_it() {
    let tests = listed(&["test_one", "test_two", "test_twofold"]);
    for typed in ["tests.test_a::test_two", "tests/test_a.py::test_two", "test_two"] {
        assert_eq!(find(&tests, typed).unwrap(), 1, "{typed}");
    }
    assert!(matches!(find(&tests, "zebra"), Err(OrderError::Unknown { .. })));
    let several = find(&tests, "_a::").unwrap_err().to_string();
    assert!(several.contains("could be 3 tests") && several.contains("test_twofold"), "{several}");
}
