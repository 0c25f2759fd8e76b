//! A sandbox's own files.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::SandboxError;
use crate::contract_tier::stub::record::{self, Call, Orders};

/// A sandbox's own files: the root, and what the stubs wrote.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(super) folder: TempDir,
}

impl Workspace {
    /// The folder that is the sandbox's root.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// What stubs read and write.
    pub(super) fn stubs(&self) -> PathBuf {
        self.folder.path().join("stubs")
    }

    /// Unpacks the build context of an application into `/app`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn unpack(&self, archive: &[u8]) -> Result<(), SandboxError> {
        unpack(archive, &self.root().join("app"))
    }

    /// Unpacks an archive into a folder beside the root, which goes when it is dropped.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn unpack_beside(&self, archive: &[u8]) -> Result<TempDir, SandboxError> {
        let parent = self.folder.path();
        let folder = tempfile::Builder::new().prefix("volume-").tempdir_in(parent).map_err(SandboxError::io(parent))?;
        unpack(archive, folder.path())?;
        Ok(folder)
    }

    /// Gives the stubs their orders from now on, and forgets the calls so far.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn order(&self, orders: &Orders) -> Result<(), SandboxError> {
        let folder = self.stubs();
        for path in [folder.join("bin"), folder.clone()] {
            fs::create_dir_all(&path).map_err(SandboxError::io(&path))?;
            // The start step may be another user's.
            fs::set_permissions(&path, Permissions::from_mode(0o777)).map_err(SandboxError::io(&path))?;
        }
        let calls = folder.join(record::CALLS_FILE);
        match fs::remove_file(&calls) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(SandboxError::io(&calls)(error)),
            _ => {}
        }
        let path = folder.join(record::ORDERS_FILE);
        let text = serde_json::to_vec(orders).map_err(|error| SandboxError::io(&path)(error.into()))?;
        fs::write(&path, text).map_err(SandboxError::io(&path))
    }

    /// The calls of stubs, in order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn calls(&self) -> Result<Vec<Call>, SandboxError> {
        let folder = self.stubs();
        Call::read_all(&folder).map_err(SandboxError::io(folder.join(record::CALLS_FILE)))
    }
}

/// Unpacks with modes, but as the user that this program runs as, who is root in the sandbox.
fn unpack(archive: &[u8], folder: &Path) -> Result<(), SandboxError> {
    let mut archive = tar::Archive::new(archive);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(false);
    archive.unpack(folder).map_err(SandboxError::io(folder))
}
