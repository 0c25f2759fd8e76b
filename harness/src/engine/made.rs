//! Which images this cache folder's own runs have made, by id. A name or a label says nothing: whoever loads an archive into the
//! engine chooses both.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The folder in the cache folder.
const FOLDER: &str = "images";
/// How many images of the same name and key are looked for: one for each engine that somebody uses by turns.
const LATEST: usize = 4;

/// The record of images that were made to be kept: a file for each name and key, with a line for each id. An id is a digest of all
/// that is in the image, so it stands for the same image on every engine.
#[derive(Debug, Clone)]
pub(super) struct Made {
    folder: PathBuf,
}

impl Made {
    /// The record in this cache folder.
    pub(super) fn of(cache: &Path) -> Self {
        Self { folder: cache.join(FOLDER) }
    }

    /// The images that were made under this name from what the key says, the latest first, and not all that ever were: most are gone.
    pub(super) fn ids(&self, name: &str, key: &str) -> Vec<String> {
        let text = fs::read_to_string(self.file(name, key)).unwrap_or_default();
        text.lines().rev().filter(|line| !line.is_empty()).take(LATEST).map(str::to_owned).collect()
    }

    /// Adds an image.
    pub(super) fn add(&self, name: &str, key: &str, id: &str) -> io::Result<()> {
        if self.ids(name, key).first().is_some_and(|latest| latest == id) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        // Written at once, at the end: two runs that make the same image leave two lines.
        let mut file = OpenOptions::new().append(true).create(true).open(self.file(name, key))?;
        file.write_all(format!("{id}\n").as_bytes())
    }

    fn file(&self, name: &str, key: &str) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update(name);
        hash.update([0]);
        hash.update(key);
        self.folder.join(hex::encode(&hash.finalize()[..16]))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_added_was_made() {
        let cache = tempfile::tempdir().unwrap();
        let made = Made::of(cache.path());
        assert!(made.ids("canaries", "key").is_empty());
        for id in ["a", "b", "b", "a"] {
            made.add("canaries", "key", id).unwrap();
        }
        assert_eq!(made.ids("canaries", "key"), ["a", "b", "a"]);
        for (name, key) in [("canaries", "other"), ("other", "key"), ("canarieskey", "")] {
            assert!(made.ids(name, key).is_empty(), "{name} {key}");
        }
        for number in 0..20 {
            made.add("canaries", "key", &number.to_string()).unwrap();
        }
        assert_eq!(made.ids("canaries", "key"), ["19", "18", "17", "16"]);
    }
}
