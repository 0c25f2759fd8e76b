//! `cargo xtask lock`: the locks of the base images, and the lock of all Python packages, from the package index.

mod base;
mod index;
mod packages;

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::Version;
use serde::Deserialize;

use crate::{Error, renew, root};
use base::{BaseLock, Pin};
use index::{File, Index};
use packages::Package;

/// The projects of a base image; Python 2 does without the last one.
const TOOLS: [&str; 5] = ["mod-wsgi", "pip", "setuptools", "wheel", "packaging"];
/// Built from source in the image, and not taken as a wheel.
const FROM_SOURCE: &str = "mod-wsgi";

/// Make the locks of the base images and scenarios/packages.lock from the package index
///
/// A release that is locked stays, and an index that has another hash for its file is an error. A lock that is not there is made of
/// the newest releases that the variant's Python takes. packages.lock gets the files of all base locks, and of projects with binary
/// wheels the one of each variant; releases of the images' own tools that no base lock names go.
///
/// Nothing is downloaded: hashes and sizes are the index's (PEP 691). The index is pip's: `PIP_INDEX_URL`, its configuration, or the
/// public one.
///
/// By hand, still: `registry-image` in images/variants.toml (`docker buildx imagetools inspect debian:SUITE-slim` prints the digest),
/// and hashes in requirement files of scenarios, which are part of what these scenarios test.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only this variant's base lock, a name in images/variants.toml; may be repeated
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    /// Lock the newest release of this project in the base images; may be repeated
    #[arg(long, value_name = "PROJECT")]
    upgrade: Vec<String>,
    /// Add a release that scenarios require to packages.lock; may be repeated
    #[arg(long, value_name = "PROJECT==RELEASE")]
    add: Vec<String>,
    /// Write nothing: fail if a lock is stale
    #[arg(long)]
    check: bool,
}

/// What a lock takes of a variant.
#[derive(Debug, Deserialize)]
struct Variant {
    python: String,
    lock: String,
}

/// Makes the locks; `false` when one was found stale.
pub(crate) async fn lock(arguments: &Arguments) -> Result<bool, Error> {
    let variants = variants(&arguments.variant)?;
    if let Some(project) = arguments.upgrade.iter().find(|project| !TOOLS.contains(&project.as_str())) {
        return Err(format!("{project} is not in the base images; they have {}", TOOLS.join(", ")).into());
    }
    let mut index = Index::of_pip()?;
    // All is made before anything is written.
    let mut made = Vec::new();
    let mut locked: BTreeSet<(String, String)> = BTreeSet::new();
    let (comments, mut packages) = packages::read(&root().join("scenarios/packages.lock"))?;
    for (name, variant) in &variants {
        let path = root().join("images").join(&variant.lock);
        let mut lock = BaseLock::read(&path)?;
        if arguments.variant.is_empty() || arguments.variant.contains(name) {
            complete(&mut index, &mut lock, &variant.python, &arguments.upgrade).await?;
            made.push((path, lock.text()?));
        }
        for (project, Pin { release, .. }) in &lock.pins {
            locked.insert((project.clone(), release.clone()));
            let file = chosen(index.files(project).await?, project, release, &variant.python)?;
            packages.push(Package::of(project, release, file)?);
        }
    }
    let unused = |package: &Package| {
        TOOLS.contains(&package.project.as_str())
            && !locked.contains(&(package.project.clone(), package.release.clone()))
    };
    packages.retain(|package| !unused(package));
    let pythons: Vec<&str> = variants.values().map(|variant| variant.python.as_str()).collect();
    for text in &arguments.add {
        let (project, release) = text.split_once("==").ok_or_else(|| format!("`{text}` is not PROJECT==RELEASE"))?;
        let files = index.files(project).await?;
        let found = packages.len();
        for file in pythons.iter().filter_map(|python| chosen(files, project, release, python).ok()) {
            packages.push(Package::of(project, release, file)?);
        }
        if packages.len() == found {
            return Err(format!("no variant can install {text}").into());
        }
    }
    let packages = refreshed(&mut index, packages, &pythons).await?;
    made.push((root().join("scenarios/packages.lock"), packages::text(&comments, &packages)?));
    let mut fresh = true;
    for (path, text) in made {
        fresh &= renew(&path, &text, arguments.check)?;
    }
    Ok(fresh)
}

