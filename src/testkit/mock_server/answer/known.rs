//! Questions that people test with: what is said to them, and what to questions that follow.

use std::collections::HashMap;

use super::{tokens, words};
use crate::testkit::mock_server::ask::Ask;

/// A question that people test with.
pub(super) struct Known {
    /// All of these are in the question, be it in the plural.
    words: &'static [&'static str],
    pub(super) says: &'static str,
    /// What is said to a question that follows; empty where the answer is no topic to go on with.
    more: &'static str,
}

/// The first row whose words are all in the question answers it.
const KNOWN: [Known; 24] = [
    topic(
        &["sky", "blue"],
        "The sky is blue because molecules of nitrogen and oxygen in the atmosphere scatter short wavelengths of sunlight more than long ones. This is called Rayleigh scattering.",
        "Sunlight holds all colors. The atmosphere scatters blue light, of short wavelength, the most; at sunset the light goes a longer way through the air, and red is left. This is Rayleigh scattering as well.",
    ),
    topic(
        &["ocean", "blue"],
        "The ocean is blue because water absorbs the long wavelengths of sunlight, red and orange, and scatters the short ones, which are blue.",
        "Deep water absorbs red light first and blue light last. Particles and algae in the water scatter light of other wavelengths, so that some seas look green.",
    ),
    topic(
        &["rainbow"],
        "A rainbow forms when sunlight enters water droplets in the air: the light refracts, reflects inside the drop, and spreads into a spectrum of colors.",
        "Rainbows need light and water droplets, be it rain, mist or spray: each drop refracts and reflects the light of the sun and spreads it into its colors. Myths tell of a bridge, or of gold where the rainbow ends.",
    ),
    topic(
        &["thanksgiving"],
        "Thanksgiving goes back to a harvest feast that the Pilgrims, colonists from England in Massachusetts, shared with the Wampanoag, a native people of America, in the autumn of 1621.",
        "At Thanksgiving, families in America come together for a meal of turkey, stuffing, cranberries, corn and pumpkin pie. Most of these foods are native to America; the Pilgrims learned of them from the Wampanoag, in the harvest of 1621 in Massachusetts.",
    ),
    topic(
        &["independence", "day"],
        "Independence Day marks July 4, 1776, when the thirteen American colonies adopted the Declaration of Independence in their revolution against British rule.",
        "People in America celebrate Independence Day with fireworks, parades, flags, and food from the grill. It recalls the revolution of the colonies against British rule, and the Declaration of Independence of 1776.",
    ),
    topic(
        &["composition", "air"],
        "Air is about 78 percent nitrogen, 21 percent oxygen, and small amounts of argon and carbon dioxide.",
        "Dry air is nitrogen (78.08 percent), oxygen (20.95), argon (0.93) and carbon dioxide (0.04), with traces of neon and helium. Water vapor comes on top of that.",
    ),
    topic(
        &["dirt", "brown"],
        "Dirt is brown because of decayed organic matter, called humus, and iron oxides in the soil.",
        "Soil with much organic matter is dark brown; iron oxides make it red or yellow, and little of either leaves it pale.",
    ),
    topic(
        &["capital", "france"],
        "The capital of France is Paris.",
        "Paris is the capital of France, and the seat of its government.",
    ),
    topic(
        &["capital", "germany"],
        "The capital of Germany is Berlin.",
        "Berlin is the capital of Germany, and the seat of its government.",
    ),
    topic(
        &["capital", "italy"],
        "The capital of Italy is Rome.",
        "Rome is the capital of Italy, and the seat of its government.",
    ),
    topic(
        &["capital", "spain"],
        "The capital of Spain is Madrid.",
        "Madrid is the capital of Spain, and the seat of its government.",
    ),
    topic(
        &["capital", "japan"],
        "The capital of Japan is Tokyo.",
        "Tokyo is the capital of Japan, and the seat of its government.",
    ),
    topic(
        &["capital", "canada"],
        "The capital of Canada is Ottawa.",
        "Ottawa is the capital of Canada, and the seat of its government.",
    ),
    topic(
        &["capital", "australia"],
        "The capital of Australia is Canberra.",
        "Canberra is the capital of Australia, and the seat of its government.",
    ),
    topic(
        &["capital", "england"],
        "The capital of England is London.",
        "London is the capital of England, and the seat of its government.",
    ),
    topic(
        &["capital", "uk"],
        "The capital of the United Kingdom is London.",
        "London is the capital of the United Kingdom, and the seat of its government.",
    ),
    known(&["wrote", "hamlet"], "William Shakespeare wrote Hamlet."),
    known(&["speed", "light"], "The speed of light in a vacuum is 299,792,458 metres per second."),
    known(&["joke"], "Why did the test pass on the second run? It wanted to be called flaky."),
    known(&["poem"], POEM),
    known(
        &["haiku"],
        "Green build in the night\nthe same seed, the same answer\nmorning finds it green",
    ),
    known(
        &["story"],
        "Once upon a time there was a small server that answered every question the same way. People trusted it, and their tests slept well at night. The end.",
    ),
    known(
        &["who", "are", "you"],
        "I am a mock model: I answer the same question the same way each time.",
    ),
    known(
        &["your", "name"],
        "I am a mock model: I answer the same question the same way each time.",
    ),
];

