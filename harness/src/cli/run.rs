//! `wsgi-proof run`: load, plan, execute, report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;

use super::candidates::{Dockerfiles, Steps};
use super::signal::Signals;
use super::tell::Teller;
use super::{Failure, candidates, host, sandboxed, select};
use crate::cli::arguments::{RunArgs, TestedArgs};
use crate::engine::{Endpoint, Engine, Leftover, Network, NetworkNamespace, Origin};
use crate::host::folders::Folders;
use crate::host::volume;
use crate::image_tier::{Setup, execute};
use crate::isolation::{Isolation, Watch};
use crate::mirror::{self, Fixtures, RequestLog, Server};
use crate::outcome::{CellName, RunId, ScenarioReport, Verdict, with_causes};
use crate::run::event::{Event, RunEnd, RunFinish, RunStart};
use crate::run::flaky::flaky;
use crate::run::judge::Judge;
use crate::run::lease::{self, Lease, Leases};
use crate::run::plan::{CandidateOrigin, Plan};
use crate::run::tally::{ExitCode, Tally};
use crate::suite::assertion_lock::{LOCK_FILE, SuiteLock};
use crate::suite::control::{Control, Replacements};
use crate::suite::limits::Limits;
use crate::suite::tier::Tier;

/// What to do about a lock of the suite that is not valid.
const RELOCK: &str = "`wsgi-proof run --variant all --dialect all --write-lock` makes it anew";
/// What is said of a run that `--until-fail` ended.
pub(super) const STOPPED_EARLY: &str = "stopped at the first scenario that did not pass, as --until-fail says";
/// How long cleaning up may take after the last step.
const CLEAN_LIMIT: Duration = Duration::from_secs(60);

pub(super) async fn run(arguments: RunArgs) -> Result<ExitCode, Failure> {
    match arguments.tier {
        Tier::Image => with_engine(arguments, Audience::Terminal).await.map(|(code, _)| code),
        Tier::Contract => sandboxed::run(arguments).await,
    }
}

/// Who is told of a run, beside the report files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Terminal,
    Nobody,
}

