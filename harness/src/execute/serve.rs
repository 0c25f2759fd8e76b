//! The step that starts a scenario's container, asks it, and stops it.

use std::time::{Duration, Instant};

use super::StepEnd;
use super::probe;
use super::step::{Step, StepError, missing};
use crate::check;
use crate::check::evidence::{EndEvidence, ProbeEvidence};
use crate::engine::Application;
use crate::event::{Fault, Log, Stage};
use crate::scenario::{EndExpectation, ServeExpectation};

/// How long a container may take to end when the scenario does not say.
const STOP_LIMIT: Duration = Duration::from_secs(10);

impl Step<'_> {
    /// Starts the container and asks it, or waits for its end. Needs the application image.
    pub(super) async fn serve(&mut self, needs: &[String]) -> Result<StepEnd, StepError> {
        let [image] = needs else { return Err(missing("the application image")) };
        let Some(serve) = &self.scenario.serve else { return Err(missing("`[serve]`")) };
        let begun = self.stage(Stage::Probe);
        let setup = self.setup;
        let application =
            setup.engine.start_application(image, serve.arguments.as_deref(), &setup.network, &setup.run).await?;
        let result = self.watch(serve, &application, begun).await;
        let keep = setup.keep && (result.is_err() || self.part.findings.iter().any(check::Finding::is_broken));
        if keep {
            application.keep();
        } else {
            application.remove().await?;
        }
        result.map(|()| StepEnd::Done)
    }

    /// All that is done with the started container, until it has ended.
    async fn watch(
        &mut self,
        serve: &ServeExpectation,
        application: &Application,
        begun: Instant,
    ) -> Result<(), StepError> {
        match &serve.end {
            Some(end) => self.await_end(end, application, begun).await?,
            None => {
                self.ask(serve, application, begun).await?;
                self.stop(serve, application).await?;
            }
        }
        let log = application.log().await?;
        self.part.findings.extend(check::serve::log(serve, &log));
        self.part.logs.push(Log { title: "container log".to_owned(), lines: log });
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
        self.part.findings.extend(check::end::check(expectation, &evidence));
        Ok(())
    }

    /// Asks the running container, and runs commands in it.
    async fn ask(
        &mut self,
        serve: &ServeExpectation,
        application: &Application,
        begun: Instant,
    ) -> Result<(), StepError> {
        let client = probe::client().map_err(|error| {
            StepError::Suite(Fault { what: format!("no HTTP client could be made: {error}"), hint: None })
        })?;
        let mut answers = true;
        for (index, expectation) in serve.http.iter().enumerate() {
            let evidence = probe::ask_all(&client, application, expectation, index == 0).await?;
            answers = evidence.iter().all(|one| matches!(one, ProbeEvidence::Answered(_)));
            self.part.findings.extend(check::http::check(expectation, &evidence));
            if !answers {
                let rest = serve.http.len() - index - 1;
                if rest > 0 {
                    self.part.not_run.push(format!("{rest} further requests: the container does not answer"));
                }
                break;
            }
        }
        for expectation in &serve.commands {
            if !answers {
                self.part.not_run.push(format!("`{}`: the container does not answer", expectation.run.value.join(" ")));
                continue;
            }
            let evidence = application.exec(&expectation.run.value).await?;
            self.part.findings.extend(check::command::check(expectation, &evidence));
        }
        self.part.stages.push((Stage::Probe, begun.elapsed()));
        Ok(())
    }

    /// Stops the container, which must run until then.
    async fn stop(&mut self, serve: &ServeExpectation, application: &Application) -> Result<(), StepError> {
        let begun = self.stage(Stage::Stop);
        let limit =
            serve.stop.as_ref().map_or(STOP_LIMIT, |stop| Duration::from_secs(u64::from(stop.within_seconds.value)));
        let ended_before = application.exit_code().await?;
        let evidence = application.stop(limit).await?;
        if let Some(expectation) = &serve.stop {
            match ended_before {
                None => self.part.findings.extend(check::serve::stop(expectation, &evidence)),
                Some(code) => self.part.findings.push(check::serve::ended_early(expectation, code)),
            }
        }
        self.part.stages.push((Stage::Stop, begun.elapsed()));
        Ok(())
    }
}
