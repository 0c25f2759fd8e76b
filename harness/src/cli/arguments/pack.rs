//! Arguments of `pack` and `eject`.

use std::path::PathBuf;

use clap::Args;

use super::FolderArgs;

const AFTER_PACK: &str = "\
The copy uses its suite where none is named with --suite and none is at or
above the current folder.

Example:
  wsgi-proof pack dist/wsgi-proof";

const AFTER_EJECT: &str = "\
Example:
  wsgi-proof eject my-suite
  wsgi-proof run --suite my-suite --tier contract";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_PACK)]
pub(crate) struct PackArgs {
    /// Where to write the copy; nothing may be there
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub folders: FolderArgs,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_EJECT)]
pub(crate) struct EjectArgs {
    /// The folder to make
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    #[command(flatten)]
    pub folders: FolderArgs,
}
