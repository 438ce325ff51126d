//! Colour that means something, applied after layout.
//!
//! A table must measure its text without styling, and may wrap it anywhere. So while a page is laid
//! out, each styled character is followed by an invisible mark of no width that belongs to it (a
//! variation selector, which [`escape`](super::escape) lets no foreign text contain); at the end
//! [`Palette::paint`] turns runs of marked characters into terminal styles. A link has its number
//! behind each character in the same way, in three octal digits.

use anstyle::{AnsiColor, Style};

use super::link;

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A title.
    Strong,
    /// The head of a column or section.
    Heading,
    /// Secondary.
    Faint,
    /// Broken, failed, refused.
    Bad,
    /// Flaky, doubtful, passed on retry.
    Unsteady,
    /// Passing, fixed.
    Good,
    /// To be typed.
    Command,
}

impl Tone {
    const ALL: [Self; 7] = [
        Self::Strong,
        Self::Heading,
        Self::Faint,
        Self::Bad,
        Self::Unsteady,
        Self::Good,
        Self::Command,
    ];

    const fn style(self) -> Style {
        match self {
            Self::Strong => Style::new().bold(),
            Self::Heading => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Unsteady => AnsiColor::Yellow.on_default(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Command => AnsiColor::Cyan.on_default(),
        }
    }

    fn mark(self) -> char {
        char::from_u32(FIRST_MARK + self as u32).unwrap_or(' ')
    }

    fn of_mark(c: char) -> Option<Self> {
        let place = u32::from(c).checked_sub(FIRST_MARK)?;
        Self::ALL.get(place as usize).copied()
    }
}

/// The first of the marks: VARIATION SELECTOR-241.
const FIRST_MARK: u32 = 0xE01E0;

/// The first of the digits of a link's number: VARIATION SELECTOR-249.
const FIRST_DIGIT: u32 = 0xE01E8;
/// Digits of a link's number.
const DIGITS: u32 = 3;
/// Links that one page can have.
pub const LINKS_MAX: usize = 1 << (3 * DIGITS);

/// Text, marked or not, that leads to the link of a number below [`LINKS_MAX`].
#[must_use]
pub fn linked(text: &str, number: usize) -> String {
    let digit = |place: u32| {
        char::from_u32(FIRST_DIGIT + (number as u32 >> (3 * place) & 7)).unwrap_or(' ')
    };
    let digits: String = (0..DIGITS).rev().map(digit).collect();
    let mut out = String::with_capacity(text.len() * 4);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if c == ' ' || c == '\n' {
            continue;
        }
        if let Some(mark) = chars.next_if(|next| Tone::of_mark(*next).is_some()) {
            out.push(mark);
        }
        out.push_str(&digits);
    }
    out
}

/// The value of a digit.
fn digit(c: char) -> Option<usize> {
    u32::from(c).checked_sub(FIRST_DIGIT).filter(|value| *value < 8).map(|value| value as usize)
}

/// Whether a page is styled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// Text alone.
    #[default]
    Plain,
    /// ANSI colours of the terminal's own theme.
    Colour,
    /// The same, and links that the terminal opens (OSC 8).
    Links,
}

