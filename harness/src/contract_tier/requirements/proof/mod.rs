//! The proof that requirement files are read as pip reads them: files, a corpus and generated ones, with what this reader makes
//! of them, for [`ORACLE`], which has the real pip of a Python read the same.

pub(super) mod corpus;
mod fragments;
mod generate;
mod random;

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};

use super::marker::Applies;
use super::read::{Asked, Reader};
use super::{Files, NoPip, Pip, Refused};
use crate::suite::variant::Variant;

/// A program for a Python that has the real pip: reads cases from standard input, and ends with 0 if it reads them alike.
pub const ORACLE: &str = include_str!("oracle.py");

/// The folder that cases are read in.
const FOLDER: &str = "/app";
/// Variables that are set for them.
const VARIABLES: [(&str, &str); 3] = [("PWD", FOLDER), ("NAME", "six"), ("EMPTY", "")];

/// A folder with a requirements.txt.
#[derive(Debug, Clone)]
pub(super) struct Case {
    name: String,
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// Why there are no cases.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The variant's lock cannot be read.
    #[error("{}", path.display())]
    Lock {
        /// The lock.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The variant's lock does not pin pip.
    #[error("the variant's lock: {0}")]
    NoPip(String),
}

/// The corpus and so many generated cases for a variant's pip, a line each, with what is expected of them.
///
/// # Errors
/// When the variant's lock does not say which pip it has.
pub fn cases(images: &Path, variant: &Variant, seed: u64, count: usize) -> Result<String, ProofError> {
    let path = images.join(&variant.lock);
    let lock = std::fs::read_to_string(&path).map_err(|source| ProofError::Lock { path, source })?;
    let pip = Pip::of(variant, &lock).map_err(|error: NoPip| ProofError::NoPip(error.to_string()))?;
    let generated = (0..count as u64).map(|index| generate::case(seed, index));
    Ok(corpus::cases().into_iter().chain(generated).map(|case| line(&case, pip)).collect())
}

fn line(case: &Case, pip: Pip) -> String {
    let files: BTreeMap<&String, String> = case.files.iter().map(|(name, bytes)| (name, hex::encode(bytes))).collect();
    let expected = match read(case, pip) {
        Ok(asked) => json!({ "asked": asked.iter().map(described).collect::<Vec<_>>() }),
        Err(refused) => json!({ "refused": refused.exit_code, "because": refused.message }),
    };
    let environment: BTreeMap<_, _> = VARIABLES.into();
    format!("{}\n", json!({ "name": case.name, "files": files, "environment": environment, "expected": expected }))
}

fn read(case: &Case, pip: Pip) -> Result<Vec<Asked>, Refused> {
    let environment = VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let files = InMemory(case.files.iter().map(|(name, bytes)| (Path::new(FOLDER).join(name), bytes)).collect());
    Reader { pip, folder: FOLDER, environment: &environment, files: &files }.file("requirements.txt", false)
}

/// A requirement, as the oracle describes it.
fn described(asked: &Asked) -> Value {
    let item = &asked.item;
    let versions: Vec<String> =
        item.versions.iter().map(|(operator, version)| format!("{operator} {version}")).collect();
    json!({
        "name": item.name,
        "extras": item.extras,
        "versions": versions,
        "address": item.address,
        "editable": item.editable,
        "constraint": asked.constraint,
        "applies": match item.marker {
            None | Some(Applies::Yes) => json!(true),
            Some(Applies::No) => json!(false),
            Some(Applies::Unknown | Applies::Doubtful) => Value::Null,
            Some(Applies::Undefined) => json!("error"),
        },
    })
}

/// Files of a case; a folder is there where something is in it.
pub(super) struct InMemory<'a>(pub(super) BTreeMap<PathBuf, &'a Vec<u8>>);

impl InMemory<'_> {
    /// A path without `.` and `..`, which leads out of folders alone.
    fn resolved(&self, path: &Path) -> Option<PathBuf> {
        let mut resolved = PathBuf::new();
        for component in path.components() {
            match component {
                Component::ParentDir if !self.holds(&resolved) => return None,
                Component::ParentDir => drop(resolved.pop()),
                component => resolved.push(component),
            }
        }
        Some(resolved)
    }

    /// Whether this is a folder.
    fn holds(&self, path: &Path) -> bool {
        Path::new(FOLDER).starts_with(path) || self.0.keys().any(|file| file.starts_with(path) && file != path)
    }
}

impl Files for InMemory<'_> {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let slash = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        let found = self.resolved(path).and_then(|path| self.0.get(&path)).filter(|_| !slash);
        found.map(|bytes| (*bytes).clone()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.resolved(path).is_some_and(|path| self.holds(&path))
    }

    fn is_file(&self, path: &Path) -> bool {
        self.resolved(path).is_some_and(|path| self.0.contains_key(&path))
    }
}