/// A run of the image tier: its exit code, and what came of the scenarios.
pub(super) async fn with_engine(
    arguments: RunArgs,
    audience: Audience,
) -> Result<(ExitCode, Vec<ScenarioReport>), Failure> {
    let begun = Instant::now();
    let folders = arguments.folders.find()?;
    let cells = select::cells(&folders, &arguments.cells)?;
    if arguments.candidate.base_image.is_some() && cells.len() > 1 {
        return Err(Failure::usage(
            "a prebuilt image is of one variant and one dialect",
            Some("name one of each with --variant and --dialect"),
        ));
    }
    let (loaded, contract) = select::select(&folders, cells, &arguments.select)?;
    let lock = SuiteLock::load(&folders.scenarios()).map_err(|error| Failure::usage(error, Some(RELOCK)))?;
    let Candidate { control, base, onbuild } = Candidate::of(&arguments.candidate, &folders)?;
    let dockerfiles = Dockerfiles::of(&arguments.candidate, &folders.images())?;
    let origin = CandidateOrigin {
        base: arguments.candidate.base_image.clone(),
        onbuild: arguments.candidate.onbuild_image.clone(),
    };
    let plan = Plan::repeated(loaded, &origin, arguments.repeat);
    if arguments.plan {
        print!("{plan}");
        return Ok((ExitCode::Pass, Vec::new()));
    }

    let signals = Signals::listen()
        .map_err(|error| Failure::infrastructure(format!("signals cannot be listened to: {error}"), None))?;
    let prepared = tokio::select! {
        () = signals.cancel.cancelled() => return Ok((stopped(&signals), Vec::new())),
        prepared = prepare(&arguments, &folders) => prepared?,
    };
    let Prepared { engine, endpoint, fixtures, run, alive } = prepared;

    let namespace = engine.namespace()?;
    let shared = namespace.is_hosts();
    let network = engine.create_network(&run, &alive.lock()).await?;
    let server = match serve(&fixtures, &network, &namespace).await {
        Ok(server) => server,
        Err(failure) => {
            drop(engine.sweep_run(&run, |_| false).await);
            return Err(failure);
        }
    };
    let jobs = arguments.jobs.map_or_else(cores, usize::from);
    let start = RunStart {
        run: run.to_string(),
        started: now(),
        planned: plan.scenarios.len(),
        jobs,
        engine: engine.describe().to_string(),
        candidate: announce(&arguments.candidate),
        cells: plan.cells.iter().map(CellName::from).collect(),
        strict: arguments.strict,
        isolation: isolation(&network, shared),
        offline: arguments.offline,
    };
    let cells = start.cells.clone();
    let absent: Vec<String> =
        plan.scenarios.iter().flat_map(|planned| planned.scenario.absent_packages.iter().cloned()).collect();
    let limits = Limits::default().with(&arguments.limits);
    let watch = Arc::new(Watch::new(&run));
    let setup = Arc::new(Setup {
        engine: engine.clone(),
        guard: engine.guard(&network, limits),
        network,
        namespace,
        watch: Arc::clone(&watch),
        run: run.clone(),
        lock: alive.lock(),
        requests: server.log(),
        host_proxy: server.host_url(),
        dockerfiles: (dockerfiles.base, dockerfiles.onbuild),
        own_files: arguments.candidate == TestedArgs::default(),
        cache: folders.cache.clone(),
        judge: Judge {
            contract,
            tier: Tier::Image,
            strict: arguments.strict,
            control,
            reproduce: reproduce(&arguments),
        },
        origin,
        base,
        onbuild,
        offline: arguments.offline,
        limits,
        jobs,
        keep: arguments.keep,
    });

    let mut teller = match audience {
        Audience::Terminal => Teller::new(arguments.report.as_deref(), &folders.scenarios())?,
        Audience::Nobody => Teller::quiet(arguments.report.as_deref(), &folders.scenarios())?,
    };
    teller.tell(Event::RunStarted(Box::new(start)));
    let (sender, mut receiver) = mpsc::unbounded_channel();
    // What ends the executor early: a signal, or something that is not one.
    let executor_cancel = signals.cancel.child_token();
    let executor = tokio::spawn(execute(plan, setup, sender, executor_cancel.clone()));
    let run_limit = tokio::time::sleep(Duration::from_secs(arguments.run_seconds.into()));
    tokio::pin!(run_limit);
    let (mut time_is_over, mut stopped_early) = (false, false);
    loop {
        tokio::select! {
            event = receiver.recv() => match event {
                Some(event) => {
                    if arguments.until_fail && is_bad(&event) {
                        stopped_early = true;
                        executor_cancel.cancel();
                    }
                    teller.tell(event);
                }
                None => break,
            },
            () = &mut run_limit, if !time_is_over => {
                time_is_over = true;
                executor_cancel.cancel();
            }
        }
    }
    drop(executor.await);
    let isolation = watch.conclusion();

    let mut notes = clean(&engine, &folders, &run, arguments.keep, &signals).await;
    let (counts, undeclared) = (server.log().counts(), undeclared(&server.log(), &absent));
    server.stop().await;
    drop(alive);
    if endpoint.origin == Origin::Private {
        notes.push("the private engine goes on running for the next run; `wsgi-proof engine stop` ends it".to_owned());
    }
    if stopped_early {
        notes.push(STOPPED_EARLY.to_owned());
    }
    let flaky = flaky(&teller.reports);
    let end = if time_is_over { RunEnd::TimeIsOver } else { signals.end() };
    let whole = arguments.select.filters.is_empty() && end == RunEnd::Completed;
    let mut shortfalls = Vec::new();
    if arguments.write_lock {
        notes.push(relock(&folders, &lock.unwrap_or_default(), &teller.reports, whole));
    } else if let Some(lock) = lock {
        shortfalls = lock.shortfalls(&teller.reports, &cells, whole);
    }
    let (took, own, fixtures) = (begun.elapsed(), processor_time(), counts.to_string());
    Ok(teller.finish(RunFinish { end, took, own, fixtures, undeclared, shortfalls, flaky, isolation, notes }))
}

/// Whether an event tells of a scenario that did not pass.
pub(super) fn is_bad(event: &Event) -> bool {
    matches!(event, Event::ScenarioFinished(report) if matches!(report.verdict, Verdict::Fail | Verdict::Error))
}

/// What the command line puts in the place of the repository's files.
pub(super) struct Candidate {
    pub(super) control: Option<Control>,
    pub(super) base: Replacements,
    onbuild: Replacements,
}

