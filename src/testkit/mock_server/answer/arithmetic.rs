//! Sums in a question: found, and worked out.

use std::fmt::Write as _;

/// Brackets may nest so deep.
const DEPTH_MAX: usize = 64;
/// Words that stand for an operator, longest first.
const SPOKEN: [(&str, &str); 8] = [
    ("multiplied by", "*"),
    ("divided by", "/"),
    ("to the power of", "^"),
    ("plus", "+"),
    ("minus", "-"),
    ("times", "*"),
    ("modulo", "%"),
    ("mod", "%"),
];
/// Words that ask for a sum, where the text is not one already.
const ASKING: [&str; 14] = [
    "what",
    "whats",
    "calculate",
    "compute",
    "evaluate",
    "solve",
    "how",
    "much",
    "sum",
    "result",
    "add",
    "answer",
    "equals",
    "math",
];

/// The sum that a text asks for, and what it comes to.
pub(super) struct Sum {
    /// As it stands in the text.
    pub(super) expression: String,
    /// Its value, whole where it is.
    pub(super) value: String,
}

/// Finds the first sum that a text asks for: `what is 2+2`, `6*7`, `12 divided by 4`.
pub(super) fn find(text: &str) -> Option<Sum> {
    let spelt = spelt_out(text);
    let bare = spelt.trim().trim_end_matches(['?', '=', '.', ' ', '!']);
    let asks = is_arithmetic(bare)
        || super::words::of(text).iter().any(|word| ASKING.contains(&word.as_str()));
    if !asks {
        return None;
    }
    candidates(&spelt).find_map(|expression| {
        let value = evaluate(expression)?;
        Some(Sum { expression: expression.to_owned(), value: number(value) })
    })
}

/// The text with its spoken operators written.
fn spelt_out(text: &str) -> String {
    let mut text = format!(" {} ", text.to_lowercase());
    for (spoken, operator) in SPOKEN {
        text = text.replace(&format!(" {spoken} "), &format!(" {operator} "));
    }
    text.replace(['×', '·'], "*").replace('÷', "/").replace('−', "-").replace("**", "^")
}

fn is_arithmetic(text: &str) -> bool {
    !text.is_empty() && text.chars().all(arithmetic)
}

fn arithmetic(letter: char) -> bool {
    letter.is_ascii_digit() || " .+-*/^%()".contains(letter)
}

/// The stretches of a text that could be sums.
fn candidates(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !arithmetic(letter)).filter_map(|stretch| {
        let stretch = stretch.trim_matches([' ', '.', '%']).trim_end_matches(['+', '-', '*', '/']);
        let digits = stretch.chars().filter(char::is_ascii_digit).count();
        let operator = stretch.trim_start_matches('-').contains(['+', '-', '*', '/', '^', '%']);
        (digits >= 2 && operator && !is_date(stretch)).then(|| stretch.trim())
    })
}

/// `2026-01-31`, `1/2/2026`, `555-0123`: digits that nobody means to work out.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/']).collect();
    let padded = |part: &&str| part.len() > 1 && part.starts_with('0') && !part.contains('.');
    !text.contains(' ') && parts.len() > 1 && parts.iter().any(padded)
}

/// The value of an expression; `None` where it is none, or has no finite value.
fn evaluate(expression: &str) -> Option<f64> {
    let mut reader = Reader { rest: expression.trim_start(), depth: 0 };
    let value = reader.sum()?;
    (reader.rest.is_empty() && value.is_finite()).then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn take(&mut self, letters: &[char]) -> Option<char> {
        let first = self.rest.chars().next().filter(|letter| letters.contains(letter))?;
        self.rest = self.rest[first.len_utf8()..].trim_start();
        Some(first)
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        while let Some(operator) = self.take(&['+', '-']) {
            let other = self.product()?;
            value = if operator == '+' { value + other } else { value - other };
        }
        Some(value)
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.power()?;
        while let Some(operator) = self.take(&['*', '/', '%']) {
            let other = self.power()?;
            value = match operator {
                '*' => value * other,
                '/' => value / other,
                _ => value % other,
            };
        }
        Some(value)
    }

    fn power(&mut self) -> Option<f64> {
        // Every way down passes here, so this bounds them all.
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let value = if self.take(&['-']).is_some() {
            -self.power()?
        } else if self.take(&['(']).is_some() {
            let value = self.sum()?;
            self.take(&[')'])?;
            value
        } else {
            self.number()?
        };
        let value = match self.take(&['^']) {
            Some(_) => value.powf(self.power()?),
            None => value,
        };
        self.depth -= 1;
        Some(value)
    }

    fn number(&mut self) -> Option<f64> {
        let end = self
            .rest
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        digits.parse().ok()
    }
}

/// A number as people write it: `4`, `0.3333333333`, `-2.5`.
fn number(value: f64) -> String {
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    let mut text = String::new();
    let written = if value.fract() == 0.0 && value.abs() <= WHOLE_MAX {
        write!(text, "{value:.0}")
    } else if value.abs() >= 1e15 || value.abs() < 1e-6 {
        write!(text, "{value:e}")
    } else {
        write!(text, "{value:.10}")
    };
    // Writing to a string does not fail.
    let _ = written;
    if text.contains('.') && !text.contains('e') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text == "-0" { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Option<String> {
        find(text).map(|sum| sum.value)
    }

    #[test]
    fn sums_come_out_right() {
        let right = [
            ("what is 2+2", "4"),
            ("What is 2 + 2?", "4"),
            ("6*7", "42"),
            ("6 * 7 =", "42"),
            ("What's 15 times 4?", "60"),
            ("How much is 12 divided by 8?", "1.5"),
            ("calculate (3 + 4) * 2 - 1", "13"),
            ("compute 2^10", "1024"),
            ("what is 10 % 4", "2"),
            ("what is -3 + 1", "-2"),
            ("What is 1/3?", "0.3333333333"),
            ("7 - 7", "0"),
            ("What is 123456789 * 987654321?", "1.2193263111263526e17"),
            ("what is 0.1 + 0.2", "0.3"),
            ("what is 3 plus 4. Answer with a number.", "7"),
        ];
        for (text, expected) in right {
            assert_eq!(value(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_digits_are_left_alone() {
        for text in [
            "what happened on 2026-01-31?",
            "call 555-0123, what is it?",
            "what is 1/0",
            "what is (2+2",
            "I have 2 cats",
            "We met 3-4 times",
            "what is new?",
            "what is + - * /",
            "",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
        assert_eq!(value(&format!("what is {}1+1", "(".repeat(5000))), None);
        assert_eq!(value(&format!("what is {}1+1", "-".repeat(5000))), None);
    }

    proptest! {
        #[test]
        fn whole_sums_agree_with_integers(a in 0_i64..9999, b in 1_i64..9999, c in 1_i64..99) {
            let sum = value(&format!("What is {a} + {b} * {c}?"));
            prop_assert_eq!(sum, Some((a + b * c).to_string()));
            let difference = value(&format!("{a}-({b}-{c})"));
            prop_assert_eq!(difference, Some((a - (b - c)).to_string()));
        }

        #[test]
        fn any_text_is_read_without_harm(text in "[-0-9+*/^%(). a-z]{0,80}") {
            let _ = value(&text);
        }
    }
}
