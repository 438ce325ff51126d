//! Several routes in one answer of a model.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Compound, Route};
use crate::testkit::nodes::types::asking::{beginning, folded};
use crate::testkit::shown::cut;

/// Labels that no route has, of which the result tells, at most.
const UNKNOWN_MAX: usize = 20;

/// The routes that an answer names.
pub(super) struct Labels<'r> {
    /// In the order of the answer, each once.
    pub(super) routes: Vec<&'r Route>,
    /// What no route has: the begin of the first few.
    pub(super) unknown: Vec<String>,
    /// Names and domains that were said, and the names of their routes, folded.
    said: BTreeSet<String>,
}

impl<'r> Labels<'r> {
    /// Reads an answer: a JSON array, else commas, else lines. Labels after the `max`-th that a
    /// route has are left out.
    pub(super) fn read(text: &str, routes: &'r [Route], max: usize) -> Self {
        let mut labels = Self { routes: Vec::new(), unknown: Vec::new(), said: BTreeSet::new() };
        let known = by_label(routes);
        let mut taken = 0;
        for label in split(beginning(text)) {
            let plain = folded(&label);
            let Some(route) = known.get(&plain) else {
                if labels.unknown.len() < UNKNOWN_MAX {
                    labels.unknown.push(cut(&label).into_owned());
                }
                continue;
            };
            if labels.said.contains(&plain) {
                continue;
            }
            if taken == max {
                break;
            }
            taken += 1;
            labels.said.insert(plain);
            labels.said.insert(folded(&route.name));
            if !labels.routes.iter().any(|known| known.name == route.name) {
                labels.routes.push(route);
            }
        }
        labels
    }

    /// The route of the highest priority, the first of several.
    pub(super) fn best(&self) -> Option<&'r Route> {
        self.routes.iter().copied().reduce(|best, next| match next.priority > best.priority {
            true => next,
            false => best,
        })
    }

    /// The compound route with the most domains that are all there; of those the one of the highest
    /// priority, the first of several.
    pub(super) fn compound<'c>(&self, compounds: &'c [Compound]) -> Option<&'c Compound> {
        let fits = |compound: &&Compound| {
            compound.domains.iter().all(|domain| self.said.contains(&folded(domain)))
        };
        let rank = |compound: &Compound| (compound.domains.len(), compound.priority);
        compounds.iter().filter(fits).reduce(|best, next| match rank(next) > rank(best) {
            true => next,
            false => best,
        })
    }
}

/// The routes by what they are called, folded. A route by its name comes before one by a domain,
/// and of several the first.
fn by_label(routes: &[Route]) -> HashMap<String, &Route> {
    let mut known = HashMap::new();
    for route in routes {
        known.entry(folded(&route.name)).or_insert(route);
    }
    for route in routes {
        for domain in &route.domains {
            known.entry(folded(domain)).or_insert(route);
        }
    }
    known
}

/// The labels of an answer, without what is around them.
fn split(text: &str) -> Vec<String> {
    let array = text
        .find('[')
        .zip(text.rfind(']'))
        .and_then(|(start, end)| serde_json::from_str::<Vec<Value>>(text.get(start..=end)?).ok());
    if let Some(items) = array {
        return items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
    }
    let parts: Vec<&str> = match text.contains(',') {
        true => text.split([',', '\n']).collect(),
        false => text.lines().collect(),
    };
    parts.into_iter().map(unmarked).filter(|label| !folded(label).is_empty()).collect()
}

/// A label without the mark of a list before it: `- code`, `1. code`.
fn unmarked(label: &str) -> String {
    let label = label.trim().trim_start_matches(['-', '*', '•']).trim_start();
    let digits = label.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let numbered = digits.len() < label.len() && digits.starts_with(['.', ')']);
    let label = if numbered { digits.trim_start_matches(['.', ')']) } else { label };
    label.trim().trim_matches(['"', '\'', '`', '.']).to_owned()
}
