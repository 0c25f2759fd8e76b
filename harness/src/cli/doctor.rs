//! `wsgi-proof doctor`: what was found on this machine, what would be used, and why.

use super::{Failure, output};
use crate::cli::arguments::FolderArgs;
use crate::engine::{Engine, discover, private};
use crate::mirror::Fixtures;
use crate::outcome::with_causes;
use crate::run::tally::ExitCode;

pub(super) async fn doctor(arguments: &FolderArgs) -> Result<ExitCode, Failure> {
    // Nothing of a cache that cannot be trusted is looked into.
    let cache = arguments.cache()?;
    output::line(format_args!("cache     {}", cache.display()))?;
    let discovery = discover(&cache).await;
    for tried in &discovery.tried {
        output::line(format_args!("engine    {tried}"))?;
    }
    output::line(format_args!("engine    private: {}", private::status(&cache)))?;
    let mut code = ExitCode::Pass;
    match &discovery.chosen {
        Some(endpoint) => match Engine::connect(endpoint).await {
            Ok(engine) => {
                output::line(format_args!("would use {}, DOCKER_HOST={}", engine.describe(), endpoint.docker_host))?;
            }
            Err(error) => {
                output::line(format_args!("would use {}, which fails: {}", endpoint.docker_host, with_causes(&error)))?;
                hint(error.hint().as_deref())?;
                code = ExitCode::Infrastructure;
            }
        },
        None => match private::possible(&cache) {
            Ok(how) => output::line(format_args!("would use a private engine: {how}"))?,
            Err(error) => {
                output::line(with_causes(&error))?;
                hint(error.hint().as_deref())?;
                code = ExitCode::Infrastructure;
            }
        },
    }
    match arguments.find() {
        Ok(folders) => match Fixtures::open(&folders.cache, &folders.scenarios(), true) {
            Ok(fixtures) => output::line(format_args!("fixtures  {}", fixtures.status()))?,
            Err(error) => {
                output::line(format_args!("fixtures  {}", with_causes(&error)))?;
                hint(error.hint())?;
                code = ExitCode::Infrastructure;
            }
        },
        Err(error) => {
            output::line(format_args!("suite     {error}"))?;
            hint(Some(error.hint()))?;
        }
    }
    Ok(code)
}

fn hint(hint: Option<&str>) -> Result<(), Failure> {
    hint.map_or(Ok(()), |hint| output::line(format_args!("  hint: {hint}")))
}
