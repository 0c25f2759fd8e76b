//! Arguments of `run`.

use std::path::PathBuf;

use clap::Args;

use super::{BuilderArgs, CellArgs, FolderArgs, ReachArgs, SelectArgs, StructureArgs, TestedArgs};
use crate::report::format::Format;
use crate::run::shard::Shard;
use crate::suite::limits::Limit;
use crate::suite::tier::Tier;

/// How long a whole run may take, unless another limit is set, in seconds.
pub(crate) const RUN_SECONDS: u32 = 14_400;

const AFTER_HELP: &str = "\
Limits (--limit NAME=NUMBER):
  build-seconds, ready-seconds, request-seconds, command-seconds,
  memory-megabytes, processes, log-megabytes, disk-megabytes

Dockerfiles (--dockerfile DIR):
  DIR/base/Dockerfile, DIR/onbuild/Dockerfile or both; or DIR/Dockerfile, of the
  onbuild image if it has ONBUILD instructions, of the base image if not

Filters:
  hook                              hook in the name
  =hello-wsgi                       exactly this name
  'clause(BUILD-16) and not name(hg)'
                                    an expression: name(PART), name(=NAME) and
                                    clause(ID) with and, or, not and parentheses

Examples:
  wsgi-proof run =hello-wsgi django
  wsgi-proof run --tier contract --build-step my-step
  wsgi-proof run --base-image my/base --onbuild-image my/onbuild --report report
  wsgi-proof run --variant all --dialect all --strict
  wsgi-proof run --repeat 100 --until-fail =restart";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line are independent of each other")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// Only what failed, or was inconclusive, in the last run
    #[arg(long, conflicts_with_all = ["filters", "write_lock"])]
    pub last_failed: bool,
    /// Run again whenever files change, and only what that concerns
    #[arg(long, conflicts_with_all = ["last_failed", "write_lock", "plan"])]
    pub watch: bool,
    /// Run the scenario of a bundle again, with its images and fixtures
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tested", "last_failed", "watch", "write_lock", "shard"])]
    pub bundle: Option<PathBuf>,
    /// `image`: real images and containers; `contract`: scripts in a sandbox with stubs, no engine
    #[arg(long, value_enum, default_value = "image", hide_possible_values = true)]
    pub tier: Tier,
    /// Treat SHOULD violations as failures
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub cells: CellArgs,
    #[command(flatten)]
    pub builders: BuilderArgs,
    #[command(flatten)]
    pub candidate: TestedArgs,
    /// At most N steps at once [default: cores; in the contract tier
    /// cores + 1]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Execution")]
    pub jobs: Option<u16>,
    /// Download nothing: a missing file is an error
    #[arg(long, alias = "frozen", help_heading = "Execution")]
    pub offline: bool,
    /// Override a resource limit; limits in a scenario take precedence
    #[arg(long = "limit", value_name = "NAME=NUMBER", help_heading = "Execution")]
    pub limits: Vec<Limit>,
    /// Time limit of the whole run
    #[arg(long, value_name = "N", default_value_t = RUN_SECONDS, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Execution")]
    pub run_seconds: u32,
    /// Run each scenario N times and report mixed results as flaky
    #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Execution")]
    pub repeat: u32,
    /// Stop at the first failure, after at most N repeats
    #[arg(long, visible_alias = "fail-fast", help_heading = "Execution")]
    pub until_fail: bool,
    /// Run a part: 2/5 is the second of five; `merge` joins their reports
    #[arg(long, value_name = "K/N", conflicts_with = "write_lock", help_heading = "Execution")]
    pub shard: Option<Shard>,
    /// Keep containers of failed scenarios until `prune`
    #[arg(long, help_heading = "Execution")]
    pub keep: bool,
    /// What to print: human, json-lines (one event a line), github (annotations), or junit
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "human",
        hide_possible_values = true,
        conflicts_with = "plan",
        help_heading = "Output"
    )]
    pub format: Format,
    /// Write index.html, report.json, junit.xml, ctrf.json and report.sarif into DIR
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub report: Option<PathBuf>,
    /// Print the plan, and run nothing
    #[arg(long, help_heading = "Output")]
    pub plan: bool,
    /// Regenerate scenarios/assertions.lock from this run
    #[arg(long, conflicts_with_all = ["filters", "tested", "plan"], help_heading = "Output")]
    pub write_lock: bool,
    #[command(flatten)]
    pub structure: StructureArgs,
    #[command(flatten)]
    pub reach: ReachArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}
