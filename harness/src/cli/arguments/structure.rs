//! Files of container-structure-test that a run has beside the suite.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Structure tests (schema version 2.0.0 of container-structure-test)")]
pub(crate) struct StructureArgs {
    /// Run the tests in FILE; of the suite's scenarios only those that filters name
    #[arg(long = "structure-test", value_name = "FILE", conflicts_with_all = ["watch", "last_failed", "write_lock", "control"])]
    pub files: Vec<PathBuf>,
    /// On base-image, onbuild-image, or the application image of the scenario NAME
    #[arg(long, value_name = "IMAGE", default_value = "base-image", requires = "files")]
    pub on: String,
}
