//! The command line: clap types only.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::host::folders::{self, FolderError, Folders};
use crate::suite::dialect::Dialect;
use crate::suite::limits::Limit;
use crate::suite::tier::Tier;

/// The variant that is built when none is named.
pub const DEFAULT_VARIANT: &str = "python-3.11";

/// How long a whole run may take, unless another limit is set, in seconds.
pub const RUN_SECONDS: u32 = 14_400;

/// A hermetic conformance suite for the mod_wsgi-docker family of images.
///
/// Without a command it runs every scenario. Exit codes: 0 all passed (a broken SHOULD is only a warning, unless
/// `--strict`), 1 a scenario failed or the run did less than its lock says, 2 wrong usage or scenario file, 3 the suite
/// could not tell (engine, network, disk), 4 nothing selected, 130/143 stopped by a signal; a fail outranks an error.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `run`, for when no command is named.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the images, build the sample applications on them, and assert that all is as it must be
    Run(RunArgs),
    /// Hold other implementations of the build and start step against the contract: a table of clauses and candidates
    Verify(VerifyArgs),
    /// Change the reference's scripts, one statement at a time, and see whether the suite notices
    Mutate(MutateArgs),
    /// Generate applications, and see whether a build and start step do with each what the contract says
    Fuzz(FuzzArgs),
    /// List the scenarios
    List(ListArgs),
    /// Print the contract's clauses, and which scenarios prove them
    Contract(ContractArgs),
    /// List the checks that the suite makes, with their IDs
    Checks(ChecksArgs),
    /// Print the JSON schema of scenario files
    Schema(SchemaArgs),
    /// Fill the fixture store, so that later runs can be `--offline`
    Fetch(FetchArgs),
    /// Say what was found on this machine, what would be used, and why
    Doctor(FolderArgs),
    /// The private engine: status, start, stop
    Engine(EngineArgs),
    /// Remove what dead runs left behind
    Prune(PruneArgs),
}

/// `checks`.
#[derive(Debug, Clone, Args)]
pub struct ChecksArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Where things are.
#[derive(Debug, Clone, Args)]
pub struct FolderArgs {
    /// The folder with `scenarios/` and `images/` [default: the nearest one at or above the current folder]
    #[arg(long, value_name = "DIR", env = "WSGI_PROOF_SUITE")]
    pub suite: Option<PathBuf>,
    /// The cache folder: fixture store, private engine, distributions [default: wsgi-proof in the user's cache folder]
    #[arg(long, value_name = "DIR", env = "WSGI_PROOF_CACHE")]
    pub cache: Option<PathBuf>,
}

impl FolderArgs {
    /// Finds the suite's folder and the cache folder.
    ///
    /// # Errors
    /// When there is no suite, or no cache folder can be made.
    pub fn find(&self) -> Result<Folders, FolderError> {
        Folders::find(self.suite.as_deref(), self.cache.as_deref())
    }

    /// The cache folder, made if it is not there.
    ///
    /// # Errors
    /// When the environment names no home, or the folder cannot be made.
    pub fn cache(&self) -> Result<PathBuf, FolderError> {
        folders::cache(self.cache.as_deref())
    }
}

/// Which scenarios.
#[derive(Debug, Clone, Args)]
pub struct SelectArgs {
    /// Only scenarios whose name contains one of these; `=NAME` for exactly that one
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
}

/// Which cells: every variant named, in every dialect named.
#[derive(Debug, Clone, Args)]
pub struct CellArgs {
    /// The variants: names in images/variants.toml, or `all`
    #[arg(long, value_name = "NAME", default_value = DEFAULT_VARIANT, value_delimiter = ',')]
    pub variant: Vec<String>,
    /// The dialects: docker, whiskey, or `all`
    #[arg(long, value_name = "NAME", default_value = "docker", value_delimiter = ',')]
    pub dialect: Vec<DialectArg>,
}

/// A dialect, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DialectArg {
    /// The article's.
    Docker,
    /// The later one.
    Whiskey,
    /// Both.
    All,
}

