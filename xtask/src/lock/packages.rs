//! `scenarios/packages.lock`: every Python package that builds consume, by hash.

use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use super::index::File;
use crate::Error;

/// The lock as it stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    version: u32,
    #[serde(default)]
    package: Vec<Package>,
}

/// A file of a project's release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Package {
    pub(crate) project: String,
    pub(crate) release: String,
    pub(crate) file: String,
    pub(crate) sha256: String,
    size: u64,
    requires_python: Option<String>,
}

impl Package {
    /// As the index has it.
    pub(crate) fn of(project: &str, release: &str, file: &File) -> Result<Self, Error> {
        Ok(Self {
            project: project.to_owned(),
            release: release.to_owned(),
            file: file.filename.clone(),
            sha256: file.sha256()?.to_owned(),
            size: file.size()?,
            requires_python: file.requires_python.clone(),
        })
    }
}

/// Reads the lock: the comments at its top, and the packages.
pub(crate) fn read(path: &Path) -> Result<(String, Vec<Package>), Error> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lock: Lock = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    if lock.version != 1 {
        return Err(format!("{}: this program reads version 1", path.display()).into());
    }
    let comments = text.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect();
    Ok((comments, lock.package))
}

/// The text of the file.
pub(crate) fn text(comments: &str, packages: &[Package]) -> Result<String, Error> {
    let mut text = format!("{comments}version = 1\n");
    for Package { project, release, file, sha256, size, requires_python } in packages {
        writeln!(text, "\n[[package]]\nproject = \"{project}\"\nrelease = \"{release}\"\nfile = \"{file}\"")?;
        writeln!(text, "sha256 = \"{sha256}\"\nsize = {size}")?;
        if let Some(python) = requires_python {
            writeln!(text, "requires-python = \"{python}\"")?;
        }
    }
    Ok(text)
}
