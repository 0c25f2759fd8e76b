//! wsgi-proof: a hermetic conformance suite for the mod_wsgi-docker family of images.
//!
//! ```text
//! scenario files --load--> Scenario --plan--> Plan --execute--> Event stream --reporters--> terminal | JUnit | JSON
//!                                                                          `--fold--> verdicts --> exit code
//! ```
//! Data flows one way. Loading knows no engine; planning knows no I/O; only [`engine`] knows the engine's
//! library; reporters only consume events.

mod causes;
pub mod cell;
pub mod check;
pub mod cli;
pub mod command;
pub mod contract;
pub mod contract_tier;
pub mod control;
pub mod dialect;
pub mod engine;
pub mod event;
pub mod execute;
pub mod fixtures;
pub mod flaky;
pub mod fuzz;
pub mod isolation;
pub mod judge;
pub mod limits;
pub mod live;
pub mod lock;
pub mod mutate;
pub mod place;
pub mod plan;
pub mod report;
pub mod requirements;
pub mod sandbox;
pub mod scenario;
pub mod stand_in;
pub mod standing;
pub mod tier;
pub mod variant;
pub mod verdict;
pub mod volume;
