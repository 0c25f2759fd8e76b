//! `wsgi-proof verify`: the conformance table of other implementations of the build and start steps.

use std::path::PathBuf;
use std::sync::Arc;

use super::candidates::{Dockerfiles, Steps, candidates, file_name};
use super::chosen::Chosen;
use super::reporters::Audience;
use super::run::{Job, lock, usual};
use super::{Failure, host, listen, open_contract, output, select};
use crate::cli::arguments::{RunArgs, TestedArgs, VerifyArgs};
use crate::host::folders::Folders;
use crate::outcome::Level;
use crate::report::conformance::{Column, Table};
use crate::report::format::Format;
use crate::run::session::Ended;
use crate::run::tally::ExitCode;
use crate::suite::assertion_lock::{LOCK_FILE, RELOCK};
use crate::suite::contract::Contract;
use crate::suite::tier::Tier;

pub(super) async fn verify(arguments: &VerifyArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let chosen = Chosen::of(&arguments.candidate);
    let mut candidates = candidates(&chosen.folders, &arguments.candidate.files, &folders.images())?;
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
    let contract = required(arguments, &chosen, &folders, &tiers)?;
    if tiers.contains(&Tier::Image) {
        // Before any work: the program restarts itself with DOCKER_HOST set, which the engine's library reads.
        drop(host::endpoint(&folders.cache, arguments.offline, arguments.reach.name()).await?);
    }
    let dialects = arguments.cells.dialects();
    let signals = listen()?;
    let (mut columns, mut codes) = (Vec::new(), Vec::new());
    if tiers.contains(&Tier::Contract) {
        let sandboxes =
            Arc::new(open_contract::sandboxes(&folders, arguments.offline, arguments.reach.name(), &signals).await?);
        for (number, steps) in candidates.iter().enumerate() {
            let job = Job::of(run(&steps.name, steps.tested.clone(), arguments, &chosen, Tier::Contract))?;
            let reporters = job.reporters(Audience::Nobody)?;
            let tier = open_contract::open(&job, Arc::clone(&sandboxes))?;
            let ended = job.run_in(tier, &signals, reporters).await;
            if matches!(ended.code, ExitCode::Interrupted | ExitCode::Terminated) {
                return Ok(ended.code);
            }
            codes.push(ended.code);
            let column = column(&steps.name, Tier::Contract, &ended, &contract);
            columns.push(Column { number, ..column.without(steps.lacks()) });
        }
    }
    if tiers.contains(&Tier::Image) {
        let all = candidates.into_iter().map(|steps| (steps.lacks(), steps.name, steps.tested));
        let all = all.chain(images.into_iter().map(|(name, tested)| (None, name, tested)));
        for (number, (lacks, name, tested)) in all.enumerate() {
            let job = Job::of(run(&name, tested, arguments, &chosen, Tier::Image))?;
            let ended = job.run(&signals, Audience::Caller(Format::Human)).await?;
            if matches!(ended.code, ExitCode::Interrupted | ExitCode::Terminated) {
                return Ok(ended.code);
            }
            codes.push(ended.code);
            let column = column(&name, Tier::Image, &ended, &contract);
            columns.push(Column { number, ..column.without(lacks) });
        }
    }
    let table = Table::new(Some(&contract), &dialects, columns);
    if arguments.json {
        output::json(&table)?;
    } else {
        output::findings(&table)?;
    }
    let code = code(&table, &codes, arguments.strict);
    if code == ExitCode::NotTried {
        output::complain(format_args!(
            "hint: all scenarios in both tiers try every MUST: leave out filters and --tier"
        ));
    }
    Ok(code)
}

