//! Arguments of `report`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct ReportArgs {
    /// The report.json of a run
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// That of a later run: print what has changed, instead of writing a page
    #[arg(value_name = "OTHER", conflicts_with = "output")]
    pub other: Option<PathBuf>,
    /// Where to write the page  [default: index.html beside FILE]
    #[arg(long, value_name = "PAGE")]
    pub output: Option<PathBuf>,
}
