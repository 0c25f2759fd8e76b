//! `wsgi-proof run`: load, plan, open a tier, run the session, report.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bundle::Opened;
use super::candidates::{Candidate, announce};
use super::open_image::Purpose;
use super::pack::EJECT_FIRST;
use super::reporters::{Audience, RunReporters};
use super::reproduce::reproduce;
use super::{Failure, last_failed, listen, open_contract, open_image, output, select, watch};
use crate::cli::arguments::{
    BuilderArgs, CellArgs, FolderArgs, OneArgs, RUN_SECONDS, ReachArgs, RunArgs, SelectArgs, StructureArgs, TestedArgs,
};
use crate::contract_tier;
use crate::host::carried;
use crate::host::folders::Folders;
use crate::report::format::Format;
use crate::run::criteria::Criteria;
use crate::run::plan::{CandidateOrigin, Plan};
use crate::run::session::{Ended, Lock, Session};
use crate::run::shard::ShardOf;
use crate::run::signals::Signals;
use crate::run::tally::ExitCode;
use crate::run::tier;
use crate::suite::assertion_lock::{RELOCK, SuiteLock, SuiteLockError};
use crate::suite::cell::Cell;
use crate::suite::contract::Contract;
use crate::suite::packed;
use crate::suite::scenario::Scenario;
use crate::suite::tier::Tier;
use crate::suite::toml_file::TomlError;

pub(super) async fn run(arguments: RunArgs) -> Result<ExitCode, Failure> {
    if arguments.watch {
        return watch::watch(arguments).await;
    }
    let job = Job::of(arguments)?;
    if job.arguments.plan {
        match job.arguments.tier {
            Tier::Image => output::text(&job.plan)?,
            Tier::Contract => output::text(contract_tier::tier::steps(&job.plan))?,
        }
        return Ok(ExitCode::Pass);
    }
    job.run_for_caller(&listen()?).await
}

/// A run as the command line asks for it, with all that it names loaded.
pub(super) struct Job {
    begun: Instant,
    pub(super) arguments: RunArgs,
    pub(super) folders: Folders,
    pub(super) candidate: Candidate,
    pub(super) plan: Plan,
    pub(super) contract: Option<Contract>,
    lock: SuiteLock,
    shard: Option<ShardOf>,
    /// The digest of the suite, if it has one.
    suite: Option<String>,
    /// Scenarios that are none of the suite's.
    besides: BTreeSet<String>,
    /// The bundle that is run again, if one is.
    pub(super) bundle: Option<Opened>,
}

impl Job {
    /// Loads what a run needs. Options that its tier cannot honour are refused.
    pub(super) fn of(mut arguments: RunArgs) -> Result<Self, Failure> {
        let begun = Instant::now();
        if arguments.tier == Tier::Contract {
            open_contract::refuse(&arguments)?;
        }
        let bundle = arguments.bundle.as_deref().map(Opened::open).transpose()?;
        if let Some(bundle) = &bundle {
            arguments = bundle.arguments(arguments)?;
        }
        let folders = arguments.folders.find()?;
        if arguments.last_failed {
            arguments.select.filters = last_failed::filters(&folders.cache)?;
        }
        let cells = select::cells_of(&folders, &arguments.cells, &arguments.builders)?;
        // Any builder can build upon it.
        let differ = |pair: &[Cell]| (&pair[0].variant, pair[0].dialect) != (&pair[1].variant, pair[1].dialect);
        if arguments.candidate.base_image.is_some() && cells.windows(2).any(differ) {
            return Err(Failure::usage(
                "a prebuilt image has one variant and one dialect",
                Some("name one of each with --variant and --dialect"),
            ));
        }
        if arguments.write_lock && folders.carried {
            return Err(Failure::usage(
                "the lock of the suite that this program carries cannot be changed",
                Some(EJECT_FIRST),
            ));
        }
        let (suite, selected) = std::thread::scope(|scope| {
            let beside = std::thread::Builder::new().spawn_scoped(scope, || suite_of(&folders));
            let selected = select::select_with(&folders, cells, &arguments.select, &arguments.structure);
            let suite = match beside {
                Ok(thread) => thread.join().unwrap_or_else(|cause| resume_unwind(cause)),
                Err(_) => suite_of(&folders),
            };
            (suite, selected)
        });
        let (mut loaded, contract, structure) = selected?;
        let suite = suite.map(|digest| structure.digest(digest));
        let shard = arguments.shard.map(|shard| shard.told(select::keep(shard, &mut loaded)));
        let lock = if arguments.write_lock { lock_so_far(&folders)? } else { lock(&folders)? };
        let candidate = Candidate::of(&arguments.candidate, &folders)?;
        if arguments.tier == Tier::Contract {
            open_contract::refuse_images(&candidate)?;
        }
        let plan = Plan::repeated(loaded, &origin(&arguments.candidate), arguments.repeat);
        Ok(Self {
            begun,
            arguments,
            folders,
            candidate,
            plan,
            contract,
            lock,
            shard,
            suite,
            besides: structure.besides,
            bundle,
        })
    }

