//! Arguments of `schema`.

use clap::Args;

/// Arguments of `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Print docs/scenario-reference.md
    #[arg(long)]
    pub markdown: bool,
}
