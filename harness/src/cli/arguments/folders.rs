//! The suite's folder and the cache folder.

use std::path::PathBuf;

use clap::Args;

use crate::host::folders::{self, FolderError, Folders};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Folders")]
pub(crate) struct FolderArgs {
    #[arg(
        long,
        help = "Suite [default: nearest parent, then own; env: WSGI_PROOF_SUITE]",
        value_name = "DIR",
        env = "WSGI_PROOF_SUITE",
        hide_env = true
    )]
    pub suite: Option<PathBuf>,
    #[arg(
        long,
        help = "Cache [default: ~/.cache/wsgi-proof; env: WSGI_PROOF_CACHE]",
        value_name = "DIR",
        env = "WSGI_PROOF_CACHE",
        hide_env = true
    )]
    pub cache: Option<PathBuf>,
}

impl FolderArgs {
    /// Finds the suite's folder and the cache folder.
    ///
    /// # Errors
    /// When there is no suite, or no cache folder can be made.
    pub(crate) fn find(&self) -> Result<Folders, FolderError> {
        Folders::find(self.suite.as_deref(), self.cache.as_deref())
    }

    /// The cache folder, made if it is not there.
    ///
    /// # Errors
    /// When the environment names no home, or the folder cannot be made.
    pub(crate) fn cache(&self) -> Result<PathBuf, FolderError> {
        folders::cache(self.cache.as_deref())
    }
}
