//! `wsgi-proof schema`: what a scenario file may have.

use crate::cli::arguments::SchemaArgs;
use crate::run::tally::ExitCode;
use crate::suite::scenario;

pub(super) fn schema(arguments: &SchemaArgs) -> ExitCode {
    print!("{}", if arguments.markdown { scenario::reference() } else { scenario::schema() });
    ExitCode::Pass
}
