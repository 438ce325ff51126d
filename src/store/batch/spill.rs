//! Where a batch that grows large keeps what only its writing needs: in a temporary database, which
//! SQLite keeps in memory while it is small, else in a file that goes with its process.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};

use super::{NewFailure, StoredText};
use crate::model::hash::{FailureId, SignatureId};

/// Bodies and failures of so many bytes stay in memory, so that no usual ingest needs a file.
const HERE_BYTES_MAX: usize = 12 << 20;
/// Most memory for the pages of the temporary database, in KiB.
const CACHE_KIB: i64 = 2_048;

/// What the body of a report is, wherever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Body {
    Here(Vec<u8>),
    Away(i64),
}

/// A failure, wherever its texts are.
#[derive(Debug, Clone)]
pub(in crate::store) enum Held {
    Here(Box<NewFailure>),
    Away(i64),
}

impl From<NewFailure> for Held {
    fn from(failure: NewFailure) -> Self {
        Self::Here(Box::new(failure))
    }
}

/// The part of a batch that is not in memory.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Spill {
    here_bytes: usize,
    away: Option<Arc<Mutex<Connection>>>,
    /// The temporary database could not be made or written: all stays in memory.
    is_broken: bool,
}

impl Spill {
    /// Keeps the body of a report.
    pub(in crate::store) fn body(&mut self, body: Vec<u8>) -> Body {
        let sql = "INSERT INTO body (bytes) VALUES (?1)";
        match self.away(body.len()) {
            Some(away) => match insert(&away, sql, params![body]) {
                Some(place) => Body::Away(place),
                None => self.broken(Body::Here(body)),
            },
            None => Body::Here(body),
        }
    }

    /// Keeps a failure.
    pub(in crate::store) fn failure(&mut self, failure: NewFailure) -> Held {
        let NewFailure { id, signature, kind, message, text } = &failure;
        let bytes = kind.len() + message.len() + text.stored_bytes() + size_of::<NewFailure>();
        let Some(away) = self.away(bytes) else { return failure.into() };
        let sql = "INSERT INTO failure (identity, signature, kind, message, body)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let placed = match text {
            StoredText::Plain(text) => {
                insert(&away, sql, params![id.0, signature.0, kind, message, text])
            }
            StoredText::Squeezed(frame) => {
                insert(&away, sql, params![id.0, signature.0, kind, message, frame])
            }
        };
        match placed {
            Some(place) => Held::Away(place),
            None => self.broken(failure.into()),
        }
    }

    /// The temporary database, where so many more bytes are too many for memory.
    fn away(&mut self, bytes: usize) -> Option<Arc<Mutex<Connection>>> {
        if self.is_broken {
            return None;
        }
        if self.here_bytes + bytes <= HERE_BYTES_MAX {
            self.here_bytes += bytes;
            return None;
        }
        if self.away.is_none() {
            match temporary() {
                Ok(connection) => self.away = Some(Arc::new(Mutex::new(connection))),
                Err(_) => self.is_broken = true,
            }
        }
        self.away.clone()
    }

    fn broken<T>(&mut self, kept: T) -> T {
        // A full disk for temporary files must not lose what memory still holds.
        self.is_broken = true;
        kept
    }

    /// The bytes of a body.
    ///
    /// # Errors
    /// What the engine says of its temporary file.
    pub(in crate::store) fn bytes_of<'a>(&self, body: &'a Body) -> rusqlite::Result<Cow<'a, [u8]>> {
        let place = match body {
            Body::Here(bytes) => return Ok(Cow::Borrowed(bytes)),
            Body::Away(place) => place,
        };
        let sql = "SELECT bytes FROM body WHERE place = ?1";
        self.read(sql, *place, |row| row.get(0)).map(Cow::Owned)
    }

    /// A failure with its texts.
    ///
    /// # Errors
    /// What the engine says of its temporary file.
    pub(in crate::store) fn failure_of<'a>(
        &self,
        held: &'a Held,
    ) -> rusqlite::Result<Cow<'a, NewFailure>> {
        let place = match held {
            Held::Here(failure) => return Ok(Cow::Borrowed(failure)),
            Held::Away(place) => place,
        };
        let sql = "SELECT identity, signature, kind, message, body FROM failure WHERE place = ?1";
        let failure = |row: &Row<'_>| {
            let text = match row.get_ref(4)? {
                ValueRef::Blob(frame) => StoredText::Squeezed(frame.to_vec()),
                text => StoredText::Plain(text.as_str()?.to_owned()),
            };
            let (id, signature) = (FailureId(row.get(0)?), SignatureId(row.get(1)?));
            Ok(NewFailure { id, signature, kind: row.get(2)?, message: row.get(3)?, text })
        };
        self.read(sql, *place, failure).map(Cow::Owned)
    }

    fn read<T>(
        &self,
        sql: &str,
        place: i64,
        row: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let Some(away) = &self.away else { return Err(rusqlite::Error::QueryReturnedNoRows) };
        let connection = away.lock().unwrap_or_else(PoisonError::into_inner);
        connection.prepare_cached(sql)?.query_row([place], row)
    }
}

fn temporary() -> rusqlite::Result<Connection> {
    // A database without a name is a file that nobody else sees and that ends with its connection.
    let connection = Connection::open("")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF;
        CREATE TABLE body (place INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
        CREATE TABLE failure (place INTEGER PRIMARY KEY, identity BLOB, signature BLOB, kind TEXT,
            message TEXT, body ANY);
        BEGIN",
    )?;
    Ok(connection)
}

fn insert(away: &Mutex<Connection>, sql: &str, values: impl rusqlite::Params) -> Option<i64> {
    let connection = away.lock().unwrap_or_else(PoisonError::into_inner);
    connection.prepare_cached(sql).and_then(|mut insert| insert.insert(values)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(number: usize) -> NewFailure {
        let text = match number % 2 {
            0 => StoredText::Plain("x".repeat(1 << 20)),
            _ => StoredText::Squeezed(vec![number as u8; 1 << 20]),
        };
        NewFailure {
            id: FailureId([number as u8; 16]),
            signature: SignatureId([7; 16]),
            kind: "Error".into(),
            message: format!("number {number}"),
            text,
        }
    }

    #[test]
    fn what_does_not_fit_comes_back_as_it_was() {
        let mut spill = Spill::default();
        let held: Vec<Held> = (0..20).map(|number| spill.failure(failure(number))).collect();
        let body = spill.body(vec![9; 1 << 20]);
        assert!(matches!((&held[0], &held[19]), (Held::Here(_), Held::Away(_))));
        assert!(matches!(body, Body::Away(_)));
        for (number, held) in held.iter().enumerate() {
            let (found, wanted) = (spill.failure_of(held).unwrap(), failure(number));
            assert_eq!(
                (found.id, &found.message, &found.text),
                (wanted.id, &wanted.message, &wanted.text)
            );
        }
        assert_eq!(*spill.bytes_of(&body).unwrap(), vec![9; 1 << 20]);
        assert!(spill.bytes_of(&Body::Away(99)).is_err());
    }
}
