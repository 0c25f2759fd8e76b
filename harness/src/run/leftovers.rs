//! What stale runs left on the engine and in the cache folder, and what a run itself must take away.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::beneath;
use crate::engine::{Engine, EngineError, Relay};
use crate::host::journal::Past;
use crate::outcome::{RunId, with_causes};
use crate::run::lease;

/// The folder that former versions mounted folders of.
const FORMER_VOLUMES: &str = "volumes";
/// How long cleaning up may take after the last step.
const CLEAN_LIMIT: Duration = Duration::from_secs(150);

/// For how long an engine may go on with what a client asked for that has died since. What a run wrote down longer ago has come to its
/// end.
const AFTERMATH: Duration = Duration::from_secs(600);
/// For how long nothing must come up after a client of the engine has died; the longer time where it was having something built.
const QUIET: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// How long is waited for that at the most.
const QUIET_LIMIT: Duration = Duration::from_secs(60);
/// For how long it is tried to remove what the engine refuses to: it may be ending what is in the way.
const REFUSED: Duration = Duration::from_secs(2);
/// How long until it is looked again.
const PAUSE: Duration = Duration::from_millis(200);

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
#[derive(Debug, Clone, Default)]
pub(crate) struct Swept {
    /// How many things were removed.
    pub removed: usize,
    /// How many images with a name are kept for the next run.
    pub kept_images: usize,
    /// The size of the largest of them, in bytes.
    pub kept_bytes: u64,
    /// What the engine could not remove, a line each.
    pub refused: Vec<String>,
}

