//! How far two texts are apart, in slips of the hand.

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other,
/// if at most `allowed` (optimal string alignment).
#[must_use]
pub fn edit_distance(typed: &[char], text: &str, allowed: usize) -> Option<usize> {
    let count = text.chars().count();
    if count.abs_diff(typed.len()) > allowed || allowed == 0 {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    let mut last: Option<char> = None;
    for (line, c) in text.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(line + 1);
        for (column, &t) in typed.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX);
            let replaced = at(&row, column).saturating_add(usize::from(c != t));
            let inserted = at(&row, column + 1).saturating_add(1);
            let deleted = at(&next, column).saturating_add(1);
            let swapped = match column.checked_sub(1) {
                Some(left) if typed.get(left) == Some(&c) && last == Some(t) => {
                    at(&before, left).saturating_add(1)
                }
                _ => usize::MAX,
            };
            next.push(replaced.min(inserted).min(deleted).min(swapped));
        }
        if next.iter().min().is_some_and(|&least| least > allowed) {
            return None;
        }
        before = std::mem::replace(&mut row, next);
        last = Some(c);
    }
    row.last().copied().filter(|&errors| errors <= allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, without limits or early ends.
    fn plain_distance(a: &[char], b: &[char]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                table[i][j] = if i == 0 || j == 0 {
                    i + j
                } else {
                    let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(table[i - 2][j - 2] + 1);
                    }
                    best
                };
            }
        }
        table[a.len()][b.len()]
    }

    proptest! {
        #[test]
        fn the_distance_is_its_definition(a in "[ab:]{0,9}", b in "[ab:]{0,9}", allowed in 1_usize..5) {
            let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let plain = plain_distance(&x, &y);
            prop_assert_eq!(edit_distance(&x, &b, allowed), (plain <= allowed).then_some(plain));
        }
    }

    #[test]
    fn where_no_slip_is_allowed_nothing_is_near() {
        assert_eq!(edit_distance(&['a'], "a", 0), None);
        assert_eq!(edit_distance(&['a'], "a", 1), Some(0));
    }
}
