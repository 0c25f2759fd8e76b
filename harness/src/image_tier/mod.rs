//! The executor: walks the plan, as many steps at once as jobs allow, and is the sole sender of events.
//!
//! It decides nothing about formats. Steps bring back evidence, checks turn it into findings, and a fault (engine,
//! network, disk) stands beside the findings and outranks them.

mod blame;
mod canaries;
mod head;
mod prepare;
mod probe;
mod serve;
mod step;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::check::scope::Scope;
use crate::engine::{Engine, EngineError, Guard, Network, NetworkNamespace};
use crate::isolation::Watch;
use crate::mirror::RequestLog;
use crate::outcome::{CheckId, Fault, Finding, Log, NotRun, RunId, Stage, with_causes};
use crate::run::event::{Event, PreparationEnd};
use crate::run::judge::{Found, Judge};
use crate::run::plan::{CandidateOrigin, Plan, Planned, Role, Work};
use crate::suite::cell::Cell;
use crate::suite::control::Replacements;
use crate::suite::dialect::Dialect;
use crate::suite::limits::Limits;
use crate::suite::scenario::Scenario;

/// What every step of a run shares.
pub struct Setup {
    /// The engine.
    pub engine: Engine,
    /// The run's own network.
    pub network: Network,
    /// Where it is.
    pub namespace: NetworkNamespace,
    /// What watches it.
    pub guard: Guard,
    /// What the canaries find.
    pub watch: Arc<Watch>,
    /// The run's id.
    pub run: RunId,
    /// The file that it holds locked.
    pub lock: PathBuf,
    /// What builds and containers asked of the fixture server.
    pub requests: RequestLog,
    /// The recording proxy as programs on this host reach it.
    pub host_proxy: String,
    /// The folders that base and onbuild image are built from.
    pub dockerfiles: (PathBuf, PathBuf),
    /// Whether the candidate is the repository's own, whose images are kept for the next run.
    pub own_files: bool,
    /// What scenarios are judged by.
    pub judge: Judge,
    /// The cache folder.
    pub cache: PathBuf,
    /// Where the images under test come from.
    pub origin: CandidateOrigin,
    /// What stands in for files of `images/base`.
    pub base: Replacements,
    /// What stands in for files of `images/onbuild`.
    pub onbuild: Replacements,
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// What a candidate may take, unless a scenario says otherwise.
    pub limits: Limits,
    /// Steps at once, at the most.
    pub jobs: usize,
    /// Whether the container of a failing scenario is kept.
    pub keep: bool,
}

impl Setup {
    /// The name under which an image is kept for the next run, if it is one of the repository's own. Those of another
    /// candidate go with the run.
    fn kept_name(&self, role: &str, cell: &Cell) -> Option<String> {
        self.own_files.then(|| match cell.dialect {
            Dialect::Docker => format!("{role}-{}", cell.variant.name),
            dialect @ Dialect::Whiskey => format!("{role}-{}-{dialect}", cell.variant.name),
        })
    }
}

/// What a finished step leaves for the steps that need it.
#[derive(Debug, Clone)]
enum StepEnd {
    /// An image is there.
    Image(String),
    /// Done, and nothing needs its result.
    Done,
    /// The candidate broke here: what was expected of what, and what came.
    Broken { what: String, got: String },
    /// The suite could not tell.
    Fault(Fault),
    /// A build that was meant to succeed did not, and says so itself.
    NotBuilt,
}

/// What a scenario's step brought back.
#[derive(Debug, Default)]
struct Part {
    findings: Vec<Finding>,
    logs: Vec<Log>,
    stages: Vec<(Stage, Duration)>,
    not_run: Vec<NotRun>,
    fault: Option<Fault>,
}

/// A finished step.
struct Finished {
    id: usize,
    end: StepEnd,
    part: Part,
    /// Whether nothing further can succeed, or prove anything: the engine is gone, the disk is full, the isolation broken.
    halts: bool,
}

/// Runs the plan to its end, or until it is cancelled. Every scenario planned is reported unless it was cancelled.
pub async fn execute(plan: Plan, setup: Arc<Setup>, events: UnboundedSender<Event>, cancel: CancellationToken) {
    let mut state = State::new(plan, Arc::clone(&setup), events);
    state.report_skips();
    let mut running: JoinSet<Finished> = JoinSet::new();
    loop {
        while running.len() < setup.jobs {
            let Some(id) = state.next() else { break };
            state.start(id, &mut running);
        }
        if running.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                running.shutdown().await;
                return;
            }
            joined = running.join_next() => match joined {
                Some(Ok(finished)) => state.finish(finished),
                Some(Err(error)) => state.lost(&error),
                None => break,
            },
        }
    }
    state.report_lost();
}

