//! A folder of this user alone, with the socket at which an engine elsewhere is asked.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::TransportError;

/// The socket's name in its folder.
const SOCKET: &str = "engine.sock";

/// A folder for one socket. Both are removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    /// A new one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new() -> Result<Self, TransportError> {
        let parent = std::env::temp_dir();
        // Only this user can enter it; without this the mask for new files decides.
        let own = std::fs::Permissions::from_mode(0o700);
        let made = tempfile::Builder::new().prefix("wsgi-proof-").permissions(own).tempdir_in(&parent);
        made.map(|folder| Self(folder.keep())).map_err(|source| TransportError::Place { path: parent, source })
    }

    /// The one that this process made for itself before it began anew. One that others can enter is not believed.
    pub(crate) fn of(socket: &Path) -> Option<Self> {
        let folder = socket.parent().filter(|_| socket.file_name().is_some_and(|name| name == SOCKET))?;
        let found = folder.symlink_metadata().ok()?;
        let own = found.is_dir() && found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o777 == 0o700;
        own.then(|| Self(folder.to_owned()))
    }

    /// Where the socket is to be.
    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join(SOCKET)
    }

    /// Removes it now.
    pub(crate) fn remove(&self) {
        drop(std::fs::remove_file(self.socket()));
        drop(std::fs::remove_dir(&self.0));
    }

    /// Leaves the folder for another process.
    pub(crate) fn leave(self) -> PathBuf {
        let socket = self.socket();
        std::mem::forget(self);
        socket
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_left_taken_up_and_removed() {
        let socket = Place::new().unwrap().leave();
        let folder = socket.parent().unwrap().to_owned();
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
        let place = Place::of(&socket).unwrap();
        std::fs::write(place.socket(), "").unwrap();
        drop(place);
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_that_others_can_enter_is_no_place() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Place::of(&folder.path().join("other.sock")).is_none());
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Place::of(&folder.path().join(SOCKET)).is_none());
    }
}
