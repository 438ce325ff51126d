//! The screens of `run --workers`.

use proptest::prelude::*;

use super::{
    Format, HOSTILE, Palette, Screen, View, WIDTHS, inert, json, page, plain, sample, snapshots,
    without_styles,
};

#[test]
fn several_workers_have_screens() {
    let view = sample::workers::plain();
    snapshots("workers", View::Workers(&view));
    let troubled = sample::workers::troubled("tests.test_crash::test_segfault");
    snapshots("workers_troubled", View::Workers(&troubled));
    insta::assert_snapshot!("workers_json", json(View::Workers(&troubled)));
    for (_, width) in WIDTHS {
        let coloured = Screen { width, palette: Palette::Colour };
        let coloured = page(View::Workers(&troubled), Format::Table, coloured);
        assert_eq!(without_styles(&coloured), plain(View::Workers(&troubled), width));
    }
}

#[test]
fn a_cause_is_only_possible_where_nothing_was_run_alone() {
    insta::assert_snapshot!(plain(View::Workers(&sample::workers::untried()), Some(80)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_is_laid_out_and_inert(name in HOSTILE, width in proptest::option::of(0_u16..260)) {
        let view = sample::workers::troubled(&name);
        for format in [Format::Table, Format::Markdown] {
            inert(&page(View::Workers(&view), format, Screen { width, palette: Palette::Plain }));
        }
    }
}
