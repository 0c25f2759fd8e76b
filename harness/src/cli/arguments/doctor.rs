//! Arguments of `doctor`.

use clap::Args;

use super::{FolderArgs, ReachArgs};

#[derive(Debug, Clone, Args)]
pub(crate) struct DoctorArgs {
    /// Print a JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
