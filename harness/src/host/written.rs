//! Files that a run leaves for others to read: written whole or not at all, never through a link, with the modes that the umask
//! permits, and given to who called `sudo`.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::{caller, umask};

/// A file for what is written, of which nobody but this process knows the name.
const BEGUN: &str = ".wsgi-proof-";

/// Whether a name is that of a file that is being written.
pub(super) fn is_begun(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(BEGUN.as_bytes())
}

/// Makes a folder for reports, with what is missing above it.
///
/// # Errors
/// When it cannot be made, or a link leads there.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    open_folder(path).map(drop)
}

/// Writes a file whole or not at all. A link in its place gives way, and what it leads to stays as it is.
///
/// # Errors
/// When it cannot be written, or a link leads to its folder.
pub(crate) fn file(path: &Path, content: &[u8]) -> io::Result<()> {
    whole(path, 0o666, |file| file.write_all(content))
}

/// Writes a file as [`file()`] does, of what this writes into it.
///
/// # Errors
/// When it cannot be written, or a link leads to its folder.
pub(crate) fn made(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    whole(path, 0o666, write)
}

/// Writes a file that can be executed, of several parts, as [`file()`] does.
///
/// # Errors
/// When it cannot be written, or a link leads to its folder.
pub(crate) fn program(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    whole(path, 0o777, |file| parts.iter().try_for_each(|part| file.write_all(part)))
}

fn whole(path: &Path, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let folder = open_folder(path.parent().unwrap_or(Path::new("")))?;
    let begun = format!("{BEGUN}{:016x}", RandomState::new().hash_one(name));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(&folder, &begun, flags, Mode::from_raw_mode(mode))?);
    let written = write(&mut file)
        .and_then(|()| umask::permit(&file, mode))
        .and_then(|()| caller::give(&file))
        .and_then(|()| file.sync_all())
        .and_then(|()| Ok(renameat(&folder, &begun, &folder, name)?));
    if written.is_err() {
        let _ = unlinkat(&folder, &begun, AtFlags::empty());
    }
    written
}

/// Opens a folder, component by component, and makes those that are missing.
fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut components = path.components().peekable();
    let start = match components.next_if_eq(&Component::RootDir) {
        Some(_) => "/",
        None => ".",
    };
    let mut folder = openat(CWD, start, step, Mode::empty())?;
    for component in components {
        let name = match component {
            Component::Normal(name) => Path::new(name),
            Component::ParentDir => Path::new(".."),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => continue,
        };
        folder = match openat(&folder, name, step, Mode::empty()) {
            Err(Errno::NOENT) => make(&folder, name)?,
            opened => opened.map_err(|error| through(error, path, name))?,
        };
    }
    Ok(folder)
}

fn make(above: &impl AsFd, name: &Path) -> io::Result<OwnedFd> {
    let made = match mkdirat(above, name, Mode::from_raw_mode(0o777)) {
        Ok(()) => true,
        // Another run was faster.
        Err(Errno::EXIST) => false,
        Err(error) => return Err(error.into()),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(above, name, flags, Mode::empty()).map_err(|error| through(error, name, name))?;
    if made {
        umask::permit(&folder, 0o777)?;
        caller::give(&folder)?;
    }
    Ok(folder)
}

/// What stands in the way: with these flags, a link is no folder.
fn through(error: Errno, path: &Path, name: &Path) -> io::Error {
    match error {
        Errno::NOTDIR | Errno::LOOP => io::Error::new(
            io::ErrorKind::NotADirectory,
            format!("{}: {} is a link or no folder", path.display(), name.display()),
        ),
        error => error.into(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn what_is_written_can_be_read_by_whom_the_umask_permits() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("a/b/report.json");
        folder(path.parent().unwrap()).unwrap();
        file(&path, b"one").unwrap();
        file(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        // As a file that is made in the usual way.
        let usual = outer.path().join("usual");
        fs::write(&usual, "").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode(), fs::metadata(usual).unwrap().mode());
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let outer = tempfile::tempdir().unwrap();
        let (elsewhere, target) = (outer.path().join("elsewhere"), outer.path().join("target"));
        fs::create_dir(&elsewhere).unwrap();
        fs::write(&target, "as before").unwrap();
        symlink(&elsewhere, outer.path().join("link")).unwrap();
        for path in ["link/report.json", "link/below/report.json"] {
            let told = file(&outer.path().join(path), b"x").unwrap_err().to_string();
            assert!(told.contains("link is a link or no folder"), "{told}");
        }
        assert!(folder(&outer.path().join("link/below")).is_err());
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        // A link in the file's own place gives way.
        let path = outer.path().join("report.json");
        symlink(&target, &path).unwrap();
        file(&path, b"new").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"as before");
        assert!(path.symlink_metadata().unwrap().is_file());
    }

    #[test]
    fn what_cannot_be_put_in_its_place_leaves_nothing() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("report.json");
        fs::create_dir(&path).unwrap();
        assert!(file(&path, b"x").is_err());
        assert_eq!(fs::read_dir(outer.path()).unwrap().count(), 1);
    }
}
