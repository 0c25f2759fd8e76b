//! Images: inspecting them, and putting the fixture server's address into one.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use bollard::models::{ContainerConfig, ContainerCreateBody, HostConfig, ImageConfig, ImageInspect};
use bollard::query_parameters::{
    CommitContainerOptions, RemoveImageOptions, TagImageOptions, UploadToContainerOptions,
};
use bytes::Bytes;

use super::container::container_name;
use super::{Engine, EngineError, LABEL_KEY, LABEL_RUN};
use crate::check::evidence::ImageEvidence;
use crate::outcome::RunId;

/// The name of images that are kept to be used again; the tag says which one it is.
pub(super) const KEPT: &str = "wsgi-proof";
/// The beginning of the tag of an image that is to be kept, while it is being made; the run's id follows.
const MAKING: &str = "run-";

/// Files to put into an image: absolute path, content, mode.
type Files = [(String, Vec<u8>, u32)];

impl Engine {
    /// An image's configuration; `None` when the engine does not have it.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn inspect_image(&self, reference: &str) -> Result<Option<ImageEvidence>, EngineError> {
        Ok(self.inspect(reference).await?.map(evidence))
    }

    pub(super) async fn inspect(&self, reference: &str) -> Result<Option<ImageInspect>, EngineError> {
        match self.docker.inspect_image(reference).await.map_err(|error| self.error("inspecting an image", error)) {
            // What it does not say of an image is not known to be nothing.
            Ok(ImageInspect { config: None, .. }) => Err(EngineError::Unexpected {
                operation: "inspecting an image".to_owned(),
                what: format!("the engine says nothing of the configuration of {reference}"),
            }),
            Ok(image) => Ok(Some(image)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An image of this run with these files put in, and otherwise the very same: configuration and triggers are as before.
    ///
    /// # Errors
    /// When the engine cannot, or when what came out differs in more than the files.
    pub(crate) async fn instrument(&self, image: &str, files: &Files, run: &RunId) -> Result<String, EngineError> {
        let own = HashMap::from([(LABEL_RUN.to_owned(), run.to_string())]);
        self.copy_with(image, files, own, None, run).await
    }

    /// An image with these files put in and these labels of ours, and otherwise the very same; with a tag from its first moment.
    pub(super) async fn copy_with(
        &self,
        image: &str,
        files: &Files,
        own: HashMap<String, String>,
        tag: Option<&str>,
        run: &RunId,
    ) -> Result<String, EngineError> {
        const OPERATION: &str = "instrumenting an image";
        let unexpected = |what: String| EngineError::Unexpected { operation: OPERATION.to_owned(), what };
        let Some(original) = self.inspect(image).await? else {
            return Err(unexpected(format!("there is no image {image}")));
        };
        let before = evidence(original.clone());
        let config = original.config.unwrap_or_default();
        let without_command = before.entry_point.is_empty() && before.command.is_empty();
        let body = ContainerCreateBody {
            image: Some(before.id.clone()),
            // Never started, but an image without a command needs one to be created.
            entrypoint: without_command.then(|| vec!["true".to_owned()]),
            // `docker commit` merges the container's labels into the image, over those of the request.
            labels: Some(own.clone()),
            host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..Default::default() }),
            ..Default::default()
        };
        let container = self.create(&container_name(run, "instrument"), body).await?;
        let result = self.put_in_and_commit(&container, config, own, tag, files).await;
        let removed = self.remove_container(&container).await;
        let id = result?;
        removed?;
        let Some(after) = self.inspect_image(&id).await? else {
            return Err(unexpected("the committed image does not exist".to_owned()));
        };
        if let Some(what) = difference(&before, &after) {
            self.remove_image(&after.id).await?;
            return Err(unexpected(format!("the committed image differs from the candidate in its {what}")));
        }
        Ok(after.id)
    }

    /// An image of this run that has a trigger, and otherwise is the very same.
    pub(super) async fn with_trigger(&self, image: &str, trigger: &str, run: &RunId) -> Result<String, EngineError> {
        let config = self.inspect(image).await?.and_then(|image| image.config).unwrap_or_default();
        let own = HashMap::from([(LABEL_RUN.to_owned(), run.to_string())]);
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            labels: Some(own.clone()),
            host_config: Some(HostConfig { network_mode: Some("none".to_owned()), ..Default::default() }),
            ..Default::default()
        };
        let container = self.create(&container_name(run, "trigger"), body).await?;
        let config = ImageConfig { on_build: Some(vec![trigger.to_owned()]), ..config };
        let made = self.put_in_and_commit(&container, config, own, None, &[]).await;
        let removed = self.remove_container(&container).await;
        made.and_then(|image| removed.map(|()| image))
    }

    async fn put_in_and_commit(
        &self,
        container: &str,
        config: ImageConfig,
        own: HashMap<String, String>,
        tag: Option<&str>,
        files: &Files,
    ) -> Result<String, EngineError> {
        const OPERATION: &str = "instrumenting an image";
        let options = UploadToContainerOptions { path: "/".to_owned(), ..Default::default() };
        let archive = archive(files)
            .map_err(|error| EngineError::Unexpected { operation: OPERATION.to_owned(), what: error.to_string() })?;
        self.docker
            .upload_to_container(container, Some(options), bollard::body_full(Bytes::from(archive)))
            .await
            .map_err(|error| self.error(OPERATION, error))?;
        self.commit(container, config, own, tag, OPERATION).await
    }

    /// The image that a container left, with this configuration and these labels of ours.
    pub(super) async fn commit(
        &self,
        container: &str,
        config: ImageConfig,
        own: HashMap<String, String>,
        tag: Option<&str>,
        operation: &str,
    ) -> Result<String, EngineError> {
        let mut labels = config.labels.unwrap_or_default();
        labels.extend(own);
        // The triggers go in as they are, not as changes that would be parsed again.
        let config = ContainerConfig {
            user: config.user,
            exposed_ports: config.exposed_ports,
            env: config.env,
            cmd: config.cmd,
            healthcheck: config.healthcheck,
            args_escaped: config.args_escaped,
            volumes: config.volumes,
            working_dir: config.working_dir,
            // Empty, not absent: else the container's is taken.
            entrypoint: Some(config.entrypoint.unwrap_or_default()),
            on_build: config.on_build,
            labels: Some(labels),
            stop_signal: config.stop_signal,
            shell: config.shell,
            ..Default::default()
        };
        let options = CommitContainerOptions {
            container: Some(container.to_owned()),
            repo: tag.map(|_| KEPT.to_owned()),
            tag: tag.map(str::to_owned),
            ..Default::default()
        };
        let committed = self.docker.commit_container(options, config).await;
        committed.map(|image| image.id).map_err(|error| self.error(operation, error))
    }

    /// The image that this cache folder's own runs made under this name from what the key says, if the engine still has it. It is
    /// looked for by the id that the journal has. Names and labels prove nothing: an archive that somebody loads has what its maker
    /// chose, and images inherit labels.
    pub(super) async fn made_before(&self, name: &str, key: &str) -> Result<Option<String>, EngineError> {
        let Some(id) = self.journal()?.kept(name).map_err(EngineError::journal)? else { return Ok(None) };
        let there = self.inspect_image(&id).await?;
        let made = there.filter(|image| image.id == id && image.labels.get(LABEL_KEY).is_some_and(|own| own == key));
        if made.is_some() {
            // Something else may have its name.
            self.name(&id, name).await?;
        }
        Ok(made.map(|image| image.id))
    }

    /// Keeps an image under a name, under which another may have been kept until now, and takes away the name that it had while it was
    /// being made.
    ///
    /// # Errors
    /// When the engine cannot, or it cannot be written down.
    pub(crate) async fn keep(&self, image: &str, name: &str, making: &str) -> Result<(), EngineError> {
        // Written down first: what is killed in between leaves no image that has our name and is not known to be ours.
        self.journal()?.keep(name, image).map_err(EngineError::journal)?;
        self.name(image, name).await?;
        self.remove_image(&format!("{KEPT}:{making}")).await
    }

    /// Gives an image a name of ours, with this tag.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(super) async fn name(&self, image: &str, name: &str) -> Result<(), EngineError> {
        let options = TagImageOptions { repo: Some(KEPT.to_owned()), tag: Some(name.to_owned()) };
        self.docker.tag_image(image, Some(options)).await.map_err(|error| self.error("naming an image", error))
    }

    /// A tag for an image that is being made and is to be kept: it has that from its first moment, and nobody else can have chosen it.
    pub(super) fn making_tag(&self) -> Result<String, EngineError> {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let unexpected = || EngineError::Unexpected {
            operation: "naming an image".to_owned(),
            what: "internal error: no run has begun".to_owned(),
        };
        let run = self.journal()?.run().ok_or_else(unexpected)?;
        Ok(format!("{MAKING}{run}-{}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Removes an image that nothing needs, or one name of it when it has others; what it is built on stays. One that is gone is
    /// removed.
    ///
    /// # Errors
    /// When the engine cannot, for example because another image is built on it.
    pub(crate) async fn remove_image(&self, image: &str) -> Result<(), EngineError> {
        let options = RemoveImageOptions { noprune: true, ..Default::default() };
        let removed = self.docker.remove_image(image, Some(options), None).await;
        match removed.map(drop).map_err(|error| self.error("removing an image", error)) {
            Err(error) if error.is_not_found() => Ok(()),
            // Two that remove it at once: the later one is refused in other words (`unrecognized image ID`).
            Err(error) => match self.inspect_image(image).await {
                Ok(None) => Ok(()),
                Ok(Some(_)) | Err(_) => Err(error),
            },
            Ok(()) => Ok(()),
        }
    }
}

/// The run whose tag this is, of an image that is being made.
pub(super) fn run_of_tag(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(KEPT)?.strip_prefix(':')?.strip_prefix(MAKING)?;
    rest.split('-').next()
}

fn archive(files: &Files) -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content, mode) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
        archive.append_data(&mut header, path.trim_start_matches('/'), content.as_slice())?;
    }
    archive.into_inner()
}