/// Removes what stale runs left on an engine, and reports each thing. An engine goes on for a moment with what a client had asked for that
/// was killed: so it is looked again until nothing comes up any more. What cannot be removed holds up neither the rest nor a later run.
///
/// # Errors
/// When the engine cannot be asked.
pub(crate) async fn of_engine(
    engine: &Engine,
    cache: &Path,
    scope: Scope,
    report: &dyn Fn(&dyn fmt::Display),
) -> Result<Swept, LeftoverError> {
    let is_on_purpose = |run: &str| !scope.kept_runs && lease::is_kept(cache, run);
    let mut stale = engine.recorded_runs()?;
    stale.retain(|past| !lease::is_live(cache, &past.run) && !is_on_purpose(&past.run));
    let recent = stale.iter().filter(|past| past.age < AFTERMATH && !past.swept);
    let patience = recent.map(|past| QUIET[usize::from(past.open_builds > 0)]).max().unwrap_or_default();
    let (begun, mut last) = (Instant::now(), Instant::now());
    let mut removed = 0;
    loop {
        let mut swept = Swept::default();
        let mut refused: BTreeMap<String, (String, String)> = BTreeMap::new();
        for leftover in engine.list_ours().await? {
            if leftover.is_kept() && !scope.kept_images {
                // What a named image is built on is kept with it, and not counted.
                swept.kept_images += usize::from(leftover.name.contains(':'));
                swept.kept_bytes = swept.kept_bytes.max(leftover.size);
                continue;
            }
            let is_stale = match leftover.run.as_str() {
                "" => !lease::others(cache, None),
                run => !lease::is_live(cache, run) && !is_on_purpose(run),
            };
            if !leftover.is_kept() && !is_stale {
                continue;
            }
            if leftover.is_being_finished() && begun.elapsed() < QUIET_LIMIT && !scope.dry_run {
                last = Instant::now();
                continue;
            }
            let gone = if scope.dry_run { Ok(true) } else { engine.remove(&leftover).await };
            match gone {
                Ok(true) => {
                    report(&leftover);
                    removed += 1;
                    last = Instant::now();
                }
                Ok(false) => {}
                Err(error) if error.is_final() => return Err(error.into()),
                Err(error) => {
                    let why = format!("{leftover} cannot be removed: {}", with_causes(&error));
                    refused.insert(leftover.id.clone(), (leftover.run.clone(), why));
                }
            }
        }
        let patience = if refused.is_empty() { patience } else { patience.max(REFUSED) };
        if scope.dry_run || last.elapsed() >= patience || begun.elapsed() > QUIET_LIMIT {
            if !scope.dry_run {
                // A run of which something is left is known as long as it is.
                stale.retain(|past| !refused.values().any(|(run, _)| *run == past.run));
                stale.iter().try_for_each(|past| forget(engine, past))?;
            }
            let refused = refused.into_values().map(|(_, why)| why).collect();
            return Ok(Swept { removed, refused, ..swept });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Forgets a stale run, once nothing of it can come up any more.
fn forget(engine: &Engine, past: &Past) -> Result<(), EngineError> {
    match past {
        Past { age, open_builds: 1.., swept, .. } if *age < AFTERMATH => {
            if *swept {
                Ok(())
            } else {
                engine.swept(&past.run)
            }
        }
        past => engine.forget(&past.run),
    }
}

/// Removes the folder of the cache folder in which former versions had what they mounted, unless a run may be one of those; returns how
/// many were removed. Where it cannot be, `warn` says so.
pub(crate) fn of_former_versions(
    cache: &Path,
    scope: Scope,
    report: &dyn Fn(&dyn fmt::Display),
    warn: &dyn Fn(&str),
) -> usize {
    let folder = cache.join(FORMER_VOLUMES);
    if !folder.exists() || lease::others(cache, None) {
        return 0;
    }
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let of_runs = entries.filter(|entry| is_of_a_run(&entry.file_name().to_string_lossy()));
    let mut count = 0;
    for path in of_runs.map(|entry| entry.path()) {
        let removed = if scope.dry_run { Ok(()) } else { beneath::remove(&path) };
        match removed {
            Ok(()) => report(&format_args!("folder {}", path.display())),
            Err(error) => warn(&beneath::not_removed(&path, &error)),
        }
        count += 1;
    }
    // It stays where something else is in it.
    if !scope.dry_run {
        drop(std::fs::remove_dir(&folder));
    }
    count
}

/// Whether a name begins with the id of a run.
fn is_of_a_run(name: &str) -> bool {
    name.split_once('-').is_some_and(|(run, _)| RunId::is_one(run))
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

/// Takes everything of a run off the engine, or keeps its containers but the relay; returns notes on what stays, and what could not be
/// removed. An engine that does not answer holds it up no longer than until it is `over`.
pub(crate) async fn clean(
    engine: &Engine,
    cache: &Path,
    run: &RunId,
    relay: Option<&Relay>,
    keep: bool,
    over: &CancellationToken,
) -> Vec<String> {
    let swept = tokio::select! {
        swept = sweep(engine, cache, run, relay, keep) => Some(swept),
        () = tokio::time::sleep(CLEAN_LIMIT) => None,
        () = over.cancelled() => None,
    };
    swept.unwrap_or_else(|| {
        vec!["clean-up took too long; the next run, or `wsgi-proof prune`, removes the rest".to_owned()]
    })
}

async fn sweep(engine: &Engine, cache: &Path, run: &RunId, relay: Option<&Relay>, keep: bool) -> Vec<String> {
    if keep {
        if let Some(relay) = relay {
            // It is not for a person to look at; where it cannot be removed, it is told of with the others.
            drop(engine.stop_relay(relay).await);
        }
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
    match engine.sweep_run(run, || !lease::others(cache, Some(run))).await {
        Ok(true) => Vec::new(),
        Ok(false) => vec![
            "the engine has not ended all builds; the next run, or `wsgi-proof prune`, removes what they leave"
                .to_owned(),
        ],
        Err(error) => vec![format!("clean-up is incomplete: {error}; `wsgi-proof prune` tries again")],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_former_versions_mounted_goes_unless_a_run_is_alive() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join(FORMER_VOLUMES);
        std::fs::create_dir_all(folder.join("0123456789ab-volume/deep")).unwrap();
        let remove = |dry_run| {
            let scope = Scope { kept_runs: true, dry_run, ..Scope::default() };
            of_former_versions(cache.path(), scope, &|_| {}, &|_| {})
        };
        let alive = lease::Lease::begin(cache.path(), &RunId::new()).unwrap();
        assert_eq!((remove(false), folder.exists()), (0, true));
        drop(alive);
        assert_eq!((remove(true), folder.exists()), (1, true));
        assert_eq!((remove(false), folder.exists()), (1, false));
        assert_eq!(remove(false), 0);
        // What no run has made stays.
        std::fs::create_dir_all(folder.join("photos")).unwrap();
        assert_eq!((remove(false), folder.join("photos").exists()), (0, true));
    }
}
