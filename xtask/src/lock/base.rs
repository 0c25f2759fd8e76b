//! The lock of a base image: a requirements file by hash, below `images/base/locks`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::Error;

/// The first line of a lock.
const HEAD: &str = "# The Python packages in the base image, by hash (pip --require-hashes).\n";

/// The lock: a release for each project, with the hash that was written down.
#[derive(Debug, Default)]
pub(crate) struct BaseLock {
    /// The comments before the first project: why a release is held, for instance.
    comments: String,
    pub(crate) pins: BTreeMap<String, Pin>,
}

/// A release of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) release: String,
    /// The hash of its file; `None` before the index was asked.
    pub(crate) sha256: Option<String>,
}

impl BaseLock {
    /// Reads a lock; one that is not there is empty.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|why| format!("{}: {why}", path.display()).into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Self { comments: HEAD.to_owned(), pins: BTreeMap::new() })
            }
            Err(error) => Err(format!("{}: {error}", path.display()).into()),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut lock = Self::default();
        for line in text.replace("\\\n", " ").lines() {
            if line.starts_with('#') {
                lock.comments.push_str(line);
                lock.comments.push('\n');
                continue;
            }
            let mut words = line.split_whitespace();
            let Some(pin) = words.next() else { continue };
            let (project, release) = pin.split_once("==").ok_or_else(|| format!("`{pin}` does not name a release"))?;
            let sha256 = words.find_map(|word| word.strip_prefix("--hash=sha256:")).map(str::to_owned);
            lock.pins.insert(project.to_owned(), Pin { release: release.to_owned(), sha256 });
        }
        Ok(lock)
    }

    /// The text of the file.
    pub(crate) fn text(&self) -> Result<String, Error> {
        let mut text = self.comments.clone();
        for (project, Pin { release, sha256 }) in &self.pins {
            let sha256 = sha256.as_ref().ok_or_else(|| format!("{project} {release} has no hash"))?;
            writeln!(text, "{project}=={release} \\\n    --hash=sha256:{sha256}")?;
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_written_as_it_was_read() -> Result<(), Error> {
        let text = format!("{HEAD}# Why.\nsix==1.17.0 \\\n    --hash=sha256:00ff\n");
        let lock = BaseLock::parse(&text)?;
        assert_eq!(lock.pins["six"], Pin { release: "1.17.0".to_owned(), sha256: Some("00ff".to_owned()) });
        assert_eq!(lock.text()?, text);
        assert!(BaseLock::parse("six\n").is_err());
        Ok(())
    }
}
