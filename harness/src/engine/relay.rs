//! The relay of a run: a container on its network whose standard streams, attached through the engine's API, carry every connection
//! between builds and containers on one side and this program on the other.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use bollard::container::{AttachContainerResults, LogOutput};
use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, HostConfigLogConfig, NetworkingConfig,
    ResourcesUlimits,
};
use bollard::query_parameters::{AttachContainerOptions, InspectContainerOptions, StartContainerOptions};
use futures_util::StreamExt;

use super::container::{container_name, run_labels};
use super::network::{BRIDGE, address_on};
use super::{Engine, EngineError, Network};
use crate::mirror::PORT;
use crate::outcome::RunId;
use crate::relay::{Incoming, Link, Output, command};

/// What is being done.
const OPERATION: &str = "starting the relay";
/// What the relay may take of memory, in bytes: the windows of as many connections as it carries, in both directions.
const MEMORY: i64 = 768 << 20;
/// How many descriptors it may have: more than the connections that it carries at once.
const DESCRIPTORS: i64 = 1024;
/// Whom it runs as: nobody.
const USER: &str = "65534:65534";

/// A relay at work.
#[derive(Debug)]
pub(crate) struct Relay {
    link: Link,
    container: String,
}

impl Relay {
    /// What carries connections to containers.
    pub(crate) fn link(&self) -> &Link {
        &self.link
    }

    /// Whether what came through the relay since `begun` counts, for or against a candidate: where it has ended, or said nothing for a
    /// while, a build fails as one does that finds nothing, and a server looks as one does that does not answer.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn was_there(&self, begun: Instant) -> Result<(), EngineError> {
        match self.link.lost() {
            Some(why) => Err(EngineError::RelayLost { why }),
            None if self.link.stalled_since(begun) => Err(EngineError::RelayStalled),
            None => Ok(()),
        }
    }
}

impl Engine {
    /// Starts a relay on a run's network, in a container of a distribution's image, and waits until it listens; with it come the
    /// connections to its port.
    ///
    /// # Errors
    /// When the engine cannot, or it ends.
    pub(crate) async fn start_relay(
        &self,
        image: &str,
        network: &Network,
        run: &RunId,
    ) -> Result<(Relay, Incoming), EngineError> {
        self.relay_on(image, &network.name, Some(network.relay), run).await
    }

    /// Starts a relay that builds by `BuildKit` reach, each of which is to have one for itself; and the network that such a build is on.
    ///
    /// # Errors
    /// As [`Self::start_relay`], and when the engine's default bridge leads outside.
    pub(crate) async fn start_own_relay(
        &self,
        image: &str,
        run: &RunId,
    ) -> Result<(Relay, Incoming, Network), EngineError> {
        let bridge = self.closed_bridge().await?;
        let (relay, incoming) = self.relay_on(image, BRIDGE, None, run).await?;
        let found = self.docker.inspect_container(&relay.container, None::<InspectContainerOptions>).await;
        let found = found.map_err(|error| self.error(OPERATION, error))?;
        let address = address_on(BRIDGE, &found).ok_or_else(|| EngineError::Unexpected {
            operation: OPERATION.to_owned(),
            what: "the relay has no address".to_owned(),
        })?;
        Ok((relay, incoming, Network { relay: address, ..bridge }))
    }

    async fn relay_on(
        &self,
        image: &str,
        network: &str,
        address: Option<IpAddr>,
        run: &RunId,
    ) -> Result<(Relay, Incoming), EngineError> {
        let endpoint = EndpointSettings {
            ipam_config: address
                .map(|address| EndpointIpamConfig { ipv4_address: Some(address.to_string()), ..Default::default() }),
            ..Default::default()
        };
        let config = HostConfig {
            network_mode: Some(network.to_owned()),
            // All that it does is to move bytes.
            cap_drop: Some(vec!["ALL".to_owned()]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            readonly_rootfs: Some(true),
            memory: Some(MEMORY),
            memory_swap: Some(MEMORY),
            pids_limit: Some(8),
            ulimits: Some(vec![ResourcesUlimits {
                name: Some("nofile".to_owned()),
                soft: Some(DESCRIPTORS),
                hard: Some(DESCRIPTORS),
            }]),
            // What it carries is not for a log.
            log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
            ..Default::default()
        };
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(command(PORT)),
            cmd: Some(Vec::new()),
            user: Some(USER.to_owned()),
            labels: Some(run_labels(run)),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            open_stdin: Some(true),
            // It ends when whoever attached to it has gone.
            stdin_once: Some(true),
            host_config: Some(config),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])),
            }),
            ..Default::default()
        };
        let container = self.create(&container_name(run, "relay"), body).await?;
        let options =
            AttachContainerOptions { stream: true, stdin: true, stdout: true, stderr: true, ..Default::default() };
        let attached = self.docker.attach_container(&container, Some(options)).await;
        let AttachContainerResults { output, input } = attached.map_err(|error| self.error(OPERATION, error))?;
        let started = self.docker.start_container(&container, None::<StartContainerOptions>).await;
        started.map_err(|error| self.error(OPERATION, error))?;
        let output = output.map(|piece| match piece {
            Ok(LogOutput::StdOut { message }) => Ok(Output::Frames(message)),
            Ok(LogOutput::StdErr { message }) => Ok(Output::Complaint(message)),
            // What is in no frame of the engine's is the rest of a connection that broke.
            Ok(LogOutput::Console { .. } | LogOutput::StdIn { .. }) => {
                Err(std::io::Error::other("its output broke off"))
            }
            Err(error) => Err(std::io::Error::other(error)),
        });
        let (link, incoming) = Link::begin(output, input).await.map_err(|error| EngineError::Unexpected {
            operation: OPERATION.to_owned(),
            what: format!("the relay does not work: {error}"),
        })?;
        Ok((Relay { link, container }, incoming))
    }

    /// Takes a run's relay away.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn stop_relay(&self, relay: &Relay) -> Result<(), EngineError> {
        self.remove_container(&relay.container).await
    }

    /// Whether evidence against a candidate counts which was taken since `begun`: the engine is still there, still the one that the
    /// run's relay was started on, and had room on its disk. One that is stopped takes its containers along, and their ends look like
    /// the candidate's.
    ///
    /// # Errors
    /// When it does not count.
    pub(crate) async fn is_as_before(&self, relay: Option<&Relay>, begun: Instant) -> Result<(), EngineError> {
        self.ping().await?;
        if let Some(full) = self.room.full_since(begun, "what a candidate could not do then may be due to that") {
            return Err(full);
        }
        relay.map_or(Ok(()), |relay| relay.was_there(begun))
    }
}
