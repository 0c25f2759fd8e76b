//! Arguments of `mutate`.

use std::path::PathBuf;

use clap::Args;

use super::{CellArgs, FolderArgs, ReachArgs};
use crate::mutate::Operator;
use crate::suite::tier::Tier;

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof mutate --dialect all
  wsgi-proof mutate --dialect all --since HEAD~1
  wsgi-proof mutate --dialect all --operator change-test
  wsgi-proof mutate --tier image bug-16
  wsgi-proof mutate --results results.jsonl --json";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct MutateArgs {
    /// Only mutants whose ID starts with PREFIX
    #[arg(value_name = "PREFIX")]
    pub only: Vec<String>,
    /// Only this kind of change, such as `change-test`; repeatable
    #[arg(long, value_name = "KIND", value_enum, hide_possible_values = true)]
    pub operator: Vec<Operator>,
    /// `contract`: contract tier only; `image`: survivors also in the image tier, minutes each
    #[arg(long, value_enum, default_value = "contract", hide_possible_values = true)]
    pub tier: Tier,
    /// Only mutants in lines changed since COMMIT
    #[arg(long, value_name = "COMMIT")]
    pub since: Option<String>,
    /// At most N mutants at once [default: cores + 1]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Download nothing: a missing file is an error
    #[arg(long, alias = "frozen")]
    pub offline: bool,
    /// Which cells; both dialects are what notices most.
    #[command(flatten)]
    pub cells: CellArgs,
    /// Keep results in FILE, and resume from it if nothing changed
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub results: Option<PathBuf>,
    /// Print the results as JSON
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
