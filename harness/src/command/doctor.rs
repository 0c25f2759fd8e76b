//! `wsgi-proof doctor`: what was found on this machine, what would be used, and why.

use super::Failure;
use crate::causes::with_causes;
use crate::cli::PlaceArgs;
use crate::engine::{Engine, discover, private};
use crate::fixtures::Fixtures;
use crate::place::{self, Places};
use crate::verdict::ExitCode;

pub(super) async fn doctor(arguments: &PlaceArgs) -> Result<ExitCode, Failure> {
    let cache = place::cache(arguments)?;
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
    match Places::find(arguments) {
        Ok(places) => match Fixtures::open(&places.cache, &places.scenarios(), true) {
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
