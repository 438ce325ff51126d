//! The table of all tests: a row for each, as short as it can be, since there are thousands.

use std::borrow::Cow;

use askama::Template;

use super::super::view::{ReportView, TestView};
use super::super::{escape, phrase, sentence};
use super::{page, text};
use crate::report::limits::{FIELD_CHARS_MAX, NAME_CHARS_MAX};

/// However little room there is, so much of a name stays.
const NAME_CHARS_MIN: usize = 60;
/// What stands within a name at most, where it is cut: how long it was.
const CUT_BYTES: usize = 32;
/// Rows that a page shows at first; scripts show the others on demand.
const SHOWN_AT_FIRST: usize = 100;

/// One test.
#[derive(Template)]
#[template(path = "row.html")]
struct Row<'a> {
    name: &'a str,
    /// The number of its course, where the page has one.
    course: Option<usize>,
    tone: &'static str,
    status: &'static str,
    takes: String,
    failed: String,
    owners: String,
    rate: String,
    cost: String,
    last: &'a str,
}

impl Row<'_> {
    /// Columns behind the last that has anything in them are left out.
    fn columns(&self) -> usize {
        let filled = [&self.owners, &self.rate, &self.cost, self.last];
        filled.iter().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1)
    }

    /// Names beyond ASCII may be written from right to left; the mark of what was cut is not.
    fn is_plain(&self, text: &str) -> bool {
        text.chars().all(|c| c.is_ascii() || c == '…')
    }
}

/// The rows that fit, and what did not.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The rows that are shown at first.
    pub first: String,
    /// The others.
    pub rest: String,
    /// How many rows there are.
    pub listed: usize,
    /// Tests without a row.
    pub left_out: u64,
    /// Characters to which names were cut to fit; `None` where they were not.
    pub names_cut: Option<usize>,
}

impl Rows {
    /// Tests without a row, in digits.
    pub(super) fn left_out_words(&self) -> String {
        sentence::number(self.left_out)
    }

    /// Rows of at most so many bytes; `course` tells the number of a test's course.
    pub(super) fn new(
        report: &ReportView,
        course: &dyn Fn(usize) -> Option<usize>,
        bytes: usize,
    ) -> askama::Result<Self> {
        let name = |test: &TestView| escape::line(&test.label()).into_owned();
        let names: Vec<String> = report.tests.iter().map(name).collect();
        let mut rows = Self::cut(report, course, &names, NAME_CHARS_MAX)?;
        if rows.iter().map(String::len).sum::<usize>() > bytes {
            let chars = fitting(&names, &rows, bytes);
            rows = Self::cut(report, course, &names, chars)?;
            let is_cut = names.iter().any(|name| cut(name, chars).len() < name.len());
            let found = Self::within(rows, report, bytes);
            return Ok(Self { names_cut: is_cut.then_some(chars), ..found });
        }
        Ok(Self::within(rows, report, bytes))
    }

    /// The row of each test, with names of at most so many characters.
    fn cut(
        report: &ReportView,
        course: &dyn Fn(usize) -> Option<usize>,
        names: &[String],
        chars: usize,
    ) -> askama::Result<Vec<String>> {
        let row = |(place, (test, name)): (usize, (&TestView, &String))| {
            row(test, &cut(name, chars), course(place)).render()
        };
        report.tests.iter().zip(names).enumerate().map(row).collect()
    }

    fn within(rows: Vec<String>, report: &ReportView, bytes: usize) -> Self {
        let mut found = Self { left_out: report.left_out, ..Self::default() };
        let mut room = bytes;
        for row in rows {
            let Some(left) = room.checked_sub(row.len()) else {
                // There is no room for those behind it either: no gaps.
                room = 0;
                found.left_out += 1;
                continue;
            };
            room = left;
            let part =
                if found.listed < SHOWN_AT_FIRST { &mut found.first } else { &mut found.rest };
            part.push_str(&row);
            found.listed += 1;
        }
        found
    }
}

/// The two ends of a name, where that makes it shorter.
fn cut(name: &str, chars: usize) -> Cow<'_, str> {
    match name.len() > chars + CUT_BYTES {
        true => escape::shortened_inside(name, chars),
        false => name.into(),
    }
}

/// The longest names with which the rows fit.
fn fitting(names: &[String], rows: &[String], bytes: usize) -> usize {
    // Counted once: names may be long.
    let lengths: Vec<(usize, usize)> = names
        .iter()
        .map(|name| (name.len(), cut(name, NAME_CHARS_MIN).len().saturating_sub(NAME_CHARS_MIN)))
        .collect();
    let kept = |(whole, around): &(usize, usize), chars: usize| match *whole > chars + CUT_BYTES {
        true => chars + around,
        false => *whole,
    };
    let around: usize = rows
        .iter()
        .zip(&lengths)
        .map(|(row, length)| row.len().saturating_sub(kept(length, NAME_CHARS_MAX)))
        .sum();
    let fits = |chars: usize| {
        around + lengths.iter().map(|length| kept(length, chars)).sum::<usize>() <= bytes
    };
    let (mut low, mut high) = (NAME_CHARS_MIN, NAME_CHARS_MAX);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    low
}

fn row<'a>(test: &'a TestView, name: &'a str, course: Option<usize>) -> Row<'a> {
    let failing = test.failing();
    let of = sentence::number(failing.of.into());
    Row {
        name,
        course,
        tone: page::tone(test.status),
        status: sentence::status(test.status),
        takes: test.duration_seconds.map(sentence::seconds).unwrap_or_default(),
        failed: format!("{} of {of}", sentence::number(failing.bad.into())),
        rate: failing
            .rate
            .map(|rate| sentence::rate(rate).replace("likely ", ""))
            .unwrap_or_default(),
        cost: match test.harm.reddened {
            0 => String::new(),
            builds => sentence::number(builds.into()),
        },
        // Failures that count against no test are none of its own.
        last: match (failing.bad, &test.last_failure) {
            (1.., Some(time)) => phrase::day(time),
            _ => "",
        },
        owners: text(&test.owners.join(" "), FIELD_CHARS_MAX),
    }
}
