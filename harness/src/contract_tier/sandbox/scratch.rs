//! Where sandboxes have their files: in memory where that can be, since they are many and live for milliseconds; each program's in
//! a folder of its own, which goes with it, or with the next one where it was killed.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::beneath::{self, ASIDE, OwnedFolder, is_in_memory};
use rustix::fs::{StatVfsMountFlags, statvfs};
use rustix::process::geteuid;

use super::group;

/// Where Linux has a file system in memory.
const MEMORY: &str = "/dev/shm";
/// Where Linux has files that outlast a restart, and that all users may write to.
const DISK: &str = "/var/tmp";
/// What must be free there, in bytes; a container's is often too small.
const ENOUGH: u64 = 512 << 20;
/// The file that says where a program makes control groups.
const GROUPS: &str = "groups";
/// The file whose lock says that a folder is in use.
const LOCK: &str = "lock";

/// How the names of the folders begin, and how many random characters follow.
const PREFIX: &str = "run-";
const RANDOM: usize = 6;

/// A folder for sandboxes.
#[derive(Debug)]
pub(super) struct ScratchFolder {
    /// There until it is dropped.
    folder: Option<OwnedFolder>,
    path: PathBuf,
    _lock: File,
}

/// What has become of folders of programs that were killed.
#[derive(Debug, Default)]
pub(crate) struct Swept {
    pub removed: Vec<PathBuf>,
    /// What could not be removed, a line each.
    pub kept: Vec<String>,
}

