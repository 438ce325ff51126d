//! Arithmetic expressions: `+ - * / // % ^` (or `**`), brackets, `sqrt abs min max floor ceil
//! round exp ln log10 sin cos tan`, `pi` and `e`.
//!
//! Whole numbers stay whole and exact as long as they fit 128 bits; all else is floating point, the
//! same on every machine. `//` and `%` round down, as in Python. Texts and depths are bounded.

use std::cmp::Ordering;

use serde_json::Value;

use crate::testkit::shown::cut;

/// Bytes of an expression, at most.
pub const BYTES_MAX: usize = 4_096;
/// Brackets, signs and powers may nest so deep.
pub const DEPTH_MAX: usize = 64;

/// A number: whole where it can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole number.
    Whole(i128),
    /// Any other.
    Real(f64),
}

/// What cannot be worked out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArithmeticError {
    /// Longer than [`BYTES_MAX`].
    #[error("an expression of {0} bytes; {BYTES_MAX} at most")]
    TooLong(usize),
    /// Deeper than [`DEPTH_MAX`].
    #[error("nested deeper than {DEPTH_MAX} levels, at character {at}")]
    TooDeep {
        /// The character, from 1.
        at: usize,
    },
    /// Not an expression.
    #[error("at character {at}: {reason}")]
    Syntax {
        /// The character, from 1.
        at: usize,
        /// What is there and what could be.
        reason: String,
    },
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A value that is no finite real number.
    #[error("{0} has no finite value")]
    NotFinite(&'static str),
}

/// Works out an expression.
///
/// ```
/// use flakedb::testkit::nodes::tool::arithmetic::{Number, evaluate};
///
/// assert_eq!(evaluate("(2 + 3) * 4"), Ok(Number::Whole(20)));
/// assert_eq!(evaluate("7 / 2"), Ok(Number::Real(3.5)));
/// ```
///
/// # Errors
/// Where it is no expression, too long or too deep, or has no finite value.
pub fn evaluate(text: &str) -> Result<Number, ArithmeticError> {
    if text.len() > BYTES_MAX {
        return Err(ArithmeticError::TooLong(text.len()));
    }
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = reader.sum()?;
    match reader.peek() {
        None => Ok(value),
        Some(other) => {
            Err(reader.syntax(format!("`{other}` where an operator or the end should be")))
        }
    }
}

impl Number {
    /// The number as JSON: whole where it fits 64 bits, else floating point with 15 significant
    /// digits, so that 0.1 + 0.2 is 0.3.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self {
            Self::Whole(number) => match (i64::try_from(number), u64::try_from(number)) {
                (Ok(number), _) => number.into(),
                (_, Ok(number)) => number.into(),
                _ => (number as f64).into(),
            },
            Self::Real(number) => {
                let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
                rounded.into()
            }
        }
    }

    fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }

    /// Exact, also where floating point has no such number.
    fn compare(self, other: Self) -> Ordering {
        /// What is behind the point decides where the rest is the same.
        fn whole_with_real(whole: i128, real: f64) -> Ordering {
            let point = libm::trunc(real);
            whole.cmp(&(point as i128)).then_with(|| point.total_cmp(&real))
        }
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(&right),
            (Self::Whole(left), Self::Real(right)) => whole_with_real(left, right),
            (Self::Real(left), Self::Whole(right)) => whole_with_real(right, left).reverse(),
            (Self::Real(left), Self::Real(right)) => left.total_cmp(&right),
        }
    }

    /// Whole, where no digit is lost by it.
    fn settled(number: f64, what: &'static str) -> Result<Self, ArithmeticError> {
        /// Whole numbers up to here are exact as floating point.
        const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
        if !number.is_finite() {
            return Err(ArithmeticError::NotFinite(what));
        }
        match number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
            true => Ok(Self::Whole(number as i128)),
            false => Ok(Self::Real(number)),
        }
    }
}

