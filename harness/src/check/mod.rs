//! Checks: pure functions from an expectation and the evidence to findings.
//!
//! A check never asks an engine and is never inconclusive: that is the engine's error type. It says,
//! for one expectation, whether it held, and if not what was expected, what came, and where it was declared.

pub(crate) mod build;
pub(crate) mod captured;
pub(crate) mod changes;
pub(crate) mod command;
pub(crate) mod end;
mod escapes;
pub(crate) mod evidence;
pub(crate) mod few;
pub(crate) mod file;
pub(crate) mod http;
pub(crate) mod image;
pub(crate) mod limit;
pub(crate) mod lines;
pub(crate) mod phase;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod scope;
pub(crate) mod serve;
pub(crate) mod structure;
pub(crate) mod text;

pub(crate) use text::printable;
