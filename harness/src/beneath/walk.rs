//! A tree, entry by entry, without recursion and without a handle for each level.

use std::ffi::{CStr, CString, OsString};
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat, chmodat, fstat, openat, statat};
use rustix::io::Errno;

use super::folder::{Folder, link_of, listed, regular};
use super::{BeneathError, Bound, MAX_DEPTH, MAX_ENTRIES, MAX_PATHS, word_for};

/// How many folders are opened that are closed to their own user.
const MAX_CLOSED: usize = 64;

/// An entry of a tree.
pub(crate) struct Found<'a> {
    /// Its path beneath the folder.
    pub path: &'a Path,
    /// Of a link, the link's own.
    pub status: &'a Stat,
    /// The folder that it is in, and its name there.
    folder: &'a OwnedFd,
    name: &'a CStr,
}

impl Found<'_> {
    pub(crate) fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.status.st_mode)
    }

    /// The word for its kind.
    pub(crate) fn word(&self) -> &'static str {
        word_for(self.kind())
    }

    pub(crate) fn is_folder(&self) -> bool {
        self.kind() == FileType::Directory
    }

    pub(crate) fn is_file(&self) -> bool {
        self.kind() == FileType::RegularFile
    }

    pub(crate) fn is_link(&self) -> bool {
        self.kind() == FileType::Symlink
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.status.st_size).unwrap_or(0)
    }

    /// Where it leads, if it is a link.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn target(&self) -> Result<PathBuf, BeneathError> {
        link_of(self.folder, self.name).map_err(|error| BeneathError::io(self.path)(error.into()))
    }

    /// Opens it, if it is a regular file.
    ///
    /// # Errors
    /// When it is none, or cannot be read.
    pub(crate) fn file(&self) -> Result<File, BeneathError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let failed = |error: Errno| BeneathError::io(self.path)(error.into());
        regular(self.path, self.status)?;
        let handle = openat(self.folder, self.name, flags, Mode::empty()).map_err(failed)?;
        // It may be another one by now.
        regular(self.path, &fstat(&handle).map_err(failed)?)?;
        Ok(handle.into())
    }
}

/// A folder that is opened to its own user for as long as it is looked at.
struct Opened {
    handle: OwnedFd,
    mode: Mode,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let _ = set_mode(&self.handle, self.mode);
    }
}

impl Folder {
    /// Visits everything beneath the folder, each folder before what is in it. The visitor says of a folder whether it is gone into.
    ///
    /// # Errors
    /// When a folder cannot be read, when there is more than is read, and when the visitor says so.
    pub(crate) fn walk(
        &self,
        mut visit: impl FnMut(&Found<'_>) -> Result<bool, BeneathError>,
    ) -> Result<(), BeneathError> {
        let mut opened = Vec::new();
        let mut waiting = vec![(PathBuf::new(), 0)];
        let (mut count, mut paths) = (0, 0);
        while let Some((folder, depth)) = waiting.pop() {
            let failed = |error| BeneathError::io(&folder)(error);
            let handle = self.to_list(&folder, &mut opened)?;
            for name in listed(&handle).map_err(failed)? {
                let name: OsString = name.map_err(failed)?;
                count += 1;
                if count > MAX_ENTRIES {
                    return Err(Bound::Many.into());
                }
                let path = folder.join(&name);
                paths += path.as_os_str().len();
                if paths > MAX_PATHS {
                    return Err(Bound::Named.into());
                }
                let name = CString::new(name.into_vec()).map_err(|error| failed(error.into()))?;
                let status = match statat(&handle, &name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(status) => status,
                    // It has gone meanwhile.
                    Err(Errno::NOENT) => continue,
                    Err(error) => return Err(BeneathError::io(&path)(error.into())),
                };
                let found = Found { path: &path, status: &status, folder: &handle, name: &name };
                if visit(&found)? && found.is_folder() {
                    if depth + 1 >= MAX_DEPTH {
                        return Err(Bound::Deep.into());
                    }
                    waiting.push((path, depth + 1));
                }
            }
        }
        Ok(())
    }

    /// Opens a folder to list it. One that is closed to its own user is opened to him, until all has been looked at.
    fn to_list(&self, folder: &Path, opened: &mut Vec<Opened>) -> Result<OwnedFd, BeneathError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let closed = || BeneathError::from(Bound::Closed { path: folder.to_owned() });
        let status = |handle: &OwnedFd| fstat(handle).map_err(|error| BeneathError::io(folder)(error.into()));
        // A folder that can be listed, but not gone into, is as closed as one that cannot be listed.
        let handle = self.handle_of(folder, OFlags::PATH | OFlags::DIRECTORY)?;
        let found = status(&handle)?;
        let mode = Mode::from_raw_mode(found.st_mode);
        let own = found.st_uid == rustix::process::geteuid().as_raw();
        if own && !rustix::process::geteuid().is_root() && !mode.contains(Mode::RUSR | Mode::XUSR) {
            if opened.len() >= MAX_CLOSED {
                return Err(closed());
            }
            set_mode(&handle, mode | Mode::RWXU).map_err(|_| closed())?;
            opened.push(Opened { handle, mode });
        }
        self.handle_of(folder, flags).map_err(|error| match error {
            BeneathError::Io { source, .. } if own && source.kind() == std::io::ErrorKind::PermissionDenied => closed(),
            other => other,
        })
    }
}

/// Sets the mode of what is opened, and of nothing that may have taken its place.
pub(super) fn set_mode(handle: &OwnedFd, mode: Mode) -> rustix::io::Result<()> {
    // A handle that is only a path has no other way (`open(2)`, `O_PATH`).
    chmodat(CWD, format!("/proc/self/fd/{}", handle.as_raw_fd()), mode, AtFlags::empty())
}
