//! `quarantine.toml`: read strictly, edited without loss, and said in the words of every runner.

use chrono::NaiveDate;
use flakedb::model::TestName;
use flakedb::quarantine::emit::{EmitEntry, FORMATS, emit, select};
use flakedb::quarantine::list::{Edit, Entry, List, Target, edit, events, parse, render};

/// More entries than this are the same again, and the edits cost time by their square.
const ENTRIES_MAX: usize = 30;

/// The text of a file.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let list = match parse(&text) {
        Ok(list) => list,
        Err(error) => {
            assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1, "{error:?}");
            assert!(error.column >= 1 && !error.message.is_empty(), "{error:?}");
            return;
        }
    };
    if list.entries.len() > ENTRIES_MAX {
        return;
    }
    let day = NaiveDate::from_ymd_opt(2026, 11, 27).unwrap();
    written_again(&list);
    edited(&text, &list, day);
    let names: Vec<TestName> = list.entries.iter().map(name).collect();
    for test in &names {
        let _ = list.cover(test, "os=linux", day);
        let _ = list.cover(test, &text, day);
    }
    let entries: Vec<EmitEntry> = names.iter().cloned().map(EmitEntry::of).collect();
    for format in FORMATS {
        let emitted = emit(format, &entries, &names);
        let _ = emit(format, &entries, &[]);
        assert!(!emitted.text.contains('\u{1b}'), "{}: an escape is a terminal's", format.name);
        let _ = select(format, &names, &names);
    }
    let _ = events(&[None, Some(list.clone()), Some(List::default())], true, &|_| true);
}

/// A name such as reports have it: a class and what follows it.
fn name(entry: &Entry) -> TestName {
    let label = entry.target.as_str();
    let (classname, name) = label.rsplit_once("::").unwrap_or(("", label));
    TestName {
        label: label.to_owned(),
        classname: classname.to_owned(),
        name: name.to_owned(),
        ..TestName::default()
    }
}

/// The list without its places in the text.
fn plain(list: &List) -> List {
    let mut list = list.clone();
    list.entries.iter_mut().for_each(|entry| entry.line = 0);
    list.always.iter_mut().chain(&mut list.never).for_each(|rule| rule.line = 0);
    list
}

fn written_again(list: &List) {
    let written = render(list);
    let again = parse(&written).unwrap_or_else(|error| panic!("{error}:\n{written}"));
    assert_eq!(plain(&again), plain(list), "{written}");
}

/// Each edit changes what it means and nothing else, or is refused.
fn edited(text: &str, list: &List, day: NaiveDate) {
    let new = Entry { owner: Some("@x".into()), ..Entry::new(Target::Test("a::new\u{7}".into())) };
    if let Ok(added) = edit(text, &[Edit::Add(new.clone())]) {
        let mut wanted = plain(list);
        wanted.entries.insert(list.place_for(&new), new);
        assert_eq!(plain(&parse(&added).unwrap()), wanted, "{text:?} became {added:?}");
    }
    for at in 0..list.entries.len() {
        if let Ok(less) = edit(text, &[Edit::Remove(at)]) {
            let mut wanted = plain(list);
            wanted.entries.remove(at);
            assert_eq!(plain(&parse(&less).unwrap()), wanted, "{text:?} became {less:?}");
        }
        let extend = Edit::Extend { at, expires: day, evidence: Some("3 of 9\n\"".into()) };
        if let Ok(longer) = edit(text, &[extend]) {
            let mut wanted = plain(list);
            wanted.entries[at].expires = Some(day);
            wanted.entries[at].evidence = Some("3 of 9\n\"".into());
            assert_eq!(plain(&parse(&longer).unwrap()), wanted, "{text:?} became {longer:?}");
        }
    }
}
