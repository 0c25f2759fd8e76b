//! `wsgi-proof mutate`: whether the suite notices changes of the reference's scripts.

mod trial;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::run::lock;
use super::{Failure, host, listen, open_contract, output, select};
use crate::cli::arguments::{MutateArgs, SelectArgs};
use crate::contract_tier::tier::Examiner;
use crate::host::folders::Folders;
use crate::mutate::campaign::{Campaign, Outcome, Tried};
use crate::mutate::{Bug, Case, Equivalents, Results, SCRIPTS, changed_lines, inputs, mutants};
use crate::outcome::with_causes;
use crate::run::criteria::Criteria;
use crate::run::plan::{CandidateOrigin, Plan};
use crate::run::tally::ExitCode;
use crate::suite::limits::Limits;
use crate::suite::tier::Tier;

use trial::Trial;

/// How long a step of a mutant may run: one that is changed may not end.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// What to do about scripts that do not pass as they are.
const FIRST: &str = "`wsgi-proof run --tier contract --dialect all --strict` must pass first";

pub(super) async fn mutate(arguments: &MutateArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    if arguments.tier == Tier::Image {
        // Before any work: the program restarts itself with DOCKER_HOST set, which the engine's library reads.
        drop(host::endpoint(&folders.cache, arguments.offline, arguments.reach.name()).await?);
    }
    let (cases, equivalents) = cases(arguments, &folders.images())?;
    let mut results = match &arguments.results {
        Some(path) => results(path, arguments, &folders)?,
        None => Results::default(),
    };
    let cells = select::cells(&folders, &arguments.cells)?;
    let (loaded, contract) = select::select(&folders, cells, &SelectArgs::default())?;
    lock(&folders)?;
    let plan = Plan::new(loaded, &CandidateOrigin::default());
    let signals = listen()?;
    let mut sandboxes = open_contract::sandboxes(&folders, arguments.offline, arguments.reach.name(), &signals).await?;
    sandboxes.limit = LIMIT;
    let jobs = arguments.jobs.map_or_else(open_contract::usual_jobs, usize::from);
    let criteria = Criteria { contract, tier: Tier::Contract, strict: true, control: None, reproduce: String::new() };
    let examiner = Examiner { sandboxes: Arc::new(sandboxes), criteria, limits: Limits::default(), jobs };
    let trial = Arc::new(Trial::new(examiner, folders.images(), &plan));

    // A suite that fails the scripts as they are would notice anything.
    let unchanged = signals.unless_stopped(trial.unchanged()).await.ok_or_else(|| Failure::stopped(&signals))?;
    match unchanged {
        Outcome::Killed { scenario, .. } => {
            let what = format!("{scenario} fails on unchanged scripts");
            return Err(Failure::new(ExitCode::Fail, &what, Some(FIRST)));
        }
        Outcome::Error { what } => {
            return Err(Failure::infrastructure(format!("unchanged scripts are inconclusive: {what}"), Some(FIRST)));
        }
        Outcome::Survived | Outcome::Equivalent { .. } => {}
    }
    let mut campaign = Campaign::default();
    let mut survivors = Vec::new();
    let mut waiting = cases.into_iter();
    let mut running: JoinSet<(Case, Outcome)> = JoinSet::new();
    loop {
        while running.len() < jobs
            && let Some(case) = waiting.next()
        {
            let known = match equivalents.why(&case.id) {
                Some(why) => Some(Outcome::Equivalent { why: why.to_owned() }),
                None => results.known(&case.id).cloned(),
            };
            let trial = Arc::clone(&trial);
            running.spawn(async move {
                let outcome = match known {
                    Some(known) => known,
                    // What is not in the steps takes images.
                    None if !case.of_steps => Outcome::Survived,
                    None => trial.outcome(&case).await,
                };
                (case, outcome)
            });
        }
        tokio::select! {
            biased;
            () = signals.cancel.cancelled() => {
                running.shutdown().await;
                return Ok(signals.exit_code());
            }
            joined = running.join_next() => match joined {
                Some(Ok((case, outcome))) if outcome == Outcome::Survived && arguments.tier == Tier::Image => {
                    survivors.push(case);
                }
                Some(Ok((case, outcome))) => finished(&case, outcome, arguments.json, &mut results, &mut campaign)?,
                Some(Err(error)) => return Err(Failure::infrastructure(format!("internal error: a mutant's task panicked: {error}"), None)),
                None => break,
            },
        }
    }
    for case in survivors {
        let outcome = trial::in_image_tier(&case, arguments, &folders, &signals).await?;
        if signals.cancel.is_cancelled() {
            return Ok(signals.exit_code());
        }
        finished(&case, outcome, arguments.json, &mut results, &mut campaign)?;
    }
    print(campaign, arguments)
}

