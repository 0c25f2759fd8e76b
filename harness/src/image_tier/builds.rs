//! Builds, by whichever builder, and who asked the fixture server in each. The classic builder tells of the containers that it uses;
//! `BuildKit` tells of none, and so each of its builds has a relay for itself.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::Setup;
use super::step::{StepError, missing};
use crate::check::captured::Captured;
use crate::check::evidence::{BuildEnd, BuildEvidence};
use crate::engine::{BuildRequest, Clients, EngineError, Network, Relay};

/// The relays that builds have for themselves, as many as there were builds at once.
#[derive(Debug, Default)]
pub(crate) struct OwnRelays(Mutex<Vec<OwnRelay>>);

/// A relay that one build has for itself.
#[derive(Debug)]
pub(super) struct OwnRelay {
    relay: Relay,
    pub(super) network: Network,
    /// The build that has it, by its number.
    build: u32,
}

/// A build that the engine gave up without a known reason.
pub(super) struct Unclear {
    pub(super) message: String,
    pub(super) log: Captured,
}

impl From<Unclear> for EngineError {
    fn from(Unclear { message, log }: Unclear) -> Self {
        Self::Unclear { message, log }
    }
}

impl Setup {
    /// Builds, and says who asked the fixture server in it. What `own` has is used again: `BuildKit` takes a build on the layer cache for
    /// another one where its relay is another.
    ///
    /// # Errors
    /// When the engine could not.
    pub(super) async fn build(
        &self,
        request: BuildRequest,
        own: &mut Option<OwnRelay>,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(Result<BuildEvidence, Unclear>, Clients), StepError> {
        if request.builder.is_buildkit() {
            return self.build_by_own_relay(request, own, on_line).await;
        }
        let mark = request.mark;
        let built = ended(self.engine.build(request, on_line).await)?;
        let log = match &built {
            Ok(BuildEvidence { log, .. }) | Err(Unclear { log, .. }) => log,
        };
        let clients = self.clients(mark, log).await;
        Ok((built, clients))
    }

    async fn build_by_own_relay(
        &self,
        request: BuildRequest,
        own: &mut Option<OwnRelay>,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(Result<BuildEvidence, Unclear>, Clients), StepError> {
        let relay = match own.take() {
            Some(relay) => relay.next(),
            None => self.own_relay().await?,
        };
        let begun = Instant::now();
        let request = BuildRequest { network: request.network.map(|_| relay.network.clone()), ..request };
        let built = self.engine.build(request, on_line).await;
        let clients = Clients::of_build(relay.build);
        relay.relay.link().settle().await;
        relay.relay.was_there(begun)?;
        match &built {
            // What the engine has given up may go on for a moment.
            Err(_) | Ok(BuildEvidence { end: BuildEnd::Exceeded(_), .. }) => {
                self.engine.stop_relay(&relay.relay).await?;
            }
            Ok(_) => *own = Some(relay),
        }
        Ok((ended(built)?, clients))
    }

    /// Leaves a relay, if there is one, to the next build.
    pub(super) fn give_back(&self, own: Option<OwnRelay>) {
        self.own_relays.0.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
    }

    /// A relay that nobody has, for the next build.
    ///
    /// # Errors
    /// When the engine cannot start one.
    pub(super) async fn own_relay(&self) -> Result<OwnRelay, StepError> {
        let free = self.own_relays.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(free) = free {
            return Ok(free.next());
        }
        let plain = self.plain.get().ok_or_else(|| missing("the distribution"))?;
        let (relay, incoming, network) = self.engine.start_own_relay(plain, &self.run).await?;
        self.server.carry(incoming);
        Ok(OwnRelay { relay, network, build: 0 }.next())
    }
}

impl OwnRelay {
    /// The same, for another build.
    fn next(self) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let build = NEXT.fetch_add(1, Ordering::Relaxed);
        self.relay.link().give_to(build);
        Self { build, ..self }
    }
}

fn ended(built: Result<BuildEvidence, EngineError>) -> Result<Result<BuildEvidence, Unclear>, EngineError> {
    match built {
        Ok(evidence) => Ok(Ok(evidence)),
        Err(EngineError::Unclear { message, log }) => Ok(Err(Unclear { message, log })),
        Err(error) => Err(error),
    }
}
