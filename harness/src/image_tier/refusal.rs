//! Whose doing it is that the engine refuses a container, or gives up a build. That is tried out: what it says has names in it that a
//! candidate has chosen.

use super::Setup;
use super::builds::{OwnRelay, Unclear};
use super::step::{Step, StepError, missing};
use crate::check;
use crate::check::evidence::{BuildEnd, BuildEvidence};
use crate::check::scope::Scope;
use crate::engine::{BuildRequest, Clients, EngineError, Mark};
use crate::outcome::{At, Finding};

/// The engine's refusal of a container of the candidate's.
pub(super) struct Refusal(EngineError);

impl Refusal {
    /// Tells a refusal from other errors.
    pub(super) fn of<T>(result: Result<T, EngineError>) -> Result<Result<T, Self>, StepError> {
        match result {
            Ok(done) => Ok(Ok(done)),
            Err(error @ EngineError::Refused { .. }) => Ok(Err(Self(error))),
            Err(error) => Err(error.into()),
        }
    }

    /// The finding that it is the image's doing: see [`Self::words`].
    ///
    /// # Errors
    /// The engine's own, where it is not.
    pub(super) fn finding<T>(
        self,
        known: Result<(), EngineError>,
        again: Result<T, EngineError>,
        scope: &Scope,
        at: &At,
    ) -> Result<Finding, StepError> {
        self.words(known, again).map(|message| check::serve::not_started(scope, &message, at))
    }

    /// What the engine says, where it is the image's doing: it took the same of an image that is `known` to be good, and refused this one
    /// `again`.
    ///
    /// # Errors
    /// The engine's own, where it is not.
    pub(super) fn words<T>(
        self,
        known: Result<(), EngineError>,
        again: Result<T, EngineError>,
    ) -> Result<String, StepError> {
        match (known, again) {
            (Ok(()), Err(EngineError::Refused { message, .. })) => Ok(message),
            // What comes out otherwise the second time is no evidence.
            (Err(_), _) | (_, Ok(_)) => Err(self.0.into()),
            (_, Err(error)) => Err(error.into()),
        }
    }
}

impl Step<'_> {
    /// Runs a command in a container of an image that is known to be good.
    pub(super) async fn runs_known_good(&self) -> Result<Result<(), EngineError>, StepError> {
        let Setup { engine, network, run, plain, .. } = self.setup;
        let plain = plain.get().ok_or_else(|| missing("the distribution"))?;
        Ok(engine.run_command(plain, &["true".to_owned()], network, self.limits(), run).await.map(drop))
    }

    /// Builds. A build that the engine gives up without a known reason is tried once more: where it gives that up, too, and builds
    /// and runs what any engine can, it failed.
    pub(super) async fn built(
        &self,
        request: BuildRequest,
        own: &mut Option<OwnRelay>,
    ) -> Result<(BuildEvidence, Clients), StepError> {
        let Setup { engine, run, .. } = self.setup;
        let again = BuildRequest { mark: Mark::new(), ..request.clone() };
        let (unclear, clients) = match self.setup.build(request, own, &mut |_| {}).await? {
            (Ok(evidence), clients) => return Ok((evidence, clients)),
            (Err(unclear), clients) => (unclear, clients),
        };
        // Both that it builds, and that what a build runs can be run.
        let is_well = self.runs_known_good().await?.is_ok() && engine.try_build(run).await.is_ok();
        match self.setup.build(again, own, &mut |_| {}).await? {
            (Err(_), _) if is_well => {
                let Unclear { message, log } = unclear;
                let end = BuildEnd::Failed { command: None, exit_code: None, message };
                Ok((BuildEvidence { end, log }, clients))
            }
            _ => Err(EngineError::from(unclear).into()),
        }
    }
}
