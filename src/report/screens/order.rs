//! The screens of `hunt --order`.

use proptest::prelude::*;

use super::{
    Format, HOSTILE, Palette, Screen, View, WIDTHS, inert, json, page, plain, sample, snapshots,
    without_styles,
};

#[test]
fn a_dependence_has_screens() {
    let view = sample::order::proven();
    snapshots("order", View::Order(&view));
    insta::assert_snapshot!("order_json", json(View::Order(&view)));
    for (_, width) in WIDTHS {
        let coloured = Screen { width, palette: Palette::Colour };
        let coloured = page(View::Order(&view), Format::Table, coloured);
        assert_eq!(without_styles(&coloured), plain(View::Order(&view), width));
    }
}

#[test]
fn every_other_finding_of_an_order_has_its_words() {
    for (name, view) in sample::order::others() {
        insta::assert_snapshot!(format!("order_{name}"), plain(View::Order(&view), Some(80)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_of_an_order_is_inert(name in HOSTILE, width in proptest::option::of(0_u16..260)) {
        let view = sample::order::hostile(&name);
        for format in [Format::Table, Format::Markdown] {
            inert(&page(View::Order(&view), format, Screen { width, palette: Palette::Plain }));
        }
    }
}
