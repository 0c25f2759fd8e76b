//! The steps of a scenario: build, examine, and [`super::serve`]. Each turns evidence into findings; what is not the candidate's doing
//! becomes a fault.

use crate::outcome::Finding;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;

use super::builds::OwnRelay;
use super::executor::fault_of;
use super::graph::{Finished, Part, StepEnd};
use super::refusal::Refusal;
use super::{Setup, blame};
use crate::check;
use crate::check::evidence::BuildEnd;
use crate::check::scope::Scope;
use crate::engine::{BuildRequest, Clients, EngineError, Fate, Mark};
use crate::outcome::{Fault, Log, Stage};
use crate::run::event::Event;
use crate::run::plan::{Planned, Work};
use crate::suite::cell::Cell;
use crate::suite::limits::Limits;
use crate::suite::scenario::{BuildOutcome, Rebuild, Scenario, Subject, build_context, rebuild_context};

/// Up to how many times its limit an image's size is counted, here in bytes for a megabyte.
const SIZES_COUNTED: u64 = 4_000_000;

/// What went wrong in a step without being the candidate's doing.
pub(super) enum StepError {
    Engine(EngineError),
    Suite(Fault),
}

impl From<EngineError> for StepError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// A scenario's step at work.
pub(super) struct Step<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) label: &'a str,
    cell: &'a Cell,
    pub(super) setup: &'a Setup,
    events: &'a UnboundedSender<Event>,
    pub(super) part: Part,
    pub(super) scope: Scope,
}

/// Does a step of a scenario. `needs` are the images that the steps before it left, in the plan's order.
pub(super) async fn run(
    id: usize,
    work: Work,
    (planned, cell): (&Planned, &Cell),
    needs: Vec<String>,
    setup: &Setup,
    events: &UnboundedSender<Event>,
) -> Finished {
    let Planned { scenario, label, .. } = planned;
    let stage = match work {
        Work::Build(_) | Work::Prepare(_) => Stage::Build,
        Work::Examine(_) => Stage::Examine,
        Work::Serve(_) | Work::Shell(_) => Stage::Probe,
    };
    let scope = setup.criteria.scope(scenario, cell).at(stage);
    let mut step = Step { scenario, label, cell, setup, events, part: Part::default(), scope };
    let begun = Instant::now();
    let result = match work {
        Work::Build(_) => step.build(&needs).await,
        Work::Examine(_) => step.examine(&needs).await,
        Work::Serve(_) => Box::pin(step.serve(&needs)).await,
        Work::Shell(_) => Box::pin(step.shell(&needs)).await,
        Work::Prepare(_) => Ok(StepEnd::Done),
    };
    let result = match result {
        // Evidence taken while the engine was going away proves nothing against the candidate.
        Ok(end) if step.part.findings.iter().any(Finding::is_broken) => {
            setup.engine.is_as_before(setup.relay.get(), begun).await.map(|()| end).map_err(StepError::from)
        }
        // A failure that is expected must not be the relay's.
        Ok(end) => {
            let was_there = setup.relay.get().map_or(Ok(()), |relay| relay.was_there(begun));
            was_there.map(|()| end).map_err(StepError::from)
        }
        other => other,
    };
    let (end, halts) = match result {
        Ok(end) => (end, false),
        Err(error) => {
            let (fault, halts) = match error {
                StepError::Engine(error) => (fault_of(&error), setup.engine.is_lost(&error).await),
                StepError::Suite(fault) => (fault, false),
            };
            step.part.fault = Some(fault.clone());
            (StepEnd::Fault(fault), halts)
        }
    };
    Finished { id, end, part: step.part, halts }
}

