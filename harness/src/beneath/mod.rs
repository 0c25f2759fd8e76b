//! Files that somebody else has written: what a sandbox or a container left, a candidate's folder, an application. They are reached
//! from the handle of a folder of ours, and nothing that is in it leads anywhere else: the kernel resolves the paths (`openat2(2)`),
//! links are refused or stay inside, only regular files are opened for reading, and sizes, numbers and depths are bounded. Nothing
//! here waits for another process, and nothing recurses.

mod folder;
mod owned;
mod remove;
mod space;
mod walk;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

pub(crate) use folder::Folder;
pub(crate) use owned::OwnedFolder;
pub(crate) use remove::{ASIDE, not_removed, remove};
pub(crate) use space::{BLOCK, is_in_memory, take_more, used};
pub(crate) use walk::Found;

/// How deep a tree may be.
pub(crate) const MAX_DEPTH: usize = 256;
/// How many entries a tree may have.
pub(crate) const MAX_ENTRIES: usize = 200_000;
/// How much the paths of a tree's entries may have together, in bytes.
pub(crate) const MAX_PATHS: usize = 32 << 20;
/// The longest path that the kernel takes, in bytes, without its end (`PATH_MAX`).
pub(crate) const MAX_PATH: usize = 4095;

/// Why something beneath a folder was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BeneathError {
    #[error("{}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// A symbolic link, which would be read as whoever runs this.
    #[error("`{}` is a symbolic link to `{}`", path.display(), target.display())]
    Link { path: PathBuf, target: PathBuf },
    /// Neither a file nor a folder, such as a named pipe, on which a reader waits.
    #[error("`{}` is a {kind}, not a regular file", path.display())]
    Special { path: PathBuf, kind: &'static str },
    #[error(transparent)]
    Bound(#[from] Bound),
}

/// What there is more of than is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Bound {
    #[error("a file of {size} bytes, more than the {most} that are read (`{}`)", path.display())]
    Large { path: PathBuf, size: u64, most: u64 },
    #[error("a folder tree deeper than {MAX_DEPTH} levels")]
    Deep,
    #[error("a path longer than {MAX_PATH} bytes")]
    Long,
    #[error("more than {MAX_ENTRIES} files and folders")]
    Many,
    #[error("files and folders whose paths have more than {MAX_PATHS} bytes together")]
    Named,
    #[error("files of more than {most} bytes together")]
    Heavy { most: u64 },
    #[error("a folder that its own user may not read (`{}`)", path.display())]
    Closed { path: PathBuf },
}

impl BeneathError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// Whether nothing is there.
    pub(crate) fn is_absent(&self) -> bool {
        match self {
            Self::Io { source, .. } => {
                [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&source.kind())
                    || rustix::io::Errno::from_io_error(source) == Some(rustix::io::Errno::LOOP)
            }
            Self::Link { .. } | Self::Special { .. } | Self::Bound(_) => false,
        }
    }

    /// What to do about it, where it is a user's file.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { .. } => None,
            Self::Link { .. } => Some("put a copy of the file in the place of the link"),
            Self::Special { .. } => Some("put a regular file in its place"),
            Self::Bound(_) => Some("leave out what is not needed"),
        }
    }

    /// The same with the paths as the reader of a message knows them, below this one.
    #[must_use]
    pub(crate) fn below(self, place: &Path) -> Self {
        let whole = |path: PathBuf| if path.as_os_str().is_empty() { place.to_owned() } else { place.join(path) };
        match self {
            Self::Io { path, source } => Self::Io { path: whole(path), source },
            Self::Link { path, target } => Self::Link { path: whole(path), target },
            Self::Special { path, kind } => Self::Special { path: whole(path), kind },
            Self::Bound(bound) => Self::Bound(bound.below(place)),
        }
    }
}

impl Bound {
    /// As [`BeneathError::below`].
    #[must_use]
    pub(crate) fn below(self, place: &Path) -> Self {
        match self {
            Self::Large { path, size, most } => Self::Large { path: place.join(path), size, most },
            Self::Closed { path } => Self::Closed { path: place.join(path) },
            other => other,
        }
    }
}

/// For those who tell what is absent from what cannot be read by its kind alone.
impl From<BeneathError> for io::Error {
    fn from(error: BeneathError) -> Self {
        match error {
            BeneathError::Io { source, .. } => source,
            other => Self::other(other),
        }
    }
}

/// The word for what is no regular file, folder or link.
fn word_for(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "file",
        FileType::Directory => "folder",
        FileType::Symlink => "symbolic link",
        FileType::Fifo => "named pipe",
        FileType::Socket => "socket",
        FileType::CharacterDevice | FileType::BlockDevice => "device",
        FileType::Unknown => "thing of an unknown kind",
    }
}