impl Candidate {
    pub(super) fn of(tested: &TestedArgs, folders: &Folders) -> Result<Self, Failure> {
        let Some(name) = &tested.control else {
            let base = Steps::of(tested, &folders.images())?.read()?;
            return Ok(Self { control: None, base, onbuild: Vec::new() });
        };
        let control =
            Control::load(&folders.images(), name).map_err(|error| Failure::usage(with_causes(&error), None))?;
        let (base, onbuild) = (control.base.clone(), control.onbuild.clone());
        Ok(Self { control: Some(control), base, onbuild })
    }
}

struct Prepared {
    engine: Engine,
    endpoint: Endpoint,
    fixtures: Fixtures,
    run: RunId,
    alive: Lease,
}

/// Everything before the first thing is made on the engine.
async fn prepare(arguments: &RunArgs, folders: &Folders) -> Result<Prepared, Failure> {
    let endpoint = host::endpoint(&folders.cache, arguments.offline).await?;
    let engine = Engine::connect(&endpoint).await?;
    fit_for_test(&engine, &arguments.candidate).await?;
    let fixtures = Fixtures::open(&folders.cache, &folders.scenarios(), arguments.offline)
        .map_err(|error| Failure::new(super::fetch::code_of(&error), &with_causes(&error), error.hint()))?;
    super::fetch::fill(&fixtures, false).await?;
    sweep_stale(&engine, folders).await?;
    let run = RunId::new();
    let alive = Lease::begin(&folders.cache, &run)
        .map_err(|error| Failure::infrastructure(format!("{}: {error}", folders.cache.display()), None))?;
    Ok(Prepared { engine, endpoint, fixtures, run, alive })
}

/// That prebuilt images are there, and can run on this engine: what is not so is the command line's fault.
async fn fit_for_test(engine: &Engine, tested: &TestedArgs) -> Result<(), Failure> {
    for reference in [&tested.base_image, &tested.onbuild_image].into_iter().flatten() {
        let image = engine.inspect_image(reference).await?.ok_or_else(|| {
            Failure::usage(
                format!("the engine has no image {reference}"),
                Some("build or pull it on that engine first"),
            )
        })?;
        let own = &engine.describe().architecture;
        if image.architecture != *own {
            return Err(Failure::usage(
                format!("the image {reference} is for {}, and the engine runs {own}", image.architecture),
                Some("test it on an engine of its own architecture"),
            ));
        }
    }
    Ok(())
}

/// Removes what dead runs left on this engine.
async fn sweep_stale(engine: &Engine, folders: &Folders) -> Result<(), Failure> {
    let found = engine.list_ours().await?;
    let living = Leases::of(&folders.cache, &found);
    for leftover in &found {
        let on_purpose = leftover.is_kept() || lease::is_kept(&folders.cache, &leftover.run);
        if !on_purpose && living.is_stale(leftover) {
            eprintln!("removing {leftover}, left by a run that ended without cleaning up");
            engine.remove(leftover).await?;
        }
    }
    let failed = |error: std::io::Error| Failure::infrastructure(format!("{}: {error}", folders.cache.display()), None);
    let is_stale = |run: &str| !lease::is_live(&folders.cache, run) && !lease::is_kept(&folders.cache, run);
    for folder in volume::of_stale_runs(&folders.cache, is_stale).map_err(failed)? {
        eprintln!("removing volume {}, left by a run that ended without cleaning up", folder.display());
        std::fs::remove_dir_all(&folder).map_err(failed)?;
    }
    lease::forget_stale(&folders.cache, false).map(drop).map_err(failed)
}

async fn serve(fixtures: &Fixtures, network: &Network, namespace: &NetworkNamespace) -> Result<Server, Failure> {
    let address = std::net::SocketAddr::new(network.gateway, mirror::PORT);
    let failed = |why: String| {
        Failure::infrastructure(
            format!("the fixture server cannot listen on {address}: {why}"),
            Some(
                "the engine must run on this very machine, not rootless and not in a virtual machine: its networks' \
                  gateways are then this machine's addresses",
            ),
        )
    };
    let listener = namespace.listen(address).await.map_err(|error| failed(error.to_string()))?;
    fixtures.serve(listener).await.map_err(|error| failed(with_causes(&error)))
}

