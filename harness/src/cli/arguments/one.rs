//! Arguments of commands that run one scenario.

use clap::Args;

use super::{BuilderArgs, CellArgs, FolderArgs, ReachArgs, TestedArgs};
use crate::suite::limits::Limit;

/// A scenario, and how it is run.
#[derive(Debug, Clone, Args)]
pub(crate) struct OneArgs {
    /// The scenario, by its name
    #[arg(value_name = "SCENARIO")]
    pub scenario: String,
    #[command(flatten)]
    pub cells: CellArgs,
    #[command(flatten)]
    pub builders: BuilderArgs,
    #[command(flatten)]
    pub candidate: TestedArgs,
    /// Download nothing: a missing file is an error
    #[arg(long, alias = "frozen", help_heading = "Execution")]
    pub offline: bool,
    /// Override a resource limit; limits in a scenario take precedence
    #[arg(long = "limit", value_name = "NAME=NUMBER", help_heading = "Execution")]
    pub limits: Vec<Limit>,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
