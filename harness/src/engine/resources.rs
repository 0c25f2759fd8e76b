//! What is ours on an engine: found by label, and taken away.

use std::collections::HashMap;
use std::fmt;

use bollard::query_parameters::{ListContainersOptions, ListImagesOptions, ListNetworksOptions, RemoveImageOptions};

use super::{Engine, EngineError, LABEL_CACHE, LABEL_RUN, RunId};

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A container.
    Container,
    /// A network.
    Network,
    /// An image: one of a run, or what a build that failed or was cut short left.
    Image,
    /// An image that is kept on purpose.
    KeptImage,
}

/// Something of ours on an engine.
#[derive(Debug, Clone)]
pub struct Leftover {
    /// What it is.
    pub kind: Kind,
    /// The engine's id of it.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// The run that it belongs to; empty when it does not say.
    pub run: String,
    /// An image's size in bytes, with what it shares with others.
    pub size: u64,
}

impl Leftover {
    /// Whether it is there on purpose.
    pub fn is_kept(&self) -> bool {
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
    /// All that is ours on the engine, containers first: in this order it can be removed.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub async fn list_ours(&self) -> Result<Vec<Leftover>, EngineError> {
        let mut found = self.of_runs(LABEL_RUN).await?;
        found.extend(self.images("dangling", "true", Kind::Image).await?);
        found.extend(self.images("dangling", "false", Kind::KeptImage).await?);
        Ok(found)
    }

    /// Images with our label, of which the ones without a name (and without children) are nobody's any more.
    async fn images(&self, filter: &str, value: &str, kind: Kind) -> Result<Vec<Leftover>, EngineError> {
        let filters = HashMap::from([
            ("label".to_owned(), vec![LABEL_CACHE.to_owned()]),
            (filter.to_owned(), vec![value.to_owned()]),
        ]);
        let options = ListImagesOptions { filters: Some(filters), ..Default::default() };
        let images =
            self.docker.list_images(Some(options)).await.map_err(|error| self.error("listing images", error))?;
        let leftover = |image: bollard::models::ImageSummary| Leftover {
            kind,
            name: match image.repo_tags.first() {
                Some(name) if kind == Kind::KeptImage => name.clone(),
                _ => short(&image.id),
            },
            run: image.labels.get(LABEL_RUN).cloned().unwrap_or_default(),
            size: u64::try_from(image.size).unwrap_or(0),
            id: image.id,
        };
        Ok(images.into_iter().map(leftover).collect())
    }

    /// Containers and networks with this label: `name`, or `name=value`.
    async fn of_runs(&self, label: &str) -> Result<Vec<Leftover>, EngineError> {
        let filters = || Some(HashMap::from([("label".to_owned(), vec![label.to_owned()])]));
        let options = ListContainersOptions { all: true, filters: filters(), ..Default::default() };
        let containers = self
            .docker
            .list_containers(Some(options))
            .await
            .map_err(|error| self.error("listing containers", error))?;
        let run = |labels: Option<HashMap<String, String>>| {
            labels.and_then(|labels| labels.get(LABEL_RUN).cloned()).unwrap_or_default()
        };
        let mut found: Vec<Leftover> = containers
            .into_iter()
            .map(|container| {
                let id = container.id.unwrap_or_default();
                let name = container.names.and_then(|names| names.into_iter().next()).unwrap_or_else(|| short(&id));
                let name = name.trim_start_matches('/').to_owned();
                Leftover { kind: Kind::Container, id, name, run: run(container.labels), size: 0 }
            })
            .collect();
        let options = ListNetworksOptions { filters: filters() };
        let networks =
            self.docker.list_networks(Some(options)).await.map_err(|error| self.error("listing networks", error))?;
        found.extend(networks.into_iter().map(|network| Leftover {
            kind: Kind::Network,
            id: network.id.unwrap_or_default(),
            name: network.name.unwrap_or_default(),
            run: run(network.labels),
            size: 0,
        }));
        Ok(found)
    }

    /// Containers and networks of a run that are still there.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub async fn of_run(&self, run: &RunId) -> Result<Vec<Leftover>, EngineError> {
        self.of_runs(&format!("{LABEL_RUN}={run}")).await
    }

    /// Removes something of ours. What is gone already is removed.
    ///
    /// # Errors
    /// When the engine cannot.
    pub async fn remove(&self, leftover: &Leftover) -> Result<(), EngineError> {
        match leftover.kind {
            Kind::Container => self.remove_container(&leftover.id).await,
            Kind::Network => self.remove_network(&leftover.id).await,
            Kind::Image | Kind::KeptImage => {
                let options = RemoveImageOptions { force: true, ..Default::default() };
                let removed = self.docker.remove_image(&leftover.id, Some(options), None).await;
                match removed.map(drop).map_err(|error| self.error("removing an image", error)) {
                    Err(error) if error.is_not_found() => Ok(()),
                    // Another build has begun on it since.
                    Err(EngineError::Refused { status: 409, .. }) if leftover.kind == Kind::Image => Ok(()),
                    other => other,
                }
            }
        }
    }

    /// Takes everything of a run off the engine. With `alone`, when no other run is alive, also what builds left that
    /// failed or were cut short: those images do not say whose they are.
    ///
    /// # Errors
    /// When the engine cannot.
    pub async fn sweep_run(&self, run: &RunId, alone: bool) -> Result<(), EngineError> {
        for leftover in self.list_ours().await? {
            let own = leftover.run == run.as_str();
            let nobodys = alone && leftover.kind == Kind::Image && leftover.run.is_empty();
            if own || nobodys {
                self.remove(&leftover).await?;
            }
        }
        Ok(())
    }

    async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
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

fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}
