//! JSON as Go's `encoding/json` writes and reads it, errors among them: what every surface puts on
//! the wire, and how each takes a request apart.

mod base64;
mod fields;
mod parse;
mod quote;
mod read;
mod write;

pub(in crate::testkit::mock_server) use base64::decode as decode_base64;
pub(in crate::testkit::mock_server) use fields::Fields;
pub(in crate::testkit::mock_server) use parse::Node;
pub(in crate::testkit::mock_server) use quote::quoted;
pub(in crate::testkit::mock_server) use read::{Shape, Type, Wrong, read};
pub(in crate::testkit::mock_server) use write::{time, to_line, to_vec};

#[cfg(test)]
mod tests;
