//! How much a tree of files takes of a disk.

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, StatFs, openat, openat2, statat, statfs};

use super::MAX_PATHS;

/// The unit of a file's blocks, in bytes (stat(2)).
pub(crate) const BLOCK: u64 = 512;
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);
/// How many of the folders above are kept open: their next folder is opened by its name alone.
const OPEN: usize = 64;
/// How long is looked. An honest tree takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder that waits to be looked at.
struct Waiting {
    name: CString,
    /// The number of the folder that it is in, among all that were found.
    parent: usize,
}

/// The magic number of a file system in memory (`statfs(2)`).
const IN_MEMORY: i64 = 0x0102_1994;

/// Whether a folder is in a file system in memory.
pub(crate) fn is_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|system| kind_of(&system) == IN_MEMORY)
}

#[allow(clippy::useless_conversion, reason = "the type differs from machine to machine")]
fn kind_of(system: &StatFs) -> i64 {
    i64::from(system.f_type)
}

/// Whether the files below a folder take more, with `entry` bytes for each at the least; also where that cannot be found out as
/// [`used`] says.
pub(crate) fn take_more(folder: &Path, most: u64, entry: u64) -> bool {
    !statfs(folder).is_ok_and(|system| takes_at_most(&system, most, entry)) && used(folder, most, entry) > most
}

/// Whether all of a file system takes no more, so that no folder of it need be looked through. One in memory counts each name of a
/// file as one more file; where it has no limits it counts nothing.
fn takes_at_most(system: &StatFs, most: u64, entry: u64) -> bool {
    let blocks = system.f_blocks.saturating_sub(system.f_bfree);
    let bytes = u64::try_from(system.f_bsize).ok().and_then(|size| blocks.checked_mul(size));
    let entries = system.f_files.saturating_sub(system.f_ffree).saturating_mul(entry);
    let is_limited = system.f_blocks > 0 && system.f_files > 0;
    kind_of(system) == IN_MEMORY && is_limited && bytes.is_some_and(|bytes| bytes.saturating_add(entries) <= most)
}

/// What the files below a folder take, in bytes; `u64::MAX` where it is more than `most`, or cannot be found out with a bounded amount of
/// memory and time. Each entry takes `entry` bytes at the least, so that many empty ones have an end, too; a file that has several
/// names takes its own once. Links are not followed, and what cannot be read takes nothing: it is told of by who reads it.
pub(crate) fn used(root: &Path, most: u64, entry: u64) -> u64 {
    let Ok(root) = openat(CWD, root, FOLDER, Mode::empty()) else { return 0 };
    let begun = Instant::now();
    let mut walk = Walk { root, found: Vec::new(), above: Vec::new() };
    let mut waiting = Vec::new();
    let mut counted = BTreeSet::new();
    let (mut bytes, mut names) = (0_u64, 0);
    let mut next = Some(None);
    while let Some(place) = next {
        if begun.elapsed() > PATIENCE {
            return u64::MAX;
        }
        let opened = walk.open(place);
        for found in opened.iter().filter_map(|folder| Dir::read_from(folder).ok()).flatten().flatten() {
            let name = found.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let (kind, blocks) = match found.file_type() {
                kind @ (FileType::Directory | FileType::Symlink) => (kind, 0),
                _ => {
                    let status = |folder| statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok();
                    let Some(data) = opened.as_ref().and_then(status) else { continue };
                    let again = data.st_nlink > 1 && !counted.insert((data.st_ino, data.st_dev));
                    let blocks = if again { 0 } else { u64::try_from(data.st_blocks).unwrap_or_default() };
                    (FileType::from_raw_mode(data.st_mode), blocks)
                }
            };
            bytes += entry.max(blocks * BLOCK);
            if bytes > most {
                return u64::MAX;
            }
            if kind == FileType::Directory {
                names += name.to_bytes().len();
                if names > MAX_PATHS {
                    return u64::MAX;
                }
                waiting.push(walk.add(name, place));
            }
        }
        if let (Some(place), Some(folder)) = (place, opened) {
            walk.above.push((place, folder));
        }
        next = waiting.pop().map(Some);
    }
    bytes
}

/// A walk, each folder before the one that was found before it.
struct Walk {
    root: OwnedFd,
    found: Vec<Waiting>,
    /// Folders on the way to the current one that are open, the nearest last.
    above: Vec<(usize, OwnedFd)>,
}

