//! `wsgi-proof merge`: the reports of shards, made one.

use super::{Failure, output};
use crate::cli::arguments::MergeArgs;
use crate::report::merge::{self, MergeError, Part};
use crate::report::{page, read};
use crate::run::tally::ExitCode;

pub(super) fn merge(arguments: &MergeArgs) -> Result<ExitCode, Failure> {
    let mut parts = Vec::new();
    for folder in &arguments.reports {
        let path = merge::report_in(folder);
        let document = read::document(&path)?;
        let read =
            read::of(document.clone()).map_err(|source| read::ReadError::NoReport { path: path.clone(), source })?;
        parts.push(Part { path, document, read });
    }
    let merged = merge::merge(parts)?;
    page::write(&arguments.report, &merged.document).map_err(|error| {
        Failure::infrastructure(format!("cannot write to {}: {error}", arguments.report.display()), None)
    })?;
    for shard in &merged.missing {
        output::complain(format_args!("error: the report of shard {shard} is missing"));
    }
    output::line(page::sentence(&merged.document))?;
    Ok(ExitCode::of(merged.exit_code))
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        Self::usage(error, Some("name the report folder of each shard of one run, once"))
    }
}