impl Step<'_> {
    pub(super) fn stage(&self, stage: Stage) -> Instant {
        drop(self.events.send(Event::ScenarioStage { label: self.label.to_owned(), stage }));
        Instant::now()
    }

    /// What the candidate may take in this scenario.
    pub(super) fn limits(&self) -> Limits {
        self.setup.limits.with(&self.scenario.limits)
    }

    /// Builds the application on the candidate. Needs the instrumented base and onbuild images.
    async fn build(&mut self, needs: &[String]) -> Result<StepEnd, StepError> {
        let [base, onbuild] = needs else { return Err(missing("the candidate's images")) };
        let Some(expectation) = &self.scenario.build else { return Err(missing("`[build]`")) };
        let begun = self.stage(Stage::Build);
        let request = self.request(base, onbuild)?;
        let again = BuildRequest { context: Vec::new(), use_cache: true, ..request.clone() };
        let cursor = self.setup.requests.cursor();
        let mut own = None;
        let (evidence, clients) = self.built(request, &mut own).await?;
        self.part.findings = check::build::check(&self.scope, expectation, &evidence);
        let is_built = matches!(evidence.end, BuildEnd::Built { .. });
        let end = match evidence.end {
            BuildEnd::Built { image } => match expectation.outcome.value {
                BuildOutcome::Success => StepEnd::Image(image),
                BuildOutcome::Failure { .. } | BuildOutcome::Either { .. } => StepEnd::Done,
            },
            BuildEnd::Exceeded(_) | BuildEnd::Refused(_) => StepEnd::NotBuilt,
            BuildEnd::Failed { message, .. } => {
                let requests = blame::requests_of(self.setup.requests.since(cursor), &clients);
                let absent = &self.scenario.absent_packages;
                // One that was to succeed has failed for another reason, whatever it asked for.
                let to_fail = !matches!(expectation.outcome.value, BuildOutcome::Success);
                self.part.fault = blame::dockerfile(&message, &evidence.log)
                    .or_else(|| blame::fault(&requests, absent))
                    .or_else(|| blame::never_asked(&requests, absent).filter(|_| to_fail));
                StepEnd::NotBuilt
            }
        };
        self.blame_undeclared(cursor, &clients, is_built);
        self.part.logs.push(Log { title: "build log".to_owned(), lines: evidence.log.reported() });
        if matches!(end, StepEnd::Image(_)) {
            for (index, rebuild) in self.scenario.rebuilds.iter().enumerate() {
                self.rebuild(index + 1, rebuild, again.clone(), &mut own).await?;
            }
        }
        self.setup.give_back(own);
        self.part.stages.push((Stage::Build, begun.elapsed()));
        Ok(end)
    }

    /// The build of the application on these images.
    pub(super) fn request(&self, base: &str, onbuild: &str) -> Result<BuildRequest, StepError> {
        let context = build_context(self.scenario)
            .map_err(|error| StepError::Suite(Fault { what: error.to_string(), hint: None }))?;
        let images = [("IMAGE", onbuild), ("BASE_IMAGE", base)];
        Ok(BuildRequest {
            context,
            dockerfile: "Dockerfile".to_owned(),
            arguments: images.map(|(name, image)| (name.to_owned(), image.to_owned())).into(),
            network: Some(self.setup.network.clone()),
            use_cache: false,
            limits: self.limits(),
            fate: Fate::OfRun(self.setup.run.clone()),
            mark: Mark::new(),
            builder: self.cell.builder,
        })
    }

    /// Builds the application once more, on the layer cache.
    async fn rebuild(
        &mut self,
        number: usize,
        rebuild: &Rebuild,
        again: BuildRequest,
        own: &mut Option<OwnRelay>,
    ) -> Result<(), StepError> {
        let context = rebuild_context(self.scenario, &rebuild.append)
            .map_err(|error| StepError::Suite(Fault { what: error.to_string(), hint: None }))?;
        let cursor = self.setup.requests.cursor();
        let request = BuildRequest { context, mark: Mark::new(), ..again };
        let (evidence, clients) = self.built(request, own).await?;
        self.part.findings.extend(check::build::rebuilt(&self.scope, number, rebuild, &evidence));
        if matches!(evidence.end, BuildEnd::Failed { .. }) {
            self.part.fault = blame::fault(&blame::requests_of(self.setup.requests.since(cursor), &clients), &[]);
        }
        self.blame_undeclared(cursor, &clients, matches!(evidence.end, BuildEnd::Built { .. }));
        self.part.logs.push(Log { title: format!("log of rebuild {number}"), lines: evidence.log.reported() });
        Ok(())
    }

    /// Notes a fault if these clients have asked since for what the scenario did not declare. Where not all are known, whatever
    /// no scenario of the run declares may have been asked for by them: what they did without is not known to be nothing. What
    /// could not be given counts where they `went_on` without it.
    pub(super) fn blame_undeclared(&mut self, cursor: usize, clients: &Clients, went_on: bool) {
        let requests = self.setup.requests.since(cursor);
        let only = Clients { all_known: true, ..clients.clone() };
        let of = |clients, absent| blame::without(&blame::requests_of(requests.clone(), clients), absent, went_on);
        let own = || of(&only, &self.scenario.absent_packages);
        let anyones = || of(clients, &self.setup.absent);
        self.part.fault = self.part.fault.take().or_else(own).or_else(|| anyones().filter(|_| !clients.all_known));
    }

    /// Looks at the image. Needs the application image, or the subject as shipped and instrumented.
    async fn examine(&mut self, needs: &[String]) -> Result<StepEnd, StepError> {
        let (shipped, runnable) = match (self.scenario.subject, needs) {
            (Subject::Application, [image]) => (image, image),
            (Subject::BaseImage | Subject::OnbuildImage, [shipped, instrumented]) => (shipped, instrumented),
            _ => return Err(missing("the image")),
        };
        let begun = self.stage(Stage::Examine);
        let engine = &self.setup.engine;
        let scenario = self.scenario;
        if !scenario.image.is_empty() {
            let Some(mut image) = engine.inspect_image(shipped).await? else { return Err(gone(shipped)) };
            if let Some(limit) = &scenario.image.max_megabytes {
                let enough = limit.value.saturating_mul(SIZES_COUNTED);
                image.size = Some(engine.file_system_size(shipped, enough, &self.setup.run).await?);
            }
            self.part.findings.extend(check::image::check(&self.scope, &scenario.image, &image));
        }
        let paths: Vec<String> = scenario.files.iter().map(|file| file.path.clone()).collect();
        if !paths.is_empty() {
            let found = engine.read_paths(shipped, &paths, &self.setup.run).await?;
            for (expectation, evidence) in scenario.files.iter().zip(&found) {
                let findings = match evidence {
                    Ok(evidence) => check::file::check(&self.scope, expectation, evidence),
                    Err(bound) => {
                        let at = &expectation.state.at;
                        vec![check::limit::left(&self.scope, "image", &expectation.path, bound, at)]
                    }
                };
                self.part.findings.extend(findings);
            }
        }
        for expectation in &scenario.commands {
            let (limits, words) = (self.limits(), &expectation.run);
            let Setup { network, run, .. } = self.setup;
            let first = engine.run_command(runnable, &words.value, network, limits, run).await;
            let findings = match Refusal::of(first)? {
                Ok(evidence) => check::command::check(&self.scope, expectation, &evidence),
                Err(refusal) => {
                    let known = self.runs_known_good().await?;
                    let again = engine.run_command(runnable, &words.value, network, limits, run).await;
                    vec![refusal.finding(known, again, &self.scope, &words.at)?]
                }
            };
            self.part.findings.extend(findings);
        }
        for test in &scenario.structure {
            self.structure(test, shipped, runnable).await?;
        }
        self.part.stages.push((Stage::Examine, begun.elapsed()));
        Ok(StepEnd::Done)
    }
}

/// A step without what the plan should have given it: a bug of the suite, and never the candidate's doing.
pub(super) fn missing(what: &str) -> StepError {
    StepError::Suite(Fault {
        what: format!("internal error: a step lacks {what}"),
        hint: Some("this is a bug of wsgi-proof; please report it".to_owned()),
    })
}

pub(super) fn gone(image: &str) -> StepError {
    StepError::Suite(Fault {
        what: format!("the image {image} disappeared from the engine during the run"),
        hint: Some("check whether another program removed it, then run again".to_owned()),
    })
}
