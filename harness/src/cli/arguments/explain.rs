//! Arguments of `explain`.

use clap::Args;

use super::FolderArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct ExplainArgs {
    /// A clause (`BUILD-20`), the ID of a check (`file-mode`), or an exit code (`3`)
    #[arg(value_name = "TERM")]
    pub term: String,
    #[command(flatten)]
    pub folders: FolderArgs,
}
