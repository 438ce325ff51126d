//! The yardstick of the benchmarks: a bare quick-xml pass over reports that extracts the attributes, no more.
//!
//! ```text
//! attribute_pass DIR
//! ```
//! reads every `*.xml` below DIR, unescapes each attribute to a borrowed string where it can, and prints
//! one line of JSON with the totals. A reader of reports cannot be faster and still know the names.

#![allow(clippy::print_stdout, reason = "the totals are this program's result")]

use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

#[derive(Default)]
struct Totals {
    files: u64,
    bytes: u64,
    cases: u64,
    attributes: u64,
}

fn reports_below(directory: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            reports_below(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            found.push(path);
        }
    }
    Ok(())
}

fn element(start: &BytesStart<'_>, totals: &mut Totals) -> Result<(), Box<dyn Error>> {
    totals.cases += u64::from(start.name().as_ref() == b"testcase");
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute?;
        black_box(unescape(std::str::from_utf8(&attribute.value)?)?);
        totals.attributes += 1;
    }
    Ok(())
}

fn pass(report: &[u8], totals: &mut Totals) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::from_reader(report);
    loop {
        match reader.read_event()? {
            Event::Start(start) | Event::Empty(start) => element(&start, totals)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1).ok_or("usage: attribute_pass DIR")?;
    let mut paths = Vec::new();
    reports_below(Path::new(&directory), &mut paths)?;
    paths.sort();
    let mut totals = Totals::default();
    for path in paths {
        let report = std::fs::read(path)?;
        totals.files += 1;
        totals.bytes += report.len() as u64;
        pass(&report, &mut totals)?;
    }
    let Totals { files, bytes, cases, attributes } = totals;
    println!(
        "{{\"files\":{files},\"bytes\":{bytes},\"cases\":{cases},\"attributes\":{attributes}}}"
    );
    Ok(())
}
