//! Files of a sandbox's root, inspected from outside: links in it lead nowhere else.

use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use rustix::process::getegid;

use crate::check::evidence::{FileEvidence, MAX_FILE_CONTENT};
use crate::contract_tier::requirements::Files;

/// The files beneath a root, for what reads requirement files.
pub(super) struct Beneath(pub(super) PathBuf);

impl Files for Beneath {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        content(&self.0, path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        is_folder(&self.0, path)
    }

    fn is_file(&self, path: &Path) -> bool {
        is_file(&self.0, path)
    }
}

/// How often the kernel is asked for a file that it cannot open safely at this moment.
const TRIES: usize = 10_000;

/// Opens a file by its absolute path in the root.
fn open(root: &Path, path: &Path, flags: OFlags) -> io::Result<std::fs::File> {
    let folder = openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    // A fifo would be waited for; with PATH nothing is, and no other flag is permitted.
    let wait = if flags.contains(OFlags::PATH) { OFlags::empty() } else { OFlags::NONBLOCK };
    let flags = flags | OFlags::CLOEXEC | wait;
    // The kernel gives up on a `..` while anything on the machine is renamed or mounted, and says: again (openat2(2)).
    for _ in 0..TRIES {
        match openat2(&folder, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            Err(Errno::AGAIN) => std::thread::yield_now(),
            other => return Ok(other?.into()),
        }
    }
    Err(Errno::AGAIN.into())
}

/// The content of a file.
pub(super) fn content(root: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(root, path, OFlags::RDONLY)?.take(MAX_FILE_CONTENT as u64).read_to_end(&mut content)?;
    Ok(content)
}

/// Whether something is there.
pub(super) fn is_there(root: &Path, path: &Path) -> bool {
    open(root, path, OFlags::PATH).is_ok()
}

/// Whether a file is there, or a link to one.
pub(super) fn is_file(root: &Path, path: &Path) -> bool {
    open(root, path, OFlags::PATH).and_then(|file| file.metadata()).is_ok_and(|data| data.is_file())
}

/// Whether a folder is there.
pub(super) fn is_folder(root: &Path, path: &Path) -> bool {
    open(root, path, OFlags::PATH | OFlags::DIRECTORY).is_ok()
}

/// The names of a folder's entries, sorted; none where there is no folder.
pub(super) fn entries(root: &Path, path: &Path) -> io::Result<Vec<String>> {
    let folder = match open(root, path, OFlags::RDONLY | OFlags::DIRECTORY) {
        Ok(folder) => folder,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// What is at a path. Files of the user that the sandbox is outside, `owner`, are root's in it.
pub(super) fn look(root: &Path, path: &Path, owner: u32) -> io::Result<FileEvidence> {
    let file = match open(root, path, OFlags::PATH) {
        Ok(file) => file,
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            return Ok(FileEvidence::Absent);
        }
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    let (own_user, own_group) = (metadata.uid() == owner, [owner, getegid().as_raw()].contains(&metadata.gid()));
    let id = |own: bool, id: u32| if own { 0 } else { id };
    let owner = format!("{}:{}", id(own_user, metadata.uid()), id(own_group, metadata.gid()));
    let mode = metadata.mode();
    if metadata.is_dir() {
        return Ok(FileEvidence::Directory { mode, owner, entries: entries(root, path)? });
    }
    let content = if metadata.is_file() { content(root, path)? } else { Vec::new() };
    Ok(FileEvidence::File { mode, owner, content })
}
