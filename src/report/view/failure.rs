//! The failures of one test that look alike.

use serde::Serialize;

use super::super::contrast;
use crate::analysis::verdict::FailureCluster;
use crate::model::Timestamp;
use crate::model::failure::mask;

/// Failures that look alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FailureView {
    /// What they share, in hexadecimal.
    pub signature: String,
    /// How many attempts failed so.
    pub count: u32,
    /// When first.
    pub first: String,
    /// When last.
    pub last: String,
    /// The type of an example; may be empty.
    pub kind: String,
    /// The headline of an example.
    pub headline: String,
    /// The text of the latest example.
    pub text: String,
    /// How many attempts failed so in each variant, most first.
    pub variants: Vec<VariantCount>,
    /// How many distinct texts there are.
    pub texts: u32,
    /// What the latest example says, with numbers, addresses, paths and times masked.
    pub masked: String,
    /// What another text says otherwise; null where all are the same.
    pub difference: Option<DifferenceView>,
}

/// A count in one variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VariantCount {
    /// The variant as printed; empty for none.
    pub variant: String,
    /// How many.
    pub count: u32,
}

/// Two texts of one signature against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DifferenceView {
    /// When the other text was seen last.
    pub other_last: String,
    /// Masked, all texts that were compared say the same; the lines are then those of the raw texts.
    pub alike: bool,
    /// The lines of a diff from the other text to the latest.
    pub lines: Vec<DifferenceLine>,
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DifferenceLine {
    /// ` ` in both, `-` only in the other text, `+` only in the latest, `@` lines left out.
    pub sign: char,
    /// The line.
    pub text: String,
}

impl FailureView {
    pub(super) fn new(cluster: &FailureCluster) -> Self {
        let variant = |(variant, count): &(String, u32)| VariantCount {
            variant: variant.clone(),
            count: *count,
        };
        Self {
            signature: cluster.signature.to_string(),
            count: cluster.count,
            first: Timestamp::to_rfc3339(cluster.first),
            last: Timestamp::to_rfc3339(cluster.last),
            kind: cluster.kind.clone(),
            headline: cluster.headline.clone(),
            text: cluster.text.clone(),
            variants: cluster.variants.iter().map(variant).collect(),
            texts: cluster.texts,
            masked: cluster.masked.clone(),
            difference: difference(cluster),
        }
    }
}

fn difference(cluster: &FailureCluster) -> Option<DifferenceView> {
    let other = cluster.other.as_ref()?;
    let lines = if other.alike {
        contrast::lines(&other.text, &cluster.whole)
    } else {
        let masked: Vec<_> = other.text.lines().map(mask).collect();
        contrast::lines(&masked.join("\n"), &cluster.masked)
    };
    let line = |line: contrast::Line| DifferenceLine { sign: line.sign, text: line.text };
    Some(DifferenceView {
        other_last: Timestamp::to_rfc3339(other.last),
        alike: other.alike,
        lines: lines.into_iter().map(line).collect(),
    })
}
