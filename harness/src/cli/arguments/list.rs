//! Arguments of `list`.

use clap::Args;

use super::{CellArgs, FolderArgs, SelectArgs};

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof list hook
  wsgi-proof list --variant all --dialect all =django
  wsgi-proof list --json";

/// Arguments of `list`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ListArgs {
    /// Which scenarios.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Which cells.
    #[command(flatten)]
    pub cells: CellArgs,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
}
