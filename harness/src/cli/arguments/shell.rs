//! Arguments of `shell`.

use clap::Args;

use super::OneArgs;

const AFTER_HELP: &str = "\
The shell is in the application's container, started as in the run, with its
network and fixtures. If the build fails, it is in the image before the
instruction that failed; if the scenario is about the base or onbuild image,
in that. What it prints is shown as it is.

Exit codes: 0 if the shell was opened; with COMMAND, or without a terminal,
1 if the command returned another exit code than 0.

Examples:
  wsgi-proof shell hello-wsgi
  wsgi-proof shell --build-step my-step hook-fails
  wsgi-proof shell hello-wsgi -- pip list";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ShellArgs {
    #[command(flatten)]
    pub one: OneArgs,
    /// A command to run in the place of a shell
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<String>,
}