/// The changes that the command line asks for, and which are no others than the script.
fn cases(arguments: &MutateArgs, images: &Path) -> Result<(Vec<Case>, Equivalents), Failure> {
    let (mut all, mut cases) = (Vec::new(), Vec::new());
    let usage = |error: &dyn std::fmt::Display| Failure::usage(error, None);
    let mut is_changed: Box<dyn Fn(&Case) -> bool> = Box::new(|_| true);
    for script in SCRIPTS {
        let path = images.join("base").join(script);
        let text = std::fs::read_to_string(&path).map_err(|error| usage(&format!("{}: {error}", path.display())))?;
        let found = mutants(script, &text).map_err(|error| usage(&error))?;
        cases.extend(found.iter().map(|mutant| Case::of_mutant(mutant, &text)));
        all.extend(found);
        if let Some(since) = &arguments.since {
            let changed = changed_lines(&path, since).map_err(|why| usage(&why))?;
            let before = is_changed;
            is_changed = Box::new(move |case| {
                let own_container = case.file != script || changed.iter().any(|lines| lines.contains(&case.line));
                before(case) && own_container
            });
        }
    }
    let equivalents = Equivalents::load(images, &all).map_err(|error| usage(&with_causes(&error)))?;
    for bug in Bug::all(images).map_err(|error| usage(&error))? {
        cases.push(Case::of_bug(&bug, images).map_err(|error| usage(&error))?);
    }
    let is_meant = |case: &Case, id: &str| case.id == id || (!id.starts_with("bug-") && case.id.starts_with(id));
    // What takes images is left out where there are none.
    let can_be_tried = |case: &Case| case.of_steps || arguments.tier == Tier::Image;
    let is_there = |id: &str, which: &dyn Fn(&Case) -> bool| cases.iter().any(|case| which(case) && is_meant(case, id));
    if let Some(id) = arguments.only.iter().find(|id| !is_there(id, &can_be_tried)) {
        return Err(Failure::new(
            ExitCode::NothingSelected,
            &format!("no mutant of the {} tier has an ID that begins with {id}", arguments.tier),
            Some(if is_there(id, &|_| true) {
                "it changes the images: add --tier image"
            } else {
                "`wsgi-proof mutate` prints their IDs"
            }),
        ));
    }
    let is_named = |case: &Case| arguments.only.is_empty() || arguments.only.iter().any(|id| is_meant(case, id));
    let is_kind = |case: &Case| arguments.operator.is_empty() || arguments.operator.contains(&case.operator);
    cases.retain(|case| can_be_tried(case) && is_named(case) && is_kind(case) && is_changed(case));
    if cases.is_empty() {
        return Err(Failure::new(
            ExitCode::NothingSelected,
            &"no mutant matches: none is of that kind, or in lines that have changed",
            None,
        ));
    }
    Ok((cases, equivalents))
}

/// The results so far, which hold for the same scripts, scenarios, program and arguments.
fn results(path: &Path, arguments: &MutateArgs, folders: &Folders) -> Result<Results, Failure> {
    let unusable = |error: std::io::Error| {
        Failure::usage(
            format!("{}: {error}", path.display()),
            Some("--results requires a file that holds nothing else"),
        )
    };
    let program = std::env::current_exe().map_err(unusable)?;
    let words: Vec<String> = [format!("{:?}", arguments.tier)]
        .into_iter()
        .chain(arguments.cells.variant.clone())
        .chain(arguments.cells.dialects().iter().map(ToString::to_string))
        .collect();
    let inputs = inputs(&[folders.images().join("base"), folders.scenarios(), program], &words).map_err(unusable)?;
    Results::open(path, &inputs).map_err(unusable)
}

fn finished(
    case: &Case,
    outcome: Outcome,
    quiet: bool,
    results: &mut Results,
    campaign: &mut Campaign,
) -> Result<(), Failure> {
    if !quiet {
        progress(case, &outcome)?;
    }
    results
        .add(&case.id, &outcome)
        .map_err(|error| Failure::infrastructure(format!("cannot write the results: {error}"), None))?;
    campaign.mutants.push(Tried::new(case, outcome));
    Ok(())
}

fn progress(case: &Case, outcome: &Outcome) -> Result<(), Failure> {
    let (word, by) = match outcome {
        Outcome::Killed { scenario, clauses } => ("killed", format!("{} in {scenario}", clauses.join(", "))),
        Outcome::Survived => ("SURVIVED", String::new()),
        Outcome::Equivalent { why } => ("equivalent", why.clone()),
        Outcome::Error { what } => ("ERROR", what.clone()),
    };
    output::line(format_args!("{word:<10} {} {}:{} {}  {by}", case.id, case.file, case.line, case.operator))
}

fn print(mut campaign: Campaign, arguments: &MutateArgs) -> Result<ExitCode, Failure> {
    campaign.mutants.sort_by(|one, other| (&one.file, one.line, &one.id).cmp(&(&other.file, other.line, &other.id)));
    if arguments.json {
        output::json(&campaign)?;
    } else {
        output::findings(&campaign)?;
    }
    let count = campaign.count();
    Ok(match (count.survived, count.error, count.killed) {
        (0, 0, 0) => ExitCode::NothingSelected,
        (0, 0, _) => ExitCode::Pass,
        (0, ..) => ExitCode::Infrastructure,
        _ => ExitCode::Fail,
    })
}
