//! A page under construction: paragraphs, lists and grids of one width.

use comfy_table::{
    Cell, CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width,
};

use super::super::limits::{
    HINT_NAME_CHARS_MAX, NAME_COLUMN_PIPED_MAX, NAME_COLUMN_PIPED_MIN, PARAGRAPH_CHARS_MAX,
    PIPED_WIDTH, WIDTH_MAX, WIDTH_MIN,
};
use super::super::palette::{LINKS_MAX, Palette, Tone, linked};
use super::super::{Screen, escape, link};

/// Keeps a number with its word where a line wraps.
pub(super) const NO_BREAK: &str = "\u{a0}";

/// How a column of a grid is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// As wide as its content, which never wraps.
    Content,
    /// The same, for numbers.
    Number,
    /// Wraps in its share of what is left.
    Wrap,
    /// Wraps in a share of what is left, but never where the output is no terminal.
    Name,
}

/// A column of a grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column(pub(super) &'static str, pub(super) Fit);

/// Rows and columns; a grid without titles is a list of facts.
#[derive(Debug, Default)]
pub(super) struct Grid {
    /// The columns.
    pub(super) columns: Vec<Column>,
    /// One cell for each column, marked by the page's palette.
    pub(super) rows: Vec<Vec<String>>,
    /// Spaces before the first column.
    pub(super) indent: u16,
    /// An empty line between rows, for rows of several lines.
    pub(super) airy: Airy,
}

/// Whether rows are set apart.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Airy {
    /// Row below row.
    #[default]
    No,
    /// An empty line between.
    Yes,
}

/// A page under construction.
#[derive(Debug)]
pub(super) struct Page {
    text: String,
    screen: Screen,
    /// Addresses that links lead to, by number.
    links: Vec<String>,
}

const TITLED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─'));
const AIRY: TableStyle = TITLED.row_separator(LineStyle::none().fill(' '));
const RULE: &str = "─";
const GAP: u16 = 2;
/// Columns before what belongs to a hint and stands below it.
const HINT_INDENT: usize = 6;
/// Width of a column that wraps where no terminal limits the width.
const WRAP_PIPED: u16 = 56;

impl Page {
    pub(super) fn new(screen: Screen) -> Self {
        let width = screen.width.map(|width| width.clamp(WIDTH_MIN, WIDTH_MAX));
        Self { text: String::new(), screen: Screen { width, ..screen }, links: Vec::new() }
    }

    /// Columns to lay out for.
    pub(super) fn width(&self) -> u16 {
        self.screen.width.unwrap_or(PIPED_WIDTH)
    }

    /// True where the output is no terminal.
    pub(super) fn is_piped(&self) -> bool {
        self.screen.width.is_none()
    }

    pub(super) fn mark(&self, tone: Tone, text: &str) -> String {
        self.screen.palette.mark(tone, text)
    }

    /// True where the screen opens links.
    pub(super) fn has_links(&self) -> bool {
        self.screen.palette == Palette::Links
    }

    /// Text that leads to a web address where the screen opens links; else the text alone.
    pub(super) fn link(&mut self, text: &str, url: Option<&str>) -> String {
        let url = url.filter(|_| self.has_links() && self.links.len() < LINKS_MAX);
        let Some(url) = url.and_then(link::web) else { return text.to_owned() };
        let number = match self.links.iter().position(|known| *known == url) {
            Some(known) => known,
            None => {
                self.links.push(url);
                self.links.len() - 1
            }
        };
        linked(text, number)
    }

    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// The head of a section, set apart from what was before.
    pub(super) fn section(&mut self, title: &str) {
        self.blank();
        let title = self.mark(Tone::Heading, title);
        self.prose(&title);
    }

    /// A paragraph; it wraps on a terminal and stays one line elsewhere.
    pub(super) fn prose(&mut self, text: &str) {
        self.hanging(0, "", text);
    }

