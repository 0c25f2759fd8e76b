//! What the files of a suite declare.

pub(crate) mod assertion_lock;
pub(crate) mod builder;
pub(crate) mod cell;
pub(crate) mod contract;
pub(crate) mod control;
pub(crate) mod diagnostic;
pub(crate) mod dialect;
pub(crate) mod limits;
pub(crate) mod packed;
pub(crate) mod project_name;
pub(crate) mod scenario;
pub(crate) mod structure;
pub(crate) mod tier;
pub(crate) mod toml_file;
pub(crate) mod variant;
