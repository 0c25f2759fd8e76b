//! What canaries need of an engine: a beacon on another network, and containers and builds that try to reach it.

use std::net::IpAddr;

use bollard::models::{ContainerCreateBody, HostConfig, NetworkCreateRequest};
use bollard::query_parameters::{InspectContainerOptions, LogsOptions, StartContainerOptions};
use futures_util::StreamExt;

use super::container::{container_name, run_labels};
use super::network::{address_on, network_name};
use super::start::limit;
use super::stream::Streams;
use super::{BuildRequest, Engine, EngineError, Fate, Mark, Network};
use crate::check::evidence::{BuildEnd, CommandEvidence};
use crate::outcome::RunId;
use crate::suite::builder::Builder;
use crate::suite::limits::Limits;

/// What is being done.
const OPERATION: &str = "starting a beacon for the canaries";

/// The network of the engine's machine.
const MACHINE: &str = "host";

/// A container that answers whatever reaches it: on a network of its own, which the run's network must not lead to, or on the network
/// of the engine's machine.
#[derive(Debug)]
pub(crate) struct Beacon {
    /// What it said behind `ready`.
    pub ready: String,
    container: String,
    /// Its own network, and its address there.
    own: Option<(String, IpAddr)>,
}

impl Beacon {
    /// Its address, and its network as one that containers can be started on; none on the machine's.
    pub(crate) fn place(&self) -> Option<(IpAddr, Network)> {
        let (name, at) = self.own.clone()?;
        Some((at, Network { name, subnet: String::new(), gateway: at, has_gateway: true, relay: at }))
    }
}

impl Engine {
    /// Starts a beacon on a network of its own by this command, and waits until it says `ready`.
    ///
    /// # Errors
    /// When the engine cannot, or it ends.
    pub(crate) async fn start_beacon(
        &self,
        image: &str,
        command: Vec<String>,
        run: &RunId,
    ) -> Result<Beacon, EngineError> {
        let network = format!("{}-outside", network_name(run));
        let request =
            NetworkCreateRequest { name: network.clone(), labels: Some(run_labels(run)), ..Default::default() };
        self.docker.create_network(request).await.map_err(|error| self.error(OPERATION, error))?;
        let (container, ready) = self.beacon(image, command, &network, run).await?;
        let inspected = self.docker.inspect_container(&container, None::<InspectContainerOptions>).await;
        let inspected = inspected.map_err(|error| self.error(OPERATION, error))?;
        let address = address_on(&network, &inspected).ok_or_else(|| EngineError::Unexpected {
            operation: OPERATION.to_owned(),
            what: "the beacon has no address".to_owned(),
        })?;
        Ok(Beacon { ready, container, own: Some((network, address)) })
    }

    /// Starts a beacon on the network of the engine's machine.
    ///
    /// # Errors
    /// When the engine cannot, or it ends.
    pub(crate) async fn start_machine_beacon(
        &self,
        image: &str,
        command: Vec<String>,
        run: &RunId,
    ) -> Result<Beacon, EngineError> {
        let (container, ready) = self.beacon(image, command, MACHINE, run).await?;
        Ok(Beacon { ready, container, own: None })
    }

