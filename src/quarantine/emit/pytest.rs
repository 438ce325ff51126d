//! pytest: a file of `--deselect` arguments, and node ids from what reports say.
//!
//! One argument for each line, without quotes or comments: `pytest @FILE` takes each line as it
//! is. An empty file removes nothing; ids that do not exist are ignored.

use super::pytest_plugin;
use super::request::{Expressed, Request};
use super::{Emitted, Format, TestName};

pub(super) const FORMAT: Format = Format {
    name: "pytest",
    aliases: &[],
    summary: "a file of --deselect arguments (pytest 8.2 and later)",
    usage: "pytest @FILE",
    producers: &["pytest"],
    emit,
    only: Some(pytest_plugin::ONLY),
};

fn emit(request: &Request<'_>) -> Emitted {
    let mut emitted = Emitted::default();
    let ids = request.express(node_id, &mut emitted.notes).by_word;
    for id in ids.keys() {
        emitted.text.push_str(&format!("--deselect={id}\n"));
    }
    // pytest removes every id that *starts* with the argument.
    let removes = |test: &TestName| match node_id(test) {
        Expressed::As(id) => {
            (0..=id.len()).filter_map(|end| id.get(..end)).any(|start| ids.contains_key(start))
        }
        Expressed::Not(_) => false,
    };
    let why = "--deselect takes all ids that start so; the pytest-plugin format is exact";
    request.note_collateral(removes, why, &mut emitted.notes);
    emitted
}

/// The node id: file, classes and name, joined by `::`.
pub(super) fn node_id(test: &TestName) -> Expressed {
    let not = |why: &str| Expressed::Not(why.to_owned());
    let classname = test.classname.as_str();
    if classname.is_empty() || test.name.is_empty() {
        return not("an error while collecting has no node id; leave out its file with --ignore");
    }
    if classname.contains(['/', '\\']) || classname.contains("::") {
        return not("not a test of pytest: its class name is no dotted module");
    }
    if [classname, &test.name, &test.file].iter().any(|part| part.contains(char::is_control)) {
        return not("its name has a control character");
    }
    let (path, classes) = by_file(classname, &test.file).unwrap_or_else(|| by_dots(classname));
    let classes = classes.split('.').filter(|class| !class.is_empty());
    let parts: Vec<&str> =
        std::iter::once(path.as_str()).chain(classes).chain([test.name.as_str()]).collect();
    Expressed::As(parts.join("::"))
}

/// The file and the classes where the report names a file that fits the class name.
///
/// A test inherited from a base class has the file of the base, which does not fit.
fn by_file<'a>(classname: &'a str, file: &str) -> Option<(String, &'a str)> {
    let module = file.strip_suffix(".py")?.replace('/', ".");
    let classes = classname.strip_prefix(&module)?;
    (classes.is_empty() || classes.starts_with('.')).then(|| (file.to_owned(), classes))
}

/// The file and the classes by pytest's default names: the last `test_*` or `*_test` segment is
/// the module; else classes begin at the first capital.
fn by_dots(classname: &str) -> (String, &str) {
    let segments: Vec<&str> = classname.split('.').collect();
    let is_module = |name: &str| name.starts_with("test_") || name.ends_with("_test");
    let is_class = |name: &str| name.starts_with(|c: char| c.is_ascii_uppercase());
    let modules = match segments.iter().rposition(|name| is_module(name)) {
        Some(place) => place + 1,
        // A class needs a file in front of it.
        None => {
            segments.iter().position(|name| is_class(name)).map_or(segments.len(), |n| n.max(1))
        }
    };
    let path: Vec<&str> = segments.iter().take(modules).copied().collect();
    let length = path.iter().map(|name| name.len() + 1).sum::<usize>();
    (format!("{}.py", path.join("/")), classname.get(length..).unwrap_or(""))
}
