//! `wsgi-proof prune`: removes what dead runs left behind.

use std::fmt;
use std::path::Path;

use super::Failure;
use crate::cli::arguments::PruneArgs;
use crate::contract_tier::sandbox;
use crate::engine::{Engine, discover};
use crate::run::leftovers::{self, Scope};
use crate::run::tally::ExitCode;

pub(super) async fn prune(arguments: &PruneArgs) -> Result<ExitCode, Failure> {
    let cache = arguments.folders.cache()?;
    let scope = Scope { kept_runs: true, kept_images: arguments.images, dry_run: arguments.dry_run };
    let verb = if arguments.dry_run { "would remove" } else { "removed" };
    let tell = |leftover: &dyn fmt::Display| println!("{verb} {leftover}");
    let elsewhere = leftovers::of_volumes(&cache, scope, &tell)? + prune_sandboxes(&cache, arguments.dry_run)?;
    let Some(endpoint) = discover(&cache).await.chosen else {
        println!("nothing more to do: no engine is running");
        return Ok(ExitCode::Pass);
    };
    let engine = Engine::connect(&endpoint).await?;
    let swept = leftovers::of_engine(&engine, &cache, scope, &tell).await?;
    leftovers::of_leases(&cache, scope)?;
    if elsewhere + swept.removed == 0 {
        println!("nothing to do");
    }
    if swept.kept_images > 0 {
        println!(
            "kept on purpose: {} cached images, the largest {} MB, which the others share (--images removes them)",
            swept.kept_images,
            swept.kept_bytes / 1_000_000
        );
    }
    Ok(ExitCode::Pass)
}

/// Removes the sandboxes of programs that were killed; says how many.
fn prune_sandboxes(cache: &Path, dry_run: bool) -> Result<usize, Failure> {
    if dry_run {
        return Ok(0);
    }
    let removed = sandbox::remove_stale(cache)
        .map_err(|error| Failure::infrastructure(format!("sandboxes of dead runs: {error}"), None))?;
    for folder in &removed {
        println!("removed sandboxes {}", folder.display());
    }
    Ok(removed.len())
}
