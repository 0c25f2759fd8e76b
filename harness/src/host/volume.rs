//! Folders that are mounted in containers: each unpacked for one container, below the cache folder, and gone with its run.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::beneath::{ASIDE, BeneathError, Bound, Folder, Found, OwnedFolder};
use crate::check::evidence::{Change, ChangeKind};
use crate::outcome::RunId;

/// How large a file is that is read in any case, in bytes.
const SMALL: u64 = 4 << 20;
/// The folder of the volumes in the cache folder.
const FOLDER: &str = "volumes";
/// How much the files of a volume may have together, in bytes, for their contents to be compared. What is unpacked has a quarter of it.
const MAX_CONTENT: u64 = 256 << 20;

/// A folder for one container; dropping it takes it away.
pub(crate) struct Volume {
    path: PathBuf,
    kept: bool,
}

/// What is in a folder, by path: for each entry all that is to stay the same.
#[derive(Debug, Default)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, String>);

impl Volume {
    /// Unpacks an archive into a folder of its own. Its name begins with the run's id, so that what a stale run left is
    /// known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn unpack(cache: &Path, run: &RunId, label: &str, archive: &[u8]) -> io::Result<Self> {
        let name = label.replace(|character: char| !(character.is_ascii_alphanumeric() || character == '.'), "-");
        let path = cache.join(FOLDER).join(format!("{run}-{name}"));
        fs::create_dir_all(&path)?;
        let volume = Self { path, kept: false };
        fs::set_permissions(&volume.path, fs::Permissions::from_mode(0o755))?;
        let mut archive = tar::Archive::new(archive);
        archive.set_preserve_permissions(true);
        archive.set_preserve_ownerships(rustix::process::geteuid().is_root());
        archive.unpack(&volume.path)?;
        Ok(volume)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it now. Reading it holds up no other task.
    ///
    /// # Errors
    /// When it cannot be read, or there is more than is read.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, BeneathError> {
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || Snapshot::of(&Folder::open(&path)?));
        read.await.unwrap_or_else(|error| Err(BeneathError::Io { path: PathBuf::new(), source: error.into() }))
    }

    /// Removes it, which holds up no other task.
    pub(crate) async fn remove(self) {
        drop(tokio::task::spawn_blocking(move || drop(self)).await);
    }

    /// Leaves the folder where it is, until `prune`.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if !self.kept {
            // The container has gone. What cannot be removed is put aside.
            OwnedFolder::of(std::mem::take(&mut self.path)).remove();
        }
    }
}

impl Snapshot {
    /// What is in a folder now.
    ///
    /// # Errors
    /// When it cannot be read, or there is more than is read.
    pub(crate) fn of(folder: &Folder) -> Result<Self, BeneathError> {
        let mut left = MAX_CONTENT;
        Self::by(folder, &mut |found| {
            left = left.checked_sub(found.size()).ok_or(Bound::Heavy { most: MAX_CONTENT })?;
            content(found)
        })
    }

    /// As [`Self::of`], but contents of large files are told apart by size and times alone. The time of a change cannot be set back as
    /// that of the content can, but it changes with less; so what is small is read.
    ///
    /// # Errors
    /// When it cannot be read, or there is more than is read.
    pub(crate) fn quick(folder: &Folder) -> Result<Self, BeneathError> {
        let mut left = MAX_CONTENT;
        Self::by(folder, &mut |found| {
            let (size, status) = (found.size(), found.status);
            let is_read = size <= SMALL && size <= left;
            left -= if is_read { size } else { 0 };
            // One that its owner may not read neither can this program, where they are one user.
            let read = if is_read { content(found).ok() } else { None };
            let told = read.unwrap_or_else(|| format!("{}.{}", status.st_ctime, status.st_ctime_nsec));
            Ok(format!("{size} {}.{} {told}", status.st_mtime, status.st_mtime_nsec))
        })
    }

    fn by(folder: &Folder, content: Content<'_>) -> Result<Self, BeneathError> {
        let mut entries = BTreeMap::new();
        if let Some(status) = folder.status(Path::new(""))? {
            entries.insert(PathBuf::new(), state(&status, ""));
        }
        folder.walk(|found| {
            let content = if found.is_link() {
                found.target()?.to_string_lossy().into_owned()
            } else if found.is_file() {
                content(found)?
            } else {
                String::new()
            };
            entries.insert(found.path.to_owned(), state(found.status, &content));
            Ok(true)
        })?;
        Ok(Self(entries))
    }

    /// What has become of it, with paths as in a container that has it mounted at `mount`.
    pub(crate) fn changes(&self, now: &Self, mount: &str) -> Vec<Change> {
        let path = |path: &Path| match path.to_string_lossy() {
            root if root.is_empty() => mount.to_owned(),
            below => format!("{mount}/{below}"),
        };
        let gone = self.0.keys().filter(|entry| !now.0.contains_key(*entry));
        let gone = gone.map(|entry| Change { kind: ChangeKind::Removed, path: path(entry) });
        let there = now.0.iter().filter_map(|(entry, state)| match self.0.get(entry) {
            None => Some(Change { kind: ChangeKind::Added, path: path(entry) }),
            Some(before) if before != state => Some(Change { kind: ChangeKind::Changed, path: path(entry) }),
            Some(_) => None,
        });
        gone.chain(there).collect()
    }
}

