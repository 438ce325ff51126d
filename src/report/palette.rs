//! Colour that means something, applied after layout.
//!
//! A table must measure its text without styling, and may wrap it anywhere. So while a page is laid
//! out, each styled character is followed by an invisible mark of no width that belongs to it (a
//! variation selector, which [`escape`](super::escape) lets no foreign text contain); at the end
//! [`Palette::paint`] turns runs of marked characters into terminal styles.

use anstyle::{AnsiColor, Style};

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

/// Whether a page is styled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// Text alone.
    #[default]
    Plain,
    /// ANSI colours of the terminal's own theme.
    Colour,
}

impl Palette {
    /// The text, marked so that [`paint`](Self::paint) styles it.
    #[must_use]
    pub fn mark(self, tone: Tone, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            // Tables break lines at spaces, which therefore carry no mark.
            Self::Colour => text
                .chars()
                .flat_map(|c| [Some(c), (c != ' ' && c != '\n').then(|| tone.mark())])
                .flatten()
                .collect(),
        }
    }

    /// A laid out page with its marks replaced by terminal styles.
    #[must_use]
    pub fn paint(self, text: &str) -> String {
        if self == Self::Plain {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut open: Option<Tone> = None;
        let mut spaces = 0_usize;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if Tone::of_mark(c).is_some() {
                continue;
            }
            if c == ' ' {
                spaces += 1;
                continue;
            }
            let tone = chars.peek().copied().and_then(Tone::of_mark);
            if tone != open {
                close(&mut out, open.take());
            }
            out.extend(std::iter::repeat_n(' ', std::mem::take(&mut spaces)));
            if let (Some(tone), None) = (tone, open) {
                out.push_str(&tone.style().render().to_string());
                open = Some(tone);
            }
            out.push(c);
        }
        close(&mut out, open);
        out.extend(std::iter::repeat_n(' ', spaces));
        out
    }
}

fn close(out: &mut String, open: Option<Tone>) {
    if let Some(tone) = open {
        out.push_str(&tone.style().render_reset().to_string());
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
            palette.paint(&text),
            "\u{1b}[31mnewly broken\u{1b}[0m and\n\u{1b}[32mok\u{1b}[0m"
        );
    }

    #[test]
    fn plain_text_is_left_alone_and_stray_marks_vanish() {
        assert_eq!(Palette::Plain.mark(Tone::Bad, "x"), "x");
        assert_eq!(Palette::Colour.paint("a \u{e01e0} b"), "a  b");
    }

    #[test]
    fn each_tone_reads_back_from_its_mark() {
        for tone in Tone::ALL {
            assert_eq!(Tone::of_mark(tone.mark()), Some(tone));
            assert!(super::super::escape::is_hidden(tone.mark()));
        }
    }
}
