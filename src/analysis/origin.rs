//! Where results come from: the report, its machine, the worker, and the place in its order.
//!
//! A result is kept with its place among the rows of its run alone; the report follows from where
//! each report's rows end. Workers are kept for those results alone whose every result is kept.
//! Names are kept once.

use std::collections::HashMap;

use crate::store::query::RunRows;

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
    shard: Option<u32>,
    seed: Option<u32>,
}

/// One result of a known worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Worked {
    position: u32,
    /// The worker, as a place in the names.
    worker: u32,
    /// Rows of the same worker in the same report: before this one, and all.
    before: u32,
    rows: u32,
}

/// What belongs to one run.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct OfRun {
    reports: (u32, u32),
    worked: (u32, u32),
    workers: u32,
}

/// The reports of each run of a window.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Origins {
    reports: Vec<Origin>,
    worked: Vec<Worked>,
    runs: HashMap<u32, OfRun>,
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
    /// Which part of the suite it is, where somebody said so.
    pub shard: Option<&'a str>,
    /// The seed of the random order, where known.
    pub seed: Option<&'a str>,
    /// The worker, where known.
    pub worker: Option<&'a str>,
    /// How many rows of the report come before it: of the same worker, where that is known.
    pub before: u32,
    /// How many rows the report has, of the same worker where that is known.
    pub rows: u32,
}

impl Origins {
    /// Where the result at `position` among the rows of the run at `run` comes from.
    #[must_use]
    pub fn of(&self, run: u32, position: u32) -> Option<Place<'_>> {
        let of_run = self.runs.get(&run)?;
        let reports = stretch(&self.reports, of_run.reports)?;
        let at = reports.partition_point(|report| report.end <= position);
        let report = reports.get(at)?;
        let start = at.checked_sub(1).and_then(|at| reports.get(at)).map_or(0, |last| last.end);
        let name = |place: u32| self.names.get(place as usize).map(String::as_str);
        let worked = stretch(&self.worked, of_run.worked)?;
        let worked = worked
            .binary_search_by_key(&position, |worked| worked.position)
            .ok()
            .and_then(|at| worked.get(at));
        Some(Place {
            host: report.host.and_then(name),
            file: name(report.file).unwrap_or_default(),
            folder: report.folder.and_then(name),
            shard: report.shard.and_then(name),
            seed: report.seed.and_then(name),
            worker: worked.and_then(|worked| name(worked.worker)),
            before: worked.map_or(position - start, |worked| worked.before),
            rows: worked.map_or(report.end - start, |worked| worked.rows),
        })
    }

    /// How many workers a run had, as far as its reports name them; 0 where they name none.
    #[must_use]
    pub fn workers(&self, run: u32) -> u32 {
        self.runs.get(&run).map_or(0, |of_run| of_run.workers)
    }
}

fn stretch<T>(all: &[T], (from, until): (u32, u32)) -> Option<&[T]> {
    all.get(from as usize..until as usize)
}

/// Gathers [`Origins`] run by run.
#[derive(Debug, Default)]
pub(super) struct OriginsBuilder {
    origins: Origins,
    places: HashMap<String, u32>,
}

impl OriginsBuilder {
    /// Adds the reports of one run, with the workers of the rows at the positions that are `kept`,
    /// in order.
    pub(super) fn add(&mut self, run: u32, rows: &RunRows<'_>, kept: &[u32]) {
        let from = self.origins.reports.len() as u32;
        for report in rows.reports {
            let mut parts = report.source.rsplit(['/', '\\']);
            let file = self.name(parts.next().unwrap_or_default());
            let folder = parts.next().filter(|name| !name.is_empty()).map(|name| self.name(name));
            let host = (!report.host.is_empty()).then(|| self.name(&report.host));
            let shard = (!report.shard.is_empty()).then(|| self.name(&report.shard));
            let seed = (!report.seed.is_empty()).then(|| self.name(&report.seed));
            let end = report.end;
            self.origins.reports.push(Origin { end, host, file, folder, shard, seed });
        }
        let first_worked = self.origins.worked.len() as u32;
        self.add_workers(rows, kept);
        let of_run = OfRun {
            reports: (from, self.origins.reports.len() as u32),
            worked: (first_worked, self.origins.worked.len() as u32),
            workers: rows.workers.len() as u32,
        };
        self.origins.runs.insert(run, of_run);
    }

