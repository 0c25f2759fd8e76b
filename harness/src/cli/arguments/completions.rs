//! Arguments of `completions`.

use clap::Args;
use clap_complete::Shell;

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof completions bash > /etc/bash_completion.d/wsgi-proof
  wsgi-proof completions fish > ~/.config/fish/completions/wsgi-proof.fish";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}