impl CellArgs {
    /// The dialects named, each once and in the order of [`Dialect::ALL`].
    pub fn dialects(&self) -> Vec<Dialect> {
        let named = |dialect: &Dialect| {
            self.dialect.iter().any(|argument| match argument {
                DialectArg::All => true,
                DialectArg::Docker => *dialect == Dialect::Docker,
                DialectArg::Whiskey => *dialect == Dialect::Whiskey,
            })
        };
        Dialect::ALL.into_iter().filter(named).collect()
    }
}

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
#[allow(clippy::struct_excessive_bools, reason = "flags of a command line are independent of each other")]
pub struct RunArgs {
    /// Which scenarios.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Which cells.
    #[command(flatten)]
    pub cells: CellArgs,
    /// How real the surroundings are: images and containers of an engine, or a sandbox with stand-ins, which takes none
    #[arg(long, value_enum, default_value = "image")]
    pub tier: Tier,
    /// Take a broken SHOULD for a fail
    #[arg(long)]
    pub strict: bool,
    /// What is tested.
    #[command(flatten)]
    pub candidate: TestedArgs,
    /// Fetch nothing: whatever the fixture store lacks is an error
    #[arg(long, visible_alias = "frozen")]
    pub offline: bool,
    /// What a candidate may take: build-seconds, ready-seconds, request-seconds, command-seconds, memory-megabytes, processes,
    /// log-megabytes, disk-megabytes; a scenario's own limits go before
    #[arg(long = "limit", value_name = "NAME=NUMBER")]
    pub limits: Vec<Limit>,
    /// How long the whole run may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = RUN_SECONDS, value_parser = clap::value_parser!(u32).range(1..))]
    pub run_seconds: u32,
    /// Steps at once, at the most [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Do each scenario so many times; one that passes and fails is told as flaky
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeat: u32,
    /// Stop at the first scenario that does not pass; with --repeat, after so many times at the latest
    #[arg(long)]
    pub until_fail: bool,
    /// Keep the containers of scenarios that fail, for a look (`prune` removes them)
    #[arg(long)]
    pub keep: bool,
    /// Write junit.xml and report.json into this folder
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// Print the graph of steps and do nothing
    #[arg(long)]
    pub plan: bool,
    /// Make scenarios/assertions.lock anew from this run, if it passes; the other cells keep their counts
    #[arg(long, conflicts_with_all = ["filters", "tested", "plan"])]
    pub write_lock: bool,
}

/// What is tested in the place of the repository's images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[group(id = "tested", multiple = true)]
pub struct TestedArgs {
    /// Test this control, a folder of images/controls: it must fail exactly where it says
    #[arg(long, value_name = "NAME", conflicts_with_all = ["base_image", "onbuild_image", "dockerfile", "steps", "build_step", "start_step"])]
    pub control: Option<String>,
    /// Test this prebuilt base image, as shipped, instead of building images/base
    #[arg(long, value_name = "IMAGE", requires = "onbuild_image")]
    pub base_image: Option<String>,
    /// Test this prebuilt onbuild image, as shipped, instead of building images/onbuild
    #[arg(long, value_name = "IMAGE", requires = "base_image")]
    pub onbuild_image: Option<String>,
    /// Build the images from this folder: `base/Dockerfile`, `onbuild/Dockerfile`, or both; or a single `Dockerfile` of one of them
    #[arg(long, value_name = "DIR", conflicts_with_all = ["base_image", "steps", "build_step", "start_step"])]
    pub dockerfile: Option<PathBuf>,
    /// Put the files of this folder in the place of those of images/base that have the same names
    #[arg(long, value_name = "DIR", conflicts_with = "base_image")]
    pub steps: Option<PathBuf>,
    /// Put this file in the place of mod_wsgi-docker-build
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base_image", "steps"])]
    pub build_step: Option<PathBuf>,
    /// Put this file in the place of mod_wsgi-docker-start
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base_image", "steps"])]
    pub start_step: Option<PathBuf>,
}

/// Which build and start steps are tried.
#[derive(Debug, Clone, Args)]
pub struct CandidateArgs {
    /// Candidates: folders with a `mod_wsgi-docker-build`, a `mod_wsgi-docker-start`, or both; without any, the repository's own
    #[arg(value_name = "DIR")]
    pub candidates: Vec<PathBuf>,
    /// A further candidate: this file in the place of mod_wsgi-docker-build
    #[arg(long, value_name = "FILE")]
    pub build_step: Option<PathBuf>,
    /// And this one in the place of mod_wsgi-docker-start
    #[arg(long, value_name = "FILE")]
    pub start_step: Option<PathBuf>,
}

