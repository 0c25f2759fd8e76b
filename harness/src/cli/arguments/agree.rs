//! Arguments of `agree`.

use clap::Args;

use super::{CandidateSelectArgs, CellArgs, FolderArgs, ReachArgs};

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof agree my-steps
  wsgi-proof agree --mutants 0 --applications 0 hook
  wsgi-proof agree --seed 7 --mutants 10 --scenarios 2 --applications 20";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct AgreeArgs {
    #[command(flatten)]
    pub candidate: CandidateSelectArgs,
    /// Try N generated mutants, and those written by hand unless it is 0
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub mutants: usize,
    /// Try each mutant in N scenarios: what it fails first, then others
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub scenarios: u16,
    /// Try N generated applications
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub applications: u64,
    /// Seed: equal seeds, equal mutants, scenarios and applications
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// At most N steps at once [default: as in `run`]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Download nothing: a missing file is an error
    #[arg(long, alias = "frozen")]
    pub offline: bool,
    #[command(flatten)]
    pub cells: CellArgs,
    /// Print the comparison as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
