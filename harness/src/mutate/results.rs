//! What came of mutants, in a file: a campaign that was broken off goes on where it was. It holds for the same inputs only.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::campaign::Outcome;

/// What came of mutants so far.
#[derive(Debug, Default)]
pub(crate) struct Results {
    known: BTreeMap<String, Outcome>,
    file: Option<File>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    inputs: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    id: String,
    outcome: Outcome,
}

impl Results {
    /// Reads the file, if there is one of these inputs, and goes on writing it; otherwise begins it anew.
    ///
    /// # Errors
    /// When it cannot be read or written, or is no file of results: nothing is written over.
    pub(crate) fn open(path: &Path, inputs: &str) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut lines = text.lines();
        let mut known = BTreeMap::new();
        if let Some(line) = lines.next() {
            let head: Head =
                serde_json::from_str(line).map_err(|_| io::Error::other("not a file of mutation results"))?;
            if head.inputs == inputs {
                // The last line may be half a line, of a program that was killed.
                let read = lines.map_while(|line| serde_json::from_str::<Line>(line).ok());
                known.extend(read.map(|line| (line.id, line.outcome)));
            }
        }
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
        write_line(&mut file, &Head { inputs: inputs.to_owned() })?;
        for (id, outcome) in &known {
            write_line(&mut file, &Line { id: id.clone(), outcome: outcome.clone() })?;
        }
        Ok(Self { known, file: Some(file) })
    }

    /// The result of a mutant, if it was tried already. An inconclusive one is tried again.
    pub(crate) fn known(&self, id: &str) -> Option<&Outcome> {
        self.known.get(id).filter(|outcome| !matches!(outcome, Outcome::Error { .. }))
    }

    /// Adds what came of a mutant.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn add(&mut self, id: &str, outcome: &Outcome) -> io::Result<()> {
        if self.known.insert(id.to_owned(), outcome.clone()).as_ref() == Some(outcome) {
            return Ok(());
        }
        match &mut self.file {
            Some(file) => write_line(file, &Line { id: id.to_owned(), outcome: outcome.clone() }),
            None => Ok(()),
        }
    }
}

fn write_line(file: &mut File, line: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    file.write_all(&text)
}

/// A hash of what results depend on: these files, those in these folders, and these words.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn inputs(paths: &[PathBuf], words: &[String]) -> io::Result<String> {
    let mut hash = Sha256::new();
    for path in paths {
        add(&mut hash, path)?;
    }
    for word in words {
        hash.update(word);
        hash.update([0]);
    }
    Ok(hex::encode(&hash.finalize()[..16]))
}

fn add(hash: &mut Sha256, path: &Path) -> io::Result<()> {
    let metadata = std::fs::symlink_metadata(path)?;
    hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
    if metadata.is_dir() {
        let entries = std::fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
        let mut paths: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
        paths.sort();
        return paths.iter().try_for_each(|path| add(hash, path));
    }
    if metadata.is_file() {
        hash.update(std::fs::read(path)?);
    }
    hash.update([0]);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn results_of_the_same_inputs_are_known_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        let mut results = Results::open(&path, "one").unwrap();
        results.add("a", &Outcome::Survived).unwrap();
        results.add("b", &Outcome::Error { what: "x".to_owned() }).unwrap();
        drop(results);
        // As a program leaves it that is killed while it writes.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"id\":").unwrap();
        let results = Results::open(&path, "one").unwrap();
        assert_eq!(results.known("a"), Some(&Outcome::Survived));
        assert_eq!(results.known("b"), None);
        assert_eq!(Results::open(&path, "two").unwrap().known("a"), None);
        std::fs::write(&path, "something else\n").unwrap();
        assert!(Results::open(&path, "one").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "something else\n");
    }

    #[test]
    fn inputs_differ_where_a_file_does() {
        let folder = tempfile::tempdir().unwrap();
        let of = || inputs(&[folder.path().to_owned()], &["x".to_owned()]).unwrap();
        std::fs::write(folder.path().join("a"), "1").unwrap();
        let before = of();
        assert_eq!(before, of());
        std::fs::write(folder.path().join("a"), "2").unwrap();
        assert_ne!(before, of());
    }
}