/// An operator on whole numbers, and on others where those cannot be or do not fit.
fn apply(sign: &'static str, left: Number, right: Number) -> Result<Number, ArithmeticError> {
    let divides = matches!(sign, "/" | "//" | "%");
    if divides && right.real() == 0.0 {
        return Err(ArithmeticError::DivisionByZero);
    }
    if let (Number::Whole(left), Number::Whole(right)) = (left, right) {
        let whole = match sign {
            "+" => left.checked_add(right),
            "-" => left.checked_sub(right),
            "*" => left.checked_mul(right),
            "/" => left.checked_rem(right).filter(|rest| *rest == 0).and(left.checked_div(right)),
            "//" => floored(left, right).map(|(quotient, _)| quotient),
            "%" => floored(left, right).map(|(_, rest)| rest),
            _ => u32::try_from(right).ok().and_then(|right| left.checked_pow(right)),
        };
        if let Some(whole) = whole {
            return Ok(Number::Whole(whole));
        }
    }
    let (left, right) = (left.real(), right.real());
    let real = match sign {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "//" => libm::floor(left / right),
        "%" => left - right * libm::floor(left / right),
        _ => libm::pow(left, right),
    };
    Number::settled(real, sign)
}

/// Quotient and rest, rounded down.
fn floored(left: i128, right: i128) -> Option<(i128, i128)> {
    let (quotient, rest) = (left.checked_div(right)?, left.checked_rem(right)?);
    match rest != 0 && (rest < 0) != (right < 0) {
        true => Some((quotient - 1, rest + right)),
        false => Some((quotient, rest)),
    }
}

const FUNCTIONS: [&str; 13] = [
    "sqrt", "abs", "min", "max", "floor", "ceil", "round", "exp", "ln", "log10", "sin", "cos",
    "tan",
];

/// A function by its name; none where there is no such function of so many values.
fn call(name: &str, values: &[Number]) -> Option<Result<Number, ArithmeticError>> {
    let by_size = |left: &&Number, right: &&Number| left.compare(**right);
    let best = match name {
        "min" => values.iter().min_by(by_size),
        "max" => values.iter().max_by(by_size),
        _ => None,
    };
    if let Some(best) = best {
        return Some(Ok(*best));
    }
    let [value] = values else { return None };
    if let (Number::Whole(number), "abs" | "floor" | "ceil" | "round") = (value, name) {
        let size = if name == "abs" { number.checked_abs() } else { Some(*number) };
        return Some(size.map(Number::Whole).ok_or(ArithmeticError::NotFinite("abs")));
    }
    let real = value.real();
    let (value, what) = match name {
        "sqrt" => (libm::sqrt(real), "sqrt"),
        "abs" => (libm::fabs(real), "abs"),
        "floor" => (libm::floor(real), "floor"),
        "ceil" => (libm::ceil(real), "ceil"),
        "round" => (libm::round(real), "round"),
        "exp" => (libm::exp(real), "exp"),
        "ln" => (libm::log(real), "ln"),
        "log10" => (libm::log10(real), "log10"),
        "sin" => (libm::sin(real), "sin"),
        "cos" => (libm::cos(real), "cos"),
        "tan" => (libm::tan(real), "tan"),
        _ => return None,
    };
    Some(Number::settled(value, what))
}

