//! One entry for each runner, by language. What they write was taken from reports of the runners
//! themselves, as they stand in `fixtures/junit`.

mod apple;
mod beam;
mod c;
mod dotnet;
mod go;
mod javascript;
mod jvm;
mod mocha;
mod php;
mod playwright;
mod python;
mod ruby;
mod rust;
mod shell;

use super::dialect::Dialect;

pub use python::PYTEST;

/// All dialects.
pub(super) static ALL: &[&Dialect] = &[
    &python::PYTEST,
    &python::UNITTEST,
    &javascript::JEST,
    &javascript::VITEST,
    &playwright::PLAYWRIGHT,
    &mocha::MOCHA,
    &mocha::MOCHA_XUNIT,
    &mocha::CUCUMBER,
    &javascript::DENO,
    &jvm::SUREFIRE,
    &jvm::GRADLE,
    &jvm::TESTNG,
    &rust::NEXTEST,
    &go::GOTESTSUM,
    &c::CTEST,
    &c::GTEST,
    &c::CATCH2,
    &php::PHPUNIT,
    &ruby::RSPEC,
    &dotnet::DOTNET,
    &apple::XCTEST,
    &beam::EXUNIT,
    &shell::BATS,
];

/// The directory that a generated project was checked out to.
fn checkout(project: &str) -> String {
    format!("/home/ci/{project}")
}
