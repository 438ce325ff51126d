//! L2: the history. SQL lives only here.

pub mod query;
