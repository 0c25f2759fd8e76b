//! The tests of the whole program, one module a topic.
//!
//! They are one binary, so that they can share what takes long, and so that all of them run when one fails:
//! - A run costs its canaries and its images before it does anything. Tests that look at different scenarios of the same kind share a run
//!   (`SharedRun`), which the first of them starts, also when it is the only one that was selected.
//! - Tests that kill, keep or prune have a private engine of their own (`PrivateEngine`), whose images stay for the next one.
//! - Whoever has a run, an engine or cargo at work holds a `Slot`.
//!
//! What they use of the library is listed in `support/library.rs`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod action;
mod agree;
mod article;
mod beneath;
mod broken_connections;
mod broken_steps;
mod bundle;
mod checks_can_fail;
mod cli;
mod compiled;
mod contract_tier;
mod controls;
mod doctor;
mod elsewhere;
mod engine_faults;
mod faults;
mod fixtures;
mod fuzz;
mod honest_steps;
mod hostile;
mod hostile_folders;
mod hostile_runs;
mod isolation;
mod kills;
mod leftovers;
mod loading;
mod lock;
mod locks;
mod mutate;
mod new;
mod offline;
mod one_change;
mod packed;
mod page;
mod partial_evidence;
mod refused_calls;
mod reports;
mod requirement_files;
mod sandbox;
mod sandbox_ends;
mod scenarios;
mod selection;
mod serving_can_fail;
mod shards;
mod shell;
mod structure_tests;
mod support;
mod transport;
mod trust;
mod verify;
mod version;
mod watch;
