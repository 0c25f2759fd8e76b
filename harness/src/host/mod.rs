//! This machine: folders and what is in them.

pub(crate) mod caller;
pub(crate) mod carried;
pub(crate) mod changes;
mod claim;
pub(crate) mod folders;
pub(crate) mod journal;
pub(crate) mod outgoing;
pub(crate) mod snapshot;
pub(crate) mod terminal;
pub(crate) mod trust;
pub(crate) mod umask;
pub(crate) mod unpacked;
pub(crate) mod written;
