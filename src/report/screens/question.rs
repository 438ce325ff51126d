//! The screens of answers.

use proptest::prelude::*;

use super::{Format, HOSTILE, Palette, Screen, View, inert, json, page, plain, sample, snapshots};
use crate::report::view::QuestionView;

#[test]
fn each_question_has_screens() {
    for (name, view) in sample::question::all() {
        snapshots(&format!("question_{name}"), View::Question(&view));
        insta::assert_snapshot!(format!("question_{name}_json"), json(View::Question(&view)));
        insta::assert_snapshot!(
            format!("question_{name}_csv"),
            page(View::Question(&view), Format::Csv, Screen::default()).replace('\r', "")
        );
    }
}

#[test]
fn where_there_is_nothing_an_answer_says_so() {
    let mut said = String::new();
    for (name, view) in sample::question::empty() {
        let text = plain(View::Question(&view), Some(80));
        assert!(!text.contains("\u{2500}\u{2500}"), "a table without rows: {text}");
        said += &format!("=== {name}\n{text}\n");
    }
    insta::assert_snapshot!("question_empty", said);
}

#[test]
fn rows_that_do_not_fit_are_counted() {
    let all = sample::question::all();
    let Some((_, QuestionView::Costs(view))) = all.into_iter().next() else { panic!("costs") };
    let mut view = view;
    view.tests = vec![view.tests[0].clone(); 5_000];
    let view = QuestionView::Costs(view);
    let text = plain(View::Question(&view), Some(80));
    assert!(text.contains("and 4,980 more tests\n"), "{text}");
    assert!(text.contains("--format json has all of them"), "{text}");
    let name = "test_payment_is_retried_after_a_timeout";
    assert_eq!(plain(View::Question(&view), None).matches(name).count(), 5_001, "and the hint");
    let markdown = page(View::Question(&view), Format::Markdown, Screen::default());
    assert!(markdown.contains("tests more did not fit here"));
    let csv = page(View::Question(&view), Format::Csv, Screen::default());
    assert_eq!(csv.lines().count(), 5_001);
}

#[test]
fn hostile_names_stay_text_in_every_answer() {
    for name in sample::hostile_names() {
        for (_, view) in sample::question::hostile(&name) {
            for (_, width) in super::WIDTHS {
                for format in [Format::Table, Format::Markdown] {
                    inert(&page(
                        View::Question(&view),
                        format,
                        Screen { width, palette: Palette::Plain },
                    ));
                }
            }
            let csv = page(View::Question(&view), Format::Csv, Screen::default());
            let cells = csv::Reader::from_reader(csv.as_bytes())
                .into_records()
                .flat_map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<String>>());
            for cell in cells {
                assert!(!cell.starts_with(['=', '+', '@']), "{cell}");
                inert(&cell);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_text_is_laid_out_and_inert(name in HOSTILE, width in proptest::option::of(0_u16..260)) {
        for (_, view) in sample::question::hostile(&name) {
            for format in [Format::Table, Format::Markdown] {
                inert(&page(View::Question(&view), format, Screen { width, palette: Palette::Plain }));
            }
        }
    }
}
