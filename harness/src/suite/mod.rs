//! What the files of a suite declare.

pub mod assertion_lock;
pub mod cell;
pub mod contract;
pub mod control;
pub mod diagnostic;
pub mod dialect;
pub mod limits;
pub mod project_name;
pub mod scenario;
pub mod tier;
pub mod toml_file;
pub mod variant;