/// What stands for the content of a file.
type Content<'a> = &'a mut dyn FnMut(&Found<'_>) -> Result<String, BeneathError>;

/// The hash of a file's content, which need not fit into memory.
fn content(found: &Found<'_>) -> Result<String, BeneathError> {
    let failed = |source| BeneathError::Io { path: found.path.to_owned(), source };
    // A file that grows meanwhile is read no further than it was.
    let mut file = found.file()?.take(found.size());
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash).map_err(failed)?;
    Ok(hex::encode(hash.finalize()))
}

fn state(status: &rustix::fs::Stat, content: &str) -> String {
    format!("{:o} {}:{} {content}", status.st_mode, status.st_uid, status.st_gid)
}

/// The folders of volumes of runs that `is_stale` says are dead, by their run's id; `aside`, whether those too that could not be
/// removed before.
///
/// # Errors
/// When the cache folder cannot be read.
pub(crate) fn of_stale_runs(cache: &Path, is_stale: impl Fn(&str) -> bool, aside: bool) -> io::Result<Vec<PathBuf>> {
    let folder = cache.join(FOLDER);
    let mut found = entries(&folder)?;
    found.retain(|path| path.file_name().is_some_and(|name| name != ASIDE));
    if aside {
        found.extend(entries(&folder.join(ASIDE))?);
    }
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        is_stale(name.split_once('-').map_or(name.as_ref(), |(run, _)| run))
    });
    Ok(found)
}

/// The paths of a folder's entries; none where there is no folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn archive() -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, mode) in [("hook", 0o755), ("wsgi.py", 0o644)] {
            let mut header = tar::Header::new_gnu();
            header.set_mode(mode);
            header.set_size(4);
            header.set_uid(u64::from(rustix::process::geteuid().as_raw()));
            header.set_gid(u64::from(rustix::process::getegid().as_raw()));
            archive.append_data(&mut header, path, &b"text"[..]).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn a_volume_has_the_archives_files_and_goes_with_its_value() {
        let cache = tempfile::tempdir().unwrap();
        let run = RunId::new();
        let volume = Volume::unpack(cache.path(), &run, "sample", &archive()).unwrap();
        let path = volume.path().to_owned();
        assert_eq!(fs::metadata(path.join("hook")).unwrap().mode() & 0o777, 0o755);
        assert_eq!(fs::read(path.join("wsgi.py")).unwrap(), b"text");
        drop(volume);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_dead_run_left_is_found() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(of_stale_runs(cache.path(), |_| true, true).unwrap(), Vec::<PathBuf>::new());
        let run = RunId::new();
        let volume = Volume::unpack(cache.path(), &run, "two-words", &archive()).unwrap();
        let path = volume.path().to_owned();
        volume.keep();
        assert_eq!(of_stale_runs(cache.path(), |dead| dead == run.as_str(), false).unwrap(), [path]);
        assert_eq!(of_stale_runs(cache.path(), |dead| dead != run.as_str(), false).unwrap(), Vec::<PathBuf>::new());
    }

    /// With the size and the time that it had.
    #[test]
    fn a_change_that_was_set_back_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let quick = || Snapshot::quick(&Folder::open(folder.path()).unwrap());
        for size in [4, usize::try_from(SMALL).unwrap() + 1] {
            let path = folder.path().join("file");
            fs::write(&path, "x".repeat(size)).unwrap();
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            let before = quick().unwrap();
            assert_eq!(before.changes(&quick().unwrap(), "/app"), []);
            fs::write(&path, "y".repeat(size)).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
            assert_eq!(before.changes(&quick().unwrap(), "/app").len(), 1);
        }
    }

    #[tokio::test]
    async fn every_kind_of_change_is_seen() {
        let cache = tempfile::tempdir().unwrap();
        let volume = Volume::unpack(cache.path(), &RunId::new(), "sample", &archive()).unwrap();
        let before = volume.snapshot().await.unwrap();
        assert_eq!(before.changes(&volume.snapshot().await.unwrap(), "/app"), []);
        fs::remove_file(volume.path().join("hook")).unwrap();
        fs::write(volume.path().join("wsgi.py"), "TEXT").unwrap();
        fs::create_dir(volume.path().join("new")).unwrap();
        let changes = before.changes(&volume.snapshot().await.unwrap(), "/app");
        let told: Vec<_> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["removed /app/hook", "added /app/new", "changed /app/wsgi.py"]);
        fs::set_permissions(volume.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let changes = before.changes(&volume.snapshot().await.unwrap(), "/app");
        assert!(changes.iter().any(|change| change.path == "/app"));
    }
}
