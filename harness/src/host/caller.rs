//! Who called `sudo`: what a run leaves for others to read is theirs, not root's.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Gid, OFlags, Uid, fchown};

use super::umask;

/// A user who had this program run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub user: Uid,
    group: Gid,
}

/// Who called `sudo`, where this program is root.
pub(crate) fn of_sudo() -> Option<Caller> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let number = |name: &str| std::env::var(name).ok();
    parse(number("SUDO_UID")?.as_str(), number("SUDO_GID")?.as_str())
}

fn parse(user: &str, group: &str) -> Option<Caller> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number != u32::MAX);
    let user = number(user).filter(|user| *user != 0)?;
    Some(Caller { user: Uid::from_raw(user), group: Gid::from_raw(number(group)?) })
}

/// Gives an open file or folder to who called `sudo`. By its handle: a name could have become a link.
pub(crate) fn give(file: impl AsFd) -> io::Result<()> {
    match of_sudo() {
        Some(Caller { user, group }) => Ok(fchown(file, Some(user), Some(group))?),
        None => Ok(()),
    }
}

/// Makes a folder with what is missing above it, and gives what was made to who called `sudo`. The folder itself has this mode, as
/// far as the umask permits.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_folder(above, 0o777)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {
            let folder = open_folder(path)?;
            umask::permit(&folder, mode)?;
            give(folder)
        }
        // Another run was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// A folder's handle; a link is none.
fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn only_a_user_with_both_numbers_is_a_caller() {
        let caller = Caller { user: Uid::from_raw(1000), group: Gid::from_raw(100) };
        assert_eq!(parse("1000", "100"), Some(caller));
        for (user, group) in [("0", "0"), ("", "100"), ("1000", ""), ("x", "1"), ("-1", "1"), ("4294967295", "1")] {
            assert_eq!(parse(user, group), None, "{user} {group}");
        }
    }

    #[test]
    fn folders_are_made_with_the_mode_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        make_folder(&path, 0o700).unwrap();
        make_folder(&path, 0o700).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        std::os::unix::fs::symlink(&path, folder.path().join("link")).unwrap();
        assert!(open_folder(&folder.path().join("link")).is_err());
    }
}
