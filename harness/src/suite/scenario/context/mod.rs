//! The build context of an application: its folder as a tar archive, the same from every clone.

mod archive;
mod content;
mod dockerignore;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{Scenario, Volume};
use crate::beneath::{BeneathError, Bound, Folder};
use archive::{Layout, archive};

pub(super) use content::entries;
pub(crate) use dockerignore::PatternError;

/// The most that the files of a context may have together, in bytes.
pub(crate) const MAX_CONTEXT: u64 = 64 << 20;

/// Why a build context cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextError {
    /// The scenario looks at an image as it is.
    #[error("the scenario `{0}` has no application to build")]
    NoApplication(String),
    /// A file cannot be read.
    #[error("cannot read `{path}` of the application")]
    Read {
        /// The path, relative to the application folder.
        path: PathBuf,
        source: io::Error,
    },
    /// Neither file, folder nor link.
    #[error("`{path}` of the application is a {kind}; only files, folders and symbolic links can be built from")]
    Special {
        /// The path, relative to the application folder.
        path: PathBuf,
        kind: &'static str,
    },
    /// A link out of the folder would mean something else in the image.
    #[error("the symbolic link `{path}` leads out of the application folder, to `{target}`")]
    LinkOut {
        /// The link, relative to the application folder.
        path: PathBuf,
        target: PathBuf,
    },
    /// Too much for a sample application.
    #[error(
        "the application has {size} bytes, more than the {MAX_CONTEXT} that a build context may have; the largest file \
         is `{largest}`"
    )]
    TooLarge {
        /// Size of all files, in bytes.
        size: u64,
        /// The largest file, relative to the application folder.
        largest: PathBuf,
    },
    /// More than an application has.
    #[error("the application has {0}")]
    Bound(Bound),
    /// A pattern of the `.dockerignore` is not valid.
    #[error("`.dockerignore` of the application")]
    Ignore(#[from] PatternError),
}

impl From<BeneathError> for ContextError {
    fn from(error: BeneathError) -> Self {
        match error {
            BeneathError::Io { path, source } => Self::Read { path, source },
            BeneathError::Link { path, target } => Self::LinkOut { path, target },
            BeneathError::Special { path, kind } => Self::Special { path, kind },
            BeneathError::Bound(bound) => Self::Bound(bound),
        }
    }
}

/// Makes the build context of an application: an uncompressed tar archive.
///
/// # Errors
/// When there is nothing to build, and when the folder has what a context cannot hold.
pub(crate) fn build_context(scenario: &Scenario) -> Result<Vec<u8>, ContextError> {
    rebuild_context(scenario, &BTreeMap::new())
}

/// Makes the build context of an application in which files have further text at their end.
///
/// # Errors
/// When there is nothing to build, and when the folder has what a context cannot hold.
pub(crate) fn rebuild_context(
    scenario: &Scenario,
    append: &BTreeMap<PathBuf, String>,
) -> Result<Vec<u8>, ContextError> {
    let app = scenario.app.as_deref().ok_or_else(|| ContextError::NoApplication(scenario.name.clone()))?;
    let mut replacements = Vec::new();
    for (path, text) in append {
        let mut content = Folder::open(app)?.into_root().read(path, MAX_CONTEXT)?;
        content.extend_from_slice(text.as_bytes());
        replacements.push((path.clone(), content));
    }
    let layout = Layout {
        mode_of: &|path| scenario.modes.get(path).copied(),
        replacements: &replacements,
        folder: (!scenario.keep_folders).then(|| scenario.dialect.folder()),
        generate: scenario.generate.as_ref(),
    };
    archive(app, &layout, Vec::new())
}

/// Makes the archive of a volume's files, by the same rules.
///
/// # Errors
/// When the folder has what a context cannot hold.
pub(crate) fn volume_context(volume: &Volume) -> Result<Vec<u8>, ContextError> {
    let layout = Layout {
        mode_of: &|path| volume.modes.get(path).copied(),
        replacements: &[],
        folder: volume.dialect_folder,
        generate: None,
    };
    archive(&volume.folder, &layout, Vec::new())
}

/// Makes the build context of a folder of ours: as that of an application, but a file that is executable in the checkout
/// is executable in the context. `replacements` are contents that stand in for files, by their paths.
///
/// # Errors
/// When the folder has what a context cannot hold.
pub(crate) fn folder_context(folder: &Path, replacements: &[(PathBuf, Vec<u8>)]) -> Result<Vec<u8>, ContextError> {
    write_folder_context(folder, replacements, Vec::new())
}

/// Writes the build context of a folder of ours, and gives back what it was written into.
///
/// # Errors
/// As [`folder_context`], and when it cannot be written.
pub(crate) fn write_folder_context<W: Write>(
    folder: &Path,
    replacements: &[(PathBuf, Vec<u8>)],
    into: W,
) -> Result<W, ContextError> {
    let opened = Folder::open(folder)?;
    let executable = |path: &Path| {
        let mode = opened.status(path).ok().flatten().map_or(0, |status| status.st_mode);
        (mode & 0o100 != 0).then_some(0o755)
    };
    archive(folder, &Layout { mode_of: &executable, replacements, folder: None, generate: None }, into)
}

#[cfg(test)]
mod tests;
