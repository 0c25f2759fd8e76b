//! `wsgi-proof doctor`: what was found on this machine, what would be used, and why.

use super::Failure;
use crate::cli::arguments::FolderArgs;
use crate::engine::{Engine, discover, private};
use crate::mirror::Fixtures;
use crate::outcome::with_causes;
use crate::run::tally::ExitCode;

pub(super) async fn doctor(arguments: &FolderArgs) -> Result<ExitCode, Failure> {
    let cache = arguments.cache()?;
    println!("cache     {}", cache.display());
    let discovery = discover(&cache).await;
    for tried in &discovery.tried {
        println!("engine    {tried}");
    }
    println!("engine    private: {}", private::status(&cache));
    let mut code = ExitCode::Pass;
    match &discovery.chosen {
        Some(endpoint) => match Engine::connect(endpoint).await {
            Ok(engine) => println!("would use {}, DOCKER_HOST={}", engine.describe(), endpoint.docker_host),
            Err(error) => {
                println!("would use {} but: {}", endpoint.docker_host, with_causes(&error));
                code = ExitCode::Infrastructure;
            }
        },
        None => match private::possible(&cache) {
            Ok(how) => println!("would use a private engine: {how}"),
            Err(error) => {
                println!("no engine: {}", with_causes(&error));
                if let Some(hint) = error.hint() {
                    println!("  hint: {hint}");
                }
                code = ExitCode::Infrastructure;
            }
        },
    }
    match arguments.find() {
        Ok(folders) => match Fixtures::open(&folders.cache, &folders.scenarios(), true) {
            Ok(fixtures) => println!("fixtures  {}", fixtures.status()),
            Err(error) => {
                println!("fixtures  {}", with_causes(&error));
                code = ExitCode::Infrastructure;
            }
        },
        Err(error) => println!("suite     {error} ({})", error.hint()),
    }
    Ok(code)
}
