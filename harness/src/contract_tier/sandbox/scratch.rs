//! Where sandboxes have their files: in memory where that can be, since they are many and live for milliseconds; each program's in
//! a folder of its own, which goes with it, or with the next one where it was killed.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{StatVfsMountFlags, statfs, statvfs};
use tempfile::TempDir;

/// Where Linux has a file system in memory.
const MEMORY: &str = "/dev/shm";
/// The magic number of such a file system (`statfs(2)`).
const TMPFS: i64 = 0x0102_1994;
/// What must be free there, in bytes; a container's is often too small.
const ENOUGH: u64 = 512 << 20;
/// The file whose lock says that a folder is in use.
const LOCK: &str = "lock";

/// A folder for sandboxes.
#[derive(Debug)]
pub(super) struct ScratchFolder {
    folder: TempDir,
    _lock: File,
}

impl ScratchFolder {
    /// Makes the folder, and removes those of programs that were killed.
    pub(super) fn new(cache: &Path) -> io::Result<Self> {
        let parent = in_memory().map_or_else(|| on_disk(cache), Ok)?;
        let making = File::create(parent.join(LOCK))?;
        making.lock()?;
        sweep(&parent)?;
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&parent)?;
        let lock = File::create(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders of programs that were killed; their paths.
///
/// # Errors
/// When one cannot be removed.
pub(crate) fn remove_stale(cache: &Path) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for parent in [in_memory(), on_disk(cache).ok()].into_iter().flatten() {
        let making = File::create(parent.join(LOCK))?;
        making.lock()?;
        removed.extend(sweep(&parent)?);
    }
    Ok(removed)
}

fn sweep(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        if !path.is_dir() {
            continue;
        }
        let lock = File::open(path.join(LOCK));
        let live = lock.as_ref().is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        if !live {
            fs::remove_dir_all(&path)?;
            removed.push(path);
        }
    }
    Ok(removed)
}

/// The folder in memory, where there is enough of it, and nobody else has made one in our name.
fn in_memory() -> Option<PathBuf> {
    let system = statfs(MEMORY).ok()?;
    let volume = statvfs(MEMORY).ok()?;
    #[allow(clippy::useless_conversion, reason = "the type differs from machine to machine")]
    let is_memory = i64::from(system.f_type) == TMPFS;
    // Steps are executed there.
    let no_exec = volume.f_flag.contains(StatVfsMountFlags::NOEXEC);
    if !is_memory || no_exec || volume.f_bavail.saturating_mul(volume.f_frsize) < ENOUGH {
        return None;
    }
    let user = rustix::process::geteuid().as_raw();
    let path = Path::new(MEMORY).join(format!("wsgi-proof-{user}"));
    match DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return None,
        _ => {}
    }
    let metadata = fs::symlink_metadata(&path).ok()?;
    (metadata.is_dir() && metadata.uid() == user).then_some(path)
}

fn on_disk(cache: &Path) -> io::Result<PathBuf> {
    let path = cache.join("sandboxes");
    fs::create_dir_all(&path)?;
    Ok(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_go_and_the_living_stay() {
        let cache = tempfile::tempdir().unwrap();
        let live = ScratchFolder::new(cache.path()).unwrap();
        let dead = live.path().parent().unwrap().join("run-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        assert!(remove_stale(cache.path()).unwrap().contains(&dead));
        assert!(!dead.exists());
        assert!(live.path().exists());
    }
}
