//! The mutants written by hand: one for each bug that the real project had, `images/mutants/bugs.toml`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::suite::control::{Change, Replacements, apply};
use crate::suite::toml_file::{self, TomlError};

/// The file, in the folder `images`.
pub(crate) const BUGS_FILE: &str = "mutants/bugs.toml";

/// A bug that the real project had, as a change of the images' files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bug {
    /// Its number in the history of the real project.
    pub number: u32,
    /// The clauses that must be found broken, all of them.
    pub clauses: BTreeSet<String>,
    /// The scenarios that find it; empty for any.
    pub scenarios: Vec<String>,
    /// What stands in for files of `images/base`.
    pub base: Replacements,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bug: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    number: u32,
    #[serde(default)]
    clauses: BTreeSet<String>,
    #[serde(default)]
    scenarios: Vec<String>,
    #[serde(default)]
    change: Vec<Spanned<Change>>,
    not_applicable: Option<String>,
}

impl Bug {
    /// Reads the list, and makes the changes. One that does not apply is left out; it must say why.
    ///
    /// # Errors
    /// When the list cannot be read or is not valid, or a change does not fit its file any more.
    pub fn all(images: &Path) -> Result<Vec<Self>, TomlError> {
        let (file, mut faults) = toml_file::read::<File>(&images.join(BUGS_FILE))?;
        let mut bugs = Vec::new();
        for entry in file.bug {
            let span = entry.span();
            let Entry { number, clauses, scenarios, change, not_applicable } = entry.into_inner();
            match (not_applicable, change.is_empty()) {
                (Some(why), true) if !why.trim().is_empty() => continue,
                (None, false) if !clauses.is_empty() => {}
                _ => {
                    faults.at(
                        span,
                        format!("bug {number} needs `change` and `clauses`, or a reason in `not_applicable`"),
                    );
                    continue;
                }
            }
            let (mut base, mut onbuild) = (Vec::new(), Vec::new());
            apply(&change, images, &mut base, &mut onbuild, &mut faults);
            if !onbuild.is_empty() {
                faults.at(span, format!("bug {number} changes the onbuild image, which no mutant does"));
            }
            bugs.push(Self { number, clauses, scenarios, base });
        }
        faults.finish(bugs)
    }

    /// Whether it is in the build and start steps, and not in the image around them.
    pub fn is_of_steps(&self) -> bool {
        self.base.iter().all(|(path, _)| path != Path::new("Dockerfile"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_changes_something_or_says_why_not() {
        let images = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(images.path().join("mutants")).unwrap();
        std::fs::create_dir_all(images.path().join("base")).unwrap();
        std::fs::write(images.path().join("base/step"), "one two\n").unwrap();
        let load = |text: &str| {
            std::fs::write(images.path().join(BUGS_FILE), text).unwrap();
            Bug::all(images.path()).map_err(|error| error.to_string())
        };
        let bugs = load(
            "[[bug]]\nnumber = 1\nclauses = ['A-1']\nchange = [{ file = 'base/step', from = 'one', to = 'three' }]\n\
             [[bug]]\nnumber = 2\nnot_applicable = 'x'\n",
        )
        .unwrap();
        assert_eq!(bugs.len(), 1);
        assert_eq!(bugs[0].base, [("step".into(), b"three two\n".to_vec())]);
        assert!(bugs[0].is_of_steps());
        assert!(load("[[bug]]\nnumber = 3\n").unwrap_err().contains("bug 3 needs `change`"));
        let stale = "[[bug]]\nnumber = 4\nclauses = ['A-1']\nchange = [{ file = 'base/step', from = 'x', to = 'y' }]\n";
        assert!(load(stale).unwrap_err().contains("`x` is not once in base/step"));
    }
}
