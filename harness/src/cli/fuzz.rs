//! `wsgi-proof fuzz`: generated applications, and what candidates make of them beside what the model predicts.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::candidates::{Steps, candidates};
use super::reproduce::reproduce_case;
use super::run::cores;
use super::{Failure, listen, open_contract, select};
use crate::cli::arguments::FuzzArgs;
use crate::contract_tier::sandbox::Candidate;
use crate::contract_tier::tier::Bench;
use crate::fuzz::campaign::{Difference, FuzzError, Fuzzer};
use crate::fuzz::{Content, File, files};
use crate::outcome::{Outcome, with_causes};
use crate::run::judge::Judge;
use crate::run::tally::ExitCode;
use crate::suite::tier::Tier;

/// How often it is told how far it has come: every so many applications.
const TOLD_EVERY: u64 = 500;

pub(super) async fn fuzz(arguments: &FuzzArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let mut named = candidates(&arguments.candidate, &folders.images())?;
    if named.is_empty() {
        named.push(Steps::own());
    }
    let cells = select::cells(&folders, &arguments.cells)?;
    let (_, contract) = select::load(&folders, cells.clone())?;
    let seed = arguments.seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    let signals = listen()?;
    let judge =
        Judge { contract, tier: Tier::Contract, strict: arguments.strict, control: None, reproduce: String::new() };
    let sandboxes = Arc::new(open_contract::sandboxes(&folders, arguments.offline, &signals).await?);
    let jobs = arguments.jobs.map_or_else(cores, usize::from);
    let bench = Bench { sandboxes, judge, jobs };
    let fuzzer = Arc::new(Fuzzer { bench, cells, seed, cancel: signals.cancel.clone() });
    let cases = match arguments.case {
        Some(case) => case..case.saturating_add(1),
        None => 0..arguments.count,
    };
    println!("{} applications, seed {seed}", cases.end - cases.start);
    if let Some(folder) = arguments.write.as_deref().filter(|_| arguments.all) {
        for case in cases.clone() {
            let application = fuzzer.application(case).map_err(|error| unable(&error))?;
            let files = files(&application, &fuzzer.origin(case));
            write(&folder.join(format!("generated-{seed}-{case}")), &files)?;
        }
    }
    let mut code = ExitCode::Pass;
    for (place, steps) in named.iter().enumerate() {
        let candidate = Candidate::new(&fuzzer.bench.sandboxes, &folders.images(), &steps.read()?)?;
        let found = try_out(&fuzzer, Arc::new(candidate), cases.clone(), jobs, &steps.name).await?;
        if signals.cancel.is_cancelled() {
            return Ok(signals.exit_code());
        }
        match found {
            None => println!("{}: no difference", steps.name),
            Some(difference) => {
                tell(steps, arguments, seed, &difference);
                if let Some(folder) = &arguments.write {
                    let name = format!("difference-{seed}-{}-{}", difference.case, place + 1);
                    write(&folder.join(name), &difference.files)?;
                }
                code = ExitCode::Fail;
            }
        }
    }
    Ok(code)
}

/// Tries a candidate with the applications, up to the first that it treats otherwise.
async fn try_out(
    fuzzer: &Arc<Fuzzer>,
    candidate: Arc<Candidate>,
    mut cases: std::ops::Range<u64>,
    jobs: usize,
    name: &str,
) -> Result<Option<Difference>, Failure> {
    let mut running = JoinSet::new();
    // Those under way when the first one is found are waited for, so that it is always the one of the lowest number.
    let mut differences: Vec<Difference> = Vec::new();
    let mut done = 0;
    loop {
        while running.len() < jobs
            && differences.is_empty()
            && !fuzzer.cancel.is_cancelled()
            && let Some(case) = cases.next()
        {
            let (fuzzer, candidate) = (Arc::clone(fuzzer), Arc::clone(&candidate));
            running.spawn_blocking(move || fuzzer.case(&candidate, case));
        }
        let Some(joined) = running.join_next().await else { break };
        let tried = joined
            .map_err(|error| Failure::infrastructure(format!("an application broke off: {error}"), None))?
            .map_err(|error| unable(&error))?;
        differences.extend(tried);
        done += 1;
        if done % TOLD_EVERY == 0 {
            eprintln!("{name}: {done} applications");
        }
    }
    Ok(differences.into_iter().min_by_key(|difference| difference.case))
}

fn unable(error: &FuzzError) -> Failure {
    Failure::infrastructure(with_causes(error), None)
}

fn write(folder: &Path, files: &[File]) -> Result<(), Failure> {
    if folder.exists() {
        return Err(Failure::usage(
            format!("{} is there already", folder.display()),
            Some("remove it, or name another folder"),
        ));
    }
    files.iter().try_for_each(|file| file.write(folder)).map_err(|error| {
        Failure::usage(format!("{}: {error}", folder.display()), Some("--write names a folder for scenarios"))
    })
}

/// Tells a difference as a scenario: the file and the application folder.
fn tell(steps: &Steps, arguments: &FuzzArgs, seed: u64, difference: &Difference) {
    let Difference { case, files, report, tries } = difference;
    println!("{}: DIFFERENCE with application {case}, made smaller by {tries} further ones:", steps.name);
    for finding in &report.findings {
        if let Outcome::Broken { expected, got } = &finding.outcome {
            let (level, clauses) = (finding.level.word(), finding.clauses.join(", "));
            println!("  {level} {clauses}: {}\n    expected {expected}\n    got      {got}", finding.check());
        }
    }
    for log in &report.logs {
        println!("--- {}", log.title);
        log.lines.iter().for_each(|line| println!("{}", crate::check::printable(line)));
    }
    for File { path, content } in files {
        match content {
            Content::Text(text) => println!("--- {}\n{}", path.escape_debug(), text.trim_end()),
            Content::Folder => println!("--- {}: a folder", path.escape_debug()),
            Content::Link(target) => println!("--- {}: a link to {target}", path.escape_debug()),
        }
    }
    println!(
        "again: {}; --write DIR keeps it as a scenario",
        reproduce_case(arguments, seed, *case, &steps.arguments())
    );
}
