//! Verdicts: an independent fold over the events, from which the exit code follows. No reporter can change it.

use crate::check::Finding;
use crate::contract::Level;
use crate::event::{Event, Fault, RunEnd};

/// What a scenario came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every assertion held.
    Pass,
    /// Every MUST held, but a SHOULD did not.
    Warn,
    /// A control broke the contract where it must.
    Caught,
    /// The candidate broke the contract.
    Fail,
    /// The suite could not tell: engine, network, disk.
    Error,
    /// Not run, for a stated reason.
    Skip,
}

impl Verdict {
    /// The verdict that findings and a fault lead to. A fault outranks what was seen: evidence gathered while the
    /// suite itself was failing proves nothing, in either direction. No assertion at all is never a pass. A broken SHOULD
    /// is a warning, and where the run is `strict` a fail.
    pub fn of(findings: &[Finding], fault: Option<&Fault>, strict: bool) -> Self {
        let mut broken = findings.iter().filter(|finding| finding.is_broken()).peekable();
        if fault.is_some() || findings.is_empty() {
            Self::Error
        } else if broken.peek().is_some() {
            if strict || broken.any(|finding| finding.level == Level::Must) { Self::Fail } else { Self::Warn }
        } else {
            Self::Pass
        }
    }

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Caught => "caught",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Skip => "skip",
        }
    }
}

/// Exit codes of the program; the README documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything selected passed.
    Pass = 0,
    /// At least one scenario failed.
    Fail = 1,
    /// The command line or a scenario file is wrong.
    Usage = 2,
    /// The suite could not tell: engine, network, disk.
    Infrastructure = 3,
    /// Nothing was selected.
    NothingSelected = 4,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

/// Counts of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Scenarios that the run set out to do.
    pub planned: usize,
    /// Scenarios that passed.
    pub pass: usize,
    /// Scenarios that passed but for a SHOULD.
    pub warn: usize,
    /// Scenarios that failed as a control must.
    pub caught: usize,
    /// Scenarios that failed.
    pub fail: usize,
    /// Scenarios of which the suite could not tell.
    pub error: usize,
    /// Scenarios that were skipped for a stated reason.
    pub skip: usize,
    /// Assertions made.
    pub assertions: usize,
    #[serde(skip)]
    end: Option<RunEnd>,
    /// Whether builds and containers were not isolated, or it could not be told whether they were, or they asked for what nobody
    /// declared.
    pub unsound: bool,
    /// What the run did less of than the lock of the suite says.
    pub shortfalls: usize,
}

