//! Arguments of `checks`.

use clap::Args;

/// Arguments of `checks`.
#[derive(Debug, Clone, Args)]
pub struct ChecksArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
