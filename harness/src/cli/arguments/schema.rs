//! Arguments of `schema`.

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct SchemaArgs {
    /// Print docs/scenario-reference.md
    #[arg(long)]
    pub markdown: bool,
}
