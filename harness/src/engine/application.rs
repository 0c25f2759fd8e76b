//! Application containers: started through testcontainers, asked at their own address on the run's network.
//!
//! No port is published: the run's relay connects to them. So no port number is picked, and nothing of a test can be reached
//! from elsewhere.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ChangeType;
use bollard::models::{ContainerState, ContainerStateStatusEnum, ExecConfig};
use bollard::query_parameters::{
    InspectContainerOptions, KillContainerOptions, ResizeContainerTTYOptions, StartContainerOptions,
};
use futures_util::StreamExt;
use testcontainers::core::Host;
use testcontainers::core::error::{ClientError, TestcontainersError};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};

use super::container::container_name;
use super::error::not_executable;
use super::network::address_on;
use super::stream::Streams;
use super::{Engine, EngineError, LABEL_RUN, Network, Start};
use crate::check::captured::Captured;
use crate::check::evidence::{Change, ChangeKind, CommandEnd, CommandEvidence, StopEvidence};
use crate::outcome::RunId;
use crate::outcome::with_causes;
use crate::suite::limits::Limits;

/// The port that the family's entry point serves on.
const PORT: u16 = 80;
/// What is being done when an application is started.
const OPERATION: &str = "starting a container";

/// A started application container. It is to be removed; a clean-up by label finds one that was not.
pub(crate) struct Application {
    engine: Engine,
    id: String,
    /// The library's guard, which removes the container when it is dropped; none when the start failed.
    guard: Option<ContainerAsync<GenericImage>>,
    limits: Limits,
    /// None when it had ended before it could be asked for.
    address: Option<SocketAddr>,
    /// Exit code and message of a container whose program could not be started at all.
    not_started: Option<(i64, String)>,
}

impl Engine {
    /// Starts a container of an application image, with the image's entry point. It need not be ready, nor alive. One
    /// whose program does not exist or may not be executed is reported as a container that ended with 127 or 126.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn start_application(
        &self,
        image: &str,
        start: &Start,
        network: &Network,
        run: &RunId,
    ) -> Result<Application, EngineError> {
        if std::env::var("DOCKER_HOST").ok().as_deref() != Some(self.docker_host.as_str()) {
            return Err(EngineError::Unsuitable {
                what: "DOCKER_HOST names another engine, which would get the application containers".to_owned(),
            });
        }
        // By its id, so that nothing is ever pulled in its place.
        let Some(found) = self.inspect_image(image).await? else {
            let what = format!("there is no image {image}");
            return Err(EngineError::Unexpected { operation: OPERATION.to_owned(), what });
        };
        let (algorithm, digest) = found.id.split_once(':').unwrap_or(("sha256", &found.id));
        let name = container_name(run, "application");
        if start.terminal {
            let id = self.create(&name, start.with_terminal(&found.id, network, run)).await?;
            let (engine, limits) = (self.clone(), start.limits);
            let mut application = Application { engine, id, guard: None, limits, address: None, not_started: None };
            // It is started as one is that was stopped.
            application.restart(network).await?;
            return Ok(application);
        }
        let request = GenericImage::new(algorithm, digest)
            .with_container_name(&name)
            .with_network(&network.name)
            .with_host(crate::mirror::HOST, Host::Addr(network.relay))
            .with_label(LABEL_RUN, run.as_str());
        match start.apply(request).start().await {
            Ok(guard) => {
                let address = self.address(guard.id(), network).await?;
                Ok(Application {
                    engine: self.clone(),
                    id: guard.id().to_owned(),
                    guard: Some(guard),
                    limits: start.limits,
                    address,
                    not_started: None,
                })
            }
            Err(error) => match self.start_error(error) {
                EngineError::Refused { operation, status, message } => match not_executable(&message) {
                    Some(code) => Ok(Application {
                        engine: self.clone(),
                        // It was created under its name; the library forgets it when it does not start.
                        id: name,
                        guard: None,
                        limits: start.limits,
                        address: None,
                        not_started: Some((code, message)),
                    }),
                    None => Err(EngineError::Refused { operation, status, message }),
                },
                EngineError::Unexpected { operation, what } => {
                    self.still_there(OPERATION).await?;
                    Err(EngineError::Unexpected { operation, what })
                }
                error => Err(error),
            },
        }
    }

    fn start_error(&self, error: TestcontainersError) -> EngineError {
        match error {
            TestcontainersError::Client(
                ClientError::Init(error)
                | ClientError::CreateContainer(error)
                | ClientError::StartContainer(error)
                | ClientError::InspectContainer(error)
                | ClientError::ListNetworks(error),
            ) => self.error(OPERATION, error),
            error => EngineError::Unexpected { operation: OPERATION.to_owned(), what: with_causes(&error) },
        }
    }

    /// Where a container is asked on the network. One that has ended already has no address any more.
    async fn address(&self, container: &str, network: &Network) -> Result<Option<SocketAddr>, EngineError> {
        let inspected = self
            .docker
            .inspect_container(container, None::<InspectContainerOptions>)
            .await
            .map_err(|error| self.error(OPERATION, error))?;
        let address = address_on(&network.name, &inspected);
        Ok(address.map(|address| SocketAddr::new(address, PORT)))
    }
}

