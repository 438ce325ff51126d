//! The name that was meant where an unknown one was written.

use crate::model::edit_distance;

/// The nearest of the known names, where one is near enough to be meant.
#[must_use]
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = folded(name).chars().collect();
    // Half of a name wrong is another name; two slips are one word mistyped.
    let allowed = (name.len() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter_map(|candidate| {
            Some((edit_distance(&name, &folded(candidate), allowed)?, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean x?`, or nothing.
#[must_use]
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |meant| format!("; did you mean {meant}?"))
}

/// Lower case, and without what separates words: `numCtx` and `num-ctx` mean `num_ctx`.
fn folded(name: &str) -> String {
    const CHARS_MAX: usize = 64;
    name.chars()
        .filter(|char| !matches!(char, '_' | '-' | '.' | ' '))
        .flat_map(char::to_lowercase)
        .take(CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_name_that_was_meant_is_found_and_no_other() {
        let known = ["num_ctx", "num_predict", "temperature", "top_k", "top_p", "stop"];
        for (written, meant) in [
            ("temprature", Some("temperature")),
            ("temperatuer", Some("temperature")),
            ("Temperature", Some("temperature")),
            ("numCtx", Some("num_ctx")),
            ("num-predict", Some("num_predict")),
            ("num_predictt", Some("num_predict")),
            ("top", Some("top_k")),
            ("", None),
            ("max_tokens", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written, known), meant, "{written}");
        }
    }

    #[test]
    fn a_swap_of_neighbours_is_one_slip() {
        assert_eq!(nearest("ab", ["ba"]), Some("ba"));
        assert_eq!(nearest("abc", ["cba"]), None);
    }
}
