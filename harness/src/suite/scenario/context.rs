//! The build context of an application: its folder as a tar archive, the same from every clone.
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
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use tar::{EntryType, Header};

use super::dockerignore::{self, Ignore, Matched, PatternError};
use super::{Generate, Scenario, Volume};

/// The most that the files of a context may have together, in bytes.
pub const MAX_CONTEXT: u64 = 64 << 20;

/// The name that a dialect's folder has in `app/`.
const DIALECT_FOLDER: &str = ".docker";

/// The file time of a folder, and the earliest of a file: 2015-01-01 in seconds since the epoch.
const EARLIEST: u64 = 1_420_070_400;

/// Why a build context cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The scenario looks at an image as it is.
    #[error("the scenario `{0}` has no application to build")]
    NoApplication(String),
    /// A file cannot be read.
    #[error("cannot read `{path}` of the application")]
    Read {
        /// The path, relative to the application folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Neither file, folder nor link.
    #[error("`{path}` of the application is a {kind}; only files, folders and symbolic links can be built from")]
    Special {
        /// The path, relative to the application folder.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A link out of the folder would mean something else in the image.
    #[error("the symbolic link `{path}` leads out of the application folder, to `{target}`")]
    LinkOut {
        /// The link, relative to the application folder.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Too much for a sample application.
    #[error(
        "the application has {size} bytes, more than the {MAX_CONTEXT} that a build context may have; the largest file \
         is `{largest}`"
    )]
    TooLarge {
        /// Size of all files, in bytes.
        size: u64,
        /// The largest file, relative to the application folder.
        largest: PathBuf,
    },
    /// A pattern of the `.dockerignore` is not valid.
    #[error("`.dockerignore` of the application")]
    Ignore(#[from] PatternError),
}

/// Makes the build context of an application: an uncompressed tar archive.
///
/// # Errors
/// When there is nothing to build, and when the folder has what a context cannot hold.
pub fn build_context(scenario: &Scenario) -> Result<Vec<u8>, ContextError> {
    rebuild_context(scenario, &BTreeMap::new())
}

/// Makes the build context of an application in which files have further text at their end.
///
/// # Errors
/// When there is nothing to build, and when the folder has what a context cannot hold.
pub fn rebuild_context(scenario: &Scenario, append: &BTreeMap<PathBuf, String>) -> Result<Vec<u8>, ContextError> {
    let app = scenario.app.as_deref().ok_or_else(|| ContextError::NoApplication(scenario.name.clone()))?;
    let mut replacements = Vec::new();
    for (path, text) in append {
        let mut content =
            fs::read(app.join(path)).map_err(|source| ContextError::Read { path: path.clone(), source })?;
        content.extend_from_slice(text.as_bytes());
        replacements.push((path.clone(), content));
    }
    let layout = Layout {
        mode_of: &|path| scenario.modes.get(path).copied(),
        replacements: &replacements,
        folder: (!scenario.keep_folders).then(|| scenario.dialect.folder()),
        generate: scenario.generate.as_ref(),
    };
    archive(app, &layout)
}

/// Makes the archive of a volume's files, by the same rules.
///
/// # Errors
/// When the folder has what a context cannot hold.
pub fn volume_context(volume: &Volume) -> Result<Vec<u8>, ContextError> {
    let layout = Layout {
        mode_of: &|path| volume.modes.get(path).copied(),
        replacements: &[],
        folder: volume.dialect_folder,
        generate: None,
    };
    archive(&volume.folder, &layout)
}

/// Makes the build context of a folder of ours: as that of an application, but a file that is executable in the checkout
/// is executable in the context. `replacements` are contents that stand in for files, by their paths.
///
/// # Errors
/// When the folder has what a context cannot hold.
pub fn folder_context(folder: &Path, replacements: &[(PathBuf, Vec<u8>)]) -> Result<Vec<u8>, ContextError> {
    let executable = |path: &Path| {
        let mode = fs::metadata(folder.join(path)).map_or(0, |metadata| metadata.permissions().mode());
        (mode & 0o100 != 0).then_some(0o755)
    };
    archive(folder, &Layout { mode_of: &executable, replacements, folder: None, generate: None })
}

/// How a folder is put into an archive.
struct Layout<'a> {
    /// The mode of a path, where it differs from the default.
    mode_of: &'a dyn Fn(&Path) -> Option<u32>,
    /// Contents that stand in for files, by their paths.
    replacements: &'a [(PathBuf, Vec<u8>)],
    /// The name that the folder `.docker` gets, and links into it.
    folder: Option<&'static str>,
    /// Files that are made.
    generate: Option<&'a Generate>,
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

fn archive(folder: &Path, layout: &Layout<'_>) -> Result<Vec<u8>, ContextError> {
    let Layout { mode_of, replacements, .. } = layout;
    let mut archive = tar::Builder::new(Vec::new());
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
                    None => fs::read(folder.join(path)).map_err(failed)?,
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

/// What is at a path of the application folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A folder.
    Folder,
    /// A file.
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
pub(super) fn entries(app: &Path) -> Result<BTreeMap<PathBuf, Entry>, ContextError> {
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
fn leads_out(link: &Path, target: &Path) -> bool {
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

/// A file time that stands for the content: 28 bits of its hash, in seconds from [`EARLIEST`] on.
fn time_of(content: &[u8]) -> u64 {
    let hash = Sha256::digest(content);
    let bits = hash.iter().take(4).fold(0, |bits, byte| (bits << 8) | u64::from(*byte));
    EARLIEST + (bits & 0x0fff_ffff)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::io::Read;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::super::tests::load_here;
    use super::*;

    fn application(files: &[(&str, &str)]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        let app = root.path().join("sample/app");
        fs::create_dir_all(&app).unwrap();
        let scenario = "summary = 'x'\nsource = 'x'\nnothing_to_serve = 'a test'\n[modes]\n'hook' = '0755'\n[build]\noutcome = 'success'\n";
        fs::write(root.path().join("sample/scenario.toml"), scenario).unwrap();
        for (path, content) in [("Dockerfile", "FROM x\n"), ("hook", "#!/bin/sh\n")].iter().chain(files) {
            fs::create_dir_all(app.join(path).parent().unwrap()).unwrap();
            fs::write(app.join(path), content).unwrap();
        }
        root
    }

    fn context(root: &TempDir) -> Vec<u8> {
        build_context(&load_here(root.path()).unwrap()[0]).unwrap()
    }

    fn error(root: &TempDir) -> ContextError {
        entries(&root.path().join("sample/app")).unwrap_err()
    }

    fn listing(archive: &[u8]) -> Vec<(String, u32, u64)> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(Result::unwrap);
        let lines = entries.map(|entry| {
            let header = entry.header();
            assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
            (entry.path().unwrap().display().to_string(), header.mode().unwrap(), header.mtime().unwrap())
        });
        lines.collect()
    }

    fn names(root: &TempDir) -> Vec<String> {
        listing(&context(root)).into_iter().map(|(name, ..)| name).collect()
    }

    #[test]
    fn the_archive_is_the_same_whatever_the_checkout() {
        let one = application(&[("a/x.py", "one"), ("b.py", "two")]);
        let other = application(&[("b.py", "two"), ("a/x.py", "one")]);
        fs::set_permissions(other.path().join("sample/app/b.py"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(other.path().join("sample/app/a"), fs::Permissions::from_mode(0o700)).unwrap();
        let archive = context(&one);
        assert_eq!(archive, context(&other));
        let modes: Vec<_> = listing(&archive).into_iter().map(|(name, mode, _)| (name, mode)).collect();
        let expected = [("Dockerfile", 0o644), ("a", 0o755), ("a/x.py", 0o644), ("b.py", 0o644), ("hook", 0o755)];
        assert_eq!(modes, expected.map(|(name, mode)| (name.to_owned(), mode)));
    }

    #[test]
    fn content_of_the_same_size_has_another_time() {
        let time = |content: &str| listing(&context(&application(&[("x.py", content)])))[2].2;
        assert_ne!(time("a = 1"), time("a = 2"));
        assert!((EARLIEST..1_700_000_000).contains(&time("a = 1")));
    }

    #[test]
    fn long_names_and_links_are_kept() {
        let long = format!("{}/x.txt", "folder/".repeat(30));
        let root = application(&[(&long, "content")]);
        symlink("folder/../hook", root.path().join("sample/app/link")).unwrap();
        let archive = context(&root);
        let mut archive = tar::Archive::new(archive.as_slice());
        let mut found = 0;
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            if entry.path().unwrap().ends_with("x.txt") {
                let mut content = String::new();
                entry.read_to_string(&mut content).unwrap();
                assert_eq!(content, "content");
                found += 1;
            }
            if entry.path().unwrap() == Path::new("link") {
                assert_eq!(entry.link_name().unwrap().unwrap(), Path::new("folder/../hook"));
                found += 1;
            }
        }
        assert_eq!(found, 2);
    }

    #[test]
    fn what_is_ignored_stays_out() {
        let root = application(&[
            (".dockerignore", "*.pyc\ncache\n!cache/keep/this\nDockerfile\n.dockerignore\n"),
            ("x.pyc", ""),
            ("x.py", ""),
            ("cache/other", ""),
            ("cache/keep/this", ""),
        ]);
        assert_eq!(
            names(&root),
            [".dockerignore", "Dockerfile", "cache", "cache/keep", "cache/keep/this", "hook", "x.py"]
        );
    }

    #[test]
    fn a_bad_ignore_file_is_an_error() {
        assert!(matches!(error(&application(&[(".dockerignore", "[")])), ContextError::Ignore(_)));
    }

    #[test]
    fn links_that_lead_out_are_errors() {
        for target in ["/etc/passwd", "..", "folder/../../x"] {
            let root = application(&[]);
            symlink(target, root.path().join("sample/app/link")).unwrap();
            assert!(matches!(error(&root), ContextError::LinkOut { .. }), "{target}");
        }
        assert!(!leads_out(Path::new("a/b/link"), Path::new("../../x")));
    }

    #[test]
    fn sockets_and_pipes_are_errors() {
        let root = application(&[]);
        let _listener = std::os::unix::net::UnixListener::bind(root.path().join("sample/app/socket")).unwrap();
        assert!(matches!(error(&root), ContextError::Special { kind: "socket", .. }));
    }

    #[test]
    fn too_much_is_an_error_that_names_the_largest() {
        let root = application(&[]);
        fs::File::create(root.path().join("sample/app/big")).unwrap().set_len(MAX_CONTEXT).unwrap();
        let error = error(&root);
        assert!(matches!(&error, ContextError::TooLarge { largest, .. } if largest == Path::new("big")), "{error}");
    }

    #[test]
    fn an_image_has_no_context() {
        let root = application(&[]);
        let mut scenario = load_here(root.path()).unwrap().remove(0);
        scenario.app = None;
        assert!(matches!(build_context(&scenario), Err(ContextError::NoApplication(_))));
    }
}
