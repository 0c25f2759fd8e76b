//! The plan: scenarios become a graph of steps. Pure: no engine, no I/O; it can be printed and tested.

use std::fmt;
use std::sync::Arc;

use crate::scenario::{BuildOutcome, Scenario, Subject};

/// A step of the run; its id is its place in [`Plan::steps`].
#[derive(Debug, Clone)]
pub struct Step {
    /// What is to be done.
    pub work: Work,
    /// The steps that must be done before, by their place in the plan; always smaller than the own one.
    pub needs: Vec<usize>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Prepares an image that scenarios share.
    Prepare(Preparation),
    /// Builds the application image of a scenario, by its place in [`Plan::scenarios`].
    Build(usize),
    /// Looks at configuration, files and commands of the scenario's image.
    Examine(usize),
    /// Starts the scenario's container, asks it, and stops it.
    Serve(usize),
}

/// An image that scenarios share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Preparation {
    /// The distribution that the base image is built on.
    Distribution,
    /// The candidate's base image, as shipped.
    Base,
    /// The candidate's onbuild image, as shipped.
    Onbuild,
    /// The base image with the fixture server's address put in.
    InstrumentedBase,
    /// The onbuild image with the fixture server's address put in.
    InstrumentedOnbuild,
}

impl fmt::Display for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Distribution => "distribution",
            Self::Base => "base image",
            Self::Onbuild => "onbuild image",
            Self::InstrumentedBase => "base image, instrumented",
            Self::InstrumentedOnbuild => "onbuild image, instrumented",
        })
    }
}

/// Where the images under test come from.
#[derive(Debug, Clone, Default)]
pub struct CandidateOrigin {
    /// A prebuilt base image, tested as shipped; otherwise it is built from `images/base`.
    pub base: Option<String>,
    /// A prebuilt onbuild image, tested as shipped; otherwise it is built from `images/onbuild`.
    pub onbuild: Option<String>,
}

/// The graph of steps of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The scenarios selected, in order.
    pub scenarios: Vec<Arc<Scenario>>,
    /// The steps; each needs only earlier ones.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The plan for these scenarios on such a candidate. Only what some scenario needs is prepared.
    pub fn new(scenarios: Vec<Arc<Scenario>>, origin: &CandidateOrigin) -> Self {
        let mut plan = Self { scenarios, steps: Vec::new() };
        for index in 0..plan.scenarios.len() {
            let scenario = Arc::clone(&plan.scenarios[index]);
            let (image, raw) = match scenario.subject {
                Subject::BaseImage => (Preparation::InstrumentedBase, Preparation::Base),
                Subject::OnbuildImage => (Preparation::InstrumentedOnbuild, Preparation::Onbuild),
                Subject::Application => {
                    // The application's Dockerfile decides which of the two images it is built on.
                    let needs = vec![
                        plan.prepare(Preparation::InstrumentedBase, origin),
                        plan.prepare(Preparation::InstrumentedOnbuild, origin),
                    ];
                    let build = plan.push(Work::Build(index), needs);
                    plan.after_build(&scenario, index, build);
                    continue;
                }
            };
            let needs = vec![plan.prepare(raw, origin), plan.prepare(image, origin)];
            plan.push(Work::Examine(index), needs);
        }
        plan
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

    fn prepare(&mut self, what: Preparation, origin: &CandidateOrigin) -> usize {
        if let Some(id) = self.steps.iter().position(|step| step.work == Work::Prepare(what)) {
            return id;
        }
        let needs = match what {
            Preparation::Distribution => Vec::new(),
            Preparation::Base if origin.base.is_some() => Vec::new(),
            Preparation::Base => vec![self.prepare(Preparation::Distribution, origin)],
            Preparation::Onbuild if origin.onbuild.is_some() => Vec::new(),
            Preparation::Onbuild | Preparation::InstrumentedBase => vec![self.prepare(Preparation::Base, origin)],
            Preparation::InstrumentedOnbuild => vec![self.prepare(Preparation::Onbuild, origin)],
        };
        self.push(Work::Prepare(what), needs)
    }

    fn push(&mut self, work: Work, needs: Vec<usize>) -> usize {
        self.steps.push(Step { work, needs });
        self.steps.len() - 1
    }

    /// The places of the steps that belong to a scenario.
    pub fn steps_of(&self, scenario: usize) -> impl Iterator<Item = usize> + '_ {
        self.steps.iter().enumerate().filter(move |(_, step)| step.work.scenario() == Some(scenario)).map(|(id, _)| id)
    }
}

impl Work {
    /// The scenario that the step belongs to; `None` for a preparation.
    pub fn scenario(self) -> Option<usize> {
        match self {
            Self::Prepare(_) => None,
            Self::Build(index) | Self::Examine(index) | Self::Serve(index) => Some(index),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, step) in self.steps.iter().enumerate() {
            let what = match step.work {
                Work::Prepare(what) => format!("prepare {what}"),
                Work::Build(index) => format!("build {}", self.scenarios[index].name),
                Work::Examine(index) => format!("examine {}", self.scenarios[index].name),
                Work::Serve(index) => format!("serve {}", self.scenarios[index].name),
            };
            let needs: Vec<String> = step.needs.iter().map(ToString::to_string).collect();
            if needs.is_empty() {
                writeln!(f, "{id:>3}  {what}")?;
            } else {
                writeln!(f, "{id:>3}  {what}  (after {})", needs.join(", "))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::tests::scenario;

    fn plan(scenarios: Vec<Scenario>, origin: &CandidateOrigin) -> String {
        Plan::new(scenarios.into_iter().map(Arc::new).collect(), origin).to_string()
    }

    #[test]
    fn an_application_is_built_on_both_images_then_examined_and_served() {
        let text = plan(vec![scenario("hello", Subject::Application, true)], &CandidateOrigin::default());
        insta::assert_snapshot!(text, @"
          0  prepare distribution
          1  prepare base image  (after 0)
          2  prepare base image, instrumented  (after 1)
          3  prepare onbuild image  (after 1)
          4  prepare onbuild image, instrumented  (after 3)
          5  build hello  (after 2, 4)
          6  serve hello  (after 5)
        ");
    }

    #[test]
    fn a_build_that_must_fail_is_not_served() {
        let text = plan(vec![scenario("broken", Subject::Application, false)], &CandidateOrigin::default());
        assert!(text.contains("build broken") && !text.contains("serve broken"), "{text}");
    }

    #[test]
    fn prebuilt_images_need_no_distribution() {
        let origin = CandidateOrigin { base: Some("b".into()), onbuild: Some("o".into()) };
        let text = plan(vec![scenario("hello", Subject::Application, true)], &origin);
        assert!(!text.contains("distribution"), "{text}");
    }

    #[test]
    fn only_what_is_needed_is_prepared_and_only_once() {
        let scenarios = vec![scenario("a", Subject::BaseImage, true), scenario("b", Subject::BaseImage, true)];
        let text = plan(scenarios, &CandidateOrigin::default());
        assert!(!text.contains("onbuild"), "{text}");
        assert_eq!(text.matches("prepare base image\n").count() + text.matches("prepare base image  (").count(), 1);
    }

    #[test]
    fn steps_need_earlier_steps_only() {
        let scenarios = vec![scenario("a", Subject::OnbuildImage, true), scenario("b", Subject::Application, true)];
        let plan = Plan::new(scenarios.into_iter().map(Arc::new).collect(), &CandidateOrigin::default());
        for (id, step) in plan.steps.iter().enumerate() {
            assert!(step.needs.iter().all(|need| *need < id));
        }
    }
}
