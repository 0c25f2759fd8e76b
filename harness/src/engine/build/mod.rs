//! Builds: the one loop that every build goes through, whatever its builder.

mod buildkit;
mod buildkit_log;
mod classic;
mod classic_log;
mod dialogue;
mod executor;
mod named;
mod reader;

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bollard::query_parameters::BuildImageOptions;
use tokio::time::MissedTickBehavior;

use self::buildkit::BuildKit;
use self::classic::Classic;
use self::dialogue::Dialogue;
use self::executor::Commands;
use self::reader::Reader;
use super::image::KEPT;
use super::mark::Containers;
use super::size::LOOK_EVERY;
use super::stream::{Lines, has_rest};
use super::{Engine, EngineError, LABEL_OWNER, LABEL_RUN, Mark, Network};
use crate::check::captured::Captured;
use crate::check::evidence::{BuildEnd, BuildEvidence};
use crate::check::limit::Exceeded;
use crate::outcome::RunId;
use crate::suite::builder::Builder;
use crate::suite::limits::Limits;

pub(crate) use classic_log::named_containers;
pub(super) use executor::folder as commands_folder;

/// What is being done, in words.
const OPERATION: &str = "building an image";

/// A build to be made.
#[derive(Debug, Clone)]
pub(crate) struct BuildRequest {
    /// The build context, a tar archive.
    pub context: Vec<u8>,
    /// The Dockerfile's path in it.
    pub dockerfile: String,
    pub arguments: BTreeMap<String, String>,
    /// The network that its commands run on, with the run's relay on it; without it they have none.
    pub network: Option<Network>,
    /// Whether layers of earlier builds are used again. What is under test is built anew: a step that is not run has no log
    /// and proves nothing.
    pub use_cache: bool,
    /// What it may take.
    pub limits: Limits,
    /// What becomes of the image.
    pub fate: Fate,
    /// What its containers are known by, where the builder tells of them.
    pub mark: Mark,
    pub builder: Builder,
}

/// What becomes of an image that is built.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It goes with the run.
    OfRun(RunId),
    /// It is kept under this name.
    Kept(String),
}

