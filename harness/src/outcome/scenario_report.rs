//! What scenarios came to.

use std::fmt;
use std::time::Duration;

use super::clause_id::ClauseId;
use super::fault::Fault;
use super::finding::Finding;
use super::location::At;
use super::not_run::NotRun;
use super::stage::Stage;
use super::verdict::Verdict;

/// The builder that the name of a cell leaves out, and the only one that older reports know.
pub(crate) const USUAL_BUILDER: &str = "classic";

/// A cell: a variant in a dialect, built by a builder.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct CellName {
    /// The variant: distribution and Python.
    pub variant: String,
    pub dialect: String,
    /// What turns its Dockerfiles into images; not in older reports.
    #[serde(default = "usual_builder")]
    pub builder: String,
}

fn usual_builder() -> String {
    USUAL_BUILDER.to_owned()
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variant, self.dialect)?;
        if self.builder == USUAL_BUILDER { Ok(()) } else { write!(f, " {}", self.builder) }
    }
}

/// A log that helps to understand a scenario.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Log {
    /// Which: `build log` or `container log`.
    pub title: String,
    pub lines: Vec<String>,
}

/// What a scenario came to, and why.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct ScenarioReport {
    pub name: String,
    /// The cell that it was held against.
    pub cell: CellName,
    /// What tells it from the run's other scenarios: its name, and its cell where there are several.
    pub label: String,
    pub summary: String,
    /// Where it is declared.
    pub at: At,
    /// The clauses of the contract that it proves.
    pub proves: Vec<ClauseId>,
    pub verdict: Verdict,
    /// Every assertion made, held or broken, in order.
    pub findings: Vec<Finding>,
    /// Why the result is inconclusive.
    pub fault: Option<Fault>,
    /// What was not done, and why.
    pub not_run: Vec<NotRun>,
    pub logs: Vec<Log>,
    /// How long the scenario's steps took.
    pub took: Duration,
    /// How long each stage took.
    pub stages: Vec<(Stage, Duration)>,
    /// The command that does it again.
    pub reproduce: String,
}
