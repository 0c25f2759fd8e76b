//! How much a tree of files takes of a disk.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, openat, openat2, statat};

/// The unit of a file's blocks, in bytes (stat(2)).
pub(crate) const BLOCK: u64 = 512;
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// What the files below a folder take, in bytes; `u64::MAX` where it is more than `most`. Each entry takes `entry` bytes at the least, so
/// that many empty ones have an end, too. Links are not followed, and what cannot be read, or is so deep that it has no path, takes
/// nothing: it is told of by who reads it.
pub(crate) fn used(root: &Path, most: u64, entry: u64) -> u64 {
    let least = entry;
    let Ok(root) = openat(CWD, root, FOLDER, Mode::empty()) else { return 0 };
    let mut folders = vec![PathBuf::from(".")];
    let mut bytes = 0;
    while let Some(path) = folders.pop() {
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let Ok(folder) = openat2(&root, &path, FOLDER, Mode::empty(), beneath) else { continue };
        let Ok(entries) = Dir::read_from(&folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let (kind, blocks) = match entry.file_type() {
                kind @ (FileType::Directory | FileType::Symlink) => (kind, 0),
                _ => {
                    let Ok(data) = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
                    (FileType::from_raw_mode(data.st_mode), u64::try_from(data.st_blocks).unwrap_or_default())
                }
            };
            bytes += least.max(blocks * BLOCK);
            if bytes > most {
                return u64::MAX;
            }
            if kind == FileType::Directory {
                folders.push(path.join(OsStr::from_bytes(name.to_bytes())));
            }
        }
    }
    bytes
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const ENTRY: u64 = 4096;

    #[test]
    fn files_count_and_what_links_lead_to_does_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        symlink("/usr", folder.path().join("link")).unwrap();
        let empty = used(folder.path(), 1 << 30, ENTRY);
        assert!(empty <= 3 * ENTRY, "{empty}");
        fs::write(folder.path().join("a/b/file"), vec![1; 1 << 20]).unwrap();
        assert!(used(folder.path(), 1 << 30, ENTRY) > 1 << 20);
        assert_eq!(used(folder.path(), 1 << 19, ENTRY), u64::MAX);
    }

    #[test]
    fn a_file_of_holes_takes_little() {
        let folder = tempfile::tempdir().unwrap();
        fs::File::create(folder.path().join("holes")).unwrap().set_len(1 << 40).unwrap();
        assert!(used(folder.path(), 1 << 30, ENTRY) < 1 << 20);
    }
}
