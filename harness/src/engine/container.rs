//! Containers for a look: commands in a fresh container, and what every container needs (create, wait, log, remove).

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptions, KillContainerOptions, LogsOptions, RemoveContainerOptions, StartContainerOptions,
    WaitContainerOptions,
};
use futures_util::StreamExt;

use super::apart::{Invocation, RUNNING};
use super::error::not_executable;
use super::network::network_name;
use super::stream::Streams;
use super::{Engine, EngineError, LABEL_RUN, Network};
use crate::check::captured::Captured;
use crate::check::evidence::{CommandEnd, CommandEvidence};
use crate::check::limit::Exceeded;
use crate::outcome::RunId;
use crate::suite::limits::Limits;

/// How often a removal that the engine is already doing is asked for again.
const REMOVE_TRIES: u32 = 5;

/// A program that could not be started: the exit code of a shell, and what the engine says.
pub(super) struct NotStarted {
    pub exit_code: i64,
    pub message: String,
}

/// The labels of what a run makes and removes.
pub(super) fn run_labels(run: &RunId) -> HashMap<String, String> {
    HashMap::from([(LABEL_RUN.to_owned(), run.to_string())])
}

/// A name for one of a run's containers.
pub(super) fn container_name(run: &RunId, purpose: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!("{}-{purpose}-{}", network_name(run), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Prints what a container prints where it prints it.
///
/// # Errors
/// When nobody reads it any more.
pub(super) fn print(chunk: &LogOutput) -> io::Result<()> {
    match chunk {
        LogOutput::StdErr { message } => io::stderr().write_all(message),
        LogOutput::StdOut { message } | LogOutput::Console { message } | LogOutput::StdIn { message } => {
            io::stdout().write_all(message).and_then(|()| io::stdout().flush())
        }
    }
}

impl Engine {
    /// Runs a command in a fresh container of an image, in the place of its entry point. Its time is limited.
    ///
    /// # Errors
    /// When the engine cannot. A program that is not there or may not be executed is evidence (exit code 127 or 126),
    /// and so is one that does not end.
    pub(crate) async fn run_command(
        &self,
        image: &str,
        argv: &[String],
        network: &Network,
        limits: Limits,
        run: &RunId,
    ) -> Result<CommandEvidence, EngineError> {
        let command = Invocation { argv, environment: &[], user: None, network, limits, run };
        let container = self.create_for(image, command).await?;
        let result = self.run_to_end(&container, limits, RUNNING).await;
        // The command's own error comes first.
        let removed = self.remove_container(&container).await;
        result.and_then(|evidence| removed.map(|()| evidence))
    }

    pub(super) async fn run_to_end(
        &self,
        container: &str,
        limits: Limits,
        operation: &str,
    ) -> Result<CommandEvidence, EngineError> {
        match self.ended(container, limits, operation).await? {
            Ok((end, stopped)) => {
                Ok(CommandEvidence { end, output: self.log(container, limits).await?.stopped(stopped) })
            }
            Err(NotStarted { exit_code, message }) => Ok(CommandEvidence::not_started(exit_code, message)),
        }
    }

    /// Starts a container, and waits for its end; how it ended, and the limit that ended it, if one did.
    pub(super) async fn ended(
        &self,
        container: &str,
        limits: Limits,
        operation: &str,
    ) -> Result<Result<(CommandEnd, Option<Exceeded>), NotStarted>, EngineError> {
        let started = self.docker.start_container(container, None::<StartContainerOptions>).await;
        match started.map_err(|error| self.error(operation, error)) {
            Ok(()) => {}
            Err(EngineError::Refused { operation, status, message }) => {
                return match not_executable(&message) {
                    Some(exit_code) => Ok(Err(NotStarted { exit_code, message })),
                    None => Err(EngineError::Refused { operation, status, message }),
                };
            }
            Err(error) => return Err(error),
        }
        let mut stopped = None;
        let ended = tokio::select! {
            ended = tokio::time::timeout(limits.command(), self.wait(container)) => ended.ok(),
            larger = self.until_larger(container, limits.disk()) => {
                larger?;
                stopped = Some(Exceeded::Disk(limits.disk()));
                None
            }
        };
        let end = if let Some(exit_code) = ended {
            CommandEnd::Exited(exit_code?)
        } else {
            let options = KillContainerOptions { signal: "SIGKILL".to_owned() };
            // One that has ended meanwhile needs no signal; that it has ended is waited for.
            drop(self.docker.kill_container(container, Some(options)).await);
            let killed = self.wait(container).await?;
            if stopped.is_some() { CommandEnd::Exited(killed) } else { CommandEnd::TimedOut(limits.command()) }
        };
        Ok(Ok((end, stopped)))
    }

    /// A container of an image that is never started: there is its file system to be read.
    pub(crate) async fn create_at_rest(&self, image: &str, purpose: &str, run: &RunId) -> Result<String, EngineError> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            // An image without a command needs one to be created.
            entrypoint: Some(vec!["true".to_owned()]),
            // That of the image need not be a folder.
            working_dir: Some("/".to_owned()),
            labels: Some(run_labels(run)),
            host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..Default::default() }),
            ..Default::default()
        };
        self.create(&container_name(run, purpose), body).await
    }

    pub(super) async fn create(&self, name: &str, body: ContainerCreateBody) -> Result<String, EngineError> {
        let options = CreateContainerOptions { name: Some(name.to_owned()), ..Default::default() };
        self.docker
            .create_container(Some(options), body)
            .await
            .map(|created| created.id)
            .map_err(|error| self.error("creating a container", error))
    }

    /// Waits until a container has ended; its exit code.
    pub(super) async fn wait(&self, container: &str) -> Result<i64, EngineError> {
        const OPERATION: &str = "waiting for a container";
        let mut stream = std::pin::pin!(self.docker.wait_container(container, None::<WaitContainerOptions>));
        let code = loop {
            match stream.next().await {
                Some(Ok(end)) => break end.status_code,
                // The library makes an error of every exit code that is not 0.
                Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => break code,
                // An answer that does not begin: the container goes on running.
                Some(Err(bollard::errors::Error::RequestTimeoutError)) => {
                    stream.set(self.docker.wait_container(container, None::<WaitContainerOptions>));
                }
                Some(Err(error)) => return Err(self.error(OPERATION, error)),
                None => {
                    return Err(EngineError::Unreachable {
                        engine: self.address.to_string(),
                        operation: OPERATION.to_owned(),
                        cause: "the answer ended without an exit code".to_owned(),
                    });
                }
            }
        };
        if code != 0 {
            self.still_there(OPERATION).await?;
        }
        Ok(code)
    }

    /// A container's log so far, as much as it may have. It is read without following: that would lose an unterminated last line.
    pub(super) async fn log(&self, container: &str, limits: Limits) -> Result<Captured, EngineError> {
        let options = LogsOptions { stdout: true, stderr: true, tail: "all".to_owned(), ..Default::default() };
        let mut stream = std::pin::pin!(self.docker.logs(container, Some(options)));
        let mut streams = Streams::new(limits.log());
        while let Some(chunk) = stream.next().await
            && !streams.is_full()
        {
            streams.push(&chunk.map_err(|error| self.error("reading a container's log", error))?);
        }
        Ok(streams.finish())
    }

    /// Removes a container, running or not. One that is gone is removed.
    pub(crate) async fn remove_container(&self, container: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
        for _ in 0..REMOVE_TRIES {
            let removed = self.docker.remove_container(container, Some(options.clone())).await;
            match removed.map_err(|error| self.error("removing a container", error)) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_not_found() => return Ok(()),
                // Somebody is removing it at this moment: wait until it is gone, then see.
                Err(EngineError::Refused { status: 409, .. }) => {
                    let gone = WaitContainerOptions { condition: "removed".to_owned() };
                    let mut stream = std::pin::pin!(self.docker.wait_container(container, Some(gone)));
                    drop(tokio::time::timeout(Duration::from_secs(5), stream.next()).await);
                }
                Err(error) => return Err(error),
            }
        }
        Err(EngineError::Unexpected {
            operation: "removing a container".to_owned(),
            what: format!("{container} is still being removed by another client"),
        })
    }
}
