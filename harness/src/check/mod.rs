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
pub mod serve;
pub(crate) mod text;

pub use text::printable;

use crate::outcome::{At, Finding, Level, Outcome, Stage};

/// A finding: `broken` says what was expected and what came, or `None` when the assertion holds.
pub(crate) fn holds(check: impl Into<String>, at: &At, broken: impl FnOnce() -> Option<(String, String)>) -> Finding {
    let outcome = broken().map_or(Outcome::Held, |(expected, got)| Outcome::Broken { expected, got });
    Finding {
        check: check.into(),
        at: at.clone(),
        level: Level::Must,
        stage: Stage::Build,
        clauses: Vec::new(),
        outcome,
    }
}

/// A finding that speaks for these clauses and no others.
pub(crate) fn of(clauses: &[&str], finding: Finding) -> Finding {
    Finding { clauses: clauses.iter().map(ToString::to_string).collect(), ..finding }
}

/// A finding about what is only a SHOULD.
pub(crate) fn should(finding: Finding) -> Finding {
    Finding { level: Level::Should, ..finding }
}
