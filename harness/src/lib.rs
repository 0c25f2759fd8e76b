//! wsgi-proof: a hermetic conformance suite for the mod_wsgi-docker family of images.
//!
//! ```text
//! scenario files --load--> Suite --select--> Plan --run (a tier)--> Evidence --check--> Findings --> Events --> reports
//!                                                                                               `--fold--> exit code
//! ```
//! Data flows one way. Each folder is a room, which imports only rooms before it; a test holds their order.

mod beneath;
mod check;
mod cli;
mod contract_tier;
mod engine;
mod fuzz;
mod host;
mod image_tier;
mod isolation;
mod mirror;
mod mutate;
mod outcome;
mod relay;
mod report;
mod run;
mod suite;

#[cfg(test)]
mod any_input;
#[cfg(test)]
mod rooms;

pub use cli::command;
pub use contract_tier::requirements::proof;
pub use contract_tier::sandbox::keeper::main as keeper;
pub use contract_tier::sandbox::starter::main as starter;
pub use contract_tier::stub::main as stub;
pub use host::outgoing::Diagnostics;
pub use mutate::{Bug, Mutant, Operator, SCRIPTS, mutants};
pub use outcome::ClauseId;
pub use suite::control::Control;
pub use suite::variant::Variant;
