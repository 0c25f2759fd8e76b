//! What is ours on an engine: found by label, and taken away.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bollard::models::{ContainerSummary, ImageSummary};
use bollard::query_parameters::{ListContainersOptions, ListImagesOptions, ListNetworksOptions};
use futures_util::future::join_all;

use super::network::run_of;
use super::{Engine, EngineError, LABEL_CACHE, LABEL_LOCK, LABEL_RUN};
use crate::outcome::RunId;

/// How long a sweep goes on, where builds were given up. A run that is stopped has five seconds for all.
const SWEEP_LIMIT: Duration = Duration::from_secs(3);
/// How often it is tried to remove what is in the way of itself, where no build is being made.
const SWEEPS: usize = 4;
/// How long a sweep waits before it looks again.
const PAUSE: Duration = Duration::from_millis(200);

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Container,
    Network,
    /// An image: one of a run, or what a build that failed or was cut short left.
    Image,
    /// An image that is kept on purpose, or that one of those is built on.
    KeptImage,
}

/// Something of ours on an engine.
#[derive(Debug, Clone)]
pub(crate) struct Leftover {
    pub kind: Kind,
    /// The engine's id of it.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The run that it belongs to; empty when it does not say.
    pub run: String,
    /// An image's size in bytes, with what it shares with others.
    pub size: u64,
    /// The lock file of its run, if it says.
    pub lock: Option<PathBuf>,
}

impl Leftover {
    /// Whether it is there on purpose.
    pub(crate) fn is_kept(&self) -> bool {
        self.kind == Kind::KeptImage
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Container => "container",
            Kind::Network => "network",
            Kind::Image | Kind::KeptImage => "image",
        };
        write!(f, "{kind} {}", self.name)
    }
}

