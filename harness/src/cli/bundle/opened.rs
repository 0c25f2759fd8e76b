//! Reading a bundle. Whoever made it may be anybody: what is taken out is bounded, has names that are known, and is followed nowhere.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::Failure;
use super::contents::{IMAGES, MANIFEST, STORE, SUITE};
use super::manifest::{Manifest, VERSION};
use crate::cli::arguments::{BuilderArgs, CellArgs, RunArgs, SelectArgs};
use crate::engine::{SavedImages, names_something};
use crate::image_tier::Loading;
use crate::outcome::with_causes;
use crate::suite::packed::{END, End, Packed};

/// What a bundle's manifest may have, in bytes.
const MAX_MANIFEST: u64 = 1 << 20;
/// What its suite may have, in bytes.
const MAX_SUITE: u64 = 256 << 20;
/// What its fixtures may have together, in bytes.
const MAX_FIXTURES: u64 = 8 << 30;
/// The length of the name of a file in the store: a SHA-256 in hexadecimal.
const NAME: usize = 64;

/// A bundle that is being run.
pub(in crate::cli) struct Opened {
    file: PathBuf,
    manifest: Manifest,
    /// Where the images are in the file, and their length.
    images: (u64, u64),
    /// With the suite, and the fixture store.
    folder: TempDir,
}

