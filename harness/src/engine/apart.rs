//! Commands of which standard output and standard error are told apart, and images that commands leave.

use std::collections::HashMap;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::LogsOptions;
use futures_util::StreamExt;

use super::container::{NotStarted, container_name, run_labels};
use super::start::limit;
use super::{Engine, EngineError, LABEL_RUN, Network};
use crate::check::evidence::{ApartEvidence, CommandEnd};
use crate::check::limit::Exceeded;
use crate::outcome::RunId;
use crate::suite::limits::Limits;

/// What is being done, in words.
pub(super) const RUNNING: &str = "running a command in a container";

/// A command in the place of an image's entry point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub argv: &'a [String],
    /// `NAME=VALUE`, beside the image's.
    pub environment: &'a [String],
    /// The user, instead of the image's.
    pub user: Option<&'a str>,
    pub network: &'a Network,
    pub limits: Limits,
    pub run: &'a RunId,
}

impl Engine {
    /// Runs a command in a fresh container of an image. Its time and its outputs are limited.
    ///
    /// # Errors
    /// When the engine cannot. A program that cannot be started is evidence, and so is one that does not end.
    pub(crate) async fn run_apart(&self, image: &str, command: Invocation<'_>) -> Result<ApartEvidence, EngineError> {
        let container = self.create_for(image, command).await?;
        let result = self.outputs(&container, command.limits).await;
        let removed = self.remove_container(&container).await;
        result.and_then(|evidence| removed.map(|()| evidence))
    }

    /// Runs a command in a fresh container of an image; the image that it leaves, which belongs to the run, or what it came to where that
    /// is not exit code 0 within its limits.
    ///
    /// # Errors
    /// As [`Self::run_apart`].
    pub(crate) async fn run_and_commit(
        &self,
        image: &str,
        command: Invocation<'_>,
    ) -> Result<Result<String, ApartEvidence>, EngineError> {
        let config = self.inspect(image).await?.and_then(|image| image.config).unwrap_or_default();
        let container = self.create_for(image, command).await?;
        let result = match self.outputs(&container, command.limits).await {
            Ok(evidence) if evidence.end == Ok(CommandEnd::Exited(0)) && evidence.cut.is_none() => {
                let own = HashMap::from([(LABEL_RUN.to_owned(), command.run.to_string())]);
                self.commit(&container, config, own, None, RUNNING).await.map(Ok)
            }
            other => other.map(Err),
        };
        let removed = self.remove_container(&container).await;
        result.and_then(|left| removed.map(|()| left))
    }

    /// A container for a command, not yet started.
    pub(super) async fn create_for(&self, image: &str, command: Invocation<'_>) -> Result<String, EngineError> {
        let Invocation { argv, environment, user, network, limits, run } = command;
        let (program, arguments) = argv.split_first().ok_or_else(|| EngineError::Unexpected {
            operation: RUNNING.to_owned(),
            what: "no program to run".to_owned(),
        })?;
        let mut config = HostConfig {
            network_mode: Some(network.name.clone()),
            extra_hosts: Some(vec![network.host_entry()]),
            ..Default::default()
        };
        limit(&mut config, limits);
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(vec![program.clone()]),
            cmd: Some(arguments.to_vec()),
            env: Some(environment.to_vec()),
            user: user.map(str::to_owned),
            labels: Some(run_labels(run)),
            host_config: Some(config),
            ..Default::default()
        };
        self.create(&container_name(run, "command"), body).await
    }

    async fn outputs(&self, container: &str, limits: Limits) -> Result<ApartEvidence, EngineError> {
        let (end, stopped) = match self.ended(container, limits, RUNNING).await? {
            Ok(ended) => ended,
            Err(NotStarted { message, .. }) => {
                return Ok(ApartEvidence { end: Err(message), output: Vec::new(), error: Vec::new(), cut: None });
            }
        };
        let mut evidence = ApartEvidence { end: Ok(end), output: Vec::new(), error: Vec::new(), cut: stopped };
        let options = LogsOptions { stdout: true, stderr: true, tail: "all".to_owned(), ..Default::default() };
        let mut stream = std::pin::pin!(self.docker.logs(container, Some(options)));
        let mut room = limits.log();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| self.error("reading a container's log", error))?;
            let to = if let LogOutput::StdErr { .. } = chunk { &mut evidence.error } else { &mut evidence.output };
            let bytes = chunk.as_ref();
            to.extend_from_slice(&bytes[..bytes.len().min(room)]);
            if bytes.len() > room {
                evidence.cut = evidence.cut.or(Some(Exceeded::Log(limits.log())));
                break;
            }
            room -= bytes.len();
        }
        Ok(evidence)
    }
}
