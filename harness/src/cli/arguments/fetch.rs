//! Arguments of `fetch`.

use clap::Args;

use super::FolderArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct FetchArgs {
    /// Forget the recordings of Debian's archive; the next run makes new ones
    #[arg(long)]
    pub refresh: bool,
    #[command(flatten)]
    pub folders: FolderArgs,
}
