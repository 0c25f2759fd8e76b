//! A shell in what a scenario is about: the container of its application, the image that a failed build has got to, or the candidate's
//! image.

use std::sync::OnceLock;

use super::Setup;
use super::graph::StepEnd;
use super::serve::settings;
use super::step::{Step, StepError, missing};
use crate::check::evidence::{BuildEnd, BuildEvidence};
use crate::check::limit::Exceeded;
use crate::engine::{Attended, EngineError, Start};
use crate::host::outgoing::shown;
use crate::host::terminal::{Raw, Sizes, typed};
use crate::outcome::{Fault, Stage};
use crate::suite::scenario::{ServeExpectation, Subject};

/// A shell of the image: the better one, where there are two.
const SHELL: [&str; 3] = ["sh", "-c", "if command -v bash > /dev/null; then exec bash; fi; exec sh"];
/// How many of the last lines of a failed build's log are shown.
const LAST_LINES: usize = 15;
/// The kind of a terminal that does not say which it is.
const PLAIN_TERMINAL: &str = "dumb";

/// A shell that is opened instead of asking what a scenario asks.
#[derive(Debug)]
pub(crate) struct Shell {
    /// The command in its place, if one is given.
    pub command: Vec<String>,
    /// Whether a person is at a terminal.
    pub is_interactive: bool,
    /// Tells the person at the terminal something.
    pub tell: fn(&str),
    /// Its exit code, when it has ended.
    pub ended: OnceLock<i64>,
}

/// Where a shell is opened.
enum Place {
    /// An image, in a container that does nothing else.
    Image(String),
    /// The image of an application that is to be served.
    Application(String),
}

impl Step<'_> {
    /// Opens a shell, and waits for its end. Needs the two images that the plan has for the scenario's subject.
    pub(super) async fn shell(&mut self, needs: &[String]) -> Result<StepEnd, StepError> {
        let [first, second] = needs else { return Err(missing("the candidate's images")) };
        let Some(shell) = &self.setup.shell else { return Err(missing("the shell")) };
        let place = match self.scenario.subject {
            Subject::Application => self.build_for(shell, [first, second]).await?,
            Subject::BaseImage | Subject::OnbuildImage => Place::Image(second.clone()),
        };
        self.stage(Stage::Probe);
        match (place, &self.scenario.serve) {
            (Place::Application(image), Some(serve)) if serve.end.is_none() => {
                self.in_application(shell, &image, serve).await?;
            }
            (Place::Image(image) | Place::Application(image), _) => self.in_image(shell, &image).await?,
        }
        Ok(StepEnd::Done)
    }

    /// Builds the application, and says what came of it where that is no image.
    async fn build_for(&mut self, shell: &Shell, [base, onbuild]: [&String; 2]) -> Result<Place, StepError> {
        self.stage(Stage::Build);
        let mut own = None;
        let (BuildEvidence { end, log }, _) = self.built(self.request(base, onbuild)?, &mut own).await?;
        self.setup.give_back(own);
        let why = match end {
            BuildEnd::Built { image } => return Ok(Place::Application(image)),
            BuildEnd::Failed { message, .. } => message,
            BuildEnd::Exceeded(limit) => limit.to_string(),
            BuildEnd::Refused(why) => why,
        };
        let got_to = self.setup.engine.got_to(&[base.clone(), onbuild.clone()]).await?;
        let lines = log.reported();
        for line in &lines[lines.len().saturating_sub(LAST_LINES)..] {
            (shell.tell)(&format!("  {}", shown(line)));
        }
        (shell.tell)(&format!("the build failed: {}", shown(why.trim_end())));
        if let Some(image) = got_to {
            (shell.tell)("this is the image before the instruction that failed");
            return Ok(Place::Image(image));
        }
        (shell.tell)("the engine has no image of it; this is the onbuild image");
        Ok(Place::Image(onbuild.clone()))
    }

    /// In the container of the application, as the scenario starts it.
    async fn in_application(&mut self, shell: &Shell, image: &str, serve: &ServeExpectation) -> Result<(), StepError> {
        let setup = self.setup;
        let volume = self.volume(serve).await?;
        let start = Start { limits: self.limits(), ..settings(serve, volume.as_ref()) };
        let application = match setup.engine.start_application(image, &start, &setup.network, &setup.run).await {
            Ok(application) => application,
            Err(EngineError::Refused { message, .. }) => {
                (shell.tell)(&format!(
                    "the container does not start: {}; this is another one of its image",
                    shown(&message)
                ));
                return self.in_image(shell, image).await;
            }
            Err(error) => return Err(error.into()),
        };
        match shell.of(self.setup, application.id()).await {
            Ok(attended) => {
                let at = application.address().map(|address| format!(", which is to serve at {address}"));
                (shell.tell)(&format!("this is the container of {}{}", self.label, at.unwrap_or_default()));
                self.attend(shell, application.id(), attended).await?;
                if let Some(code) = application.exit_code().await? {
                    (shell.tell)(&format!("the container has ended, with exit code {code}"));
                }
            }
            Err(EngineError::Refused { .. }) if application.exit_code().await?.is_some() => {
                (shell.tell)("the container has ended by itself; this is another one of its image");
                self.in_image(shell, image).await?;
            }
            Err(error) => return Err(error.into()),
        }
        application.remove().await?;
        if let Some(volume) = volume {
            volume.remove().await?;
        }
        Ok(())
    }

    /// In a container of the image that does nothing else.
    async fn in_image(&mut self, shell: &Shell, image: &str) -> Result<(), StepError> {
        let setup = self.setup;
        let container = setup.engine.start_idle(image, &setup.network, self.limits(), &setup.run).await?;
        let attended = shell.of(setup, &container).await?;
        self.attend(shell, &container, attended).await?;
        Ok(setup.engine.remove_container(&container).await?)
    }

    /// Attends the shell until it ends, or the container has written too much.
    async fn attend(&self, shell: &Shell, container: &str, attended: Attended) -> Result<(), StepError> {
        let engine = &self.setup.engine;
        let disk = self.limits().disk();
        let unusable = |error: std::io::Error| {
            let hint = Some("give it a standard input: a terminal, a file, or /dev/null".to_owned());
            StepError::Suite(Fault { what: format!("the terminal cannot be used: {error}"), hint })
        };
        let terminal = if shell.is_interactive {
            (shell.tell)("when the shell ends, the container and what was changed in it are removed");
            Some((Sizes::own().map_err(unusable)?, Raw::enter().map_err(unusable)?))
        } else {
            None
        };
        let (sizes, raw) = terminal.unzip();
        let typed = typed().map_err(unusable)?;
        let result = tokio::select! {
            code = engine.run_attended(attended, typed, sizes) => code.map(Some),
            larger = engine.until_larger(container, disk) => larger.map(|()| None),
        };
        drop(raw);
        match result? {
            Some(code) => drop(shell.ended.set(code)),
            None => (shell.tell)(&format!("the container was removed: {}", Exceeded::Disk(disk))),
        }
        Ok(())
    }
}

impl Shell {
    /// It, in a container that runs.
    async fn of(&self, setup: &Setup, container: &str) -> Result<Attended, EngineError> {
        let kind = std::env::var("TERM").unwrap_or_else(|_| PLAIN_TERMINAL.to_owned());
        let own = SHELL.map(str::to_owned).to_vec();
        let command = if self.command.is_empty() { &own } else { &self.command };
        setup.engine.to_be_attended(container, command, self.is_interactive.then_some(kind.as_str())).await
    }
}
