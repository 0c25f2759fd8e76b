//! `wsgi-proof verify`: how other implementations of the build and start step stand to the contract.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::run::{cores, with_engine};
use super::sandboxed::{open, try_out};
use super::tell::Teller;
use super::{Failure, host, select};
use crate::cli::{CellArgs, RunArgs, SelectArgs, VerifyArgs};
use crate::contract::Level;
use crate::contract_tier::run::Bench;
use crate::control::Replacements;
use crate::judge::Judge;
use crate::place::Places;
use crate::plan::{CandidateOrigin, Plan};
use crate::sandbox;
use crate::standing::{Column, Table};
use crate::tier::Tier;
use crate::verdict::ExitCode;

const BUILD: &str = "mod_wsgi-docker-build";
const START: &str = "mod_wsgi-docker-start";

/// A candidate: steps that stand in for the repository's.
struct Steps {
    name: String,
    build: Option<PathBuf>,
    start: Option<PathBuf>,
}

pub(super) async fn verify(arguments: &VerifyArgs) -> Result<ExitCode, Failure> {
    let candidates = candidates(arguments)?;
    let places = Places::find(&arguments.place)?;
    let tiers: Vec<Tier> = arguments.tier.map_or_else(|| vec![Tier::Contract, Tier::Image], |tier| vec![tier]);
    if tiers.contains(&Tier::Image) {
        // The program starts itself again to tell the engine's library where the engine is: before any work is done.
        drop(host::endpoint(&places.cache, arguments.offline).await?);
    }
    let cells = select::cells(&places, &arguments.cells)?;
    let filters = SelectArgs { filters: arguments.only.clone() };
    let (loaded, contract) = select::select(&places, cells, &filters)?;
    let plan = Plan::new(loaded, &CandidateOrigin::default());
    let dialects = arguments.cells.dialects();
    let mut columns = Vec::new();
    if tiers.contains(&Tier::Contract) {
        let sandboxes = open(&places, arguments.offline).await?;
        let (tier, control) = (Tier::Contract, None);
        let judge =
            Judge { contract: contract.clone(), tier, strict: arguments.strict, control, reproduce: String::new() };
        let mut bench = Bench { sandboxes, judge, jobs: cores() };
        for steps in &candidates {
            bench.judge.reproduce = steps.reproduce(Tier::Contract);
            let files = sandbox::Candidate::new(&bench.sandboxes, &places.images(), &steps.read()?)?;
            let teller = Teller::quiet(steps.report(arguments, Tier::Contract).as_deref(), &places.scenarios())?;
            let shared = Arc::new(bench);
            let (code, reports) = try_out(&shared, Arc::new(files), &plan, steps.name.clone(), teller).await?;
            if matches!(code, ExitCode::Interrupted | ExitCode::Terminated) {
                return Ok(code);
            }
            columns.push(Column::of(&steps.name, Tier::Contract, &reports));
            bench = Arc::into_inner(shared).ok_or_else(|| {
                Failure::infrastructure("a scenario is still running", Some("this is a bug of wsgi-proof"))
            })?;
        }
    }
    if tiers.contains(&Tier::Image) {
        for steps in &candidates {
            let (code, reports) = with_engine(steps.run(arguments)).await?;
            if matches!(code, ExitCode::Interrupted | ExitCode::Terminated) {
                return Ok(code);
            }
            columns.push(Column::of(&steps.name, Tier::Image, &reports));
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

/// The candidates that the command line names; every file of theirs is there and can be executed.
fn candidates(arguments: &VerifyArgs) -> Result<Vec<Steps>, Failure> {
    let mut candidates = Vec::new();
    for folder in &arguments.candidates {
        let found = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
        let name =
            folder.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned());
        let steps = Steps { name, build: found(BUILD), start: found(START) };
        if steps.build.is_none() && steps.start.is_none() {
            return Err(Failure::usage(
                format!("{}: neither {BUILD} nor {START} is there", folder.display()),
                Some(
                    "a candidate is a folder with one or both of them; single files are named with --build-step and --start-step",
                ),
            ));
        }
        candidates.push(steps);
    }
    if arguments.build_step.is_some() || arguments.start_step.is_some() {
        let (build, start) = (arguments.build_step.clone(), arguments.start_step.clone());
        let words: Vec<String> =
            [&build, &start].into_iter().flatten().map(|path| path.display().to_string()).collect();
        candidates.push(Steps { name: words.join(" + "), build, start });
    }
    if candidates.is_empty() {
        let steps = Steps { name: "the repository's own".to_owned(), build: None, start: None };
        candidates.push(steps);
    }
    candidates.iter().flat_map(|steps| [&steps.build, &steps.start]).flatten().try_for_each(|path| executable(path))?;
    Ok(candidates)
}

fn executable(path: &Path) -> Result<(), Failure> {
    let metadata =
        std::fs::metadata(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display()), None))?;
    if !metadata.is_file() {
        return Err(Failure::usage(format!("{} is not a file", path.display()), None));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(Failure::usage(
            format!("{} is not executable", path.display()),
            Some(&format!("in an image it could not be run; `chmod +x {}`", path.display())),
        ));
    }
    Ok(())
}

impl Steps {
    fn read(&self) -> Result<Replacements, Failure> {
        let mut replacements = Vec::new();
        for (name, path) in [(BUILD, &self.build), (START, &self.start)] {
            if let Some(path) = path {
                let content = std::fs::read(path)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display()), None))?;
                replacements.push((PathBuf::from(name), content));
            }
        }
        Ok(replacements)
    }

    fn reproduce(&self, tier: Tier) -> String {
        let mut words = format!("cargo run -- run --tier {tier}");
        for (option, path) in [("--build-step", &self.build), ("--start-step", &self.start)] {
            if let Some(path) = path {
                words.push_str(&format!(" {option} {}", path.display()));
            }
        }
        words
    }

    /// The folder for the report files of this candidate.
    fn report(&self, arguments: &VerifyArgs, tier: Tier) -> Option<PathBuf> {
        let name =
            self.name.replace(|character: char| !(character.is_ascii_alphanumeric() || "._-".contains(character)), "_");
        arguments.report.as_ref().map(|folder| folder.join(format!("{name}-{tier}")))
    }

    /// The run of the image tier.
    fn run(&self, arguments: &VerifyArgs) -> RunArgs {
        RunArgs {
            select: SelectArgs { filters: arguments.only.clone() },
            place: arguments.place.clone(),
            cells: CellArgs { variant: arguments.cells.variant.clone(), dialect: arguments.cells.dialect.clone() },
            tier: Tier::Image,
            strict: arguments.strict,
            control: None,
            base_image: None,
            onbuild_image: None,
            build_step: self.build.clone(),
            start_step: self.start.clone(),
            offline: arguments.offline,
            jobs: None,
            keep: false,
            report: self.report(arguments, Tier::Image),
            plan: false,
            write_lock: false,
        }
    }
}
