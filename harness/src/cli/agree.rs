//! `wsgi-proof agree`: whether the contract tier says the same as images do, of candidates, mutants and generated applications.

mod applications;
mod subjects;

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::candidates::{Steps, candidates};
use super::chosen::Chosen;
use super::mutate::LIMIT;
use super::reporters::Audience;
use super::run::{Job, lock, usual};
use super::{Failure, host, listen, open_contract, output, select};
use crate::cli::arguments::{AgreeArgs, RunArgs, SelectArgs, TestedArgs};
use crate::contract_tier::sandbox::Sandboxes;
use crate::host::folders::Folders;
use crate::outcome::{ScenarioReport, Verdict};
use crate::report::agreement::Agreement;
use crate::run::session::Ended;
use crate::run::signals::Signals;
use crate::run::tally::ExitCode;
use crate::suite::contract::Contract;
use crate::suite::limits::Limit;
use crate::suite::tier::Tier;

use subjects::Subject;

/// How long the builds of a mutant may take in images, as [`LIMIT`] says for its steps in the contract tier.
const IMAGE_LIMIT: &str = "build-seconds=300";

/// What comes of comparing: an end that is not one's own choice is no failure.
enum Stop {
    Failed(Failure),
    Signal(ExitCode),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

pub(super) async fn agree(arguments: &AgreeArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let chosen = Chosen::of(&arguments.candidate);
    let mut steps = candidates(&chosen.folders, &arguments.candidate.files, &folders.images())?;
    let own = steps.is_empty();
    if own {
        steps.push(Steps::own());
        steps.extend(subjects::alternatives(&folders.images())?);
    }
    let mutants = if own { subjects::mutants(arguments, &folders)? } else { Vec::new() };
    // Filters that select nothing are named before any work.
    let cells = select::cells(&folders, &arguments.cells)?;
    let (_, contract) =
        select::select(&folders, cells, &chosen.select()).map_err(|failure| chosen.explained(failure))?;
    lock(&folders)?;
    // The program restarts itself with DOCKER_HOST set, which the engine's library reads.
    drop(host::endpoint(&folders.cache, arguments.offline, arguments.reach.name()).await?);
    let signals = listen()?;
    let sandboxes = open_contract::sandboxes(&folders, arguments.offline, arguments.reach.name(), &signals).await?;
    let mut impatient = open_contract::sandboxes(&folders, arguments.offline, arguments.reach.name(), &signals).await?;
    impatient.limit = LIMIT;
    let mut comparison = Comparison {
        arguments,
        filters: chosen.filters,
        folders,
        contract,
        signals: &signals,
        sandboxes: Arc::new(sandboxes),
        impatient: Arc::new(impatient),
        agreement: Agreement::default(),
    };
    match comparison.all(&steps, &mutants).await {
        Ok(()) => {}
        Err(Stop::Signal(code)) => return Ok(code),
        Err(Stop::Failed(failure)) => return Err(failure),
    }
    let agreement = comparison.agreement;
    if arguments.json {
        output::json(&agreement)?;
    } else {
        output::findings(&agreement)?;
    }
    Ok(code(&agreement))
}

fn code(agreement: &Agreement) -> ExitCode {
    if !agreement.disagreements.is_empty() {
        ExitCode::Fail
    } else if !agreement.faults.is_empty() {
        ExitCode::Infrastructure
    } else if agreement.compared == 0 {
        ExitCode::NothingSelected
    } else {
        ExitCode::Pass
    }
}

/// The comparison under way.
struct Comparison<'a> {
    arguments: &'a AgreeArgs,
    filters: Vec<String>,
    folders: Folders,
    contract: Option<Contract>,
    signals: &'a Signals,
    sandboxes: Arc<Sandboxes>,
    /// Those for mutants.
    impatient: Arc<Sandboxes>,
    agreement: Agreement,
}

