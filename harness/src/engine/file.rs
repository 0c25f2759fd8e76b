//! What is at the paths of an image, read from a container that is never started.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use super::archive::Chunks;
use super::{Engine, EngineError};
use crate::beneath::{Bound, MAX_ENTRIES};
use crate::check::evidence::{ContentEvidence, EntryEvidence, EntryKind, FileEvidence, MAX_FILE_CONTENT};
use crate::outcome::RunId;

/// How many links are followed from one path.
const MAX_LINKS: usize = 20;

/// An entry as the engine packs it.
#[derive(Debug, PartialEq, Eq)]
enum Packed {
    Found(FileEvidence),
    /// A symbolic link and its target.
    Link(PathBuf, FileEvidence),
    /// A folder with more in it than is read.
    Beyond(Bound),
}

impl Engine {
    /// What is at these absolute paths of an image, in their order. Symbolic links at a path are followed, as a program
    /// in the container would; one that leads nowhere is a file whose content is the link's target. Of a folder with more in it than is
    /// read there is only that to say.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn read_paths(
        &self,
        image: &str,
        paths: &[String],
        run: &RunId,
    ) -> Result<Vec<Result<FileEvidence, Bound>>, EngineError> {
        let container = self.create_at_rest(image, "look", run).await?;
        let mut known = HashMap::new();
        let mut result = Ok(Vec::new());
        for path in paths {
            match (self.follow(&container, path, &mut known).await, &mut result) {
                (Ok(evidence), Ok(found)) => found.push(evidence),
                (Err(error), _) => {
                    result = Err(error);
                    break;
                }
                (Ok(_), Err(_)) => break,
            }
        }
        let removed = self.remove_container(&container).await;
        result.and_then(|found| removed.map(|()| found))
    }

    /// What a path is itself, in a container that is never started: no link is followed. `None` is nothing, or what is neither a file, a
    /// directory nor a link.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn entry(&self, container: &str, path: &str) -> Result<Option<EntryEvidence>, EngineError> {
        self.first_entry(container, path, entry).await.map(Option::flatten)
    }

    /// What there is to read at a path, in a container that is never started. Links are followed, as a program in the container would.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn content(&self, container: &str, path: &str) -> Result<ContentEvidence, EngineError> {
        let mut at = PathBuf::from(path);
        for _ in 0..MAX_LINKS {
            match self.first_entry(container, &at.to_string_lossy(), readable).await? {
                None => return Ok(ContentEvidence::NoFile("nothing there")),
                Some(Readable::Content(content)) => return Ok(content),
                Some(Readable::Link(target)) => at = resolve(&at, &target),
            }
        }
        Ok(ContentEvidence::NoFile("a link that leads nowhere"))
    }

    /// Reads the first entry that the engine packs for a path: that is the path itself. `None` where there is nothing.
    async fn first_entry<T: Send + 'static>(
        &self,
        container: &str,
        path: &str,
        read: fn(Chunks) -> std::io::Result<T>,
    ) -> Result<Option<T>, EngineError> {
        const OPERATION: &str = "reading a path of an image";
        let unexpected = |what: String| EngineError::Unexpected { operation: OPERATION.to_owned(), what };
        // The engine is not asked for no path at all.
        if path.is_empty() {
            return Ok(None);
        }
        match self.read_archive(container, path, OPERATION, read).await? {
            None => Ok(None),
            Some(Ok(read)) => read.map(Some).map_err(|error| unexpected(error.to_string())),
            Some(Err(bound)) => Err(unexpected(bound.to_string())),
        }
    }

    async fn follow(
        &self,
        container: &str,
        path: &str,
        known: &mut HashMap<PathBuf, FileEvidence>,
    ) -> Result<Result<FileEvidence, Bound>, EngineError> {
        let mut at = PathBuf::from(path);
        let mut first_link = None;
        for _ in 0..MAX_LINKS {
            if let Some(evidence) = known.get(&at) {
                return Ok(Ok(evidence.clone()));
            }
            match self.read_path(container, &at).await? {
                Packed::Found(FileEvidence::Absent) => return Ok(Ok(first_link.unwrap_or(FileEvidence::Absent))),
                Packed::Found(evidence) => {
                    known.insert(at, evidence.clone());
                    return Ok(Ok(evidence));
                }
                Packed::Beyond(bound) => return Ok(Err(bound)),
                Packed::Link(target, link) => {
                    first_link.get_or_insert(link);
                    at = resolve(&at, &target);
                }
            }
        }
        Ok(Ok(first_link.unwrap_or(FileEvidence::Absent)))
    }

    async fn read_path(&self, container: &str, path: &Path) -> Result<Packed, EngineError> {
        const OPERATION: &str = "reading a path of an image";
        // A directory comes with all that is below it, which can be large.
        match self.read_archive(container, &path.to_string_lossy(), OPERATION, unpack).await? {
            None => Ok(Packed::Found(FileEvidence::Absent)),
            Some(Err(bound)) => Ok(Packed::Beyond(bound)),
            Some(Ok(read)) => read
                .map_err(|error| EngineError::Unexpected { operation: OPERATION.to_owned(), what: error.to_string() }),
        }
    }
}

