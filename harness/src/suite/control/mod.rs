//! Controls: candidates that must fail, and where. They show that the suite can tell a bad image from a good one.
//!
//! A control is a folder of `images/controls`: `control.toml`, which also has the changes of single files of `images/base` and
//! `images/onbuild`, and below `base/` and `onbuild/` the files that stand in for whole ones.

mod change;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::beneath::{BeneathError, Folder};
use crate::outcome::ClauseId;
use crate::suite::diagnostic::Faults;
use crate::suite::scenario::MAX_CONTEXT;
use crate::suite::toml_file::{self, TomlError};

pub(crate) use change::{Change, apply};

/// The name of the file that says what a control is.
const CONTROL_FILE: &str = "control.toml";

/// Files that stand in for those of a folder, by their paths in it.
pub(crate) type Replacements = Vec<(PathBuf, Vec<u8>)>;

/// A candidate that must fail.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The name of its folder.
    #[serde(skip)]
    pub name: String,
    /// What is wrong with it, in one sentence.
    pub summary: String,
    /// Where it comes from.
    pub source: String,
    /// The scenarios that must fail, and the clauses that each of them must find broken.
    pub fails: BTreeMap<String, BTreeSet<ClauseId>>,
    /// Changes of files of the candidate.
    #[serde(default)]
    change: Vec<Spanned<Change>>,
    /// What stands in for files of `images/base`.
    #[serde(skip)]
    pub base: Replacements,
    /// What stands in for files of `images/onbuild`.
    #[serde(skip)]
    pub onbuild: Replacements,
}

/// Why there is no such control.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        source: std::io::Error,
    },
    /// Its own file cannot be read or is not valid.
    #[error(transparent)]
    File(#[from] TomlError),
    /// There is none of that name.
    #[error("no control `{name}`; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
}

impl Control {
    /// The names of the controls of a suite's `images`, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(images: &Path) -> Result<Vec<String>, ControlError> {
        let path = images.join("controls");
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(ControlError::Unreadable { path, source }),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| ControlError::Unreadable { path: path.clone(), source })?;
            if entry.path().join(CONTROL_FILE).is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Reads a control of a suite's `images`.
    ///
    /// # Errors
    /// When there is no such control, or its files cannot be read or are not valid.
    pub fn load(images: &Path, name: &str) -> Result<Self, ControlError> {
        let known = Self::names(images)?;
        if !known.iter().any(|one| one == name) {
            return Err(ControlError::Unknown { name: name.to_owned(), known: known.join(", ") });
        }
        let folder = images.join("controls").join(name);
        let (mut control, mut faults): (Self, Faults) = toml_file::read(&folder.join(CONTROL_FILE))?;
        name.clone_into(&mut control.name);
        control.base = files(&folder.join("base"))?;
        control.onbuild = files(&folder.join("onbuild"))?;
        apply(&control.change, images, &mut control.base, &mut control.onbuild, &mut faults);
        Ok(faults.finish(control)?)
    }
}

#[cfg(test)]
impl Control {
    /// A control without files, for which each scenario must break a clause.
    pub(crate) fn sample(name: &str, fails: &[(&str, &str)]) -> Self {
        let fails =
            fails.iter().map(|(scenario, clause)| ((*scenario).to_owned(), clause.parse().into_iter().collect()));
        Self {
            name: name.into(),
            summary: "x".into(),
            source: "y".into(),
            fails: fails.collect(),
            base: Vec::new(),
            onbuild: Vec::new(),
            change: Vec::new(),
        }
    }
}

/// The files of a folder, which need not be there.
fn files(folder: &Path) -> Result<Replacements, ControlError> {
    let unreadable = |error: BeneathError| ControlError::Unreadable { path: folder.to_owned(), source: error.into() };
    let opened = match Folder::open(folder) {
        Ok(opened) => opened,
        Err(error) if error.is_absent() => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut files = Vec::new();
    for name in opened.names(Path::new("")).map_err(unreadable)? {
        let content = opened.read(Path::new(&name), MAX_CONTEXT).map_err(unreadable)?;
        files.push((PathBuf::from(name), content));
    }
    Ok(files)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_control_is_read_with_its_files() {
        let images = tempfile::tempdir().unwrap();
        let folder = images.path().join("controls/odd");
        std::fs::create_dir_all(folder.join("onbuild")).unwrap();
        std::fs::write(folder.join("control.toml"), "summary = 'x'\nsource = 'y'\n[fails]\na = ['BUILD-1']\n").unwrap();
        std::fs::write(folder.join("onbuild/Dockerfile"), "FROM x\n").unwrap();
        assert_eq!(Control::names(images.path()).unwrap(), ["odd"]);
        let control = Control::load(images.path(), "odd").unwrap();
        assert_eq!(control.onbuild, [(PathBuf::from("Dockerfile"), b"FROM x\n".to_vec())]);
        assert!(control.base.is_empty());
        std::fs::create_dir_all(images.path().join("base")).unwrap();
        std::fs::write(images.path().join("base/step"), "one two two\n").unwrap();
        let with = |change: &str| {
            let text = format!("summary = 'x'\nsource = 'y'\n{change}\n[fails]\n");
            std::fs::write(folder.join("control.toml"), text).unwrap();
            Control::load(images.path(), "odd").map_err(|error| error.to_string())
        };
        let control = with("[[change]]\nfile = 'base/step'\nfrom = 'one'\nto = 'three'").unwrap();
        assert_eq!(control.base, [(PathBuf::from("step"), b"three two two\n".to_vec())]);
        let fault = with("[[change]]\nfile = 'base/step'\nfrom = 'two'\nto = 'three'").unwrap_err();
        assert!(fault.contains("`two` is not once in base/step"), "{fault}");
        let error = Control::load(images.path(), "even").unwrap_err().to_string();
        assert_eq!(error, "no control `even`; there are: odd");
    }
}
