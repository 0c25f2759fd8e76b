//! Arguments of `prune`.

use clap::Args;

use super::FolderArgs;

/// Arguments of `prune`.
#[derive(Debug, Clone, Args)]
pub struct PruneArgs {
    /// Also remove cached images
    #[arg(long)]
    pub images: bool,
    /// Only print what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
}
