//! Images in archives, as engines save and load them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use bollard::query_parameters::{ImportImageOptions, ListImagesOptions};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use super::stream::has_rest;
use super::{Engine, EngineError};

/// How long an engine may say nothing while it saves or loads.
const IDLE_LIMIT: Duration = Duration::from_secs(120);
/// How much of a list of names in an archive is read, in bytes.
const MAX_LIST: u64 = 1 << 20;
/// How engines announce what they have loaded.
const LOADED: &str = "Loaded image ID: ";
/// What names an image in an archive of the OCI's layout.
const OCI_NAMES: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// What an image is known by on another engine than the one that it was saved from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Its id where it was saved.
    pub id: String,
    /// Its names by digest in registries.
    pub digests: Vec<String>,
    /// The digests of its layers, the lowest first.
    pub layers: Vec<String>,
}

/// Images in a part of a file.
#[derive(Debug, Clone)]
pub(crate) struct SavedImages {
    pub file: PathBuf,
    /// Where it begins in the file, in bytes.
    pub from: u64,
    /// Its length in bytes.
    pub length: u64,
    pub images: [Identity; 2],
}

impl Engine {
    /// Saves images, without names, into a file that is made.
    ///
    /// # Errors
    /// When the engine cannot, or the file cannot be written.
    pub(crate) async fn save(&self, images: &[String], into: &Path) -> Result<Vec<Identity>, EngineError> {
        const OPERATION: &str = "saving images";
        let failed = |source| EngineError::Cache { path: into.display().to_string(), source };
        let mut identities = Vec::new();
        for image in images {
            identities.push(self.identity(image).await?.ok_or_else(|| gone(OPERATION, image))?);
        }
        let names: Vec<&str> = identities.iter().map(|identity| identity.id.as_str()).collect();
        let mut file = tokio::fs::File::create_new(into).await.map_err(failed)?;
        let mut stream = std::pin::pin!(self.docker.export_images(&names));
        while let Some(chunk) = next(OPERATION, &mut stream).await? {
            let chunk = chunk.map_err(|error| self.error(OPERATION, error))?;
            file.write_all(&chunk).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        Ok(identities)
    }

    /// Loads images that the engine does not have; their ids on this engine. Those that it did not have are this run's, and go with it.
    ///
    /// # Errors
    /// When the engine cannot load them, or they are not what they are said to be.
    pub(crate) async fn load(&self, saved: &SavedImages) -> Result<Vec<String>, EngineError> {
        const OPERATION: &str = "loading images";
        let mut ids = Vec::new();
        for identity in &saved.images {
            ids.extend(
                self.identity(&identity.id).await?.filter(|own| own.layers == identity.layers).map(|own| own.id),
            );
        }
        if ids.len() == saved.images.len() {
            return Ok(ids);
        }
        let before = self.all_images().await?;
        // Before they are there: one that is killed meanwhile leaves nothing that is not known to be ours.
        for identity in saved.images.iter().filter(|identity| !before.contains(&identity.id)) {
            self.journal()?.image(&identity.id);
        }
        let failed = |source| EngineError::Cache { path: saved.file.display().to_string(), source };
        let mut file = File::open(&saved.file).map_err(failed)?;
        file.seek(SeekFrom::Start(saved.from)).map_err(failed)?;
        let part = tokio::fs::File::from_std(file).take(saved.length);
        let body = bollard::body_try_stream(ReaderStream::with_capacity(part, 1 << 20));
        let mut stream = std::pin::pin!(self.docker.import_image(ImportImageOptions::default(), body, None));
        let mut loaded = Vec::new();
        while let Some(told) = next(OPERATION, &mut stream).await? {
            match told {
                // Whether the images are there is looked up below.
                Err(error) if has_rest(&error) => break,
                Err(error) => return Err(self.error(OPERATION, error)),
                Ok(told) => {
                    let said = told.stream.unwrap_or_default();
                    loaded.extend(said.lines().filter_map(|line| line.strip_prefix(LOADED)).map(str::to_owned));
                }
            }
        }
        // On another store images have other ids.
        for id in loaded.iter().filter(|id| !before.contains(*id)) {
            self.journal()?.image(id);
        }
        let mut ids = Vec::new();
        for identity in &saved.images {
            ids.push(self.loaded(identity, &loaded).await?.ok_or_else(|| gone(OPERATION, &identity.id))?);
        }
        Ok(ids)
    }

    /// The id that a loaded image has here.
    async fn loaded(&self, identity: &Identity, loaded: &[String]) -> Result<Option<String>, EngineError> {
        for id in std::iter::once(&identity.id).chain(loaded) {
            if let Some(own) = self.identity(id).await?
                && own.layers == identity.layers
            {
                return Ok(Some(own.id));
            }
        }
        Ok(None)
    }

    async fn identity(&self, image: &str) -> Result<Option<Identity>, EngineError> {
        Ok(self.inspect(image).await?.map(|image| Identity {
            id: image.id.unwrap_or_default(),
            digests: image.repo_digests.unwrap_or_default(),
            layers: image.root_fs.and_then(|files| files.layers).unwrap_or_default(),
        }))
    }

    /// The ids of all images that the engine has.
    async fn all_images(&self) -> Result<BTreeSet<String>, EngineError> {
        let options = ListImagesOptions { all: true, ..Default::default() };
        let images = self.docker.list_images(Some(options)).await;
        let images = images.map_err(|error| self.error("listing images", error))?;
        Ok(images.into_iter().map(|image| image.id).collect())
    }
}

/// The next thing that an engine says.
async fn next<T>(operation: &str, stream: &mut (impl Stream<Item = T> + Unpin)) -> Result<Option<T>, EngineError> {
    let next = tokio::time::timeout(IDLE_LIMIT, stream.next()).await;
    next.map_err(|_| EngineError::Idle { operation: operation.to_owned(), after: IDLE_LIMIT })
}

fn gone(operation: &str, image: &str) -> EngineError {
    EngineError::Unexpected { operation: operation.to_owned(), what: format!("there is no image {image}") }
}

/// What an archive of images would name or replace on an engine that loads it, if anything: names are the user's.
///
/// # Errors
/// When it is no such archive, or lists its images in another way than engines write it.
pub(crate) fn names_something(archive: impl Read) -> io::Result<bool> {
    let mut archive = tar::Archive::new(archive);
    let mut names = false;
    for entry in archive.entries()? {
        let entry = entry?;
        let path = entry.path()?.into_owned();
        let own = |component: &Component| !matches!(component, Component::CurDir);
        let components: Vec<Component> = path.components().filter(own).collect();
        if components.iter().any(|component| !matches!(component, Component::Normal(_))) {
            return Err(io::Error::other("it has a path that leads out of it"));
        }
        let [Component::Normal(name)] = components[..] else { continue };
        match name.to_str() {
            // The format before 2015, which has nothing but names.
            Some("repositories") => names = true,
            Some(list @ ("manifest.json" | "index.json")) => {
                if !entry.header().entry_type().is_file() {
                    return Err(io::Error::other(format!("its {list} is no file")));
                }
                let mut text = String::new();
                entry.take(MAX_LIST).read_to_string(&mut text)?;
                let content: serde_json::Value = serde_json::from_str(&text)?;
                names |= has_names(&content);
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Whether a list of images gives one a name.
fn has_names(list: &serde_json::Value) -> bool {
    match list {
        serde_json::Value::Array(values) => values.iter().any(has_names),
        serde_json::Value::Object(fields) => fields.iter().any(|(key, value)| {
            let tags = key.eq_ignore_ascii_case("RepoTags") && value.as_array().is_none_or(|tags| !tags.is_empty());
            tags && !value.is_null() || OCI_NAMES.contains(&key.as_str()) || has_names(value)
        }),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap()
    }

    fn names(files: &[(&str, &str)]) -> Option<bool> {
        names_something(archive(files).as_slice()).ok()
    }

    #[test]
    fn images_without_names_are_loaded() {
        for tags in ["null", "[]"] {
            let manifest = format!(r#"[{{"Config":"a.json","RepoTags":{tags},"Layers":["a/layer.tar"]}}]"#);
            assert_eq!(names(&[("a.json", "{}"), ("a/repositories", ""), ("manifest.json", &manifest)]), Some(false));
        }
        let index = r#"{"schemaVersion":2,"manifests":[{"digest":"sha256:0","size":1}]}"#;
        assert_eq!(names(&[("index.json", index), ("oci-layout", "{}")]), Some(false));
    }

    #[test]
    fn images_with_names_are_told() {
        let tagged = r#"[{"Config":"a.json","RepoTags":["python:3.11"]}]"#;
        for spelled in
            [tagged.to_owned(), tagged.replace("RepoTags", "repotags"), tagged.replace("[\"python:3.11\"]", "1")]
        {
            assert_eq!(names(&[("manifest.json", &spelled)]), Some(true), "{spelled}");
            // The last one of a name counts, wherever it stands.
            assert_eq!(names(&[("manifest.json", "[]"), ("./manifest.json", &spelled)]), Some(true));
        }
        let index = r#"{"manifests":[{"annotations":{"io.containerd.image.name":"docker.io/library/python:3.11"}}]}"#;
        assert_eq!(names(&[("index.json", index)]), Some(true));
        assert_eq!(names(&[("repositories", r#"{"python":{"3.11":"a"}}"#)]), Some(true));
    }

    #[test]
    fn what_engines_do_not_write_is_refused() {
        assert_eq!(names(&[("manifest.json", "no JSON")]), None);
        assert!(names_something(&b"no archive, though it is longer than a header of one".repeat(20)[..]).is_err());
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, "manifest.json", "x").unwrap();
        assert!(names_something(archive.into_inner().unwrap().as_slice()).is_err());
    }
}
