//! Arguments of `fuzz`.

use std::path::PathBuf;

use clap::Args;

use super::{CandidateArgs, CellArgs, FolderArgs, ReachArgs};

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof fuzz --dialect all my-steps
  wsgi-proof fuzz --seed 7 --count 5000 --build-step my-step
  wsgi-proof fuzz --seed 7 --case 42 --write my-suite/scenarios my-steps";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct FuzzArgs {
    #[command(flatten)]
    pub candidate: CandidateArgs,
    /// Generate N applications
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
    /// Seed: equal seeds, equal applications [default: random]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Only application N
    #[arg(long, value_name = "N", conflicts_with = "count")]
    pub case: Option<u64>,
    /// Treat SHOULD violations as failures
    #[arg(long)]
    pub strict: bool,
    /// At most N applications at once [default: cores + 1]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Download nothing: a missing file is an error
    #[arg(long, alias = "frozen")]
    pub offline: bool,
    /// Which cells, taken in turn.
    #[command(flatten)]
    pub cells: CellArgs,
    /// Write the smallest failing applications into DIR
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub write: Option<PathBuf>,
    /// With --write: write every application, as generated
    #[arg(long, requires = "write", help_heading = "Output")]
    pub all: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
