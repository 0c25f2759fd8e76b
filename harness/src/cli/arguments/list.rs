//! Arguments of `list`.

use clap::Args;

use super::{BuilderArgs, CellArgs, FolderArgs, SelectArgs};

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof list hook
  wsgi-proof list --variant all --dialect all =django
  wsgi-proof list --json";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Print the list as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub cells: CellArgs,
    #[command(flatten)]
    pub builders: BuilderArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
