//! Arguments of `import`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{CellArgs, FolderArgs};
use crate::outcome::ClauseId;
use crate::suite::scenario::Subject;

const AFTER_HELP: &str = "\
Examples:
  wsgi-proof import structure-test tests.yaml our-base-image --proves IMAGE-6";

#[derive(Debug, Clone, Args)]
pub(crate) struct ImportArgs {
    /// What to make a scenario of.
    #[command(subcommand)]
    pub source: ImportSource,
}

/// What a scenario can be made of.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ImportSource {
    /// A file of container-structure-test (schema version 2.0.0)
    StructureTest(ImportStructureArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ImportStructureArgs {
    /// The file, YAML or JSON
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The scenario's name: lower-case words, joined by hyphens
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The image that the tests are of
    #[arg(long, value_enum, value_name = "IMAGE", default_value = "base-image")]
    pub on: ImageArg,
    /// A clause that the tests speak for; required where the suite has a contract
    #[arg(long, value_name = "ID")]
    pub proves: Vec<ClauseId>,
    #[command(flatten)]
    pub cells: CellArgs,
    #[command(flatten)]
    pub folders: FolderArgs,
}

/// An image of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImageArg {
    BaseImage,
    OnbuildImage,
}

impl ImageArg {
    /// What a scenario of that image looks at.
    pub(crate) fn subject(self) -> Subject {
        match self {
            Self::BaseImage => Subject::BaseImage,
            Self::OnbuildImage => Subject::OnbuildImage,
        }
    }

    /// As the command line and scenario files have it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::BaseImage => "base-image",
            Self::OnbuildImage => "onbuild-image",
        }
    }
}
