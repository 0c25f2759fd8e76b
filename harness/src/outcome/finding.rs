//! What assertions came to.

use super::level::Level;
use super::location::At;
use super::stage::Stage;

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