impl ScratchFolder {
    /// Makes the folder, and removes those of programs that were killed. What cannot be removed is put aside, with a warning each.
    pub(super) fn new(cache: &Path) -> io::Result<(Self, Vec<String>)> {
        let parent = in_memory().map_or_else(|| on_disk(cache), Ok)?;
        let making = lock_file(&parent)?;
        making.lock()?;
        let mut swept = Swept::default();
        sweep(&parent, &mut swept)?;
        let warnings = swept.kept.iter().map(|line| format!("warning: {line}; `wsgi-proof prune` tries again"));
        let folder = OwnedFolder::new_in(&parent, PREFIX)?;
        pass_through(folder.path())?;
        let path = folder.path().to_owned();
        let lock = lock_file(&path)?;
        lock.lock()?;
        Ok((Self { folder: Some(folder), path, _lock: lock }, warnings.collect()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down where this program makes control groups, for who removes them after it.
    pub(super) fn note_groups(&self) -> io::Result<()> {
        let places = group::places(&self.name());
        let lines: Vec<&str> = places.iter().filter_map(|place| place.to_str()).collect();
        fs::write(self.path.join(GROUPS), lines.join("\n"))
    }

    /// A name that no other program on this machine has.
    pub(super) fn name(&self) -> String {
        group_name(&self.path)
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let groups = group::places(&self.name());
        match self.folder.take() {
            // The next program finds the folder, which says where the groups are.
            Some(folder) if groups.iter().any(|place| place.exists()) => folder.keep(),
            // The program ends soon after: it is waited for.
            Some(folder) => folder.remove(),
            None => {}
        }
    }
}

/// Removes the folders of programs that were killed, and tries those again that could not be removed before.
///
/// # Errors
/// When the folders cannot be listed.
pub(crate) fn remove_stale(cache: &Path) -> io::Result<Swept> {
    let mut swept = Swept::default();
    for parent in [in_memory(), on_disk(cache).ok()].into_iter().flatten() {
        let making = lock_file(&parent)?;
        making.lock()?;
        let aside = parent.join(ASIDE);
        if aside.is_dir() {
            for path in ours(&aside)? {
                discard(path, &mut swept);
            }
        }
        sweep(&parent, &mut swept)?;
    }
    Ok(swept)
}

/// The file whose lock says that a folder is in use. Who cannot open it cannot hold its lock, either.
fn lock_file(folder: &Path) -> io::Result<File> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// The name of the control groups of the program with this folder.
fn group_name(folder: &Path) -> String {
    format!("wsgi-proof-{}", folder.file_name().unwrap_or_default().to_string_lossy())
}

fn sweep(parent: &Path, swept: &mut Swept) -> io::Result<()> {
    for path in ours(parent)? {
        // Nobody but programs like this writes in it; sandboxes have folders in it.
        let lock = File::open(path.join(LOCK));
        let live = lock.as_ref().is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        if !live {
            let name = group_name(&path);
            let noted = fs::read_to_string(path.join(GROUPS)).unwrap_or_default();
            let places: Vec<_> = noted.lines().map(PathBuf::from).chain(group::places(&name)).collect();
            let left = group::remove(&name, &places);
            if left.is_empty() {
                discard(path, swept);
            }
            // The folder says where they are: it stays as long as they do.
            swept.kept.extend(left);
        }
    }
    Ok(())
}

/// The folders in one that programs like this have made, by their names: one that was being removed may lack any file. What else is there is
/// somebody else's.
fn ours(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let is_ours = random
            .is_some_and(|random| random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if is_ours && entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn discard(path: PathBuf, swept: &mut Swept) {
    match beneath::remove(&path) {
        Ok(()) => swept.removed.push(path),
        // Its own program, which was just ending, was faster.
        Err(_) if matches!(path.try_exists(), Ok(false)) => {}
        Err(error) => swept.kept.push(beneath::not_removed(&path, &error)),
    }
}

/// The folder in memory, where there is enough of it, and nobody else has made one in our name.
fn in_memory() -> Option<PathBuf> {
    let volume = statvfs(MEMORY).ok()?;
    let is_memory = is_in_memory(Path::new(MEMORY));
    // Steps are executed there.
    let no_exec = volume.f_flag.contains(StatVfsMountFlags::NOEXEC);
    if !is_memory || no_exec || volume.f_bavail.saturating_mul(volume.f_frsize) < ENOUGH {
        return None;
    }
    own_folder(Path::new(MEMORY)).ok()
}

/// Root's is where the user that sandboxes have outside can go through to it, which a home folder often is not.
fn on_disk(cache: &Path) -> io::Result<PathBuf> {
    if geteuid().is_root() {
        return own_folder(Path::new(DISK));
    }
    let path = cache.join("sandboxes");
    fs::create_dir_all(&path)?;
    Ok(path)
}

/// This user's folder in one that all users write to.
fn own_folder(parent: &Path) -> io::Result<PathBuf> {
    let user = geteuid().as_raw();
    let path = parent.join(format!("wsgi-proof-{user}"));
    match DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let metadata = fs::symlink_metadata(&path)?;
    if !metadata.is_dir() || metadata.uid() != user {
        return Err(io::Error::other(format!("{} belongs to somebody else", path.display())));
    }
    pass_through(&path)?;
    Ok(path)
}

/// Lets users go through a folder of root's who know what is in it.
fn pass_through(folder: &Path) -> io::Result<()> {
    if geteuid().is_root() {
        fs::set_permissions(folder, Permissions::from_mode(0o711))?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_go_and_the_living_stay() {
        let cache = tempfile::tempdir().unwrap();
        let (live, _) = ScratchFolder::new(cache.path()).unwrap();
        let dead = live.path().parent().unwrap().join("run-dead00");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        let others = ["run-of-mine", "project"].map(|name| live.path().parent().unwrap().join(name));
        for other in &others {
            fs::create_dir(other).unwrap();
            fs::write(other.join("file"), "").unwrap();
        }
        assert!(remove_stale(cache.path()).unwrap().removed.contains(&dead));
        assert!(!dead.exists());
        assert!(live.path().exists());
        for other in &others {
            assert!(other.join("file").exists(), "{}", other.display());
            fs::remove_dir_all(other).unwrap();
        }
    }
}
