//! `wsgi-proof pack` and `wsgi-proof eject`: a suite into a program, and out of it.

use std::path::Path;

use super::{Failure, output};
use crate::cli::arguments::{EjectArgs, PackArgs};
use crate::host::carried;
use crate::host::folders::FolderError;
use crate::run::tally::ExitCode;
use crate::suite::packed::Packed;

/// What to do where the suite that a program carries would have to change.
pub(super) const EJECT_FIRST: &str = "write the suite out with `wsgi-proof eject DIR`, and name it with --suite";

pub(super) fn pack(arguments: &PackArgs) -> Result<ExitCode, Failure> {
    let suite = packed(&arguments.folders.find()?.suite)?;
    carried::pack(&suite, &arguments.file).map_err(FolderError::from)?;
    output::line(format_args!("wrote {} with the suite {}", arguments.file.display(), suite.digest()))?;
    Ok(ExitCode::Pass)
}

pub(super) fn eject(arguments: &EjectArgs) -> Result<ExitCode, Failure> {
    let suite = packed(&arguments.folders.find()?.suite)?;
    carried::eject(&suite, &arguments.dir).map_err(FolderError::from)?;
    output::line(format_args!("wrote the suite {} into {}", suite.digest(), arguments.dir.display()))?;
    Ok(ExitCode::Pass)
}

/// The suite in a folder, in one piece.
pub(super) fn packed(suite: &Path) -> Result<Packed, Failure> {
    Ok(Packed::of(suite).map_err(|error| FolderError::from(carried::CarriedError::from(error)))?)
}
