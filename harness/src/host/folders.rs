//! Folders: the suite's folder and the cache folder.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::caller;
use super::claim;
use super::trust::{self, Distrust};

#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The folder with `scenarios/` and `images/`.
    pub suite: PathBuf,
    pub cache: PathBuf,
}

/// Why a place could not be found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("no suite (a folder with `scenarios` and `images`) at or above {}", from.display())]
    NoSuite {
        /// Where the search began.
        from: PathBuf,
    },
    #[error("no cache folder: HOME is not set")]
    NoCache,
    /// Programs and images in it are executed and believed, and others can put some there.
    #[error("the cache folder {} cannot be trusted", path.display())]
    Untrusted { path: PathBuf, source: Distrust },
    /// What runs leave in it is removed, so nothing in it may be the user's.
    #[error("the cache folder {} has something in it that is not wsgi-proof's: {}", path.display(), entry.display())]
    Foreign { path: PathBuf, entry: PathBuf },
    /// A folder cannot be used.
    #[error("cannot use {}", path.display())]
    Unusable { path: PathBuf, source: std::io::Error },
}

impl FolderError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NoSuite { .. } => "run in a checkout of wsgi-proof, or name a suite with --suite",
            Self::NoCache => "set HOME, or name a folder with --cache",
            Self::Untrusted { .. } => {
                "name a folder of your own with --cache; or, if all that is in this one is yours, `chown` it and `chmod go-w` it"
            }
            Self::Foreign { .. } => "name a new folder, or an empty one, with --cache",
            Self::Unusable { .. } => "name another folder with --cache or --suite",
        }
    }
}

impl Folders {
    /// Finds both.
    ///
    /// # Errors
    /// When there is no suite, or no cache folder can be made.
    pub(crate) fn find(suite_folder: Option<&Path>, cache_folder: Option<&Path>) -> Result<Self, FolderError> {
        Ok(Self { suite: suite(suite_folder)?, cache: cache(cache_folder)? })
    }

    /// The folder of the scenarios.
    pub(crate) fn scenarios(&self) -> PathBuf {
        self.suite.join("scenarios")
    }

    /// The folder of the images.
    pub(crate) fn images(&self) -> PathBuf {
        self.suite.join("images")
    }
}

/// The cache folder, made if it is not there. It is the user's alone.
///
/// # Errors
/// When the environment names no home, or the folder cannot be made, or others can write to it.
pub(crate) fn cache(named: Option<&Path>) -> Result<PathBuf, FolderError> {
    let path = match named {
        Some(path) => path.to_owned(),
        None => etcetera::choose_base_strategy().map_err(|_| FolderError::NoCache)?.cache_dir().join("wsgi-proof"),
    };
    let path = caller::make_folder(&path, 0o700)
        .and_then(|()| path.canonicalize())
        .map_err(|source| FolderError::Unusable { path: path.clone(), source })?;
    if let Err(source) = trust::check(&path) {
        return Err(FolderError::Untrusted { path, source });
    }
    match claim::claim(&path) {
        Ok(Ok(())) => Ok(path),
        Ok(Err(entry)) => Err(FolderError::Foreign { path, entry }),
        Err(source) => Err(FolderError::Unusable { path, source }),
    }
}

fn suite(named: Option<&Path>) -> Result<PathBuf, FolderError> {
    let is_suite = |path: &Path| path.join("scenarios").is_dir() && path.join("images").is_dir();
    if let Some(path) = named {
        return if is_suite(path) { Ok(path.to_owned()) } else { Err(FolderError::NoSuite { from: path.to_owned() }) };
    }
    let from = std::env::current_dir().map_err(|source| FolderError::Unusable { path: PathBuf::from("."), source })?;
    let found = from.ancestors().find(|path| is_suite(path)).map(Path::to_owned);
    // The usual case, the current folder, is named relatively: reports then show paths that an editor opens.
    match found {
        Some(path) if path == from => Ok(PathBuf::new()),
        Some(path) => Ok(path),
        None => Err(FolderError::NoSuite { from }),
    }
}
