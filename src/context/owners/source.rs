//! The source file of a class, where reports name none: pytest's do so since its second JUnit family.

use std::path::{Path, PathBuf};

/// Where the classes of a language lie, and what their files end in.
const LAYOUTS: [(&str, &str); 5] = [
    ("", "py"),
    ("src/test/java", "java"),
    ("src/test/kotlin", "kt"),
    ("src/test/scala", "scala"),
    ("src/test/groovy", "groovy"),
];
/// Parts of a class name that are looked at; real ones stay below.
const PARTS_MAX: usize = 16;

/// The file below `root` that holds a class such as `tests.test_cart.TestCart` or
/// `com.acme.CartTest$Inner`, as a path from there; `None` where there is no such file.
pub(super) fn source(root: &Path, classname: &str) -> Option<String> {
    let outer = classname.split('$').next().unwrap_or_default();
    let parts: Vec<&str> = outer.split('.').collect();
    let plain = |part: &&str| {
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    };
    if parts.len() > PARTS_MAX || !parts.iter().all(plain) {
        return None;
    }
    // The longest first: what follows the file's own name are classes within it.
    (1..=parts.len()).rev().find_map(|length| {
        let name = parts.get(..length)?.join("/");
        LAYOUTS.iter().find_map(|(folder, ending)| {
            let path = PathBuf::from(folder).join(format!("{name}.{ending}"));
            let is_there = root.join(&path).is_file();
            is_there.then(|| path.to_string_lossy().replace('\\', "/"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_lies_in_the_file_that_is_there() {
        let root = tempfile::tempdir().unwrap();
        for file in ["tests/test_cart.py", "src/test/java/com/acme/CartTest.java", "secret.py"] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let inside = root.path().join("tests");
        for (root, classname, wanted) in [
            (root.path(), "tests.test_cart", Some("tests/test_cart.py")),
            (root.path(), "tests.test_cart.TestCart", Some("tests/test_cart.py")),
            (root.path(), "com.acme.CartTest$Inner", Some("src/test/java/com/acme/CartTest.java")),
            (root.path(), "tests.test_other", None),
            (root.path(), "", None),
            (root.path(), "tests/test_cart", None),
            (inside.as_path(), "...secret", None),
            (inside.as_path(), "../secret", None),
        ] {
            assert_eq!(source(root, classname).as_deref(), wanted, "{classname}");
        }
        assert_eq!(source(root.path(), &"a.".repeat(10_000)), None);
    }
}
