//! Mutants that behave as the script does, each with the reason: `images/mutants/equivalent.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::Mutant;
use crate::suite::toml_file::{self, TomlError};

/// The file, in the folder `images`.
pub(crate) const EQUIVALENT_FILE: &str = "mutants/equivalent.toml";

/// The mutants that are no others than the script, by id, each with its reason.
#[derive(Debug, Default)]
pub(crate) struct Equivalents(BTreeMap<String, String>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    equivalent: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    why: String,
}

impl Equivalents {
    /// Reads the list; every entry must be of one of these mutants.
    ///
    /// # Errors
    /// When it cannot be read, lacks a reason, or names a mutant that there is not.
    pub(crate) fn load(images: &Path, mutants: &[Mutant]) -> Result<Self, TomlError> {
        let read = toml_file::read_if_there::<File>(&images.join(EQUIVALENT_FILE))?;
        let Some((file, mut faults)) = read else { return Ok(Self::default()) };
        let mut entries = BTreeMap::new();
        for entry in file.equivalent {
            let span = entry.span();
            let Entry { id, why } = entry.into_inner();
            if why.trim().is_empty() {
                faults.at(span.clone(), format!("`{id}` has no reason"));
            }
            if !mutants.iter().any(|mutant| mutant.id == id) {
                faults.at(span, format!("there is no mutant `{id}` any more")).advice("take it out");
            }
            entries.insert(id, why);
        }
        faults.finish(Self(entries))
    }

    /// Why a mutant is no other than the script, if so.
    pub(crate) fn why(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_a_reason_and_a_mutant() {
        let images = tempfile::tempdir().unwrap();
        let mutants = super::super::mutants("s", "echo a\necho b\n").unwrap();
        std::fs::create_dir(images.path().join("mutants")).unwrap();
        let load = |text: &str| {
            std::fs::write(images.path().join(EQUIVALENT_FILE), text).unwrap();
            Equivalents::load(images.path(), &mutants).map_err(|error| error.to_string())
        };
        let id = &mutants[0].id;
        let list = load(&format!("[[equivalent]]\nid = '{id}'\nwhy = 'x'\n")).unwrap();
        assert_eq!(list.why(id), Some("x"));
        assert_eq!(list.why(&mutants[1].id), None);
        assert!(load(&format!("[[equivalent]]\nid = '{id}'\nwhy = ' '\n")).unwrap_err().contains("no reason"));
        assert!(load("[[equivalent]]\nid = '0'\nwhy = 'x'\n").unwrap_err().contains("no mutant"));
    }
}