/// What was asked of the fixture server though it has nothing of the kind, and no scenario of the run declares it.
fn undeclared(log: &RequestLog, absent: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for request in log.since(0).into_iter().filter(|request| request.is_undeclared(absent)) {
        let from = request.from.map_or_else(|| "somebody".to_owned(), |address| address.to_string());
        let text = format!("{from} asked for {}", request.what);
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// Takes everything of the run off the engine; says what could not be.
async fn clean(engine: &Engine, folders: &Folders, run: &RunId, keep: bool, signals: &Signals) -> Vec<String> {
    let swept = tokio::select! {
        swept = sweep(engine, folders, run, keep) => Some(swept),
        () = tokio::time::sleep(CLEAN_LIMIT) => None,
        () = signals.over.cancelled() => None,
    };
    swept.unwrap_or_else(|| {
        vec!["cleaning up took too long; the next run, or `wsgi-proof prune`, removes what is left".to_owned()]
    })
}

async fn sweep(engine: &Engine, folders: &Folders, run: &RunId, keep: bool) -> Vec<String> {
    if keep {
        match engine.kept(run).await {
            Ok(kept) if !kept.is_empty() => {
                if let Err(error) = lease::keep(&folders.cache, run) {
                    return vec![format!("kept, but the next run will remove it: {error}")];
                }
                return kept.iter().map(|one| format!("kept: {one} (`wsgi-proof prune` removes it)")).collect();
            }
            Ok(_) | Err(_) => {}
        }
    }
    let alone = |found: &[Leftover]| !Leases::of(&folders.cache, found).others(Some(run));
    match engine.sweep_run(run, alone).await {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!("not all could be cleaned up: {error}; `wsgi-proof prune` tries again")],
    }
}

fn stopped(signals: &Signals) -> ExitCode {
    let mut tally = Tally::default();
    let (took, own, fixtures) = (Duration::ZERO, Duration::ZERO, String::new());
    let finish = RunFinish {
        end: signals.end(),
        took,
        own,
        fixtures,
        undeclared: Vec::new(),
        shortfalls: Vec::new(),
        flaky: Vec::new(),
        isolation: Isolation::default(),
        notes: Vec::new(),
    };
    tally.add(&Event::RunFinished(Box::new(finish)));
    tally.exit_code()
}

/// The time, RFC 3339, UTC.
pub(super) fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// The processor time that this process has used.
pub(super) fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Makes the lock anew from a whole run in which nothing failed; says what came of it.
fn relock(folders: &Folders, lock: &SuiteLock, reports: &[ScenarioReport], whole: bool) -> String {
    let good = |report: &ScenarioReport| matches!(report.verdict, Verdict::Pass | Verdict::Skip);
    if !whole || !reports.iter().all(good) {
        return format!("{LOCK_FILE} was left as it is: not every scenario passed");
    }
    match lock.renewed(reports).write(&folders.scenarios()) {
        Ok(()) => format!("{LOCK_FILE} was made anew"),
        Err(error) => format!("{LOCK_FILE} could not be made anew: {error}"),
    }
}

/// What is tested, in words.
pub(super) fn announce(tested: &TestedArgs) -> String {
    if let Some(control) = &tested.control {
        return format!("the control {control} (images/controls/{control})");
    }
    if let Some(folder) = &tested.dockerfile {
        return format!("the images built from {}", folder.display());
    }
    let base = tested.base_image.as_deref().unwrap_or("images/base");
    let onbuild = tested.onbuild_image.as_deref().unwrap_or("images/onbuild");
    let mut text = format!("{base}, {onbuild}");
    for (what, path) in
        [("files of", &tested.steps), ("build step", &tested.build_step), ("start step", &tested.start_step)]
    {
        if let Some(path) = path {
            text.push_str(&format!(", {what} {}", path.display()));
        }
    }
    text
}

fn isolation(network: &Network, shared: bool) -> String {
    let Network { name, subnet, gateway } = network;
    let port = mirror::PORT;
    let place = if shared {
        "its gateway is this host, so what listens on all of the host's addresses can be reached there"
    } else {
        "the engine has a network namespace of its own, where nothing else listens"
    };
    format!(
        "builds and containers on the internal network {name} ({subnet}): no route out; they reach the fixture server \
         at {gateway}:{port}; {place}"
    )
}

/// The command that repeats this run for one scenario.
pub(super) fn reproduce(arguments: &RunArgs) -> String {
    let mut words = vec![format!("cargo run -- run{}", candidates::options(&arguments.candidate))];
    if arguments.tier == Tier::Contract {
        words.push(format!("--tier {}", arguments.tier));
    }
    if arguments.tier == Tier::Image {
        words.push("--keep".to_owned());
    }
    words.join(" ")
}
