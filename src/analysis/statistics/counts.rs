//! Two-by-two tables of counts: the hypergeometric distribution and Fisher's exact test.
//!
//! Of `all` draws `marked` have a mark; `drawn` of them are looked at, and `hits` of these have it.
//! Given the margins, the number of hits is hypergeometric where mark and choice are independent
//! (R. A. Fisher, *The Design of Experiments*, 1935, chapter 2): exact for any counts, so that it
//! needs no rule of thumb about small cells.

/// Logarithms of factorials up to a largest number, so that a probability costs a few additions.
#[derive(Debug, Clone, PartialEq)]
pub struct LnFactorials(Vec<f64>);

/// A table of two margins and one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Table {
    /// Looked at and marked.
    pub hits: u32,
    /// Looked at.
    pub drawn: u32,
    /// Marked.
    pub marked: u32,
    /// All there are.
    pub all: u32,
}

impl Table {
    /// Two series over the draws that both have: `ran` and `failed` are bits, one for each draw; hits
    /// are draws that are marked in both, among those marked in the first and in the second.
    ///
    /// ```
    /// use flakedb::analysis::statistics::counts::Table;
    /// let (first, second) = ((&[0b1111], &[0b0011]), (&[0b0111], &[0b0110]));
    /// let table = Table::of_both((first.0, first.1), (second.0, second.1));
    /// assert_eq!(table, Table { hits: 1, drawn: 2, marked: 2, all: 3 });
    /// ```
    #[must_use]
    pub fn of_both(first: (&[u64], &[u64]), second: (&[u64], &[u64])) -> Self {
        let mut table = Self { hits: 0, drawn: 0, marked: 0, all: 0 };
        let words = first.0.iter().zip(first.1).zip(second.0.iter().zip(second.1));
        for ((ran, failed), (other_ran, other_failed)) in words {
            table.all += (ran & other_ran).count_ones();
            table.drawn += (failed & other_ran).count_ones();
            table.marked += (other_failed & ran).count_ones();
            table.hits += (failed & other_failed).count_ones();
        }
        table
    }
}

/// Probabilities that differ by less than this part are equal: rounding must not split a tie.
const TIE: f64 = 1e-9;

impl LnFactorials {
    /// Those of 0 to `largest`.
    #[must_use]
    pub fn up_to(largest: u32) -> Self {
        let mut sum = 0.0;
        let logarithms = (0..=largest).map(|n| {
            sum += f64::from(n.max(1)).ln();
            sum
        });
        Self(logarithms.collect())
    }

    fn of(&self, n: u32) -> f64 {
        self.0.get(n as usize).copied().unwrap_or(f64::NAN)
    }

    fn ln_choose(&self, n: u32, k: u32) -> f64 {
        self.of(n) - self.of(k) - self.of(n - k)
    }

    /// The probability of each number of hits from the smallest possible on.
    fn distribution(&self, table: Table) -> (u32, Vec<f64>) {
        let Table { drawn, marked, all, .. } = table;
        let least = (drawn + marked).saturating_sub(all);
        let ways = self.ln_choose(all, drawn);
        let probability = |hits: u32| {
            let rest = self.ln_choose(all - marked, drawn - hits);
            (self.ln_choose(marked, hits) + rest - ways).exp()
        };
        (least, (least..=drawn.min(marked)).map(probability).collect())
    }

    /// The chance of at least so many hits.
    ///
    /// Numbers that make no table, or are larger than these factorials reach, give 1: no evidence.
    #[must_use]
    pub fn at_least(&self, table: Table) -> f64 {
        if !self.holds(table) {
            return 1.0;
        }
        let (least, probabilities) = self.distribution(table);
        let from = table.hits.saturating_sub(least) as usize;
        probabilities.iter().skip(from).sum::<f64>().min(1.0)
    }

    /// Fisher's exact test: the chance of a table at most as likely as this one, either way.
    #[must_use]
    pub fn either_way(&self, table: Table) -> f64 {
        if !self.holds(table) {
            return 1.0;
        }
        let (least, probabilities) = self.distribution(table);
        let at = table.hits.saturating_sub(least) as usize;
        let limit = probabilities.get(at).copied().unwrap_or(1.0) * (1.0 + TIE);
        probabilities.iter().filter(|p| **p <= limit).sum::<f64>().min(1.0)
    }

    fn holds(&self, table: Table) -> bool {
        let Table { hits, drawn, marked, all } = table;
        hits <= drawn.min(marked)
            && drawn.max(marked) <= all
            && all - marked >= drawn - hits
            && (all as usize) < self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{DiscreteCDF, Hypergeometric};

    fn near(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= 1e-9 * expected.abs().max(1e-12)
    }

    /// scipy 1.17.1: fisher_exact([[a, b], [c, d]]) and hypergeom.sf(a - 1, n, a + c, a + b).
    const SCIPY: [([u32; 4], f64, f64); 6] = [
        ([14, 1, 0, 16], 5.6564813235713785e-08, 5.6564813235713785e-08),
        ([5, 1, 20, 174], 0.00011497400727816768, 0.00011497400727816768),
        ([3, 9, 40, 120], 1.0, 0.6163603821912034),
        ([0, 8, 6, 30], 0.572756228456739, 1.0),
        ([6, 0, 34, 60], 0.003219975900388271, 0.0032199759003882712),
        ([120, 380, 200, 1300], 6.806381678894876e-08, 3.7492362265410156e-08),
    ];

    #[test]
    fn agrees_with_scipy() {
        let factorials = LnFactorials::up_to(2_000);
        for ([a, b, c, d], both, greater) in SCIPY {
            let table = Table { hits: a, drawn: a + b, marked: a + c, all: a + b + c + d };
            let (mine, tail) = (factorials.either_way(table), factorials.at_least(table));
            assert!(near(mine, both) && near(tail, greater), "{table:?}: {mine} {tail}");
        }
    }

    #[test]
    fn the_lady_tasting_tea() {
        let factorials = LnFactorials::up_to(8);
        let table = Table { hits: 3, drawn: 4, marked: 4, all: 8 };
        assert!(near(factorials.at_least(table), 17.0 / 70.0));
        assert!(near(factorials.either_way(table), 34.0 / 70.0));
    }

    #[test]
    fn what_is_no_table_is_no_evidence() {
        let factorials = LnFactorials::up_to(10);
        for (hits, drawn, marked, all) in
            [(5, 4, 6, 10), (1, 2, 3, 11), (0, 6, 6, 10), (1, 1, 9, 5)]
        {
            let table = Table { hits, drawn, marked, all };
            assert_eq!((factorials.at_least(table), factorials.either_way(table)), (1.0, 1.0));
        }
    }

    proptest! {
        #[test]
        fn tails_are_those_of_another_library(all in 1_u32..300, drawn in 0_u32..300, marked in 0_u32..300, hits in 0_u32..300) {
            let (drawn, marked) = (drawn % (all + 1), marked % (all + 1));
            let least = (drawn + marked).saturating_sub(all);
            let hits = least + hits % (drawn.min(marked) - least + 1);
            let table = Table { hits, drawn, marked, all };
            let law = Hypergeometric::new(all.into(), marked.into(), drawn.into()).unwrap();
            let expected = if hits == 0 { 1.0 } else { law.sf(u64::from(hits) - 1) };
            let value = LnFactorials::up_to(300).at_least(table);
            prop_assert!((value - expected).abs() < 1e-8, "{table:?}: {value} {expected}");
        }
    }
}
