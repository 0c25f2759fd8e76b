//! Arguments of `contract`.

use clap::Args;

use super::FolderArgs;

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof contract
  wsgi-proof contract --markdown > docs/contract.md";

/// Arguments of `contract`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ContractArgs {
    /// Print docs/contract.md
    #[arg(long)]
    pub markdown: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
}
