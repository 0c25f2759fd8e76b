//! The command line: clap types only, one file a command, and what commands share.

mod agree;
mod bundle;
mod candidate;
mod cells;
mod checks;
mod completions;
mod contract;
mod doctor;
mod engine;
mod explain;
mod fetch;
mod folders;
mod fuzz;
mod import;
mod list;
mod man;
mod merge;
mod mutate;
mod new;
mod one;
mod pack;
mod prune;
mod reach;
mod report;
mod run;
mod schema;
mod select;
mod shell;
mod structure;
mod verify;

use std::sync::OnceLock;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

pub(crate) use agree::AgreeArgs;
pub(crate) use bundle::BundleArgs;
pub(crate) use candidate::{CandidateArgs, CandidateSelectArgs, StepFileArgs, TestedArgs};
pub(crate) use cells::{BuilderArgs, CellArgs};
pub(crate) use checks::ChecksArgs;
pub(crate) use completions::CompletionsArgs;
pub(crate) use contract::ContractArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use engine::{EngineAction, EngineArgs};
pub(crate) use explain::ExplainArgs;
pub(crate) use fetch::FetchArgs;
pub(crate) use folders::FolderArgs;
pub(crate) use fuzz::FuzzArgs;
pub(crate) use import::{ImageArg, ImportArgs, ImportSource, ImportStructureArgs};
pub(crate) use list::ListArgs;
pub(crate) use man::ManArgs;
pub(crate) use merge::MergeArgs;
pub(crate) use mutate::MutateArgs;
pub(crate) use new::NewArgs;
pub(crate) use one::OneArgs;
pub(crate) use pack::{EjectArgs, PackArgs};
pub(crate) use prune::PruneArgs;
pub(crate) use reach::ReachArgs;
pub(crate) use report::ReportArgs;
pub(crate) use run::{RUN_SECONDS, RunArgs};
pub(crate) use schema::SchemaArgs;
pub(crate) use select::SelectArgs;
pub(crate) use shell::ShellArgs;
pub(crate) use structure::StructureArgs;
pub(crate) use verify::VerifyArgs;

use crate::host::carried;

/// The width that every help fits.
const WIDTH: usize = 80;

const AFTER_HELP: &str = "\
Without a command, all scenarios run in the default cell: `wsgi-proof run`.

Exit codes:
  0    all scenarios passed (SHOULD violations are warnings without --strict)
  1    a scenario failed, or the run covered less than its assertion lock
  2    wrong usage, or an invalid suite
  3    inconclusive: engine, network, disk; a failure outranks an error
  4    a filter selects nothing, or nothing applies
  5    `verify`: nothing is broken, but a MUST was not tried
  130  interrupted (SIGINT)
  141  nobody reads the output any more (SIGPIPE)
  143  terminated (SIGTERM)

Examples:
  wsgi-proof run --tier contract             seconds, no engine
  wsgi-proof run =hello-wsgi                 one scenario, on an engine
  wsgi-proof run --base-image my/base --onbuild-image my/onbuild
                                             your images, as shipped
  wsgi-proof verify my-steps                 a conformance table of your steps
  wsgi-proof doctor                          what would be used, and why";

/// What an exit code means, as the help says it.
pub(crate) fn exit_code(code: &str) -> Option<&'static str> {
    code.parse::<u8>().ok()?;
    let lines = AFTER_HELP.lines().map(str::trim_start);
    lines.filter_map(|line| line.split_once(' ')).find(|(number, _)| *number == code).map(|(_, says)| says.trim_start())
}

/// The version of this program, and of the suite that it carries.
fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    let number = env!("CARGO_PKG_VERSION");
    VERSION.get_or_init(|| match carried::digest() {
        Some(digest) => format!("{number} (suite {digest})"),
        None => number.to_owned(),
    })
}

/// A hermetic conformance suite for the mod_wsgi-docker family of images
#[derive(Debug, Parser)]
#[command(version = version(), max_term_width = WIDTH, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    /// What to do; without a command, `run` with its defaults.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios on a candidate, and report
    Run(RunArgs),
    /// Check build and start steps, and print a conformance table
    Verify(VerifyArgs),
    /// Change the reference's scripts, and check that the suite notices
    Mutate(MutateArgs),
    /// Check candidates on generated applications
    Fuzz(FuzzArgs),
    /// Hold the verdicts of both tiers against each other
    Agree(AgreeArgs),
    /// Open a shell in the application of a scenario
    Shell(ShellArgs),
    /// Write a scenario with all that it needs, to run it elsewhere
    Bundle(BundleArgs),
    /// List the scenarios
    List(ListArgs),
    /// Write a scenario to begin with
    New(NewArgs),
    /// Write a scenario of what you have already
    Import(ImportArgs),
    /// Print the clauses, and the scenarios that cover each
    Contract(ContractArgs),
    /// Say what a clause, a check or an exit code means
    Explain(ExplainArgs),
    /// List the checks, with their IDs
    Checks(ChecksArgs),
    /// Print the JSON schema of scenario files
    Schema(SchemaArgs),
    /// Download the locked Python packages, for later `--offline` runs
    Fetch(FetchArgs),
    /// Report what was found, what would be used, and what it can do
    Doctor(DoctorArgs),
    /// Show, start or stop the private engine
    Engine(EngineArgs),
    /// Make a page of a run's report.json, or compare two
    Report(ReportArgs),
    /// Join the reports of shards
    Merge(MergeArgs),
    /// Write a copy of this program that brings a suite along
    Pack(PackArgs),
    /// Write the suite into a folder, to change it
    Eject(EjectArgs),
    /// Remove what stale runs left
    Prune(PruneArgs),
    /// Print the completion script of a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

