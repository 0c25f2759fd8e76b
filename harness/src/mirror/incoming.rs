//! A file on its way into the store: it is written as it comes, hashed meanwhile, and nobody sees it before it is whole.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::host::{caller, umask};

/// How the name begins of what is on its way.
const BEGUN: &str = ".writing-";

/// Removes from a store's folder what programs had begun to write that were killed meanwhile, or says what it would remove.
///
/// # Errors
/// When a file cannot be removed.
pub(super) fn remove_stale(folder: &Path, dry_run: bool) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let begun = entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().starts_with(BEGUN.as_bytes()));
    // Who still writes it has it locked. A lock that is only dropped stays for as long as a process that was begun meanwhile has the file.
    let stale = |path: &PathBuf| File::open(path).is_ok_and(|file| file.try_lock().is_ok() && file.unlock().is_ok());
    let stale: Vec<PathBuf> = begun.map(|entry| entry.path()).filter(stale).collect();
    for path in stale.iter().filter(|_| !dry_run) {
        fs::remove_file(path)?;
    }
    Ok(stale)
}

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
        let permissions = fs::Permissions::from_mode(0o666);
        let file = tempfile::Builder::new().prefix(BEGUN).permissions(permissions).tempfile_in(folder)?;
        // On a file system without locks nobody takes it for stale, either.
        drop(file.as_file().lock());
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_writes_any_more_goes() {
        let folder = tempfile::tempdir().unwrap();
        let begun = Incoming::begin(folder.path()).unwrap();
        let (dead, other) = (folder.path().join(".writing-dead"), folder.path().join("sha256"));
        fs::write(&dead, "x").unwrap();
        fs::write(&other, "x").unwrap();
        assert_eq!(remove_stale(folder.path(), true).unwrap(), [dead.as_path()]);
        assert!(dead.exists());
        assert_eq!(remove_stale(folder.path(), false).unwrap(), [dead.as_path()]);
        assert!(!dead.exists() && other.exists());
        begun.place(&folder.path().join("whole")).unwrap();
        assert!(remove_stale(folder.path(), false).unwrap().is_empty());
        assert!(remove_stale(&folder.path().join("none"), false).unwrap().is_empty());
    }
}
