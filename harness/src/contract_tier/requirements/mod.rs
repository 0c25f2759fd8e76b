//! Requirement files as pip reads them: what is asked for, and what pip refuses. It is what the stub of pip obeys, and what the
//! contract tier expects to be obeyed.
//!
//! The order is pip's: bytes become text ([`decode`]), text becomes lines ([`lines`]), a line's options are words of a shell
//! ([`words`], [`options`]), files name files ([`read`]), and the text of a requirement is a path, an address or a name
//! ([`item`], [`named`]). The version of pip decides in all of it, and that of Python in some. A test holds it to the real pip
//! of each variant.

mod address;
mod decode;
mod item;
mod legacy;
mod lines;
mod marker;
mod named;
mod options;
pub(crate) mod optparse;
mod pip;
pub mod proof;
mod read;
mod refused;
mod resolve;
mod wheel;
mod words;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::str::FromStr;

pub(crate) use item::{Disk, Files};
#[cfg(test)]
pub(crate) use pip::samples;
pub(crate) use pip::{NoPip, Pip};
pub(crate) use read::Reader;
pub(crate) use refused::Refused;
pub(crate) use resolve::resolved;

use pep440_rs::Version;

use crate::suite::project_name::normalised;
use address::Parts;
use item::Item;
use marker::Applies;
use read::Asked;

/// A tool of version control that the images can get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Vcs {
    Git,
    Mercurial,
}

impl Vcs {
    /// How a requirement begins, in lower case.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Git => "git+",
            Self::Mercurial => "hg+",
        }
    }

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Mercurial => "hg",
        }
    }
}

/// What a requirement names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// A project of the package index, by its normalised name (PEP 503).
    Index {
        name: String,
        /// The version pinned by `==`.
        pinned: Option<String>,
    },
    Repository {
        /// Which tool it takes.
        vcs: Vcs,
        /// The project's name: that of `#egg=` or before `@`, or the last part of the address.
        name: String,
        /// Whether the tool needs ssh for it.
        ssh: bool,
    },
    /// A folder or archive, with its absolute path.
    Path(PathBuf),
    /// An archive by its address.
    Archive {
        address: String,
        /// The project's name, where the address says it.
        name: Option<String>,
    },
    /// A repository whose tool the images do not have.
    Foreign { program: String },
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(crate) struct Requirement {
    pub source: Source,
    /// Whether it is installed as editable (`-e`).
    pub editable: bool,
    /// Whether it has an environment marker whose value is not known, so that it may not apply.
    pub marked: bool,
    /// Whether it is in requirements.txt itself, and not in a file named there.
    pub direct: bool,
    /// Whether its prefix is in lower case, as is usual.
    pub usual_case: bool,
    /// Whether it says its hash.
    pub hashed: bool,
    /// Whether it names a pre-release, so that pip takes one (PEP 440).
    pub names_pre_release: bool,
}

impl Requirement {
    /// What a line asks for, unless its marker says that it does not apply.
    pub(crate) fn of(asked: &Asked, pip: Pip) -> Option<Self> {
        let item = &asked.item;
        if item.marker == Some(Applies::No) {
            return None;
        }
        let scheme = item.address.as_ref().and_then(|address| address.split_once(':')).map(|(scheme, _)| scheme);
        Some(Self {
            source: source(item, pip),
            editable: item.editable,
            marked: item.marker.is_some_and(|applies| applies != Applies::Yes),
            direct: asked.direct,
            hashed: asked.hashed,
            names_pre_release: item.versions.iter().any(|(_, version)| is_pre_release(version)),
            usual_case: scheme.is_none_or(|scheme| !scheme.chars().any(char::is_uppercase)),
        })
    }

    /// The tool of version control that it takes.
    pub(crate) fn vcs(&self) -> Option<Vcs> {
        match self.source {
            Source::Repository { vcs, .. } => Some(vcs),
            Source::Index { .. } | Source::Path(_) | Source::Archive { .. } | Source::Foreign { .. } => None,
        }
    }
}

fn is_pre_release(version: &str) -> bool {
    Version::from_str(version.trim_end_matches(".*")).is_ok_and(|version| version.any_prerelease())
}

fn source(item: &Item, pip: Pip) -> Source {
    let name = item.name.as_deref().map(normalised);
    let Some(address) = &item.address else {
        let pin = |(operator, version): &(String, String)| {
            (operator.starts_with("==") && !version.ends_with(".*")).then(|| version.clone())
        };
        return Source::Index { name: name.unwrap_or_default(), pinned: item.versions.iter().find_map(pin) };
    };
    let parts = Parts::of(address, pip).unwrap_or_default();
    if parts.scheme == "file" {
        let file = address::file_of(address, pip).unwrap_or_else(|_| address::unquoted(&parts.path));
        return Source::Path(address::plainly(Path::new(&file)));
    }
    let (tool, over) = parts.scheme.split_once('+').unwrap_or((&parts.scheme, ""));
    let vcs = match tool {
        "git" => Vcs::Git,
        "hg" => Vcs::Mercurial,
        "svn" | "bzr" => return Source::Foreign { program: tool.to_owned() },
        _ => return Source::Archive { address: address.clone(), name },
    };
    Source::Repository { vcs, name: name.unwrap_or_else(|| last_name(&parts)), ssh: over == "ssh" }
}

/// The name of a repository that nothing else names.
fn last_name(parts: &Parts) -> String {
    let last = address::last_part(&parts.path);
    normalised(last.split('@').next().unwrap_or(last).trim_end_matches(".git"))
}