const POEM: &str = "The tests ran green at break of day,\nno model led their words astray.\nWhat once was said is said again:\nthe same bright sun, the same soft rain.";

/// Words that speak of what was spoken of before.
const FOLLOWING: [&str; 17] = [
    "it",
    "its",
    "them",
    "they",
    "their",
    "theirs",
    "those",
    "these",
    "that",
    "this",
    "he",
    "she",
    "there",
    "people",
    "typically",
    "usually",
    "else",
];

const fn known(words: &'static [&'static str], says: &'static str) -> Known {
    Known { words, says, more: "" }
}

const fn topic(words: &'static [&'static str], says: &'static str, more: &'static str) -> Known {
    Known { words, says, more }
}

impl Known {
    /// Whether a conversation can go on with it.
    pub(super) fn is_topic(&self) -> bool {
        !self.more.is_empty()
    }
}

/// The row that answers a question of these words.
pub(super) fn answering(words: &[String]) -> Option<&'static Known> {
    let said = |wanted: &str| {
        words.iter().any(|word| word == wanted || word.strip_suffix('s') == Some(wanted))
    };
    KNOWN.iter().find(|known| known.words.iter().all(|wanted| said(wanted)))
}

/// What is said to a question that goes on with what was asked before: it names no subject, or has
/// a word such as `it` or `they`.
pub(super) fn following(ask: &Ask, words: &[String]) -> Option<&'static str> {
    let follows = words.iter().all(|word| words::is_stop(word))
        || words.iter().any(|word| FOLLOWING.contains(&word.as_str()));
    if words.is_empty() || !follows {
        return None;
    }
    let earlier = ask.messages.iter().rev().filter(|message| message.role == "user").skip(1);
    let topics = earlier.filter_map(|message| answering(&words::of(&message.content)));
    topics.chain(of_context(&ask.context)).find(|known| known.is_topic()).map(|known| known.more)
}

