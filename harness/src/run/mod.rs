//! A run: what is selected, what happens, how it is judged and counted, which runs are alive, and what dead ones left.

mod control;
pub mod event;
pub mod flaky;
pub mod judge;
pub mod lease;
pub mod leftovers;
pub mod plan;
pub mod session;
pub mod signals;
pub mod tally;
pub mod tasks;
pub mod tier;
