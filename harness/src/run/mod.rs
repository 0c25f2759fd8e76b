//! A run: what is selected, what happens, how it is judged and counted, which runs are alive, and what dead ones left.

mod control;
pub(crate) mod criteria;
pub(crate) mod event;
pub(crate) mod flaky;
pub(crate) mod lease;
pub(crate) mod leftovers;
pub(crate) mod plan;
pub(crate) mod session;
pub(crate) mod shard;
pub(crate) mod signals;
pub(crate) mod tally;
pub(crate) mod tasks;
pub(crate) mod tier;
