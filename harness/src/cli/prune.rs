//! `wsgi-proof prune`: removes what stale runs left.

use std::path::Path;

use super::{Failure, output};
use crate::cli::arguments::PruneArgs;
use crate::contract_tier::sandbox;
use crate::engine::{Engine, discover};
use crate::host::volume;
use crate::run::lease::{self, Leases};
use crate::run::tally::ExitCode;

pub(super) async fn prune(arguments: &PruneArgs) -> Result<ExitCode, Failure> {
    let cache = arguments.folders.cache()?;
    let volumes = prune_volumes(&cache, arguments.dry_run)? + prune_sandboxes(&cache, arguments.dry_run)?;
    let Some(endpoint) = discover(&cache).await.chosen else {
        output::line("no container engine is running: nothing else to remove")?;
        return Ok(ExitCode::Pass);
    };
    let engine = Engine::connect(&endpoint).await?;
    let verb = if arguments.dry_run { "would remove" } else { "removed" };
    let (mut count, mut kept, mut kept_bytes) = (volumes, 0, 0);
    let found = engine.list_ours().await?;
    let leases = Leases::of(&cache, &found);
    for leftover in &found {
        if leftover.is_kept() && !arguments.images {
            // What a named image is built on is kept with it, and not counted.
            kept += usize::from(leftover.name.contains(':'));
            kept_bytes = kept_bytes.max(leftover.size);
        } else if leftover.is_kept() || leases.is_stale(leftover) {
            if !arguments.dry_run {
                engine.remove(leftover).await?;
            }
            output::line(format_args!("{verb} {leftover}"))?;
            count += 1;
        }
    }
    if !arguments.dry_run {
        lease::forget_stale(&cache, true)
            .map_err(|error| Failure::infrastructure(format!("{}: {error}", cache.display()), None))?;
    }
    if count == 0 {
        output::line("nothing to remove")?;
    }
    if kept > 0 {
        output::line(format_args!(
            "kept {kept} cached images, which share layers; the largest has {} MB\n  hint: --images removes them",
            kept_bytes / 1_000_000
        ))?;
    }
    Ok(ExitCode::Pass)
}

/// Removes the volumes' folders of stale runs; returns how many.
fn prune_volumes(cache: &Path, dry_run: bool) -> Result<usize, Failure> {
    let failed = |error: std::io::Error| Failure::infrastructure(format!("{}: {error}", cache.display()), None);
    let folders = volume::of_stale_runs(cache, |run| !lease::is_live(cache, run)).map_err(failed)?;
    for folder in &folders {
        if dry_run {
            output::line(format_args!("would remove volume {}", folder.display()))?;
        } else {
            std::fs::remove_dir_all(folder).map_err(failed)?;
            output::line(format_args!("removed volume {}", folder.display()))?;
        }
    }
    Ok(folders.len())
}

/// Removes the sandboxes of programs that were killed; returns how many.
fn prune_sandboxes(cache: &Path, dry_run: bool) -> Result<usize, Failure> {
    if dry_run {
        return Ok(0);
    }
    let removed = sandbox::remove_stale(cache)
        .map_err(|error| Failure::infrastructure(format!("cannot remove sandboxes of stale runs: {error}"), None))?;
    for folder in &removed {
        output::line(format_args!("removed sandboxes {}", folder.display()))?;
    }
    Ok(removed.len())
}
