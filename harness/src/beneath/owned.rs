//! A temporary folder of ours that others write to.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::runtime::Handle;

use super::remove::{put_aside, remove};

/// A folder that goes with its value, whatever is in it by then. What cannot be removed is put aside.
#[derive(Debug)]
pub(crate) struct OwnedFolder {
    path: PathBuf,
}

impl OwnedFolder {
    /// Makes one in a folder of ours; its name begins so.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new_in(parent: &Path, prefix: &str) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
        Ok(Self { path: folder.keep() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it now, and waits for that.
    pub(crate) fn remove(mut self) {
        discard(&std::mem::take(&mut self.path));
    }

    /// Leaves it where it is.
    pub(crate) fn keep(mut self) {
        self.path = PathBuf::new();
    }
}

impl Drop for OwnedFolder {
    fn drop(&mut self) {
        let path = std::mem::take(&mut self.path);
        if path.as_os_str().is_empty() {
            return;
        }
        // There may be much in it, and tasks have something else to do.
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || discard(&path))),
            Err(_) => discard(&path),
        }
    }
}

/// Removes a folder, or puts it aside. One at a time: a folder may be within another one that is removed, too, and each would find what
/// the other has moved.
fn discard(path: &Path) {
    static REMOVING: Mutex<()> = Mutex::new(());
    let _one = REMOVING.lock().unwrap_or_else(PoisonError::into_inner);
    if remove(path).is_err() && path.exists() {
        // Where it cannot be moved either, the next program finds it, and says so.
        drop(put_aside(path));
    }
}