    /// A run of one scenario in one cell, on an engine; what it is for, in words.
    pub(super) fn of_one(
        one: OneArgs,
        strict: bool,
        report: Option<PathBuf>,
        what: &str,
    ) -> Result<(Self, Cell, Arc<Scenario>), Failure> {
        let OneArgs { scenario, cells, builders, candidate, offline, limits, reach, folders } = one;
        let name = scenario.strip_prefix('=').unwrap_or(&scenario);
        let select = SelectArgs::of(vec![format!("={name}")]);
        let usual = usual(&folders, &cells, Tier::Image);
        let job = Self::of(RunArgs { select, strict, builders, candidate, offline, limits, report, reach, ..usual })?;
        let (cell, scenario) = job.only(what)?;
        Ok((job, cell, scenario))
    }

    fn only(&self, what: &str) -> Result<(Cell, Arc<Scenario>), Failure> {
        let [planned] = self.plan.scenarios.as_slice() else {
            return Err(Failure::usage(
                format!("{what} has one variant, one dialect and one builder"),
                Some("name one of each with --variant, --dialect and --builder"),
            ));
        };
        let (cell, scenario) = (&self.plan.cells[planned.cell], &planned.scenario);
        match &scenario.not_applicable {
            None => Ok((cell.clone(), Arc::clone(scenario))),
            Some(reason) => {
                let why = format!("{} does not apply in {cell}: {}", scenario.name, reason.value);
                Err(Failure::new(ExitCode::NothingSelected, &why, Some("choose another cell")))
            }
        }
    }

    /// Runs it for who called the program, and writes down what failed; its exit code.
    pub(super) async fn run_for_caller(&self, signals: &Signals) -> Result<ExitCode, Failure> {
        let ended = self.run(signals, Audience::Caller(self.arguments.format)).await?;
        // The next time such tests, and a bundle, are not there, unless they are named again.
        if self.arguments.structure.files.is_empty() && self.bundle.is_none() {
            last_failed::note(&self.folders.cache, &ended);
        }
        Ok(ended.code)
    }

    /// Opens its tier, and runs it there.
    pub(super) async fn run(&self, signals: &Signals, audience: Audience) -> Result<Ended, Failure> {
        let Self { arguments, folders, .. } = self;
        match arguments.tier {
            Tier::Image => {
                let reporters = self.reporters(audience)?;
                Ok(self.run_in(open_image::open(self, Purpose::Run, signals).await?, signals, reporters).await)
            }
            Tier::Contract => {
                let sandboxes =
                    open_contract::sandboxes(folders, arguments.offline, arguments.reach.name(), signals).await?;
                let reporters = self.reporters(audience)?;
                Ok(self.run_in(open_contract::open(self, Arc::new(sandboxes))?, signals, reporters).await)
            }
        }
    }

    pub(super) fn reporters(&self, audience: Audience) -> Result<RunReporters, Failure> {
        RunReporters::new(audience, self.arguments.report.as_deref(), &self.folders.scenarios())
    }

