//! Folders that are mounted in containers: each unpacked for one container, below the cache folder, and gone with its run.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::check::evidence::{Change, ChangeKind};
use crate::outcome::RunId;

/// The folder of the volumes in the cache folder.
const FOLDER: &str = "volumes";

/// A folder for one container; dropping it takes it away.
pub(crate) struct Volume {
    path: PathBuf,
    kept: bool,
}

/// What is in a folder, by path: for each entry all that is to stay the same.
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

    /// What is in it now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn snapshot(&self) -> io::Result<Snapshot> {
        Snapshot::of(&self.path)
    }

    /// Leaves the folder where it is, until `prune`.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if !self.kept {
            // What stays is found by the next run, which says so.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

impl Snapshot {
    /// What is in a folder now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        Self::by(folder, &content)
    }

    /// As [`Self::of`], but contents are told apart by size and time alone; for a folder that nobody but the candidate writes to.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn quick(folder: &Path) -> io::Result<Self> {
        Self::by(folder, &|_, metadata| {
            Ok(format!("{} {}.{}", metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
        })
    }

    fn by(folder: &Path, content: Content<'_>) -> io::Result<Self> {
        let mut entries = BTreeMap::new();
        take(folder, Path::new(""), content, &mut entries)?;
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
type Content<'a> = &'a dyn Fn(&Path, &fs::Metadata) -> io::Result<String>;

fn content(path: &Path, _: &fs::Metadata) -> io::Result<String> {
    Ok(hex::encode(Sha256::digest(fs::read(path)?)))
}

fn take(root: &Path, entry: &Path, content: Content<'_>, entries: &mut BTreeMap<PathBuf, String>) -> io::Result<()> {
    let path = root.join(entry);
    let metadata = fs::symlink_metadata(&path)?;
    let content_is = if metadata.is_symlink() {
        fs::read_link(&path)?.to_string_lossy().into_owned()
    } else if metadata.is_file() {
        content(&path, &metadata)?
    } else {
        String::new()
    };
    let (mode, user, group) = (metadata.mode(), metadata.uid(), metadata.gid());
    entries.insert(entry.to_owned(), format!("{mode:o} {user}:{group} {content_is}"));
    if metadata.is_dir() {
        for item in fs::read_dir(&path)? {
            take(root, &entry.join(item?.file_name()), content, entries)?;
        }
    }
    Ok(())
}

/// The folders of volumes of runs that `is_stale` says are dead, by their run's id.
///
/// # Errors
/// When the cache folder cannot be read.
pub(crate) fn of_stale_runs(cache: &Path, is_stale: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(cache.join(FOLDER)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let run = name.split_once('-').map_or(name.as_ref(), |(run, _)| run);
        if is_stale(run) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
        assert_eq!(of_stale_runs(cache.path(), |_| true).unwrap(), Vec::<PathBuf>::new());
        let run = RunId::new();
        let volume = Volume::unpack(cache.path(), &run, "two-words", &archive()).unwrap();
        let path = volume.path().to_owned();
        volume.keep();
        assert_eq!(of_stale_runs(cache.path(), |dead| dead == run.as_str()).unwrap(), [path]);
        assert_eq!(of_stale_runs(cache.path(), |dead| dead != run.as_str()).unwrap(), Vec::<PathBuf>::new());
    }

    #[test]
    fn every_kind_of_change_is_seen() {
        let cache = tempfile::tempdir().unwrap();
        let volume = Volume::unpack(cache.path(), &RunId::new(), "sample", &archive()).unwrap();
        let before = volume.snapshot().unwrap();
        assert_eq!(before.changes(&volume.snapshot().unwrap(), "/app"), []);
        fs::remove_file(volume.path().join("hook")).unwrap();
        fs::write(volume.path().join("wsgi.py"), "TEXT").unwrap();
        fs::create_dir(volume.path().join("new")).unwrap();
        let changes = before.changes(&volume.snapshot().unwrap(), "/app");
        let told: Vec<_> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["removed /app/hook", "added /app/new", "changed /app/wsgi.py"]);
        fs::set_permissions(volume.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let changes = before.changes(&volume.snapshot().unwrap(), "/app");
        assert!(changes.iter().any(|change| change.path == "/app"));
    }
}
