//! What is ours on an engine: what stands in the journal of this cache folder, by id, and what has a name that only one of its runs can
//! have chosen.
//!
//! Images and containers inherit labels, so that of somebody else's image which is built on one of ours a label says nothing. Two
//! labels count for images all the same, as no image that is kept has them: they are what tells the images of a build that nobody saw
//! the end of.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::fmt;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum, ImageSummary};
use bollard::query_parameters::{
    InspectContainerOptions, ListContainersOptions, ListImagesOptions, ListVolumesOptions,
};

use super::image::{KEPT, run_of_tag};
use super::network::{NAME_PREFIX, network_name_of, run_of};
use super::{Engine, EngineError, LABEL_OWNER, LABEL_RUN};
use crate::host::journal::{Journal, Kept, Past};
use crate::outcome::RunId;

/// What the clocks of this machine and of an engine's may differ by, in seconds.
const CLOCKS: i64 = 120;

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Container,
    /// The container of a build's instruction.
    BuildContainer {
        /// Whether it has ended: the builder is making an image of it, or about to remove it.
        ended: bool,
    },
    Network,
    Volume,
    /// An image: one of a run, or what a build that failed or was cut short left.
    Image,
    /// An image that is kept on purpose, or that one of those is built on.
    KeptImage,
    /// A name that an image had while it was being made.
    Name,
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
    /// An image's names that we gave it.
    pub tags: Vec<String>,
}

impl Leftover {
    /// Whether it is there on purpose.
    pub(crate) fn is_kept(&self) -> bool {
        self.kind == Kind::KeptImage
    }

    /// Whether the engine is making an image of a build's container. It removes the container when it has: nothing else tells.
    pub(crate) fn is_being_finished(&self) -> bool {
        self.kind == Kind::BuildContainer { ended: true }
    }

    pub(super) fn is_container(&self) -> bool {
        matches!(self.kind, Kind::Container | Kind::BuildContainer { .. })
    }
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Container | Kind::BuildContainer { .. } => "container",
            Kind::Network => "network",
            Kind::Volume => "volume",
            Kind::Image | Kind::KeptImage => "image",
            Kind::Name => "name",
        };
        write!(f, "{kind} {}", self.name)
    }
}

/// What is known to be ours.
pub(super) struct Ours {
    owner: String,
    runs: Vec<Past>,
    kept: Vec<Kept>,
}

impl Engine {
    /// All that is ours on the engine, containers first, images last and those built on another before it: in this
    /// order it can be removed.
    ///
    /// # Errors
    /// When the engine cannot say, or the journal cannot be read.
    pub(crate) async fn list_ours(&self) -> Result<Vec<Leftover>, EngineError> {
        let Some(ours) = self.ours()? else { return Ok(Vec::new()) };
        let mut found = self.all_but_images(&ours).await?;
        let options = ListImagesOptions { all: true, ..Default::default() };
        let images =
            self.docker.list_images(Some(options)).await.map_err(|error| self.error("listing images", error))?;
        found.extend(ours.images(images));
        Ok(found)
    }

