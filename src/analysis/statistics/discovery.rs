//! Many tests of significance at once, and which of them may be believed together.
//!
//! Y. Benjamini and Y. Hochberg, *Journal of the Royal Statistical Society B* 57, 1995: of the
//! results whose adjusted p-value (q) is at most 5 %, on average at most 5 % are chance.

/// All p-values of one family of questions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Family {
    /// Those that are known, in ascending order.
    known: Vec<f64>,
    /// The adjusted value of each, so that asking for many of them stays cheap.
    adjusted: Vec<f64>,
    /// How many questions there are, known or not; what is not known counts as 1.
    size: usize,
}

impl Family {
    /// A family of these p-values, and of `open` further questions that nobody answered yet.
    #[must_use]
    pub fn new(mut known: Vec<f64>, open: usize) -> Self {
        known.sort_by(f64::total_cmp);
        let size = known.len() + open;
        Self { adjusted: adjusted(&known, size), known, size }
    }

    /// The p-values that are known, in ascending order.
    #[must_use]
    pub fn known(&self) -> &[f64] {
        &self.known
    }

    /// How many questions it has.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Answers some of its open questions.
    pub fn answer(&mut self, p: impl IntoIterator<Item = f64>) {
        self.known.extend(p);
        self.known.sort_by(f64::total_cmp);
        self.size = self.size.max(self.known.len());
        self.adjusted = adjusted(&self.known, self.size);
    }

    /// The adjusted value of a p-value of this family: the smallest rate of false discoveries at
    /// which it is still one.
    #[must_use]
    pub fn q(&self, p: f64) -> f64 {
        let place = self.known.partition_point(|known| *known < p);
        self.adjusted.get(place).copied().unwrap_or(1.0)
    }
}

/// The adjusted values of p-values in ascending order: each the smallest of those from its own on.
fn adjusted(known: &[f64], size: usize) -> Vec<f64> {
    let mut lowest = 1.0;
    let mut values: Vec<f64> = known
        .iter()
        .enumerate()
        .rev()
        .map(|(place, known)| {
            lowest = f64::min(lowest, known * size as f64 / (place as f64 + 1.0));
            lowest
        })
        .collect();
    values.reverse();
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_paper() {
        // The 15 p-values of their section 3.2; at 5 % the first four are discoveries.
        let paper = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0,
        ];
        let family = Family::new(paper.to_vec(), 0);
        assert_eq!(paper.iter().filter(|p| family.q(**p) <= 0.05).count(), 4);
        // scipy: false_discovery_control(ps)[3].
        assert!((family.q(0.0095) - 0.035_625).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_answered_counts_against_the_rest() {
        let mut family = Family::new(vec![0.01, 0.02], 2);
        assert_eq!((family.size(), family.q(0.02)), (4, 0.04));
        family.answer([0.001]);
        assert_eq!((family.size(), family.q(0.001)), (4, 0.004));
        assert_eq!(Family::default().q(0.5), 1.0);
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(ps in prop::collection::vec(0.0_f64..1.0, 1..40), open in 0_usize..20) {
            let family = Family::new(ps.clone(), open);
            // Reject p(1) to p(k) for the largest k with p(k) <= k q / m.
            let mut sorted = ps.clone();
            sorted.sort_by(f64::total_cmp);
            let m = (ps.len() + open) as f64;
            for q in [0.01, 0.05, 0.2, 0.8] {
                let last = sorted.iter().enumerate().filter(|(k, p)| **p <= (*k as f64 + 1.0) * q / m);
                let limit = last.map(|(_, p)| *p).next_back();
                for p in &ps {
                    prop_assert_eq!(family.q(*p) <= q, limit.is_some_and(|limit| *p <= limit));
                }
            }
        }
    }
}
