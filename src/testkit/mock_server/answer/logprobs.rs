//! Log probabilities that look like a model's: at most 0, the token itself the likeliest.

use crate::testkit::mock_server::chance::Chance;
use crate::testkit::mock_server::reply::TokenLogprob;

/// What could have stood in a token's place; more than any request may ask for.
const OTHERS: [&str; 24] = [
    " the", " a", " is", " to", " and", " of", " in", " it", ",", ".", " that", " for", " with",
    " as", " on", " you", " this", " are", " be", " an", " not", " or", "\n", " I",
];
/// A token is at least this likely, so that nothing in its place can be likelier.
const LIKELY_MIN: f64 = 0.55;
/// How much of what is left each alternative takes.
const SHARE: f64 = 0.5;

/// The log probability of the `index`-th token, with so many of the likeliest in its place.
pub(super) fn of(token: &str, index: u64, top: u8, chance: &Chance) -> TokenLogprob {
    // Strictly below 1: the logarithm stays below 0.
    let likely = LIKELY_MIN + (0.999 - LIKELY_MIN) * chance.uniform("logprob", index);
    let mut itself = entry(token, likely);
    if top == 0 {
        return itself;
    }
    let mut ranked = vec![entry(token, likely)];
    let start = (chance.bits("logprob alternatives", index) % OTHERS.len() as u64) as usize;
    let others = OTHERS.iter().cycle().skip(start).take(OTHERS.len());
    let mut left = 1.0 - likely;
    for other in others.filter(|other| **other != token).take(usize::from(top) - 1) {
        left *= SHARE;
        ranked.push(entry(other, left));
    }
    itself.top_logprobs = ranked;
    itself
}

fn entry(token: &str, probability: f64) -> TokenLogprob {
    TokenLogprob {
        token: token.to_owned(),
        logprob: probability.ln(),
        bytes: token.as_bytes().to_vec(),
        top_logprobs: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_sorted_and_share_one_whole() {
        let chance = Chance::of(&[b"seed"]);
        for index in 0..200 {
            for top in [0, 1, 5, 20] {
                let found = of(" the", index, top, &chance);
                assert!(found.logprob < 0.0);
                assert_eq!(found.top_logprobs.len(), usize::from(top));
                if let Some(first) = found.top_logprobs.first() {
                    assert_eq!((&first.token, first.logprob), (&found.token, found.logprob));
                }
                assert!(
                    found.top_logprobs.windows(2).all(|pair| pair[0].logprob > pair[1].logprob)
                );
                let whole: f64 = found.top_logprobs.iter().map(|one| one.logprob.exp()).sum();
                assert!(whole <= 1.0 + 1e-9, "{whole}");
                let distinct: std::collections::BTreeSet<&str> =
                    found.top_logprobs.iter().map(|one| one.token.as_str()).collect();
                assert_eq!(distinct.len(), usize::from(top));
            }
        }
    }
}