impl Application {
    /// Where the container is asked; none when it ended at once.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The engine's id of it, or its name.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Its exit code, if it has ended.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn exit_code(&self) -> Result<Option<i64>, EngineError> {
        if let Some((code, _)) = self.not_started {
            return Ok(Some(code));
        }
        let state = self.state().await?;
        match state.exit_code {
            _ if state.running == Some(true) => Ok(None),
            Some(0) => Ok(Some(0)),
            code => {
                self.engine.still_there("inspecting a container").await?;
                Ok(code.or(Some(-1)))
            }
        }
    }

    /// Waits until the container has ended; its exit code.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn wait_exit(&self) -> Result<i64, EngineError> {
        if let Some((code, _)) = self.not_started {
            return Ok(code);
        }
        let code = self.engine.wait(&self.id).await?;
        if code == 0 {
            self.state().await?;
        }
        Ok(code)
    }

    /// The container's state. One that was never started has an exit code, too: the engine said that it did start it.
    async fn state(&self) -> Result<ContainerState, EngineError> {
        const OPERATION: &str = "inspecting a container";
        let inspected = self.engine.docker.inspect_container(&self.id, None::<InspectContainerOptions>).await;
        let state = inspected.map_err(|error| self.engine.error(OPERATION, error))?.state.unwrap_or_default();
        if state.status == Some(ContainerStateStatusEnum::CREATED) {
            return Err(EngineError::Unexpected {
                operation: OPERATION.to_owned(),
                what: "the engine reported a start, and the container never started".to_owned(),
            });
        }
        Ok(state)
    }

    /// Runs a command in the running container. Its time is limited.
    ///
    /// # Errors
    /// When the engine cannot. A program that is not there or may not be executed is evidence (exit code 127 or 126), and
    /// so are one that does not end and a container that has ended.
    pub(crate) async fn exec(&self, argv: &[String], limits: Limits) -> Result<CommandEvidence, EngineError> {
        const OPERATION: &str = "running a command in a running container";
        let engine = &self.engine;
        let config = ExecConfig {
            cmd: Some(argv.to_vec()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let created = engine.docker.create_exec(&self.id, config).await;
        let exec = match created.map_err(|error| engine.error(OPERATION, error)) {
            Ok(exec) => exec.id,
            Err(EngineError::Refused { status: 409, message, .. }) => {
                return Ok(CommandEvidence { end: CommandEnd::ContainerEnded, output: vec![message].into() });
            }
            Err(error) => return Err(error),
        };
        let mut streams = Streams::new(limits.log());
        match engine.docker.start_exec(&exec, None).await.map_err(|error| engine.error(OPERATION, error)) {
            Ok(StartExecResults::Attached { mut output, .. }) => {
                // Read to its end also where the rest is dropped: the command waits for whoever reads it.
                let read = async {
                    while let Some(chunk) = output.next().await {
                        let chunk = chunk.map_err(|error| engine.error(OPERATION, error))?;
                        // What is in no frame is the rest of a connection that broke: what would have followed is not known.
                        if let LogOutput::Console { .. } = chunk {
                            return Err(engine.broke_off(OPERATION));
                        }
                        streams.push(&chunk);
                    }
                    Ok::<(), EngineError>(())
                };
                if let Ok(read) = tokio::time::timeout(limits.command(), read).await {
                    read?;
                } else {
                    let end = CommandEnd::TimedOut(limits.command());
                    return Ok(CommandEvidence { end, output: streams.finish() });
                }
            }
            Ok(StartExecResults::Detached) => {}
            Err(EngineError::Refused { operation, status, message }) => {
                return match not_executable(&message) {
                    Some(exit_code) => Ok(CommandEvidence::not_started(exit_code, message)),
                    None => Err(EngineError::Refused { operation, status, message }),
                };
            }
            Err(error) => return Err(error),
        }
        let output = streams.finish();
        let inspected = engine.docker.inspect_exec(&exec).await.map_err(|error| engine.error(OPERATION, error))?;
        // One that goes on is not one whose output has ended.
        let exit_code = inspected.exit_code.ok_or_else(|| engine.broke_off(OPERATION))?;
        engine.still_there(OPERATION).await?;
        // Some engines tell in the output, and with another exit code, that the program could not be started. There was no process then;
        // the same words of one are its own.
        let never_ran = inspected.pid.unwrap_or(0) == 0;
        let first = output.read_part().first().filter(|line| never_ran && line.starts_with("OCI runtime exec failed"));
        let exit_code = first.and_then(|line| not_executable(line)).unwrap_or(exit_code);
        Ok(CommandEvidence { end: CommandEnd::Exited(exit_code), output })
    }

    /// Sends SIGTERM and waits; after the limit the container is killed.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn stop(&self, limit: Duration) -> Result<StopEvidence, EngineError> {
        let begun = Instant::now();
        if let Some((exit_code, _)) = self.not_started {
            return Ok(StopEvidence { exit_code, took: Duration::ZERO, killed: false });
        }
        if !self.signal("SIGTERM").await? {
            let exit_code = self.exit_code().await?.unwrap_or(-1);
            return Ok(StopEvidence { exit_code, took: begun.elapsed(), killed: false });
        }
        if let Ok(exit_code) = tokio::time::timeout(limit, self.wait_exit()).await {
            return Ok(StopEvidence { exit_code: exit_code?, took: begun.elapsed(), killed: false });
        }
        let killed = self.signal("SIGKILL").await?;
        let exit_code = self.wait_exit().await?;
        Ok(StopEvidence { exit_code, took: begun.elapsed(), killed })
    }

    /// Kills the container, which has no time to clean up, and waits until it is gone. One that has ended stays so.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn kill(&self) -> Result<(), EngineError> {
        if self.not_started.is_none() && self.signal("SIGKILL").await? {
            self.wait_exit().await?;
        }
        Ok(())
    }

    /// Sends a signal; `false` when the container was not running any more.
    async fn signal(&self, signal: &str) -> Result<bool, EngineError> {
        let options = KillContainerOptions { signal: signal.to_owned() };
        let sent = self.engine.docker.kill_container(&self.id, Some(options)).await;
        match sent.map_err(|error| self.engine.error("sending a signal to a container", error)) {
            Ok(()) => Ok(true),
            Err(EngineError::Refused { status: 409, .. }) => Ok(false),
            Err(EngineError::Refused { message, .. }) if message.contains("is not running") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives the container's terminal another size. One that has ended has none.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn resize(&self) -> Result<(), EngineError> {
        let size = ResizeContainerTTYOptions { h: 40, w: 100 };
        let resized = self.engine.docker.resize_container_tty(&self.id, size).await;
        match resized.map_err(|error| self.engine.error("resizing a container's terminal", error)) {
            Err(EngineError::Refused { message, .. }) if message.contains("is not running") => Ok(()),
            other => other,
        }
    }

    /// Starts the container again after it has ended. Its address may be another one.
    ///
    /// # Errors
    /// When the engine cannot. A program that no longer exists is reported as an end, as of the first start.
    pub(crate) async fn restart(&mut self, network: &Network) -> Result<(), EngineError> {
        const OPERATION: &str = "starting a container again";
        let engine = &self.engine;
        let started = engine.docker.start_container(&self.id, None::<StartContainerOptions>).await;
        match started.map_err(|error| engine.error(OPERATION, error)) {
            Ok(()) => self.address = engine.address(&self.id, network).await?,
            Err(EngineError::Refused { operation, status, message }) => match not_executable(&message) {
                Some(code) => self.not_started = Some((code, message)),
                None => return Err(EngineError::Refused { operation, status, message }),
            },
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What the container has changed in the image's file system; what is mounted in it is not part of that.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn changes(&self) -> Result<Vec<Change>, EngineError> {
        let engine = &self.engine;
        let changes = engine.docker.container_changes(&self.id).await;
        let changes = changes.map_err(|error| engine.error("reading what a container has changed", error))?;
        let changes = changes.unwrap_or_default().into_iter().map(|change| Change {
            kind: match change.kind {
                ChangeType::_0 => ChangeKind::Changed,
                ChangeType::_1 => ChangeKind::Added,
                ChangeType::_2 => ChangeKind::Removed,
            },
            path: change.path,
        });
        Ok(changes.collect())
    }

    /// The container's log so far, a line each.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn log(&self) -> Result<Captured, EngineError> {
        match &self.not_started {
            Some((_, message)) => Ok(vec![message.clone()].into()),
            None => self.engine.log(&self.id, self.limits).await,
        }
    }

    /// Leaves the container on the engine when this value goes.
    pub(crate) fn keep(mut self) {
        // The guard's destructor removes the container; without it only a handle of a few bytes stays.
        std::mem::forget(self.guard.take());
    }

    /// Removes the container.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn remove(mut self) -> Result<(), EngineError> {
        self.engine.remove_container(&self.id).await?;
        // Gone; the guard's destructor would only complain that it is.
        std::mem::forget(self.guard.take());
        Ok(())
    }
}