/// Arguments of `verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Which candidates.
    #[command(flatten)]
    pub candidate: CandidateArgs,
    /// A further candidate: this prebuilt base image, as shipped; in the image tier
    #[arg(long, value_name = "IMAGE", requires = "onbuild_image")]
    pub base_image: Option<String>,
    /// And this prebuilt onbuild image
    #[arg(long, value_name = "IMAGE", requires = "base_image")]
    pub onbuild_image: Option<String>,
    /// Further candidates: the images that are built from this folder, as in `run --dockerfile`; in the image tier
    #[arg(long, value_name = "DIR")]
    pub dockerfile: Vec<PathBuf>,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Which cells.
    #[command(flatten)]
    pub cells: CellArgs,
    /// One tier only [default: the contract tier, then the image tier]
    #[arg(long, value_enum)]
    pub tier: Option<Tier>,
    /// Only scenarios whose name contains this; `=NAME` for exactly that one
    #[arg(long, value_name = "FILTER")]
    pub only: Vec<String>,
    /// Take a broken SHOULD for a fail
    #[arg(long)]
    pub strict: bool,
    /// Print the table as JSON; with the image tier, after what its runs print
    #[arg(long)]
    pub json: bool,
    /// Write junit.xml and report.json of each candidate into a folder of its own in this one
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
    /// Fetch nothing: whatever the fixture store lacks is an error
    #[arg(long, visible_alias = "frozen")]
    pub offline: bool,
}

/// Arguments of `mutate`.
#[derive(Debug, Clone, Args)]
pub struct MutateArgs {
    /// Only mutants whose ids begin so
    #[arg(value_name = "ID")]
    pub only: Vec<String>,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Which cells; both dialects are what notices most.
    #[command(flatten)]
    pub cells: CellArgs,
    /// Where mutants are tried: the contract tier alone, or those that survive it in the image tier, too, minutes each
    #[arg(long, value_enum, default_value = "contract")]
    pub tier: Tier,
    /// Only mutants in lines that have changed since this commit
    #[arg(long, value_name = "COMMIT")]
    pub since: Option<String>,
    /// Keep the results in this file, and go on from what it has if scripts, scenarios and program are still the same
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// Mutants at once, at the most [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Fetch nothing
    #[arg(long, visible_alias = "frozen")]
    pub offline: bool,
}

/// Arguments of `fuzz`.
#[derive(Debug, Clone, Args)]
pub struct FuzzArgs {
    /// Which candidates.
    #[command(flatten)]
    pub candidate: CandidateArgs,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Which cells, taken in turn.
    #[command(flatten)]
    pub cells: CellArgs,
    /// How many applications
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub count: u64,
    /// What the applications come from: the same seed, the same applications [default: another one each time]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Only the application of this number
    #[arg(long, value_name = "N", conflicts_with = "count")]
    pub case: Option<u64>,
    /// Keep the smallest application of each difference as a scenario in this folder
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
    /// With --write: keep every application, as it was generated
    #[arg(long, requires = "write")]
    pub all: bool,
    /// Take a broken SHOULD for a difference
    #[arg(long)]
    pub strict: bool,
    /// Applications at once, at the most [default: the number of cores]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: Option<u16>,
    /// Fetch nothing
    #[arg(long, visible_alias = "frozen")]
    pub offline: bool,
}

/// Arguments of `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Which scenarios.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Which cells.
    #[command(flatten)]
    pub cells: CellArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `contract`.
#[derive(Debug, Clone, Args)]
pub struct ContractArgs {
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Print docs/contract.md
    #[arg(long)]
    pub markdown: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
}

/// Arguments of `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Print docs/scenario-reference.md
    #[arg(long)]
    pub markdown: bool,
}

/// Arguments of `fetch`.
#[derive(Debug, Clone, Args)]
pub struct FetchArgs {
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Forget the recorded responses of Debian's archive, so that the next run records today's
    #[arg(long)]
    pub refresh: bool,
}

/// Arguments of `engine`.
#[derive(Debug, Clone, Args)]
pub struct EngineArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub action: EngineAction,
}

/// What to do with the private engine.
#[derive(Debug, Clone, Subcommand)]
pub enum EngineAction {
    /// Say whether it is unpacked and running
    Status(FolderArgs),
    /// Start it, and print the DOCKER_HOST that reaches it
    Start(FolderArgs),
    /// Stop it; its images stay in the cache
    Stop(FolderArgs),
}

/// Arguments of `prune`.
#[derive(Debug, Clone, Args)]
pub struct PruneArgs {
    /// Where things are.
    #[command(flatten)]
    pub folders: FolderArgs,
    /// Also remove the images that the cache keeps on purpose
    #[arg(long)]
    pub images: bool,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
}