impl Engine {
    /// Builds an image. `on_line` sees each line of the log as it comes. Where the log breaks off though the engine goes on
    /// answering, nothing is known of the build: it is done once more, and the log says so.
    ///
    /// # Errors
    /// When the engine could not; an instruction that failed is evidence, not an error.
    pub(crate) async fn build(
        &self,
        request: BuildRequest,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<BuildEvidence, EngineError> {
        if let Some(why) = self.refusal(&request).await? {
            return Ok(BuildEvidence { end: BuildEnd::Refused(why), log: Captured::default() });
        }
        match self.build_by(request.clone(), on_line).await {
            Err(EngineError::Unreachable { cause, .. }) if self.ping().await.is_ok() => {
                let mut evidence = self.build_by(request, on_line).await?;
                evidence.log =
                    evidence.log.after(format!("(second attempt, since the log of the first ended early: {cause})"));
                Ok(evidence)
            }
            other => other,
        }
    }

    async fn build_by(
        &self,
        request: BuildRequest,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<BuildEvidence, EngineError> {
        match request.builder {
            Builder::Classic => self.build_once::<Classic>(request, None, on_line).await,
            Builder::BuildKit => {
                let arguments = self.named(request.arguments).await?;
                let commands = match &request.network {
                    Some(network) => Some(self.commands(network.relay, request.limits)?),
                    None => None,
                };
                self.build_once::<BuildKit>(BuildRequest { arguments, ..request }, commands, on_line).await
            }
        }
    }

    /// The commands of a build by `BuildKit`, each of which gets these limits.
    fn commands(&self, relay: IpAddr, limits: Limits) -> Result<Arc<Commands>, EngineError> {
        Commands::watch(&self.data_root, relay, limits).map(Arc::new).map_err(|error| unlimited(&error.to_string()))
    }

    async fn build_once<D: Dialogue>(
        &self,
        request: BuildRequest,
        commands: Option<Arc<Commands>>,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<BuildEvidence, EngineError> {
        let begun = Instant::now();
        let limits = request.limits;
        let memory = i32::try_from(limits.memory()).unwrap_or(i32::MAX);
        let label = |name: &str, value: &str| HashMap::from([(name.to_owned(), value.to_owned())]);
        let extrahosts = request.network.as_ref().map(Network::host_entry);
        let network = request.network.map_or_else(|| "none".to_owned(), |network| network.name);
        let mut containers = Containers::new(request.mark, &network);
        let (labels, name) = match request.fate {
            Fate::OfRun(run) => (label(LABEL_RUN, run.as_str()), None),
            // What users build on it must not inherit what says that it is ours.
            Fate::Kept(name) => (label(LABEL_OWNER, ""), Some((name, self.making_tag()?))),
        };
        let options = D::ask(BuildImageOptions {
            dockerfile: request.dockerfile,
            extrahosts,
            rm: true,
            forcerm: true,
            buildargs: Some(request.arguments.into_iter().collect()),
            labels: Some(labels),
            t: name.as_ref().map(|(_, making)| format!("{KEPT}:{making}")),
            nocache: !request.use_cache,
            memory: Some(memory),
            // As much as memory: none beside it.
            memswap: Some(memory),
            shmsize: Some(request.mark.size()),
            networkmode: Some(network),
            ..Default::default()
        });
        let mut reader = self.begin::<D>(options, request.context)?;
        let mut lines = Lines::new(limits.log());
        let mut image = None;
        let mut failure = None;
        let (mut is_over, mut has_run) = (false, false);
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let exceeded = |exceeded, lines: Lines, reader: &Reader| {
            reader.give_up();
            let log = lines.finish(|_| {}).stopped(Some(exceeded));
            Ok(BuildEvidence { end: BuildEnd::Exceeded(exceeded), log })
        };
        loop {
            let rest = limits.build().saturating_sub(begun.elapsed());
            let next = tokio::select! {
                next = tokio::time::timeout(rest, reader.said.recv()) => next,
                _ = looks.tick() => {
                    let are_larger = match &commands {
                        Some(commands) => Commands::are_larger(commands, limits.disk()).await,
                        None => containers.are_larger(self, limits.disk()).await?,
                    };
                    if are_larger {
                        return exceeded(Exceeded::Disk(limits.disk()), lines, &reader);
                    }
                    continue;
                }
            };
            let Ok(next) = next else {
                self.still_there(OPERATION).await?;
                return exceeded(Exceeded::BuildTime(limits.build()), lines, &reader);
            };
            match next {
                None => break,
                Some(Ok(said)) => {
                    if said.is_partial {
                        reader.give_up();
                        return Err(EngineError::Unexpected {
                            operation: OPERATION.to_owned(),
                            what: "the builder leaves out a part of the log".to_owned(),
                        });
                    }
                    has_run |= said.ran;
                    is_over |= said.is_over;
                    image = said.image.or(image);
                    lines.push(&said.text, &mut *on_line);
                    if lines.is_full() {
                        return exceeded(Exceeded::Log(limits.log()), lines, &reader);
                    }
                }
                Some(Err(bollard::errors::Error::DockerStreamError { error })) => failure = Some(error),
                Some(Err(error)) if has_rest(&error) && (is_over || failure.is_some()) => break,
                // A Dockerfile that cannot be parsed, or an instruction without sense, is the candidate's doing; what else the engine
                // refuses is not.
                Some(Err(bollard::errors::Error::DockerResponseServerError { status_code: 400, message })) => {
                    self.still_there(OPERATION).await?;
                    return ended(D::end_of(message), lines.finish(|_| {}));
                }
                Some(Err(error)) => return Err(self.error(OPERATION, error)),
            }
        }
        if has_run && commands.is_some_and(|commands| !commands.has_seen()) {
            return Err(unlimited("its folder is not on this machine, or another engine's"));
        }
        let log = lines.finish(&mut *on_line);
        if let Some(cut) = log.cut() {
            return Ok(BuildEvidence { end: BuildEnd::Exceeded(cut), log });
        }
        let end = match (failure, image) {
            (Some(message), _) => {
                self.still_there(OPERATION).await?;
                if let Some(full) = self.room.full_since(begun, &message) {
                    return Err(full);
                }
                return ended(D::end_of(message), log);
            }
            (None, Some(id)) => {
                let image = self.inspect_image(&id).await?.ok_or_else(|| EngineError::Unexpected {
                    operation: OPERATION.to_owned(),
                    what: format!("the image {id} was built, but does not exist"),
                })?;
                if let Some((name, making)) = name {
                    self.keep(&image.id, &name, &making).await?;
                }
                BuildEnd::Built { image: image.id }
            }
            (None, None) => {
                return Err(EngineError::Unreachable {
                    engine: self.address.to_string(),
                    operation: OPERATION.to_owned(),
                    cause: "the build's log ended without an image and without an error".to_owned(),
                });
            }
        };
        Ok(BuildEvidence { end, log })
    }
}

/// The error that nothing limits the commands of a build.
fn unlimited(why: &str) -> EngineError {
    EngineError::Unsuitable { what: format!("builds by BuildKit: their commands cannot be limited ({why})") }
}

/// The evidence of a build that ended with a message.
fn ended(end: Result<BuildEnd, String>, log: Captured) -> Result<BuildEvidence, EngineError> {
    match end {
        Ok(end) => Ok(BuildEvidence { end, log }),
        Err(message) => Err(EngineError::Unclear { message, log }),
    }
}
