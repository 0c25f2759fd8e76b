//! `wsgi-proof run --tier contract`: load, plan, execute in sandboxes, report. No engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::run::{Candidate, STOPPED_EARLY, announce, cores, is_bad, processor_time, reproduce};
use super::signal::Signals;
use super::tell::Teller;
use super::{Failure, host, select};
use crate::cli::arguments::RunArgs;
use crate::contract_tier::run::{Bench, execute};
use crate::contract_tier::sandbox::{self, IN_CONTAINER, SandboxError, Sandboxes};
use crate::engine::{Engine, OwnProgram};
use crate::host::folders::Folders;
use crate::isolation::Isolation;
use crate::outcome::{CellName, RunId, ScenarioReport};
use crate::run::event::{Event, RunFinish, RunStart};
use crate::run::flaky::flaky;
use crate::run::judge::Judge;
use crate::run::lease::Lease;
use crate::run::plan::{CandidateOrigin, Plan};
use crate::run::tally::ExitCode;
use crate::suite::tier::Tier;

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::infrastructure(crate::outcome::with_causes(&error), Some(error.hint()))
    }
}

pub(super) async fn run(arguments: RunArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let cells = select::cells(&folders, &arguments.cells)?;
    let (loaded, contract) = select::select(&folders, cells, &arguments.select)?;
    let Candidate { control, base, .. } = Candidate::of(&arguments.candidate, &folders)?;
    let plan = Plan::repeated(loaded, &CandidateOrigin::default(), arguments.repeat);
    if arguments.plan {
        return Err(Failure::usage("the contract tier has no graph of steps", Some("leave out --plan, or --tier")));
    }
    if arguments.write_lock || arguments.candidate.base_image.is_some() || arguments.candidate.dockerfile.is_some() {
        return Err(Failure::usage("this takes the image tier", Some("leave out --tier contract")));
    }
    let sandboxes = open(&folders, arguments.offline).await?;
    let candidate = Arc::new(sandbox::Candidate::new(&sandboxes, &folders.images(), &base)?);
    let jobs = arguments.jobs.map_or_else(cores, usize::from);
    let judge =
        Judge { contract, tier: Tier::Contract, strict: arguments.strict, control, reproduce: reproduce(&arguments) };
    let bench = Arc::new(Bench { sandboxes, judge, jobs });
    let teller = Teller::new(arguments.report.as_deref(), &folders.scenarios())?;
    Ok(try_out(&bench, candidate, &plan, announce(&arguments.candidate), arguments.until_fail, teller).await?.0)
}

/// Tries a candidate, which is described by `name`, in all scenarios of a plan.
pub(super) async fn try_out(
    bench: &Arc<Bench>,
    candidate: Arc<sandbox::Candidate>,
    plan: &Plan,
    name: String,
    until_fail: bool,
    mut teller: Teller,
) -> Result<(ExitCode, Vec<ScenarioReport>), Failure> {
    let begun = Instant::now();
    let signals = Signals::listen()
        .map_err(|error| Failure::infrastructure(format!("signals cannot be listened to: {error}"), None))?;
    teller.tell(Event::RunStarted(Box::new(RunStart {
        run: RunId::new().to_string(),
        started: super::run::now(),
        planned: plan.scenarios.len(),
        jobs: bench.jobs,
        engine: "none: build and start step run in sandboxes, by bubblewrap".to_owned(),
        candidate: name,
        cells: plan.cells.iter().map(CellName::from).collect(),
        strict: bench.judge.strict,
        isolation: bench.sandboxes.isolation().to_owned(),
        offline: true,
    })));
    let scenarios = plan.scenarios.iter().map(|planned| (planned.clone(), plan.cells[planned.cell].clone())).collect();
    let cancel = signals.cancel.child_token();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let executor = tokio::spawn(execute(Arc::clone(bench), candidate, scenarios, sender, cancel.clone()));
    let mut notes = Vec::new();
    while let Some(event) = receiver.recv().await {
        if until_fail && is_bad(&event) && !cancel.is_cancelled() {
            notes.push(STOPPED_EARLY.to_owned());
            cancel.cancel();
        }
        teller.tell(event);
    }
    drop(executor.await);
    let flaky = flaky(&teller.reports);
    Ok(teller.finish(RunFinish {
        end: signals.end(),
        took: begun.elapsed(),
        own: processor_time(),
        fixtures: "none needed".to_owned(),
        undeclared: Vec::new(),
        shortfalls: Vec::new(),
        flaky,
        isolation: Isolation::default(),
        notes,
    }))
}

/// Sandboxes, with word on standard error of what is brought along for them. Where this machine does not permit any, the program
/// does all of its work in one container, and ends as that ends.
pub(super) async fn open(folders: &Folders, offline: bool) -> Result<Sandboxes, Failure> {
    let sandboxes = Sandboxes::new(&folders.cache, offline, &|line| eprintln!("sandbox: {line}")).await?;
    match sandboxes.probe().await {
        Ok(()) => Ok(sandboxes),
        Err(refused @ SandboxError::Refused { .. }) if std::env::var_os(IN_CONTAINER).is_none() => {
            drop(sandboxes);
            // No error of the engine's is told without the reason why there is need of one.
            let code = in_one_container(folders, offline).await.map_err(|failure| Failure {
                text: format!("{}\n{}", Failure::from(refused).text, failure.text),
                ..failure
            })?;
            std::process::exit(code)
        }
        Err(error) => Err(error.into()),
    }
}

/// This very command in a container that has this machine's folders, network and processes; its exit code.
async fn in_one_container(folders: &Folders, offline: bool) -> Result<i32, Failure> {
    let endpoint = host::endpoint(&folders.cache, offline).await?;
    let engine = Engine::connect(&endpoint).await?;
    eprintln!("sandbox: this machine permits none; all is done in one container instead");
    let signals = Signals::listen()
        .map_err(|error| Failure::infrastructure(format!("signals cannot be listened to: {error}"), None))?;
    let own = |error: std::io::Error| Failure::infrastructure(format!("the running program: {error}"), None);
    let program = std::env::current_exe().map_err(own)?;
    let folder = std::env::current_dir().map_err(own)?;
    let text = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
    let command =
        std::iter::once(text(program.as_os_str())).chain(std::env::args_os().skip(1).map(|word| text(&word))).collect();
    let mut environment: Vec<String> =
        std::env::vars_os().map(|(name, value)| format!("{}={}", text(&name), text(&value))).collect();
    environment.push(format!("{IN_CONTAINER}=1"));
    let mut writable = vec![folders.cache.clone(), folders.suite.clone(), folder.clone(), std::env::temp_dir()];
    let socket = endpoint.docker_host.strip_prefix("unix://").map(Path::new).and_then(Path::parent);
    writable.extend(socket.map(Path::to_owned));
    let run = RunId::new();
    let alive = Lease::begin(&folders.cache, &run)
        .map_err(|error| Failure::infrastructure(format!("{}: {error}", folders.cache.display()), None))?;
    let program = OwnProgram { command, environment, folder, writable };
    let code = engine.run_own_program(&program, &folders.cache, &run, &signals.cancel).await?;
    drop(alive);
    Ok(i32::try_from(code).unwrap_or(ExitCode::Infrastructure as i32))
}
