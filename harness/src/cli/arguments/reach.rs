//! The engine of a command.

use clap::Args;

/// Which engine a command uses.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReachArgs {
    /// Use this engine: a URL, a socket's path, or a docker context
    #[arg(long, value_name = "ENDPOINT", help_heading = "Engine", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub engine: Option<String>,
}

impl ReachArgs {
    /// What is named, if anything is.
    pub(crate) fn name(&self) -> Option<&str> {
        self.engine.as_deref()
    }
}
