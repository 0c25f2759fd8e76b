//! Trying a candidate with generated applications, and making one that it treats otherwise as small as it can be.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::render::{File, files};
use super::{Application, applications};
use crate::contract_tier::sandbox::Candidate;
use crate::contract_tier::tier::Examiner;
use crate::outcome::{ScenarioReport, Verdict};
use crate::run::plan::Planned;
use crate::suite::cell::Cell;
use crate::suite::scenario::{self, Setting};

/// The most applications that are tried to make one smaller.
const MOST_TRIES: usize = 500;
/// The longest that is spent on it: where a step hangs, each try takes until the limit.
const MOST_TIME: Duration = Duration::from_secs(120);
/// The name of a generated scenario.
const NAME: &str = "generated";

/// What generated applications are tried with.
#[derive(Debug)]
pub(crate) struct Fuzzer {
    /// What scenarios are run by.
    pub examiner: Examiner,
    /// The cells, taken in turn.
    pub cells: Vec<Cell>,
    /// What all applications come from: the same seed, the same applications.
    pub seed: u64,
    /// Ends the making smaller early.
    pub cancel: CancellationToken,
}

/// An application that a candidate treats otherwise than the model predicts.
#[derive(Debug)]
pub(crate) struct Difference {
    /// Which application it was.
    pub case: u64,
    /// The files of the scenario that is left of it.
    pub files: Vec<File>,
    /// What came of that scenario.
    pub report: ScenarioReport,
    /// How many applications were tried to make it smaller.
    pub tries: usize,
}

/// Why an application could not be tried.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FuzzError {
    /// proptest could not make one.
    #[error("cannot generate an application: {0}")]
    Generation(String),
    #[error("cannot write the application's files")]
    Io(#[from] std::io::Error),
    /// The scenario that was made of it is not valid: a bug of ours.
    #[error("internal error: the generated scenario is not valid: {0}")]
    Invalid(String),
    #[error("{0}")]
    Fault(String),
}

impl Fuzzer {
    /// Tries a candidate with the application of this number; the difference, if there is one. It blocks, and must not be called
    /// where it may not.
    ///
    /// # Errors
    /// When the application cannot be tried.
    pub(crate) fn case(&self, candidate: &Candidate, case: u64) -> Result<Option<Difference>, FuzzError> {
        let cell = &self.cells[usize::try_from(case).unwrap_or(0) % self.cells.len()];
        let mut tree = applications(cell.dialect)
            .new_tree(&mut runner(self.seed, case))
            .map_err(|error| FuzzError::Generation(error.to_string()))?;
        let Some(mut difference) = self.try_out(candidate, cell, case, &tree.current())? else { return Ok(None) };
        let first = broken(&difference.report);
        // proptest's way: simpler as long as it differs, and a step back where it does not.
        let mut moved = tree.simplify();
        let mut tries = 0;
        let begun = Instant::now();
        while moved && tries < MOST_TRIES && begun.elapsed() < MOST_TIME && !self.cancel.is_cancelled() {
            tries += 1;
            // A smaller application with another fault is another fault.
            let smaller = self
                .try_out(candidate, cell, case, &tree.current())?
                .filter(|found| !broken(&found.report).is_disjoint(&first));
            moved = match smaller {
                Some(smaller) => {
                    difference = smaller;
                    tree.simplify()
                }
                None => tree.complicate(),
            };
        }
        Ok(Some(Difference { tries, ..difference }))
    }

    /// The application of a number.
    ///
    /// # Errors
    /// When it cannot be generated.
    pub(crate) fn application(&self, case: u64) -> Result<Application, FuzzError> {
        generated(&self.cells, self.seed, case).map(|(application, _)| application)
    }

    /// Where the scenario of a number comes from, in words.
    pub(crate) fn origin(&self, case: u64) -> String {
        origin(self.seed, case)
    }

    fn try_out(
        &self,
        candidate: &Candidate,
        cell: &Cell,
        case: u64,
        application: &Application,
    ) -> Result<Option<Difference>, FuzzError> {
        let files = files(application, &self.origin(case));
        let folder = tempfile::Builder::new().prefix("fuzz-").tempdir_in(self.examiner.sandboxes.folder())?;
        for file in &files {
            file.write(&folder.path().join(NAME))?;
        }
        let setting = Setting { cell, variants: &[] };
        let invalid = |why: String| FuzzError::Invalid(format!("seed {}, application {case}: {why}", self.seed));
        let scenario = scenario::load(folder.path(), &setting)
            .map_err(|diagnostics| invalid(diagnostics.render(120)))?
            .pop()
            .ok_or_else(|| invalid("there is none".to_owned()))?;
        if let Some(why) = crate::contract_tier::not_applicable(&scenario) {
            return Err(invalid(format!("it does not apply: {why}")));
        }
        let planned = Planned { scenario: Arc::new(scenario), cell: 0, label: NAME.to_owned() };
        let report = Handle::current().block_on(self.examiner.try_out(candidate, &planned, cell));
        match report.verdict {
            Verdict::Fail => Ok(Some(Difference { case, files, report, tries: 0 })),
            Verdict::Error => {
                let fault = report.fault.map_or_else(String::new, |fault| fault.what);
                Err(FuzzError::Fault(format!("seed {}, application {case}: {fault}", self.seed)))
            }
            Verdict::Pass | Verdict::Warn | Verdict::Caught | Verdict::Skip => Ok(None),
        }
    }
}

/// The application of a number for these cells, taken in turn, and where it comes from, in words.
///
/// # Errors
/// When it cannot be generated.
pub(crate) fn generated(cells: &[Cell], seed: u64, case: u64) -> Result<(Application, String), FuzzError> {
    let cell = &cells[usize::try_from(case).unwrap_or(0) % cells.len()];
    let tree = applications(cell.dialect).new_tree(&mut runner(seed, case));
    let application = tree.map_err(|error| FuzzError::Generation(error.to_string()))?.current();
    Ok((application, origin(seed, case)))
}

fn origin(seed: u64, case: u64) -> String {
    format!("generated: seed {seed}, application {case}")
}

fn runner(seed: u64, case: u64) -> TestRunner {
    let seed = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(case.to_be_bytes()).finalize();
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// What is broken: clauses, and in a suite without a contract assertions.
fn broken(report: &ScenarioReport) -> BTreeSet<String> {
    let broken = report.findings.iter().filter(|finding| finding.is_broken());
    broken
        .flat_map(|finding| match finding.clauses.as_slice() {
            [] => vec![finding.check()],
            clauses => clauses.iter().map(ToString::to_string).collect(),
        })
        .collect()
}
