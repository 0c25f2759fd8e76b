//! `wsgi-proof prune`: removes what stale runs left.

use std::fmt;
use std::path::Path;

use super::{Failure, host, output};
use crate::cli::arguments::PruneArgs;
use crate::contract_tier::sandbox;
use crate::engine::{Endpoint, Engine, discover};
use crate::mirror;
use crate::run::leftovers::{self, Scope};
use crate::run::tally::ExitCode;

pub(super) async fn prune(arguments: &PruneArgs) -> Result<ExitCode, Failure> {
    let cache = arguments.folders.cache()?;
    let scope = Scope { kept_runs: true, kept_images: arguments.images, dry_run: arguments.dry_run };
    let verb = if arguments.dry_run { "would remove" } else { "removed" };
    // What is removed does not depend on whether anybody still reads it.
    let report = |leftover: &dyn fmt::Display| drop(output::line(format_args!("{verb} {leftover}")));
    let warn = |line: &str| output::complain(format_args!("warning: {line}"));
    let elsewhere = leftovers::of_former_versions(&cache, scope, &report, &warn)
        + prune_sandboxes(&cache, arguments.dry_run, &warn)?
        + prune_store(&cache, arguments.dry_run, &report)?;
    let Some(endpoint) = found(&cache, arguments).await? else {
        output::line("no container engine is running: nothing else to remove")?;
        return Ok(ExitCode::Pass);
    };
    let engine = Engine::connect(&endpoint).await?.with_journal(&cache)?;
    let swept = leftovers::of_engine(&engine, &cache, scope, &report).await?;
    leftovers::of_leases(&cache, scope)?;
    if elsewhere + swept.removed == 0 {
        output::line("nothing to remove")?;
    }
    if swept.kept_images > 0 {
        output::line(format_args!(
            "kept {} cached images, which share layers; the largest has {} MB\n  hint: --images removes them",
            swept.kept_images,
            swept.kept_bytes / 1_000_000
        ))?;
    }
    for line in &swept.refused {
        warn(line);
    }
    Ok(if swept.refused.is_empty() { ExitCode::Pass } else { ExitCode::Infrastructure })
}

/// The engine, if there is one. One that is named must be there.
async fn found(cache: &Path, arguments: &PruneArgs) -> Result<Option<Endpoint>, Failure> {
    let discovery = discover(cache, arguments.reach.name()).await;
    match discovery.chosen {
        None if discovery.named.is_some() => Err(host::absent(&discovery)),
        chosen => Ok(chosen),
    }
}

/// Removes the sandboxes of programs that were killed; returns how many.
fn prune_sandboxes(cache: &Path, dry_run: bool, warn: &dyn Fn(&str)) -> Result<usize, Failure> {
    if dry_run {
        return Ok(0);
    }
    let swept = sandbox::remove_stale(cache)
        .map_err(|error| Failure::infrastructure(format!("cannot list sandboxes of stale runs: {error}"), None))?;
    for line in &swept.kept {
        warn(line);
    }
    for folder in &swept.removed {
        output::line(format_args!("removed sandboxes {}", folder.display()))?;
    }
    Ok(swept.removed.len())
}

/// Removes what programs that were killed had begun to write into the store; returns how many files.
fn prune_store(cache: &Path, dry_run: bool, report: &dyn Fn(&dyn fmt::Display)) -> Result<usize, Failure> {
    let files = mirror::remove_stale(cache, dry_run).map_err(|error| {
        Failure::infrastructure(format!("cannot remove unfinished files of the store: {error}"), None)
    })?;
    for path in &files {
        report(&format_args!("unfinished file {}", path.display()));
    }
    Ok(files.len())
}