impl Engine {
    /// All that is ours on the engine, containers first, images last and those built on another before it: in this
    /// order it can be removed.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn list_ours(&self) -> Result<Vec<Leftover>, EngineError> {
        let mut found = self.of_runs().await?;
        let options = ListImagesOptions { all: true, filters: Some(label(LABEL_CACHE)), ..Default::default() };
        let mut images =
            self.docker.list_images(Some(options)).await.map_err(|error| self.error("listing images", error))?;
        let parents: HashMap<String, String> =
            images.iter().map(|image| (image.id.clone(), image.parent_id.clone())).collect();
        images.sort_by_key(|image| Reverse(depth(&image.id, &parents)));
        let kept = kept_images(&images, &parents);
        found.extend(images.into_iter().map(|image| Leftover {
            kind: if kept.contains(&image.id) { Kind::KeptImage } else { Kind::Image },
            name: name_of(&image).cloned().unwrap_or_else(|| short(&image.id)),
            run: image.labels.get(LABEL_RUN).cloned().unwrap_or_default(),
            size: u64::try_from(image.size).unwrap_or(0),
            id: image.id,
            lock: None,
        }));
        Ok(found)
    }

    /// Containers and networks of all runs. A build's containers do not carry the run's label, but inherit the one of
    /// the images that they are made from, and are on the run's network.
    async fn of_runs(&self) -> Result<Vec<Leftover>, EngineError> {
        let mut found: Vec<Leftover> = Vec::new();
        for name in [LABEL_RUN, LABEL_CACHE] {
            let options = ListContainersOptions { all: true, filters: Some(label(name)), ..Default::default() };
            let containers = self
                .docker
                .list_containers(Some(options))
                .await
                .map_err(|error| self.error("listing containers", error))?;
            for container in containers {
                let leftover = of_container(container);
                if found.iter().all(|other| other.id != leftover.id) {
                    found.push(leftover);
                }
            }
        }
        let options = ListNetworksOptions { filters: Some(label(LABEL_RUN)) };
        let networks =
            self.docker.list_networks(Some(options)).await.map_err(|error| self.error("listing networks", error))?;
        found.extend(networks.into_iter().map(|network| {
            let labels = network.labels.unwrap_or_default();
            Leftover {
                kind: Kind::Network,
                id: network.id.unwrap_or_default(),
                name: network.name.unwrap_or_default(),
                run: labels.get(LABEL_RUN).cloned().unwrap_or_default(),
                size: 0,
                lock: labels.get(LABEL_LOCK).map(PathBuf::from),
            }
        }));
        Ok(found)
    }

    /// The containers of a run that were kept, and its network with them; nothing when no container was.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn kept(&self, run: &RunId) -> Result<Vec<Leftover>, EngineError> {
        let mut found = self.of_runs().await?;
        found.retain(|leftover| leftover.run == run.as_str());
        let kept = found.iter().any(|leftover| leftover.kind == Kind::Container);
        Ok(if kept { found } else { Vec::new() })
    }

    /// Removes something of ours. What is gone already is removed.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn remove(&self, leftover: &Leftover) -> Result<(), EngineError> {
        match leftover.kind {
            Kind::Container => self.remove_container(&leftover.id).await,
            Kind::Network => self.remove_network(&leftover.id).await,
            Kind::KeptImage => self.remove_image(&leftover.id).await,
            Kind::Image => match self.remove_image(&leftover.id).await {
                // Something that stays is built on it, or a build has begun on it since: then it is somebody's.
                Err(EngineError::Refused { status: 409, .. }) => Ok(()),
                other => other,
            },
        }
    }

    /// Takes everything of a run off the engine. Where it is `alone`, when no other run is alive, also what builds left that
    /// failed or were cut short: those images do not say whose they are. What runs goes first. Goes on when something cannot
    /// be removed, and tells of the first that could not.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn sweep_run(&self, run: &RunId, alone: impl Fn(&[Leftover]) -> bool) -> Result<(), EngineError> {
        let found = self.list_ours().await?;
        let alone = alone(&found);
        // What builds of kept images run in says no more whose it is than the images that they leave.
        let building = self.pending.is_any();
        let nobodys = |kind: Kind| alone && (kind == Kind::Image || building && kind == Kind::Container);
        let is_to_go =
            |leftover: &Leftover| leftover.run == run.as_str() || leftover.run.is_empty() && nobodys(leftover.kind);
        let begun = Instant::now();
        let mut found: Vec<Leftover> = found.into_iter().filter(is_to_go).collect();
        let mut sweeps = 0;
        loop {
            let removed = self.remove_all_of(&found).await;
            sweeps += 1;
            let building = self.pending.is_any();
            if begun.elapsed() > SWEEP_LIMIT || !building && sweeps >= SWEEPS {
                return removed;
            }
            // A build that was given up goes on as long as nothing stops its next instruction.
            self.pending.ended(PAUSE).await;
            found = self.list_ours().await?.into_iter().filter(is_to_go).collect();
            if found.is_empty() && !self.pending.is_any() {
                // Whatever was refused meanwhile has gone all the same.
                return Ok(());
            }
            if !building {
                // The engine itself is removing what these depend on, and tells of no end of that.
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Removes these, what runs first. Goes on when one cannot be removed, and tells of the first that could not.
    async fn remove_all_of(&self, found: &[Leftover]) -> Result<(), EngineError> {
        let (running, rest): (Vec<_>, Vec<_>) = found.iter().partition(|leftover| leftover.kind == Kind::Container);
        let mut results = join_all(running.into_iter().map(|leftover| self.remove(leftover))).await;
        for leftover in rest {
            results.push(self.remove(leftover).await);
        }
        results.into_iter().collect()
    }

    /// Takes all containers and networks off an engine that is the suite's alone.
    pub(super) async fn remove_all(&self) -> Result<(), EngineError> {
        let options = ListContainersOptions { all: true, ..Default::default() };
        let containers = self
            .docker
            .list_containers(Some(options))
            .await
            .map_err(|error| self.error("listing containers", error))?;
        for id in containers.into_iter().filter_map(|container| container.id) {
            self.remove_container(&id).await?;
        }
        let filters = Some(HashMap::from([("type".to_owned(), vec!["custom".to_owned()])]));
        let networks = self
            .docker
            .list_networks(Some(ListNetworksOptions { filters }))
            .await
            .map_err(|error| self.error("listing networks", error))?;
        for id in networks.into_iter().filter_map(|network| network.id) {
            self.remove_network(&id).await?;
        }
        Ok(())
    }

    pub(super) async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let of = |error| self.error("removing a network", error);
        let network = match self.docker.inspect_network(id, None).await.map_err(of) {
            Ok(network) => network,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        };
        for container in network.containers.unwrap_or_default().into_keys() {
            self.remove_container(&container).await?;
        }
        match self.docker.remove_network(id).await.map_err(of) {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }
}

/// An image's name, if it has one.
fn name_of(image: &ImageSummary) -> Option<&String> {
    image.repo_tags.iter().find(|tag| *tag != "<none>:<none>")
}

/// The images with a name, and those that they are built on.
fn kept_images(images: &[ImageSummary], parents: &HashMap<String, String>) -> HashSet<String> {
    let named = images.iter().filter(|image| name_of(image).is_some());
    named
        .flat_map(|image| {
            std::iter::successors(Some(&image.id), |id| parents.get(*id)).take(parents.len() + 1).cloned()
        })
        .collect()
}

fn label(name: &str) -> HashMap<String, Vec<String>> {
    HashMap::from([("label".to_owned(), vec![name.to_owned()])])
}

/// Whose a container is: its label says so, else the network it is on, else its name.
fn of_container(container: ContainerSummary) -> Leftover {
    let id = container.id.unwrap_or_default();
    let name = container.names.and_then(|names| names.into_iter().next()).unwrap_or_else(|| short(&id));
    let name = name.trim_start_matches('/').to_owned();
    let label = container.labels.and_then(|labels| labels.get(LABEL_RUN).cloned());
    let by_network = || {
        let networks = container.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        networks.keys().find_map(|network| run_of(network).map(str::to_owned))
    };
    let by_name = || run_of(&name).map(str::to_owned);
    let run = label.or_else(by_network).or_else(by_name).unwrap_or_default();
    Leftover { kind: Kind::Container, id, name, run, size: 0, lock: None }
}

/// How many images of the list an image is built on.
fn depth(id: &str, parents: &HashMap<String, String>) -> usize {
    std::iter::successors(parents.get(id), |parent| parents.get(*parent)).take(parents.len()).count()
}

fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bollard::models::{ContainerSummaryNetworkSettings, EndpointSettings};

    fn container(label: Option<&str>, network: &str, name: &str) -> ContainerSummary {
        let networks = HashMap::from([(network.to_owned(), EndpointSettings::default())]);
        ContainerSummary {
            names: Some(vec![format!("/{name}")]),
            labels: label.map(|run| HashMap::from([(LABEL_RUN.to_owned(), run.to_owned())])),
            network_settings: Some(ContainerSummaryNetworkSettings { networks: Some(networks) }),
            ..Default::default()
        }
    }

    #[test]
    fn a_container_is_its_labels_its_networks_or_its_names_run() {
        assert_eq!(of_container(container(Some("a1"), "wsgi-proof-b2", "x")).run, "a1");
        assert_eq!(of_container(container(None, "wsgi-proof-b2", "eager_hopper")).run, "b2");
        assert_eq!(of_container(container(None, "none", "wsgi-proof-c3-instrument-1")).run, "c3");
        assert_eq!(of_container(container(None, "bridge", "eager_hopper")).run, "");
    }

    #[test]
    fn an_image_goes_before_what_it_is_built_on() {
        let parents = [("a", ""), ("b", "a"), ("c", "b"), ("d", "else")];
        let parents = parents.into_iter().map(|(id, parent)| (id.to_owned(), parent.to_owned())).collect();
        assert_eq!(["a", "b", "c", "d"].map(|id| depth(id, &parents)), [1, 2, 3, 1]);
    }
}
