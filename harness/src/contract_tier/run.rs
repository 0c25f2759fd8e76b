//! A run of the contract tier: every scenario of a plan, several at once.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{examine, not_applicable};
use crate::contract_tier::sandbox::{Candidate, Sandboxes};
use crate::outcome::{Fault, ScenarioReport, with_causes};
use crate::run::event::Event;
use crate::run::judge::{Found, Judge};
use crate::run::plan::Planned;
use crate::suite::cell::Cell;

/// What a run of the contract tier needs.
#[derive(Debug)]
pub struct Bench {
    /// What makes sandboxes.
    pub sandboxes: Sandboxes,
    /// What scenarios are judged by.
    pub judge: Judge,
    /// Scenarios at once, at the most.
    pub jobs: usize,
}

/// Runs scenarios, and tells of each; until all are done, or it is cancelled.
pub async fn execute(
    bench: Arc<Bench>,
    candidate: Arc<Candidate>,
    scenarios: Vec<(Planned, Cell)>,
    events: UnboundedSender<Event>,
    cancel: CancellationToken,
) {
    let mut waiting = scenarios.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < bench.jobs
            && let Some((planned, cell)) = waiting.next()
        {
            drop(events.send(Event::ScenarioStarted { label: planned.label.clone() }));
            let (bench, candidate) = (Arc::clone(&bench), Arc::clone(&candidate));
            running.spawn(async move { bench.try_out(&candidate, &planned, &cell).await });
        }
        if running.is_empty() {
            return;
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                running.shutdown().await;
                return;
            }
            Some(joined) = running.join_next() => match joined {
                Ok(report) => drop(events.send(Event::ScenarioFinished(Box::new(report)))),
                // A task that broke off: the scenario stays unreported, which the verdict of the run does not overlook.
                Err(error) => tracing::error!(%error, "a scenario broke off"),
            },
        }
    }
}

impl Bench {
    /// Tries a candidate in one scenario.
    pub async fn try_out(&self, candidate: &Candidate, planned: &Planned, cell: &Cell) -> ScenarioReport {
        let scenario = &planned.scenario;
        let begun = Instant::now();
        let skipped = not_applicable(scenario);
        let mut found = Found::default();
        if skipped.is_none() {
            match examine(&self.sandboxes, candidate, scenario, &self.judge.scope(scenario, cell)).await {
                Ok(examined) => {
                    found.findings = examined.findings;
                    found.logs = examined.logs;
                    found.stages = examined.stages;
                    found.not_run = examined.not_run;
                }
                Err(error) => {
                    let hint = error.hint().map(str::to_owned);
                    found.fault = Some(Fault { what: with_causes(&error), hint });
                }
            }
        }
        found.took = begun.elapsed();
        self.judge.report(scenario, &planned.label, cell, skipped.as_deref(), found)
    }
}