    fn add_workers(&mut self, rows: &RunRows<'_>, kept: &[u32]) {
        if rows.workers.is_empty() {
            return;
        }
        let names: Vec<u32> = rows.workers.iter().map(|name| self.name(name)).collect();
        let mut kept = kept.iter().copied().peekable();
        let mut start = 0;
        for report in rows.reports {
            // Rows of each worker so far, by its number; 0 is none.
            let mut counts = vec![0_u32; names.len() + 1];
            let first = self.origins.worked.len();
            let own = rows.rows.get(start as usize..report.end as usize).unwrap_or_default();
            for (position, row) in (start..).zip(own) {
                let Some(count) = counts.get_mut(usize::from(row.worker)) else { continue };
                let before = std::mem::replace(count, *count + 1);
                let wanted = kept.next_if_eq(&position).is_some();
                let worker = usize::from(row.worker).checked_sub(1).and_then(|at| names.get(at));
                if let (true, Some(worker)) = (wanted, worker) {
                    // Holds the worker's number until all of its rows are counted.
                    let rows = row.worker.into();
                    self.origins.worked.push(Worked { position, worker: *worker, before, rows });
                }
            }
            for worked in self.origins.worked.get_mut(first..).unwrap_or_default() {
                worked.rows = counts.get(worked.rows as usize).copied().unwrap_or(0);
            }
            start = report.end;
        }
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
    use crate::model::Outcome;
    use crate::store::query::{ReportRow, ResultRow};

    fn report(host: &str, source: &str, end: u32) -> ReportRow {
        let (host, source) = (host.to_owned(), source.to_owned());
        ReportRow { host, source, end, ..ReportRow::default() }
    }

    fn rows(workers: &[u16]) -> Vec<ResultRow> {
        let row = |(test, worker): (u32, &u16)| ResultRow {
            worker: *worker,
            ..ResultRow::bare(test, Outcome::Passed)
        };
        (0..).zip(workers).map(row).collect()
    }

    #[test]
    fn a_position_tells_the_report() {
        let reports =
            [report("w1", "a.xml", 2), report("", "out/b/c.xml", 2), report("w2", r"x\d.xml", 5)];
        let rows = rows(&[0; 5]);
        let mut builder = OriginsBuilder::default();
        builder.add(3, &RunRows { rows: &rows, reports: &reports, workers: &[] }, &[1, 4]);
        builder.add(4, &RunRows { rows: &[], reports: &[], workers: &[] }, &[]);
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
        assert_eq!((origins.workers(3), origins.workers(9)), (0, 0));
    }

    #[test]
    fn the_place_is_counted_within_the_worker_of_one_report() {
        let whole = |end, shard: &str, seed: &str| ReportRow {
            shard: shard.to_owned(),
            seed: seed.to_owned(),
            ..report("", "a.xml", end)
        };
        let reports = [whole(6, "1/2", "7"), whole(8, "", "")];
        let rows = rows(&[1, 2, 1, 0, 2, 1, 1, 2]);
        let workers = ["gw0".to_owned(), "gw1".to_owned()];
        let mut builder = OriginsBuilder::default();
        let run = RunRows { rows: &rows, reports: &reports, workers: &workers };
        builder.add(0, &run, &[2, 3, 5, 6]);
        let origins = builder.finish();
        let place = |position| origins.of(0, position).unwrap();
        let brief =
            |position| (place(position).worker, place(position).before, place(position).rows);
        assert_eq!(brief(2), (Some("gw0"), 1, 3));
        assert_eq!(brief(5), (Some("gw0"), 2, 3));
        assert_eq!(brief(6), (Some("gw0"), 0, 1));
        // Nobody said who ran it, so that the report's order is all there is.
        assert_eq!(brief(3), (None, 3, 6));
        // Nobody asked for it.
        assert_eq!(brief(1), (None, 1, 6));
        assert_eq!((place(2).shard, place(2).seed), (Some("1/2"), Some("7")));
        assert_eq!((place(6).shard, place(6).seed, origins.workers(0)), (None, None, 2));
    }
}
