//! `wsgi-proof completions`: the completion script of a shell.

use clap::CommandFactory;

use super::{Failure, output};
use crate::cli::arguments::{Cli, CompletionsArgs};
use crate::run::tally::ExitCode;

pub(super) fn completions(arguments: &CompletionsArgs) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "wsgi-proof", &mut script);
    output::text(String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Pass)
}
