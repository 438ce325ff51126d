//! The words that generated texts are made of.

use super::source::Stream;

/// Words of contents: five bits each, so that one draw of 64 bits gives a dozen.
const WORDS: [&str; 32] = [
    "the", "a", "of", "in", "to", "with", "and", "for", "system", "request", "answer", "model",
    "value", "order", "price", "customer", "report", "error", "server", "number", "table",
    "message", "result", "question", "is", "has", "gives", "needs", "small", "new", "last",
    "first",
];

/// What is asked of an application.
pub(super) const TASKS: [&str; 12] = [
    "Summarize the following text in one sentence.",
    "Translate this paragraph into French.",
    "What is 17 multiplied by 23?",
    "Write a function that reverses a list.",
    "Explain how a hash table works.",
    "Find the error in this stack trace.",
    "List three causes of inflation.",
    "Extract all dates from the text.",
    "Classify this message as praise or complaint.",
    "Compare these two contracts.",
    "Draft a polite reply to this customer.",
    "Which of these invoices are overdue?",
];

/// What models answer.
pub(super) const ANSWERS: [&str; 12] = [
    "The result is 391.",
    "Here is a short summary of the text you sent.",
    "The function below reverses a list in place and returns nothing.",
    "A hash table keeps its entries in buckets that a hash of the key picks.",
    "The error comes from a null reference in line 42.",
    "I found three dates: 1 May, 3 June and 9 September.",
    "This message is a complaint about a late delivery.",
    "Both contracts run for two years, but only the first can be ended early.",
    "Thank you for writing; we will send a new copy today.",
    "Two invoices are overdue: 2017 and 2031.",
    "Inflation rises with demand, with costs, and with expectations.",
    "I do not have enough information to answer that.",
];

/// `count` words with blanks between.
pub(super) fn words(stream: &mut Stream, count: usize) -> String {
    const BITS: u32 = WORDS.len().ilog2();
    const PER_DRAW: usize = (u64::BITS / BITS) as usize;
    // The longest word has eight letters; most have five or fewer.
    let mut text = String::with_capacity(count * 6);
    let mut bits = 0;
    for at in 0..count {
        if at % PER_DRAW == 0 {
            bits = stream.bits();
        }
        if at > 0 {
            text.push(' ');
        }
        text.push_str(WORDS[(bits % WORDS.len() as u64) as usize]);
        bits >>= BITS;
    }
    text
}

/// One of a table that is not empty.
pub(super) fn one_of(stream: &mut Stream, table: &[&'static str]) -> &'static str {
    stream.pick(table).copied().unwrap_or_default()
}
