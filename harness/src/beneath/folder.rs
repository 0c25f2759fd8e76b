//! A folder, held open, and what is reached from it.

use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat, openat2, readlinkat};
use rustix::io::Errno;

use super::{BeneathError, Bound, MAX_ENTRIES, MAX_PATH, word_for};

/// How often the kernel is asked for a file that it cannot open safely at this moment.
const TRIES: usize = 10_000;

/// A folder, held open. Nothing that is reached from it is outside, whatever is renamed or linked meanwhile.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: OwnedFd,
    /// Whether links are followed, with this folder as the root that none of them leaves.
    follows: bool,
}

impl Folder {
    /// Opens a folder at a path that is ours, or the user's own. Links beneath it are refused.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, BeneathError> {
        let named = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = openat(CWD, named, flags, Mode::empty()).map_err(|error| BeneathError::io(path)(error.into()))?;
        Ok(Self { handle, follows: false })
    }

    /// The same folder as the root of a system of files: links are followed as a program would whose root it is.
    #[must_use]
    pub(crate) fn into_root(self) -> Self {
        Self { follows: true, ..self }
    }

    /// A folder beneath it, in which no link is followed. A link in its place is none.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn folder(&self, path: &Path) -> Result<Self, BeneathError> {
        // Without links at all, this flag would hide why.
        let last = if self.follows { OFlags::NOFOLLOW } else { OFlags::empty() };
        let handle = self.handle_of(path, OFlags::PATH | OFlags::DIRECTORY | last)?;
        Ok(Self { handle, follows: false })
    }

    /// What is at a path; of a link at its end, the link itself. `None` where nothing is.
    ///
    /// # Errors
    /// When it cannot be said.
    pub(crate) fn status(&self, path: &Path) -> Result<Option<Stat>, BeneathError> {
        self.status_of(path, OFlags::PATH | OFlags::NOFOLLOW)
    }

    /// As [`Self::status`], but links are followed where this is a root, and refused otherwise.
    ///
    /// # Errors
    /// When it cannot be said.
    pub(crate) fn followed(&self, path: &Path) -> Result<Option<Stat>, BeneathError> {
        self.status_of(path, OFlags::PATH)
    }

    fn status_of(&self, path: &Path, flags: OFlags) -> Result<Option<Stat>, BeneathError> {
        match self.handle_of(path, flags) {
            Ok(handle) => fstat(handle).map(Some).map_err(|error| BeneathError::io(path)(error.into())),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where a link leads; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be said.
    pub(crate) fn target(&self, path: &Path) -> Result<Option<PathBuf>, BeneathError> {
        match self.handle_of(path, OFlags::PATH | OFlags::NOFOLLOW) {
            // What is no link has no target.
            Ok(handle) => Ok(link_of(&handle, c"").ok()),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// When there is none: what is no regular file is not opened, since opening may wait or do something.
    pub(crate) fn file(&self, path: &Path) -> Result<File, BeneathError> {
        let regular =
            |handle: &OwnedFd| regular(path, &fstat(handle).map_err(|error| BeneathError::io(path)(error.into()))?);
        regular(&self.handle_of(path, OFlags::PATH)?)?;
        // It may be another one by now.
        let handle = self.handle_of(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        regular(&handle)?;
        Ok(handle.into())
    }

    /// The content of a regular file of at most this many bytes.
    ///
    /// # Errors
    /// When there is none, and when it is larger.
    pub(crate) fn read(&self, path: &Path, most: u64) -> Result<Vec<u8>, BeneathError> {
        let file = self.file(path)?;
        let failed = |error| BeneathError::io(path)(error);
        let size = file.metadata().map_err(failed)?.len();
        let mut content = Vec::new();
        if size <= most {
            (&file).take(most.saturating_add(1)).read_to_end(&mut content).map_err(failed)?;
        }
        let read = content.len() as u64;
        if size > most || read > most {
            return Err(Bound::Large { path: path.to_owned(), size: size.max(read), most }.into());
        }
        Ok(content)
    }

    /// The first bytes of a regular file, at most this many.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn beginning(&self, path: &Path, most: u64) -> Result<Vec<u8>, BeneathError> {
        let mut content = Vec::new();
        self.file(path)?.take(most).read_to_end(&mut content).map_err(BeneathError::io(path))?;
        Ok(content)
    }

    /// The text of a regular file of at most this many bytes.
    ///
    /// # Errors
    /// When there is none, when it is larger, and when it is not in UTF-8.
    pub(crate) fn text(&self, path: &Path, most: u64) -> Result<String, BeneathError> {
        // As the standard library says it.
        String::from_utf8(self.read(path, most)?)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
            .map_err(BeneathError::io(path))
    }

    /// The names of a folder's entries, sorted.
    ///
    /// # Errors
    /// When there is no folder, and when it has too many.
    pub(crate) fn names(&self, path: &Path) -> Result<Vec<OsString>, BeneathError> {
        let handle = self.handle_of(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for name in listed(handle).map_err(BeneathError::io(path))? {
            names.push(name.map_err(BeneathError::io(path))?);
            if names.len() > MAX_ENTRIES {
                return Err(Bound::Many.into());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The handle of what is at a path.
    pub(super) fn handle_of(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, BeneathError> {
        if path.as_os_str().len() > MAX_PATH {
            return Err(Bound::Long.into());
        }
        self.resolve(path, flags).map_err(|errno| match errno {
            Errno::LOOP | Errno::XDEV if !self.follows => self.link_in(path).unwrap_or_else(|| failed(path, errno)),
            Errno::NAMETOOLONG => Bound::Long.into(),
            other => failed(path, other),
        })
    }

    pub(super) fn resolve(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let below = path.strip_prefix("/").unwrap_or(path);
        let below = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        let (how, last) = if self.follows {
            (ResolveFlags::IN_ROOT, OFlags::empty())
        } else {
            (ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS, OFlags::NOFOLLOW)
        };
        // A link that is itself opened has both flags; to follow one at the end, no flag may forbid it.
        let flags =
            if flags.contains(OFlags::PATH) && !flags.contains(OFlags::NOFOLLOW) { flags } else { flags | last };
        let flags = flags | OFlags::CLOEXEC;
        // The kernel gives up on a `..` while anything on the machine is renamed or mounted, and says: again (openat2(2)).
        for _ in 0..TRIES {
            match openat2(&self.handle, below, flags, Mode::empty(), how | ResolveFlags::NO_MAGICLINKS) {
                Err(Errno::AGAIN) => std::thread::yield_now(),
                other => return other,
            }
        }
        Err(Errno::AGAIN)
    }

    /// The link because of which a path was refused.
    fn link_in(&self, path: &Path) -> Option<BeneathError> {
        let mut below = PathBuf::new();
        for component in path.components().filter(|component| *component != Component::RootDir) {
            below.push(component);
            let handle = self.resolve(&below, OFlags::PATH | OFlags::NOFOLLOW).ok()?;
            if let Ok(target) = link_of(&handle, c"") {
                return Some(BeneathError::Link { path: below, target });
            }
        }
        None
    }
}

/// Refuses what is no regular file.
pub(super) fn regular(path: &Path, status: &Stat) -> Result<(), BeneathError> {
    match FileType::from_raw_mode(status.st_mode) {
        FileType::RegularFile => Ok(()),
        kind => Err(BeneathError::Special { path: path.to_owned(), kind: word_for(kind) }),
    }
}

fn failed(path: &Path, errno: Errno) -> BeneathError {
    BeneathError::io(path)(errno.into())
}

/// Where the link with a name in a folder leads, or, with no name, one that is itself opened.
pub(super) fn link_of(handle: &OwnedFd, name: &CStr) -> rustix::io::Result<PathBuf> {
    let target = readlinkat(handle, name, Vec::new())?;
    Ok(OsString::from_vec(target.into_bytes()).into())
}

/// The names in a folder.
pub(super) fn listed(folder: impl AsFd) -> io::Result<impl Iterator<Item = io::Result<OsString>>> {
    let names = Dir::read_from(folder)?.filter_map(|entry| match entry {
        Ok(entry) => match entry.file_name().to_bytes() {
            b"." | b".." => None,
            name => Some(Ok(std::ffi::OsStr::from_bytes(name).to_owned())),
        },
        Err(error) => Some(Err(error.into())),
    });
    Ok(names)
}
