//! `[generate]`: files that are made for the build.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::rebuild::is_plain;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// The most files that are made for a build.
const MOST_FILES: u32 = 100_000;

/// Files that are made for the build: `FOLDER/0.txt` and so on, each with its number in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GenerateTable {
    /// The folder, relative to `app/`.
    pub(crate) folder: Typed<String>,
    /// How many files: 1 to 100000.
    pub(crate) files: Typed<i64>,
}

/// Files that are made for the build: `FOLDER/0.txt` and so on, each with its number in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generate {
    /// The folder, relative to the application folder.
    pub folder: PathBuf,
    pub files: u32,
}

/// Resolves the files that are made for the build.
pub(super) fn resolve(
    resolver: &mut Resolver<'_>,
    app: Option<&Path>,
    typed: &Typed<GenerateTable>,
) -> Option<Generate> {
    let table = typed.get();
    let folder = PathBuf::from(table.folder.get());
    if !is_plain(&folder) || app.is_some_and(|app| app.join(&folder).exists()) {
        resolver
            .fault(table.folder.span(), "files cannot be made there")
            .label("must be a folder, relative to `app/`, that `app/` does not have");
        return None;
    }
    let Ok(files @ 1..=MOST_FILES) = u32::try_from(*table.files.get()) else {
        resolver.fault(table.files.span(), "so many files cannot be made").label(format!("must be 1 to {MOST_FILES}"));
        return None;
    };
    Some(Generate { folder, files })
}
