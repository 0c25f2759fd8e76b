//! What a context holds: the files of the application folder, but for what `.dockerignore` leaves out.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::dockerignore::{self, Ignore, Matched};
use super::{ContextError, MAX_CONTEXT};
use crate::beneath::{Folder, Found};

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
    let failed = ContextError::from;
    let folder = Folder::open(app).map_err(failed)?;
    let ignore = match Folder::open(app).map_err(failed)?.into_root().text(dockerignore::FILE.as_ref(), MAX_CONTEXT) {
        Ok(text) => Ignore::parse(&text)?,
        Err(error) if error.is_absent() => Ignore::default(),
        Err(error) => return Err(failed(error)),
    };
    let mut entries = BTreeMap::new();
    let mut folders = BTreeMap::from([(PathBuf::new(), Matched::default())]);
    let mut fault = None;
    let walked = folder.walk(|found| {
        let path = found.path;
        let parent = path.parent().and_then(|parent| folders.get(parent)).cloned().unwrap_or_default();
        let matched = ignore.matches(&path.to_string_lossy(), &parent);
        // The engine needs these two even when they are left out; it takes them away itself before COPY sees them.
        let always = path == Path::new("Dockerfile") || path == Path::new(dockerignore::FILE);
        let kept = always || !matched.ignored;
        if found.is_folder() {
            if kept {
                entries.insert(path.to_owned(), Entry::Folder);
            }
            folders.insert(path.to_owned(), matched);
            return Ok(kept || ignore.has_exceptions());
        }
        if kept && fault.is_none() {
            match leaf(found) {
                Ok(entry) => {
                    // A folder that is left out comes back with what is brought back in it.
                    for ancestor in path.ancestors().skip(1).filter(|ancestor| *ancestor != Path::new("")) {
                        entries.entry(ancestor.to_owned()).or_insert(Entry::Folder);
                    }
                    entries.insert(path.to_owned(), entry);
                }
                Err(error) => fault = Some(error),
            }
        }
        Ok(false)
    });
    walked.map_err(failed)?;
    if let Some(fault) = fault {
        return Err(fault);
    }
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

fn leaf(found: &Found<'_>) -> Result<Entry, ContextError> {
    let path = found.path.to_owned();
    if found.is_file() {
        return Ok(Entry::File { size: found.size() });
    }
    if found.is_link() {
        let target = found.target()?;
        if leads_out(&path, &target) {
            return Err(ContextError::LinkOut { path, target });
        }
        return Ok(Entry::Link { target });
    }
    Err(ContextError::Special { path, kind: found.word() })
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
