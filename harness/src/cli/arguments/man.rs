//! Arguments of `man`.

use std::path::PathBuf;

use clap::Args;

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof man | man -l -
  wsgi-proof man --dir ~/.local/share/man/man1";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into DIR instead
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
