//! A file on its way into the store: it is written as it comes, hashed meanwhile, and nobody sees it before it is whole.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::host::{caller, umask};

/// What has come so far. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Incoming {
    file: NamedTempFile,
    digest: Sha256,
    length: u64,
}

impl Incoming {
    /// One that is written in this folder, and stays on its file system.
    pub(super) fn begin(folder: &Path) -> io::Result<Self> {
        // As the umask permits, and who called `sudo` can read it: a workflow keeps the store from one run to the next.
        let permissions = std::fs::Permissions::from_mode(0o666);
        let file = tempfile::Builder::new().prefix(".writing-").permissions(permissions).tempfile_in(folder)?;
        Ok(Self { file, digest: Sha256::new(), length: 0 })
    }

    pub(super) fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        self.digest.update(piece);
        self.length += piece.len() as u64;
        self.file.write_all(piece)
    }

    /// In bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Its hash so far.
    pub(super) fn sha256(&self) -> String {
        hex::encode(self.digest.clone().finalize())
    }

    /// Puts it where it belongs, at once.
    pub(super) fn place(self, path: &Path) -> io::Result<()> {
        umask::permit(self.file.as_file(), 0o666)?;
        caller::give(self.file.as_file())?;
        self.file.as_file().sync_all()?;
        self.file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// All of it as text, for what is no file of the store.
    pub(super) fn text(mut self) -> io::Result<String> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
