//! Edits by hand, and laws.

use proptest::prelude::*;

use super::*;
use crate::quarantine::list::{Pattern, Target};

const FILE: &str = r#"# The team's list.
# Ask @qa before you add to it.

# comes and goes with the network
[[entry]]
test = "a::first"     # see wiki
owner = "@net"
expires = 2026-12-01  # sharp

[[entry]]
test = "c::third"
# a remark inside
expires = "2026-12-02"


[[never]]
pattern = "pay::*"
reason = "money"
# the end
"#;

fn test_entry(label: &str) -> Entry {
    Entry::new(Target::Test(label.into()))
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn an_entry_goes_where_the_order_says_and_all_else_stays() {
    let entry = Entry {
        owner: Some("@team".into()),
        since: Some(day("2026-11-26")),
        expires: Some(day("2026-12-10")),
        variant: "os=win".parse().unwrap(),
        ..test_entry("b::second \"x\"")
    };
    let text = edit(FILE, &[Edit::Add(entry)]).unwrap();
    let new = "\n[[entry]]\ntest = 'b::second \"x\"'\nvariant = \"os=win\"\nowner = \"@team\"\n\
               since = 2026-11-26\nexpires = 2026-12-10\n";
    assert_eq!(text, FILE.replace("# sharp\n", &format!("# sharp\n{new}")));
    let first = edit(FILE, &[Edit::Add(test_entry("a"))]).unwrap();
    assert_eq!(first, FILE.replace("# comes", "[[entry]]\ntest = \"a\"\n\n# comes"));
    let last = edit(FILE, &[Edit::Add(test_entry("d"))]).unwrap();
    assert_eq!(
        last,
        FILE.replace("\"2026-12-02\"\n\n\n", "\"2026-12-02\"\n\n[[entry]]\ntest = \"d\"\n\n")
    );
}

#[test]
fn an_entry_goes_with_the_comment_above_it_and_nothing_else() {
    let text = edit(FILE, &[Edit::Remove(0)]).unwrap();
    let (head, rest) = (FILE.find("# comes").unwrap(), FILE.find("[[entry]]\ntest = \"c").unwrap());
    assert_eq!(text, format!("{}{}", &FILE[..head], &FILE[rest..]));
    let text = edit(FILE, &[Edit::Remove(1)]).unwrap();
    let (head, rest) =
        (FILE.find("[[entry]]\ntest = \"c").unwrap(), FILE.find("[[never]]").unwrap());
    assert_eq!(text, format!("{}{}", &FILE[..head], &FILE[rest..]));
    // What stands at the top is about the file, even right above the first entry.
    let top = "# about the list\n[[entry]]\ntest = \"a\"\n";
    assert_eq!(edit(top, &[Edit::Remove(0)]).unwrap(), "# about the list\n");
}

#[test]
fn an_extension_changes_two_values() {
    let later = Edit::Extend { at: 0, expires: day("2027-01-01"), evidence: Some("3 of 9".into()) };
    let text = edit(FILE, &[later]).unwrap();
    let wanted = FILE.replace(
        "expires = 2026-12-01  # sharp\n",
        "expires = 2027-01-01  # sharp\nevidence = \"3 of 9\"\n",
    );
    assert_eq!(text, wanted);
    let later = Edit::Extend { at: 1, expires: day("2027-01-01"), evidence: None };
    assert_eq!(edit(FILE, &[later]).unwrap(), FILE.replace("\"2026-12-02\"", "2027-01-01"));
}

#[test]
fn a_file_made_from_nothing_is_tidy() {
    let entries = ["b", "a"].map(|label| Edit::Add(test_entry(label)));
    let text = edit("", &entries).unwrap();
    assert_eq!(text, format!("{HEADER}\n[[entry]]\ntest = \"a\"\n\n[[entry]]\ntest = \"b\"\n"));
    assert_eq!(text, render(&parse(&text).unwrap()));
}

#[test]
fn line_endings_of_windows_stay() {
    let file = FILE.replace('\n', "\r\n");
    for edits in [vec![Edit::Add(test_entry("b"))], vec![Edit::Remove(0)], vec![Edit::Remove(1)]] {
        let text = edit(&file, &edits).unwrap();
        assert_eq!(text, edit(FILE, &edits).unwrap().replace('\n', "\r\n"), "{edits:?}");
    }
}

#[test]
fn what_is_no_list_is_not_touched() {
    assert!(edit("[[entry]]\ntst = \"a\"\n", &[Edit::Remove(0)]).is_err());
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let text = prop::option::of("[a-z@#\"'\\\\= \u{1}\n\\[\\]]{1,9}");
    let date = prop::option::of(0_u64..1000);
    (
        "[a-d:\"'\\\\#\\[\\] é]{1,6}",
        any::<bool>(),
        text.clone(),
        text,
        date,
        prop::option::of("[a-z]=[a-z]"),
    )
        .prop_map(|(name, pattern, owner, reason, date, variant)| {
            let target = match pattern {
                true => Target::Pattern(Pattern::new(name)),
                false => Target::Test(name),
            };
            // What the reader trims does not come back.
            let filled = |text: Option<String>| {
                text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
            };
            Entry {
                owner: filled(owner),
                reason: filled(reason),
                since: date.map(|days| day("2026-01-01") + chrono::Days::new(days)),
                expires: date.map(|days| day("2026-01-15") + chrono::Days::new(days)),
                variant: variant.unwrap_or_default().parse().unwrap(),
                ..Entry::new(target)
            }
        })
}

fn without_lines(list: &List) -> List {
    let mut list = list.clone();
    list.entries.iter_mut().for_each(|entry| entry.line = 0);
    list.always.iter_mut().chain(&mut list.never).for_each(|rule| rule.line = 0);
    list
}

proptest! {
    #[test]
    fn what_is_written_is_what_was_meant(
        start in prop::collection::vec(any_entry(), 0..5),
        added in prop::collection::vec(any_entry(), 0..4),
        removed in prop::collection::btree_set(0_usize..5, 0..3),
        remark in "(\n|# [a-z]{0,5}\n){0,4}",
        rule in any::<bool>(),
    ) {
        let reason = || "so".to_owned();
        let target = || Target::Pattern(Pattern::new("x*"));
        let never = rule.then(|| Rule { line: 0, target: target(), reason: reason() });
        let mut list = List { entries: start, never: never.into_iter().collect(), ..List::default() };
        let text = render(&list).replace("[[entry]]", &format!("{remark}[[entry]]"));
        prop_assert_eq!(without_lines(&parse(&text).unwrap()), list.clone());
        let mut edits: Vec<Edit> = removed.iter().map(|at| Edit::Remove(*at)).collect();
        edits.extend(added.iter().cloned().map(Edit::Add));
        let after = edit(&text, &edits).unwrap();
        let count = list.entries.len();
        for at in removed.iter().rev().filter(|at| **at < count) {
            list.entries.remove(*at);
        }
        for entry in added {
            list.entries.insert(list.place_for(&entry), entry);
        }
        prop_assert_eq!(without_lines(&parse(&after).unwrap()), list, "{}\nbecame\n{}", text, after);
    }

    #[test]
    fn no_text_makes_an_edit_panic(text in "([\\[\\]#=\"a\n ]|entry|test|never){0,40}", at in 0_usize..3) {
        let later = Edit::Extend { at, expires: day("2026-01-01"), evidence: Some("x".into()) };
        let _ = edit(&text, &[Edit::Remove(at), later, Edit::Add(test_entry("a"))]);
    }
}

#[test]
fn a_text_of_several_lines_is_written_on_one_with_what_can_be_read_as_it_is() {
    assert_eq!(quoted("é \"a\"\\\n\r\tb\u{1}"), "\"é \\\"a\\\"\\\\\\n\\r\\tb\\u0001\"");
    assert_eq!(quoted("plain"), "\"plain\"");
}