/// Where a link at `at` leads, in the image.
fn resolve(at: &Path, target: &Path) -> PathBuf {
    let mut resolved = PathBuf::from("/");
    for component in at.parent().unwrap_or(Path::new("/")).join(target).components() {
        match component {
            Component::Normal(name) => resolved.push(name),
            Component::ParentDir => {
                resolved.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    resolved
}

/// Reads what the engine packs for one path: the path itself first, then what is below.
fn unpack(archive: impl Read) -> std::io::Result<Packed> {
    let mut archive = tar::Archive::new(std::io::BufReader::new(archive));
    let mut entries = archive.entries()?;
    // What is not there the engine says otherwise.
    let mut first = entries.next().ok_or(std::io::ErrorKind::UnexpectedEof)??;
    let mode = first.header().mode()? & 0o7777;
    let owner = format!("{}:{}", first.header().uid()?, first.header().gid()?);
    let kind = first.header().entry_type();
    if kind.is_symlink() {
        let target = first.link_name()?.unwrap_or_default().into_owned();
        let content = target.to_string_lossy().into_owned().into_bytes();
        let size = content.len() as u64;
        return Ok(Packed::Link(target, FileEvidence::File { mode, owner, content, size }));
    }
    if !kind.is_dir() {
        let mut content = Vec::new();
        let limit = u64::try_from(MAX_FILE_CONTENT).unwrap_or(u64::MAX);
        first.by_ref().take(limit).read_to_end(&mut content)?;
        return Ok(Packed::Found(FileEvidence::File { mode, owner, content, size: first.size() }));
    }
    let root = names(&first.path()?);
    let mut below = Vec::new();
    let mut count = 0;
    for entry in entries {
        count += 1;
        if count > MAX_ENTRIES {
            return Ok(Packed::Beyond(Bound::Many));
        }
        if let Some([name]) = names(&entry?.path()?).get(root.len()..) {
            below.push(name.clone());
        }
    }
    below.sort();
    Ok(Packed::Found(FileEvidence::Directory { mode, owner, entries: below, all: true }))
}

/// What an entry is, of which the content is asked for.
enum Readable {
    Content(ContentEvidence),
    /// A symbolic link and its target.
    Link(PathBuf),
}

/// Reads of what the engine packs for one path what there is to read.
fn readable(archive: Chunks) -> std::io::Result<Readable> {
    let mut archive = tar::Archive::new(std::io::BufReader::new(archive));
    let mut first = archive.entries()?.next().ok_or(std::io::ErrorKind::UnexpectedEof)??;
    Ok(match first.header().entry_type() {
        tar::EntryType::Symlink => Readable::Link(first.link_name()?.unwrap_or_default().into_owned()),
        tar::EntryType::Directory => Readable::Content(ContentEvidence::NoFile("a directory")),
        tar::EntryType::Regular | tar::EntryType::Link => {
            let (mut content, size) = (Vec::new(), first.size());
            first.by_ref().take(MAX_FILE_CONTENT as u64).read_to_end(&mut content)?;
            Readable::Content(ContentEvidence::File { content, size })
        }
        _ => Readable::Content(ContentEvidence::NoFile("neither a file nor a directory")),
    })
}

/// Reads of what the engine packs for one path the path itself.
fn entry(archive: Chunks) -> std::io::Result<Option<EntryEvidence>> {
    let mut archive = tar::Archive::new(std::io::BufReader::new(archive));
    let first = archive.entries()?.next().ok_or(std::io::ErrorKind::UnexpectedEof)??;
    let header = first.header();
    let kind = match header.entry_type() {
        tar::EntryType::Directory => EntryKind::Directory,
        tar::EntryType::Symlink => EntryKind::Link,
        tar::EntryType::Regular | tar::EntryType::Link => EntryKind::File,
        _ => return Ok(None),
    };
    let (mode, user, group) = (header.mode()? & 0o7777, header.uid()?, header.gid()?);
    Ok(Some(EntryEvidence { kind, mode, user, group }))
}

/// The names in a path, without the root and dots. (The root directory itself is packed as `/` or `./`.)
fn names(path: &Path) -> Vec<String> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn add(archive: &mut tar::Builder<Vec<u8>>, path: &str, kind: tar::EntryType, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(33);
        header.set_size(content.len().try_into().unwrap());
        archive.append_data(&mut header, path, content).unwrap();
    }

    fn unpacked(archive: tar::Builder<Vec<u8>>) -> Packed {
        unpack(archive.into_inner().unwrap().as_slice()).unwrap()
    }

    #[test]
    fn an_archive_without_anything_is_not_that_nothing_is_there() {
        assert!(unpack(std::io::empty()).is_err());
        assert!(unpack(&[0; 1024][..]).is_err());
    }

    #[test]
    fn a_file() {
        let mut archive = tar::Builder::new(Vec::new());
        add(&mut archive, "wsgi.py", tar::EntryType::Regular, b"x");
        let file = FileEvidence::File { mode: 0o755, owner: "0:33".into(), content: b"x".into(), size: 1 };
        assert_eq!(unpacked(archive), Packed::Found(file));
    }

    #[test]
    fn a_directory_has_its_direct_entries() {
        for root in ["app/", "./"] {
            let mut archive = tar::Builder::new(Vec::new());
            add(&mut archive, root, tar::EntryType::Directory, b"");
            add(&mut archive, &format!("{root}b"), tar::EntryType::Regular, b"x");
            add(&mut archive, &format!("{root}a/"), tar::EntryType::Directory, b"");
            add(&mut archive, &format!("{root}a/c"), tar::EntryType::Regular, b"x");
            let entries = vec!["a".into(), "b".into()];
            let directory = FileEvidence::Directory { mode: 0o755, owner: "0:33".into(), entries, all: true };
            assert_eq!(unpacked(archive), Packed::Found(directory));
        }
    }

    /// The header of a file of so many zeros, and then as many as are read.
    fn holes(path: &str, size: u64) -> impl Read {
        let mut header = tar::Header::new_gnu();
        header.set_path(path).unwrap();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        header.set_cksum();
        Read::chain(std::io::Cursor::new(header.as_bytes().to_vec()), std::io::repeat(0))
    }

    #[test]
    fn a_terabyte_of_nothing_is_not_read() {
        let size = 1 << 40;
        let Packed::Found(FileEvidence::File { content, size: told, .. }) = unpack(holes("x", size)).unwrap() else {
            panic!("not a file")
        };
        assert_eq!((content.len(), told), (MAX_FILE_CONTENT, size));
    }

    #[test]
    fn a_link_has_its_target() {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_mode(0o777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(0);
        archive.append_link(&mut header, "python3", "python3.11").unwrap();
        let link = FileEvidence::File { mode: 0o777, owner: "0:0".into(), content: b"python3.11".into(), size: 10 };
        assert_eq!(unpacked(archive), Packed::Link("python3.11".into(), link));
    }

    #[test]
    fn a_folder_with_too_many_entries_says_so() {
        let mut archive = tar::Builder::new(Vec::new());
        add(&mut archive, "app/", tar::EntryType::Directory, b"");
        for _ in 0..=MAX_ENTRIES {
            add(&mut archive, "app/a", tar::EntryType::Regular, b"");
        }
        assert_eq!(unpacked(archive), Packed::Beyond(Bound::Many));
    }

    #[test]
    fn links_lead_where_they_lead_in_the_image() {
        let from = |at: &str, target: &str| resolve(Path::new(at), Path::new(target));
        assert_eq!(from("/usr/bin/python3", "python3.11"), Path::new("/usr/bin/python3.11"));
        assert_eq!(from("/bin", "usr/bin"), Path::new("/usr/bin"));
        assert_eq!(from("/a/b", "../../../c"), Path::new("/c"));
        assert_eq!(from("/a/b", "/d"), Path::new("/d"));
    }
}
