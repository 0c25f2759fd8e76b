//! `wsgi-proof fetch`: fills the fixture store.

use super::Failure;
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
        println!("forgot {forgotten} recorded responses of Debian's archive; the next run records them anew");
    }
    fill(&fixtures, true).await?;
    println!("the store has every file of packages.lock, whole");
    Ok(ExitCode::Pass)
}

/// Fetches what the store lacks of the lock; with `thorough` also what is damaged in it.
pub(super) async fn fill(fixtures: &Fixtures, thorough: bool) -> Result<(), Failure> {
    fixtures
        .fill(thorough, &|line: &str| eprintln!("  {line}"))
        .await
        .map(drop)
        .map_err(|error| Failure::new(code_of(&error), &with_causes(&error), error.hint()))
}

/// A lock file that is not valid is the user's to mend; the rest is the network's or the disk's doing.
pub(super) fn code_of(error: &FixturesError) -> ExitCode {
    match error {
        FixturesError::Lock(_) => ExitCode::Usage,
        _ => ExitCode::Infrastructure,
    }
}