/// Why a file is no bundle that can be run.
#[derive(Debug, thiserror::Error)]
enum BundleError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("its {0} is larger than any of a bundle")]
    Large(&'static str),
    #[error("its bundle.json cannot be read")]
    Manifest(#[source] serde_json::Error),
    #[error("it is a bundle of version {0}, and this program reads version {VERSION}")]
    Version(u32),
    #[error("its suite is damaged")]
    Suite,
    #[error("its images have names, which would replace those of the engine's images")]
    Named,
}

impl Opened {
    pub(in crate::cli) fn open(file: &Path) -> Result<Self, Failure> {
        Self::read(file).map_err(|error| {
            let what = format!("{}: {}", file.display(), with_causes(&error));
            Failure::usage(what, Some("`wsgi-proof bundle SCENARIO` writes a bundle"))
        })
    }

    fn read(file: &Path) -> Result<Self, BundleError> {
        let folder = tempfile::tempdir()?;
        let store = folder.path().join(STORE);
        let (mut manifest, mut suite, mut images, mut left) = (None, None, None, MAX_FIXTURES);
        let mut archive = tar::Archive::new(File::open(file)?);
        for entry in archive.entries_with_seek()? {
            let mut entry = entry?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let path = entry.path()?.into_owned();
            match path.to_str() {
                Some(MANIFEST) => manifest = Some(content(&mut entry, MANIFEST, MAX_MANIFEST)?),
                Some(SUITE) => suite = Some(content(&mut entry, SUITE, MAX_SUITE)?),
                Some(IMAGES) => images = Some((entry.raw_file_position(), entry.size())),
                Some(name) => {
                    let Some(path) = of_store(name) else { continue };
                    left = left.checked_sub(entry.size()).ok_or(BundleError::Large("fixtures"))?;
                    let path = store.join(path);
                    fs::create_dir_all(path.parent().unwrap_or(&store))?;
                    io::copy(&mut entry, &mut File::create_new(path)?)?;
                }
                None => {}
            }
        }
        let manifest = manifest.ok_or(BundleError::Missing(MANIFEST))?;
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(BundleError::Manifest)?;
        if manifest.version != VERSION {
            return Err(BundleError::Version(manifest.version));
        }
        let suite = suite.ok_or(BundleError::Missing(SUITE))?;
        let suite = unpackable(&suite).ok_or(BundleError::Suite)?;
        suite.unpack(folder.path())?;
        let images = images.ok_or(BundleError::Missing(IMAGES))?;
        let mut part = File::open(file)?;
        part.seek(SeekFrom::Start(images.0))?;
        if names_something(part.take(images.1))? {
            return Err(BundleError::Named);
        }
        Ok(Self { file: file.to_owned(), manifest, images, folder })
    }

    /// The folder with its suite, and with its fixture store as a cache folder has it.
    pub(in crate::cli) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The architecture of its images.
    pub(in crate::cli) fn architecture(&self) -> &str {
        &self.manifest.architecture
    }

    /// Where its images come from.
    pub(in crate::cli) fn loading(&self) -> Loading {
        let images = [self.manifest.base_image.clone(), self.manifest.onbuild_image.clone()];
        let (from, length) = self.images;
        Loading::of(SavedImages { file: self.file.clone(), from, length, images })
    }

    /// The arguments of a run of it: what was not given is as in the run that it is of.
    pub(in crate::cli) fn arguments(&self, given: RunArgs) -> Result<RunArgs, Failure> {
        let Manifest { scenario, variant, dialect, builder, strict, limits, base_image, onbuild_image, .. } =
            &self.manifest;
        let mut arguments = given;
        arguments.folders.suite = Some(self.folder().to_owned());
        if arguments.select.filters.is_empty() {
            arguments.select = SelectArgs::of(vec![format!("={scenario}")]);
        }
        arguments.cells = CellArgs::of(variant, dialect).ok_or_else(|| {
            Failure::usage(format!("{}: its bundle.json has no dialect {dialect}", self.file.display()), None)
        })?;
        arguments.builders = BuilderArgs::of(*builder);
        arguments.strict |= strict;
        let limits = limits.iter().map(|limit| limit.parse()).collect::<Result<Vec<_>, _>>();
        let mut limits = limits.map_err(|error| Failure::usage(error, None))?;
        // The last one of a name counts.
        limits.append(&mut arguments.limits);
        arguments.limits = limits;
        arguments.candidate.base_image = Some(base_image.id.clone());
        arguments.candidate.onbuild_image = Some(onbuild_image.id.clone());
        Ok(arguments)
    }

    /// What is tested, in words.
    pub(in crate::cli) fn announce(&self) -> String {
        format!("{}, from {}", self.manifest.candidate, self.file.display())
    }
}

fn content(entry: &mut impl Read, what: &'static str, most: u64) -> Result<Vec<u8>, BundleError> {
    let mut content = Vec::new();
    entry.take(most + 1).read_to_end(&mut content)?;
    if content.len() as u64 > most { Err(BundleError::Large(what)) } else { Ok(content) }
}

/// The path in a fixture store of a file that a bundle has for one.
fn of_store(name: &str) -> Option<&str> {
    let path = name.strip_prefix(STORE)?.strip_prefix('/')?;
    let is_name = |name: &str| name.len() == NAME && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match path.split('/').collect::<Vec<_>>()[..] {
        ["responses", name] if is_name(name) => Some(path),
        ["sha256", folder, name] if is_name(name) && folder.len() == 2 && name.starts_with(folder) => Some(path),
        _ => None,
    }
}

/// The suite of these bytes, as a program carries one.
fn unpackable(bytes: &[u8]) -> Option<Packed> {
    let (content, end) = bytes.split_last_chunk::<END>()?;
    let end = End::read(end)?;
    (end.length() == content.len() as u64).then(|| Packed::before(&end, content)).flatten()
}

#[cfg(test)]
mod tests {
    use super::of_store;

    #[test]
    fn only_files_of_a_store_are_taken() {
        let name = "a".repeat(64);
        assert!(of_store(&format!("store/sha256/aa/{name}")).is_some());
        assert!(of_store(&format!("store/responses/{name}")).is_some());
        for other in [
            format!("store/sha256/ab/{name}"),
            format!("store/sha256/{name}"),
            format!("store/../sha256/aa/{name}"),
            format!("store/responses/{}", "A".repeat(64)),
            format!("responses/{name}"),
            "store/responses/../../x".to_owned(),
        ] {
            assert!(of_store(&other).is_none(), "{other}");
        }
    }
}