/// The run's state; the loop above is the only one that changes it.
struct State {
    plan: Plan,
    setup: Arc<Setup>,
    events: UnboundedSender<Event>,
    started: Vec<bool>,
    ends: Vec<Option<StepEnd>>,
    scenarios: Vec<Progress>,
    halted: Option<Fault>,
    lost: Vec<String>,
}

/// How far a scenario has come.
#[derive(Default)]
struct Progress {
    part: Part,
    took: Duration,
    begun: bool,
    reported: bool,
}

impl State {
    fn new(plan: Plan, setup: Arc<Setup>, events: UnboundedSender<Event>) -> Self {
        let steps = plan.steps.len();
        let scenarios = plan.scenarios.iter().map(|_| Progress::default()).collect();
        Self {
            plan,
            setup,
            events,
            started: vec![false; steps],
            ends: vec![None; steps],
            scenarios,
            halted: None,
            lost: Vec::new(),
        }
    }

    /// The next step to start: one whose needs are done. Scenarios under way are finished first, so that few
    /// containers and open ends stand about.
    fn next(&self) -> Option<usize> {
        let ready =
            |id: &usize| !self.started[*id] && self.plan.steps[*id].needs.iter().all(|need| self.ends[*need].is_some());
        (0..self.plan.steps.len()).filter(ready).min_by_key(|id| match self.plan.steps[*id].work {
            Work::Serve(_) | Work::Examine(_) => (0, *id),
            Work::Prepare(_) => (1, *id),
            Work::Build(_) => (2, *id),
        })
    }

    /// Starts a step, or settles it at once where what it needs did not come about.
    fn start(&mut self, id: usize, running: &mut JoinSet<Finished>) {
        self.started[id] = true;
        let step = &self.plan.steps[id];
        let mut part = Part::default();
        let blocked = self
            .halted
            .clone()
            .map(StepEnd::Fault)
            .or_else(|| step.needs.iter().find_map(|need| self.ends[*need].clone().filter(StepEnd::blocks)));
        if let Some(end) = blocked {
            if let Some(index) = step.work.scenario() {
                let Planned { scenario, cell, .. } = &self.plan.scenarios[index];
                let scope = self.setup.judge.scope(scenario, &self.plan.cells[*cell]);
                settle(&end, self.plan.work_name(step.work), scenario, &scope, &mut part);
            }
            self.finish(Finished { id, end, part, halts: false });
            return;
        }
        let needs: Vec<String> = step
            .needs
            .iter()
            .filter_map(|need| match &self.ends[*need] {
                Some(StepEnd::Image(image)) => Some(image.clone()),
                _ => None,
            })
            .collect();
        let setup = Arc::clone(&self.setup);
        let events = self.events.clone();
        match step.work {
            Work::Prepare(what) => {
                let (name, cell) = (self.plan.name_of(what), self.plan.cells[what.cell].clone());
                running.spawn(async move { prepare(id, what.role, name, &cell, needs, &setup, &events).await });
            }
            Work::Build(index) | Work::Examine(index) | Work::Serve(index) => {
                let planned = self.plan.scenarios[index].clone();
                let cell = self.plan.cells[planned.cell].clone();
                let work = step.work;
                if !std::mem::replace(&mut self.scenarios[index].begun, true) {
                    self.send(Event::ScenarioStarted { label: planned.label.clone() });
                }
                let place = setup.namespace.handle();
                running.spawn_on(
                    async move { step::run(id, work, (&planned, &cell), needs, &setup, &events).await },
                    &place,
                );
            }
        }
    }

    fn finish(&mut self, finished: Finished) {
        let Finished { id, end, part, halts } = finished;
        if halts && self.halted.is_none() {
            self.halted = match &end {
                StepEnd::Fault(fault) => Some(fault.clone()),
                _ => part.fault.clone(),
            };
        }
        self.ends[id] = Some(end);
        if let Some(index) = self.plan.steps[id].work.scenario() {
            let progress = &mut self.scenarios[index];
            progress.took += part.stages.iter().map(|(_, took)| *took).sum::<Duration>();
            progress.part.merge(part);
            if self.plan.steps_of(index).all(|step| self.ends[step].is_some()) {
                self.report(index);
            }
        }
    }

    fn report(&mut self, index: usize) {
        let planned = &self.plan.scenarios[index];
        let progress = &mut self.scenarios[index];
        progress.reported = true;
        let Part { findings, logs, stages, not_run, fault } = std::mem::take(&mut progress.part);
        let found = Found { findings, fault, not_run, logs, stages, took: progress.took };
        let skipped = planned.scenario.not_applicable.as_ref().map(|reason| reason.value.as_str());
        let cell = &self.plan.cells[planned.cell];
        let report = self.setup.judge.report(&planned.scenario, &planned.label, cell, skipped, found);
        self.send(Event::ScenarioFinished(Box::new(report)));
    }

