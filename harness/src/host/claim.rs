//! Whose a cache folder is. What runs have left in it is removed, so it must be ours alone: one that somebody names by mistake has what
//! is his.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::written;

/// The file that says so; backups leave such folders out (Cache Directory Tagging Specification).
const TAG: &str = "CACHEDIR.TAG";
/// Its content: the specification's signature, and whose it is.
const CONTENT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# This is the cache folder of wsgi-proof.\n";
/// How much of one that is there is read, in bytes.
const READ: usize = 4096;
/// What former versions made, who left no such file.
const MADE: [&str; 12] = [
    "agree",
    "aside",
    "distributions",
    "engine",
    "journal",
    "last-failed.json",
    "runs",
    "sandbox",
    "sandboxes",
    "store",
    "tests",
    "volumes",
];

/// Takes a folder for the cache, where nothing in it is somebody else's; otherwise the first thing that is.
///
/// # Errors
/// When it cannot be read or written.
pub(super) fn claim(folder: &Path) -> io::Result<Result<(), PathBuf>> {
    let tag = folder.join(TAG);
    if is_ours(&tag) {
        return Ok(Ok(()));
    }
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        // A file of that name that is not ours is told by what else is there, or replaced.
        if name != TAG && !MADE.iter().any(|made| name == *made) && !written::is_begun(&name) {
            return Ok(Err(folder.join(name)));
        }
    }
    written::file(&tag, CONTENT.as_bytes()).map(Ok)
}

fn is_ours(tag: &Path) -> bool {
    use std::io::Read;
    let is_file = fs::symlink_metadata(tag).is_ok_and(|data| data.is_file());
    let mut text = Vec::new();
    let read = is_file.then(|| fs::File::open(tag).and_then(|file| file.take(READ as u64).read_to_end(&mut text)));
    read.is_some_and(|read| read.is_ok()) && text == CONTENT.as_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_and_a_former_cache_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(claim(folder.path()).unwrap(), Ok(()));
        assert!(is_ours(&folder.path().join(TAG)));
        // From then on anything may be in it.
        fs::write(folder.path().join("other"), "").unwrap();
        assert_eq!(claim(folder.path()).unwrap(), Ok(()));
        let former = tempfile::tempdir().unwrap();
        fs::create_dir(former.path().join("store")).unwrap();
        assert_eq!(claim(former.path()).unwrap(), Ok(()));
    }

    #[test]
    fn a_folder_of_somebody_elses_is_not() {
        for content in ["", "Signature: 8a477f597d28d172789f06886806bc55\n"] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("sandboxes")).unwrap();
            fs::write(folder.path().join("thesis.txt"), "").unwrap();
            if !content.is_empty() {
                fs::write(folder.path().join(TAG), content).unwrap();
            }
            assert_eq!(claim(folder.path()).unwrap(), Err(folder.path().join("thesis.txt")));
        }
    }
}
