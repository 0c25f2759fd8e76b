//! The session: the one loop that every run goes through, whatever its tier. It tells events on, heeds signals, time limit and
//! `--until-fail`, and at the end holds the run against the lock of the suite.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_util::sync::CancellationToken;

use crate::outcome::{CellName, Fault, ScenarioReport, Verdict};
use crate::run::criteria::{Criteria, Observed};
use crate::run::event::{Event, RunEnd, RunFinish, RunStart};
use crate::run::flaky::flaky;
use crate::run::plan::{Plan, Planned};
use crate::run::shard::ShardOf;
use crate::run::signals::Signals;
use crate::run::tally::{ExitCode, Tally};
use crate::run::tasks::unwound;
use crate::run::tier::{Conclusion, Surroundings, Tier};
use crate::suite::assertion_lock::{Comparison, Extent, LOCK_FILE, RELOCK, SuiteLock};
use crate::suite::cell::Cell;

/// What is said of a run that `--until-fail` ended.
const STOPPED_EARLY: &str = "stopped at the first failure (--until-fail)";

/// What a run is asked for, beside its plan.
pub(crate) struct Session<'a> {
    /// When the command began.
    pub begun: Instant,
    /// What signals have come.
    pub signals: &'a Signals,
    /// What is tested, in words.
    pub candidate: String,
    /// How long the whole run may take.
    pub limit: Duration,
    /// Whether it ends at the first scenario that does not pass.
    pub until_fail: bool,
    /// The digest of the suite, if it has one.
    pub suite: Option<String>,
    /// Whether neither a filter nor a shard left a scenario out.
    pub whole: bool,
    /// Which part of a run it is, if it is one.
    pub shard: Option<ShardOf>,
    /// The lock of the suite.
    pub lock: Lock,
}

/// The lock of the suite, and what is done with it.
pub(crate) struct Lock {
    /// The folder that has the file.
    pub root: PathBuf,
    /// What it says.
    pub counts: SuiteLock,
    /// Whether assertions are held against it, and not the number of scenarios alone.
    pub assertions: bool,
    /// Scenarios that are none of the suite's, and held to nothing.
    pub besides: BTreeSet<String>,
    /// Whether it is regenerated.
    pub write: bool,
}

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code that follows.
    pub code: ExitCode,
    /// Whether it came to its end, isolated and with every scenario reported: a failure outranks that in the exit code.
    pub conclusive: bool,
    /// The scenarios, without their logs, which are the reporters'.
    pub reports: Vec<ScenarioReport>,
    /// What the assertion lock requires and the run did not reach.
    pub shortfalls: Vec<String>,
}

/// How the executor of a tier ended.
struct Executed {
    /// Why it panicked, if it did.
    fault: Option<Fault>,
    time_is_over: bool,
    stopped_early: bool,
}

/// What has been reported so far.
struct Progress<'a> {
    tally: Tally,
    reports: Vec<ScenarioReport>,
    listener: &'a mut dyn FnMut(&Event),
}

impl Progress<'_> {
    fn tell(&mut self, event: Event) {
        self.tally.add(&event);
        (self.listener)(&event);
        if let Event::ScenarioFinished(report) = event {
            self.reports.push(ScenarioReport { logs: Vec::new(), ..*report });
        }
    }
}

