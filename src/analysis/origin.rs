//! Where results come from: the report, its machine, and the place in its order.
//!
//! A result is kept with its place among the rows of its run alone; the report follows from where
//! each report's rows end. Names are kept once.

use std::collections::HashMap;

use crate::store::query::ReportRow;

/// One report of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Where its rows end among those of the run.
    end: u32,
    /// The machine, as a place in the names, where known.
    host: Option<u32>,
    /// The name of its file, as a place in the names.
    file: u32,
    /// The name of the folder that the file is in, where it is in one.
    folder: Option<u32>,
}

/// The reports of each run of a window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Origins {
    reports: Vec<Origin>,
    /// For each run that was added: where its reports end.
    ends: HashMap<u32, (u32, u32)>,
    names: Vec<String>,
}

/// Where one result comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The machine, where known.
    pub host: Option<&'a str>,
    /// The name of the report's file.
    pub file: &'a str,
    /// The name of the folder that the file is in.
    pub folder: Option<&'a str>,
    /// How many rows of the report come before it.
    pub before: u32,
    /// How many rows the report has.
    pub rows: u32,
}

impl Origins {
    /// Where the result at `position` among the rows of the run at `run` comes from.
    #[must_use]
    pub fn of(&self, run: u32, position: u32) -> Option<Place<'_>> {
        let (from, until) = *self.ends.get(&run)?;
        let reports = self.reports.get(from as usize..until as usize)?;
        let at = reports.partition_point(|report| report.end <= position);
        let report = reports.get(at)?;
        let start = at.checked_sub(1).and_then(|at| reports.get(at)).map_or(0, |last| last.end);
        let name = |place: u32| self.names.get(place as usize).map(String::as_str);
        Some(Place {
            host: report.host.and_then(name),
            file: name(report.file).unwrap_or_default(),
            folder: report.folder.and_then(name),
            before: position - start,
            rows: report.end - start,
        })
    }
}

/// Gathers [`Origins`] run by run.
#[derive(Debug, Default)]
pub(super) struct OriginsBuilder {
    origins: Origins,
    places: HashMap<String, u32>,
}

impl OriginsBuilder {
    /// Adds the reports of one run.
    pub(super) fn add(&mut self, run: u32, reports: &[ReportRow]) {
        let from = self.origins.reports.len() as u32;
        for report in reports {
            let mut parts = report.source.rsplit(['/', '\\']);
            let file = self.name(parts.next().unwrap_or_default());
            let folder = parts.next().filter(|name| !name.is_empty()).map(|name| self.name(name));
            let host = (!report.host.is_empty()).then(|| self.name(&report.host));
            self.origins.reports.push(Origin { end: report.end, host, file, folder });
        }
        self.origins.ends.insert(run, (from, self.origins.reports.len() as u32));
    }

    /// All of them.
    pub(super) fn finish(self) -> Origins {
        self.origins
    }

    fn name(&mut self, name: &str) -> u32 {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.origins.names.len() as u32;
        self.origins.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_tells_the_report() {
        let report = |host: &str, source: &str, end| ReportRow {
            host: host.to_owned(),
            source: source.to_owned(),
            end,
        };
        let mut builder = OriginsBuilder::default();
        builder.add(
            3,
            &[report("w1", "a.xml", 2), report("", "out/b/c.xml", 2), report("w2", r"x\d.xml", 5)],
        );
        builder.add(4, &[]);
        let origins = builder.finish();
        let place = |position| origins.of(3, position).unwrap();
        assert_eq!((place(1).host, place(1).file, place(1).folder), (Some("w1"), "a.xml", None));
        assert_eq!((place(1).before, place(1).rows), (1, 2));
        assert_eq!(
            (place(2).host, place(2).file, place(2).folder),
            (Some("w2"), "d.xml", Some("x"))
        );
        assert_eq!((place(4).before, place(4).rows), (2, 3));
        assert_eq!((origins.of(3, 5), origins.of(4, 0), origins.of(9, 0)), (None, None, None));
    }
}
