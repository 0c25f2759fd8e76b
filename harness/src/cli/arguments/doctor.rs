//! Arguments of `doctor`.

use clap::Args;

use super::FolderArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct DoctorArgs {
    /// Print a JSON document
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub folders: FolderArgs,
}
