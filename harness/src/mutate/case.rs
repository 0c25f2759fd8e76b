//! A change to be tried: a mutant from a syntax tree, or one written by hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Bug, Mutant, Operator, unified};
use crate::suite::control::Replacements;

/// A change to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub id: String,
    /// The file that it changes, or the first of them.
    pub file: String,
    /// The line, counted from 1; of one written by hand that of its first difference.
    pub line: usize,
    /// The kind of change.
    pub operator: Operator,
    /// The files of `images/base` as changed.
    pub files: Replacements,
    pub diff: String,
    /// The clauses that must be found broken, all of them; empty for any.
    pub clauses: BTreeSet<String>,
    /// The scenarios that find it; empty for any.
    pub scenarios: Vec<String>,
    /// Whether it is in the build and start steps, which is all that the contract tier can try.
    pub of_steps: bool,
}

impl Case {
    /// A mutant of a script with this text.
    pub(crate) fn of_mutant(mutant: &Mutant, original: &str) -> Self {
        Self {
            id: mutant.id.clone(),
            file: mutant.file.clone(),
            line: mutant.line,
            operator: mutant.operator,
            files: vec![(PathBuf::from(&mutant.file), mutant.text.clone().into_bytes())],
            diff: unified(&mutant.file, original, &mutant.text),
            clauses: BTreeSet::new(),
            scenarios: Vec::new(),
            of_steps: true,
        }
    }

    /// A bug, written by hand.
    ///
    /// # Errors
    /// When a file that it changes cannot be read.
    pub(crate) fn of_bug(bug: &Bug, images: &Path) -> std::io::Result<Self> {
        let (mut diff, mut line) = (String::new(), 0);
        for (path, content) in &bug.base {
            let original = std::fs::read_to_string(images.join("base").join(path))?;
            let changed = String::from_utf8_lossy(content);
            if line == 0 {
                line = 1 + original.lines().zip(changed.lines()).take_while(|(one, other)| one == other).count();
            }
            diff.push_str(&unified(&path.to_string_lossy(), &original, &changed));
        }
        Ok(Self {
            id: format!("bug-{}", bug.number),
            file: bug.base.first().map_or_else(String::new, |(path, _)| path.to_string_lossy().into_owned()),
            line,
            operator: Operator::HandWritten,
            files: bug.base.clone(),
            diff,
            clauses: bug.clauses.clone(),
            scenarios: bug.scenarios.clone(),
            of_steps: bug.is_of_steps(),
        })
    }

    /// What of the clauses that must be found broken was not among these.
    pub(crate) fn missed(&self, broken: &BTreeSet<String>) -> Vec<String> {
        self.clauses.difference(broken).cloned().collect()
    }
}
