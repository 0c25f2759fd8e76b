//! What is in a folder that somebody else writes to, and what has become of it since.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::beneath::{BeneathError, Folder, Found};
use crate::check::evidence::{Change, ChangeKind};

/// How large a file is that is read in any case, in bytes.
const SMALL: u64 = 4 << 20;
/// How much the files of a folder may have together, in bytes, for their contents to be compared. What is put there has a quarter of it.
pub(crate) const MAX_CONTENT: u64 = 256 << 20;

/// What is in a folder, by path: for each entry all that is to stay the same.
#[derive(Debug, Default)]
pub(crate) struct Snapshot(BTreeMap<PathBuf, String>);

impl Snapshot {
    /// What is in a folder now. Contents of large files are told apart by size and times alone. The time of a change cannot be set back as
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

    /// As [`Self::quick`], with all contents, as they are in an engine's archive of the folder.
    #[cfg(test)]
    pub(crate) fn whole(folder: &Folder) -> Result<Self, BeneathError> {
        Self::by(folder, &mut content)
    }

    fn by(folder: &Folder, content: Content<'_>) -> Result<Self, BeneathError> {
        let mut entries = BTreeMap::new();
        if let Some(status) = folder.status(Path::new(""))? {
            entries.insert(PathBuf::new(), state_of(&status, ""));
        }
        folder.walk(|found| {
            let content = if found.is_link() {
                found.target()?.to_string_lossy().into_owned()
            } else if found.is_file() {
                content(found)?
            } else {
                String::new()
            };
            entries.insert(found.path.to_owned(), state_of(found.status, &content));
            Ok(true)
        })?;
        Ok(Self(entries))
    }

    /// One of entries by their paths beneath the folder, whose own path is empty; each as [`state`] says it.
    pub(crate) fn of_entries(entries: BTreeMap<PathBuf, String>) -> Self {
        Self(entries)
    }

    /// The same with sockets at these paths.
    #[must_use]
    pub(crate) fn with_sockets(mut self, paths: Vec<String>) -> Self {
        self.0.extend(paths.into_iter().map(|path| (path.into(), "socket".to_owned())));
        self
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

fn state_of(status: &rustix::fs::Stat, content: &str) -> String {
    state(status.st_mode, (status.st_uid.into(), status.st_gid.into()), content)
}

/// All that is to stay the same of an entry: its mode with its kind, user and group, and what stands for its content.
pub(crate) fn state(mode: u32, (user, group): (u64, u64), content: &str) -> String {
    format!("{mode:o} {user}:{group} {content}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

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

    #[test]
    fn every_kind_of_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("hook"), "text").unwrap();
        fs::write(path("wsgi.py"), "text").unwrap();
        let now = || Snapshot::quick(&Folder::open(folder.path()).unwrap()).unwrap();
        let before = now();
        assert_eq!(before.changes(&now(), "/app"), []);
        fs::remove_file(path("hook")).unwrap();
        fs::write(path("wsgi.py"), "TEXT").unwrap();
        fs::create_dir(path("new")).unwrap();
        let told: Vec<_> = before.changes(&now(), "/app").iter().map(ToString::to_string).collect();
        assert_eq!(told, ["removed /app/hook", "added /app/new", "changed /app/wsgi.py"]);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        assert!(before.changes(&now(), "/app").iter().any(|change| change.path == "/app"));
    }
}