    /// Scenarios that do not apply are reported at once, with their reasons.
    fn report_skips(&mut self) {
        for index in 0..self.plan.scenarios.len() {
            if self.plan.scenarios[index].scenario.not_applicable.is_some() {
                self.report(index);
            }
        }
    }

    /// A step's task ended without a result: a fault of the suite itself.
    fn lost(&mut self, error: &tokio::task::JoinError) {
        self.lost.push(error.to_string());
    }

    /// Scenarios whose step was lost are reported as such; none is left out.
    fn report_lost(&mut self) {
        for index in 0..self.scenarios.len() {
            if !self.scenarios[index].reported {
                let what = format!("a step of the suite itself broke off: {}", self.lost.join("; "));
                let hint = Some("this is a bug of wsgi-proof; please report it".to_owned());
                self.scenarios[index].part.fault = Some(Fault { what, hint });
                self.report(index);
            }
        }
    }

    fn send(&self, event: Event) {
        // The receiver outlives the executor except when the process is ending, and then nobody is left to tell.
        drop(self.events.send(event));
    }
}

impl StepEnd {
    /// Whether steps that need this one cannot be run.
    fn blocks(&self) -> bool {
        match self {
            Self::Image(_) | Self::Done => false,
            Self::Broken { .. } | Self::Fault(_) | Self::NotBuilt => true,
        }
    }
}

impl Part {
    fn merge(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.logs.extend(other.logs);
        self.stages.extend(other.stages);
        for reason in other.not_run {
            if !self.not_run.contains(&reason) {
                self.not_run.push(reason);
            }
        }
        self.fault = self.fault.take().or(other.fault);
    }
}

/// Says in a scenario's part why its step was not run.
fn settle(end: &StepEnd, step: String, scenario: &Scenario, scope: &Scope, part: &mut Part) {
    match end {
        StepEnd::Broken { what: image, got } => {
            part.findings.push(scope.holds(CheckId::ImageAvailable, image, &scenario.summary.at, || {
                Some((format!("the {image} to be available"), got.clone()))
            }));
            part.not_run.push(NotRun::ImageMissing { step, image: image.clone() });
        }
        StepEnd::Fault(fault) => {
            part.fault = Some(fault.clone());
            part.not_run.push(NotRun::Inconclusive { step });
        }
        StepEnd::NotBuilt => part.not_run.push(NotRun::NotBuilt { step }),
        StepEnd::Image(_) | StepEnd::Done => {}
    }
}

/// Prepares a shared image and tells about it.
async fn prepare(
    id: usize,
    role: Role,
    name: String,
    cell: &Cell,
    needs: Vec<String>,
    setup: &Setup,
    events: &UnboundedSender<Event>,
) -> Finished {
    drop(events.send(Event::PreparationStarted { what: name.clone() }));
    let begun = Instant::now();
    let progress = |line: &str| {
        drop(events.send(Event::PreparationProgress { what: name.clone(), line: line.to_owned() }));
    };
    let cursor = setup.requests.cursor();
    let mut result = prepare::prepare(role, cell, &needs, setup, &progress).await;
    if matches!(result, Err(prepare::PrepareError::Candidate { .. })) {
        let as_before = setup.engine.is_as_before(&setup.namespace).await;
        result = as_before.map_err(prepare::PrepareError::from).and(result);
    }
    let (report, end, halts) = match result {
        Ok(prepare::Prepared { image, note }) => (PreparationEnd::Ready { note }, StepEnd::Image(image), false),
        Err(prepare::PrepareError::Candidate { why, log }) => {
            match blame::fault(&setup.requests.since(cursor), &log, &[]) {
                Some(fault) => (PreparationEnd::Error(fault.clone()), StepEnd::Fault(fault), false),
                None => (
                    PreparationEnd::Failed { why: why.clone(), log },
                    StepEnd::Broken { what: name.clone(), got: why },
                    false,
                ),
            }
        }
        Err(prepare::PrepareError::Engine(error)) => {
            let fault = fault_of(&error);
            let halts = setup.engine.is_lost(&error).await;
            (PreparationEnd::Error(fault.clone()), StepEnd::Fault(fault), halts)
        }
        Err(prepare::PrepareError::Suite(fault)) => {
            (PreparationEnd::Error(fault.clone()), StepEnd::Fault(fault), false)
        }
        Err(prepare::PrepareError::Broken(fault)) => {
            (PreparationEnd::Error(fault.clone()), StepEnd::Fault(fault), true)
        }
    };
    drop(events.send(Event::PreparationFinished { what: name, took: begun.elapsed(), end: report }));
    Finished { id, end, part: Part::default(), halts }
}

/// The engine's error, as reports show it.
fn fault_of(error: &EngineError) -> Fault {
    Fault { what: with_causes(error), hint: error.hint() }
}
