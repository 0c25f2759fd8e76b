//! `wsgi-proof mutate`: does the suite notice changes of the reference's scripts?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::run::cores;
use super::sandboxed::open;
use super::signal::Signals;
use super::{Failure, select};
use crate::causes::with_causes;
use crate::cell::Cell;
use crate::check::Finding;
use crate::cli::{MutateArgs, SelectArgs};
use crate::contract_tier::run::Bench;
use crate::judge::Judge;
use crate::mutate::campaign::{Campaign, Outcome, Tried};
use crate::mutate::{Equivalents, Mutant, SCRIPTS, mutants};
use crate::place::Places;
use crate::plan::{CandidateOrigin, Plan, Planned};
use crate::sandbox::Candidate;
use crate::tier::Tier;
use crate::verdict::{ExitCode, Verdict};

/// How long a step of a mutant may run: one that is changed may not end.
const LIMIT: Duration = Duration::from_secs(10);

/// What every mutant is tried with.
struct Trial {
    bench: Bench,
    images: PathBuf,
    scenarios: Vec<(Planned, Cell)>,
    /// How many mutants a scenario was the first to notice, by its place: those that notice much go first.
    noticed: Mutex<BTreeMap<usize, usize>>,
}

pub(super) async fn mutate(arguments: &MutateArgs) -> Result<ExitCode, Failure> {
    let places = Places::find(&arguments.place)?;
    let images = places.images();
    let (mut all, mut originals) = (Vec::new(), BTreeMap::new());
    for script in SCRIPTS {
        let path = images.join("base").join(script);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display()), None))?;
        all.extend(mutants(script, &text).map_err(|error| Failure::usage(error, None))?);
        originals.insert(script.to_owned(), text);
    }
    let equivalents = Equivalents::load(&images, &all).map_err(|error| Failure::usage(with_causes(&error), None))?;
    all.retain(|mutant| arguments.only.is_empty() || arguments.only.iter().any(|id| mutant.id.starts_with(id)));
    if all.is_empty() {
        return Err(Failure::new(ExitCode::NothingSelected, &"no mutant has such an id", None));
    }
    let cells = select::cells(&places, &arguments.cells)?;
    let (loaded, contract) = select::select(&places, cells, &SelectArgs { filters: Vec::new() })?;
    let plan = Plan::new(loaded, &CandidateOrigin::default());
    let scenarios = plan
        .scenarios
        .iter()
        .filter(|planned| crate::contract_tier::not_applicable(&planned.scenario).is_none())
        .map(|planned| (planned.clone(), plan.cells[planned.cell].clone()))
        .collect();
    let mut sandboxes = open(&places, arguments.offline).await?;
    sandboxes.limit = LIMIT;
    let jobs = arguments.jobs.map_or_else(cores, usize::from);
    let judge = Judge { contract, tier: Tier::Contract, strict: true, control: None, reproduce: String::new() };
    let bench = Bench { sandboxes, judge, jobs };
    let trial = Arc::new(Trial { bench, images, scenarios, noticed: Mutex::default() });

    // A suite that fails the scripts as they are would notice anything.
    if let Outcome::Killed { scenario, .. } = trial.outcome(&Vec::new()).await {
        return Err(Failure::new(
            ExitCode::Fail,
            &format!("{scenario} fails without any change"),
            Some("`wsgi-proof run --tier contract --dialect all --strict` must pass first"),
        ));
    }
    let signals = Signals::listen()
        .map_err(|error| Failure::infrastructure(format!("signals cannot be listened to: {error}"), None))?;
    let mut campaign = Campaign::default();
    let mut waiting = all.into_iter();
    let mut running: JoinSet<(Mutant, Outcome)> = JoinSet::new();
    loop {
        while running.len() < jobs
            && let Some(mutant) = waiting.next()
        {
            let why = equivalents.why(&mutant).map(str::to_owned);
            let trial = Arc::clone(&trial);
            running.spawn(async move {
                let outcome = match why {
                    Some(why) => Outcome::Equivalent { why },
                    None => trial.outcome(&vec![(PathBuf::from(&mutant.file), mutant.text.clone().into_bytes())]).await,
                };
                (mutant, outcome)
            });
        }
        tokio::select! {
            biased;
            () = signals.cancel.cancelled() => {
                running.shutdown().await;
                return Ok(ExitCode::Interrupted);
            }
            joined = running.join_next() => match joined {
                Some(Ok((mutant, outcome))) => {
                    if !arguments.json {
                        progress(&mutant, &outcome);
                    }
                    let original = originals.get(&mutant.file).map_or("", String::as_str);
                    campaign.mutants.push(Tried::new(&mutant, original, outcome));
                }
                Some(Err(error)) => return Err(Failure::infrastructure(format!("a mutant broke off: {error}"), None)),
                None => break,
            },
        }
    }
    campaign.mutants.sort_by(|one, other| (&one.file, one.line, &one.id).cmp(&(&other.file, other.line, &other.id)));
    if arguments.json {
        let text = serde_json::to_string_pretty(&campaign)
            .map_err(|error| Failure::infrastructure(format!("the result cannot be written: {error}"), None))?;
        println!("{text}");
    } else {
        print!("{campaign}");
    }
    let count = campaign.count();
    Ok(match (count.survived, count.error) {
        (0, 0) => ExitCode::Pass,
        (0, _) => ExitCode::Infrastructure,
        _ => ExitCode::Fail,
    })
}

fn progress(mutant: &Mutant, outcome: &Outcome) {
    let (word, by) = match outcome {
        Outcome::Killed { scenario, clauses } => ("killed", format!("{} in {scenario}", clauses.join(", "))),
        Outcome::Survived => ("SURVIVED", String::new()),
        Outcome::Equivalent { why } => ("equivalent", why.clone()),
        Outcome::Error { what } => ("ERROR", what.clone()),
    };
    println!("{word:<10} {} {}:{} {}  {by}", mutant.id, mutant.file, mutant.line, mutant.operator);
}

impl Trial {
    /// Whether the suite notices these files in the place of the reference's.
    async fn outcome(&self, files: &Vec<(PathBuf, Vec<u8>)>) -> Outcome {
        let candidate = match Candidate::new(&self.bench.sandboxes, Path::new(&self.images), files) {
            Ok(candidate) => candidate,
            Err(error) => return Outcome::Error { what: with_causes(&error) },
        };
        for place in self.order() {
            let (planned, cell) = &self.scenarios[place];
            let report = self.bench.try_out(&candidate, planned, cell).await;
            match report.verdict {
                Verdict::Fail => {
                    *self.noticed.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default() += 1;
                    let mut clauses: Vec<String> = report
                        .findings
                        .iter()
                        .filter(|finding| Finding::is_broken(finding))
                        .flat_map(|finding| finding.clauses.clone())
                        .collect();
                    clauses.sort();
                    clauses.dedup();
                    return Outcome::Killed { scenario: report.label, clauses };
                }
                Verdict::Error => {
                    return Outcome::Error { what: report.fault.map_or_else(String::new, |fault| fault.what) };
                }
                Verdict::Pass | Verdict::Warn | Verdict::Caught | Verdict::Skip => {}
            }
        }
        Outcome::Survived
    }

    /// The scenarios' places, those that have noticed most first.
    fn order(&self) -> Vec<usize> {
        let noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut order: Vec<usize> = (0..self.scenarios.len()).collect();
        order.sort_by_key(|place| std::cmp::Reverse(noticed.get(place).copied().unwrap_or_default()));
        order
    }
}
