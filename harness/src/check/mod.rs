//! Checks: pure functions from an expectation and the evidence to findings.
//!
//! A check never asks an engine and never says "could not tell": that is the engine's error type. It says,
//! for one expectation, whether it held, and if not what was expected, what came, and where it was declared.

pub mod evidence;

use crate::scenario::At;

/// What one assertion came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// What was asserted, in a few words: `build outcome`, `GET / status`, `file /app/x mode`.
    pub check: String,
    /// Where the scenario file declares it.
    pub at: At,
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
