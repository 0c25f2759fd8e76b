//! The ground: what came of things, as plain values that every other room speaks of. It imports nothing of ours.

mod causes;
mod check_id;
mod fault;
mod finding;
mod level;
mod location;
mod not_run;
mod run_id;
#[cfg(test)]
pub(crate) mod samples;
mod scenario_report;
mod stage;
mod verdict;

pub use causes::with_causes;
pub use check_id::CheckId;
pub use fault::Fault;
pub use finding::{Finding, Outcome, Subject};
pub use level::Level;
pub use location::At;
pub use not_run::NotRun;
pub use run_id::RunId;
pub use scenario_report::{CellName, Log, ScenarioReport};
pub use stage::Stage;
pub use verdict::Verdict;
