//! Failures that look alike, with one example each.

use askama::Template;

use super::super::view::question::{ClusterView, ClustersView};
use super::super::{excerpt, phrase, sentence};
use super::sheet::Answer;
use super::text;
use crate::report::limits::{
    FIELD_CHARS_MAX, HEADLINE_CHARS_MAX, HTML_CLUSTERS_BYTES_MAX, HTML_FACTS_MAX, HTML_ROWS_MAX,
};

/// Failures that look alike.
#[derive(Template)]
#[template(path = "cluster.html")]
struct Cluster {
    n: usize,
    headline: String,
    kind: String,
    told: String,
    tests: Vec<String>,
    tests_left_out: usize,
    /// The lines of an example.
    example: Vec<String>,
}

/// The clusters that fit, and how many did not.
#[derive(Debug, Default)]
pub(super) struct Clusters {
    /// The clusters, in order.
    pub html: String,
    /// How many have no room.
    pub left_out: usize,
    /// What is said about all of them, and tests that fail together.
    pub about: Answer,
}

impl Clusters {
    /// The clusters of a window, as many as have room.
    pub(super) fn new(view: &ClustersView) -> askama::Result<Self> {
        let mut sheet = view.sheet();
        // Clusters stand here one by one; what is left of the answer are the groups.
        sheet.tables.retain(|table| table.noun != "kind");
        let mut found = Self { about: sheet.into(), ..Self::default() };
        let mut shown = 0;
        for (n, cluster) in view.clusters.iter().enumerate().take(HTML_ROWS_MAX) {
            let html = told(n, cluster).render()?;
            if found.html.len() + html.len() > HTML_CLUSTERS_BYTES_MAX {
                break;
            }
            found.html.push_str(&html);
            shown += 1;
        }
        found.left_out = view.clusters.len() - shown;
        Ok(found)
    }
}

fn told(n: usize, cluster: &ClusterView) -> Cluster {
    let (first, last) = (phrase::day(&cluster.first), phrase::day(&cluster.last));
    let days = if first == last { format!("on {first}") } else { format!("{first} to {last}") };
    let tests = cluster.tests.iter().take(HTML_FACTS_MAX);
    Cluster {
        n,
        headline: match cluster.headline.is_empty() {
            true => "(no message)".to_owned(),
            false => text(&cluster.headline, HEADLINE_CHARS_MAX),
        },
        // A headline often starts with the type.
        kind: match cluster.headline.contains(&cluster.kind) {
            true => String::new(),
            false => text(&cluster.kind, FIELD_CHARS_MAX),
        },
        told: format!(
            "{} of {} in {}, {days}",
            sentence::count(cluster.failures, "failure"),
            sentence::count(cluster.tests.len() as u64, "test"),
            sentence::count(cluster.runs, "run"),
        ),
        tests: tests
            .map(|one| {
                format!("{} ({})", text(&one.test.label(), HEADLINE_CHARS_MAX), one.failures)
            })
            .collect(),
        tests_left_out: cluster.tests.len().saturating_sub(HTML_FACTS_MAX),
        example: excerpt::of(&cluster.text, &cluster.headline),
    }
}
