//! The commands: each turns its arguments into calls of the library and ends in an exit code.

mod agree;
pub(crate) mod arguments;
mod bundle;
mod candidates;
mod checks;
mod chosen;
mod completions;
mod contract;
mod doctor;
mod engine;
mod explain;
mod fetch;
mod filter;
mod fuzz;
mod host;
mod import;
mod last_failed;
mod list;
mod man;
mod merge;
mod mutate;
mod new;
mod open_contract;
mod open_image;
mod output;
mod pack;
mod prune;
mod report;
mod reporters;
mod reproduce;
mod run;
mod schema;
mod select;
mod shell;
mod structure;
mod verify;
mod watch;

use std::fmt;

use crate::cli::arguments::{Cli, Command};
use crate::contract_tier::sandbox::SandboxError;
use crate::host::umask;
use crate::outcome::{Fault, with_causes};
use crate::run::leftovers::LeftoverError;
use crate::run::signals::Signals;
use crate::run::tally::ExitCode;

/// Why a command could not do its work.
pub(crate) struct Failure {
    code: ExitCode,
    text: String,
}

impl Failure {
    /// Something of the command line or of a scenario file, which the user can correct.
    fn usage(what: impl fmt::Display, hint: Option<&str>) -> Self {
        Self::new(ExitCode::Usage, &what, hint)
    }

    /// Something of the engine, the network or the disk.
    fn infrastructure(what: impl fmt::Display, hint: Option<&str>) -> Self {
        Self::new(ExitCode::Infrastructure, &what, hint)
    }

    /// Nobody reads standard output any more: as quiet as a program that SIGPIPE ends.
    fn reader_gone() -> Self {
        Self { code: ExitCode::BrokenPipe, text: String::new() }
    }

    /// A signal came before there was anything to report; it has been announced.
    fn stopped(signals: &Signals) -> Self {
        Self { code: signals.exit_code(), text: String::new() }
    }

    fn new(code: ExitCode, what: &dyn fmt::Display, hint: Option<&str>) -> Self {
        let failure = Self { code, text: format!("error: {what}") };
        match hint {
            Some(hint) => failure.and_hint(hint),
            None => failure,
        }
    }

    /// The same, with a hint more.
    fn and_hint(mut self, hint: &str) -> Self {
        self.text.push_str("\n  hint: ");
        self.text.push_str(hint);
        self
    }
}

impl From<crate::host::folders::FolderError> for Failure {
    fn from(error: crate::host::folders::FolderError) -> Self {
        Self::usage(with_causes(&error), Some(error.hint()))
    }
}

impl From<crate::engine::EngineError> for Failure {
    fn from(error: crate::engine::EngineError) -> Self {
        Self::infrastructure(with_causes(&error), error.hint().as_deref())
    }
}

impl From<crate::engine::TransportError> for Failure {
    fn from(error: crate::engine::TransportError) -> Self {
        Self::infrastructure(with_causes(&error), error.hint())
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::infrastructure(with_causes(&error), Some(error.hint()))
    }
}

impl From<LeftoverError> for Failure {
    fn from(error: LeftoverError) -> Self {
        match error {
            LeftoverError::Engine(error) => error.into(),
            LeftoverError::Cache { .. } => Self::infrastructure(error, None),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::infrastructure(fault.what, fault.hint.as_deref())
    }
}

/// Listens for signals; called once in a command.
fn listen() -> Result<Signals, Failure> {
    Signals::listen(|text| output::complain(format_args!("{text}")))
        .map_err(|error| Failure::infrastructure(format!("cannot listen for signals: {error}"), None))
}

/// Does what the command line says. Errors go to standard error.
pub fn command() -> std::process::ExitCode {
    umask::set_aside();
    std::process::ExitCode::from(run_command(Cli::read()) as u8)
}

fn run_command(cli: Cli) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(format_args!("error: cannot start the async runtime: {error}"));
            return ExitCode::Infrastructure;
        }
    };
    let result = runtime.block_on(async {
        match cli.command_or_run() {
            Command::Run(arguments) => Box::pin(run::run(arguments)).await,
            Command::Verify(arguments) => verify::verify(&arguments).await,
            Command::Mutate(arguments) => mutate::mutate(&arguments).await,
            Command::New(arguments) => new::new(&arguments).await,
            Command::Import(arguments) => import::import(&arguments),
            Command::Fuzz(arguments) => fuzz::fuzz(&arguments).await,
            Command::Agree(arguments) => agree::agree(&arguments).await,
            Command::Shell(arguments) => shell::shell(arguments).await,
            Command::Bundle(arguments) => bundle::bundle(arguments).await,
            Command::List(arguments) => list::list(&arguments),
            Command::Explain(arguments) => explain::explain(&arguments),
            Command::Checks(arguments) => checks::checks(&arguments),
            Command::Contract(arguments) => contract::contract(&arguments),
            Command::Schema(arguments) => schema::schema(&arguments),
            Command::Fetch(arguments) => fetch::fetch(&arguments).await,
            Command::Doctor(arguments) => doctor::doctor(&arguments).await,
            Command::Engine(arguments) => engine::engine(&arguments).await,
            Command::Report(arguments) => report::report(&arguments),
            Command::Merge(arguments) => merge::merge(&arguments),
            Command::Pack(arguments) => pack::pack(&arguments),
            Command::Eject(arguments) => pack::eject(&arguments),
            Command::Prune(arguments) => prune::prune(&arguments).await,
            Command::Completions(arguments) => completions::completions(&arguments),
            Command::Man(arguments) => man::man(&arguments),
        }
    });
    host::close();
    // Whatever still reads or waits in the background must not hold up the end.
    runtime.shutdown_background();
    result.unwrap_or_else(|failure| {
        if !failure.text.is_empty() {
            output::complain(format_args!("{}", failure.text));
        }
        failure.code
    })
}
