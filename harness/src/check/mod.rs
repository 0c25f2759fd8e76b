//! Checks: pure functions from an expectation and the evidence to findings.
//!
//! A check never asks an engine and never says "could not tell": that is the engine's error type. It says,
//! for one expectation, whether it held, and if not what was expected, what came, and where it was declared.

pub mod build;
pub mod changes;
pub mod command;
pub mod end;
pub mod evidence;
pub mod file;
pub mod http;
pub mod image;
pub mod limit;
pub(crate) mod lines;
pub mod phase;
#[cfg(test)]
pub(crate) mod samples;
pub mod scope;
pub mod serve;
pub(crate) mod text;

pub use text::printable;