fn evidence(image: ImageInspect) -> ImageEvidence {
    let config = image.config.unwrap_or_default();
    let mut exposed_ports = config.exposed_ports.unwrap_or_default();
    exposed_ports.sort();
    let environment = config
        .env
        .unwrap_or_default()
        .into_iter()
        .map(|entry| {
            entry.split_once('=').map_or((entry.clone(), String::new()), |(n, v)| (n.to_owned(), v.to_owned()))
        })
        .collect();
    ImageEvidence {
        id: image.id.unwrap_or_default(),
        triggers: config.on_build.unwrap_or_default(),
        entry_point: config.entrypoint.unwrap_or_default(),
        command: config.cmd.unwrap_or_default(),
        exposed_ports,
        working_directory: config.working_dir.unwrap_or_default(),
        user: config.user.unwrap_or_default(),
        environment,
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        volumes: config.volumes.unwrap_or_default(),
        size: None,
        architecture: image.architecture.unwrap_or_default(),
    }
}

/// In what two images differ that must only differ in files and in our own labels.
fn difference(before: &ImageEvidence, after: &ImageEvidence) -> Option<&'static str> {
    let labels = |image: &ImageEvidence| -> BTreeMap<String, String> {
        let foreign = image.labels.iter().filter(|(name, _)| !name.starts_with("wsgi-proof."));
        foreign.map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    [
        (before.triggers != after.triggers, "triggers"),
        (before.entry_point != after.entry_point, "entry point"),
        (before.command != after.command, "command"),
        (before.exposed_ports != after.exposed_ports, "exposed ports"),
        (before.working_directory != after.working_directory, "working directory"),
        (before.user != after.user, "user"),
        (before.environment != after.environment, "environment"),
        (labels(before) != labels(after), "labels"),
    ]
    .into_iter()
    .find_map(|(differs, what)| differs.then_some(what))
}
