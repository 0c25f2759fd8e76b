//! Arguments of `fetch`.

use clap::Args;

use super::FolderArgs;

/// Arguments of `fetch`.
#[derive(Debug, Clone, Args)]
pub struct FetchArgs {
    /// Forget the recordings of Debian's archive; the next run makes new ones
    #[arg(long)]
    pub refresh: bool,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
}
