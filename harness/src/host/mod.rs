//! This machine: folders and what is in them.

pub(crate) mod folders;
pub(crate) mod volume;
