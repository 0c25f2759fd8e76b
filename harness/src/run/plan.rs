//! The plan: scenarios become a graph of steps. Pure: no engine, no I/O; it can be printed and tested.

use std::fmt;
use std::sync::Arc;

use crate::suite::cell::Cell;
use crate::suite::scenario::{BuildOutcome, Scenario, Subject};

/// A step of the run; its id is its index in [`Plan::steps`].
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// What is to be done.
    pub work: Work,
    /// The steps that must be done before, by their index in the plan; always smaller than the own one.
    pub needs: Vec<usize>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Prepares an image that scenarios share.
    Prepare(Preparation),
    /// Builds the application image of a scenario, by its index in [`Plan::scenarios`].
    Build(usize),
    /// Looks at configuration, files and commands of the scenario's image.
    Examine(usize),
    /// Starts the scenario's container, asks it, and stops it.
    Serve(usize),
    /// Opens a shell in what the scenario is about.
    Shell(usize),
}

/// An image that scenarios share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preparation {
    /// What the image is.
    pub role: Role,
    /// The cell that it is for, by its index in [`Plan::cells`]; of a distribution the first of those that share it.
    pub cell: usize,
}

/// What an image that scenarios share is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// The distribution that the base image is built on.
    Distribution,
    /// No image, but the relay that connects the run's network to the fixture server.
    Relay,
    /// No image, but the isolation probes of the canaries.
    Canaries,
    /// The candidate's base image, as shipped.
    Base,
    /// The candidate's onbuild image, as shipped.
    Onbuild,
    /// No image, but the archive of both images of the candidate, as shipped.
    Archive,
    /// The base image with the fixture server's address put in.
    InstrumentedBase,
    /// The onbuild image with the fixture server's address put in.
    InstrumentedOnbuild,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Distribution => "distribution",
            Self::Relay => "relay",
            Self::Canaries => "canaries",
            Self::Base => "base image",
            Self::Onbuild => "onbuild image",
            Self::Archive => "archive of the images",
            Self::InstrumentedBase => "base image, instrumented",
            Self::InstrumentedOnbuild => "onbuild image, instrumented",
        })
    }
}

/// Where the images under test come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct CandidateOrigin {
    /// A prebuilt base image, tested as shipped; otherwise it is built from `images/base`.
    pub base: Option<String>,
    /// A prebuilt onbuild image, tested as shipped; otherwise it is built from `images/onbuild`.
    pub onbuild: Option<String>,
}

/// A scenario in a cell.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// The scenario, loaded for the cell.
    pub scenario: Arc<Scenario>,
    /// The cell, by its index in [`Plan::cells`].
    pub cell: usize,
    /// What tells it from the others: its name, and its cell where there are several.
    pub label: String,
}

