//! What stale runs left on the engine and in the cache folder, and what a run itself must take away.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::beneath;
use crate::engine::{Engine, EngineError, Leftover};
use crate::host::volume;
use crate::outcome::RunId;
use crate::run::lease::{self, Leases};

/// How long cleaning up may take after the last step.
const CLEAN_LIMIT: Duration = Duration::from_secs(60);

/// What is removed beside that which nobody wants.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scope {
    /// What a run left on purpose.
    pub kept_runs: bool,
    /// Images that are kept for the next run.
    pub kept_images: bool,
    /// Whether what would be removed is only reported.
    pub dry_run: bool,
}

/// Why not all could be removed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeftoverError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("{}: {source}", path.display())]
    Cache { path: PathBuf, source: io::Error },
}

/// What was found on an engine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Swept {
    /// How many things were removed.
    pub removed: usize,
    /// How many images with a name are kept for the next run.
    pub kept_images: usize,
    /// The size of the largest of them, in bytes.
    pub kept_bytes: u64,
}

/// Removes what stale runs left on an engine, and reports each thing.
///
/// # Errors
/// When something cannot be removed.
pub(crate) async fn of_engine(
    engine: &Engine,
    cache: &Path,
    scope: Scope,
    report: &dyn Fn(&dyn fmt::Display),
) -> Result<Swept, LeftoverError> {
    let found = engine.list_ours().await?;
    let leases = Leases::of(cache, &found);
    let mut swept = Swept::default();
    for leftover in &found {
        if leftover.is_kept() && !scope.kept_images {
            // What a named image is built on is kept with it, and not counted.
            swept.kept_images += usize::from(leftover.name.contains(':'));
            swept.kept_bytes = swept.kept_bytes.max(leftover.size);
            continue;
        }
        let on_purpose = !scope.kept_runs && lease::is_kept(cache, &leftover.run);
        if leftover.is_kept() || (leases.is_stale(leftover) && !on_purpose) {
            if !scope.dry_run {
                engine.remove(leftover).await?;
            }
            report(leftover);
            swept.removed += 1;
        }
    }
    Ok(swept)
}

/// Removes the volumes of stale runs from the cache folder, and reports each; returns how many. One that cannot be removed is put aside,
/// where no later run meets it, and `warn` says so; with kept runs, those that were put aside before are tried again.
///
/// # Errors
/// When the folder cannot be read.
pub(crate) fn of_volumes(
    cache: &Path,
    scope: Scope,
    report: &dyn Fn(&dyn fmt::Display),
    warn: &dyn Fn(&str),
) -> Result<usize, LeftoverError> {
    let is_stale = |run: &str| !lease::is_live(cache, run) && (scope.kept_runs || !lease::is_kept(cache, run));
    let folders = volume::of_stale_runs(cache, is_stale, scope.kept_runs).map_err(failed(cache))?;
    let mut count = 0;
    for folder in &folders {
        let removed = if scope.dry_run { Ok(()) } else { beneath::remove(folder) };
        match removed {
            Ok(()) => {
                report(&format_args!("volume {}", folder.display()));
                count += 1;
            }
            Err(error) => warn(&beneath::not_removed(folder, &error)),
        }
    }
    Ok(count)
}

/// Removes the leases of stale runs.
///
/// # Errors
/// When one cannot be removed.
pub(crate) fn of_leases(cache: &Path, scope: Scope) -> Result<(), LeftoverError> {
    if scope.dry_run {
        return Ok(());
    }
    lease::forget_stale(cache, scope.kept_runs).map(drop).map_err(failed(cache))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> LeftoverError {
    let path = path.to_owned();
    move |source| LeftoverError::Cache { path, source }
}

/// Takes everything of a run off the engine, unless its containers are kept; returns notes on what stays, and what could not be removed.
pub(crate) async fn clean(
    engine: &Engine,
    cache: &Path,
    run: &RunId,
    keep: bool,
    over: &CancellationToken,
) -> Vec<String> {
    let swept = tokio::select! {
        swept = sweep(engine, cache, run, keep) => Some(swept),
        () = tokio::time::sleep(CLEAN_LIMIT) => None,
        () = over.cancelled() => None,
    };
    swept.unwrap_or_else(|| {
        vec!["clean-up took too long; the next run, or `wsgi-proof prune`, removes the rest".to_owned()]
    })
}

async fn sweep(engine: &Engine, cache: &Path, run: &RunId, keep: bool) -> Vec<String> {
    if keep {
        match engine.kept(run).await {
            Ok(kept) if !kept.is_empty() => {
                if let Err(error) = lease::keep(cache, run) {
                    return vec![format!("containers kept, but the next run removes them: {error}")];
                }
                return kept.iter().map(|one| format!("kept: {one} (`wsgi-proof prune` removes it)")).collect();
            }
            Ok(_) | Err(_) => {}
        }
    }
    let alone = |found: &[Leftover]| !Leases::of(cache, found).others(Some(run));
    match engine.sweep_run(run, alone).await {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!("clean-up is incomplete: {error}; `wsgi-proof prune` tries again")],
    }
}
