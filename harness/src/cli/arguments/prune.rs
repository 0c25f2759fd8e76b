//! Arguments of `prune`.

use clap::Args;

use super::{FolderArgs, ReachArgs};

#[derive(Debug, Clone, Args)]
pub(crate) struct PruneArgs {
    /// Also remove cached images
    #[arg(long)]
    pub images: bool,
    /// Only print what would be removed
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
