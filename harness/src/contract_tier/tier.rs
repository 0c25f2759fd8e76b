//! The contract tier as a session sees it: every scenario of a plan, several at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::{Examined, TierError, examine, not_applicable};
use crate::contract_tier::sandbox::{Candidate, Sandboxes};
use crate::outcome::{Fault, RunId, ScenarioReport, with_causes};
use crate::run::criteria::{Criteria, Observed};
use crate::run::event::Event;
use crate::run::plan::{Plan, Planned};
use crate::run::session::lost;
use crate::run::tasks::Tasks;
use crate::run::tier::{Conclusion, Surroundings, Tier};
use crate::suite::cell::Cell;
use crate::suite::limits::Limits;

/// How long scenarios that are given up may take to end.
const SHUTDOWN: Duration = Duration::from_secs(3);

/// What scenarios are tried with.
#[derive(Debug)]
pub(crate) struct Examiner {
    pub sandboxes: Arc<Sandboxes>,
    /// What scenarios are judged by.
    pub criteria: Criteria,
    /// What a candidate may use, where a scenario does not say otherwise.
    pub limits: Limits,
    /// Scenarios at once, at the most.
    pub jobs: usize,
}

/// The contract tier, open for a candidate.
pub(crate) struct ContractTier {
    /// What scenarios are tried with.
    pub examiner: Arc<Examiner>,
    pub candidate: Arc<Candidate>,
}

impl Tier for ContractTier {
    fn describe(&self) -> Surroundings {
        Surroundings {
            run: RunId::new(),
            jobs: self.examiner.jobs,
            engine: "none: build and start steps run in sandboxes (bubblewrap)".to_owned(),
            isolation: self.examiner.sandboxes.isolation(),
            offline: true,
        }
    }

    fn criteria(&self) -> &Criteria {
        &self.examiner.criteria
    }

    async fn execute(&self, plan: &Plan, events: UnboundedSender<Event>, cancel: &CancellationToken) {
        let mut waiting = plan.scenarios.iter();
        let mut running = Tasks::default();
        loop {
            while running.len() < self.examiner.jobs
                && let Some(planned) = waiting.next()
            {
                drop(events.send(Event::ScenarioStarted { label: planned.label.clone() }));
                let (examiner, candidate) = (Arc::clone(&self.examiner), Arc::clone(&self.candidate));
                let (planned, cell) = (planned.clone(), plan.cells[planned.cell].clone());
                let key = (planned.clone(), cell.clone());
                running.start(key, async move { examiner.try_out(&candidate, &planned, &cell).await });
            }
            let ended = tokio::select! {
                biased;
                () = cancel.cancelled() => {
                    // One that hangs is not waited for: its sandbox is removed by the next run.
                    drop(tokio::time::timeout(SHUTDOWN, running.shutdown()).await);
                    return;
                }
                ended = running.next() => ended,
            };
            let Some(((planned, cell), report)) = ended else { return };
            let report = report.unwrap_or_else(|fault| lost(&self.examiner.criteria, &planned, &cell, fault));
            drop(events.send(Event::ScenarioFinished(Box::new(report))));
        }
    }

    async fn conclude(self, _: &Plan, _: &CancellationToken) -> Conclusion {
        Conclusion { fixtures: "none needed".to_owned(), ..Conclusion::default() }
    }
}

impl Examiner {
    /// Tries a candidate in one scenario.
    pub(crate) async fn try_out(&self, candidate: &Candidate, planned: &Planned, cell: &Cell) -> ScenarioReport {
        let scenario = &planned.scenario;
        let begun = Instant::now();
        let skipped = not_applicable(scenario);
        let mut observed = Observed::default();
        if skipped.is_none() {
            let scope = self.criteria.scope(scenario, cell);
            let (examined, error) = match candidate.pip(&cell.variant) {
                Ok(pip) => examine(&self.sandboxes, candidate, scenario, &scope, pip, self.limits).await,
                Err(error) => (Examined::default(), Some(error.into())),
            };
            observed = Observed {
                findings: examined.findings,
                logs: examined.logs,
                stages: examined.stages,
                not_run: examined.not_run,
                fault: error.map(|error: TierError| {
                    let hint = error.hint().map(str::to_owned);
                    Fault { what: with_causes(&error), hint }
                }),
                ..Observed::default()
            };
        }
        observed.took = begun.elapsed();
        self.criteria.report(scenario, &planned.label, cell, skipped.as_deref(), observed)
    }
}

/// What a run of this plan does, a line a scenario: they do not depend on each other.
pub(crate) fn steps(plan: &Plan) -> String {
    let reasons = plan.scenarios.iter().map(|planned| (&planned.label, not_applicable(&planned.scenario)));
    let (skipped, tried): (Vec<_>, Vec<_>) = reasons.partition(|(_, reason)| reason.is_some());
    let tried = tried.into_iter().enumerate().map(|(id, (label, _))| format!("{id:>3}  build and start {label}\n"));
    let skipped =
        skipped.into_iter().map(|(label, reason)| format!("  -  skip {label}: {}\n", reason.unwrap_or_default()));
    tried.chain(skipped).collect()
}
