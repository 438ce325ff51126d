//! The flags that ask a question: each is one question, answered on a screen of its own.

use crate::ops::question::Question;

/// What to ask.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Questions")]
#[group(id = "question", multiple = false)]
pub struct QuestionArgs {
    /// Which failures are one and the same cause: those that look alike, and tests that fail together
    #[arg(long)]
    clusters: bool,
    /// Who owns the tests that fail, and what they cost
    #[arg(long)]
    owners: bool,
    /// Which tests got slower, since when and by how much
    #[arg(long)]
    slower: bool,
}

impl QuestionArgs {
    /// The question, where there is one.
    #[must_use]
    pub fn asked(&self) -> Option<Question> {
        let questions = [
            (self.clusters, Question::Clusters),
            (self.owners, Question::Owners),
            (self.slower, Question::Slower),
        ];
        questions.into_iter().find_map(|(asked, question)| asked.then_some(question))
    }
}
