//! Tiers: how real the surroundings are that a candidate is tried in.

use std::fmt;

/// How real the surroundings are.
#[derive(
    Debug,
    Clone,
    Copy,
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
pub(crate) enum Tier {
    /// Images are built and containers run, by a real engine, with real tools. It has the last word.
    Image,
    /// The build and start steps run in a sandbox, with stubs for pip, apt-get and the like. It requires no engine.
    Contract,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Image => "image",
            Self::Contract => "contract",
        })
    }
}