/// The row whose words stand last in a `context` of token ids.
fn of_context(context: &[i64]) -> Option<&'static Known> {
    if context.is_empty() {
        return None;
    }
    let last: HashMap<i64, usize> = context.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let place = |word: &str| {
        let mut title = word.to_owned();
        title.get_mut(..1)?.make_ascii_uppercase();
        let spelt = [word.to_owned(), title].into_iter();
        let spelt = spelt.flat_map(|word| [format!("{word}s"), word]);
        let tokens = spelt.flat_map(|word| [format!(" {word}"), word]);
        tokens.filter_map(|token| last.get(&tokens::id(&token)).copied()).max()
    };
    let topics = KNOWN.iter().filter(|known| known.is_topic());
    let placed = topics.filter_map(|known| {
        let places: Option<Vec<usize>> = known.words.iter().map(|word| place(word)).collect();
        Some((places?.into_iter().min()?, known))
    });
    placed.max_by_key(|(place, _)| *place).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::super::{by_default, perform};
    use super::*;
    use crate::testkit::mock_server::ask::Message;
    use crate::testkit::mock_server::chance::Chance;
    use crate::testkit::mock_server::timing::Timing;

    /// A question, what its answer holds one of, and questions that follow.
    const CONVERSATIONS: [(&str, &[&str], &[&str]); 6] = [
        (
            "why is the ocean blue?",
            &["water", "wavelength", "absorb", "scatter"],
            &["Tell me more!", "Is it blue everywhere?"],
        ),
        (
            "how do rainbows form? Be brief but factual in your reply",
            &["water", "droplet", "refract", "spectrum"],
            &[
                "Explain the physics involved in them.  Be brief in your reply",
                "What are common myths related to them? Be brief in your reply",
                "Can they form if there is no rain?  Be brief in your reply",
            ],
        ),
        (
            "Why is the sky blue?",
            &["rayleigh", "scatter", "wavelength", "atmosphere"],
            &["Why is it red at sunset?", "Tell me more!"],
        ),
        (
            "what is the origin of the US thanksgiving holiday? Be brief but factual in your reply",
            &["england", "america", "massachusetts", "pilgrims", "harvest"],
            &[
                "How do people typically celebrate?",
                "What food do people typically serve?",
                "What are the origin of those foods?",
            ],
        ),
        (
            "what is the origin of independence day?",
            &["british", "rebellion", "revolution", "colon"],
            &["How do people typically celebrate?", "What food do people typically serve?"],
        ),
        (
            "what is the composition of air?",
            &["nitrogen", "oxygen", "argon"],
            &["What are their shares of it?", "Tell me more!"],
        ),
    ];

    fn message(role: &str, content: &str) -> Message {
        Message { role: role.to_owned(), content: content.to_owned(), ..Message::default() }
    }

    fn assert_holds_one(text: &str, wanted: &[&str]) {
        let lower = text.to_lowercase();
        assert!(wanted.iter().any(|word| lower.contains(word)), "{text}");
    }

    #[test]
    fn a_chat_goes_on_with_its_topic() {
        for (question, wanted, follows) in CONVERSATIONS {
            let mut ask = Ask { messages: vec![message("user", question)], ..Ask::default() };
            for follow in std::iter::once(&"").chain(follows) {
                if !follow.is_empty() {
                    ask.messages.push(message("user", follow));
                }
                let text = by_default(&ask).text;
                assert_holds_one(&text, wanted);
                ask.messages.push(message("assistant", &text));
            }
        }
    }

    #[test]
    fn generate_finds_its_topic_in_the_context() {
        let play = |prompt: &str, context: &[i64]| {
            let ask = Ask {
                messages: vec![message("user", prompt)],
                context: context.to_vec(),
                keeps_context: true,
                ..Ask::default()
            };
            let reply = by_default(&ask);
            perform(&ask, reply, &Timing::default(), &Chance::of(&[b"seed"]))
        };
        for (question, wanted, follows) in CONVERSATIONS {
            let mut played = play(question, &[]);
            for follow in follows {
                played = play(follow, &played.context);
                assert_holds_one(&played.text(), wanted);
            }
        }
        let sky = play("Why is the sky blue?", &[]);
        let air = play("What is the composition of air?", &sky.context);
        assert_holds_one(&play("Tell me more!", &air.context).text(), &["argon"]);
    }

    #[test]
    fn another_subject_is_no_question_that_follows() {
        let ask = |question: &str, before: &str| {
            let messages = vec![message("user", before), message("user", question)];
            by_default(&Ask { messages, ..Ask::default() }).text
        };
        let turtles = "How do turtles cross the Atlantic?";
        assert!(ask(turtles, "Why is the sky blue?").starts_with("You asked about turtles"));
        assert!(ask("Tell me more!", "Hello").starts_with("This is a default answer"));
    }
}
