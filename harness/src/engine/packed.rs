//! A folder as an engine packs it, read as it comes: what is in it becomes a snapshot, bounded as that of a folder of this machine.
//! Nothing is unpacked, and no name in it is a path of this machine. The archive's extended headers are read here: the library takes a
//! line end in a name for the end of a record.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;
use sha2::{Digest, Sha256};
use tar::{Entry, EntryType};

use super::archive::{Ending, end_of};
use crate::beneath::{BeneathError, Bound, MAX_DEPTH, MAX_ENTRIES, MAX_PATH, MAX_PATHS};
use crate::host::snapshot::{Content, MAX_CONTENT, Snapshot, State};

/// How much the headers of one entry may have, in bytes: extended attributes are among them.
const MAX_HEADERS: u64 = 1 << 20;
/// What a name may have, and where the folder is for whoever packs it, in bytes: he leaves out what has a longer path than
/// the kernel takes, and does not say so.
const NAME_AND_PLACE: usize = 255 + 64;

/// What the headers before an entry say of it, where its own header has no room.
#[derive(Debug, Default)]
struct Told {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    user: Option<u64>,
    group: Option<u64>,
}

/// What has been read so far.
#[derive(Default)]
struct Packed {
    /// How the archive calls the folder itself.
    root: Option<PathBuf>,
    entries: BTreeMap<OsString, State>,
    count: usize,
    paths: usize,
    content: u64,
}

/// Reads the archive of a folder.
///
/// # Errors
/// When it is none, or there is more than is read.
pub(super) fn snapshot(archive: impl Read) -> Result<Snapshot, BeneathError> {
    let mut archive = tar::Archive::new(Ending::of(BufReader::new(archive)));
    let (mut packed, mut told, mut end) = (Packed::default(), Told::default(), 0);
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        end = end_of(&entry).map_err(broken)?;
        match entry.header().entry_type() {
            EntryType::XHeader => told.records(&headers(&mut entry)?)?,
            EntryType::GNULongName => told.path = Some(text(headers(&mut entry)?)),
            EntryType::GNULongLink => told.target = Some(text(headers(&mut entry)?)),
            EntryType::XGlobalHeader => {}
            _ => packed.add(&mut entry, std::mem::take(&mut told))?,
        }
    }
    archive.into_inner().finish(end).map_err(broken)?;
    if packed.root.is_none() {
        return Err(broken(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Snapshot::of_entries(packed.entries))
}

impl Packed {
    fn add(&mut self, entry: &mut Entry<'_, impl Read>, told: Told) -> Result<(), BeneathError> {
        let header = entry.header().clone();
        let name = told.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let path = self.below(&name)?;
        let kind = header.entry_type();
        self.bounds(&path, kind)?;
        let target = || told.target.clone().or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned));
        if kind == EntryType::Link {
            // Another name of what has come before, with all that it has.
            let other = self.below(&target().unwrap_or_default())?;
            let state =
                self.entries.get(other.as_os_str()).cloned().ok_or_else(|| wrong("a link to what is not there"))?;
            self.entries.insert(path.into_os_string(), state);
            return Ok(());
        }
        let (kind, content) = match kind {
            EntryType::Directory => (FileType::Directory, Content::None),
            EntryType::Regular | EntryType::Continuous => {
                let size = told.size.map_or_else(|| header.entry_size(), Ok).map_err(broken)?;
                self.content = self.content.saturating_add(size);
                if self.content > MAX_CONTENT {
                    return Err(Bound::Heavy { most: MAX_CONTENT }.into());
                }
                (FileType::RegularFile, Content::Hash(hash(entry, size)?))
            }
            EntryType::Symlink => (FileType::Symlink, Content::Target(target().unwrap_or_default())),
            EntryType::Fifo => (FileType::Fifo, Content::None),
            EntryType::Char => (FileType::CharacterDevice, Content::None),
            EntryType::Block => (FileType::BlockDevice, Content::None),
            _ => return Err(wrong("an entry of an unknown kind")),
        };
        let mode = kind.as_raw_mode() | header.mode().map_err(broken)? & 0o7777;
        let user = told.user.map_or_else(|| header.uid(), Ok).map_err(broken)?;
        let group = told.group.map_or_else(|| header.gid(), Ok).map_err(broken)?;
        self.entries.insert(path.into_os_string(), State { mode, user, group, content });
        Ok(())
    }

    /// A path of the archive, beneath the folder, which comes first.
    fn below(&mut self, name: &[u8]) -> Result<PathBuf, BeneathError> {
        let name = PathBuf::from(OsString::from_vec(name.to_vec()));
        let root = self.root.get_or_insert_with(|| name.clone());
        let path = name.strip_prefix(root).map_err(|_| wrong("an entry outside of the folder"))?;
        if path.components().any(|component| !matches!(component, Component::Normal(_))) {
            return Err(wrong("an entry outside of the folder"));
        }
        Ok(path.components().collect())
    }

    fn bounds(&mut self, path: &Path, kind: EntryType) -> Result<(), Bound> {
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        self.count += 1;
        self.paths += path.as_os_str().len();
        if self.count > MAX_ENTRIES {
            return Err(Bound::Many);
        }
        if self.paths > MAX_PATHS {
            return Err(Bound::Named);
        }
        if kind == EntryType::Directory && path.components().count() >= MAX_DEPTH {
            return Err(Bound::Deep);
        }
        if kind == EntryType::Directory && path.as_os_str().len() + NAME_AND_PLACE > MAX_PATH {
            return Err(Bound::Long);
        }
        Ok(())
    }
}

impl Told {
    /// Takes the records of an extended header: each has its length, a key and a value, which may have any bytes in it.
    fn records(&mut self, mut data: &[u8]) -> Result<(), BeneathError> {
        while !data.is_empty() {
            let (key, value, rest) = record(data).ok_or_else(|| wrong("a header that cannot be read"))?;
            let number = || std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.target = Some(value.to_vec()),
                b"size" => self.size = number(),
                b"uid" => self.user = number(),
                b"gid" => self.group = number(),
                _ => {}
            }
            data = rest;
        }
        Ok(())
    }
}

/// The first record's key and value, and what follows it.
fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().position(|byte| *byte == b' ')?;
    let length = std::str::from_utf8(&data[..space]).ok()?.parse().ok()?;
    let text = data.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((&text[..equals], &text[equals + 1..], &data[length..]))
}

/// The hash of what a file has.
fn hash(entry: &mut impl Read, size: u64) -> Result<[u8; 32], BeneathError> {
    let mut hash = Sha256::new();
    if io::copy(entry, &mut hash).map_err(broken)? == size {
        Ok(hash.finalize().into())
    } else {
        Err(broken(io::ErrorKind::UnexpectedEof.into()))
    }
}

/// What is in the headers of one entry.
fn headers(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, BeneathError> {
    if entry.size() > MAX_HEADERS {
        return Err(Bound::Heavy { most: MAX_HEADERS }.into());
    }
    let mut data = Vec::new();
    entry.read_to_end(&mut data).map_err(broken)?;
    Ok(data)
}

/// A text that ends with a NUL.
fn text(mut data: Vec<u8>) -> Vec<u8> {
    data.truncate(data.iter().position(|byte| *byte == 0).unwrap_or(data.len()));
    data
}

fn broken(source: io::Error) -> BeneathError {
    BeneathError::Io { path: PathBuf::new(), source }
}

fn wrong(what: &str) -> BeneathError {
    broken(io::Error::new(io::ErrorKind::InvalidData, what))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
