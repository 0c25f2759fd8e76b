//! The tests of the whole program, one module a topic. They are one binary, so that they can share runs and engines.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod broken_steps;
mod checks_can_fail;
mod cli;
mod compiled;
mod contract_tier;
mod controls;
mod engine_faults;
mod faults;
mod fixtures;
mod fuzz;
mod hostile;
mod isolation;
mod kills;
mod leftovers;
mod lock;
mod locks;
mod mutate;
mod offline;
mod parsers;
mod scenarios;
mod serving_can_fail;
mod support;
mod verify;
mod version;
