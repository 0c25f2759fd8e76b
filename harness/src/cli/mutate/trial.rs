//! Trying a change: in the contract tier, scenario after scenario until one notices it, and in the image tier.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::cli::Failure;
use crate::cli::arguments::{MutateArgs, RunArgs, SelectArgs, TestedArgs};
use crate::cli::reporters::Audience;
use crate::cli::run::{Job, usual};
use crate::contract_tier::sandbox::Candidate;
use crate::contract_tier::tier::Examiner;
use crate::host::folders::Folders;
use crate::mutate::Case;
use crate::mutate::campaign::Outcome;
use crate::outcome::{ScenarioReport, Verdict, with_causes};
use crate::run::plan::{Plan, Planned};
use crate::run::signals::Signals;
use crate::suite::cell::Cell;
use crate::suite::control::Replacements;
use crate::suite::tier::Tier;

/// What every change is tried with.
pub(super) struct Trial {
    examiner: Examiner,
    images: PathBuf,
    scenarios: Vec<(Planned, Cell)>,
    /// How many changes a scenario was the first to notice, by its place: those that notice much go first.
    noticed: Mutex<BTreeMap<usize, usize>>,
}

impl Trial {
    /// All scenarios of the plan that the contract tier can run.
    pub(super) fn new(examiner: Examiner, images: PathBuf, plan: &Plan) -> Self {
        let scenarios = plan
            .scenarios
            .iter()
            .filter(|planned| crate::contract_tier::not_applicable(&planned.scenario).is_none())
            .map(|planned| (planned.clone(), plan.cells[planned.cell].clone()))
            .collect();
        Self { examiner, images, scenarios, noticed: Mutex::default() }
    }

    /// What comes of the scripts as they are.
    pub(super) async fn unchanged(&self) -> Outcome {
        self.try_out(&Vec::new(), |_| true).await
    }

    /// Whether the suite notices a change, by the clauses that it must.
    pub(super) async fn outcome(&self, case: &Case) -> Outcome {
        self.try_out(&case.files, |broken| case.missed(broken).is_empty()).await
    }

    async fn try_out(&self, files: &Replacements, enough: impl Fn(&BTreeSet<String>) -> bool) -> Outcome {
        let candidate = match Candidate::new(&self.examiner.sandboxes, Path::new(&self.images), files) {
            Ok(candidate) => candidate,
            Err(error) => return Outcome::Error { what: with_causes(&error) },
        };
        let mut found = Found::default();
        for place in self.order() {
            let (planned, cell) = &self.scenarios[place];
            let report = self.examiner.try_out(&candidate, planned, cell).await;
            if report.verdict == Verdict::Fail {
                *self.noticed.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default() += 1;
            }
            if let Some(outcome) = found.add(report, &enough) {
                return outcome;
            }
        }
        Outcome::Survived
    }

    /// The scenarios' folders, those that have noticed most first.
    fn order(&self) -> Vec<usize> {
        let noticed = self.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut order: Vec<usize> = (0..self.scenarios.len()).collect();
        order.sort_by_key(|place| std::cmp::Reverse(noticed.get(place).copied().unwrap_or_default()));
        order
    }
}

/// What scenarios have found so far.
#[derive(Default)]
struct Found {
    /// The first that failed.
    first: Option<String>,
    broken: BTreeSet<String>,
}

impl Found {
    /// Adds what came of a scenario; the outcome, once it is clear.
    fn add(&mut self, report: ScenarioReport, enough: impl Fn(&BTreeSet<String>) -> bool) -> Option<Outcome> {
        match report.verdict {
            Verdict::Fail => {
                let broken = report.findings.iter().filter(|finding| finding.is_broken());
                self.broken.extend(broken.flat_map(|finding| finding.clauses.iter().map(ToString::to_string)));
                let first = self.first.get_or_insert(report.label).clone();
                let clauses = || self.broken.iter().cloned().collect();
                enough(&self.broken).then(|| Outcome::Killed { scenario: first, clauses: clauses() })
            }
            Verdict::Error => Some(Outcome::Error { what: report.fault.map_or_else(String::new, |fault| fault.what) }),
            Verdict::Pass | Verdict::Warn | Verdict::Caught | Verdict::Skip => None,
        }
    }
}

/// Whether the image tier notices a change.
pub(super) async fn in_image_tier(
    case: &Case,
    arguments: &MutateArgs,
    folders: &Folders,
    signals: &Signals,
) -> Result<Outcome, Failure> {
    let folder = tempfile::tempdir().map_err(|error| unwritable(&error))?;
    let base = folder.path().join("base");
    copy(&folders.images().join("base"), &base).map_err(|error| unwritable(&error))?;
    for (path, content) in &case.files {
        std::fs::write(base.join(path), content).map_err(|error| unwritable(&error))?;
    }
    let run = RunArgs {
        select: SelectArgs::of(case.scenarios.iter().map(|name| format!("={name}")).collect()),
        strict: true,
        candidate: TestedArgs { dockerfile: Some(folder.path().to_owned()), ..TestedArgs::default() },
        offline: arguments.offline,
        reach: arguments.reach.clone(),
        jobs: arguments.jobs,
        ..usual(&arguments.folders, &arguments.cells, Tier::Image)
    };
    let ended = Job::of(run)?.run(signals, Audience::Nobody).await?;
    if !ended.conclusive {
        return Ok(Outcome::Error { what: "the run in images was inconclusive as a whole".to_owned() });
    }
    let mut found = Found::default();
    let mut error = None;
    for report in ended.reports {
        match found.add(report, |broken| case.missed(broken).is_empty()) {
            // Another scenario may still tell.
            Some(outcome @ Outcome::Error { .. }) => error = Some(outcome),
            Some(outcome) => return Ok(outcome),
            None => {}
        }
    }
    Ok(error.unwrap_or(Outcome::Survived))
}

/// Copies a folder, with the modes of its files.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            std::fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

fn unwritable(error: &std::io::Error) -> Failure {
    Failure::infrastructure(format!("cannot write the files of the mutant: {error}"), None)
}
