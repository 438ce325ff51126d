//! A test as one text, as people and other tools write it, to the names that JUnit XML has.

use crate::junit::identity::{Explained, RawIdentity, identify};
use crate::model::tests::LABEL_SEPARATOR;

/// The producer where nothing tells.
pub(super) const UNKNOWN: &str = "unknown";
/// pytest, and what it calls its only suite.
pub(super) const PYTEST: &str = "pytest";

/// The test that a text names.
///
/// `path/to/test_a.py::TestX::test_y[a]` is a node id of pytest and becomes what pytest's own JUnit
/// XML says; anything else is `classname::name`, cut at the first `::`, as flakedb prints it.
pub(super) fn identify_text(text: &str) -> Explained {
    if is_node_id(text) {
        return identify_node_id(text);
    }
    let (classname, name) = match text.split_once(LABEL_SEPARATOR) {
        Some((classname, name)) if !name.trim().is_empty() => (classname, name),
        _ => ("", text),
    };
    identify(&RawIdentity { producer: UNKNOWN, classname, name, ..RawIdentity::default() })
}

/// True for what pytest calls a test: a Python file, and something in it.
pub(super) fn is_node_id(text: &str) -> bool {
    let (path, _) = text.split_once('[').unwrap_or((text, ""));
    path.split_once(LABEL_SEPARATOR).is_some_and(|(file, name)| {
        file.ends_with(".py") && !name.is_empty() && !file.contains(char::is_control)
    })
}

/// The identity that pytest's JUnit XML gives to a node id (`mangle_test_address`).
pub(super) fn identify_node_id(node_id: &str) -> Explained {
    let open = node_id.find('[').unwrap_or(node_id.len());
    let (path, parameters) = node_id.split_at(open);
    let mut names: Vec<&str> = path.split(LABEL_SEPARATOR).collect();
    let last = names.pop().unwrap_or_default();
    let mut classname = String::new();
    for (place, name) in names.iter().enumerate() {
        match place {
            0 => classname.push_str(&module(name)),
            _ => {
                classname.push('.');
                classname.push_str(name);
            }
        }
    }
    // A file that could not be collected is a test without a class.
    let name = if names.is_empty() { module(last) } else { last.to_owned() };
    identify(&RawIdentity {
        producer: PYTEST,
        suites: &[PYTEST],
        classname: &classname,
        name: &format!("{name}{parameters}"),
        ..RawIdentity::default()
    })
}

fn module(file: &str) -> String {
    let dotted = file.replace('/', ".");
    dotted.strip_suffix(".py").map(str::to_owned).unwrap_or(dotted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_what_junit_xml_would_say() {
        for (text, classname, name) in [
            ("tests/unit/test_a.py::TestX::test_y[a]", "tests.unit.test_a.TestX", "test_y[a]"),
            ("tests/test_a.py::test_y[x::y/z.py]", "tests.test_a", "test_y[x::y/z.py]"),
            ("test_a.py::test_y", "test_a", "test_y"),
            ("mod01::test_0005", "mod01", "test_0005"),
            ("shop.cart.CartTest::adds", "shop.cart.CartTest", "adds"),
            ("demo::tests::it_works", "demo", "tests::it_works"),
            ("alone", "", "alone"),
            ("odd::", "", "odd::"),
        ] {
            let test = identify_text(text);
            assert_eq!((&*test.classname, &*test.name), (classname, name), "{text}");
        }
    }
}