impl Session<'_> {
    /// Runs a plan in a tier; `listener` gets each event.
    pub(crate) async fn run<T: Tier>(self, plan: &Plan, tier: T, listener: &mut dyn FnMut(&Event)) -> Ended {
        let mut progress = Progress { tally: Tally::default(), reports: Vec::new(), listener };
        let cells: Vec<CellName> = plan.cells.iter().map(CellName::from).collect();
        let Surroundings { run, jobs, engine, isolation, offline } = tier.describe();
        progress.tell(Event::RunStarted(Box::new(RunStart {
            run: run.to_string(),
            started: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            planned: plan.scenarios.len(),
            jobs,
            engine,
            candidate: self.candidate.clone(),
            suite: self.suite.clone(),
            cells: cells.clone(),
            strict: tier.criteria().strict,
            control: tier.criteria().control.is_some(),
            isolation,
            offline,
            shard: self.shard,
        })));
        let Executed { fault, time_is_over, stopped_early } = self.execute(plan, &tier, &mut progress).await;
        if let Some(fault) = fault {
            report_lost(plan, tier.criteria(), &fault, &mut progress);
        }
        let (kind, strict) = (tier.criteria().tier, tier.criteria().strict);
        let control = tier.criteria().control.as_ref().map(|control| control.name.clone());
        let Conclusion { fixtures, undeclared, isolation, mut notes } = tier.conclude(plan, &self.signals.over).await;
        if stopped_early {
            notes.push(STOPPED_EARLY.to_owned());
        }
        let end = if time_is_over { RunEnd::TimeIsOver } else { self.signals.end() };
        let whole = self.whole && end == RunEnd::Completed && !stopped_early;
        let mut shortfalls = Vec::new();
        if self.lock.write {
            match self.lock.renew(kind, &progress.reports, whole) {
                Ok(note) => notes.push(note),
                Err(why) => shortfalls.push(why),
            }
        } else {
            let (comparison, note) = self.lock.compare(kind, &progress.reports, &cells, whole, strict);
            shortfalls = comparison.shortfalls;
            notes.extend(note);
        }
        if let Some(control) = &control
            && !progress.reports.iter().any(|report| report.verdict == Verdict::Caught)
        {
            notes.push(format!("nothing that the control {control} lists was caught: a run of it is there for that"));
        }
        let flaky = flaky(&progress.reports);
        let (took, own) = (self.begun.elapsed(), processor_time());
        let ended = shortfalls.clone();
        let finish = RunFinish { end, took, own, fixtures, undeclared, shortfalls, flaky, isolation, notes };
        progress.tell(Event::RunFinished(Box::new(finish)));
        Ended {
            code: progress.tally.exit_code(),
            conclusive: progress.tally.is_conclusive(),
            reports: progress.reports,
            shortfalls: ended,
        }
    }

    /// Has the tier execute the plan, and hears what it says until it has ended.
    async fn execute<T: Tier>(&self, plan: &Plan, tier: &T, progress: &mut Progress<'_>) -> Executed {
        // What ends the executor early: a signal, or something that is not one.
        let cancel = self.signals.cancel.child_token();
        let (sender, receiver) = mpsc::unbounded_channel();
        let execution = unwound(tier.execute(plan, sender, &cancel));
        let (executed, (time_is_over, stopped_early)) = tokio::join!(execution, self.hear(receiver, &cancel, progress));
        Executed { fault: executed.err(), time_is_over, stopped_early }
    }

    /// Hears the events until the last sender is gone; whether the time was over, and whether it ended early as `--until-fail` says.
    async fn hear(
        &self,
        mut events: UnboundedReceiver<Event>,
        cancel: &CancellationToken,
        progress: &mut Progress<'_>,
    ) -> (bool, bool) {
        let limit = tokio::time::sleep(self.limit);
        tokio::pin!(limit);
        let (mut time_is_over, mut stopped_early) = (false, false);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        if self.until_fail && is_bad(&event) {
                            stopped_early = true;
                            cancel.cancel();
                        }
                        progress.tell(event);
                    }
                    None => return (time_is_over, stopped_early),
                },
                () = &mut limit, if !time_is_over => {
                    time_is_over = true;
                    cancel.cancel();
                }
            }
        }
    }
}

impl Lock {
    /// Holds a run against the lock, and says what it does not have. That is no shortfall, for it is new; but a whole run that is
    /// strict is a gate, and must be held to something.
    fn compare(
        &self,
        tier: crate::suite::tier::Tier,
        reports: &[ScenarioReport],
        cells: &[CellName],
        whole: bool,
        strict: bool,
    ) -> (Comparison, Option<String>) {
        let is_of_suite = |report: &&ScenarioReport| !self.besides.contains(&report.name);
        let reports = if self.besides.is_empty() {
            Cow::Borrowed(reports)
        } else {
            Cow::Owned(reports.iter().filter(is_of_suite).cloned().collect())
        };
        let mut comparison = self.counts.compare(tier, &reports, cells, Extent { whole, assertions: self.assertions });
        if comparison.unlocked.is_empty() {
            return (comparison, None);
        }
        if strict && whole {
            let required = |name: &String| format!("{name} is not in {LOCK_FILE}; --strict requires it");
            comparison.shortfalls.extend(comparison.unlocked.iter().map(required));
        }
        let note = format!("not in {LOCK_FILE}: {}; {RELOCK} adds it", comparison.unlocked.join(", "));
        (comparison, Some(note))
    }

    /// Makes the lock anew from a whole run in which something passed and nothing failed; says what came of it.
    ///
    /// # Errors
    /// In words: when it is not made.
    fn renew(&self, tier: crate::suite::tier::Tier, reports: &[ScenarioReport], whole: bool) -> Result<String, String> {
        let passed = |report: &ScenarioReport| report.verdict == Verdict::Pass;
        let good = |report: &ScenarioReport| passed(report) || report.verdict == Verdict::Skip;
        if !whole || !reports.iter().all(good) || !reports.iter().any(passed) {
            return Err(format!("{LOCK_FILE} is unchanged: not every scenario passed"));
        }
        let written = self.counts.renewed(tier, reports).write(&self.root);
        written.map_err(|error| format!("cannot regenerate {LOCK_FILE}: {error}"))?;
        Ok(format!("{LOCK_FILE} was regenerated"))
    }
}

/// Reports the scenarios that an executor which panicked has not reported; none is left out.
fn report_lost(plan: &Plan, criteria: &Criteria, fault: &Fault, progress: &mut Progress<'_>) {
    for planned in &plan.scenarios {
        if !progress.reports.iter().any(|report| report.label == planned.label) {
            let report = lost(criteria, planned, &plan.cells[planned.cell], fault.clone());
            progress.tell(Event::ScenarioFinished(Box::new(report)));
        }
    }
}

/// The report of a scenario whose task panicked.
pub(crate) fn lost(criteria: &Criteria, planned: &Planned, cell: &Cell, fault: Fault) -> ScenarioReport {
    criteria.report(
        &planned.scenario,
        &planned.label,
        cell,
        None,
        Observed { fault: Some(fault), ..Observed::default() },
    )
}

/// Whether an event tells of a scenario that did not pass.
fn is_bad(event: &Event) -> bool {
    matches!(event, Event::ScenarioFinished(report) if matches!(report.verdict, Verdict::Fail | Verdict::Error))
}

/// The processor time that this process has used.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests;