/// The contract, filters that each select something, and a lock that has the tiers: without them, that nothing is broken says little.
fn required(arguments: &VerifyArgs, chosen: &Chosen, folders: &Folders, tiers: &[Tier]) -> Result<Contract, Failure> {
    let cells = select::cells(folders, &arguments.cells)?;
    let (_, contract) =
        select::select(folders, cells, &chosen.select()).map_err(|failure| chosen.explained(failure))?;
    let lock = lock(folders)?;
    let contract = contract.ok_or_else(|| {
        Failure::usage(
            "the suite has no contract to hold a candidate against",
            Some("scenarios/contract.toml has no clauses; `wsgi-proof run` runs the scenarios as they are"),
        )
    })?;
    match tiers.iter().find(|tier| !lock.has(**tier)) {
        Some(tier) => Err(Failure::usage(
            format!("scenarios/{LOCK_FILE} does not have the {tier} tier, so nothing says how much it must cover"),
            Some(&format!("make it with {RELOCK}; `wsgi-proof run` does without")),
        )),
        None => Ok(contract),
    }
}

/// The exit code: that of the worst run, and not 0 before every MUST was tried.
fn code(table: &Table, codes: &[ExitCode], strict: bool) -> ExitCode {
    if codes.contains(&ExitCode::Fail) || table.breaks(Level::Must) || (strict && table.breaks(Level::Should)) {
        ExitCode::Fail
    } else if codes.contains(&ExitCode::Infrastructure) || table.is_uncertain() {
        ExitCode::Infrastructure
    } else if codes.iter().all(|code| *code == ExitCode::NothingSelected) {
        ExitCode::NothingSelected
    } else if table.untried.is_empty() {
        ExitCode::Pass
    } else {
        ExitCode::NotTried
    }
}

/// A candidate's column. A run that as a whole was inconclusive (not isolated, not finished, a scenario lost) makes the column
/// inconclusive, whatever the verdicts of its scenarios.
fn column(name: &str, tier: Tier, ended: &Ended, contract: &Contract) -> Column {
    let mut column = Column::of(name, tier, &ended.reports, Some(contract));
    column.shortfalls.clone_from(&ended.shortfalls);
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
fn run(name: &str, candidate: TestedArgs, arguments: &VerifyArgs, chosen: &Chosen, tier: Tier) -> RunArgs {
    RunArgs {
        select: chosen.select(),
        strict: arguments.strict,
        candidate,
        offline: arguments.offline,
        reach: arguments.reach.clone(),
        report: report(name, arguments, tier),
        ..usual(&arguments.folders, &arguments.cells, tier)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::outcome::samples::{finding, report};
    use crate::outcome::{ClauseId, Finding};
    use crate::outcome::{ScenarioReport, Verdict};
    use crate::report::conformance::Untried;

    fn table(broken: bool, untried: bool) -> Table {
        let findings = vec![Finding { clauses: vec![ClauseId::build(1)], ..finding(broken) }];
        let columns =
            vec![Column::of("c", Tier::Contract, &[ScenarioReport { findings, ..report("s", Verdict::Pass) }], None)];
        let untried = if untried {
            vec![Untried { candidate: "c".to_owned(), clauses: Vec::new(), number: 0 }]
        } else {
            Vec::new()
        };
        let clauses = vec![("BUILD-1".to_owned(), Level::Must)];
        Table { clauses, columns, untried, says: BTreeMap::new() }
    }

    #[test]
    fn the_exit_code_is_that_of_the_worst_run() {
        use ExitCode::{Fail, Infrastructure, NotTried, NothingSelected, Pass};
        let of = |codes: &[ExitCode], untried: bool| code(&table(false, untried), codes, false);
        assert_eq!(of(&[Pass, Pass], false), Pass);
        assert_eq!(of(&[Pass, Pass], true), NotTried);
        // A run that did less than its lock broke no clause.
        assert_eq!(of(&[Pass, Fail, Infrastructure], false), Fail);
        assert_eq!(of(&[Pass, Infrastructure], true), Infrastructure);
        assert_eq!(of(&[NothingSelected, Pass], true), NotTried);
        assert_eq!(of(&[NothingSelected, NothingSelected], true), NothingSelected);
        assert_eq!(code(&table(true, true), &[Pass], false), Fail);
    }
}
