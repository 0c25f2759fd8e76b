//! Arguments of `checks`.

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct ChecksArgs {
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
}
