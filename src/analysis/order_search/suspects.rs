//! Tests that the history suspects, which are looked at first.

use super::{Over, Purpose, Search, Seen, Trial};

/// A test whose failures in the history go together with what ran before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// The test.
    pub test: usize,
    /// Orders that may show it, the most telling first.
    pub orders: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// Looks into the tests that the history suspects, where its orders show what it says.
    pub(super) fn look_at_suspects(&mut self) -> Result<(), Over> {
        let plan = self.plan;
        for Suspect { test, orders } in plan.suspects.iter().filter(|_| plan.free) {
            if self.cases.iter().any(|case| case.test == *test) {
                continue;
            }
            for order in orders {
                if self.outcomes(*test).1 {
                    break;
                }
                let seen = self.replay(order, Purpose::Remembered)?;
                self.trials.push(Trial { order: order.clone(), seen });
            }
            if orders.is_empty() || self.outcomes(*test) == (false, false) {
                continue;
            }
            let shows = match self.outcomes(*test) {
                (true, true) => true,
                (_, failed) => match self.behind(&[], *test, Purpose::Alone) {
                    Ok(alone) => failed != (alone == Seen::Failed),
                    Err(Over) if std::mem::take(&mut self.absent) => false,
                    Err(Over) => return Err(Over),
                },
            };
            if shows {
                self.look_into(*test)?;
            }
        }
        Ok(())
    }
}