impl Cli {
    /// Reads the command line. Ends the program for `--help`, `--version` and wrong usage.
    pub(crate) fn read() -> Self {
        let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        Self::try_parse().unwrap_or_else(|error| explain(error, &words).exit())
    }

    /// The command, which without one is `run` with its defaults.
    pub(crate) fn command_or_run(self) -> Command {
        self.command.or_else(|| Self::parse_from(["wsgi-proof", "run"]).command).unwrap_or_else(|| unreachable!())
    }
}

/// Says what to do about options or filters without a command; any other error stays as it is.
fn explain(error: clap::Error, words: &[String]) -> clap::Error {
    let mut cli = Cli::command();
    let Some(first) = words.get(1).filter(|first| cli.find_subcommand(first).is_none()) else { return error };
    let rest = words[1..].join(" ");
    let text = match error.kind() {
        ErrorKind::UnknownArgument => {
            match words[2..].iter().find(|word| cli.find_subcommand(word.as_str()).is_some()) {
                Some(name) => format!(
                    "subcommand `{name}` must come before options\n  hint: put it first: `wsgi-proof {name} [OPTIONS]`"
                ),
                None => format!("option `{first}` needs a command\n  hint: `wsgi-proof run {rest}` runs scenarios"),
            }
        }
        ErrorKind::InvalidSubcommand if first.starts_with('=') => {
            format!("there is no command `{first}`\n  hint: `wsgi-proof run {rest}` selects scenarios")
        }
        _ => return error,
    };
    cli.error(error.kind(), text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> String {
        let words: Vec<String> = std::iter::once(&"wsgi-proof").chain(words).map(ToString::to_string).collect();
        explain(Cli::try_parse_from(&words).unwrap_err(), &words).to_string()
    }

    #[test]
    fn options_without_a_command_are_an_error_with_a_hint() {
        assert!(said(&["--strict"]).contains("hint: `wsgi-proof run --strict` runs scenarios"));
        assert!(said(&["--offline", "list"]).contains("subcommand `list` must come before options"));
        assert!(said(&["=hello-wsgi"]).contains("hint: `wsgi-proof run =hello-wsgi` selects scenarios"));
        assert!(said(&["run", "--stric"]).contains("--strict"));
        assert!(said(&["lst"]).contains("list"));
    }

    #[test]
    fn every_exit_code_has_a_meaning() {
        assert_eq!(exit_code("4"), Some("a filter selects nothing, or nothing applies"));
        assert_eq!(exit_code("143"), Some("terminated (SIGTERM)"));
        assert_eq!((exit_code("6"), exit_code("wsgi-proof"), exit_code("")), (None, None, None));
    }

    #[test]
    fn without_a_command_it_is_run() {
        let command = Cli::try_parse_from(["wsgi-proof"]).unwrap().command_or_run();
        assert!(matches!(command, Command::Run(arguments) if arguments.run_seconds == RUN_SECONDS));
    }

    /// What `--help` or `-h` prints for the program, each command and each action of the engine.
    fn helps(option: &str) -> Vec<String> {
        let cli = Cli::command();
        let commands = cli.get_subcommands().map(|command| vec![command.get_name()]);
        let actions = ["status", "start", "stop"].map(|action| vec!["engine", action]);
        let words = std::iter::once(Vec::new()).chain(commands).chain(actions);
        let help = |words: Vec<&str>| {
            let words = std::iter::once("wsgi-proof").chain(words).chain([option]);
            Cli::try_parse_from(words).unwrap_err().to_string()
        };
        words.map(help).collect()
    }

    #[test]
    fn every_help_fits_80_columns_and_is_the_same_in_short_and_long() {
        let helps_of = helps("--help");
        let long: Vec<&str> =
            helps_of.iter().flat_map(|help| help.lines()).filter(|line| line.chars().count() > WIDTH).collect();
        assert!(long.is_empty(), "{long:#?}");
        assert_eq!(helps_of, helps("-h"));
    }
}
