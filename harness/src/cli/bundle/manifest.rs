//! `bundle.json`: what a bundle is of.

use serde::{Deserialize, Serialize};

use crate::engine::Identity;
use crate::outcome::{CellName, Verdict};
use crate::suite::builder::Builder;

/// The version of bundles that this program writes, and the only one that it reads.
pub(super) const VERSION: u32 = 1;

/// What a bundle is of, and what it has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The version of this format: 1.
    pub version: u32,
    /// The version of the program that wrote it.
    pub program: String,
    /// The digest of the suite in it.
    pub suite: String,
    pub scenario: String,
    pub variant: String,
    pub dialect: String,
    /// What builds the application; the classic one in older bundles.
    #[serde(default)]
    pub builder: Builder,
    /// What was tested, in words.
    pub candidate: String,
    /// Whether SHOULD violations were failures.
    pub strict: bool,
    /// Limits that were overridden, as `NAME=NUMBER`.
    pub limits: Vec<String>,
    /// What came of it.
    pub verdict: Verdict,
    /// The engine that it was run on.
    pub engine: String,
    /// The architecture of the images, such as `amd64`.
    pub architecture: String,
    pub base_image: Identity,
    pub onbuild_image: Identity,
    /// The files of the fixture store that it has, by their paths there.
    pub fixtures: Vec<String>,
}

impl Manifest {
    /// The cell that it is of.
    pub(super) fn cell(&self) -> CellName {
        let Self { variant, dialect, builder, .. } = self;
        CellName { variant: variant.clone(), dialect: dialect.clone(), builder: builder.to_string() }
    }
}