impl Walk {
    /// A folder of this name was found in one.
    fn add(&mut self, name: &CStr, parent: Option<usize>) -> usize {
        self.found.push(Waiting { name: name.to_owned(), parent: parent.unwrap_or(usize::MAX) });
        self.found.len() - 1
    }

    /// Opens a folder: by its name where the one above is open, else by its path from the root. Nothing where it cannot be.
    fn open(&mut self, place: Option<usize>) -> Option<OwnedFd> {
        let beneath = |folder: &OwnedFd, path: &Path| openat2(folder, path, FOLDER, Mode::empty(), BENEATH).ok();
        let Some(place) = place else { return beneath(&self.root, Path::new(".")) };
        let Waiting { name, parent } = self.found.get(place)?;
        let name = Path::new(OsStr::from_bytes(name.to_bytes()));
        if *parent == usize::MAX {
            self.above.clear();
            return beneath(&self.root, name);
        }
        while self.above.last().is_some_and(|(above, _)| above != parent) {
            self.above.pop();
        }
        if self.above.len() > OPEN {
            self.above.drain(..OPEN / 2);
        }
        match self.above.last() {
            Some((_, above)) => beneath(above, name),
            None => beneath(&self.root, &self.path_of(place)),
        }
    }

    fn path_of(&self, place: usize) -> PathBuf {
        let mut names = Vec::new();
        let mut next = self.found.get(place);
        while let Some(Waiting { name, parent }) = next {
            names.push(OsStr::from_bytes(name.to_bytes()));
            next = self.found.get(*parent);
        }
        names.iter().rev().collect()
    }
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
    fn what_takes_more_is_looked_through() {
        let folder =
            tempfile::tempdir_in(if is_in_memory(Path::new("/dev/shm")) { "/dev/shm" } else { "/tmp" }).unwrap();
        fs::write(folder.path().join("file"), vec![1; 1 << 20]).unwrap();
        assert!(!take_more(folder.path(), 1 << 40, ENTRY) && !take_more(folder.path(), 2 << 20, ENTRY));
        assert!(take_more(folder.path(), 1 << 19, ENTRY));
        for number in 0..100 {
            fs::hard_link(folder.path().join("file"), folder.path().join(number.to_string())).unwrap();
        }
        assert!(take_more(folder.path(), 50 << 20, 1 << 20));
        // They are one file.
        assert!(used(folder.path(), 1 << 40, ENTRY) < 2 << 20);
        assert!(!take_more(folder.path(), 2 << 20, ENTRY));
    }

    #[test]
    fn a_file_of_holes_takes_little() {
        let folder = tempfile::tempdir().unwrap();
        fs::File::create(folder.path().join("holes")).unwrap().set_len(1 << 40).unwrap();
        assert!(used(folder.path(), 1 << 30, ENTRY) < 1 << 20);
    }

    /// Folders beyond what a path can name, and ones with long paths, cost no more than others.
    #[test]
    fn a_tree_that_is_deep_or_has_long_paths_counts() {
        use rustix::fs::{Mode, OFlags, mkdirat, openat};
        let folder = tempfile::tempdir().unwrap();
        let open =
            |at: &OwnedFd, name: &str| openat(at, name, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let mut at = openat(rustix::fs::CWD, folder.path(), OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
        for level in 0..300 {
            let name = "d".repeat(20);
            mkdirat(&at, &name, Mode::from_raw_mode(0o755)).unwrap();
            // A second one at each level: the walk comes back up.
            mkdirat(&at, "side", Mode::from_raw_mode(0o755)).unwrap();
            if level == 299 {
                for number in 0..1000 {
                    mkdirat(&at, number.to_string(), Mode::from_raw_mode(0o755)).unwrap();
                }
            }
            at = open(&at, &name);
        }
        let bytes = used(folder.path(), 1 << 40, 1);
        // Those that are closed again on the way are opened by their path, as far as it goes.
        assert!((1300..=1600).contains(&bytes), "{bytes}");
        crate::beneath::remove(folder.path()).unwrap();
    }

    #[test]
    fn a_look_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let long = "n".repeat(250);
        for number in 0..200 {
            fs::create_dir(folder.path().join(format!("{long}{number}"))).unwrap();
        }
        assert_eq!(used(folder.path(), 1 << 30, ENTRY), 200 * ENTRY);
    }
}
