//! Folders that the program has unpacked, and what was in them: their programs are executed, also as root.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// What is at each path of a folder, by its path in it.
type Content = BTreeMap<PathBuf, Entry>;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Entry {
    Folder,
    Link(PathBuf),
    File { mode: u32, sha256: String },
}

/// Why a folder is not as it was unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAsUnpacked {
    #[error("{} was {how} since it was unpacked", path.display())]
    Changed { path: PathBuf, how: &'static str },
    #[error("{}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
}

/// Writes down what is in a folder.
///
/// # Errors
/// When the folder cannot be read, or the record not be written.
pub(crate) fn record(folder: &Path, record: &Path) -> Result<(), NotAsUnpacked> {
    let text = serde_json::to_vec(&content(folder)?).map_err(io::Error::from);
    text.and_then(|text| fs::write(record, text)).map_err(unreadable(record))
}

/// Compares a folder with what was written down of it.
///
/// # Errors
/// When something there is missing, was added or is another one; or cannot be read.
pub(crate) fn compare(folder: &Path, record: &Path) -> Result<(), NotAsUnpacked> {
    let text = fs::read(record).map_err(unreadable(record))?;
    let recorded: Content = serde_json::from_slice(&text).map_err(io::Error::from).map_err(unreadable(record))?;
    let found = content(folder)?;
    let changed = |path: &PathBuf, how| Err(NotAsUnpacked::Changed { path: folder.join(path), how });
    for (path, entry) in &found {
        match recorded.get(path) {
            Some(recorded) if recorded == entry => {}
            Some(_) => return changed(path, "changed"),
            None => return changed(path, "added"),
        }
    }
    match recorded.keys().find(|path| !found.contains_key(*path)) {
        Some(path) => changed(path, "removed"),
        None => Ok(()),
    }
}

fn content(folder: &Path) -> Result<Content, NotAsUnpacked> {
    let mut found = Content::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(within) = folders.pop() {
        let path = folder.join(&within);
        for entry in path.read_dir().map_err(unreadable(&path))? {
            let name = entry.map_err(unreadable(&path))?.file_name();
            let (path, within) = (path.join(&name), within.join(&name));
            let entry = entry_at(&path).map_err(unreadable(&path))?;
            if entry == Entry::Folder {
                folders.push(within.clone());
            }
            found.insert(within, entry);
        }
    }
    Ok(found)
}

fn entry_at(path: &Path) -> io::Result<Entry> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_dir() {
        return Ok(Entry::Folder);
    }
    if metadata.is_symlink() {
        return path.read_link().map(Entry::Link);
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is neither file, folder nor link"));
    }
    let mut digest = Sha256::new();
    io::copy(&mut File::open(path)?, &mut digest)?;
    Ok(Entry::File { mode: metadata.mode() & 0o7777, sha256: hex::encode(digest.finalize()) })
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> NotAsUnpacked {
    let path = path.to_owned();
    move |source| NotAsUnpacked::Unreadable { path, source }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A folder as it was unpacked, and its record.
    fn unpacked() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let outer = tempfile::tempdir().unwrap();
        let (tree, file) = (outer.path().join("tree"), outer.path().join("tree.json"));
        fs::create_dir_all(tree.join("usr/bin")).unwrap();
        fs::write(tree.join("usr/bin/bwrap"), "a program").unwrap();
        symlink("bwrap", tree.join("usr/bin/link")).unwrap();
        record(&tree, &file).unwrap();
        (outer, tree, file)
    }

    #[test]
    fn what_is_as_it_was_unpacked_is() {
        let (_outer, tree, file) = unpacked();
        compare(&tree, &file).unwrap();
    }

    /// Each by the owner, with the right mode.
    #[test]
    fn whatever_was_changed_is_found() {
        type Change = fn(&Path);
        let changes: [(Change, &str); 7] = [
            (|tree| fs::write(tree.join("usr/bin/bwrap"), "a pr0gram").unwrap(), "bwrap was changed"),
            (|tree| fs::write(tree.join("usr/bin/unshare"), "").unwrap(), "unshare was added"),
            (|tree| fs::create_dir(tree.join("usr/lib")).unwrap(), "lib was added"),
            (|tree| fs::remove_file(tree.join("usr/bin/link")).unwrap(), "link was removed"),
            (
                |tree| {
                    fs::remove_file(tree.join("usr/bin/link")).unwrap();
                    symlink("/bin/sh", tree.join("usr/bin/link")).unwrap();
                },
                "link was changed",
            ),
            (
                |tree| {
                    fs::set_permissions(tree.join("usr/bin/bwrap"), fs::Permissions::from_mode(0o4755)).unwrap();
                },
                "bwrap was changed",
            ),
            (
                |tree| {
                    fs::remove_file(tree.join("usr/bin/bwrap")).unwrap();
                    symlink("/bin/sh", tree.join("usr/bin/bwrap")).unwrap();
                },
                "bwrap was changed",
            ),
        ];
        for (change, told) in changes {
            let (_outer, tree, file) = unpacked();
            change(&tree);
            let error = compare(&tree, &file).unwrap_err().to_string();
            assert!(error.contains(told), "{told}: {error}");
        }
    }

    #[test]
    fn a_record_that_says_nothing_is_an_error() {
        let (_outer, tree, file) = unpacked();
        fs::write(&file, "{").unwrap();
        assert!(matches!(compare(&tree, &file), Err(NotAsUnpacked::Unreadable { .. })));
        fs::remove_file(&file).unwrap();
        assert!(matches!(compare(&tree, &file), Err(NotAsUnpacked::Unreadable { .. })));
    }
}
