//! Texts that programs get wrong: what breaks length counts, encodings, escapes and terminals.

use serde_json::Value;

use super::generate::{COUNT_MAX, Generate, sizes};
use super::invalid::{Checked, Invalid, of_kind};
use super::source::Stream;
use crate::testkit::nodes::Violation;
use crate::testkit::nodes::field::Kind;

/// Pieces that XML 1.0 can hold.
const PIECES: [(&str, &str); 28] = [
    ("combining marks", "e\u{301}a\u{308}o\u{302}\u{323}"),
    ("many marks on one letter", "z\u{310}\u{351}\u{369}\u{34e}\u{327}\u{322}"),
    ("family of four", "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}"),
    ("skin tone", "\u{1f44d}\u{1f3fd}"),
    ("flag", "\u{1f1ea}\u{1f1fa}"),
    ("beyond the first plane", "\u{1d54a}\u{20000}\u{10fffd}"),
    ("right to left", "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{645}\u{631}\u{62d}\u{628}\u{627}"),
    ("override of direction", "a\u{202e}gpj.exe\u{202c}"),
    ("zero width", "in\u{200b}vis\u{200c}i\u{2060}ble"),
    ("byte order mark", "\u{feff}bom"),
    ("dotted and dotless i", "I\u{130}\u{131}i"),
    ("sharp s", "stra\u{df}e STRA\u{1e9e}E"),
    ("ligature", "\u{fb03}ce"),
    ("long s", "\u{17f}ecret"),
    ("Hangul, whole and in parts", "\u{d55c}\u{1112}\u{1161}\u{11ab}"),
    ("full width", "\u{ff21}\u{ff22}\u{ff11}"),
    ("no-break and ideographic blanks", "a\u{a0}b\u{3000}c"),
    ("line and paragraph separator", "a\u{2028}b\u{2029}c"),
    ("next line", "a\u{85}b"),
    ("edges of the surrogates", "\u{d7ff}\u{e000}"),
    ("replacement", "\u{fffd}"),
    ("line ends", "a\r\nb\rc\nd\te"),
    ("quotes and backslashes", r#""'`\\ \u0000 \n"#),
    ("markup", "<![CDATA[ ]]> </failure> &amp; & <!-- -->"),
    ("query", "'; DROP TABLE tests; --"),
    ("template", "{{7*7}} ${7*7} %s %n {0} #{x}"),
    ("path", "../../etc/passwd CON aux.txt ~"),
    ("number-like", "1e999 -0 NaN 0x1F 007 \u{661}\u{662}\u{663}"),
];

/// Pieces that XML 1.0 cannot hold, however they are escaped.
const BEYOND_XML: [(&str, &str); 6] = [
    ("null", "a\0b"),
    ("controls", "\u{1}\u{7}\u{8}\u{b}\u{c}\u{1f}"),
    ("escape sequence", "\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}"),
    ("noncharacters of the first plane", "\u{fffe}\u{ffff}"),
    ("delete", "\u{7f}\u{1}"),
    ("end of file", "\u{4}\u{1a}"),
];

/// Texts that programs get wrong: marks, directions, emoji of many parts, controls, escapes.
///
/// ```
/// use flakedb::testkit::generators::{Generate, HostileTexts, Source};
///
/// let text = HostileTexts::new().pieces(3, 3).one(&mut Source::seeded(7));
/// assert!(!text.is_ascii() || text.contains(['\\', '<', '{', '\'', '/', '\0', '\u{1b}', '\r', '\u{1}']));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostileTexts {
    pieces: (usize, usize),
    xml: bool,
}

impl Default for HostileTexts {
    /// One to six pieces, of all kinds.
    fn default() -> Self {
        Self { pieces: (1, 6), xml: false }
    }
}

impl HostileTexts {
    /// One to six pieces, of all kinds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// So many pieces, both ends included, at most [`COUNT_MAX`].
    #[must_use]
    pub fn pieces(mut self, least: usize, greatest: usize) -> Self {
        self.pieces = sizes(least, greatest, COUNT_MAX);
        self
    }

    /// Only characters that XML 1.0 can hold.
    #[must_use]
    pub fn xml(mut self) -> Self {
        self.xml = true;
        self
    }

    /// Every piece there is: what is hard about it, and the piece.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        PIECES.into_iter().chain(BEYOND_XML)
    }
}

impl Generate for HostileTexts {
    type Output = String;
    const KIND: &'static str = "hostile";

    fn generate(&self, stream: &mut Stream) -> String {
        let others = if self.xml { 0 } else { BEYOND_XML.len() };
        let mut text = String::new();
        for _ in 0..stream.size(self.pieces) {
            let at = stream.below((PIECES.len() + others) as u64) as usize;
            let piece = PIECES.get(at).or_else(|| BEYOND_XML.get(at - PIECES.len()));
            text.push_str(piece.map_or("", |(_, piece)| piece));
        }
        text
    }
}

impl Checked for HostileTexts {
    fn violations(&self, value: &Value) -> Vec<Violation> {
        Kind::Text.violations(value)
    }

    fn spoiled(&self, good: &Value) -> Vec<Invalid> {
        of_kind(&Kind::Text, good)
    }
}
