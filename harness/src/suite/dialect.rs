//! Dialects: the two forms that the image family's contract has had.

use std::fmt;

/// A form of the contract.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dialect {
    /// The article's, of December 2014.
    #[default]
    Docker,
    /// The one from 26 December 2014 on.
    Whiskey,
}

impl Dialect {
    pub(crate) const ALL: [Self; 2] = [Self::Docker, Self::Whiskey];

    /// Its name, as files and the command line write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Whiskey => "whiskey",
        }
    }

    /// The folder of an application that has hooks and variables.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Docker => ".docker",
            Self::Whiskey => ".whiskey",
        }
    }

    /// The folders that the dialect knows, its own first: `whiskey` still honours the older one.
    pub(crate) fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Docker => &[".docker"],
            Self::Whiskey => &[".whiskey", ".docker"],
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
