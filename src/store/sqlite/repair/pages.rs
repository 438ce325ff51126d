//! The pages of a SQLite file as they lie there, without the engine, which gives up where a tree is
//! broken. The format is that of <https://www.sqlite.org/fileformat2.html>.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::super::schema::PAGE_BYTES;

/// Bytes of the file's header, in front of the first page's own.
pub(super) const HEADER_BYTES: usize = 100;
const LEAF_TABLE: u8 = 13;
const LEAF_INDEX: u8 = 10;
const INNER_TABLE: u8 = 5;
const INNER_INDEX: u8 = 2;
/// Trees are at most a handful of pages deep: more is a circle.
const DEPTH_MAX: usize = 20;

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

/// A row of a table, or an entry of an index, whose number is 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) number: i64,
    pub(super) values: Vec<Value>,
}

/// What a walk through one tree meets.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Pages that hold no tree, or a broken one.
    pub(super) pages: Vec<u32>,
    /// Rows that cannot be read, by the page that they stand on.
    pub(super) cells: Vec<u32>,
}

/// The pages of one file.
pub(super) struct Pages {
    file: File,
    head: Vec<u8>,
    size: usize,
    count: u32,
}

impl Pages {
    /// Opens the file; where its header does not say how large pages are, or what it says cannot be,
    /// they have the size that this crate writes.
    pub(super) fn open(path: &Path) -> std::io::Result<Self> {
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut head = Vec::new();
        file.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut head)?;
        let size = stated_size(&head, bytes).unwrap_or(PAGE_BYTES) as usize;
        let count = bytes.div_ceil(size as u64).min(u64::from(u32::MAX)) as u32;
        Ok(Self { file, head, size, count })
    }

    /// The file's header, as far as there is one.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// How many pages there are; the last may be cut.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// A page, shorter where the file ends in it: what is missing must not be taken for zeros.
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        let place = u64::from(number.checked_sub(1)?) * self.size as u64;
        if number > self.count {
            return None;
        }
        self.file.seek(SeekFrom::Start(place)).ok()?;
        let mut page = Vec::with_capacity(self.size);
        // A place that the disk cannot read is a damaged page, no end of the work.
        (&self.file).take(self.size as u64).read_to_end(&mut page).ok()?;
        Some(page)
    }

    /// Calls `visit` for each row of the tree at `root`; pages seen are added to `seen`.
    pub(super) fn walk(
        &mut self,
        root: u32,
        seen: &mut HashSet<u32>,
        damage: &mut Damage,
        visit: &mut dyn FnMut(Cell),
    ) {
        let mut open = vec![(root, 0)];
        while let Some((number, depth)) = open.pop() {
            if depth > DEPTH_MAX || !seen.insert(number) {
                damage.pages.push(number);
                continue;
            }
            let Some(page) = self.page(number) else {
                damage.pages.push(number);
                continue;
            };
            let Some(mut below) = self.cells(number, &page, damage, visit) else {
                damage.pages.push(number);
                continue;
            };
            // Left first.
            below.reverse();
            open.extend(below.into_iter().map(|child| (child, depth + 1)));
        }
    }

    /// Calls `visit` for each row of a page of a table; false where it is none.
    pub(super) fn leaf(&mut self, number: u32, visit: &mut dyn FnMut(Cell)) -> bool {
        let Some(page) = self.page(number) else { return false };
        let head = if number == 1 { HEADER_BYTES } else { 0 };
        page.get(head) == Some(&LEAF_TABLE)
            && self.cells(number, &page, &mut Damage::default(), visit).is_some()
    }

    /// Visits the rows of a page and returns the pages below; `None` where it is no page of a tree.
    fn cells(
        &mut self,
        no: u32,
        page: &[u8],
        damage: &mut Damage,
        visit: &mut dyn FnMut(Cell),
    ) -> Option<Vec<u32>> {
        let head = if no == 1 { HEADER_BYTES } else { 0 };
        let kind = *page.get(head)?;
        let is_inner = matches!(kind, INNER_TABLE | INNER_INDEX);
        if !is_inner && !matches!(kind, LEAF_TABLE | LEAF_INDEX) {
            return None;
        }
        let many = number(page, head + 3, 2)? as usize;
        let first = head + if is_inner { 12 } else { 8 };
        if first + 2 * many > page.len() {
            return None;
        }
        let mut below = Vec::new();
        for place in 0..many {
            let at = number(page, first + 2 * place, 2)? as usize;
            // Rows begin behind the list of their places.
            let is_inside = at >= first + 2 * many && at < page.len();
            let mut at = if is_inside { at } else { page.len() };
            if is_inner {
                match number(page, at, 4) {
                    Some(child) => below.push(child),
                    None => damage.cells.push(no),
                }
                at += 4;
            }
            if kind != INNER_TABLE {
                match self.cell(page, at, kind) {
                    Some(cell) => visit(cell),
                    None => damage.cells.push(no),
                }
            }
        }
        if is_inner {
            below.push(number(page, head + 8, 4)?);
        }
        Some(below)
    }

    fn cell(&mut self, page: &[u8], at: usize, kind: u8) -> Option<Cell> {
        let mut at = at;
        let length = varint(page, &mut at)?;
        if length > u64::from(self.count) * self.size as u64 {
            return None;
        }
        let number = if kind == LEAF_TABLE { varint(page, &mut at)? as i64 } else { 0 };
        let payload = self.payload(page, at, length as usize, kind == LEAF_TABLE)?;
        Some(Cell { number, values: record(&payload)? })
    }

    /// The bytes of a row, gathered from the pages that it overflows to.
    fn payload(
        &mut self,
        page: &[u8],
        at: usize,
        length: usize,
        is_table: bool,
    ) -> Option<Vec<u8>> {
        // No writer of histories reserves a part of its pages.
        let usable = self.size;
        let most = if is_table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        let least = (usable - 12) * 32 / 255 - 23;
        if length <= most {
            return Some(page.get(at..at.checked_add(length)?)?.to_vec());
        }
        let fit = least + (length - least) % (usable - 4);
        let here = if fit <= most { fit } else { least };
        let mut bytes = page.get(at..at + here)?.to_vec();
        let mut next = number(page, at + here, 4)?;
        while bytes.len() < length {
            // A chain that ends too early goes on at page 0, which is none.
            let over = self.page(next)?;
            next = number(&over, 0, 4)?;
            let some = (length - bytes.len()).min(usable - 4);
            bytes.extend_from_slice(over.get(4..4 + some)?);
        }
        Some(bytes)
    }

    /// Pages that hold nothing any more, as far as the list of them can be read.
    pub(super) fn free(&mut self) -> HashSet<u32> {
        let mut free = HashSet::new();
        let mut next = self.page(1).and_then(|first| number(&first, 32, 4)).unwrap_or(0);
        while next != 0 && free.insert(next) {
            let Some(trunk) = self.page(next) else { break };
            let many = number(&trunk, 4, 4).unwrap_or(0).min(self.size as u32 / 4);
            free.extend((0..many as usize).filter_map(|place| number(&trunk, 8 + 4 * place, 4)));
            next = number(&trunk, 0, 4).unwrap_or(0);
        }
        free
    }
}

