//! `wsgi-proof verify`: the conformance table of other implementations of the build and start steps.

use std::path::PathBuf;
use std::sync::Arc;

use super::candidates::{Dockerfiles, Steps, candidates, file_name};
use super::reporters::Audience;
use super::run::{Job, usual};
use super::{Failure, host, listen, open_contract, output, select};
use crate::cli::arguments::{RunArgs, SelectArgs, TestedArgs, VerifyArgs};
use crate::host::folders::Folders;
use crate::outcome::Level;
use crate::report::conformance::{Column, Table};
use crate::run::session::Ended;
use crate::run::tally::ExitCode;
use crate::suite::contract::Contract;
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
        return Err(Failure::usage(
            "prebuilt images and Dockerfiles require the image tier",
            Some("leave out --tier contract"),
        ));
    }
    if tiers.contains(&Tier::Image) {
        // Before any work: the program restarts itself with DOCKER_HOST set, which the engine's library reads.
        drop(host::endpoint(&folders.cache, arguments.offline).await?);
    }
    let contract = select::load(&folders, select::cells(&folders, &arguments.cells)?)?.1;
    let dialects = arguments.cells.dialects();
    let signals = listen()?;
    let mut columns = Vec::new();
    if tiers.contains(&Tier::Contract) {
        let sandboxes = Arc::new(open_contract::sandboxes(&folders, arguments.offline, &signals).await?);
        for steps in &candidates {
            let job = Job::of(run(&steps.name, steps.tested.clone(), arguments, Tier::Contract))?;
            let reporters = job.reporters(Audience::Nobody)?;
            let tier = open_contract::open(&job, Arc::clone(&sandboxes))?;
            let ended = job.run_in(tier, &signals, reporters).await;
            if matches!(ended.code, ExitCode::Interrupted | ExitCode::Terminated) {
                return Ok(ended.code);
            }
            columns.push(column(&steps.name, Tier::Contract, &ended, contract.as_ref()));
        }
    }
    if tiers.contains(&Tier::Image) {
        for (name, tested) in candidates.into_iter().map(|steps| (steps.name, steps.tested)).chain(images) {
            let job = Job::of(run(&name, tested, arguments, Tier::Image))?;
            let ended = job.run(&signals, Audience::Terminal).await?;
            if matches!(ended.code, ExitCode::Interrupted | ExitCode::Terminated) {
                return Ok(ended.code);
            }
            columns.push(column(&name, Tier::Image, &ended, contract.as_ref()));
        }
    }
    let table = Table::new(contract.as_ref(), &dialects, columns);
    if arguments.json {
        output::json(&table)?;
    } else {
        output::text(&table)?;
    }
    Ok(if table.breaks(Level::Must) || (arguments.strict && table.breaks(Level::Should)) {
        ExitCode::Fail
    } else if table.is_uncertain() {
        ExitCode::Infrastructure
    } else {
        ExitCode::Pass
    })
}

/// A candidate's column. A run that as a whole was inconclusive (not isolated, not finished, a scenario lost) makes the column
/// inconclusive, whatever the verdicts of its scenarios.
fn column(name: &str, tier: Tier, ended: &Ended, contract: Option<&Contract>) -> Column {
    let mut column = Column::of(name, tier, &ended.reports, contract);
    if ended.code == ExitCode::Infrastructure && column.faults.is_empty() {
        column.faults.push("the whole run; the end of its report gives the reason".to_owned());
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

/// The run of a candidate.
fn run(name: &str, candidate: TestedArgs, arguments: &VerifyArgs, tier: Tier) -> RunArgs {
    RunArgs {
        select: SelectArgs { filters: arguments.only.clone() },
        strict: arguments.strict,
        candidate,
        offline: arguments.offline,
        report: report(name, arguments, tier),
        ..usual(&arguments.folders, &arguments.cells, tier)
    }
}
