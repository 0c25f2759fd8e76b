//! Candidates: what replaces the repository's images, or their steps.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// The heading of options that name candidates.
pub(super) const CANDIDATES: &str = "Candidates (default: the suite's own steps)";

/// What is tested in place of the repository's images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Candidate (default: the suite's own images)")]
#[group(id = "tested", multiple = true)]
pub(crate) struct TestedArgs {
    /// Test a control, which must fail where it lists
    #[arg(long, value_name = "NAME", conflicts_with_all = ["base_image", "onbuild_image", "dockerfile", "steps", "build_step", "start_step"])]
    pub control: Option<String>,
    /// Test this prebuilt base image, as shipped, with --onbuild-image
    #[arg(long, value_name = "IMAGE", requires = "onbuild_image")]
    pub base_image: Option<String>,
    /// Test this prebuilt onbuild image, as shipped, with --base-image
    #[arg(long, value_name = "IMAGE", requires = "base_image")]
    pub onbuild_image: Option<String>,
    /// Build the images from the Dockerfiles in DIR
    #[arg(long, value_name = "DIR", conflicts_with_all = ["base_image", "steps", "build_step", "start_step"])]
    pub dockerfile: Option<PathBuf>,
    /// Use the build and start steps in DIR
    #[arg(long, value_name = "DIR", conflicts_with = "base_image")]
    pub steps: Option<PathBuf>,
    /// Use FILE as mod_wsgi-docker-build
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base_image", "steps"])]
    pub build_step: Option<PathBuf>,
    /// Use FILE as mod_wsgi-docker-start
    #[arg(long, value_name = "FILE", conflicts_with_all = ["base_image", "steps"])]
    pub start_step: Option<PathBuf>,
}

/// Which build and start steps are tried.
#[derive(Debug, Clone, Args)]
pub(crate) struct CandidateArgs {
    /// Folders with mod_wsgi-docker-build, mod_wsgi-docker-start, or both
    #[arg(value_name = "DIR")]
    pub candidates: Vec<PathBuf>,
    #[command(flatten)]
    pub files: StepFileArgs,
}

/// Which build and start steps are tried, and with which scenarios.
#[derive(Debug, Clone, Args)]
pub(crate) struct CandidateSelectArgs {
    /// Folders with build and start steps; filters, as in `run`
    #[arg(value_name = "DIR|FILTER")]
    pub named: Vec<OsString>,
    /// A filter that is also the name of a folder
    #[arg(long, value_name = "FILTER")]
    pub only: Vec<String>,
    #[command(flatten)]
    pub files: StepFileArgs,
}

/// A candidate of single files.
#[derive(Debug, Clone, Args)]
pub(crate) struct StepFileArgs {
    /// A candidate with FILE as mod_wsgi-docker-build
    #[arg(long, value_name = "FILE", help_heading = CANDIDATES)]
    pub build_step: Option<PathBuf>,
    /// The same, with FILE as mod_wsgi-docker-start
    #[arg(long, value_name = "FILE", help_heading = CANDIDATES)]
    pub start_step: Option<PathBuf>,
}