impl Palette {
    /// The text, marked so that [`paint`](Self::paint) styles it.
    #[must_use]
    pub fn mark(self, tone: Tone, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            // Tables break lines at spaces, which therefore carry no mark.
            Self::Colour | Self::Links => text
                .chars()
                .flat_map(|c| [Some(c), (c != ' ' && c != '\n').then(|| tone.mark())])
                .flatten()
                .collect(),
        }
    }

    /// A laid out page with its marks replaced by terminal styles, and numbers by their `links`.
    #[must_use]
    pub fn paint(self, text: &str, links: &[String]) -> String {
        if self == Self::Plain {
            return text.to_owned();
        }
        let mut painter = Painter { out: String::with_capacity(text.len()), ..Painter::default() };
        let mut spaces = 0_usize;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if Tone::of_mark(c).is_some() || digit(c).is_some() {
                continue;
            }
            if c == ' ' {
                spaces += 1;
                continue;
            }
            let tone = chars.peek().copied().and_then(Tone::of_mark);
            if tone.is_some() {
                chars.next();
            }
            let mut number = None;
            while let Some(value) = chars.peek().copied().and_then(digit) {
                number = Some(number.unwrap_or(0) * 8 + value);
                chars.next();
            }
            let link = number.and_then(|number| links.get(number));
            painter.leave(tone, link);
            painter.out.extend(std::iter::repeat_n(' ', std::mem::take(&mut spaces)));
            painter.enter(tone, link);
            painter.out.push(c);
        }
        painter.leave(None, None);
        painter.out.extend(std::iter::repeat_n(' ', spaces));
        painter.out
    }
}

/// What is open while a page is painted: links stand within styles.
#[derive(Default)]
struct Painter<'a> {
    out: String,
    tone: Option<Tone>,
    link: Option<&'a String>,
}

impl<'a> Painter<'a> {
    /// Closes what the next character does not share.
    fn leave(&mut self, tone: Option<Tone>, link: Option<&'a String>) {
        if self.link.is_some() && (self.link != link || self.tone != tone) {
            self.out.push_str(link::CLOSE);
            self.link = None;
        }
        if let Some(open) = self.tone.filter(|_| self.tone != tone) {
            self.out.push_str(&open.style().render_reset().to_string());
            self.tone = None;
        }
    }

    /// Opens what the next character has.
    fn enter(&mut self, tone: Option<Tone>, link: Option<&'a String>) {
        if let (Some(tone), None) = (tone, self.tone) {
            self.out.push_str(&tone.style().render().to_string());
            self.tone = Some(tone);
        }
        if let (Some(url), None) = (link, self.link) {
            self.out.push_str(&link::open(url));
            self.link = Some(url);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_styles_in_runs_that_span_spaces_but_not_lines() {
        let palette = Palette::Colour;
        let text = format!(
            "{} and\n{}",
            palette.mark(Tone::Bad, "newly broken"),
            palette.mark(Tone::Good, "ok")
        );
        assert_eq!(
            palette.paint(&text, &[]),
            "\u{1b}[31mnewly broken\u{1b}[0m and\n\u{1b}[32mok\u{1b}[0m"
        );
    }

    #[test]
    fn plain_text_is_left_alone_and_stray_marks_vanish() {
        assert_eq!(Palette::Plain.mark(Tone::Bad, "x"), "x");
        assert_eq!(Palette::Colour.paint("a \u{e01e0} b", &[]), "a  b");
    }

    #[test]
    fn each_tone_reads_back_from_its_mark() {
        for tone in Tone::ALL {
            assert_eq!(Tone::of_mark(tone.mark()), Some(tone));
            assert!(super::super::escape::is_hidden(tone.mark()));
        }
    }

    #[test]
    fn a_link_closes_with_its_line_and_stands_within_its_style() {
        let palette = Palette::Colour;
        let urls: Vec<String> = (0..100).map(|n| format!("https://ci/{n}")).collect();
        let text = format!("{} x\n{}", linked(&palette.mark(Tone::Bad, "a b"), 65), linked("c", 1));
        assert_eq!(
            palette.paint(&text, &urls),
            "\u{1b}[31m\u{1b}]8;;https://ci/65\u{1b}\\a b\u{1b}]8;;\u{1b}\\\u{1b}[0m x\n\
             \u{1b}]8;;https://ci/1\u{1b}\\c\u{1b}]8;;\u{1b}\\"
        );
        assert_eq!(palette.paint(&linked("a", 7), &[]), "a");
        assert_eq!(
            linked("a b", 0).chars().filter(|c| super::super::escape::is_hidden(*c)).count(),
            6
        );
    }
}
