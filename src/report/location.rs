//! Where a failure happened, as its text says: the line in the file of the test.
//!
//! Runners write `a.py:12`, `a.js:3:5`, `"a.py", line 12`, `a.cs:line 12` and `a.ts(12,5)`. Only a
//! place in the test's own file counts, because that is what a reviewer can look at; of several the
//! innermost call does, which Python writes last and everybody else first.

use serde::Serialize;

/// A line of a source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Location {
    /// The file, as reports name it, else relative as the failure names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, where the text has one.
    pub column: Option<u32>,
}

/// The innermost place in `text` that lies in the test's file.
///
/// Where `file` is empty, a relative path counts that the class name spells with dots, as pytest
/// does: `tests/test_cart.py` for `tests.test_cart.TestCart`. Takes linear time.
///
/// ```
/// use flakedb::report::location::find;
/// let text = "    assert 3 == 4\n\ntests/test_cart.py:12: AssertionError";
/// let found = find(text, "tests/test_cart.py", "").unwrap();
/// assert_eq!((found.file.as_str(), found.line, found.column), ("tests/test_cart.py", 12, None));
/// ```
#[must_use]
pub fn find(text: &str, file: &str, classname: &str) -> Option<Location> {
    let known = file.replace('\\', "/");
    let known = known.strip_prefix("./").unwrap_or(&known);
    let mut innermost = None;
    for line in text.lines() {
        let line = line.replace('\\', "/");
        let found = places(&line).into_iter().find_map(|place| {
            let named = match known.is_empty() {
                false => is_same_file(place.before, known).then(|| file.to_owned()),
                true => relative_path(place.before, classname),
            };
            named.map(|file| Location { file, line: place.line, column: place.column })
        });
        let Some(found) = found else { continue };
        let is_python = found.file.ends_with(".py");
        innermost = Some(found);
        if !is_python {
            break;
        }
    }
    innermost
}

/// A number that could be a line, with what stands before it.
struct Place<'a> {
    before: &'a str,
    line: u32,
    column: Option<u32>,
}

/// Everything on a line that reads like `PATH:12`, `PATH:12:5`, `PATH(12,5)` or `"PATH", line 12`.
fn places(line: &str) -> Vec<Place<'_>> {
    let mut found = Vec::new();
    for (at, mark) in line.match_indices([':', '(', ',']) {
        let (Some(before), Some(after)) = (line.get(..at), line.get(at + mark.len()..)) else {
            continue;
        };
        let before = before.trim_end_matches(['"', '\'']);
        let (after, separator) = match mark {
            ":" => (after.strip_prefix("line ").unwrap_or(after), ':'),
            "(" => (after, ','),
            _ => match after.strip_prefix(" line ") {
                Some(after) => (after, ':'),
                None => continue,
            },
        };
        let Some((number, rest)) = leading_number(after) else { continue };
        let column = rest.strip_prefix(separator).and_then(leading_number);
        found.push(Place { before, line: number, column: column.map(|(column, _)| column) });
    }
    found
}

/// The number that a text begins with, from 1, and the rest.
fn leading_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text.get(..end)?.parse().ok().filter(|number| *number > 0)?;
    Some((number, text.get(end..)?))
}

/// True where a text ends with the path of `file`, or with the end of it that has an extension.
fn is_same_file(before: &str, file: &str) -> bool {
    if let Some(rest) = before.strip_suffix(file) {
        return !rest.ends_with(|c: char| c.is_alphanumeric() || "_-.".contains(c));
    }
    let path = last_path(before);
    path.contains('.') && file.strip_suffix(path).is_some_and(|rest| rest.ends_with('/'))
}

/// The relative path at the end of a text, where a class name spells it with dots.
fn relative_path(before: &str, classname: &str) -> Option<String> {
    let path = last_path(before);
    let (stem, extension) = path.rsplit_once('.')?;
    if stem.is_empty() || stem.starts_with('/') || extension.contains('/') {
        return None;
    }
    let rest = classname.strip_prefix(stem.replace('/', ".").as_str())?;
    (rest.is_empty() || rest.starts_with('.')).then(|| path.to_owned())
}

