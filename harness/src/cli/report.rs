//! `wsgi-proof report`: a page of a run that has ended, or what has changed from one run to another.

use super::{Failure, output};
use crate::cli::arguments::ReportArgs;
use crate::host::written;
use crate::outcome::with_causes;
use crate::report::compare::Comparison;
use crate::report::page;
use crate::report::read::{self, ReadError};
use crate::run::tally::ExitCode;

pub(super) fn report(arguments: &ReportArgs) -> Result<ExitCode, Failure> {
    let run = read::read(&arguments.file)?;
    if let Some(other) = &arguments.other {
        output::findings(Comparison::of(&run, &read::read(other)?))?;
        return Ok(ExitCode::Pass);
    }
    let path = arguments.output.clone().unwrap_or_else(|| arguments.file.with_file_name(page::FILE));
    let written = page::page(&run).and_then(|page| written::file(&path, page.as_bytes()));
    written.map_err(|error| Failure::infrastructure(format!("cannot write {}: {error}", path.display()), None))?;
    output::line(format_args!("wrote {}", path.display()))?;
    Ok(ExitCode::Pass)
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::usage(with_causes(&error), Some(error.hint()))
    }
}
