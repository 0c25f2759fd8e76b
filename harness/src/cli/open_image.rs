//! Opening the image tier: an engine, the fixtures, what stale runs left, a network, the fixture server.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::bundle::Opened;
use super::run::{Job, cores};
use super::{Failure, host, output};
use crate::cli::arguments::TestedArgs;
use crate::engine::{Endpoint, Engine};
use crate::host::folders::Folders;
use crate::image_tier::{ImageTier, OwnRelays, Saving, Setup, Shell};
use crate::isolation::Watch;
use crate::mirror::Fixtures;
use crate::outcome::{RunId, with_causes};
use crate::run::lease::Lease;
use crate::run::leftovers::{self, Scope};
use crate::run::signals::Signals;
use crate::suite::limits::Limits;

/// What the tier is opened for, beside what the plan says.
pub(super) enum Purpose {
    Run,
    Shell(Shell),
    Bundle(Saving),
}

/// Opens the tier.
pub(super) async fn open(job: &Job, purpose: Purpose, signals: &Signals) -> Result<ImageTier, Failure> {
    let (shell, saving) = match purpose {
        Purpose::Run => (None, None),
        Purpose::Shell(shell) => (Some(shell), None),
        Purpose::Bundle(saving) => (None, Some(saving)),
    };
    let Job { arguments, folders, candidate, .. } = job;
    let prepared = signals.unless_stopped(prepare(job)).await;
    let Prepared { engine, endpoint, fixtures, run, alive } = prepared.ok_or_else(|| Failure::stopped(signals))??;
    let server = fixtures.serve().await.map_err(|error| Failure::infrastructure(with_causes(&error), None))?;
    let by_buildkit = job.plan.cells.iter().any(|cell| cell.builder.is_buildkit());
    let suits = match engine.suits(&run).await {
        Ok(()) if by_buildkit => engine.suits_buildkit().await,
        other => other,
    };
    let network = match suits {
        Ok(()) => engine.create_network(&run).await?,
        Err(error) => {
            drop(engine.sweep_run(&run, || false).await);
            return Err(error.into());
        }
    };
    let limits = Limits::default().with(&arguments.limits);
    let setup = Setup {
        guard: engine.guard(&network, limits),
        engine,
        network,
        relay: OnceLock::new(),
        own_relays: OwnRelays::default(),
        plain: OnceLock::new(),
        watch: Arc::new(Watch::new(&run)),
        run,
        requests: server.log(),
        server,
        dockerfiles: (candidate.dockerfiles.base.clone(), candidate.dockerfiles.onbuild.clone()),
        own_files: arguments.candidate == TestedArgs::default(),
        cache: folders.cache.clone(),
        criteria: job.criteria(),
        origin: job.origin(),
        base: candidate.base.clone(),
        onbuild: candidate.onbuild.clone(),
        offline: arguments.offline,
        limits,
        absent: job.plan.absent_packages(),
        builders: job.plan.cells.iter().map(|cell| cell.builder).collect(),
        jobs: arguments.jobs.map_or_else(cores, usize::from),
        keep: arguments.keep,
        shell,
        saving,
        loading: job.bundle.as_ref().map(Opened::loading),
    };
    Ok(ImageTier { setup: Arc::new(setup), alive, origin: endpoint.origin })
}

struct Prepared {
    engine: Engine,
    endpoint: Endpoint,
    fixtures: Fixtures,
    run: RunId,
    alive: Lease,
}

/// Everything before the first thing is made on the engine.
async fn prepare(job: &Job) -> Result<Prepared, Failure> {
    let Job { arguments, folders, .. } = job;
    let endpoint = host::endpoint(&folders.cache, arguments.offline, arguments.reach.name()).await?;
    let engine = Engine::connect(&endpoint).await?.with_journal(&folders.cache)?;
    let fixtures = |of: &Path, offline: bool| {
        Fixtures::open(of, &folders.scenarios(), offline)
            .map_err(|error| Failure::new(super::fetch::code_of(&error), &with_causes(&error), error.hint()))
    };
    let fixtures = match &job.bundle {
        // It has the images, and what its scenario asked for.
        Some(bundle) => {
            fits("the bundle's images are", bundle.architecture(), &engine)?;
            fixtures(bundle.folder(), true)?
        }
        None => {
            fit_for_test(&engine, &arguments.candidate).await?;
            let fixtures = fixtures(&folders.cache, arguments.offline)?;
            super::fetch::fill(&fixtures, false).await?;
            fixtures
        }
    };
    sweep_stale(&engine, folders).await?;
    let run = RunId::new();
    let alive = Lease::begin(&folders.cache, &run)
        .map_err(|error| Failure::infrastructure(format!("{}: {error}", folders.cache.display()), None))?;
    let engine = engine.of_run(&run)?;
    Ok(Prepared { engine, endpoint, fixtures, run, alive })
}

/// Checks that prebuilt images exist, and can run on this engine; anything else is wrong usage.
async fn fit_for_test(engine: &Engine, tested: &TestedArgs) -> Result<(), Failure> {
    for reference in [&tested.base_image, &tested.onbuild_image].into_iter().flatten() {
        let image = engine.inspect_image(reference).await?.ok_or_else(|| {
            Failure::usage(
                format!("the engine has no image {reference}"),
                Some("build or pull it on that engine first"),
            )
        })?;
        fits(&format!("the image {reference} is"), &image.architecture, engine)?;
    }
    Ok(())
}

/// Checks that what is of an architecture can run on an engine.
fn fits(what: &str, architecture: &str, engine: &Engine) -> Result<(), Failure> {
    let own = &engine.describe().architecture;
    if architecture == own {
        return Ok(());
    }
    Err(Failure::usage(
        format!("{what} for {architecture}, and the engine is for {own}"),
        Some("use an engine of the image's architecture"),
    ))
}

/// Removes what stale runs left on this engine and in the cache folder.
async fn sweep_stale(engine: &Engine, folders: &Folders) -> Result<(), Failure> {
    let scope = Scope::default();
    let report = |leftover: &dyn std::fmt::Display| {
        output::complain(format_args!("removed {leftover}, left by a stale run"));
    };
    let swept = leftovers::of_engine(engine, &folders.cache, scope, &report).await?;
    for line in &swept.refused {
        output::complain(format_args!("warning: {line}; `wsgi-proof prune` tries again"));
    }
    Ok(leftovers::of_leases(&folders.cache, scope)?)
}