/// The path at the end of a text: nothing in it that paths of sources do not have.
fn last_path(before: &str) -> &str {
    let path =
        before.rsplit([' ', '\t', '"', '\'', '(', ')', '[', ']', '<', '>', '|', ',', ':', '=']);
    let path = path.into_iter().next().unwrap_or_default();
    path.strip_prefix("./").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str, file: &str, classname: &str) -> Option<(String, u32, Option<u32>)> {
        find(text, file, classname).map(|place| (place.file, place.line, place.column))
    }

    #[test]
    fn reads_what_runners_write() {
        for (text, file, line, column) in [
            // pytest, unittest
            (
                "shop/cart.py:7: in total\n/ci/w/tests/a.py:12: AssertionError",
                "tests/a.py",
                12,
                None,
            ),
            ("  File \"/ci/w/tests/a.py\", line 9, in test_x\n", "tests/a.py", 9, None),
            // jest, vitest, mocha
            ("    at Object.<anonymous> (src/a.test.js:3:5)", "src/a.test.js", 3, Some(5)),
            (" ❯ src/a.test.ts:17:22", "src/a.test.ts", 17, Some(22)),
            ("    at file:///ci/w/src/a.test.ts:3:5", "src/a.test.ts", 3, Some(5)),
            // Rust
            (
                "thread 'x' panicked at tests/a.rs:12:5:\nassertion failed",
                "tests/a.rs",
                12,
                Some(5),
            ),
            ("panicked at 'no', src/lib.rs:4:9", "src/lib.rs", 4, Some(9)),
            // Go, testify: the base name alone
            ("    cart_test.go:25: got 3", "shop/cart_test.go", 25, None),
            // JUnit
            (
                "\tat shop.CartTest.total(CartTest.java:42)",
                "src/test/java/shop/CartTest.java",
                42,
                None,
            ),
            // .NET, MSBuild
            ("   at Shop.Cart() in C:\\w\\tests\\A.cs:line 31", "tests/A.cs", 31, None),
            ("tests\\A.cs(31,7): error", "tests/A.cs", 31, Some(7)),
            // RSpec, PHPUnit
            ("# ./spec/a_spec.rb:8:in `block'", "spec/a_spec.rb", 8, None),
            ("/app/tests/a b.php:12", "tests/a b.php", 12, None),
        ] {
            assert_eq!(found(text, file, ""), Some((file.to_owned(), line, column)), "{text}");
        }
    }

    #[test]
    fn of_several_the_innermost_counts() {
        let python = "tests/a.py:3: in test_x\nlib.py:9: in f\ntests/a.py:12: no";
        assert_eq!(found(python, "tests/a.py", ""), Some(("tests/a.py".to_owned(), 12, None)));
        let rust = "panicked at tests/a.rs:12:5:\n   3: it::x\n      at ./tests/a.rs:9:20";
        assert_eq!(found(rust, "tests/a.rs", ""), Some(("tests/a.rs".to_owned(), 12, Some(5))));
    }

    #[test]
    fn another_file_is_not_the_test_s() {
        for (text, file) in [
            ("shop/cart.py:7: in total", "tests/a.py"),
            ("tests/ba.py:7: x", "tests/a.py"),
            ("mytests/a.py:7: x", "tests/a.py"),
            ("tests/a.py:0: x", "tests/a.py"),
            ("tests/a.py:99999999999: x", "tests/a.py"),
            ("tests/a.py", "tests/a.py"),
            ("tests/a.pyc:3", "tests/a.py"),
            ("a:7", "tests/a"),
            (":7", "tests/a.py"),
            ("", "tests/a.py"),
        ] {
            assert_eq!(found(text, file, ""), None, "{text}");
        }
    }

    #[test]
    fn without_a_file_the_class_name_vouches_for_a_relative_path() {
        let place = Some(("tests/test_cart.py".to_owned(), 12, None));
        let text = "shop/cart.py:3: in x\ntests/test_cart.py:12: AssertionError";
        assert_eq!(found(text, "", "tests.test_cart.TestCart"), place);
        assert_eq!(found(text, "", "tests.test_cart"), place);
        for classname in ["", "tests.test_cartography", "test_cart", "other.tests.test_cart"] {
            assert_eq!(found(text, "", classname), None, "{classname}");
        }
        assert_eq!(found("/tests/test_cart.py:12: x", "", "tests.test_cart"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), file in any::<String>(), class in any::<String>()) {
            let _ = find(&text, &file, &class);
        }

        #[test]
        fn a_place_is_found_in_any_noise(
            noise in "[a-z :(),\"0-9]{0,60}",
            folder in "[a-z]{1,8}",
            name in "[a-z_]{1,12}",
            line in 1_u32..1_000_000,
            column in 1_u32..500,
            dialect in 0_usize..5,
        ) {
            let file = format!("{folder}/{name}.src");
            let place = match dialect {
                0 => format!("{file}:{line}:{column}"),
                1 => format!("/root/w/{file}:{line}:{column}: no"),
                2 => format!("at f ({file}:{line}:{column})"),
                3 => format!("{file}({line},{column}): no"),
                _ => format!("{name}.src:{line}:{column}"),
            };
            let text = format!("{noise}\n {place}\n{noise}");
            prop_assert_eq!(found(&text, &file, ""), Some((file, line, Some(column))));
        }
    }
}
