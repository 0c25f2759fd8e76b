//! The graph of steps at work: which of them are done, what they left, and which can be started.

use std::time::Duration;

use crate::check::scope::Scope;
use crate::outcome::{CheckId, Fault, Finding, Log, NotRun, Stage};
use crate::run::plan::{Plan, Work};
use crate::suite::scenario::Scenario;

/// How far the steps of a plan have come.
pub(super) struct Graph<'a> {
    plan: &'a Plan,
    started: Vec<bool>,
    ends: Vec<Option<StepEnd>>,
}

/// What a finished step leaves for the steps that need it.
#[derive(Debug, Clone)]
pub(super) enum StepEnd {
    /// An image is there.
    Image(String),
    /// Done, and nothing needs its result.
    Done,
    /// The candidate broke here: what was expected of what, and what came.
    Broken { what: String, got: String },
    /// Inconclusive, for this reason.
    Fault(Fault),
    /// A build that was meant to succeed did not, and says so itself.
    NotBuilt,
}

/// What a scenario's step brought back.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) findings: Vec<Finding>,
    pub(super) logs: Vec<Log>,
    pub(super) stages: Vec<(Stage, Duration)>,
    pub(super) not_run: Vec<NotRun>,
    pub(super) fault: Option<Fault>,
}

pub(super) struct Finished {
    pub(super) id: usize,
    pub(super) end: StepEnd,
    pub(super) part: Part,
    /// Whether nothing further can succeed, or prove anything: the engine is gone, the disk is full, the isolation broken.
    pub(super) halts: bool,
}

impl<'a> Graph<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let steps = plan.steps.len();
        Self { plan, started: vec![false; steps], ends: vec![None; steps] }
    }

    /// The next step to start: one whose needs are done. Scenarios under way are finished first, so that few
    /// containers and open ends stand about.
    pub(super) fn next(&self) -> Option<usize> {
        let ready =
            |id: &usize| !self.started[*id] && self.plan.steps[*id].needs.iter().all(|need| self.ends[*need].is_some());
        (0..self.plan.steps.len()).filter(ready).min_by_key(|id| match self.plan.steps[*id].work {
            Work::Serve(_) | Work::Examine(_) | Work::Shell(_) => (0, *id),
            Work::Prepare(_) => (1, *id),
            Work::Build(_) => (2, *id),
        })
    }

    pub(super) fn start(&mut self, id: usize) {
        self.started[id] = true;
    }

    /// What kept a step from being run: the end of one that it needs.
    pub(super) fn obstacle(&self, id: usize) -> Option<StepEnd> {
        let mut needs = self.plan.steps[id].needs.iter();
        needs.find_map(|need| self.ends[*need].clone().filter(StepEnd::blocks))
    }

    /// The images that the steps left that a step needs.
    pub(super) fn images(&self, id: usize) -> Vec<String> {
        let ends = self.plan.steps[id].needs.iter().map(|need| &self.ends[*need]);
        ends.filter_map(|end| match end {
            Some(StepEnd::Image(image)) => Some(image.clone()),
            _ => None,
        })
        .collect()
    }

    pub(super) fn finish(&mut self, id: usize, end: StepEnd) {
        self.ends[id] = Some(end);
    }

    /// Whether all steps of a scenario are done.
    pub(super) fn is_done(&self, scenario: usize) -> bool {
        self.plan.steps_of(scenario).all(|step| self.ends[step].is_some())
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
    pub(super) fn merge(&mut self, other: Self) {
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
pub(super) fn settle(end: &StepEnd, step: String, scenario: &Scenario, scope: &Scope, part: &mut Part) {
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
