//! `wsgi-proof fetch`: fills the fixture store.

use super::{Failure, output};
use crate::cli::arguments::FetchArgs;
use crate::mirror::{Fixtures, FixturesError};
use crate::outcome::with_causes;
use crate::run::tally::ExitCode;

pub(super) async fn fetch(arguments: &FetchArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let fixtures = Fixtures::open(&folders.cache, &folders.scenarios(), false)
        .map_err(|error| Failure::new(code_of(&error), &with_causes(&error), error.hint()))?;
    if arguments.refresh {
        let forgotten =
            fixtures.forget_archive().map_err(|error| Failure::infrastructure(with_causes(&error), error.hint()))?;
        output::line(format_args!("removed {forgotten} recordings of Debian's archive; the next run makes new ones"))?;
    }
    fill(&fixtures, true).await?;
    output::line("the fixture store has every file of packages.lock, and none is damaged")?;
    Ok(ExitCode::Pass)
}

/// Downloads files of the lock that the store lacks; with `thorough` also those that are damaged.
pub(super) async fn fill(fixtures: &Fixtures, thorough: bool) -> Result<(), Failure> {
    fixtures
        .fill(thorough, &|line: &str| output::complain(format_args!("  {line}")))
        .await
        .map(drop)
        .map_err(|error| Failure::new(code_of(&error), &with_causes(&error), error.hint()))
}

/// An invalid lock file is wrong usage; anything else is a fault of the network or the disk.
pub(super) fn code_of(error: &FixturesError) -> ExitCode {
    match error {
        FixturesError::Lock(_) => ExitCode::Usage,
        _ => ExitCode::Infrastructure,
    }
}