impl Tally {
    /// Takes an event into account.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::RunStarted(start) => self.planned = start.planned,
            Event::ScenarioFinished(report) => {
                self.assertions += report.findings.len();
                *match report.verdict {
                    Verdict::Pass => &mut self.pass,
                    Verdict::Warn => &mut self.warn,
                    Verdict::Caught => &mut self.caught,
                    Verdict::Fail => &mut self.fail,
                    Verdict::Error => &mut self.error,
                    Verdict::Skip => &mut self.skip,
                } += 1;
            }
            Event::RunFinished(finish) => {
                self.end = Some(finish.end);
                self.shortfalls = finish.shortfalls.len();
                self.unsound = !finish.isolation.is_sound() || !finish.undeclared.is_empty();
            }
            Event::PreparationStarted { .. }
            | Event::PreparationProgress { .. }
            | Event::PreparationFinished { .. }
            | Event::ScenarioStarted { .. }
            | Event::ScenarioStage { .. } => {}
        }
    }

    /// Scenarios reported so far.
    pub fn reported(&self) -> usize {
        self.pass + self.warn + self.caught + self.fail + self.error + self.skip
    }

    /// The exit code: a signal first, then a fail, which outranks an error; a run that did not finish, reported another
    /// number of scenarios than it planned, or could not keep its builds and containers to themselves, could not tell.
    pub fn exit_code(&self) -> ExitCode {
        match self.end {
            Some(RunEnd::Interrupted) => return ExitCode::Interrupted,
            Some(RunEnd::Terminated) => return ExitCode::Terminated,
            Some(RunEnd::Completed | RunEnd::TimeIsOver) | None => {}
        }
        if self.fail > 0 || self.shortfalls > 0 {
            ExitCode::Fail
        } else if self.error > 0
            || self.unsound
            || self.end != Some(RunEnd::Completed)
            || self.reported() != self.planned
        {
            ExitCode::Infrastructure
        } else if self.pass + self.warn + self.caught == 0 {
            ExitCode::NothingSelected
        } else {
            ExitCode::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::check::Outcome;
    use crate::event::Stage;
    use crate::event::tests::{finished, report, short, started};
    use crate::isolation::Isolation;
    use crate::scenario::At;

    fn finding(broken: bool) -> Finding {
        Finding {
            check: "x".into(),
            at: At { file: PathBuf::from("x/scenario.toml"), line: 1 },
            level: Level::Must,
            stage: Stage::Build,
            clauses: Vec::new(),
            outcome: if broken { Outcome::Broken { expected: "a".into(), got: "b".into() } } else { Outcome::Held },
        }
    }

    fn code(verdicts: &[Verdict], planned: usize, end: Option<RunEnd>) -> ExitCode {
        let mut tally = Tally::default();
        tally.add(&started(planned));
        for verdict in verdicts {
            tally.add(&Event::ScenarioFinished(Box::new(report("x", *verdict))));
        }
        if let Some(end) = end {
            tally.add(&finished(end));
        }
        tally.exit_code()
    }

    #[test]
    fn a_fault_is_never_a_pass_nor_a_fail() {
        let fault = Fault { what: "the engine is gone".into(), hint: None };
        assert_eq!(Verdict::of(&[finding(true)], Some(&fault), false), Verdict::Error);
        assert_eq!(Verdict::of(&[finding(false)], Some(&fault), false), Verdict::Error);
    }

    #[test]
    fn findings_decide_otherwise() {
        assert_eq!(Verdict::of(&[finding(false), finding(true)], None, false), Verdict::Fail);
        assert_eq!(Verdict::of(&[finding(false)], None, true), Verdict::Pass);
        assert_eq!(Verdict::of(&[], None, false), Verdict::Error);
    }

    #[test]
    fn a_broken_should_is_a_warning_unless_the_run_is_strict() {
        let should = |broken| Finding { level: Level::Should, ..finding(broken) };
        assert_eq!(Verdict::of(&[finding(false), should(true)], None, false), Verdict::Warn);
        assert_eq!(Verdict::of(&[finding(false), should(true)], None, true), Verdict::Fail);
        assert_eq!(Verdict::of(&[finding(true), should(true)], None, false), Verdict::Fail);
        assert_eq!(Verdict::of(&[should(false)], None, true), Verdict::Pass);
    }

    #[test]
    fn exit_codes() {
        use Verdict::{Caught, Error, Fail, Pass, Skip, Warn};
        let done = Some(RunEnd::Completed);
        assert_eq!(code(&[Pass, Skip], 2, done), ExitCode::Pass);
        assert_eq!(code(&[Warn], 1, done), ExitCode::Pass);
        assert_eq!(code(&[Caught], 1, done), ExitCode::Pass);
        assert_eq!(code(&[Pass, Fail, Error], 3, done), ExitCode::Fail);
        assert_eq!(code(&[Pass, Error], 2, done), ExitCode::Infrastructure);
        assert_eq!(code(&[Skip], 1, done), ExitCode::NothingSelected);
        assert_eq!(code(&[], 0, done), ExitCode::NothingSelected);
        assert_eq!(code(&[Fail], 2, Some(RunEnd::Interrupted)), ExitCode::Interrupted);
        assert_eq!(code(&[Pass], 1, Some(RunEnd::Terminated)), ExitCode::Terminated);
    }

    #[test]
    fn a_run_that_did_less_than_its_lock_says_fails() {
        let mut tally = Tally::default();
        tally.add(&started(1));
        tally.add(&Event::ScenarioFinished(Box::new(report("x", Verdict::Pass))));
        tally.add(&short(&["x made 3 assertions, and the lock says 4"]));
        assert_eq!(tally.exit_code(), ExitCode::Fail);
    }

    #[test]
    fn a_run_whose_builds_got_out_could_not_tell() {
        let end = |isolation: Isolation| {
            let mut tally = Tally::default();
            tally.add(&started(1));
            tally.add(&Event::ScenarioFinished(Box::new(report("x", Verdict::Pass))));
            let Event::RunFinished(mut finish) = finished(RunEnd::Completed) else { unreachable!() };
            finish.isolation = isolation;
            tally.add(&Event::RunFinished(finish));
            tally.exit_code()
        };
        let way = || vec!["out".to_owned()];
        assert_eq!(end(Isolation { broken: way(), ..Isolation::default() }), ExitCode::Infrastructure);
        assert_eq!(
            end(Isolation { untold: Some("no canary".into()), ..Isolation::default() }),
            ExitCode::Infrastructure
        );
        assert_eq!(end(Isolation { weakened: way(), ..Isolation::default() }), ExitCode::Pass);
    }

    #[test]
    fn a_run_that_lost_a_scenario_or_its_end_could_not_tell() {
        assert_eq!(code(&[Verdict::Pass], 2, Some(RunEnd::Completed)), ExitCode::Infrastructure);
        assert_eq!(code(&[Verdict::Pass], 1, None), ExitCode::Infrastructure);
    }
}
