//! Arguments of `new`.

use std::path::PathBuf;

use clap::Args;

use super::{CellArgs, FolderArgs, ReachArgs};
use crate::outcome::ClauseId;
use crate::suite::tier::Tier;

const AFTER_HELP: &str = "\
With --from-app the application is run, to see what comes of it, and the
scenario expects that: to be served, to be built, or to fail in the build.

Examples:
  wsgi-proof new my-scenario
  wsgi-proof new upload-breaks --from-app ../my-app --source 'issue 12'";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct NewArgs {
    /// Its name: lower-case words, joined by hyphens
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Copy the application in DIR, instead of one that says hello
    #[arg(long, value_name = "DIR")]
    pub from_app: Option<PathBuf>,
    /// What the scenario shows, in one sentence
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "What this scenario shows, in one sentence",
        hide_default_value = true
    )]
    pub summary: String,
    /// Where it comes from: an issue, a passage of the article
    #[arg(long, value_name = "TEXT", default_value = "where it comes from", hide_default_value = true)]
    pub source: String,
    /// A clause that it proves [default: one that its outcome speaks for, if the suite has a contract]
    #[arg(long, value_name = "ID")]
    pub proves: Vec<ClauseId>,
    /// The tier that an application is run in: `image` or `contract`
    #[arg(long, value_enum, default_value = "image", hide_possible_values = true)]
    pub tier: Tier,
    #[command(flatten)]
    pub cells: CellArgs,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
