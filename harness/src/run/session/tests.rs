#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::UnboundedSender;

use std::collections::BTreeSet;

use super::*;
use crate::outcome::RunId;
use crate::outcome::samples::{finding, report};
use crate::run::plan::CandidateOrigin;
use crate::suite::cell::tests::cell;
use crate::suite::dialect::Dialect;
use crate::suite::scenario::Subject;
use crate::suite::scenario::tests::scenario;
use crate::suite::tier;

/// What the tier of a test does after some scenarios.
#[derive(Clone, Copy)]
enum Then {
    End,
    Panic,
    Wait,
}

/// A tier that reports each scenario with a verdict of its own, up to the last of them.
struct Sample {
    criteria: Criteria,
    verdicts: Vec<Verdict>,
    then: Then,
    concluded: Arc<AtomicBool>,
}

impl Tier for Sample {
    fn describe(&self) -> Surroundings {
        let text = || "a test".to_owned();
        Surroundings { run: RunId::new(), jobs: 1, engine: text(), isolation: text(), offline: true }
    }

    fn criteria(&self) -> &Criteria {
        &self.criteria
    }

    async fn execute(&self, plan: &Plan, events: UnboundedSender<Event>, cancel: &CancellationToken) {
        for (planned, verdict) in plan.scenarios.iter().zip(&self.verdicts) {
            if cancel.is_cancelled() {
                return;
            }
            let observed = Observed { findings: vec![finding(*verdict == Verdict::Fail)], ..Observed::default() };
            let cell = &plan.cells[planned.cell];
            let report = self.criteria.report(&planned.scenario, &planned.label, cell, None, observed);
            events.send(Event::ScenarioFinished(Box::new(report))).unwrap();
            tokio::task::yield_now().await;
        }
        match self.then {
            Then::End => {}
            Then::Panic => panic!("of the executor"),
            Then::Wait => cancel.cancelled().await,
        }
    }

    async fn conclude(self, _: &Plan, _: &CancellationToken) -> Conclusion {
        self.concluded.store(true, Ordering::SeqCst);
        Conclusion::default()
    }
}

/// A run of two scenarios.
struct Sampled {
    ended: Ended,
    finish: RunFinish,
}

