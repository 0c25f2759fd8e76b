//! Folders: the suite's folder and the cache folder.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::caller;
use super::carried::{self, CarriedError};
use super::claim;
use super::trust::{self, Distrust};
use crate::suite::packed::FOLDERS;

#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The folder with `scenarios/` and `images/`.
    pub suite: PathBuf,
    /// Whether it is the suite that this program carries, which nobody changes.
    pub carried: bool,
    pub cache: PathBuf,
}

/// Why a place could not be found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("no suite (a folder with `scenarios` and `images`) at or above {}, and none in this program", from.display())]
    NoSuite {
        /// Where the search began.
        from: PathBuf,
    },
    #[error("{} is no suite: it has no folders `scenarios` and `images`", path.display())]
    NotASuite { path: PathBuf },
    #[error(transparent)]
    Carried(#[from] CarriedError),
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
            Self::NotASuite { .. } => "name the folder above them with --suite",
            Self::Carried(error) => error.hint(),
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
    /// Finds both. A suite that is named goes first, then one at hand, then the one that this program carries.
    ///
    /// # Errors
    /// When there is no suite, or no cache folder can be made.
    pub(crate) fn find(suite_folder: Option<&Path>, cache_folder: Option<&Path>) -> Result<Self, FolderError> {
        let (at_hand, from) = match suite_folder {
            Some(path) if is_suite(path) => (Some(path.to_owned()), path.to_owned()),
            Some(path) => return Err(FolderError::NotASuite { path: path.to_owned() }),
            None => at_hand()?,
        };
        if let Some(suite) = at_hand {
            return Ok(Self { suite, carried: false, cache: cache(cache_folder)? });
        }
        let carried = carried::suite()?.ok_or(FolderError::NoSuite { from })?;
        let cache = cache(cache_folder)?;
        Ok(Self { suite: carried::unpacked(&carried, &cache)?, carried: true, cache })
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

fn is_suite(path: &Path) -> bool {
    FOLDERS.iter().all(|folder| path.join(folder).is_dir())
}

/// The suite at or above the current folder, if there is one, and where the search began.
fn at_hand() -> Result<(Option<PathBuf>, PathBuf), FolderError> {
    let from = std::env::current_dir().map_err(|source| FolderError::Unusable { path: PathBuf::from("."), source })?;
    let found = from.ancestors().find(|path| is_suite(path));
    // The usual case, the current folder, is named relatively: reports then show paths that an editor opens.
    let found = found.map(|path| if path == from { PathBuf::new() } else { path.to_owned() });
    Ok((found, from))
}