    /// What the runs of the journal have written down.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn recorded_runs(&self) -> Result<Vec<Past>, EngineError> {
        Ok(self.ours()?.map(|ours| ours.runs).unwrap_or_default())
    }

    /// Writes down that what a run left has been taken away.
    ///
    /// # Errors
    /// When the journal cannot be changed.
    pub(crate) fn swept(&self, run: &str) -> Result<(), EngineError> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.swept(run)).map_err(EngineError::journal)
    }

    /// Whether a run gave builds up, which the engine may still be ending: what they leave has its name alone.
    pub(super) fn gave_builds_up(&self, run: &str) -> Result<bool, EngineError> {
        Ok(self.recorded_runs()?.iter().any(|past| past.run == run && past.open_builds > 0))
    }

    /// Forgets a run of which nothing is left.
    ///
    /// # Errors
    /// When the journal cannot be changed.
    pub(crate) fn forget(&self, run: &str) -> Result<(), EngineError> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.forget(run)).map_err(EngineError::journal)
    }

    pub(super) fn ours(&self) -> Result<Option<Ours>, EngineError> {
        let of = |journal: &Journal| {
            Ok(Ours { owner: journal.owner().to_owned(), runs: journal.runs()?, kept: journal.all_kept()? })
        };
        self.journal.as_ref().map(of).transpose().map_err(EngineError::journal)
    }

    /// The containers, networks and volumes of all runs.
    async fn all_but_images(&self, ours: &Ours) -> Result<Vec<Leftover>, EngineError> {
        let mut found: Vec<Leftover> = Vec::new();
        let options = ListContainersOptions { all: true, ..Default::default() };
        let containers = self.docker.list_containers(Some(options)).await;
        for container in containers.map_err(|error| self.error("listing containers", error))? {
            let Some(leftover) = ours.container(container) else { continue };
            if leftover.kind == Kind::Container || self.is_of_a_build(&leftover.id).await? {
                found.push(leftover);
            }
        }
        let networks = self.docker.list_networks(None).await.map_err(|error| self.error("listing networks", error))?;
        found.extend(networks.into_iter().filter_map(|network| {
            let name = network.name?;
            let run = ours.run(run_of(&name)?)?;
            let id = network.id.unwrap_or_default();
            Some(Leftover { kind: Kind::Network, id, name, run, size: 0, tags: Vec::new() })
        }));
        let filters = Some(HashMap::from([("name".to_owned(), vec![NAME_PREFIX.to_owned()])]));
        let volumes = self.docker.list_volumes(Some(ListVolumesOptions { filters })).await;
        let volumes = volumes.map_err(|error| self.error("listing volumes", error))?.volumes;
        found.extend(volumes.unwrap_or_default().into_iter().filter_map(|volume| ours.volume(volume.name)));
        Ok(found)
    }

    /// Whether a container on a run's network was made by a build of the run: those have a host that nobody else gives them. What
    /// somebody has put on the network stays theirs.
    pub(super) async fn is_of_a_build(&self, container: &str) -> Result<bool, EngineError> {
        let inspected = self.docker.inspect_container(container, None::<InspectContainerOptions>).await;
        match inspected.map_err(|error| self.error("inspecting a container", error)) {
            Ok(container) => {
                let hosts = container.host_config.and_then(|config| config.extra_hosts).unwrap_or_default();
                Ok(hosts.iter().any(|host| host.starts_with(crate::mirror::HOST)))
            }
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The containers of a run that were kept, and with them its network and their volumes; nothing when no container was.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn kept(&self, run: &RunId) -> Result<Vec<Leftover>, EngineError> {
        let Some(ours) = self.ours()? else { return Ok(Vec::new()) };
        let mut found = self.all_but_images(&ours).await?;
        found.retain(|leftover| leftover.run == run.as_str());
        let kept = found.iter().any(|leftover| leftover.kind == Kind::Container);
        Ok(if kept { found } else { Vec::new() })
    }
}

impl Ours {
    /// A run, if it stands in the journal.
    fn run(&self, run: &str) -> Option<String> {
        self.runs.iter().any(|past| past.run == run).then(|| run.to_owned())
    }

    /// A container whose name, or whose network's, only one of our runs can have chosen.
    fn container(&self, container: ContainerSummary) -> Option<Leftover> {
        let id = container.id.unwrap_or_default();
        let name = container.names.and_then(|names| names.into_iter().next()).unwrap_or_else(|| short(&id));
        let name = name.trim_start_matches('/').to_owned();
        let leftover = |kind, run, id, name| Leftover { kind, id, name, run, size: 0, tags: Vec::new() };
        if let Some(run) = run_of(&name).and_then(|run| self.run(run)) {
            return Some(leftover(Kind::Container, run, id, name));
        }
        let network = container.host_config.and_then(|config| config.network_mode).unwrap_or_default();
        let run = run_of(&network).filter(|run| network_name_of(run) == network).and_then(|run| self.run(run))?;
        let ended = container
            .state
            .is_some_and(|state| matches!(state, ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD));
        Some(leftover(Kind::BuildContainer { ended }, run, id, name))
    }

    /// A volume whose name only one of our runs can have chosen.
    fn volume(&self, name: String) -> Option<Leftover> {
        let run = self.run(run_of(&name)?)?;
        Some(Leftover { kind: Kind::Volume, id: name.clone(), name, run, size: 0, tags: Vec::new() })
    }

    /// Our images, those built on another before it.
    fn images(&self, images: Vec<ImageSummary>) -> Vec<Leftover> {
        let parents: HashMap<String, String> =
            images.iter().map(|image| (image.id.clone(), image.parent_id.clone())).collect();
        let kept = self.kept_and_below(&parents);
        let mut found: Vec<(usize, Leftover)> = Vec::new();
        for image in images {
            let depth = depth(&image.id, &parents);
            let names = names_of(&image);
            found.extend(self.image(&image, &names, &kept).map(|leftover| (depth, leftover)));
        }
        found.sort_by_key(|(depth, _)| Reverse(*depth));
        found.into_iter().map(|(_, leftover)| leftover).collect()
    }

    fn image(&self, image: &ImageSummary, names: &[String], kept: &HashSet<String>) -> Option<Leftover> {
        let temporary = |name: &&String| run_of_tag(name).is_some_and(|run| self.run(run).is_some());
        let is_kept_name = |name: &&String| {
            name.strip_prefix(KEPT)
                .and_then(|rest| rest.strip_prefix(':'))
                .is_some_and(|tag| self.kept.iter().any(|kept| kept.name == tag && kept.id == image.id))
        };
        let tags: Vec<String> = names.iter().filter(|name| temporary(name) || is_kept_name(name)).cloned().collect();
        let first = tags.first().cloned();
        let leftover = |kind, run: &str| Leftover {
            kind,
            id: image.id.clone(),
            name: first.clone().unwrap_or_else(|| short(&image.id)),
            run: run.to_owned(),
            size: u64::try_from(image.size).unwrap_or(0),
            tags: tags.clone(),
        };
        let kept_itself = self.kept.iter().any(|kept| kept.is_current && kept.id == image.id);
        if kept_itself {
            // A run that was killed may have left it the name that it had while it was being made.
            return Some(match names.iter().find(temporary).and_then(|name| Some((name, run_of_tag(name)?))) {
                Some((name, run)) => {
                    Leftover { kind: Kind::Name, id: name.clone(), name: name.clone(), ..leftover(Kind::Name, run) }
                }
                None => leftover(Kind::KeptImage, ""),
            });
        }
        let run = names.iter().find_map(|name| self.run(run_of_tag(name)?)).or_else(|| self.run_of_image(image));
        let was_kept = self.kept.iter().any(|kept| kept.id == image.id);
        let is_owned = image.labels.get(LABEL_OWNER) == Some(&self.owner);
        // Somebody has given it a name of their own: so it is theirs as well.
        if names.iter().any(|name| !tags.contains(name)) || run.is_none() && !was_kept && !is_owned {
            return None;
        }
        let kind = if kept.contains(&image.id) { Kind::KeptImage } else { Kind::Image };
        Some(leftover(kind, &run.unwrap_or_default()))
    }

    /// The run whose image this is: it has written it down, or what it is built on is the run's. A command of a build can print the line
    /// with which the builder names an image, but it knows no image that is made later.
    fn run_of_image(&self, image: &ImageSummary) -> Option<String> {
        let is_in = |past: &&Past| {
            image.created.saturating_add(CLOCKS) >= past.begun
                && past.images.iter().any(|id| digest(&image.id).starts_with(digest(id)))
        };
        let by_label = || image.labels.get(LABEL_RUN).and_then(|run| self.run(run));
        self.runs.iter().find(is_in).map(|past| past.run.clone()).or_else(by_label)
    }

    /// The images that are kept, and those that they are built on.
    fn kept_and_below(&self, parents: &HashMap<String, String>) -> HashSet<String> {
        let current = self.kept.iter().filter(|kept| kept.is_current);
        current
            .flat_map(|kept| {
                std::iter::successors(Some(&kept.id), |id| parents.get(*id)).take(parents.len() + 1).cloned()
            })
            .collect()
    }
}

/// An image's names.
fn names_of(image: &ImageSummary) -> Vec<String> {
    image.repo_tags.iter().filter(|tag| *tag != "<none>:<none>").cloned().collect()
}

/// How many images of the list an image is built on.
fn depth(id: &str, parents: &HashMap<String, String>) -> usize {
    std::iter::successors(parents.get(id), |parent| parents.get(*parent)).take(parents.len()).count()
}

fn digest(id: &str) -> &str {
    id.trim_start_matches("sha256:")
}

fn short(id: &str) -> String {
    digest(id).chars().take(12).collect()
}

#[cfg(test)]
mod tests;
