//! A folder as a tar archive, the same from every clone.
//!
//! What a checkout does not keep is set here: the order is sorted, owner and group are 0, a file's mode is 0644 and a
//! folder's 0755 unless the scenario's `[modes]` says otherwise.
//!
//! The time of a file is made from its content. The layer cache ignores times, so for cache hits alone any would do, but
//! the time of the checkout would make images that differ from clone to clone, and one constant for all is a trap: Python
//! takes a `.pyc` for fresh when size and time of the `.py` are the same, so a changed file of the same size would run
//! its old code; and at the epoch, zip archives (wheels) cannot be written at all. So: the same content has the same time
//! everywhere, another content another time (but for one in 2^28), all between 2015 and 2023, never in the future. What
//! it gives up is "newer": an edit can make a file's time earlier. Nothing in a fresh context is compared that way.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::content::{Entry, entries};
use super::{ContextError, MAX_CONTEXT};
use crate::beneath::Folder;
use crate::suite::scenario::Generate;

/// The name that a dialect's folder has in `app/`.
const DIALECT_FOLDER: &str = ".docker";

/// The file time of a folder, and the earliest of a file: 2015-01-01 in seconds since the epoch.
pub(super) const EARLIEST: u64 = 1_420_070_400;

/// How a folder is put into an archive.
pub(super) struct Layout<'a> {
    /// The mode of a path, where it differs from the default.
    pub(super) mode_of: &'a dyn Fn(&Path) -> Option<u32>,
    /// Contents that stand in for files, by their paths.
    pub(super) replacements: &'a [(PathBuf, Vec<u8>)],
    /// The name that the folder `.docker` gets, and links into it.
    pub(super) folder: Option<&'static str>,
    /// Files that are made.
    pub(super) generate: Option<&'a Generate>,
}

impl Layout<'_> {
    /// The path in the archive.
    fn renamed(&self, path: &Path) -> PathBuf {
        match (self.folder, path.strip_prefix(DIALECT_FOLDER)) {
            (Some(folder), Ok(rest)) if rest.as_os_str().is_empty() => PathBuf::from(folder),
            (Some(folder), Ok(rest)) => Path::new(folder).join(rest),
            _ => path.to_owned(),
        }
    }
}

/// Writes the archive of a folder, and gives back what it was written into.
pub(super) fn archive<W: Write>(folder: &Path, layout: &Layout<'_>, into: W) -> Result<W, ContextError> {
    let Layout { mode_of, replacements, .. } = layout;
    let opened = Folder::open(folder)?;
    let mut archive = tar::Builder::new(into);
    // By the names that they get, so that the order is the same in the same archive.
    let items: BTreeMap<PathBuf, (PathBuf, Entry)> =
        entries(folder)?.into_iter().map(|(path, entry)| (layout.renamed(&path), (path, entry))).collect();
    for (name, (path, entry)) in &items {
        let failed = |source| ContextError::Read { path: path.clone(), source };
        let mut header = Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        match entry {
            Entry::Folder => {
                header.set_entry_type(EntryType::Directory);
                header.set_mode(mode_of(path).unwrap_or(0o755));
                header.set_mtime(EARLIEST);
                header.set_size(0);
                archive.append_data(&mut header, name, io::empty()).map_err(failed)?;
            }
            Entry::File { .. } => {
                let replacement = replacements.iter().find(|(replaced, _)| replaced == path);
                let content = match replacement {
                    Some((_, content)) => content.clone(),
                    None => opened.read(path, MAX_CONTEXT)?,
                };
                header.set_entry_type(EntryType::Regular);
                header.set_mode(mode_of(path).unwrap_or(0o644));
                header.set_mtime(time_of(&content));
                header.set_size(content.len() as u64);
                archive.append_data(&mut header, name, content.as_slice()).map_err(failed)?;
            }
            Entry::Link { target } => {
                header.set_entry_type(EntryType::Symlink);
                header.set_mode(0o777);
                let target = layout.renamed(target);
                header.set_mtime(time_of(target.as_os_str().as_encoded_bytes()));
                header.set_size(0);
                archive.append_link(&mut header, name, target).map_err(failed)?;
            }
        }
    }
    for number in 0..layout.generate.map_or(0, |generate| generate.files) {
        let name = layout.generate.map(|generate| generate.folder.clone()).unwrap_or_default();
        let (name, content) = (name.join(format!("{number}.txt")), number.to_string());
        let failed = |source| ContextError::Read { path: name.clone(), source };
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_mtime(time_of(content.as_bytes()));
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, &name, content.as_bytes()).map_err(failed)?;
    }
    archive.into_inner().map_err(|source| ContextError::Read { path: PathBuf::new(), source })
}

/// A file time that stands for the content: 28 bits of its hash, in seconds from [`EARLIEST`] on.
fn time_of(content: &[u8]) -> u64 {
    let hash = Sha256::digest(content);
    let bits = hash.iter().take(4).fold(0, |bits, byte| (bits << 8) | u64::from(*byte));
    EARLIEST + (bits & 0x0fff_ffff)
}