    /// Runs it in a tier that is open.
    pub(super) async fn run_in(&self, tier: impl tier::Tier, signals: &Signals, mut reporters: RunReporters) -> Ended {
        let Self { arguments, folders, plan, lock, shard, suite, besides, .. } = self;
        // What a candidate calls decides how many assertions the contract tier makes: only those of the repository's own count there.
        let assertions = arguments.tier == Tier::Image || arguments.candidate == TestedArgs::default();
        let session = Session {
            begun: self.begun,
            signals,
            candidate: self.bundle.as_ref().map_or_else(|| announce(&arguments.candidate), Opened::announce),
            limit: Duration::from_secs(arguments.run_seconds.into()),
            until_fail: arguments.until_fail,
            suite: suite.clone(),
            whole: arguments.select.is_all() && shard.is_none() && arguments.structure.files.is_empty(),
            shard: *shard,
            lock: Lock {
                root: folders.scenarios(),
                counts: lock.clone(),
                assertions,
                besides: besides.clone(),
                write: arguments.write_lock,
            },
        };
        let ended = session.run(plan, tier, &mut |event| reporters.send(event)).await;
        reporters.finish(ended)
    }

    /// What its scenarios are judged by.
    pub(super) fn criteria(&self) -> Criteria {
        Criteria {
            contract: self.contract.clone(),
            tier: self.arguments.tier,
            strict: self.arguments.strict,
            control: self.candidate.control.clone(),
            reproduce: reproduce(&self.arguments),
        }
    }

    /// Where its images come from.
    pub(super) fn origin(&self) -> CandidateOrigin {
        origin(&self.arguments.candidate)
    }
}

/// The digest of a suite, if it has one.
fn suite_of(folders: &Folders) -> Option<String> {
    if folders.carried {
        return carried::digest().map(str::to_owned);
    }
    packed::digest(&folders.suite).ok()
}

/// The lock of a suite, which it must have: without one nothing says that scenarios or assertions are gone.
pub(super) fn lock(folders: &Folders) -> Result<SuiteLock, Failure> {
    SuiteLock::load(&folders.scenarios()).map_err(|error| {
        let hint = match error {
            SuiteLockError::Invalid(TomlError::Unreadable { .. }) => {
                format!("make it with {RELOCK}; a file with `version = 2` alone says that runs are held to nothing")
            }
            SuiteLockError::Invalid(TomlError::Invalid { .. }) | SuiteLockError::Unwritable { .. } => {
                format!("remove it, then regenerate it with {RELOCK}")
            }
        };
        Failure::usage(error, Some(&hint))
    })
}

/// The lock that a run regenerates: there need be none yet.
fn lock_so_far(folders: &Folders) -> Result<SuiteLock, Failure> {
    match SuiteLock::load(&folders.scenarios()) {
        Err(error) if error.is_not_there() => Ok(SuiteLock::default()),
        _ => lock(folders),
    }
}

fn origin(tested: &TestedArgs) -> CandidateOrigin {
    CandidateOrigin { base: tested.base_image.clone(), onbuild: tested.onbuild_image.clone() }
}

/// The arguments of a run that another command does, where it does not say otherwise.
pub(super) fn usual(folders: &FolderArgs, cells: &CellArgs, tier: Tier) -> RunArgs {
    RunArgs {
        select: SelectArgs::default(),
        last_failed: false,
        watch: false,
        bundle: None,
        folders: folders.clone(),
        cells: cells.clone(),
        builders: BuilderArgs::default(),
        tier,
        strict: false,
        candidate: TestedArgs::default(),
        structure: StructureArgs::default(),
        offline: false,
        reach: ReachArgs::default(),
        limits: Vec::new(),
        run_seconds: RUN_SECONDS,
        jobs: None,
        repeat: 1,
        until_fail: false,
        shard: None,
        keep: false,
        format: Format::Human,
        report: None,
        plan: false,
        write_lock: false,
    }
}

pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}