async fn run(verdicts: &[Verdict], then: Then, change: impl FnOnce(&mut Session<'_>)) -> Sampled {
    let scenarios = ["a", "b"].map(|name| Arc::new(scenario(name, Subject::Application, true))).to_vec();
    let plan = Plan::new(vec![(cell(Dialect::Docker), scenarios)], &CandidateOrigin::default());
    let criteria = Criteria {
        contract: None,
        tier: tier::Tier::Contract,
        strict: false,
        control: None,
        reproduce: "wsgi-proof run".to_owned(),
    };
    let signals = Signals::default();
    let mut session = Session {
        begun: Instant::now(),
        signals: &signals,
        candidate: "a test".to_owned(),
        suite: None,
        limit: Duration::from_secs(60),
        until_fail: false,
        shard: None,
        whole: true,
        lock: Lock {
            root: PathBuf::new(),
            counts: everything(),
            assertions: true,
            besides: BTreeSet::new(),
            write: false,
        },
    };
    change(&mut session);
    let concluded = Arc::new(AtomicBool::default());
    let sample = Sample { criteria, verdicts: verdicts.to_vec(), then, concluded: Arc::clone(&concluded) };
    let mut finish = None;
    let mut listener = |event: &Event| {
        if let Event::RunFinished(finished) = event {
            finish = Some((**finished).clone());
        }
    };
    let ended = session.run(&plan, sample, &mut listener).await;
    assert!(concluded.load(Ordering::SeqCst));
    Sampled { ended, finish: finish.unwrap() }
}

fn verdicts(sampled: &Sampled) -> Vec<Verdict> {
    sampled.ended.reports.iter().map(|report| report.verdict).collect()
}

#[tokio::test]
async fn a_run_to_its_end() {
    let sampled = run(&[Verdict::Pass, Verdict::Fail], Then::End, |_| {}).await;
    assert_eq!(verdicts(&sampled), [Verdict::Pass, Verdict::Fail]);
    assert_eq!((sampled.ended.code, sampled.finish.end), (ExitCode::Fail, RunEnd::Completed));
}

#[tokio::test]
async fn what_an_executor_that_panicked_did_not_report_is_an_error() {
    let sampled = run(&[Verdict::Pass], Then::Panic, |_| {}).await;
    assert_eq!(verdicts(&sampled), [Verdict::Pass, Verdict::Error]);
    let fault = sampled.ended.reports[1].fault.clone().unwrap();
    assert_eq!(fault.what, "internal error: a task panicked: of the executor");
    assert_eq!(sampled.ended.code, ExitCode::Infrastructure);
}

#[tokio::test]
async fn until_fail_ends_at_the_first_that_does_not_pass() {
    let sampled = run(&[Verdict::Fail, Verdict::Pass], Then::Wait, |session| session.until_fail = true).await;
    assert_eq!(verdicts(&sampled), [Verdict::Fail]);
    assert_eq!(sampled.finish.notes, [STOPPED_EARLY]);
    assert_eq!(sampled.ended.code, ExitCode::Fail);
}

#[tokio::test]
async fn the_time_of_a_run_is_limited() {
    let sampled = run(&[Verdict::Pass], Then::Wait, |session| session.limit = Duration::from_millis(20)).await;
    assert_eq!((sampled.ended.code, sampled.finish.end), (ExitCode::Infrastructure, RunEnd::TimeIsOver));
}

#[tokio::test]
async fn a_signal_ends_it() {
    let sampled = run(&[Verdict::Pass], Then::Wait, |session| session.signals.cancel.cancel()).await;
    assert!(sampled.ended.reports.len() < 2);
}

#[tokio::test]
async fn a_run_that_does_less_than_the_lock_says_fails() {
    let passed = run(&[Verdict::Pass, Verdict::Pass], Then::End, |_| {}).await;
    let mut reports = passed.ended.reports;
    reports[1].findings.push(finding(false));
    let lock = SuiteLock::default().renewed(tier::Tier::Contract, &reports);
    let sampled = run(&[Verdict::Pass, Verdict::Pass], Then::End, |session| session.lock.counts = lock).await;
    assert_eq!(sampled.finish.shortfalls, ["b made 1 assertions; assertions.lock requires 2"]);
    assert_eq!(sampled.ended.code, ExitCode::Fail);
    assert_eq!(sampled.ended.shortfalls, sampled.finish.shortfalls);
}

/// A lock that has the two scenarios, with no assertions.
fn everything() -> SuiteLock {
    let reports = ["a", "b"].map(|name| report(name, Verdict::Pass));
    SuiteLock::default().renewed(tier::Tier::Contract, &reports)
}

#[tokio::test]
async fn what_is_not_in_the_lock_is_said_and_no_shortfall() {
    let one = SuiteLock::default().renewed(tier::Tier::Contract, &[report("a", Verdict::Pass)]);
    for (lock, told) in
        [(one, "not in assertions.lock: b; "), (SuiteLock::default(), "not in assertions.lock: the contract tier; ")]
    {
        let change = |session: &mut Session<'_>| session.lock.counts = lock.clone();
        let sampled = run(&[Verdict::Pass, Verdict::Pass], Then::End, change).await;
        assert!(sampled.finish.notes[0].starts_with(told), "{:?}", sampled.finish.notes);
        assert_eq!((sampled.ended.code, sampled.ended.shortfalls), (ExitCode::Pass, Vec::new()));
    }
}

#[test]
fn a_whole_run_that_is_strict_must_be_in_the_lock() {
    let mut lock =
        Lock { root: PathBuf::new(), counts: everything(), assertions: true, besides: BTreeSet::new(), write: false };
    let reports = [report("c", Verdict::Pass)];
    let shortfalls = |lock: &Lock, whole: bool, strict: bool| {
        lock.compare(tier::Tier::Contract, &reports, &[], whole, strict).0.shortfalls
    };
    assert_eq!(shortfalls(&lock, true, true), ["c is not in assertions.lock; --strict requires it"]);
    assert_eq!(shortfalls(&lock, false, true), Vec::<String>::new());
    assert_eq!(shortfalls(&lock, true, false), Vec::<String>::new());
    lock.counts = SuiteLock::default();
    assert_eq!(shortfalls(&lock, true, true), ["the contract tier is not in assertions.lock; --strict requires it"]);
}

#[tokio::test]
async fn the_lock_is_made_of_a_whole_run_only() {
    let folder = tempfile::tempdir().unwrap();
    let write = |whole: bool| {
        let root = folder.path().to_owned();
        move |session: &mut Session<'_>| {
            session.whole = whole;
            session.lock =
                Lock { root, counts: SuiteLock::default(), assertions: true, besides: BTreeSet::new(), write: true };
        }
    };
    // One that is not made is no success.
    let refused = [(false, [Verdict::Pass; 2]), (true, [Verdict::Pass, Verdict::Fail])];
    for (whole, verdicts) in refused {
        let sampled = run(&verdicts, Then::End, write(whole)).await;
        assert_eq!(sampled.finish.shortfalls, ["assertions.lock is unchanged: not every scenario passed"]);
        assert_eq!(sampled.ended.code, ExitCode::Fail);
    }
    assert!(SuiteLock::load(folder.path()).unwrap_err().is_not_there());
    let sampled = run(&[Verdict::Pass, Verdict::Pass], Then::End, write(true)).await;
    assert_eq!(sampled.finish.notes, ["assertions.lock was regenerated"]);
    assert!(SuiteLock::load(folder.path()).unwrap().has(tier::Tier::Contract));
}
