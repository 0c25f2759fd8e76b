//! A sandbox's own files.

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmodat, fstat, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::SandboxError;
use super::recorder::Calls;
use super::user::HostUser;
use crate::beneath::OwnedFolder;
use crate::contract_tier::stub::record::{self, Call, Orders};

/// The folder that is the root.
const ROOT: &str = "root";

/// A sandbox's own files: the root, what the stubs make appear, and what is only read in it.
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: OwnedFolder,
    user: HostUser,
    calls: Calls,
}

impl Workspace {
    /// Empty folders.
    pub(super) fn new(parent: &Path, user: HostUser) -> io::Result<Self> {
        let folder = OwnedFolder::new_in(parent, "workspace-")?;
        // Sandboxes have a user of their own, who can go through and no more.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
        let workspace = Self { folder, user, calls: Calls::default() };
        fs::create_dir(workspace.root())?;
        fs::create_dir(workspace.given())?;
        for path in [workspace.stubs(), workspace.stubs().join("bin"), workspace.stubs().join("site")] {
            fs::create_dir(&path)?;
            user.give(&path)?;
        }
        Ok(workspace)
    }

    /// The folder that is the sandbox's root.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join(ROOT)
    }

    /// Who is root in the sandbox, outside of it.
    pub(crate) fn user(&self) -> HostUser {
        self.user
    }

    /// The folder of all its files.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What stubs make appear.
    pub(super) fn stubs(&self) -> PathBuf {
        self.folder.path().join("stubs")
    }

    /// What is given to the sandbox to read: the orders, and where stubs say their calls.
    pub(super) fn given(&self) -> PathBuf {
        self.folder.path().join("given")
    }

    /// What the stubs said.
    pub(super) fn said(&self) -> &Calls {
        &self.calls
    }

    /// Gives what this program made in the root to the sandbox's user.
    pub(super) fn give_root(&self) -> io::Result<()> {
        self.user.give_all(&self.root())
    }

    /// A folder beside the root, for a volume; it goes with the sandbox.
    pub(crate) fn volume(&self) -> PathBuf {
        self.folder.path().join("volume")
    }

    /// Gives the stubs their orders from now on, and forgets the calls so far.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn order(&self, orders: &Orders) -> Result<(), SandboxError> {
        self.calls.forget();
        let path = self.given().join(record::ORDERS_FILE);
        let text = serde_json::to_vec(orders).map_err(|error| SandboxError::io(&path)(error.into()))?;
        fs::write(&path, text).map_err(SandboxError::io(&path))
    }

    /// The calls of stubs, in order.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.so_far()
    }

    /// Makes a folder of the root that something is mounted on, again where a program has taken it away or put something else in its
    /// place: a link there would lead out of the root.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn mount_point(&self, path: &str) -> io::Result<()> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut folder = openat(CWD, self.root(), flags, Mode::empty())?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            folder = match openat(&folder, name, flags, Mode::empty()) {
                Ok(inner) => {
                    self.open_up(&folder, name, &inner)?;
                    inner
                }
                Err(Errno::NOENT) => self.make(&folder, name)?,
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    unlinkat(&folder, name, AtFlags::empty())?;
                    self.make(&folder, name)?
                }
                Err(error) => return Err(error.into()),
            };
        }
        Ok(())
    }

    /// Lets its own user go through the root, as through any folder that something is mounted on.
    pub(super) fn open_root(&self) -> io::Result<()> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(CWD, self.folder.path(), flags, Mode::empty())?;
        self.open_up(&folder, ROOT, &openat(&folder, ROOT, flags, Mode::empty())?)
    }

    /// Lets its own user go through a folder that a program has closed: a container's root goes through, and an ordinary user who stands
    /// for it does not.
    fn open_up(&self, parent: &OwnedFd, name: &str, folder: &OwnedFd) -> io::Result<()> {
        let mode = Mode::from_raw_mode(fstat(folder)?.st_mode);
        if self.user != HostUser::Same || mode.contains(Mode::RWXU) {
            return Ok(());
        }
        Ok(chmodat(parent, name, mode | Mode::RWXU, AtFlags::empty())?)
    }

    fn make(&self, parent: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
        mkdirat(parent, name, Mode::from_raw_mode(0o755))?;
        let folder = openat(
            parent,
            name,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        self.user.give_open(&folder)?;
        Ok(folder)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_mount_point_is_a_folder_of_the_root() {
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        fs::create_dir(&outside).unwrap();
        let workspace = Workspace::new(parent.path(), HostUser::Same).unwrap();
        symlink(&outside, workspace.root().join("run")).unwrap();
        fs::write(workspace.root().join("tmp"), "").unwrap();
        for path in ["/run/stubs", "tmp", "usr"] {
            workspace.mount_point(path).unwrap();
            workspace.mount_point(path).unwrap();
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
        for path in ["run/stubs", "tmp", "usr"] {
            assert!(workspace.root().join(path).is_dir(), "{path}");
        }
        assert!(!workspace.root().join("run").is_symlink());
    }
}
