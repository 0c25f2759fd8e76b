//! Builds, by the classic builder: it is the one that runs on a network of our own. (`BuildKit` inside the daemon takes
//! only the networks default, none and host.)

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use std::time::Instant;

use bollard::models::{BuildInfoAux, ImageId};
use bollard::query_parameters::{BuildImageOptions, BuilderVersion};
use bytes::Bytes;
use futures_util::StreamExt;
use regex::Regex;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::builder_log::{MadeImages, is_last_word};
use super::error::not_executable;
use super::image::KEPT;
use super::mark::Containers;
use super::size::LOOK_EVERY;
use super::stream::{Lines, has_rest};
use super::{Engine, EngineError, LABEL_OWNER, LABEL_RUN, Mark, Network};
use crate::check::captured::Captured;
use crate::check::evidence::{BuildEnd, BuildEvidence};
use crate::check::limit::Exceeded;
use crate::outcome::RunId;
use crate::suite::limits::Limits;

/// What the classic builder says when a command of the Dockerfile or of a trigger returned non-zero.
#[allow(clippy::expect_used, reason = "a constant pattern")]
static RETURNED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)^The command '(.*)' returned a non-zero code: (\d+)").expect("a constant pattern")
});

/// What the classic builder says of a Dockerfile that cannot be followed, and of an instruction other than a command that
/// failed.
#[allow(clippy::expect_used, reason = "a constant pattern")]
static DOCKERFILES_DOING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^(COPY|ADD|WORKDIR|USER|ENV|ONBUILD|HEALTHCHECK|STOPSIGNAL|SHELL|EXPOSE|VOLUME|LABEL|FROM) |dockerfile|unknown instruction|unknown flag|unable to find user|unable to find group|no build stage|base name .* should not be blank|invalid reference format|failed to process|requires (at least|exactly) |bad flag|syntax error|invalid (from flag|containerPort)|missing ",
    )
    .expect("a constant pattern")
});

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
    /// What its containers are known by.
    pub mark: Mark,
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
        match self.build_once(request.clone(), on_line).await {
            Err(EngineError::Unreachable { cause, .. }) if self.ping().await.is_ok() => {
                let mut evidence = self.build_once(request, on_line).await?;
                evidence.log =
                    evidence.log.after(format!("(second attempt, since the log of the first ended early: {cause})"));
                Ok(evidence)
            }
            other => other,
        }
    }

    async fn build_once(
        &self,
        request: BuildRequest,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<BuildEvidence, EngineError> {
        const OPERATION: &str = "building an image";
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
        let options = BuildImageOptions {
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
            version: BuilderVersion::BuilderV1,
            ..Default::default()
        };
        let body = bollard::body_full(Bytes::from(request.context));
        let (sender, mut stream) = mpsc::channel(64);
        let (docker, pending, journal) = (self.docker.clone(), self.pending.begin(), self.journal()?.clone());
        journal.build_begins();
        // Where the caller gives the build up, its log is read on until the engine has ended it: a sweep waits for that.
        let reader = tokio::spawn(async move {
            let _pending = pending;
            let mut made = MadeImages::default();
            let mut stream = std::pin::pin!(docker.build_image(options, None, Some(body)));
            while let Some(info) = stream.next().await {
                let text = info.as_ref().ok().and_then(|info| info.stream.as_deref()).unwrap_or_default();
                text.lines().filter_map(|line| made.read(line)).for_each(|id| journal.image(&id));
                drop(sender.send(info).await);
            }
            journal.build_ends();
        });
        let mut lines = Lines::new(limits.log());
        let mut image = None;
        let mut failure = None;
        let mut is_over = false;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let exceeded = |exceeded, lines: Lines| {
            // Without a reader the builder gives up and removes its container.
            reader.abort();
            let log = lines.finish(|_| {}).stopped(Some(exceeded));
            Ok(BuildEvidence { end: BuildEnd::Exceeded(exceeded), log })
        };
        loop {
            let rest = limits.build().saturating_sub(begun.elapsed());
            let next = tokio::select! {
                next = tokio::time::timeout(rest, stream.recv()) => next,
                _ = looks.tick() => {
                    if containers.are_larger(self, limits.disk()).await? {
                        return exceeded(Exceeded::Disk(limits.disk()), lines);
                    }
                    continue;
                }
            };
            let Ok(next) = next else {
                self.still_there(OPERATION).await?;
                return exceeded(Exceeded::BuildTime(limits.build()), lines);
            };
            match next {
                None => break,
                Some(Ok(info)) => {
                    if let Some(text) = info.stream {
                        is_over |= image.as_deref().is_some_and(|image| is_last_word(&text, image));
                        lines.push(text.as_bytes(), &mut *on_line);
                        if lines.is_full() {
                            return exceeded(Exceeded::Log(limits.log()), lines);
                        }
                    }
                    if let Some(BuildInfoAux::Default(ImageId { id: Some(id) })) = info.aux {
                        image = Some(id);
                    }
                }
                Some(Err(bollard::errors::Error::DockerStreamError { error })) => failure = Some(error),
                Some(Err(error)) if has_rest(&error) && (is_over || failure.is_some()) => break,
                // A Dockerfile that cannot be parsed, or an instruction without sense, is the candidate's doing; what else the engine
                // refuses is not.
                Some(Err(bollard::errors::Error::DockerResponseServerError { status_code: 400, message })) => {
                    self.still_there(OPERATION).await?;
                    return ended(message, lines.finish(|_| {}));
                }
                Some(Err(error)) => return Err(self.error(OPERATION, error)),
            }
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
                return ended(message, log);
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

/// The evidence of a build that ended with a message.
fn ended(message: String, log: Captured) -> Result<BuildEvidence, EngineError> {
    match end_of(message) {
        Ok(end) => Ok(BuildEvidence { end, log }),
        Err(message) => Err(EngineError::Unclear { message, log }),
    }
}

/// Sorts the message that a build ended with; the message alone where it is not known to be the Dockerfile's doing.
fn end_of(message: String) -> Result<BuildEnd, String> {
    if let Some(found) = RETURNED.captures(&message) {
        let exit_code = found[2].parse().ok();
        return Ok(BuildEnd::Failed { command: Some(found[1].to_owned()), exit_code, message });
    }
    // A `RUN` in exec form whose program is not there.
    if let Some(exit_code) = not_executable(&message) {
        return Ok(BuildEnd::Failed { command: None, exit_code: Some(exit_code), message });
    }
    if DOCKERFILES_DOING.is_match(&message) {
        return Ok(BuildEnd::Failed { command: None, exit_code: None, message });
    }
    Err(message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_returned_non_zero() {
        let message = "The command '/bin/sh -c mod_wsgi-docker-build' returned a non-zero code: 23".to_owned();
        assert_eq!(
            end_of(message.clone()).unwrap(),
            BuildEnd::Failed { command: Some("/bin/sh -c mod_wsgi-docker-build".into()), exit_code: Some(23), message }
        );
    }

    #[test]
    fn another_instruction_that_failed() {
        let message = "COPY failed: file not found in build context".to_owned();
        assert!(matches!(end_of(message).unwrap(), BuildEnd::Failed { command: None, .. }));
    }

    /// Whether a disk is full is measured, and not asked of who has failed.
    #[test]
    fn a_command_that_speaks_of_a_full_disk_has_failed() {
        let message = "The command '/bin/sh -c echo No space left on device' returned a non-zero code: 1".to_owned();
        assert!(matches!(end_of(message), Ok(BuildEnd::Failed { exit_code: Some(1), .. })));
    }

    #[test]
    fn a_program_that_is_not_there() {
        let message = "OCI runtime create failed: exec: \"nosuch\": executable file not found in $PATH: unknown";
        let end = end_of(message.to_owned()).unwrap();
        assert!(matches!(end, BuildEnd::Failed { command: None, exit_code: Some(127), .. }));
    }

    #[test]
    fn what_is_unknown_is_not_held_against_the_candidate() {
        for message in ["Get https://registry/v2/: dial tcp: lookup failed", "rpc error: transport is closing", "EOF"] {
            assert!(end_of(message.to_owned()).is_err(), "{message}");
        }
        for message in
            ["dockerfile parse error line 2: unknown instruction: RUM", "ADD failed: x", "unable to find user y"]
        {
            assert!(matches!(end_of(message.to_owned()), Ok(BuildEnd::Failed { .. })), "{message}");
        }
    }

    #[test]
    fn the_engines_own_trouble_is_not_either() {
        let message = "OCI runtime create failed: runc did not terminate".to_owned();
        assert!(end_of(message).is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_message_of_a_builder_is_sorted(message in r"(The command '[ -~]{0,10}' returned a non-zero code: [0-9]{0,30})|[ -~\n\u{e4}]{0,40}") {
            drop(end_of(message));
        }
    }
}
