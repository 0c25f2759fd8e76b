//! This machine: folders and what is in them.

pub mod folders;
pub mod volume;
