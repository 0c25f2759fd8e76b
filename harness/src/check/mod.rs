//! Checks: pure functions from an expectation and the evidence to findings.
//!
//! A check never asks an engine and never says "could not tell": that is the engine's error type. It says,
//! for one expectation, whether it held, and if not what was expected, what came, and where it was declared.

pub mod build;
pub mod calls;
pub mod changes;
pub mod command;
pub mod end;
pub mod evidence;
pub mod file;
pub mod http;
pub mod image;
mod lines;
pub mod phase;
#[cfg(test)]
mod samples;
pub mod serve;
pub mod start;
mod text;

pub use text::printable;

use crate::contract::Level;
use crate::event::Stage;
use crate::scenario::At;

/// What one assertion came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What was asserted, in a few words: `build outcome`, `GET / status`, `file /app/x mode`.
    pub check: String,
    /// Where the scenario file declares it.
    pub at: At,
    /// How binding it is: a broken SHOULD is a warning.
    pub level: Level,
    /// The stage in which it was made.
    pub stage: Stage,
    /// The clauses of the contract that it speaks for.
    pub clauses: Vec<String>,
    /// Whether it held.
    pub outcome: Outcome,
}

/// Whether an assertion held.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It held.
    Held,
    /// It did not.
    Broken {
        /// What was expected, in words a person reads.
        expected: String,
        /// What came instead.
        got: String,
    },
}

impl Finding {
    /// Whether the assertion did not hold.
    pub fn is_broken(&self) -> bool {
        matches!(self.outcome, Outcome::Broken { .. })
    }
}

/// A finding: `broken` says what was expected and what came, or `None` when the assertion holds.
fn holds(check: impl Into<String>, at: &At, broken: impl FnOnce() -> Option<(String, String)>) -> Finding {
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
fn of(clauses: &[&str], finding: Finding) -> Finding {
    Finding { clauses: clauses.iter().map(ToString::to_string).collect(), ..finding }
}

/// A finding about what is only a SHOULD.
fn should(finding: Finding) -> Finding {
    Finding { level: Level::Should, ..finding }
}