struct Reader<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&mut self) -> Option<char> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    /// Takes the first of these signs that comes next.
    fn take(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        self.peek();
        let sign = signs.iter().find(|sign| self.rest().starts_with(**sign))?;
        self.at += sign.len();
        Some(sign)
    }

    fn syntax(&self, reason: String) -> ArithmeticError {
        ArithmeticError::Syntax { at: self.character(), reason }
    }

    /// Where it is, in characters from 1.
    fn character(&self) -> usize {
        self.text.get(..self.at).unwrap_or_default().chars().count() + 1
    }

    fn sum(&mut self) -> Result<Number, ArithmeticError> {
        let mut value = self.product()?;
        while let Some(sign) = self.take(&["+", "-", "−"]) {
            let sign = if sign == "−" { "-" } else { sign };
            value = apply(sign, value, self.product()?)?;
        }
        Ok(value)
    }

    fn product(&mut self) -> Result<Number, ArithmeticError> {
        let mut value = self.signed()?;
        while let Some(sign) = self.take(&["*", "×", "//", "/", "÷", "%"]) {
            let sign = match sign {
                "×" => "*",
                "÷" => "/",
                sign => sign,
            };
            value = apply(sign, value, self.signed()?)?;
        }
        Ok(value)
    }

    /// Every way down passes here, so this bounds them all.
    fn signed(&mut self) -> Result<Number, ArithmeticError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ArithmeticError::TooDeep { at: self.character() });
        }
        let value = match self.take(&["-", "−", "+"]) {
            Some("+") => self.signed()?,
            Some(_) => apply("-", Number::Whole(0), self.signed()?)?,
            None => self.power()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    fn power(&mut self) -> Result<Number, ArithmeticError> {
        let value = self.atom()?;
        // A power binds to its right, and stronger than a sign on its left.
        match self.take(&["**", "^"]) {
            Some(_) => apply("^", value, self.signed()?),
            None => Ok(value),
        }
    }

    fn atom(&mut self) -> Result<Number, ArithmeticError> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let value = self.sum()?;
                self.close()?;
                Ok(value)
            }
            Some(letter) if letter.is_ascii_digit() || letter == '.' => self.number(),
            Some(letter) if letter.is_alphabetic() => self.named(),
            Some(other) => Err(self.syntax(format!("`{other}` where a number should be"))),
            None => Err(self.syntax("the end where a number should be".to_owned())),
        }
    }

    fn close(&mut self) -> Result<(), ArithmeticError> {
        match self.take(&[")"]) {
            Some(_) => Ok(()),
            None => Err(self.syntax("a bracket is not closed".to_owned())),
        }
    }

    fn number(&mut self) -> Result<Number, ArithmeticError> {
        let rest = self.rest();
        let digits = |text: &str| text.find(|b: char| !b.is_ascii_digit()).unwrap_or(text.len());
        let mut length = digits(rest);
        if rest[length..].starts_with('.') {
            length += 1 + digits(&rest[length + 1..]);
        }
        let power = &rest[length..];
        if power.starts_with(['e', 'E']) {
            let sign = usize::from(power[1..].starts_with(['+', '-']));
            let power = digits(&power[1 + sign..]);
            length += if power > 0 { 1 + sign + power } else { 0 };
        }
        let written = &rest[..length];
        let value = match (written.parse::<i128>(), written.parse::<f64>()) {
            (Ok(whole), _) => Ok(Number::Whole(whole)),
            (_, Ok(real)) => Number::settled(real, "a number this large"),
            _ => Err(self.syntax(format!("`{written}` is no number"))),
        }?;
        self.at += length;
        Ok(value)
    }

    fn named(&mut self) -> Result<Number, ArithmeticError> {
        let rest = self.rest();
        let length = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
        let name = rest[..length].to_lowercase();
        let unknown = self.syntax(format!(
            "`{}` is unknown; there are pi, e, {}",
            cut(&name),
            FUNCTIONS.join(", ")
        ));
        self.at += length;
        match name.as_str() {
            "pi" => return Ok(Number::Real(std::f64::consts::PI)),
            "e" => return Ok(Number::Real(std::f64::consts::E)),
            name if !FUNCTIONS.contains(&name) => return Err(unknown),
            _ => {}
        }
        if self.take(&["("]).is_none() {
            return Err(self.syntax(format!("`{name}` needs brackets: {name}(2)")));
        }
        let mut values = vec![self.sum()?];
        while self.take(&[","]).is_some() {
            values.push(self.sum()?);
        }
        self.close()?;
        match call(&name, &values) {
            Some(value) => value,
            None => Err(self.syntax(format!("`{name}` does not take {} values", values.len()))),
        }
    }
}
