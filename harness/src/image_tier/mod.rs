//! The image tier: images are built and containers run by an engine.
//!
//! It decides nothing about formats. Steps bring back evidence, checks turn it into findings, and a fault (engine,
//! network, disk) stands beside the findings and outranks them.

mod archive;
mod blame;
mod builds;
mod canaries;
mod executor;
mod graph;
mod head;
mod prepare;
mod probe;
mod refusal;
mod serve;
mod setup;
mod shell;
mod step;
mod structure;
mod target;
mod tier;

pub(crate) use archive::{Loading, Saving};
pub(crate) use builds::OwnRelays;
pub(crate) use setup::Setup;
pub(crate) use shell::Shell;
pub(crate) use tier::ImageTier;
