//! An application, put into a sandbox.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::SandboxError;
use super::user::HostUser;

/// Unpacks an archive of ours, with modes, but as the user that is root in the sandbox. Nobody has written to
/// the folder before.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn unpack(archive: &[u8], folder: &Path, user: HostUser) -> Result<(), SandboxError> {
    let mut made = Made { folder, user, folders: BTreeSet::new() };
    made.all(tar::Archive::new(archive)).map_err(SandboxError::io(folder))
}

/// What is being unpacked. The library's own way to do all of an archive looks at the whole path of each file again.
struct Made<'a> {
    folder: &'a Path,
    user: HostUser,
    /// Folders that were made here: what is in one of them is nowhere else. As text, since paths take long to compare.
    folders: BTreeSet<OsString>,
}

impl Made<'_> {
    fn all(&mut self, mut archive: tar::Archive<&[u8]>) -> io::Result<()> {
        let mut folders = Vec::new();
        self.make(Path::new(""))?;
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = entry.path()?.into_owned();
            if path.components().any(|component| !matches!(component, Component::Normal(_))) {
                return Err(io::Error::new(ErrorKind::InvalidData, format!("`{}` in an archive", path.display())));
            }
            let (kind, header) = (entry.header().entry_type(), entry.header());
            if kind.is_dir() {
                self.make(&path)?;
                folders.push((path, header.mode()?, header.mtime()?));
                continue;
            }
            if !kind.is_file() && !kind.is_symlink() {
                return Err(io::Error::new(ErrorKind::InvalidData, format!("`{}` is of another kind", path.display())));
            }
            path.parent().map_or(Ok(()), |parent| self.make(parent))?;
            let path = self.folder.join(path);
            entry.set_preserve_permissions(true);
            entry.unpack(&path)?;
            self.user.give(&path)?;
        }
        // Last, since nothing can be put into one that is closed, and what is put into one changes its time.
        folders.iter().rev().try_for_each(|(path, mode, time)| {
            let path = self.folder.join(path);
            let time = Timespec { tv_sec: i64::try_from(*time).unwrap_or(i64::MAX), tv_nsec: 0 };
            let times = Timestamps { last_access: time, last_modification: time };
            utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
            fs::set_permissions(path, Permissions::from_mode(*mode))
        })
    }

    /// Makes a folder that is not there, and those that it is in.
    fn make(&mut self, path: &Path) -> io::Result<()> {
        if self.folders.contains(path.as_os_str()) {
            return Ok(());
        }
        path.parent().map_or(Ok(()), |parent| self.make(parent))?;
        let folder = self.folder.join(path);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists || !path.as_os_str().is_empty() => {
                return Err(error);
            }
            _ => {}
        }
        self.user.give(&folder)?;
        self.folders.insert(path.as_os_str().to_owned());
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, tar::EntryType, u32, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, kind, mode, text) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(*mode);
            header.set_size(0);
            if kind.is_symlink() {
                archive.append_link(&mut header, path, text).unwrap();
            } else {
                header.set_size(text.len() as u64);
                archive.append_data(&mut header, path, text.as_bytes()).unwrap();
            }
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn what_is_packed_is_there_with_its_modes() {
        use tar::EntryType::{Directory, Regular, Symlink};
        let parent = tempfile::tempdir().unwrap();
        let app = parent.path().join("app");
        let packed = archive(&[
            ("closed", Directory, 0o555, ""),
            ("closed/hook", Regular, 0o750, "text"),
            ("link", Symlink, 0o777, "closed/hook"),
            ("made/deep/file", Regular, 0o600, ""),
        ]);
        unpack(&packed, &app, HostUser::Same).unwrap();
        let mode = |path: &str| fs::metadata(app.join(path)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(["closed", "closed/hook", "made/deep/file"].map(mode), [0o555, 0o750, 0o600]);
        assert_eq!(fs::read_to_string(app.join("link")).unwrap(), "text");
    }

    #[test]
    fn nothing_is_put_behind_a_link() {
        use tar::EntryType::{Regular, Symlink};
        let parent = tempfile::tempdir().unwrap();
        let outside = parent.path().join("outside");
        fs::create_dir(&outside).unwrap();
        let target = outside.to_str().unwrap();
        let packed = archive(&[("link", Symlink, 0o777, target), ("link/file", Regular, 0o644, "text")]);
        let app = parent.path().join("app");
        unpack(&packed, &app, HostUser::Same).unwrap_err();
        assert!(app.join("link").is_symlink());
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    }
}
