//! The screens of `split`.

use proptest::prelude::*;

use super::{
    Format, HOSTILE, Palette, Screen, View, WIDTHS, inert, json, page, plain, sample, snapshots,
    without_styles,
};

#[test]
fn plans_and_reviews_have_screens() {
    let (plan, review) = (sample::split::plan(), sample::split::review());
    for (name, view) in
        [("split", View::Split(&plan)), ("split_review", View::SplitReview(&review))]
    {
        snapshots(name, view);
        insta::assert_snapshot!(format!("{name}_json"), json(view));
        for (_, width) in WIDTHS {
            let coloured = page(view, Format::Table, Screen { width, palette: Palette::Colour });
            assert_eq!(without_styles(&coloured), plain(view, width));
        }
    }
    let unknown = sample::split::unknown();
    insta::assert_snapshot!("split_unknown", plain(View::Split(&unknown), Some(80)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_is_laid_out_and_inert(name in HOSTILE, width in proptest::option::of(0_u16..260)) {
        let (plan, review) = sample::split::hostile(&name);
        for format in [Format::Table, Format::Markdown] {
            for view in [View::Split(&plan), View::SplitReview(&review)] {
                inert(&page(view, format, Screen { width, palette: Palette::Plain }));
            }
        }
    }
}
