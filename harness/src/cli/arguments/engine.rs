//! Arguments of `engine`.

use clap::{Args, Subcommand};

use super::FolderArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct EngineArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub action: EngineAction,
}

/// What to do with the private engine.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum EngineAction {
    /// Report whether it is unpacked and running
    Status(FolderArgs),
    /// Start it, and print the DOCKER_HOST that reaches it
    Start(FolderArgs),
    /// Stop it; its images stay in the cache
    Stop(FolderArgs),
}
