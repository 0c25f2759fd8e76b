//! `wsgi-proof run --tier contract`: load, plan, execute in sandboxes, report. No engine.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::run::{Candidate, announce, cores, processor_time, reproduce};
use super::signal::Signals;
use super::tell::Teller;
use super::{Failure, select};
use crate::cli::RunArgs;
use crate::contract_tier::run::{Bench, execute};
use crate::engine::RunId;
use crate::event::{CellName, Event, RunFinish, RunStart, ScenarioReport};
use crate::judge::Judge;
use crate::place::Places;
use crate::plan::{CandidateOrigin, Plan};
use crate::sandbox::{self, SandboxError, Sandboxes};
use crate::tier::Tier;
use crate::verdict::ExitCode;

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        Self::infrastructure(crate::causes::with_causes(&error), Some(error.hint()))
    }
}

pub(super) async fn run(arguments: RunArgs) -> Result<ExitCode, Failure> {
    let places = Places::find(&arguments.place)?;
    let cells = select::cells(&places, &arguments.cells)?;
    let (loaded, contract) = select::select(&places, cells, &arguments.select)?;
    let Candidate { control, base, .. } = Candidate::of(&arguments.candidate, &places)?;
    let plan = Plan::new(loaded, &CandidateOrigin::default());
    if arguments.plan {
        return Err(Failure::usage("the contract tier has no graph of steps", Some("leave out --plan, or --tier")));
    }
    if arguments.write_lock || arguments.candidate.base_image.is_some() || arguments.candidate.dockerfile.is_some() {
        return Err(Failure::usage("this takes the image tier", Some("leave out --tier contract")));
    }
    let sandboxes = open(&places, arguments.offline).await?;
    let candidate = Arc::new(sandbox::Candidate::new(&sandboxes, &places.images(), &base)?);
    let jobs = arguments.jobs.map_or_else(cores, usize::from);
    let judge =
        Judge { contract, tier: Tier::Contract, strict: arguments.strict, control, reproduce: reproduce(&arguments) };
    let bench = Arc::new(Bench { sandboxes, judge, jobs });
    let teller = Teller::new(arguments.report.as_deref(), &places.scenarios())?;
    Ok(try_out(&bench, candidate, &plan, announce(&arguments.candidate), teller).await?.0)
}

/// Tries a candidate, which is described by `name`, in all scenarios of a plan.
pub(super) async fn try_out(
    bench: &Arc<Bench>,
    candidate: Arc<sandbox::Candidate>,
    plan: &Plan,
    name: String,
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
        isolation:
            "own mounts, processes, network and users; the host's /usr to read; stand-ins for pip, apt-get, git, hg \
                    and mod_wsgi-express"
                .to_owned(),
        offline: true,
    })));
    let scenarios = plan.scenarios.iter().map(|planned| (planned.clone(), plan.cells[planned.cell].clone())).collect();
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let executor = tokio::spawn(execute(Arc::clone(bench), candidate, scenarios, sender, signals.cancel.clone()));
    while let Some(event) = receiver.recv().await {
        teller.tell(event);
    }
    drop(executor.await);
    Ok(teller.finish(RunFinish {
        end: signals.end(),
        took: begun.elapsed(),
        own: processor_time(),
        fixtures: "none needed".to_owned(),
        shortfalls: Vec::new(),
        notes: Vec::new(),
    }))
}

/// Sandboxes, with word on standard error of what is brought along for them.
pub(super) async fn open(places: &Places, offline: bool) -> Result<Sandboxes, SandboxError> {
    Sandboxes::new(&places.cache, offline, &|line| eprintln!("sandbox: {line}")).await
}
