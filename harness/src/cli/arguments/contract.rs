//! Arguments of `contract`.

use clap::Args;

use super::FolderArgs;

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof contract
  wsgi-proof contract --markdown > docs/contract.md";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ContractArgs {
    /// Print docs/contract.md
    #[arg(long)]
    pub markdown: bool,
    /// Print the contract as JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    #[command(flatten)]
    pub folders: FolderArgs,
}
