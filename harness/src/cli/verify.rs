//! `wsgi-proof verify`: how other implementations of the build and start step stand to the contract.

use std::path::PathBuf;
use std::sync::Arc;

use super::candidates::{Dockerfiles, Steps, candidates, file_name};
use super::run::{Audience, cores, with_engine};
use super::sandboxed::{open, try_out};
use super::tell::Teller;
use super::{Failure, host, select};
use crate::cli::arguments::{CellArgs, RUN_SECONDS, RunArgs, SelectArgs, TestedArgs, VerifyArgs};
use crate::contract_tier::run::Bench;
use crate::contract_tier::sandbox;
use crate::host::folders::Folders;
use crate::outcome::{Level, ScenarioReport};
use crate::report::conformance::{Column, Table};
use crate::run::judge::Judge;
use crate::run::plan::{CandidateOrigin, Plan};
use crate::run::tally::ExitCode;
use crate::suite::tier::Tier;

pub(super) async fn verify(arguments: &VerifyArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let mut candidates = candidates(&arguments.candidate, &folders.images())?;
    let images = images(arguments, &folders)?;
    if candidates.is_empty() && images.is_empty() {
        candidates.push(Steps::own());
    }
    let mut tiers: Vec<Tier> = arguments.tier.map_or_else(|| vec![Tier::Contract, Tier::Image], |tier| vec![tier]);
    if candidates.is_empty() {
        tiers.retain(|tier| *tier == Tier::Image);
    }
    if !images.is_empty() && !tiers.contains(&Tier::Image) {
        return Err(Failure::usage("images are tested in the image tier", Some("leave out --tier contract")));
    }
    if tiers.contains(&Tier::Image) {
        // The program starts itself again to tell the engine's library where the engine is: before any work is done.
        drop(host::endpoint(&folders.cache, arguments.offline).await?);
    }
    let cells = select::cells(&folders, &arguments.cells)?;
    let filters = SelectArgs { filters: arguments.only.clone() };
    let (loaded, contract) = select::select(&folders, cells, &filters)?;
    let plan = Plan::new(loaded, &CandidateOrigin::default());
    let dialects = arguments.cells.dialects();
    let mut columns = Vec::new();
    if tiers.contains(&Tier::Contract) {
        let sandboxes = open(&folders, arguments.offline).await?;
        let (tier, control) = (Tier::Contract, None);
        let judge =
            Judge { contract: contract.clone(), tier, strict: arguments.strict, control, reproduce: String::new() };
        let mut bench = Bench { sandboxes, judge, jobs: cores() };
        for steps in &candidates {
            bench.judge.reproduce = steps.reproduce(Tier::Contract);
            let files = sandbox::Candidate::new(&bench.sandboxes, &folders.images(), &steps.read()?)?;
            let teller =
                Teller::quiet(report(&steps.name, arguments, Tier::Contract).as_deref(), &folders.scenarios())?;
            let shared = Arc::new(bench);
            let (code, reports) = try_out(&shared, Arc::new(files), &plan, steps.name.clone(), false, teller).await?;
            if matches!(code, ExitCode::Interrupted | ExitCode::Terminated) {
                return Ok(code);
            }
            columns.push(column(&steps.name, Tier::Contract, &reports, code));
            bench = Arc::into_inner(shared).ok_or_else(|| {
                Failure::infrastructure("a scenario is still running", Some("this is a bug of wsgi-proof"))
            })?;
        }
    }
    if tiers.contains(&Tier::Image) {
        for (name, tested) in candidates.into_iter().map(|steps| (steps.name, steps.tested)).chain(images) {
            let (code, reports) = with_engine(run(&name, tested, arguments), Audience::Terminal).await?;
            if matches!(code, ExitCode::Interrupted | ExitCode::Terminated) {
                return Ok(code);
            }
            columns.push(column(&name, Tier::Image, &reports, code));
        }
    }
    let table = Table::new(contract.as_ref(), &dialects, columns);
    if arguments.json {
        let text = serde_json::to_string_pretty(&table)
            .map_err(|error| Failure::infrastructure(format!("the table cannot be written: {error}"), None))?;
        println!("{text}");
    } else {
        print!("{table}");
    }
    Ok(if table.breaks(Level::Must) || (arguments.strict && table.breaks(Level::Should)) {
        ExitCode::Fail
    } else if table.is_uncertain() {
        ExitCode::Infrastructure
    } else {
        ExitCode::Pass
    })
}

/// A candidate's column. A run that as a whole could not tell (it was not isolated, did not finish, lost a scenario) makes it
/// uncertain, whatever the scenarios came to.
fn column(name: &str, tier: Tier, reports: &[ScenarioReport], code: ExitCode) -> Column {
    let mut column = Column::of(name, tier, reports);
    if code == ExitCode::Infrastructure && column.faults.is_empty() {
        column.faults.push("the run as a whole; its end says why".to_owned());
    }
    column
}

/// The candidates that are images, or Dockerfiles of some, with their names.
fn images(arguments: &VerifyArgs, folders: &Folders) -> Result<Vec<(String, TestedArgs)>, Failure> {
    let mut images = Vec::new();
    for folder in &arguments.dockerfile {
        let tested = TestedArgs { dockerfile: Some(folder.clone()), ..TestedArgs::default() };
        Dockerfiles::of(&tested, &folders.images())?;
        images.push((folder.display().to_string(), tested));
    }
    if let (Some(base), Some(onbuild)) = (&arguments.base_image, &arguments.onbuild_image) {
        let (base_image, onbuild_image) = (Some(base.clone()), Some(onbuild.clone()));
        images.push((format!("{base} + {onbuild}"), TestedArgs { base_image, onbuild_image, ..TestedArgs::default() }));
    }
    Ok(images)
}

/// The folder for the report files of a candidate.
fn report(name: &str, arguments: &VerifyArgs, tier: Tier) -> Option<PathBuf> {
    arguments.report.as_ref().map(|folder| folder.join(format!("{}-{tier}", file_name(name))))
}

/// The run of the image tier.
fn run(name: &str, candidate: TestedArgs, arguments: &VerifyArgs) -> RunArgs {
    RunArgs {
        select: SelectArgs { filters: arguments.only.clone() },
        folders: arguments.folders.clone(),
        cells: CellArgs { variant: arguments.cells.variant.clone(), dialect: arguments.cells.dialect.clone() },
        tier: Tier::Image,
        strict: arguments.strict,
        candidate,
        offline: arguments.offline,
        limits: Vec::new(),
        run_seconds: RUN_SECONDS,
        jobs: None,
        repeat: 1,
        until_fail: false,
        keep: false,
        report: report(name, arguments, Tier::Image),
        plan: false,
        write_lock: false,
    }
}
