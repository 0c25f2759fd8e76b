//! Files that a sandbox left, inspected from outside: links in them lead nowhere else, and only regular files are read.

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, Stat};
use rustix::process::getegid;

use crate::beneath::{BeneathError, Folder};
use crate::check::evidence::{FileEvidence, MAX_FILE_CONTENT};
use crate::contract_tier::requirements::Files;
use crate::contract_tier::sandbox::HostUser;
use crate::host::snapshot::Snapshot;

/// How much of a requirement file is read, in bytes: more is more than an application asks for.
const MAX_REQUIREMENTS: u64 = 16 << 20;

/// A folder of a sandbox as a root: that of all of its files, or what is mounted on `/app`.
#[derive(Debug, Clone)]
pub(super) struct Root {
    folder: Arc<Folder>,
    /// Where the application is in it.
    app: &'static str,
    /// Whose files are root's in it.
    user: HostUser,
}

impl Root {
    /// The root of a sandbox, which has the application in `/app`.
    pub(super) fn of_sandbox(path: &Path, user: HostUser) -> Result<Self, BeneathError> {
        Ok(Self { folder: Arc::new(Folder::open(path)?.into_root()), app: "/app", user })
    }

    /// What is mounted on `/app`.
    pub(super) fn of_volume(path: &Path, user: HostUser) -> Result<Self, BeneathError> {
        Ok(Self { folder: Arc::new(Folder::open(path)?.into_root()), app: "/", user })
    }

    /// The path of an application's file.
    pub(super) fn in_app(&self, path: impl AsRef<Path>) -> PathBuf {
        Path::new(self.app).join(path)
    }

    /// The content of a file. One that is larger than an application's is none.
    pub(super) fn content(&self, path: &Path) -> Result<Vec<u8>, BeneathError> {
        self.folder.read(path, MAX_REQUIREMENTS)
    }

    /// The same of a file of at most so many bytes.
    pub(super) fn small(&self, path: &Path, most: u64) -> Result<Vec<u8>, BeneathError> {
        self.folder.read(path, most.min(MAX_REQUIREMENTS))
    }

    fn status(&self, path: &Path) -> Option<Stat> {
        self.folder.followed(path).ok().flatten()
    }

    fn is(&self, path: &Path, kind: FileType) -> bool {
        self.status(path).is_some_and(|status| FileType::from_raw_mode(status.st_mode) == kind)
    }

    /// Whether something is there.
    pub(super) fn is_there(&self, path: &Path) -> bool {
        self.status(path).is_some()
    }

    /// Whether a file is there, or a link to one.
    pub(super) fn is_file(&self, path: &Path) -> bool {
        self.is(path, FileType::RegularFile)
    }

    /// Whether a folder is there.
    pub(super) fn is_folder(&self, path: &Path) -> bool {
        self.is(path, FileType::Directory)
    }

    /// Where a link leads, as it says; `None` where there is none.
    pub(super) fn target(&self, path: &Path) -> Result<Option<PathBuf>, BeneathError> {
        self.folder.target(path)
    }

    /// The names of a folder's entries, sorted; none where there is no folder.
    pub(super) fn entries(&self, path: &Path) -> Result<Vec<String>, BeneathError> {
        match self.folder.names(path) {
            Ok(names) => Ok(names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()),
            Err(error) if error.is_absent() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The application folder as it is; nothing where none is left, or a link in its place.
    pub(super) fn snapshot(&self, before: Option<&Snapshot>) -> Result<Snapshot, BeneathError> {
        match self.folder.folder(Path::new(self.app)) {
            Ok(app) => Snapshot::quick(&app, before),
            Err(error) if error.is_absent() => Ok(Snapshot::default()),
            Err(error) => Err(error),
        }
    }

    /// Whether the application's folder is there, and is one.
    pub(super) fn has_app(&self) -> bool {
        self.folder.folder(Path::new(self.app)).is_ok()
    }

    /// What is at a path.
    pub(super) fn look(&self, path: &Path) -> Result<FileEvidence, BeneathError> {
        let Some(status) = self.folder.followed(path)? else { return Ok(FileEvidence::Absent) };
        // What this program made has its own group, until it is given away.
        let (user, groups) = (self.user.id(), [self.user.id(), getegid().as_raw()]);
        let id = |own: bool, id: u32| if own { 0 } else { id };
        let owner = format!(
            "{}:{}",
            id(status.st_uid == user, status.st_uid),
            id(groups.contains(&status.st_gid), status.st_gid)
        );
        let mode = status.st_mode;
        let content = match FileType::from_raw_mode(mode) {
            FileType::Directory => {
                return Ok(FileEvidence::Directory { mode, owner, entries: self.entries(path)?, all: true });
            }
            FileType::RegularFile => self.folder.beginning(path, MAX_FILE_CONTENT as u64)?,
            _ => Vec::new(),
        };
        Ok(FileEvidence::File { mode, owner, content, size: u64::try_from(status.st_size).unwrap_or_default() })
    }
}

/// The files of a root as pip reads them. What it could read, and this program does not, is noted.
pub(super) struct Noting<'a> {
    root: &'a Root,
    first: RefCell<Option<BeneathError>>,
}

impl<'a> Noting<'a> {
    pub(super) fn new(root: &'a Root) -> Self {
        Self { root, first: RefCell::default() }
    }

    /// The first thing that was not read.
    pub(super) fn first(&self) -> Option<BeneathError> {
        self.first.take()
    }
}

impl Files for Noting<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let error = match self.root.content(path) {
            Ok(content) => return Ok(content),
            Err(error) => error,
        };
        let told = io::Error::other(error.to_string());
        match error {
            // pip reads neither.
            BeneathError::Special { .. } if self.root.is_folder(path) => return Err(io::ErrorKind::IsADirectory.into()),
            BeneathError::Io { source, .. } if source.kind() != io::ErrorKind::PermissionDenied => return Err(source),
            other => {
                self.first.borrow_mut().get_or_insert(other);
            }
        }
        Err(told)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.root.is_folder(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        self.root.is_file(path)
    }
}
