//! Texts that match a regular expression.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::work::Work;

/// Texts longer than this are not made.
const CHARS_MAX: usize = 10_000;
/// Parts written for one text; patterns that need more are given up. `(?:|a){9999}` writes much and
/// grows little.
const WRITES_MAX: u32 = 100_000;
/// Ranges of a class that are looked at: the plain letters are in the first of hundreds.
const RANGES_MAX: usize = 16;
/// Groups nest so deep in patterns.
const NESTING_MAX: u32 = 50;
/// The work of finding a letter of a class.
const LETTER: u64 = 8;
/// The work of reading a pattern.
const READING: u64 = 200;
/// What a free repetition repeats, over its least number.
const FREE_REPEATS: u32 = 1;

/// A text that matches a pattern and has at least so many characters, where the pattern can grow.
/// `None` for patterns that regular expressions of Rust lack (look-around, back-references).
///
/// The anchors are taken to hold; the caller checks the text.
pub(super) fn text(pattern: &str, chars_min: usize, salt: u64, work: &Work) -> Option<String> {
    work.spend(READING + pattern.len() as u64)?;
    let hir = ParserBuilder::new().nest_limit(NESTING_MAX).build().parse(pattern).ok()?;
    let mut maker = Maker { salt, extra: 0, made: String::new(), drawn: 0, writes: 0, work };
    // Growing step by step: repetitions of short pieces need more of it than those of long ones.
    let mut extra = 0;
    loop {
        maker.extra = extra;
        maker.drawn = 0;
        maker.made.clear();
        maker.write(&hir)?;
        let length = maker.made.chars().count();
        if length >= chars_min || extra as usize > chars_min.min(CHARS_MAX) {
            return Some(maker.made);
        }
        extra += 1 + u32::try_from(chars_min.saturating_sub(length) / 8).ok()?;
    }
}

struct Maker<'a> {
    salt: u64,
    /// Repeats over the least number, where a repetition is free.
    extra: u32,
    made: String,
    drawn: u64,
    /// Parts written, in all tries.
    writes: u32,
    work: &'a Work,
}

impl Maker<'_> {
    fn write(&mut self, hir: &Hir) -> Option<()> {
        self.writes += 1;
        self.work.spend(1)?;
        if self.made.len() > CHARS_MAX || self.writes > WRITES_MAX {
            return None;
        }
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.made.push_str(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Class(class) => {
                self.work.spend(LETTER)?;
                let letter = self.letter(class)?;
                self.made.push(letter);
            }
            HirKind::Repetition(repetition) => {
                let free = FREE_REPEATS.max(self.extra).saturating_add(repetition.min);
                let times =
                    repetition.max.map_or(free, |max| max.min(if max <= 1 { max } else { free }));
                for _ in 0..times {
                    self.write(&repetition.sub)?;
                }
            }
            HirKind::Capture(capture) => self.write(&capture.sub)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    self.write(part)?;
                }
            }
            HirKind::Alternation(parts) => {
                let index = usize::try_from(self.salt).ok()? % parts.len().max(1);
                self.write(parts.get(index)?)?;
            }
        }
        Some(())
    }

    /// A letter of a class: a plain one where there is any, another for another salt.
    fn letter(&mut self, class: &Class) -> Option<char> {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => {
                let ranges = class.ranges().iter().take(RANGES_MAX);
                ranges.map(|range| (range.start(), range.end())).collect()
            }
            Class::Bytes(class) => {
                let ranges = class.ranges().iter().take(RANGES_MAX);
                ranges.map(|range| (char::from(range.start()), char::from(range.end()))).collect()
            }
        };
        let within = |letter: &char| ranges.iter().any(|(from, to)| from <= letter && letter <= to);
        let drawn = self.drawn;
        self.drawn += 1;
        let pick = |letters: &[char]| {
            let index = usize::try_from(self.salt.wrapping_add(drawn)).ok()? % letters.len().max(1);
            letters.get(index).copied()
        };
        let lower: Vec<char> = ('a'..='z').filter(within).collect();
        let upper: Vec<char> = ('A'..='Z').filter(within).collect();
        let digits: Vec<char> = ('1'..='9').chain(['0']).filter(within).collect();
        [lower, upper, digits]
            .iter()
            .find_map(|letters| pick(letters))
            .or_else(|| (' '..='~').find(within).or_else(|| ranges.first().map(|(from, _)| *from)))
    }
}
