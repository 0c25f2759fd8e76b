//! What is in a folder that somebody else writes to, and what has become of it since.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use rustix::fs::{FileType, Stat};
use sha2::{Digest, Sha256};

use crate::beneath::{BeneathError, Folder, Found};
use crate::check::evidence::{Change, ChangeKind};

/// How much the files of a folder may have together, in bytes, for their contents to be compared.
pub(crate) const MAX_CONTENT: u64 = 256 << 20;
/// How large a file is that is read in any case, in bytes: as much as all that is put into a folder may have.
const SMALL: u64 = MAX_CONTENT / 4;

/// What is in a folder, by path: as text, since paths take long to compare.
#[derive(Debug, Default)]
pub(crate) struct Snapshot(BTreeMap<OsString, State>);

/// All that is to stay the same of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    /// With its kind.
    pub mode: u32,
    pub user: u64,
    pub group: u64,
    pub content: Content,
}

/// What stands for an entry's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// It has none.
    None,
    /// Where a link leads.
    Target(Vec<u8>),
    /// Of a file.
    Hash([u8; 32]),
    /// Of a file, with the time at which it was written last.
    Timed { size: u64, written: Time, told: Told },
}

/// Seconds and nanoseconds.
type Time = (i64, i64);

/// What tells contents of the same size apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Hash([u8; 32]),
    /// The time at which anything of the file was changed last.
    Changed(Time),
}

impl Snapshot {
    /// What is in a folder now. Contents of large files are told apart by size and times alone. The time of a change cannot be set back as
    /// that of the content can, but it changes with less, and where files are in memory a write by way of memory (`mmap(2)`) need not
    /// change it. So what is small is read; and what an earlier snapshot has read, however much has come since.
    ///
    /// # Errors
    /// When it cannot be read, or there is more than is read.
    pub(crate) fn quick(folder: &Folder, before: Option<&Self>) -> Result<Self, BeneathError> {
        let mut left = MAX_CONTENT;
        Self::by(folder, &mut |found| {
            let (size, status) = (found.size(), found.status);
            let is_read = match before.and_then(|before| before.0.get(found.path.as_os_str())) {
                Some(State { content: Content::Timed { size: known, told: Told::Hash(_), .. }, .. }) => *known == size,
                Some(_) => false,
                None => {
                    let is_read = size <= SMALL && size <= left;
                    left -= if is_read { size } else { 0 };
                    is_read
                }
            };
            // One that its owner may not read neither can this program, where they are one user.
            let hash = if is_read { hash(found).ok() } else { None };
            let changed = || Told::Changed(time(status.st_ctime, status.st_ctime_nsec));
            let told = hash.map_or_else(changed, Told::Hash);
            Ok(Content::Timed { size, written: time(status.st_mtime, status.st_mtime_nsec), told })
        })
    }

    /// As [`Self::quick`], with all contents, as they are in an engine's archive of the folder.
    #[cfg(test)]
    pub(crate) fn whole(folder: &Folder) -> Result<Self, BeneathError> {
        Self::by(folder, &mut |found| hash(found).map(Content::Hash))
    }

    fn by(
        folder: &Folder,
        content: &mut dyn FnMut(&Found<'_>) -> Result<Content, BeneathError>,
    ) -> Result<Self, BeneathError> {
        let mut entries = BTreeMap::new();
        if let Some(status) = folder.status(Path::new(""))? {
            entries.insert(OsString::new(), state(&status, Content::None));
        }
        folder.walk(|found| {
            let content = if found.is_link() {
                Content::Target(found.target()?.into_os_string().into_vec())
            } else if found.is_file() {
                content(found)?
            } else {
                Content::None
            };
            entries.insert(found.path.as_os_str().to_owned(), state(found.status, content));
            Ok(true)
        })?;
        Ok(Self(entries))
    }

    /// One of entries by their paths beneath the folder, whose own path is empty.
    pub(crate) fn of_entries(entries: BTreeMap<OsString, State>) -> Self {
        Self(entries)
    }

    /// The same with sockets at these paths.
    #[must_use]
    pub(crate) fn with_sockets(mut self, paths: Vec<String>) -> Self {
        let socket = State { mode: FileType::Socket.as_raw_mode(), user: 0, group: 0, content: Content::None };
        self.0.extend(paths.into_iter().map(|path| (path.into(), socket.clone())));
        self
    }

    /// What has become of it, with paths as in a container that has it mounted at `mount`.
    pub(crate) fn changes(&self, now: &Self, mount: &str) -> Vec<Change> {
        let path = |path: &OsStr| match path.to_string_lossy() {
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

/// The hash of a file's content, which need not fit into memory.
fn hash(found: &Found<'_>) -> Result<[u8; 32], BeneathError> {
    let failed = |source| BeneathError::Io { path: found.path.to_owned(), source };
    // A file that grows meanwhile is read no further than it was.
    let mut file = found.file()?.take(found.size());
    let mut hash = Sha256::new();
    io::copy(&mut file, &mut hash).map_err(failed)?;
    Ok(hash.finalize().into())
}

fn state(status: &Stat, content: Content) -> State {
    State { mode: status.st_mode, user: status.st_uid.into(), group: status.st_gid.into(), content }
}

fn time(seconds: i64, nanoseconds: impl TryInto<i64>) -> Time {
    (seconds, nanoseconds.try_into().unwrap_or_default())
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
        let quick = |before: Option<&Snapshot>| Snapshot::quick(&Folder::open(folder.path()).unwrap(), before);
        for size in [4, usize::try_from(SMALL).unwrap() + 1] {
            let path = folder.path().join("file");
            fs::write(&path, "x".repeat(size)).unwrap();
            let time = fs::metadata(&path).unwrap().modified().unwrap();
            let before = quick(None).unwrap();
            assert_eq!(before.changes(&quick(Some(&before)).unwrap(), "/app"), []);
            fs::write(&path, "y".repeat(size)).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
            assert_eq!(before.changes(&quick(Some(&before)).unwrap(), "/app").len(), 1);
        }
    }

    /// Files that are new, and first in order, may have as much as is read in all.
    #[test]
    fn what_has_come_since_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let quick = |before: Option<&Snapshot>| Snapshot::quick(&Folder::open(folder.path()).unwrap(), before).unwrap();
        fs::write(folder.path().join("file"), "text").unwrap();
        let before = quick(None);
        for number in 0..4 {
            fs::File::create(folder.path().join(format!("a{number}"))).unwrap().set_len(SMALL).unwrap();
        }
        let now = quick(Some(&before));
        assert!(before.changes(&now, "/app").iter().all(|change| change.path != "/app/file"));
        assert_eq!(now.changes(&quick(Some(&now)), "/app"), []);
    }

    #[test]
    fn every_kind_of_change_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("hook"), "text").unwrap();
        fs::write(path("wsgi.py"), "text").unwrap();
        let now = || Snapshot::quick(&Folder::open(folder.path()).unwrap(), None).unwrap();
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
