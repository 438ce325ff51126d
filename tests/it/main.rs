//! One integration binary.

mod corpus;
mod promises;
mod reader;