    /// A line that is never broken, so that it can be copied; the terminal wraps it itself.
    pub(super) fn whole(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A list item with its text hanging behind a dash.
    pub(super) fn bullet(&mut self, text: &str) {
        self.hanging(2, "-", text);
    }

    /// A line of foreign text below an item, kept as it is where it fits.
    pub(super) fn quoted(&mut self, indent: u16, text: &str) {
        self.hanging(indent, "", text);
    }

    fn hanging(&mut self, indent: u16, lead: &str, text: &str) {
        let mut columns = vec![Column("", Fit::Wrap)];
        let mut row = vec![text.to_owned()];
        if !lead.is_empty() {
            columns.insert(0, Column("", Fit::Content));
            row.insert(0, lead.to_owned());
        }
        let too_long = text.chars().nth(PARAGRAPH_CHARS_MAX).is_some();
        match (self.screen.width, too_long, lead) {
            (None, ..) | (_, true, _) => {
                let lead = if lead.is_empty() { String::new() } else { format!("{lead} ") };
                self.text.push_str(&format!("{}{lead}{text}\n", " ".repeat(indent.into())));
            }
            (Some(_), false, _) => {
                let grid = Grid { columns, rows: vec![row], indent, ..Grid::default() };
                self.push_table(&grid, 1);
            }
        }
    }

    /// A grid; titles and a rule stand above it where it has titles.
    pub(super) fn grid(&mut self, grid: &Grid) {
        if !grid.rows.is_empty() {
            self.push_table(grid, GAP);
        }
    }

    fn push_table(&mut self, grid: &Grid, gap: u16) {
        let mut table = Table::new();
        table.load_style(match grid.airy {
            Airy::No => TITLED,
            Airy::Yes => AIRY,
        });
        if grid.columns.iter().any(|column| !column.0.is_empty()) {
            table.set_header(
                grid.columns.iter().map(|Column(title, _)| self.mark(Tone::Heading, title)),
            );
        }
        for row in &grid.rows {
            table.add_row(row.iter().map(Cell::new));
        }
        self.arrange(&mut table, grid, gap);
        let indent = " ".repeat(grid.indent.into());
        for line in table.lines() {
            // The rule below the titles starts where they do.
            let line = match line.strip_prefix(&RULE.repeat(grid.indent.into())) {
                Some(rule) if line.starts_with(RULE) => indent.clone() + rule,
                _ => line,
            };
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn arrange(&self, table: &mut Table, grid: &Grid, gap: u16) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        let widths = table.column_max_content_widths();
        let mut total = 0_u16;
        let last = grid.columns.len().saturating_sub(1);
        for (place, (Column(_, fit), column)) in
            grid.columns.iter().zip(table.column_iter_mut()).enumerate()
        {
            let left = if place == 0 { grid.indent } else { 0 };
            let right = if place == last { 0 } else { gap };
            column.set_padding((left, right));
            if *fit == Fit::Number {
                column.set_cell_alignment(CellAlignment::Right);
            }
            let content = widths.get(place).copied().unwrap_or_default();
            let lower =
                |width: u16| ColumnConstraint::LowerBoundary(Width::Fixed(width + left + right));
            let (constraint, width) = match (fit, self.screen.width) {
                (Fit::Content | Fit::Number, _) => (Some(ColumnConstraint::ContentWidth), content),
                (Fit::Name, None) => {
                    let width = names_width(grid, place, &widths).min(content);
                    let width = width.min(NAME_COLUMN_PIPED_MAX);
                    (Some(lower(width)), width)
                }
                (Fit::Name, Some(all)) => {
                    let width = content.min(all * 3 / 10);
                    (Some(lower(width)), width)
                }
                (Fit::Wrap, _) => (None, content.min(WRAP_PIPED)),
            };
            if let Some(constraint) = constraint {
                column.set_constraint(constraint);
            }
            total = total.saturating_add(width).saturating_add(left + right);
        }
        // Away from terminals lines may be longer, so that no name is broken.
        table.set_width(self.screen.width.unwrap_or(total.max(PIPED_WIDTH)));
    }

    /// The finished text, styled, with one newline at its end.
    pub(super) fn finish(self) -> String {
        let mut text = self.screen.palette.paint(&escape::page(&self.text), &self.links);
        text.truncate(text.trim_end_matches('\n').len());
        text.push('\n');
        text
    }

    /// Commands to type next, each with what it is good for.
    pub(super) fn hints(&mut self, hints: &[(String, &str)]) {
        if hints.is_empty() {
            return;
        }
        self.section("Next");
        let width = usize::from(self.width());
        let longest = hints.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
        let aside = longest + 4 + hints.iter().map(|(_, use_)| use_.len()).max().unwrap_or(0);
        for (command, purpose) in hints {
            // A command can be copied: it is never broken but as a shell allows.
            let shown = self.mark(Tone::Command, command);
            let purpose = self.mark(Tone::Faint, purpose);
            if aside <= width {
                let pad = " ".repeat(longest - command.chars().count());
                self.text.push_str(&format!("  {shown}{pad}  {purpose}\n"));
            } else {
                let lines = self.command_lines(command).into_iter();
                for (line, indent) in lines.zip([2, HINT_INDENT]) {
                    let line = self.mark(Tone::Command, &line);
                    self.text.push_str(&format!("{}{line}\n", " ".repeat(indent)));
                }
                self.quoted(HINT_INDENT as u16, &purpose);
            }
        }
    }

    /// A command in one line, or in two that a shell reads as one where a terminal is narrow.
    fn command_lines(&self, command: &str) -> Vec<String> {
        let fits = self.is_piped() || command.chars().count() + 2 <= self.width().into();
        let words =
            command.match_indices(' ').nth(1).and_then(|(at, _)| command.split_at_checked(at));
        match (fits, words) {
            (false, Some((start, rest))) => {
                vec![format!("{start} \\"), rest.trim_start().to_owned()]
            }
            _ => vec![command.to_owned()],
        }
    }

    /// A test as one types it, or its id where the name has no room on a line of its own.
    pub(super) fn typed_in_hint(&self, name: &str, id: &str) -> String {
        let text = typed(name, id);
        let fits = self.is_piped() || text.chars().count() + HINT_INDENT <= self.width().into();
        if fits { text } else { id.to_owned() }
    }
}

/// How wide a column of names must be away from terminals: its names, which head their cells, stay
/// whole, and what stands below them takes what is left of the page.
fn names_width(grid: &Grid, place: usize, widths: &[u16]) -> u16 {
    let cells = grid.rows.iter().filter_map(|row| row.get(place));
    // At most two columns a character, so that the widest scripts stay whole as well.
    let columns = |name: &str| name.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    let names = cells.map(|cell| columns(cell.lines().next().unwrap_or("")));
    let names: usize = names.max().unwrap_or(0);
    let names = u16::try_from(names).unwrap_or(u16::MAX);
    let all: u16 =
        widths.iter().fold(0, |sum, width| sum.saturating_add(width.saturating_add(GAP)));
    let others = all.saturating_sub(widths.get(place).copied().unwrap_or(0));
    names.max(PIPED_WIDTH.saturating_sub(others).max(NAME_COLUMN_PIPED_MIN))
}

/// A test as one types it in a POSIX shell; its id where the name cannot be typed.
pub(super) fn typed(name: &str, id: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:+,@%=".contains(c);
    let typeable = name.chars().nth(HINT_NAME_CHARS_MAX).is_none()
        && !name.chars().any(escape::is_hidden)
        && !name.starts_with('-');
    match (typeable, name.chars().all(plain)) {
        (false, _) => id.to_owned(),
        (true, true) if !name.is_empty() => name.to_owned(),
        (true, _) => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hint_says_can_be_typed() {
        for (name, wanted) in [
            ("tests.test_a::test_b", "tests.test_a::test_b"),
            ("a b[1]", "'a b[1]'"),
            ("it's", r"'it'\''s'"),
            ("a\u{202e}b", "id"),
            ("-x", "id"),
            ("", "''"),
        ] {
            assert_eq!(typed(name, "id"), wanted);
        }
        assert_eq!(typed(&"x".repeat(10_240), "id"), "id");
    }
}
