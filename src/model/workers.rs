//! Which worker ran which result, beside the results: most reports do not say, and pay nothing.

use super::limits;

/// The workers of the results of one report.
///
/// ```
/// use flakedb::model::Workers;
/// let mut workers = Workers::default();
/// let gw1 = workers.number("gw1");
/// workers.set(2, gw1);
/// assert_eq!((workers.of(1), workers.of(2), workers.of(3)), (None, Some("gw1"), None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workers {
    names: Vec<String>,
    /// For each result the place of its worker's name plus one, 0 for none; may end early.
    of: Vec<u16>,
}

impl Workers {
    /// Workers by their names; `of` has for each result the place of a name plus one, 0 for none.
    /// Numbers without a name count as none.
    #[must_use]
    pub fn new(names: Vec<String>, mut of: Vec<u16>) -> Self {
        of.iter_mut().filter(|number| usize::from(**number) > names.len()).for_each(|no| *no = 0);
        Self { names, of }
    }

    /// The number of a worker, from 1, which is added where it is new; 0, for none, where the name
    /// is empty or there are too many.
    pub fn number(&mut self, name: &str) -> u16 {
        if name.is_empty() {
            return 0;
        }
        let known = self.names.iter().position(|known| known == name);
        let place = known.unwrap_or(self.names.len());
        if place >= limits::WORKERS_MAX {
            return 0;
        }
        if known.is_none() {
            self.names.push(name.to_owned());
        }
        place as u16 + 1
    }

    /// Says which worker, by its number, ran the result at a place.
    pub fn set(&mut self, result: usize, number: u16) {
        if number == 0 && result >= self.of.len() {
            return;
        }
        if result >= self.of.len() {
            self.of.resize(result + 1, 0);
        }
        if let Some(slot) = self.of.get_mut(result) {
            *slot = number;
        }
    }

    /// The number of the worker of a result; 0 where it is not known.
    #[must_use]
    pub fn number_of(&self, result: usize) -> u16 {
        self.of.get(result).copied().unwrap_or(0)
    }

    /// The worker of a result, where it is known.
    #[must_use]
    pub fn of(&self, result: usize) -> Option<&str> {
        let place = usize::from(self.number_of(result)).checked_sub(1)?;
        self.names.get(place).map(String::as_str)
    }

    /// The names, by number.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The workers of some of the results, which stand in a new order; without names that nobody
    /// has any more.
    #[must_use]
    pub fn pick(&self, results: impl Iterator<Item = usize>) -> Self {
        let mut picked = Self::default();
        if self.of.is_empty() {
            return picked;
        }
        let mut numbers = vec![None; self.names.len() + 1];
        for (place, result) in results.enumerate() {
            let old = usize::from(self.number_of(result));
            let Some(slot) = numbers.get_mut(old) else { continue };
            let number =
                *slot.get_or_insert_with(|| picked.number(self.of(result).unwrap_or_default()));
            picked.set(place, number);
        }
        picked
    }

    /// The one worker of all `results` results; `None` where there are several, or some of no
    /// known worker.
    #[must_use]
    pub fn only(&self, results: usize) -> Option<&str> {
        let first = self.number_of(0);
        let same = results > 0 && (1..results).all(|result| self.number_of(result) == first);
        self.of(0).filter(|_| same)
    }

    /// Results up to the last one whose worker was said.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.of.len()
    }

    /// True where no result has a worker.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.iter().all(|number| *number == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_picked_keeps_its_worker_and_forgets_the_others() {
        let mut workers = Workers::default();
        for (result, name) in ["a", "b", "", "a", "c"].into_iter().enumerate() {
            let number = workers.number(name);
            workers.set(result, number);
        }
        let picked = workers.pick([4, 2, 3].into_iter());
        assert_eq!((picked.of(0), picked.of(1), picked.of(2)), (Some("c"), None, Some("a")));
        assert_eq!(picked.names(), ["c", "a"]);
        assert_eq!(workers.pick([0, 3].into_iter()).only(2), Some("a"));
        assert_eq!(
            (workers.only(5), picked.only(3), Workers::default().only(0)),
            (None, None, None)
        );
        assert!(workers.pick([2].into_iter()).is_empty());
    }

    #[test]
    fn more_workers_than_any_machine_has_are_not_told_apart() {
        let mut workers = Workers::default();
        let numbers: Vec<u16> =
            (0..limits::WORKERS_MAX + 5).map(|no| workers.number(&no.to_string())).collect();
        assert_eq!(numbers[limits::WORKERS_MAX - 1], limits::WORKERS_MAX as u16);
        assert!(numbers[limits::WORKERS_MAX..].iter().all(|number| *number == 0));
        assert_eq!(workers.number("0"), 1);
        assert_eq!(Workers::new(vec!["x".into()], vec![1, 2, 0]).of(1), None);
    }

    #[test]
    fn a_result_without_a_worker_takes_no_room_and_loses_the_one_it_had() {
        let mut workers = Workers::default();
        workers.set(9, 0);
        assert_eq!((workers.len(), workers.is_empty()), (0, true));
        let number = workers.number("a");
        workers.set(2, number);
        assert_eq!((workers.len(), workers.of(2), workers.of(1)), (3, Some("a"), None));
        workers.set(2, 0);
        assert_eq!((workers.len(), workers.of(2)), (3, None));
    }

    #[test]
    fn of_no_results_there_is_no_only_worker() {
        let workers = Workers::new(vec!["a".into()], vec![1]);
        assert_eq!((workers.only(0), workers.only(1), workers.only(2)), (None, Some("a"), None));
    }
}