    async fn beacon(
        &self,
        image: &str,
        command: Vec<String>,
        network: &str,
        run: &RunId,
    ) -> Result<(String, String), EngineError> {
        let mut config = HostConfig {
            network_mode: Some(network.to_owned()),
            // An engine that gives containers users of their own refuses the machine's network otherwise.
            userns_mode: (network == MACHINE).then(|| "host".to_owned()),
            ..Default::default()
        };
        limit(&mut config, Limits::default());
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(command),
            cmd: Some(Vec::new()),
            labels: Some(run_labels(run)),
            host_config: Some(config),
            ..Default::default()
        };
        let container = self.create(&container_name(run, "beacon"), body).await?;
        let started = self.docker.start_container(&container, None::<StartContainerOptions>).await;
        started.map_err(|error| self.error(OPERATION, error))?;
        let ready = self.until_ready(&container).await?;
        Ok((container, ready))
    }

    /// Follows a beacon's log until it says that it is ready; what else it says then.
    async fn until_ready(&self, container: &str) -> Result<String, EngineError> {
        let options = LogsOptions { follow: true, stdout: true, stderr: true, ..Default::default() };
        let mut stream = std::pin::pin!(self.docker.logs(container, Some(options)));
        let mut streams = Streams::new(Limits::default().log());
        let ready = async {
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map_err(|error| self.error(OPERATION, error))?;
                if let Some(ports) = chunk.as_ref().strip_prefix(b"ready ") {
                    return Ok(String::from_utf8_lossy(ports).into_owned());
                }
                streams.push(&chunk);
            }
            let what = format!("the beacon ended: {}", streams.finish().text().replace('\n', " | "));
            Err(EngineError::Unexpected { operation: OPERATION.to_owned(), what })
        };
        let limit = Limits::default().command();
        tokio::time::timeout(limit, ready)
            .await
            .unwrap_or_else(|_| Err(EngineError::Idle { operation: OPERATION.to_owned(), after: limit }))
    }

    /// What reached a beacon, in the messages' own words.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn reached(&self, beacon: &Beacon) -> Result<Vec<String>, EngineError> {
        let log = self.log(&beacon.container, Limits::default()).await?;
        let lines = log.all().map_err(|exceeded| EngineError::Unexpected {
            operation: "reading the beacon's log".to_owned(),
            what: exceeded.to_string(),
        })?;
        Ok(lines.iter().filter_map(|line| line.strip_prefix("reached ")).map(str::to_owned).collect())
    }

    /// Takes a beacon away, and its network.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn stop_beacon(&self, beacon: Beacon) -> Result<(), EngineError> {
        self.remove_container(&beacon.container).await?;
        match beacon.own {
            Some((network, _)) => self.remove_network(&network).await,
            None => Ok(()),
        }
    }

    /// Has something fetched by a build as scenarios have them, by an `ADD` of its own or by one in a trigger of the image that it begins
    /// with. Whether that was refused.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn canary_fetch(
        &self,
        image: &str,
        address: &str,
        by_trigger: bool,
        network: &Network,
        run: &RunId,
    ) -> Result<bool, EngineError> {
        let add = format!("ADD {address} /fetched");
        let (image, add) = if by_trigger {
            (self.with_trigger(image, &add, run).await?, "")
        } else {
            (image.to_owned(), add.as_str())
        };
        let unwritable = |source| EngineError::Cache { path: "the context of a canary".to_owned(), source };
        let request = request(&format!("FROM {image}\n{add}\n"), Some(network), run).map_err(unwritable)?;
        Ok(matches!(self.build(request, &mut |_| {}).await?.end, BuildEnd::Refused(_)))
    }

    /// A container as scenarios have them, in which the canary is let out; what it said. `dns` is the name server that the
    /// engine has to use it.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn canary_container(
        &self,
        image: &str,
        command: Vec<String>,
        network: &Network,
        dns: IpAddr,
        run: &RunId,
    ) -> Result<CommandEvidence, EngineError> {
        let limits = Limits::default();
        let mut config = HostConfig {
            network_mode: Some(network.name.clone()),
            extra_hosts: Some(vec![network.host_entry()]),
            dns: Some(vec![dns.to_string()]),
            ..Default::default()
        };
        limit(&mut config, limits);
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(command),
            cmd: Some(Vec::new()),
            labels: Some(run_labels(run)),
            host_config: Some(config),
            ..Default::default()
        };
        let container = self.create(&container_name(run, "canary"), body).await?;
        let result = self.run_to_end(&container, limits, "running the canary container").await;
        let removed = self.remove_container(&container).await;
        result.and_then(|evidence| removed.map(|()| evidence))
    }
}

/// A build as scenarios have them, with the canary in it.
///
/// # Errors
/// When its context cannot be written.
pub(crate) fn canary_build(
    image: &str,
    command: &[String],
    network: &Network,
    builder: Builder,
    run: &RunId,
) -> Result<BuildRequest, std::io::Error> {
    let command = serde_json::to_string(command).map_err(std::io::Error::other)?;
    let request = request(&format!("ARG IMAGE\nFROM ${{IMAGE}}\nRUN {command}\n"), Some(network), run)?;
    let arguments = std::collections::BTreeMap::from([("IMAGE".to_owned(), image.to_owned())]);
    Ok(BuildRequest { arguments, builder, ..request })
}

/// The request for a build that has nothing but a Dockerfile.
pub(super) fn request(
    dockerfile: &str,
    network: Option<&Network>,
    run: &RunId,
) -> Result<BuildRequest, std::io::Error> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "Dockerfile", dockerfile.as_bytes())?;
    Ok(BuildRequest {
        context: archive.into_inner()?,
        dockerfile: "Dockerfile".to_owned(),
        arguments: std::collections::BTreeMap::new(),
        network: network.cloned(),
        use_cache: false,
        limits: Limits::default(),
        fate: Fate::OfRun(run.clone()),
        mark: Mark::new(),
        builder: Builder::Classic,
    })
}
