//! The ids of the contract's clauses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// What a clause is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// The two images.
    Image,
    /// The build step.
    Build,
    /// The start step, and what it starts.
    Start,
}

/// The id of a clause, such as `BUILD-1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ClauseId {
    part: Part,
    number: u16,
}

impl ClauseId {
    /// A clause of the images.
    pub(crate) const fn image(number: u16) -> Self {
        Self { part: Part::Image, number }
    }

    /// A clause of the build step.
    pub(crate) const fn build(number: u16) -> Self {
        Self { part: Part::Build, number }
    }

    /// A clause of the start step.
    pub(crate) const fn start(number: u16) -> Self {
        Self { part: Part::Start, number }
    }

    /// What it is about.
    pub(crate) fn part(self) -> Part {
        self.part
    }
}

impl Part {
    const ALL: [Self; 3] = [Self::Image, Self::Build, Self::Start];

    fn word(self) -> &'static str {
        match self {
            Self::Image => "IMAGE",
            Self::Build => "BUILD",
            Self::Start => "START",
        }
    }
}

/// A text that is no id of a clause.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no id of a clause: ids are IMAGE-n, BUILD-n or START-n")]
pub struct NoClauseId(String);

impl FromStr for ClauseId {
    type Err = NoClauseId;

    fn from_str(text: &str) -> Result<Self, NoClauseId> {
        let id = || {
            let (word, number) = text.split_once('-')?;
            let part = Part::ALL.into_iter().find(|part| part.word() == word)?;
            let id = Self { part, number: number.parse().ok().filter(|number| *number > 0)? };
            // As it is written, and not `+1` or `01`.
            (id.to_string() == text).then_some(id)
        };
        id().ok_or_else(|| NoClauseId(text.to_owned()))
    }
}

impl TryFrom<String> for ClauseId {
    type Error = NoClauseId;

    fn try_from(text: String) -> Result<Self, NoClauseId> {
        text.parse()
    }
}

impl fmt::Display for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}", self.part.word(), self.number))
    }
}

impl Serialize for ClauseId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Several, as reports write them.
pub(crate) fn listed<'a>(clauses: impl IntoIterator<Item = &'a ClauseId>) -> String {
    clauses.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        assert_eq!("BUILD-17".parse(), Ok(ClauseId::build(17)));
        assert_eq!(ClauseId::start(2).to_string(), "START-2");
        for text in ["OTHER-7", "BUILD-0", "BUILD-01", "BUILD", "build-1", "BUILD-+1"] {
            assert!(text.parse::<ClauseId>().is_err(), "{text}");
        }
    }
}
