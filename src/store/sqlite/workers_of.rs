//! Which worker ran which result, as rows are read.

use rusqlite::Row;

use super::SqliteStore;
use super::failure::explain;
use crate::model::hash::ReportHash;
use crate::store::StoreError;
use crate::store::query::ResultRow;
use crate::store::segment::Decoder;

/// Says which worker ran each of the rows of one report.
pub(super) fn workers(
    store: &SqliteStore,
    report: &Row<'_>,
    decoder: &mut Decoder,
    names: &mut Vec<String>,
    rows: &mut [ResultRow],
) -> Result<(), StoreError> {
    let engine = |error: rusqlite::Error| explain(&store.path, &error);
    let mut number = |name: &str| {
        let place = names.iter().position(|known| known == name).unwrap_or(names.len());
        if place == names.len() {
            names.push(name.to_owned());
        }
        u16::try_from(place + 1).unwrap_or(0)
    };
    let only = report.get_ref(6).map_err(engine)?.as_str().unwrap_or_default();
    if !only.is_empty() {
        let number = number(only);
        rows.iter_mut().for_each(|row| row.worker = number);
        return Ok(());
    }
    let blob = report.get_ref(7).map_err(engine)?.as_blob_or_null().unwrap_or_default();
    let Some(blob) = blob else { return Ok(()) };
    let workers = decoder.workers(blob, rows.len()).map_err(|source| {
        let hash: [u8; 32] = report.get(0).unwrap_or_default();
        store.segment_error(ReportHash(hash), source)
    })?;
    let numbers: Vec<u16> = workers.names().iter().map(|name| number(name)).collect();
    for (place, row) in rows.iter_mut().enumerate() {
        let own = usize::from(workers.number_of(place)).checked_sub(1);
        row.worker = own.and_then(|own| numbers.get(own)).copied().unwrap_or(0);
    }
    Ok(())
}