/// The variants by name, of which these must be some.
fn variants(named: &[String]) -> Result<BTreeMap<String, Variant>, Error> {
    let path = root().join("images/variants.toml");
    let text = std::fs::read_to_string(&path)?;
    let variants: BTreeMap<String, Variant> = toml::from_str(&text)?;
    match named.iter().find(|name| !variants.contains_key(*name)) {
        Some(name) => Err(format!("{} has no variant `{name}`", path.display()).into()),
        None => Ok(variants),
    }
}

/// Gives each project of a base lock its release, where it has none or is to have the newest, and each its hash.
async fn complete(index: &mut Index, lock: &mut BaseLock, python: &str, upgrade: &[String]) -> Result<(), Error> {
    let projects = if python.starts_with("2.") { &TOOLS[..4] } else { &TOOLS[..] };
    for project in projects {
        if !lock.pins.contains_key(*project) || upgrade.iter().any(|name| name == project) {
            let release = newest(index.files(project).await?, project, python)
                .ok_or_else(|| format!("{project} has no release for Python {python}"))?;
            if lock.pins.get(*project).is_none_or(|pin| pin.release != release) {
                lock.pins.insert((*project).to_owned(), Pin { release, sha256: None });
            }
        }
    }
    for (project, pin) in &mut lock.pins {
        let file = chosen(index.files(project).await?, project, &pin.release, python)?;
        let sha256 = file.sha256()?;
        same(&file.filename, pin.sha256.as_deref().unwrap_or(sha256), sha256)?;
        pin.sha256 = Some(sha256.to_owned());
    }
    Ok(())
}

/// The newest release that a Python can install.
fn newest(files: &[File], project: &str, python: &str) -> Option<String> {
    let fits = files.iter().filter(|file| fits(file, project) && file.suits(python).is_some());
    let versions = fits.filter_map(|file| Some((file.version()?, file.release()?)));
    versions.max_by_key(|(version, _): &(Version, &str)| version.clone()).map(|(_, release)| release.to_owned())
}

/// Whether a project's file is of the kind that is installed: a wheel, but for what is built in the image.
fn fits(file: &File, project: &str) -> bool {
    !TOOLS.contains(&project) || file.is_wheel() == (project != FROM_SOURCE)
}

/// The file of a release that pip installs for a Python.
fn chosen<'f>(files: &'f [File], project: &str, release: &str, python: &str) -> Result<&'f File, Error> {
    let of = files.iter().filter(|file| file.release() == Some(release) && fits(file, project));
    let best = of.filter_map(|file| Some((file.suits(python)?, file))).max_by_key(|(suits, _)| *suits);
    best.map(|(_, file)| file)
        .ok_or_else(|| format!("the index has no file of {project} {release} for Python {python}").into())
}

/// The packages as the index has them, each once and in order; of those with binary wheels, also the wheel of each Python.
async fn refreshed(index: &mut Index, packages: Vec<Package>, pythons: &[&str]) -> Result<Vec<Package>, Error> {
    let mut all: BTreeMap<(String, String, String), Package> = BTreeMap::new();
    for package in packages {
        let Package { project, release, file, sha256, .. } = &package;
        let files = index.files(project).await?;
        let found = files.iter().find(|one| one.filename == *file);
        let found = found.ok_or_else(|| format!("the index does not have {file} any more"))?;
        same(file, sha256, found.sha256()?)?;
        let mut keep = vec![found];
        if found.is_binary() {
            keep.extend(pythons.iter().filter_map(|python| chosen(files, project, release, python).ok()));
        }
        for file in keep.into_iter().filter(|file| file.is_binary() == found.is_binary()) {
            let key = (project.clone(), release.clone(), file.filename.clone());
            all.insert(key, Package::of(project, release, file)?);
        }
    }
    Ok(all.into_values().collect())
}

/// A file's content never changes: another hash is not a renewal.
fn same(file: &str, locked: &str, found: &str) -> Result<(), Error> {
    if locked == found {
        return Ok(());
    }
    Err(format!("{file} is locked with the SHA-256 {locked}, and the index has {found}: nothing was written").into())
}
