//! The step that starts a scenario's container, asks it, and stops it.

use crate::outcome::Finding;
use std::time::{Duration, Instant};

use super::graph::StepEnd;
use super::refusal::Refusal;
use super::step::{Step, StepError, missing};
use super::{Setup, probe};
use crate::beneath::Bound;
use crate::check;
use crate::check::evidence::{EndEvidence, ProbeEvidence};
use crate::check::limit::Exceeded;
use crate::engine::{Application, EngineError, Start, Volume};
use crate::host::snapshot::Snapshot;
use crate::outcome::{Fault, Log, NotRun, Stage, with_causes};
use crate::suite::limits::Limits;
use crate::suite::scenario::{EndExpectation, RestartKey, ServeExpectation, volume_context};

/// How long a container whose log matters may take to end when the scenario does not say.
const LOG_LIMIT: Duration = Duration::from_secs(10);
/// How long a container has to end that ends when its terminal is resized.
const RESIZE_TIME: Duration = Duration::from_secs(3);
/// Where a volume is mounted.
const APPLICATION_FOLDER: &str = "/app";

impl Step<'_> {
    /// Starts the container and asks it, or waits for its end. Needs the application image.
    pub(super) async fn serve(&mut self, needs: &[String]) -> Result<StepEnd, StepError> {
        let [image] = needs else { return Err(missing("the application image")) };
        let Some(serve) = &self.scenario.serve else { return Err(missing("`[serve]`")) };
        let begun = self.stage(Stage::Probe);
        let setup = self.setup;
        let volume = self.volume(serve).await?;
        // Before anything can have changed it.
        let before = match &volume {
            Some(volume) if !serve.unchanged.is_empty() => {
                Some(volume.snapshot().await?.map_err(|bound| unusable(&bound))?)
            }
            _ => None,
        };
        let start = Start { limits: self.limits(), ..settings(serve, volume.as_ref()) };
        let cursor = setup.requests.cursor();
        let started = setup.engine.start_application(image, &start, &setup.network, &setup.run).await;
        let mut application = match Refusal::of(started)? {
            Ok(application) => application,
            Err(refusal) => {
                let known = known_good(setup, &start).await?;
                let again = setup.engine.start_application(image, &start, &setup.network, &setup.run).await;
                let finding = refusal.finding(known, again, &self.scope, &serve.at)?;
                self.part.findings.push(finding);
                // What did not start still holds the volume. Both go with the run.
                return Ok(StepEnd::Done);
            }
        };
        let (id, disk) = (application.id().to_owned(), self.limits().disk());
        let watched = tokio::select! {
            result = self.watch((serve, &start), &mut application, before.zip(volume.as_ref()), begun) => Some(result),
            larger = setup.engine.until_larger(&id, disk) => larger.map_or_else(|error| Some(Err(error.into())), |()| None),
        };
        let is_too_large = watched.is_none();
        let result = watched.unwrap_or_else(|| {
            self.part.findings.push(Exceeded::Disk(disk).finding(&self.scope, "container", &serve.at));
            Ok(())
        });
        if is_too_large {
            // One that is kept must not go on.
            application.kill().await?;
        }
        let clients = setup.guard.clients_of(&id).await;
        self.blame_undeclared(cursor, &clients, true);
        let keep = setup.keep && (result.is_err() || self.part.findings.iter().any(Finding::is_broken));
        if keep {
            application.keep();
            if let Some(volume) = volume {
                volume.keep().await?;
            }
        } else {
            application.remove().await?;
            if let Some(volume) = volume {
                volume.remove().await?;
            }
        }
        result.map(|()| StepEnd::Done)
    }

    /// All that is done with the started container, until it has ended.
    async fn watch(
        &mut self,
        (serve, start): (&ServeExpectation, &Start),
        application: &mut Application,
        volume: Option<(Snapshot, &Volume)>,
        begun: Instant,
    ) -> Result<(), StepError> {
        match &serve.end {
            Some(end) => self.await_end(end, application, begun).await?,
            None => {
                let answers = self.ask(serve, application, begun).await?;
                if serve.start.terminal && answers {
                    self.resize(serve, application).await?;
                }
                if serve.restart == Some(RestartKey::AfterKill) {
                    application.kill().await?;
                } else {
                    self.stop(serve, application).await?;
                }
                if serve.restart.is_some() && answers {
                    self.restart((serve, start), application).await?;
                } else if serve.restart.is_some() {
                    self.part.not_run.push(NotRun::NoAnswer { what: "the restart".to_owned() });
                }
            }
        }
        if !serve.unchanged.is_empty() {
            let mut changes = application.changes().await?;
            if let Some((before, volume)) = volume {
                match volume.left().await? {
                    Ok(now) => changes.extend(before.changes(&now, APPLICATION_FOLDER)),
                    Err(bound) => {
                        let (scope, folder) = (&self.scope, APPLICATION_FOLDER);
                        self.part.findings.push(check::limit::left(scope, "container", folder, &bound, &serve.at));
                    }
                }
            }
            self.part.findings.extend(check::changes::check(&self.scope, &serve.unchanged, &changes));
        }
        let log = application.log().await?;
        self.part.findings.extend(check::serve::log(&self.scope, serve, &log));
        self.part.logs.push(Log { title: "container log".to_owned(), lines: log.reported() });
        Ok(())
    }

    /// Waits until the container has ended by itself. One that does not is killed.
    async fn await_end(
        &mut self,
        expectation: &EndExpectation,
        application: &Application,
        begun: Instant,
    ) -> Result<(), StepError> {
        let limit = Duration::from_secs(u64::from(expectation.within_seconds.value));
        let exit_code = tokio::time::timeout(limit, application.wait_exit()).await.ok().transpose()?;
        let evidence = EndEvidence { exit_code, waited: begun.elapsed() };
        self.part.stages.push((Stage::Probe, begun.elapsed()));
        if exit_code.is_none() {
            application.stop(Duration::ZERO).await?;
        }
        self.part.findings.extend(check::end::check(&self.scope, expectation, &evidence));
        Ok(())
    }

    /// Asks the running container, and runs commands in it; says whether it answers.
    async fn ask(
        &mut self,
        serve: &ServeExpectation,
        application: &Application,
        begun: Instant,
    ) -> Result<bool, StepError> {
        let limits = self.limits();
        let relay = self.setup.relay.get().ok_or_else(|| missing("the relay"))?;
        let mut answers = true;
        for (index, expectation) in serve.http.iter().enumerate() {
            let scope = &self.scope;
            let judge = |one: &ProbeEvidence| {
                (matches!(one, ProbeEvidence::Answered(_)), check::http::answer(scope, expectation, one))
            };
            let judged = probe::ask_all((relay.link(), limits), application, expectation, index == 0, judge).await?;
            answers = judged.iter().all(|(is_answer, _)| *is_answer);
            let findings = check::http::of_all(judged.into_iter().map(|(_, findings)| findings).collect());
            self.part.findings.extend(findings);
            if !answers {
                let rest = serve.http.len() - index - 1;
                if rest > 0 {
                    self.part.not_run.push(NotRun::NoAnswer { what: format!("{rest} further requests") });
                }
                break;
            }
        }
        for expectation in &serve.commands {
            if !answers {
                self.part.not_run.push(NotRun::NoAnswer { what: format!("`{}`", expectation.run.value.join(" ")) });
                continue;
            }
            let evidence = application.exec(&expectation.run.value, limits).await?;
            self.part.findings.extend(check::command::check(&self.scope, expectation, &evidence));
        }
        self.part.stages.push((Stage::Probe, begun.elapsed()));
        Ok(answers)
    }

    /// Resizes the container's terminal, and asks again.
    async fn resize(&mut self, serve: &ServeExpectation, application: &Application) -> Result<(), StepError> {
        let begun = self.stage(Stage::Probe);
        self.scope = self.scope.again(" after the resize");
        application.resize().await?;
        // One that takes the signal for an order to stop answers until it has.
        drop(tokio::time::timeout(RESIZE_TIME, application.wait_exit()).await);
        self.ask(serve, application, begun).await?;
        self.scope = self.scope.again("");
        Ok(())
    }

    /// Starts the ended container again, and does with it what was done before.
    async fn restart(
        &mut self,
        (serve, start): (&ServeExpectation, &Start),
        application: &mut Application,
    ) -> Result<(), StepError> {
        let setup = self.setup;
        let begun = self.stage(Stage::Probe);
        self.scope = self.scope.again(" after the restart");
        if let Err(refusal) = Refusal::of(application.restart(&setup.network).await)? {
            let known = known_good(setup, start).await?;
            let again = application.restart(&setup.network).await;
            let finding = refusal.finding(known, again, &self.scope, &serve.at)?;
            self.part.findings.push(finding);
        } else {
            self.ask(serve, application, begun).await?;
            self.stop(serve, application).await?;
        }
        self.scope = self.scope.again("");
        Ok(())
    }

    /// What is mounted in the application's place.
    pub(super) async fn volume(&self, serve: &ServeExpectation) -> Result<Option<Volume>, StepError> {
        let Some(volume) = &serve.start.volume else { return Ok(None) };
        let archive = volume_context(volume)
            .map_err(|error| StepError::Suite(Fault { what: with_causes(&error), hint: None }))?;
        let plain = self.setup.plain.get().ok_or_else(|| missing("the distribution"))?;
        Ok(Some(self.setup.engine.create_volume(plain, &archive, volume.writable, &self.setup.run).await?))
    }

    /// Stops the container, which must run until then.
    async fn stop(&mut self, serve: &ServeExpectation, application: &Application) -> Result<(), StepError> {
        let begun = self.stage(Stage::Stop);
        let limit = match &serve.stop {
            Some(stop) => Duration::from_secs(u64::from(stop.within_seconds.value)),
            // What its log says may be written after its answers: it gets the time for that.
            None if serve.reads_log() => LOG_LIMIT,
            // Where nothing is expected of its end, the container is not waited for.
            None => Duration::ZERO,
        };
        let ended_before = application.exit_code().await?;
        let evidence = application.stop(limit).await?;
        if let Some(expectation) = &serve.stop {
            match ended_before {
                None => self.part.findings.extend(check::serve::stop(&self.scope, expectation, &evidence)),
                Some(code) => self.part.findings.push(check::serve::ended_early(&self.scope, expectation, code)),
            }
        }
        self.part.stages.push((Stage::Stop, begun.elapsed()));
        Ok(())
    }
}

/// Starts a container in the same way, of an image that is known to be good.
async fn known_good(setup: &Setup, start: &Start) -> Result<Result<(), EngineError>, StepError> {
    let plain = setup.plain.get().ok_or_else(|| missing("the distribution"))?;
    let start = Start { arguments: Some(vec!["true".to_owned()]), ..start.clone() };
    Ok(match setup.engine.start_application(plain, &start, &setup.network, &setup.run).await {
        Ok(started) => started.remove().await,
        Err(error) => Err(error),
    })
}

/// How the container is started, as the engine takes it.
pub(super) fn settings(serve: &ServeExpectation, volume: Option<&Volume>) -> Start {
    let start = &serve.start;
    Start {
        arguments: start.arguments.clone(),
        environment: start.environment.clone(),
        user: start.user.clone(),
        read_only: start.read_only,
        tmpfs: start.tmpfs.clone(),
        volume: volume.map(|volume| volume.at(APPLICATION_FOLDER)),
        terminal: start.terminal,
        limits: Limits::default(),
    }
}

fn unusable(bound: &Bound) -> StepError {
    StepError::Suite(Fault { what: format!("the scenario's volume has {bound}"), hint: None })
}
