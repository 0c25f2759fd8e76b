//! A run: what is selected, what happens, how it is judged and counted, and which runs are alive.

mod control;
pub mod event;
pub mod flaky;
pub mod judge;
pub mod lease;
pub mod plan;
pub mod tally;
