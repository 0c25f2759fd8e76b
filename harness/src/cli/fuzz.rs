//! `wsgi-proof fuzz`: generated applications, and whether candidates treat them as the model of the contract predicts.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::candidates::{Steps, candidates};
use super::reproduce::reproduce_case;
use super::run::lock;
use super::{Failure, listen, open_contract, output, select};
use crate::cli::arguments::FuzzArgs;
use crate::contract_tier::sandbox::Candidate;
use crate::contract_tier::tier::Examiner;
use crate::fuzz::campaign::{Difference, FuzzError, Fuzzer};
use crate::fuzz::{Content, File, files};
use crate::outcome::{Outcome, listed, with_causes};
use crate::run::criteria::Criteria;
use crate::run::tally::ExitCode;
use crate::suite::limits::Limits;
use crate::suite::tier::Tier;

/// How long a step may run: longer than the process that a hook leaves behind.
const LIMIT: Duration = Duration::from_secs(10);
/// How many applications there are from one line of progress to the next.
const PROGRESS_EVERY: u64 = 500;

pub(super) async fn fuzz(arguments: &FuzzArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let mut named = candidates(&arguments.candidate.candidates, &arguments.candidate.files, &folders.images())?;
    if named.is_empty() {
        named.push(Steps::own());
    }
    let cells = select::cells(&folders, &arguments.cells)?;
    let (_, contract) = select::load(&folders, cells.clone())?;
    lock(&folders)?;
    let seed = arguments.seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    let signals = listen()?;
    let criteria =
        Criteria { contract, tier: Tier::Contract, strict: arguments.strict, control: None, reproduce: String::new() };
    let mut sandboxes = open_contract::sandboxes(&folders, arguments.offline, arguments.reach.name(), &signals).await?;
    sandboxes.limit = LIMIT;
    let sandboxes = Arc::new(sandboxes);
    let jobs = arguments.jobs.map_or_else(open_contract::usual_jobs, usize::from);
    let examiner = Examiner { sandboxes, criteria, limits: Limits::default(), jobs };
    let fuzzer = Arc::new(Fuzzer { examiner, cells, seed, cancel: signals.cancel.clone() });
    let cases = match arguments.case {
        Some(case) => case..case.saturating_add(1),
        None => 0..arguments.count,
    };
    output::line(format_args!("{} applications, seed {seed}", cases.end - cases.start))?;
    if let Some(folder) = arguments.write.as_deref().filter(|_| arguments.all) {
        for case in cases.clone() {
            let application = fuzzer.application(case).map_err(|error| fault(&error))?;
            let files = files(&application, &fuzzer.origin(case));
            write(&folder.join(format!("generated-{seed}-{case}")), &files)?;
        }
    }
    let mut code = ExitCode::Pass;
    for (index, steps) in named.iter().enumerate() {
        let candidate = Candidate::new(&fuzzer.examiner.sandboxes, &folders.images(), &steps.read()?)?;
        let found = try_out(&fuzzer, Arc::new(candidate), cases.clone(), jobs, &steps.name).await?;
        if signals.cancel.is_cancelled() {
            return Ok(signals.exit_code());
        }
        match found {
            None => output::line(format_args!("{}: no failure", steps.name))?,
            Some(difference) => {
                output::findings(describe(steps, arguments, seed, &difference))?;
                if let Some(folder) = &arguments.write {
                    let name = format!("difference-{seed}-{}-{}", difference.case, index + 1);
                    write(&folder.join(name), &difference.files)?;
                }
                code = ExitCode::Fail;
            }
        }
    }
    Ok(code)
}

/// Tries a candidate with the applications, up to the first that it fails.
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
            .map_err(|error| {
                Failure::infrastructure(format!("internal error: an application's task panicked: {error}"), None)
            })?
            .map_err(|error| fault(&error))?;
        differences.extend(tried);
        done += 1;
        if done % PROGRESS_EVERY == 0 {
            output::complain(format_args!("{name}: {done} applications"));
        }
    }
    Ok(differences.into_iter().min_by_key(|difference| difference.case))
}

fn fault(error: &FuzzError) -> Failure {
    Failure::infrastructure(with_causes(error), None)
}

fn write(folder: &Path, files: &[File]) -> Result<(), Failure> {
    if folder.exists() {
        return Err(Failure::usage(
            format!("{} already exists", folder.display()),
            Some("remove it, or name another folder with --write"),
        ));
    }
    files.iter().try_for_each(|file| file.write(folder)).map_err(|error| {
        Failure::usage(format!("{}: {error}", folder.display()), Some("--write requires a folder that can be written"))
    })
}

/// A failure: what was expected, the logs, and the scenario, file by file.
fn describe(steps: &Steps, arguments: &FuzzArgs, seed: u64, difference: &Difference) -> String {
    let Difference { case, files, report, tries } = difference;
    let mut text = format!("{}: FAILURE with application {case}, reduced in {tries} tries:\n", steps.name);
    for finding in &report.findings {
        if let Outcome::Broken { expected, got } = &finding.outcome {
            let (level, clauses) = (finding.level.word(), listed(&finding.clauses));
            text.push_str(&format!(
                "  {level} {clauses}: {}\n    expected  {expected}\n    got       {got}\n",
                finding.check()
            ));
        }
    }
    for log in &report.logs {
        text.push_str(&format!("--- {}\n", log.title));
        log.lines.iter().for_each(|line| text.push_str(&format!("{}\n", crate::check::printable(line))));
    }
    for File { path, content } in files {
        let path = path.escape_debug();
        text.push_str(&match content {
            Content::Text(content) => format!("--- {path}\n{}\n", content.trim_end()),
            Content::Folder => format!("--- {path}: a folder\n"),
            Content::Link(target) => format!("--- {path}: a link to {target}\n"),
        });
    }
    text.push_str(&format!(
        "reproduce: {}\n  hint: --write DIR keeps it as a scenario\n",
        reproduce_case(arguments, seed, *case, &steps.arguments())
    ));
    text
}
