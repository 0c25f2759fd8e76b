//! The ids of runs.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// How many digits an id has.
const DIGITS: usize = 12;

/// A run's id: what is made in it carries it as a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunId(String);

impl RunId {
    /// A new id, of hexadecimal digits.
    pub(crate) fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        Self(format!("{random:016x}")[..DIGITS].to_owned())
    }

    /// Whether a text is the id of a run.
    pub(crate) fn is_one(text: &str) -> bool {
        text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RunId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
