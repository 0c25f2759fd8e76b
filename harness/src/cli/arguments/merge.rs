//! Arguments of `merge`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct MergeArgs {
    /// The report folders of the shards
    #[arg(value_name = "DIR", required = true)]
    pub reports: Vec<PathBuf>,
    /// Write report.json and index.html of the whole into DIR
    #[arg(long, value_name = "DIR")]
    pub report: PathBuf,
}