/// How large a header says that pages are, in bytes; `None` where it is none, says what no page can
/// be, or where the number of pages that it says fits the file in pages of this crate alone.
fn stated_size(head: &[u8], file_bytes: u64) -> Option<u32> {
    let stated = match number(head, 16, 2)? {
        1 => 65_536,
        size if size.is_power_of_two() && size >= 512 => size,
        _ => return None,
    };
    let fills = |size: u32| Some(u64::from(number(head, 28, 4)?) * u64::from(size) == file_bytes);
    let is_doubtful = fills(PAGE_BYTES)? && !fills(stated)?;
    (head.starts_with(b"SQLite format 3\0") && !is_doubtful).then_some(stated)
}

/// A big-endian number of up to four bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |all, byte| (all << 8) | u32::from(*byte)))
}

/// SQLite's varint: seven bits a byte, highest first; the ninth byte has eight.
fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if place == 8 {
            return Some((value << 8) | u64::from(byte));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte < 0x80 {
            break;
        }
    }
    Some(value)
}

fn record(payload: &[u8]) -> Option<Vec<Value>> {
    let mut at = 0;
    let head = usize::try_from(varint(payload, &mut at)?).ok()?;
    let mut kinds = Vec::new();
    while at < head {
        kinds.push(varint(payload, &mut at)?);
    }
    if at != head {
        return None;
    }
    let mut values = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            more => usize::try_from((more - 12) / 2).ok()?,
        };
        let bytes = payload.get(at..at.checked_add(length)?)?;
        at += length;
        let signed = |bytes: &[u8]| {
            let first = bytes.first().map_or(0, |byte| i64::from(*byte as i8));
            bytes.iter().skip(1).fold(first, |all, byte| (all << 8) | i64::from(*byte))
        };
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            7 => Value::Real(f64::from_bits(signed(bytes) as u64)),
            1..=6 => Value::Integer(signed(bytes)),
            even if even % 2 == 0 => Value::Blob(bytes.to_vec()),
            _ => Value::Text(bytes.to_vec()),
        });
    }
    // Bytes that no value takes were not written so.
    (at == payload.len()).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn every_row_and_index_entry_is_read_as_the_engine_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB, d REAL, e INTEGER);
                 CREATE INDEX i ON t (b);
                 WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)
                 INSERT INTO t SELECT x * 3, 'row ' || x || hex(zeroblob((x * 37) % 9000)),
                   zeroblob(x % 70), x / 7.0, (x - 1500) * (x % 5) * 100000007 FROM n;
                 DELETE FROM t WHERE a % 11 = 0;",
            )
            .unwrap();
        let root = |name: &str| -> u32 {
            let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
            connection.query_row(sql, [name], |row| row.get(0)).unwrap()
        };
        let mut pages = Pages::open(&path).unwrap();
        let (mut seen, mut damage) = (HashSet::new(), Damage::default());
        let mut cells = Vec::new();
        pages.walk(root("t"), &mut seen, &mut damage, &mut |cell| cells.push(cell));
        let mut entries = 0;
        pages.walk(root("i"), &mut seen, &mut damage, &mut |cell| {
            assert!(matches!(cell.values.as_slice(), [Value::Text(_), Value::Integer(_)]));
            entries += 1;
        });
        assert!(damage.pages.is_empty() && damage.cells.is_empty(), "{damage:?}");
        let mut select = connection.prepare("SELECT a, b, c, d, e FROM t ORDER BY a").unwrap();
        let mut rows = select.query([]).unwrap();
        for cell in &cells {
            let row = rows.next().unwrap().unwrap();
            assert_eq!(cell.number, row.get::<_, i64>(0).unwrap());
            let expected = [
                Value::Null,
                Value::Text(row.get::<_, String>(1).unwrap().into_bytes()),
                Value::Blob(row.get(2).unwrap()),
                Value::Real(row.get(3).unwrap()),
                Value::Integer(row.get(4).unwrap()),
            ];
            // Whole numbers of a REAL column are stored as integers.
            for (value, wanted) in cell.values.iter().zip(&expected) {
                match (value, wanted) {
                    (Value::Integer(whole), Value::Real(real)) => assert_eq!(*whole as f64, *real),
                    _ => assert_eq!(value, wanted),
                }
            }
        }
        assert!(rows.next().unwrap().is_none());
        assert_eq!(entries, cells.len());
        assert!(!pages.free().is_empty());
    }

    #[test]
    fn bytes_that_are_no_record_are_none() {
        for bytes in [&b""[..], &[9], &[2, 10], &[3, 1, 1, 7], &[2, 1], &[2, 0, 9], &[0x81; 12]] {
            assert_eq!(record(bytes), None, "{bytes:?}");
        }
        assert_eq!(record(&[3, 1, 15, 0xff, b'x']).map(|values| values.len()), Some(2));
    }

    #[test]
    fn numbers_of_nine_bytes_have_eight_bits_in_the_last() {
        let read = |bytes: &[u8]| {
            let mut at = 0;
            varint(bytes, &mut at).map(|value| (value, at))
        };
        assert_eq!(read(&[0x7f, 9]), Some((0x7f, 1)));
        assert_eq!(read(&[0x81, 0x00]), Some((0x80, 2)));
        assert_eq!(read(&[0xff; 9]), Some((u64::MAX, 9)));
        let nine = [0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x83, 0xa5];
        assert_eq!(read(&nine), Some((((1 << 49) | 3) << 8 | 0xa5, 9)));
        assert_eq!(read(&[0x81]), None);
        assert_eq!(number(&[0, 1, 2, 3, 4], 1, 4), Some(0x0102_0304));
        assert_eq!(number(&[0, 1], 1, 2), None);
    }

    #[test]
    fn the_size_of_pages_is_what_the_header_says_unless_that_cannot_be() {
        let size = |stated: u16, count: u32, bytes: u64| {
            let mut head = b"SQLite format 3\0".to_vec();
            head.extend(stated.to_be_bytes());
            head.resize(28, 0);
            head.extend(count.to_be_bytes());
            head.resize(100, 0);
            stated_size(&head, bytes)
        };
        assert_eq!(size(1, 3, 3 * 65_536), Some(65_536));
        assert_eq!(size(4_096, 3, 3 * 4_096), Some(4_096));
        assert_eq!(size(512, 3, 3 * 512), Some(512));
        assert_eq!(size(16_384, 3, 3 * 16_384), Some(16_384));
        // Its number of pages is not always kept; and one that fits this crate's pages alone.
        assert_eq!(size(4_096, 0, 3 * 4_096), Some(4_096));
        assert_eq!(size(4_096, 3, 3 * 16_384), None);
        assert_eq!([size(3, 3, 9), size(256, 3, 768), size(768, 3, 2_304)], [None; 3]);
        assert_eq!(stated_size(&[0; 100], 4_096), None);
        assert_eq!(stated_size(b"SQLite", 4_096), None);
    }

    const SMALL_PAGE: usize = 512;

    /// A file of small pages: the header's, whose list of free ones begins at `free`, and these.
    fn file_of(free: u32, pages: &[Vec<u8>]) -> (tempfile::TempDir, Pages) {
        let mut bytes = b"SQLite format 3\0".to_vec();
        bytes.extend((SMALL_PAGE as u16).to_be_bytes());
        bytes.resize(32, 0);
        bytes.extend(free.to_be_bytes());
        for page in std::iter::once(&Vec::new()).chain(pages) {
            bytes.extend(page);
            bytes.resize(bytes.len().next_multiple_of(SMALL_PAGE), 0);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, bytes).unwrap();
        let pages = Pages::open(&path).unwrap();
        (folder, pages)
    }

    /// A page of a table with so many rows, whose places and bytes are yet to be written.
    fn leaf(rows: u16) -> Vec<u8> {
        let [high, low] = rows.to_be_bytes();
        let mut page = vec![LEAF_TABLE, 0, 0, high, low, 0, 0, 0];
        page.resize(SMALL_PAGE, 0);
        page
    }

    /// A page with this row alone.
    fn leaf_with(row: &[u8]) -> Vec<u8> {
        let mut page = leaf(1);
        let at = SMALL_PAGE - row.len();
        page[8..10].copy_from_slice(&(at as u16).to_be_bytes());
        page[at..].copy_from_slice(row);
        page
    }

    /// How many rows are found from page 2 on, and what is not.
    fn walked(pages: &mut Pages) -> (usize, Damage) {
        let (mut rows, mut damage) = (0, Damage::default());
        pages.walk(2, &mut HashSet::new(), &mut damage, &mut |_| rows += 1);
        (rows, damage)
    }

    #[test]
    fn the_head_of_a_file_is_its_first_hundred_bytes() {
        let (folder, pages) = file_of(7, &[leaf(0)]);
        let bytes = std::fs::read(folder.path().join("a.db")).unwrap();
        assert_eq!(pages.head(), &bytes[..HEADER_BYTES]);
    }

    #[test]
    fn trees_are_followed_down_to_a_stated_depth() {
        for depth in [DEPTH_MAX, DEPTH_MAX + 1] {
            // Each page has the next one below it on the right, the last has a row without values.
            let below = |place: usize| {
                let next = (place as u32 + 3).to_be_bytes();
                [&[INNER_TABLE, 0, 0, 0, 0, 0, 0, 0], next.as_slice()].concat()
            };
            let mut pages: Vec<Vec<u8>> = (0..depth).map(below).collect();
            pages.push(leaf_with(&[1, 7, 1]));
            let (_folder, mut pages) = file_of(0, &pages);
            let (rows, damage) = walked(&mut pages);
            let last = depth as u32 + 2;
            let wanted = if depth == DEPTH_MAX { (1, vec![]) } else { (0, vec![last]) };
            assert_eq!((rows, damage.pages), wanted, "depth {depth}");
        }
    }

    #[test]
    fn a_page_holds_no_more_places_of_rows_than_fit_it() {
        let (_folder, mut pages) = file_of(0, &[]);
        let mut read = |rows| {
            let mut damage = Damage::default();
            let below = pages.cells(2, &leaf(rows), &mut damage, &mut |_| ());
            (below, damage.cells.len())
        };
        // Eight bytes of head and two for each place.
        assert_eq!(read(252), (Some(vec![]), 252));
        assert_eq!(read(253), (None, 0));
    }

    #[test]
    fn a_row_does_not_begin_among_the_places_of_rows() {
        let mut page = leaf(8);
        // The places end at 24; what stands at 20 would be a row.
        page[9] = 20;
        page[20..23].copy_from_slice(&[1, 7, 1]);
        let (_folder, mut pages) = file_of(0, &[page]);
        let (rows, damage) = walked(&mut pages);
        assert_eq!((rows, damage.cells, damage.pages), (0, vec![2; 8], vec![]));
    }

    #[test]
    fn a_row_is_not_longer_than_all_pages_together() {
        // Four pages have 2,048 bytes. A page that goes on at itself would give a row of any length.
        let circle = [0, 0, 0, 3].to_vec();
        for (length, rows) in [([0x90, 0x00], 1), ([0x90, 0x01], 0)] {
            // A blob of three bytes less than the row: 12 + 2 × 2,045 is 4,102, and 2 more is 4,104.
            let kind = if rows == 1 { [0xa0, 0x06] } else { [0xa0, 0x08] };
            // The number of the row, 39 bytes of it, and where it goes on.
            let here = [&[3][..], &kind, &[0; 36]].concat();
            let row = [&length[..], &[1], &here, &[0, 0, 0, 3]].concat();
            let (_folder, mut pages) = file_of(0, &[leaf_with(&row), circle.clone(), vec![0]]);
            let (found, damage) = walked(&mut pages);
            assert_eq!((found, damage.cells.len()), (rows, 1 - rows), "{length:x?}");
        }
    }

    #[test]
    fn free_pages_are_those_of_the_list_and_no_others() {
        let free =
            |first| file_of(first, &[vec![0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3], vec![0]]).1.free();
        assert_eq!(free(2), HashSet::from([2, 3]));
        assert_eq!(free(0), HashSet::new());
    }
}
