//! Places: the suite's folder and the cache folder.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::cli::PlaceArgs;

/// Where things are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder with `scenarios/` and `images/`.
    pub suite: PathBuf,
    /// The cache folder.
    pub cache: PathBuf,
}

/// Why a place could not be found.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// No suite.
    #[error("no folder with `scenarios` and `images` at or above {}", from.display())]
    NoSuite {
        /// Where the search began.
        from: PathBuf,
    },
    /// No cache.
    #[error("no cache folder: the environment names no home folder")]
    NoCache,
    /// A folder cannot be used.
    #[error("{}: cannot be used", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl PlaceError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoSuite { .. } => "run it inside a checkout of wsgi-proof, or name one with --suite",
            Self::NoCache => "set HOME, or name a folder with --cache",
            Self::Unusable { .. } => "name another folder with --cache or --suite",
        }
    }
}

impl Places {
    /// Finds both.
    ///
    /// # Errors
    /// When there is no suite, or no cache folder can be made.
    pub fn find(arguments: &PlaceArgs) -> Result<Self, PlaceError> {
        Ok(Self { suite: suite(arguments)?, cache: cache(arguments)? })
    }

    /// The folder of the scenarios.
    pub fn scenarios(&self) -> PathBuf {
        self.suite.join("scenarios")
    }

    /// The folder of the images.
    pub fn images(&self) -> PathBuf {
        self.suite.join("images")
    }
}

/// The cache folder, made if it is not there.
///
/// # Errors
/// When the environment names no home, or the folder cannot be made.
pub fn cache(arguments: &PlaceArgs) -> Result<PathBuf, PlaceError> {
    let path = match &arguments.cache {
        Some(path) => path.clone(),
        None => etcetera::choose_base_strategy().map_err(|_| PlaceError::NoCache)?.cache_dir().join("wsgi-proof"),
    };
    std::fs::create_dir_all(&path)
        .and_then(|()| path.canonicalize())
        .map_err(|source| PlaceError::Unusable { path: path.clone(), source })
}

fn suite(arguments: &PlaceArgs) -> Result<PathBuf, PlaceError> {
    let is_suite = |path: &Path| path.join("scenarios").is_dir() && path.join("images").is_dir();
    if let Some(path) = &arguments.suite {
        return if is_suite(path) { Ok(path.clone()) } else { Err(PlaceError::NoSuite { from: path.clone() }) };
    }
    let from = std::env::current_dir().map_err(|source| PlaceError::Unusable { path: PathBuf::from("."), source })?;
    let found = from.ancestors().find(|path| is_suite(path)).map(Path::to_owned);
    // The usual case, the current folder, is named relatively: reports then show paths that an editor opens.
    match found {
        Some(path) if path == from => Ok(PathBuf::new()),
        Some(path) => Ok(path),
        None => Err(PlaceError::NoSuite { from }),
    }
}
