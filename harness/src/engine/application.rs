//! Application containers: started through testcontainers, asked at their own address on the run's network.
//!
//! No port is published: an internal network has none to publish, and the host reaches the bridge's subnet itself. So
//! no port number is picked, and nothing of a test can be reached from elsewhere.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use bollard::query_parameters::{InspectContainerOptions, KillContainerOptions};
use futures_util::StreamExt;
use testcontainers::core::Host;
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};

use super::container::is_no_program;
use super::stream::Lines;
use super::{Engine, EngineError, LABEL_RUN, Network, RunId};
use crate::check::evidence::{CommandEvidence, StopEvidence};

/// The port that the family's entry point serves on.
const PORT: u16 = 80;
/// How long a command in a running container may take.
const EXEC_LIMIT: Duration = Duration::from_secs(60);

/// A started application container. It is to be removed; a clean-up by label finds one that was not.
pub struct Application {
    engine: Engine,
    container: ContainerAsync<GenericImage>,
    address: SocketAddr,
}

impl Engine {
    /// Starts a container of an application image, with the image's entry point. It need not be ready, nor alive.
    ///
    /// # Errors
    /// When the engine cannot.
    pub async fn start_application(
        &self,
        image: &str,
        arguments: Option<&[String]>,
        network: &Network,
        run: &RunId,
    ) -> Result<Application, EngineError> {
        const OPERATION: &str = "starting a container";
        if std::env::var("DOCKER_HOST").ok().as_deref() != Some(self.docker_host.as_str()) {
            return Err(EngineError::Unsuitable {
                what: "DOCKER_HOST does not name it, and application containers follow DOCKER_HOST".to_owned(),
            });
        }
        let (name, tag) = image.split_once(':').unwrap_or((image, "latest"));
        let mut request = GenericImage::new(name, tag)
            .with_network(&network.name)
            .with_host(crate::fixtures::HOST, Host::Addr(network.gateway))
            .with_label(LABEL_RUN, run.as_str())
            .with_host_config_modifier(|config| config.publish_all_ports = Some(false));
        if let Some(arguments) = arguments {
            request = request.with_cmd(arguments);
        }
        let container = match request.start().await {
            Ok(container) => container,
            // What went wrong is told best by the engine's own answer to the next question.
            Err(error) => {
                self.ping().await?;
                return Err(EngineError::Unexpected { operation: OPERATION.to_owned(), what: error.to_string() });
            }
        };
        let inspected = self
            .docker
            .inspect_container(container.id(), None::<InspectContainerOptions>)
            .await
            .map_err(|error| self.error(OPERATION, error))?;
        // A container that has ended already has no address any more; nothing will be asked there.
        let address = inspected
            .network_settings
            .and_then(|settings| settings.networks)
            .and_then(|networks| networks.get(&network.name).and_then(|own| own.ip_address.clone()))
            .and_then(|text| text.parse::<IpAddr>().ok())
            .unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        Ok(Application { engine: self.clone(), container, address: SocketAddr::new(address, PORT) })
    }
}

impl Application {
    /// Where the container is asked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its exit code, if it has ended.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub async fn exit_code(&self) -> Result<Option<i64>, EngineError> {
        let inspected = self
            .engine
            .docker
            .inspect_container(self.container.id(), None::<InspectContainerOptions>)
            .await
            .map_err(|error| self.engine.error("looking at a container", error))?;
        let state = inspected.state.unwrap_or_default();
        Ok(if state.running == Some(true) { None } else { state.exit_code.or(Some(-1)) })
    }

    /// Waits until the container has ended; its exit code.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub async fn wait_exit(&self) -> Result<i64, EngineError> {
        self.engine.wait(self.container.id()).await
    }

    /// Runs a command in the running container.
    ///
    /// # Errors
    /// When the engine cannot. A program that is not there is evidence: exit code 127.
    pub async fn exec(&self, argv: &[String]) -> Result<CommandEvidence, EngineError> {
        const OPERATION: &str = "running a command in a running container";
        let engine = &self.engine;
        let config = ExecConfig {
            cmd: Some(argv.to_vec()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let exec = engine
            .docker
            .create_exec(self.container.id(), config)
            .await
            .map_err(|error| engine.error(OPERATION, error))?;
        let started = engine.docker.start_exec(&exec.id, None).await.map_err(|error| engine.error(OPERATION, error));
        let mut lines = Lines::default();
        match started {
            Ok(StartExecResults::Attached { mut output, .. }) => {
                let read = async {
                    while let Some(chunk) = output.next().await {
                        let chunk = chunk.map_err(|error| engine.error(OPERATION, error))?;
                        lines.push(chunk.as_ref(), |_| {});
                    }
                    Ok::<(), EngineError>(())
                };
                tokio::time::timeout(EXEC_LIMIT, read)
                    .await
                    .map_err(|_| EngineError::Idle { operation: OPERATION.to_owned(), after: EXEC_LIMIT })??;
            }
            Ok(StartExecResults::Detached) => {}
            Err(EngineError::Refused { message, .. }) if is_no_program(&message) => {
                return Ok(CommandEvidence { exit_code: 127, output: message });
            }
            Err(error) => return Err(error),
        }
        let inspected = engine.docker.inspect_exec(&exec.id).await.map_err(|error| engine.error(OPERATION, error))?;
        let exit_code = inspected.exit_code.ok_or_else(|| EngineError::Unexpected {
            operation: OPERATION.to_owned(),
            what: "its output has ended but it has no exit code".to_owned(),
        })?;
        Ok(CommandEvidence { exit_code, output: lines.finish().join("\n") })
    }

    /// Sends SIGTERM and waits; after the limit the container is killed.
    ///
    /// # Errors
    /// When the engine cannot.
    pub async fn stop(&self, limit: Duration) -> Result<StopEvidence, EngineError> {
        let begun = Instant::now();
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

    /// Sends a signal; `false` when the container was not running any more.
    async fn signal(&self, signal: &str) -> Result<bool, EngineError> {
        let options = KillContainerOptions { signal: signal.to_owned() };
        let sent = self.engine.docker.kill_container(self.container.id(), Some(options)).await;
        match sent.map_err(|error| self.engine.error("sending a signal to a container", error)) {
            Ok(()) => Ok(true),
            Err(EngineError::Refused { status: 409, .. }) => Ok(false),
            Err(EngineError::Refused { message, .. }) if message.contains("is not running") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The container's log so far, a line each.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub async fn log(&self) -> Result<Vec<String>, EngineError> {
        self.engine.log(self.container.id()).await
    }

    /// Leaves the container on the engine when this value goes.
    pub fn keep(self) {
        // Its destructor removes the container; without it only a handle of a few bytes stays.
        std::mem::forget(self.container);
    }

    /// Removes the container.
    ///
    /// # Errors
    /// When the engine cannot.
    pub async fn remove(self) -> Result<(), EngineError> {
        let (engine, id) = (self.engine, self.container.id().to_owned());
        // Through its own library, which would otherwise try again when the value is dropped; what that cannot, we do.
        match self.container.rm().await {
            Ok(()) => Ok(()),
            Err(_) => engine.remove_container(&id).await,
        }
    }
}
