//! The screens of `hunt`.

use proptest::prelude::*;

use super::{
    Format, HOSTILE, Palette, Screen, View, WIDTHS, inert, json, page, plain, sample, snapshots,
    without_styles,
};

#[test]
fn a_flake_has_screens() {
    let view = sample::hunt::flaky();
    snapshots("hunt", View::Hunt(&view));
    insta::assert_snapshot!("hunt_json", json(View::Hunt(&view)));
    for (_, width) in WIDTHS {
        let coloured = Screen { width, palette: Palette::Colour };
        let coloured = page(View::Hunt(&view), Format::Table, coloured);
        assert_eq!(without_styles(&coloured), plain(View::Hunt(&view), width));
    }
}

#[test]
fn every_other_finding_has_its_words() {
    for (name, view) in sample::hunt::others() {
        insta::assert_snapshot!(format!("hunt_{name}"), plain(View::Hunt(&view), Some(80)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_is_laid_out_and_inert(name in HOSTILE, width in proptest::option::of(0_u16..260)) {
        let view = sample::hunt::hostile(&name);
        for format in [Format::Table, Format::Markdown] {
            inert(&page(View::Hunt(&view), format, Screen { width, palette: Palette::Plain }));
        }
    }
}