impl Comparison<'_> {
    async fn all(&mut self, steps: &[Steps], mutants: &[Subject]) -> Result<(), Stop> {
        for candidate in steps {
            let both = self.filters.clone();
            let name = candidate.name.as_str();
            let here =
                self.contract_tier(name, self.run(&candidate.tested, Tier::Contract, both.clone()), false).await?;
            let there = self.images(name, self.run(&candidate.tested, Tier::Image, both)).await?;
            self.compare(&candidate.name, &here, &there);
        }
        for mutant in mutants {
            self.mutant(mutant).await?;
        }
        match steps.first() {
            Some(candidate) if self.arguments.applications > 0 => self.applications(candidate).await,
            Some(_) | None => Ok(()),
        }
    }

    /// A mutant: in the contract tier in all scenarios, in images in a few of them.
    async fn mutant(&mut self, mutant: &Subject) -> Result<(), Stop> {
        if !mutant.of_steps {
            self.agreement.candidates += 1;
            self.agreement.not_in_contract_tier += 1;
            return Ok(());
        }
        let tested = TestedArgs { steps: Some(mutant.folder.clone()), ..TestedArgs::default() };
        let run = self.run(&tested, Tier::Contract, self.filters.clone());
        let mut here = self.contract_tier(&mutant.name, run, true).await?;
        let chosen = self.chosen(&mutant.id, &here);
        here.retain(|report| chosen.contains(&report.name));
        if chosen.is_empty() {
            return Ok(());
        }
        let filters = chosen.iter().map(|name| format!("={name}")).collect();
        let limits = IMAGE_LIMIT.parse::<Limit>().into_iter().collect();
        let run = RunArgs { limits, ..self.run(&tested, Tier::Image, filters) };
        let there = self.images(&mutant.name, run).await?;
        self.compare(&mutant.name, &here, &there);
        Ok(())
    }

    /// The scenarios that a mutant is tried with in images: up to half of them are such that it fails, the rest are others.
    fn chosen(&self, id: &str, reports: &[ScenarioReport]) -> Vec<String> {
        let count = usize::from(self.arguments.scenarios);
        let order = |report: &&ScenarioReport| sampled(self.arguments.seed, &format!("{id} {}", report.name));
        let of = |wanted: fn(Verdict) -> bool| {
            let mut those: Vec<&ScenarioReport> = reports.iter().filter(|report| wanted(report.verdict)).collect();
            those.sort_by_cached_key(order);
            those.into_iter().map(|report| report.name.clone()).collect::<Vec<_>>()
        };
        let (failed, passed) = (of(|verdict| verdict == Verdict::Fail), of(|verdict| verdict == Verdict::Pass));
        let few = failed.len().min(count.div_ceil(2).max(count.saturating_sub(passed.len())));
        let mut chosen: Vec<String> = failed.into_iter().take(few).collect();
        for name in passed {
            if chosen.len() < count && !chosen.contains(&name) {
                chosen.push(name);
            }
        }
        chosen
    }

    /// Generated applications, all in one run of each tier.
    async fn applications(&mut self, candidate: &Steps) -> Result<(), Stop> {
        let suite = applications::suite(self.arguments, &self.folders)?;
        let of = |tier| {
            let mut run = self.run(&candidate.tested, tier, Vec::new());
            run.folders.suite = Some(suite.clone());
            let mut job = Job::of(run)?;
            // The generated suite has none of its own, since a few scenarios cannot cover every MUST.
            job.contract.clone_from(&self.contract);
            Ok::<Job, Failure>(job)
        };
        let (contract_tier, images) = (of(Tier::Contract)?, of(Tier::Image)?);
        let name = format!("{}, generated applications", candidate.name);
        let here = self.in_sandboxes(&contract_tier, false).await?;
        let here = self.ended(&name, Tier::Contract, here)?;
        let there = images.run(self.signals, Audience::Nobody).await?;
        let there = self.ended(&name, Tier::Image, there)?;
        self.agreement.add(&name, &here, &there, self.contract.as_ref());
        self.progress(&format!("{} generated applications", self.arguments.applications));
        Ok(())
    }

    async fn contract_tier(&mut self, name: &str, run: RunArgs, impatient: bool) -> Result<Vec<ScenarioReport>, Stop> {
        let job = Job::of(run)?;
        let ended = self.in_sandboxes(&job, impatient).await?;
        self.ended(name, Tier::Contract, ended)
    }

    async fn in_sandboxes(&self, job: &Job, impatient: bool) -> Result<Ended, Stop> {
        let sandboxes = if impatient { &self.impatient } else { &self.sandboxes };
        let reporters = job.reporters(Audience::Nobody)?;
        Ok(job.run_in(open_contract::open(job, Arc::clone(sandboxes))?, self.signals, reporters).await)
    }

    async fn images(&mut self, name: &str, run: RunArgs) -> Result<Vec<ScenarioReport>, Stop> {
        let ended = Job::of(run)?.run(self.signals, Audience::Nobody).await?;
        self.ended(name, Tier::Image, ended)
    }

    /// What a run came to, unless a signal ended it. One that is inconclusive as a whole is so whatever its scenarios say.
    fn ended(&mut self, name: &str, tier: Tier, ended: Ended) -> Result<Vec<ScenarioReport>, Stop> {
        if self.signals.cancel.is_cancelled() {
            return Err(Stop::Signal(ended.code));
        }
        if !ended.conclusive {
            self.agreement.faults.push(format!("{name} ({tier}): the run as a whole"));
        }
        Ok(ended.reports)
    }

    fn compare(&mut self, name: &str, here: &[ScenarioReport], there: &[ScenarioReport]) {
        self.agreement.add(name, here, there, self.contract.as_ref());
        self.progress(name);
    }

    fn progress(&self, name: &str) {
        let Agreement { compared, disagreements, .. } = &self.agreement;
        output::complain(format_args!(
            "{name}: done; so far {compared} scenarios compared, {} disagreements",
            disagreements.len()
        ));
    }

    fn run(&self, tested: &TestedArgs, tier: Tier, filters: Vec<String>) -> RunArgs {
        RunArgs {
            select: SelectArgs::of(filters),
            strict: true,
            candidate: tested.clone(),
            offline: self.arguments.offline,
            reach: self.arguments.reach.clone(),
            jobs: self.arguments.jobs,
            ..usual(&self.arguments.folders, &self.arguments.cells, tier)
        }
    }
}

/// What orders things by chance: by this seed always in the same way.
fn sampled(seed: u64, id: &str) -> [u8; 32] {
    Sha256::new().chain_update(seed.to_be_bytes()).chain_update(id).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disagreement_outranks_what_was_inconclusive() {
        let mut agreement = Agreement::default();
        assert_eq!(code(&agreement), ExitCode::NothingSelected);
        agreement.compared = 1;
        assert_eq!(code(&agreement), ExitCode::Pass);
        agreement.faults.push("x".to_owned());
        assert_eq!(code(&agreement), ExitCode::Infrastructure);
    }

    #[test]
    fn a_seed_orders_always_in_the_same_way() {
        assert_eq!(sampled(1, "a"), sampled(1, "a"));
        assert_ne!(sampled(1, "a"), sampled(2, "a"));
    }
}
