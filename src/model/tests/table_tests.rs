//! What a table of tests gives back, and how a test is printed.

use proptest::prelude::*;

use super::*;

fn test<'a>(
    suite: &'a str,
    classname: &'a str,
    name: &'a str,
    file: &'a str,
    qualified: bool,
) -> TestIdentity<'a> {
    let mut id = [0; 16];
    let hash =
        super::super::hash::KeyHasher::new("t").part(suite.as_bytes()).part(classname.as_bytes());
    id.copy_from_slice(
        &hash.part(name.as_bytes()).part(file.as_bytes()).part(&[qualified.into()]).finish::<16>(),
    );
    TestIdentity { id: TestId(id), suite, classname, name, file, qualified }
}

#[test]
fn a_test_is_printed_by_what_its_identity_needs() {
    for (suite, classname, name, file, qualified, label) in [
        ("s", "c", "n", "f", true, "c::n"),
        ("s", "c", "n", "f", false, "f::s::c::n"),
        ("s\u{1f}t", "c", "n", "", false, "s::t::c::n"),
        ("f\u{1f}t", "c", "n", "f", false, "f::t::c::n"),
        ("c\u{1f}t", "c", "n", "c", false, "t::c::n"),
        ("s", "c", "n", "c", false, "s::c::n"),
        ("s", "n", "n", "", true, "n"),
        ("", "", "n", "", false, "n"),
    ] {
        let test = test(suite, classname, name, file, qualified);
        assert_eq!(test.label(), label, "{test:?}");
        let named = TestName::of(&test);
        assert_eq!(
            (
                named.label.as_str(),
                named.suite.as_str(),
                named.classname.as_str(),
                named.name.as_str(),
                named.file.as_str()
            ),
            (label, suite, classname, name, file)
        );
    }
    assert_eq!(
        (in_variant("a", "os=x"), in_variant("a", "")),
        ("a [os=x]".to_owned(), "a".to_owned())
    );
}

proptest! {
    #[test]
    fn a_table_gives_back_each_test_once_in_order_of_its_first_appearance(
        parts in proptest::collection::vec(("[ab]{0,2}", "[ab]?", "[abc]{0,2}", "[ab]?", any::<bool>()), 0..40)
    ) {
        let tests: Vec<_> = parts.iter().map(|(s, c, n, f, q)| test(s, c, n, f, *q)).collect();
        let mut table = TestTable::default();
        let mut known: Vec<TestIdentity<'_>> = Vec::new();
        for test in &tests {
            let place = known.iter().position(|one| one == test).unwrap_or(known.len());
            if place == known.len() {
                known.push(*test);
            }
            prop_assert_eq!(table.intern(test), Ok(TestIndex(place as u32)));
        }
        prop_assert_eq!(table.iter().collect::<Vec<_>>(), known.clone());
        prop_assert_eq!((table.len(), table.is_empty()), (known.len(), known.is_empty()));
        for (place, test) in known.iter().enumerate() {
            prop_assert_eq!(table.find(test.id), Some(TestIndex(place as u32)));
            prop_assert_eq!(table.get(TestIndex(place as u32)), Some(*test));
        }
        prop_assert_eq!(table.get(TestIndex(known.len() as u32)), None);
        prop_assert_eq!(table.find(TestId([1; 16])), None);
    }
}

#[test]
fn neighbours_share_what_they_have_in_common() {
    let mut table = TestTable::default();
    for name in ["one", "two", "three"] {
        table.intern(&test("suite", "class", name, "file", true)).unwrap();
    }
    table.intern(&test("suite", "other", "one", "file", true)).unwrap();
    assert_eq!((table.text.as_str(), table.scopes.len()), ("suiteclassfileother", 2));
}

#[test]
fn neighbours_of_one_class_have_one_key_of_what_they_share() {
    let mut table = TestTable::default();
    let tests =
        [("c", "a"), ("c", "b"), ("d", "a")].map(|(class, name)| test("s", class, name, "f", true));
    let places = tests.map(|test| table.intern(&test).unwrap());
    let keys = places.map(|place| table.key(place).unwrap());
    assert_eq!(keys.map(|(id, _)| id), tests.map(|test| test.id));
    let [a, b, other] = keys.map(|(_, scope)| scope);
    assert!(a == b && b != other);
    assert_eq!(table.key(TestIndex(3)), None);
}
