//! What a context holds: the files of the application folder, but for what `.dockerignore` leaves out.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};

use super::dockerignore::{self, Ignore, Matched};
use super::{ContextError, MAX_CONTEXT};

/// What is at a path of the application folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::suite::scenario) enum Entry {
    Folder,
    File {
        /// Its size in bytes.
        size: u64,
    },
    /// A symbolic link, kept as one.
    Link {
        /// Where it leads, as it says.
        target: PathBuf,
    },
}

/// What the context of an application holds, by path: everything but what `.dockerignore` leaves out.
pub(in crate::suite::scenario) fn entries(app: &Path) -> Result<BTreeMap<PathBuf, Entry>, ContextError> {
    let ignore = match fs::read_to_string(app.join(dockerignore::FILE)) {
        Ok(text) => Ignore::parse(&text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ignore::default(),
        Err(source) => return Err(ContextError::Read { path: dockerignore::FILE.into(), source }),
    };
    let mut entries = BTreeMap::new();
    walk(app, Path::new(""), &ignore, &Matched::default(), &mut entries)?;
    let sizes = entries.iter().filter_map(|(path, entry)| match entry {
        Entry::File { size } => Some((*size, path)),
        _ => None,
    });
    let size = sizes.clone().map(|(size, _)| size).sum();
    match sizes.max() {
        Some((_, largest)) if size > MAX_CONTEXT => Err(ContextError::TooLarge { size, largest: largest.clone() }),
        _ => Ok(entries),
    }
}

fn walk(
    app: &Path,
    folder: &Path,
    ignore: &Ignore,
    parent: &Matched,
    entries: &mut BTreeMap<PathBuf, Entry>,
) -> Result<(), ContextError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ContextError::Read { path, source }
    };
    for item in fs::read_dir(app.join(folder)).map_err(failed(folder))? {
        let path = folder.join(item.map_err(failed(folder))?.file_name());
        let metadata = fs::symlink_metadata(app.join(&path)).map_err(failed(&path))?;
        let matched = ignore.matches(&path.to_string_lossy(), parent);
        // The engine needs these two even when they are left out; it takes them away itself before COPY sees them.
        let always = path == Path::new("Dockerfile") || path == Path::new(dockerignore::FILE);
        let kept = always || !matched.ignored;
        if metadata.is_dir() {
            if kept {
                entries.insert(path.clone(), Entry::Folder);
            }
            if kept || ignore.has_exceptions() {
                walk(app, &path, ignore, &matched, entries)?;
            }
        } else if kept {
            let entry = leaf(app, &path, &metadata)?;
            // A folder that is left out comes back with what is brought back in it.
            for ancestor in path.ancestors().skip(1).filter(|ancestor| *ancestor != Path::new("")) {
                entries.entry(ancestor.to_owned()).or_insert(Entry::Folder);
            }
            entries.insert(path, entry);
        }
    }
    Ok(())
}

fn leaf(app: &Path, path: &Path, metadata: &fs::Metadata) -> Result<Entry, ContextError> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(Entry::File { size: metadata.len() });
    }
    if kind.is_symlink() {
        let target =
            fs::read_link(app.join(path)).map_err(|source| ContextError::Read { path: path.to_owned(), source })?;
        if leads_out(path, &target) {
            return Err(ContextError::LinkOut { path: path.to_owned(), target });
        }
        return Ok(Entry::Link { target });
    }
    let kind = if kind.is_fifo() {
        "named pipe"
    } else if kind.is_socket() {
        "socket"
    } else {
        "device"
    };
    Err(ContextError::Special { path: path.to_owned(), kind })
}

/// Whether a link's target, as written, is outside the folder. A dangling link inside is the application's affair.
pub(super) fn leads_out(link: &Path, target: &Path) -> bool {
    let mut depth = link.components().count().saturating_sub(1);
    for component in target.components() {
        match component {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}
