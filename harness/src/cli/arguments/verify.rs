//! Arguments of `verify`.

use std::path::PathBuf;

use clap::Args;

use super::{CandidateSelectArgs, CellArgs, FolderArgs, ReachArgs};
use crate::suite::tier::Tier;

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof verify my-steps
  wsgi-proof verify --tier contract my-steps their-steps
  wsgi-proof verify --base-image my/base --onbuild-image my/onbuild
  wsgi-proof verify --tier contract my-steps =hello-wsgi";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub candidate: CandidateSelectArgs,
    /// A prebuilt candidate, as shipped (image tier)
    #[arg(long, value_name = "IMAGE", requires = "onbuild_image", help_heading = super::candidate::CANDIDATES)]
    pub base_image: Option<String>,
    /// The onbuild image of the same candidate
    #[arg(long, value_name = "IMAGE", requires = "base_image", help_heading = super::candidate::CANDIDATES)]
    pub onbuild_image: Option<String>,
    /// Images built from DIR, as in `run` (image tier)
    #[arg(long, value_name = "DIR", help_heading = super::candidate::CANDIDATES)]
    pub dockerfile: Vec<PathBuf>,
    /// Use one tier [default: contract, then image]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub tier: Option<Tier>,
    /// Treat SHOULD violations as failures
    #[arg(long)]
    pub strict: bool,
    /// Download nothing: a missing file is an error
    #[arg(long, alias = "frozen")]
    pub offline: bool,
    #[command(flatten)]
    pub cells: CellArgs,
    /// Print the table as JSON, after what image tier runs print
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write the reports of each candidate below DIR
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
