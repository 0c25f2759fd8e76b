//! `wsgi-proof schema`: what a scenario file may have.

use super::{Failure, output};
use crate::cli::arguments::SchemaArgs;
use crate::run::tally::ExitCode;
use crate::suite::scenario;

pub(super) fn schema(arguments: &SchemaArgs) -> Result<ExitCode, Failure> {
    output::text(if arguments.markdown { scenario::reference() } else { scenario::schema() })?;
    Ok(ExitCode::Pass)
}
