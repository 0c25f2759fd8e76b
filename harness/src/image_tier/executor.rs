//! The executor: walks the plan, as many steps at once as jobs allow, and is the sole sender of events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::graph::{Finished, Graph, Part, StepEnd, settle};
use super::{Setup, blame, prepare, step};
use crate::engine::EngineError;
use crate::outcome::{Fault, with_causes};
use crate::run::criteria::Observed;
use crate::run::event::{Event, PreparationEnd};
use crate::run::plan::{Plan, Planned, Role, Work};
use crate::run::tasks::Tasks;
use crate::suite::cell::Cell;

/// Runs the plan to its end, or until it is cancelled. Every scenario planned is reported unless it was cancelled.
pub(super) async fn execute(
    plan: &Plan,
    setup: &Arc<Setup>,
    events: UnboundedSender<Event>,
    cancel: &CancellationToken,
) {
    let mut state = State::new(plan, Arc::clone(setup), events);
    state.report_skips();
    let mut running: Tasks<usize, Finished> = Tasks::default();
    loop {
        while running.len() < setup.jobs {
            let Some(id) = state.graph.next() else { break };
            state.start(id, &mut running);
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return running.shutdown().await,
            ended = running.next() => match ended {
                Some((_, Ok(finished))) => state.finish(finished),
                Some((id, Err(fault))) => state.lose(id, fault),
                None => return,
            },
        }
    }
}

/// The run's state; the loop above is the only one that changes it.
struct State<'a> {
    plan: &'a Plan,
    graph: Graph<'a>,
    setup: Arc<Setup>,
    events: UnboundedSender<Event>,
    scenarios: Vec<Progress>,
    halted: Option<Fault>,
}

/// How far a scenario has come.
#[derive(Default)]
struct Progress {
    part: Part,
    took: Duration,
    begun: bool,
}

impl<'a> State<'a> {
    fn new(plan: &'a Plan, setup: Arc<Setup>, events: UnboundedSender<Event>) -> Self {
        let scenarios = plan.scenarios.iter().map(|_| Progress::default()).collect();
        Self { plan, graph: Graph::new(plan), setup, events, scenarios, halted: None }
    }

    /// Starts a step, or settles it at once where what it needs did not come about.
    fn start(&mut self, id: usize, running: &mut Tasks<usize, Finished>) {
        self.graph.start(id);
        let work = self.plan.steps[id].work;
        let mut part = Part::default();
        if let Some(end) = self.halted.clone().map(StepEnd::Fault).or_else(|| self.graph.obstacle(id)) {
            if let Some(index) = work.scenario() {
                let Planned { scenario, cell, .. } = &self.plan.scenarios[index];
                let scope = self.setup.criteria.scope(scenario, &self.plan.cells[*cell]);
                settle(&end, self.plan.work_name(work), scenario, &scope, &mut part);
            }
            self.finish(Finished { id, end, part, halts: false });
            return;
        }
        let needs = self.graph.images(id);
        let setup = Arc::clone(&self.setup);
        let events = self.events.clone();
        match work {
            Work::Prepare(what) => {
                let (name, cell) = (self.plan.name_of(what), self.plan.cells[what.cell].clone());
                running.start(id, async move { prepare(id, what.role, name, &cell, needs, &setup, &events).await });
            }
            Work::Build(index) | Work::Examine(index) | Work::Serve(index) | Work::Shell(index) => {
                let planned = self.plan.scenarios[index].clone();
                let cell = self.plan.cells[planned.cell].clone();
                if !std::mem::replace(&mut self.scenarios[index].begun, true) {
                    self.send(Event::ScenarioStarted { label: planned.label.clone() });
                }
                running.start(id, async move { step::run(id, work, (&planned, &cell), needs, &setup, &events).await });
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
        self.graph.finish(id, end);
        if let Some(index) = self.plan.steps[id].work.scenario() {
            let progress = &mut self.scenarios[index];
            progress.took += part.stages.iter().map(|(_, took)| *took).sum::<Duration>();
            progress.part.merge(part);
            if self.graph.is_done(index) {
                self.report(index);
            }
        }
    }

    /// A step's task panicked: an error of its scenario, or of all that need the image.
    fn lose(&mut self, id: usize, fault: Fault) {
        if let Work::Prepare(what) = self.plan.steps[id].work {
            if what.role == Role::Canaries {
                self.setup.watch.could_not(fault.what.clone());
            }
            let (what, end) = (self.plan.name_of(what), PreparationEnd::Error(fault.clone()));
            self.send(Event::PreparationFinished { what, took: Duration::ZERO, end });
        }
        let part = Part { fault: Some(fault.clone()), ..Part::default() };
        self.finish(Finished { id, end: StepEnd::Fault(fault), part, halts: false });
    }

    fn report(&mut self, index: usize) {
        let planned = &self.plan.scenarios[index];
        let progress = &mut self.scenarios[index];
        let Part { findings, logs, stages, not_run, fault } = std::mem::take(&mut progress.part);
        let observed = Observed { findings, fault, not_run, logs, stages, took: progress.took };
        let skipped = planned.scenario.not_applicable.as_ref().map(|reason| reason.value.as_str());
        let cell = &self.plan.cells[planned.cell];
        let report = self.setup.criteria.report(&planned.scenario, &planned.label, cell, skipped, observed);
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

    fn send(&self, event: Event) {
        // The receiver outlives the executor except when the process is ending, and then nobody is left to tell.
        drop(self.events.send(event));
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
        let as_before = setup.engine.is_as_before(setup.relay.get(), begun).await;
        result = as_before.map_err(prepare::PrepareError::from).and(result);
    }
    let (report, end, halts) = match result {
        Ok(prepare::Prepared { image, note }) => {
            (PreparationEnd::Ready { note }, image.map_or(StepEnd::Done, StepEnd::Image), false)
        }
        Err(prepare::PrepareError::Candidate { why, log, clients }) => {
            match blame::fault(&blame::requests_of(setup.requests.since(cursor), &clients), &[]) {
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
pub(super) fn fault_of(error: &EngineError) -> Fault {
    Fault { what: with_causes(error), hint: error.hint() }
}
