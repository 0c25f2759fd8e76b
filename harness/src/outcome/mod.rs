//! The ground: what came of things, as plain values that every other room speaks of. It imports nothing of ours.

mod causes;
mod check_id;
mod clause_id;
mod fault;
mod finding;
mod level;
mod location;
mod not_run;
mod run_id;
#[cfg(test)]
pub(crate) mod samples;
mod scenario_report;
mod secrets;
mod stage;
mod verdict;

pub(crate) use causes::with_causes;
pub(crate) use check_id::CheckId;
pub use clause_id::ClauseId;
pub(crate) use clause_id::{Part, listed};
pub(crate) use fault::Fault;
pub(crate) use finding::{Finding, Outcome, Subject};
pub(crate) use level::Level;
pub(crate) use location::At;
pub(crate) use not_run::NotRun;
pub(crate) use run_id::RunId;
pub(crate) use scenario_report::{CellName, Log, ScenarioReport, USUAL_BUILDER};
pub(crate) use secrets::redacted;
pub(crate) use stage::Stage;
pub(crate) use verdict::Verdict;
