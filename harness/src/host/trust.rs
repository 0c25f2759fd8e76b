//! Whether a folder is the user's alone. What lies in the cache folder is executed and believed, also by root.

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::caller;

/// Others than the owner may write.
const OTHERS_WRITE: u32 = 0o022;
/// In a folder with this bit, entries can be replaced by their owners only.
const STICKY: u32 = 0o1000;

/// Why a folder cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Distrust {
    /// Somebody else can write there.
    #[error("{} {why}", path.display())]
    Others {
        /// The folder itself, or one above it.
        path: PathBuf,
        why: Why,
    },
    #[error("{}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

/// What lets others write to a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It belongs to another user.
    Owner { owner: u32, user: u32 },
    /// Its mode permits it.
    Mode(u32),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner { owner, user } => write!(f, "belongs to user {owner}, not to you (user {user}) or root"),
            Self::Mode(mode) => write!(f, "can be written by other users (mode {:04o})", mode & 0o7777),
        }
    }
}

/// Checks that only the running user, root, or who called `sudo` can change what is in a folder: it and all folders above it
/// belong to one of them, and nobody else may write there. In a sticky folder such as `/tmp` others can only add.
///
/// # Errors
/// When somebody else can.
pub(crate) fn check(folder: &Path) -> Result<(), Distrust> {
    // The names on the way there could be links, which others can change.
    let folder = folder.canonicalize().map_err(unreadable(folder))?;
    let user = rustix::process::geteuid().as_raw();
    let trusted = [Some(0), Some(user), caller::of_sudo().map(|caller| caller.user.as_raw())];
    for path in folder.ancestors() {
        let metadata = path.symlink_metadata().map_err(unreadable(path))?;
        if let Some(why) = others(&metadata, path != folder, user, &trusted) {
            return Err(Distrust::Others { path: path.to_owned(), why });
        }
    }
    Ok(())
}

/// The same for a folder that has been checked, and all that is in it: somebody may have put something there before it was closed to
/// others.
///
/// # Errors
/// When something there is another user's, or can be written by others.
pub(crate) fn check_below(folder: &Path) -> Result<(), Distrust> {
    let user = rustix::process::geteuid().as_raw();
    let trusted = [Some(0), Some(user), caller::of_sudo().map(|caller| caller.user.as_raw())];
    let mut folders = vec![folder.canonicalize().map_err(unreadable(folder))?];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().map_err(unreadable(&folder))? {
            let path = entry.map_err(unreadable(&folder))?.path();
            let metadata = path.symlink_metadata().map_err(unreadable(&path))?;
            // A link has the mode that all links have.
            let is_open = |why: &Why| !(metadata.is_symlink() && matches!(why, Why::Mode(_)));
            if let Some(why) = others(&metadata, false, user, &trusted).filter(is_open) {
                return Err(Distrust::Others { path, why });
            }
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(())
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Distrust {
    let path = path.to_owned();
    move |source| Distrust::Unreadable { path, source }
}

fn others(metadata: &Metadata, is_above: bool, user: u32, trusted: &[Option<u32>]) -> Option<Why> {
    if !trusted.contains(&Some(metadata.uid())) {
        return Some(Why::Owner { owner: metadata.uid(), user });
    }
    let protected = is_above && metadata.mode() & STICKY != 0;
    (metadata.mode() & OTHERS_WRITE != 0 && !protected).then(|| Why::Mode(metadata.mode()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_of_ones_own_below_a_sticky_one_is_trusted() {
        let outer = tempfile::tempdir().unwrap();
        let cache = outer.path().join("cache");
        fs::create_dir(&cache).unwrap();
        for (above, own) in [(0o700, 0o700), (0o1777, 0o755)] {
            set(outer.path(), above);
            set(&cache, own);
            assert!(check(&cache).is_ok(), "{above:o} {own:o}");
        }
    }

    #[test]
    fn where_others_can_write_nothing_is_trusted() {
        let outer = tempfile::tempdir().unwrap();
        let cache = outer.path().join("cache");
        fs::create_dir(&cache).unwrap();
        for (above, own, at_fault) in [
            (0o700, 0o702, &cache),
            (0o700, 0o720, &cache),
            // Sticky keeps nobody from adding a program.
            (0o700, 0o1777, &cache),
            (0o777, 0o700, &outer.path().to_owned()),
            (0o720, 0o700, &outer.path().to_owned()),
        ] {
            set(outer.path(), above);
            set(&cache, own);
            let told = check(&cache).unwrap_err().to_string();
            assert!(told.starts_with(&format!("{} can be written by", at_fault.display())), "{told}");
        }
        set(outer.path(), 0o700);
    }

    #[test]
    fn what_belongs_to_another_user_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        set(folder.path(), 0o700);
        let metadata = folder.path().symlink_metadata().unwrap();
        let owner = metadata.uid();
        assert_eq!(others(&metadata, false, owner, &[Some(owner)]), None);
        let other = owner + 1;
        assert_eq!(others(&metadata, false, other, &[Some(other)]), Some(Why::Owner { owner, user: other }));
    }

    #[test]
    fn what_was_put_into_a_folder_before_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("usr/bin/bwrap");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        fs::write(&program, "").unwrap();
        std::os::unix::fs::symlink("bwrap", folder.path().join("usr/bin/link")).unwrap();
        set(&program, 0o755);
        assert!(check_below(folder.path()).is_ok());
        set(&program, 0o757);
        let told = check_below(folder.path()).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{} can be written by", program.display())), "{told}");
    }

    #[test]
    fn a_link_to_a_folder_that_others_can_write_is_no_way_around() {
        let outer = tempfile::tempdir().unwrap();
        let (open, link) = (outer.path().join("open"), outer.path().join("link"));
        fs::create_dir(&open).unwrap();
        set(&open, 0o777);
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert!(check(&link).is_err());
    }
}
