//! wsgi-proof: a hermetic conformance suite for the mod_wsgi-docker family of images.
//!
//! ```text
//! scenario files --load--> Suite --select--> Plan --run (a tier)--> Evidence --check--> Findings --> Events --> reports
//!                                                                                               `--fold--> exit code
//! ```
//! Data flows one way. Each folder is a room, which imports only rooms before it; a test holds their order.

pub mod check;
pub mod cli;
pub mod contract_tier;
pub mod engine;
pub mod fuzz;
pub mod host;
pub mod image_tier;
pub mod isolation;
pub mod mirror;
pub mod mutate;
pub mod outcome;
pub mod report;
pub mod run;
pub mod suite;

#[cfg(test)]
mod rooms;