/// The graph of steps of a run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub cells: Vec<Cell>,
    /// The scenarios selected, cell by cell. One that does not apply in its cell has no steps.
    pub scenarios: Vec<Planned>,
    /// The steps; each needs only earlier ones.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Projects that any of the scenarios declares absent from the package index.
    pub(crate) fn absent_packages(&self) -> Vec<String> {
        self.scenarios.iter().flat_map(|planned| planned.scenario.absent_packages.iter().cloned()).collect()
    }

    /// The plan for these cells, each with its scenarios, on such a candidate. Only what some scenario needs is prepared.
    pub(crate) fn new(cells: Vec<(Cell, Vec<Arc<Scenario>>)>, origin: &CandidateOrigin) -> Self {
        Self::repeated(cells, origin, 1)
    }

    /// The same, with each scenario so many times.
    pub(crate) fn repeated(cells: Vec<(Cell, Vec<Arc<Scenario>>)>, origin: &CandidateOrigin, times: u32) -> Self {
        let mut plan = Self { cells: Vec::new(), scenarios: Vec::new(), steps: Vec::new() };
        let several = cells.len() > 1;
        for (index, (cell, scenarios)) in cells.into_iter().enumerate() {
            // One after the other: what is repeated is not done at the same time, as far as there is something else to do.
            for time in 1..=times {
                plan.scenarios.extend(scenarios.iter().map(|scenario| {
                    let mut label = scenario.name.clone();
                    if several {
                        label.push_str(&format!(" [{cell}]"));
                    }
                    if times > 1 {
                        label.push_str(&format!(" ({time} of {times})"));
                    }
                    Planned { scenario: Arc::clone(scenario), cell: index, label }
                }));
            }
            plan.cells.push(cell);
        }
        if let Some(first) = plan.scenarios.iter().find(|planned| planned.scenario.not_applicable.is_none()) {
            plan.prepare(Role::Canaries, first.cell, origin);
        }
        for index in 0..plan.scenarios.len() {
            if plan.scenarios[index].scenario.not_applicable.is_none() {
                plan.add(index, origin);
            }
        }
        plan
    }

    /// The plan for a shell in what one scenario is about.
    pub(crate) fn shell(cell: Cell, scenario: Arc<Scenario>, origin: &CandidateOrigin) -> Self {
        let label = scenario.name.clone();
        let subject = scenario.subject;
        let scenarios = vec![Planned { scenario, cell: 0, label }];
        let mut plan = Self { cells: vec![cell], scenarios, steps: Vec::new() };
        let needs = plan.images(subject, 0, origin);
        plan.push(Work::Shell(0), needs);
        plan
    }

    /// The plan for one scenario, and for an archive of the images that it is run on.
    pub(crate) fn archived(cell: Cell, scenario: Arc<Scenario>, origin: &CandidateOrigin) -> Self {
        let mut plan = Self::new(vec![(cell, vec![scenario])], origin);
        plan.prepare(Role::Archive, 0, origin);
        plan
    }

    fn add(&mut self, index: usize, origin: &CandidateOrigin) {
        let Planned { scenario, cell, .. } = self.scenarios[index].clone();
        let needs = self.images(scenario.subject, cell, origin);
        match scenario.subject {
            Subject::BaseImage | Subject::OnbuildImage => {
                self.push(Work::Examine(index), needs);
            }
            Subject::Application => {
                let build = self.push(Work::Build(index), needs);
                self.after_build(&scenario, index, build);
            }
        }
    }

    /// The steps that prepare the images which a scenario's first step needs.
    fn images(&mut self, subject: Subject, cell: usize, origin: &CandidateOrigin) -> Vec<usize> {
        let roles = match subject {
            Subject::BaseImage => [Role::Base, Role::InstrumentedBase],
            Subject::OnbuildImage => [Role::Onbuild, Role::InstrumentedOnbuild],
            // The application's Dockerfile decides which of the two images it is built on.
            Subject::Application => [Role::InstrumentedBase, Role::InstrumentedOnbuild],
        };
        roles.map(|role| self.prepare(role, cell, origin)).to_vec()
    }

    fn after_build(&mut self, scenario: &Scenario, index: usize, build: usize) {
        let succeeds =
            scenario.build.as_ref().is_some_and(|build| matches!(build.outcome.value, BuildOutcome::Success));
        if !succeeds {
            return;
        }
        if scenario.examines_image() {
            self.push(Work::Examine(index), vec![build]);
        }
        if scenario.serve.is_some() {
            self.push(Work::Serve(index), vec![build]);
        }
    }

    fn prepare(&mut self, role: Role, cell: usize, origin: &CandidateOrigin) -> usize {
        // A distribution is shared by the cells of its suite, a prebuilt image by all.
        let suite = |cell: usize| &self.cells[cell].variant.suite;
        let own = match role {
            Role::Relay => self.relay().unwrap_or(cell),
            Role::Distribution => (0..=cell).find(|other| suite(*other) == suite(cell)).unwrap_or(cell),
            _ => cell,
        };
        let what = Preparation { role, cell: own };
        if let Some(id) = self.steps.iter().position(|step| step.work == Work::Prepare(what)) {
            return id;
        }
        let needs = match role {
            Role::Distribution => Vec::new(),
            Role::Relay => vec![self.prepare(Role::Distribution, cell, origin)],
            Role::Base if origin.base.is_some() => vec![self.prepare(Role::Relay, cell, origin)],
            Role::Base | Role::Canaries => {
                vec![self.prepare(Role::Distribution, cell, origin), self.prepare(Role::Relay, cell, origin)]
            }
            Role::Onbuild if origin.onbuild.is_some() => vec![self.prepare(Role::Relay, cell, origin)],
            Role::Onbuild | Role::InstrumentedBase => vec![self.prepare(Role::Base, cell, origin)],
            Role::Archive => [Role::Base, Role::Onbuild].map(|role| self.prepare(role, cell, origin)).to_vec(),
            Role::InstrumentedOnbuild => vec![self.prepare(Role::Onbuild, cell, origin)],
        };
        self.push(Work::Prepare(what), needs)
    }

    /// The cell on whose distribution the run's relay is.
    fn relay(&self) -> Option<usize> {
        self.steps.iter().find_map(|step| match step.work {
            Work::Prepare(Preparation { role: Role::Relay, cell }) => Some(cell),
            _ => None,
        })
    }

    fn push(&mut self, work: Work, needs: Vec<usize>) -> usize {
        self.steps.push(Step { work, needs });
        self.steps.len() - 1
    }

    /// The folders of the steps that belong to a scenario.
    pub(crate) fn steps_of(&self, scenario: usize) -> impl Iterator<Item = usize> + '_ {
        self.steps.iter().enumerate().filter(move |(_, step)| step.work.scenario() == Some(scenario)).map(|(id, _)| id)
    }

    /// What a step does, in words.
    pub(crate) fn work_name(&self, work: Work) -> String {
        match work {
            Work::Prepare(what) => self.name_of(what),
            Work::Build(_) => "building the application".to_owned(),
            Work::Examine(_) => "inspecting the image".to_owned(),
            Work::Serve(_) => "starting the container".to_owned(),
            Work::Shell(_) => "opening a shell".to_owned(),
        }
    }

    /// What a shared image is called: its role, and where there are several cells the one that it is for.
    pub(crate) fn name_of(&self, what: Preparation) -> String {
        let cell = &self.cells[what.cell];
        match what.role {
            role if self.cells.len() == 1 => role.to_string(),
            role @ (Role::Relay | Role::Canaries) => role.to_string(),
            Role::Distribution => format!("{} {}", what.role, cell.variant.suite),
            role => format!("{role} [{cell}]"),
        }
    }
}

impl Work {
    /// The scenario that the step belongs to; `None` for a preparation.
    pub(crate) fn scenario(self) -> Option<usize> {
        match self {
            Self::Prepare(_) => None,
            Self::Build(index) | Self::Examine(index) | Self::Serve(index) | Self::Shell(index) => Some(index),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, step) in self.steps.iter().enumerate() {
            let what = match step.work {
                Work::Prepare(what) => format!("prepare {}", self.name_of(what)),
                Work::Build(index) => format!("build {}", self.scenarios[index].label),
                Work::Examine(index) => format!("inspect {}", self.scenarios[index].label),
                Work::Serve(index) => format!("serve {}", self.scenarios[index].label),
                Work::Shell(index) => format!("shell {}", self.scenarios[index].label),
            };
            let needs: Vec<String> = step.needs.iter().map(ToString::to_string).collect();
            if needs.is_empty() {
                writeln!(f, "{id:>3}  {what}")?;
            } else {
                writeln!(f, "{id:>3}  {what}  (after {})", needs.join(", "))?;
            }
        }
        for planned in &self.scenarios {
            if let Some(reason) = &planned.scenario.not_applicable {
                writeln!(f, "  -  skip {}: {}", planned.label, reason.value)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
