//! Verdicts: an independent fold over the events, from which the exit code follows. No reporter can change it.

use crate::check::Finding;
use crate::event::{Event, Fault, RunEnd};

/// What a scenario came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every assertion held.
    Pass,
    /// The candidate broke the contract.
    Fail,
    /// The suite could not tell: engine, network, disk.
    Error,
    /// Not run, for a stated reason.
    Skip,
}

impl Verdict {
    /// The verdict that findings and a fault lead to. A fault outranks what was seen: evidence gathered while the
    /// suite itself was failing proves nothing, in either direction. No assertion at all is never a pass.
    pub fn of(findings: &[Finding], fault: Option<&Fault>) -> Self {
        if fault.is_some() || findings.is_empty() {
            Self::Error
        } else if findings.iter().any(Finding::is_broken) {
            Self::Fail
        } else {
            Self::Pass
        }
    }

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
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
                    Verdict::Fail => &mut self.fail,
                    Verdict::Error => &mut self.error,
                    Verdict::Skip => &mut self.skip,
                } += 1;
            }
            Event::RunFinished(finish) => self.end = Some(finish.end),
            Event::PreparationStarted { .. }
            | Event::PreparationProgress { .. }
            | Event::PreparationFinished { .. }
            | Event::ScenarioStarted { .. }
            | Event::ScenarioStage { .. } => {}
        }
    }

    /// Scenarios reported so far.
    pub fn reported(&self) -> usize {
        self.pass + self.fail + self.error + self.skip
    }

    /// The exit code: a signal first, then a fail, which outranks an error; a run that did not finish, or reported
    /// another number of scenarios than it planned, could not tell.
    pub fn exit_code(&self) -> ExitCode {
        match self.end {
            Some(RunEnd::Interrupted) => return ExitCode::Interrupted,
            Some(RunEnd::Terminated) => return ExitCode::Terminated,
            Some(RunEnd::Completed) | None => {}
        }
        if self.fail > 0 {
            ExitCode::Fail
        } else if self.error > 0 || self.end.is_none() || self.reported() != self.planned {
            ExitCode::Infrastructure
        } else if self.pass == 0 {
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
    use crate::event::tests::{finished, report, started};
    use crate::scenario::At;

    fn finding(broken: bool) -> Finding {
        Finding {
            check: "x".into(),
            at: At { file: PathBuf::from("x/scenario.toml"), line: 1 },
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
        assert_eq!(Verdict::of(&[finding(true)], Some(&fault)), Verdict::Error);
        assert_eq!(Verdict::of(&[finding(false)], Some(&fault)), Verdict::Error);
    }

    #[test]
    fn findings_decide_otherwise() {
        assert_eq!(Verdict::of(&[finding(false), finding(true)], None), Verdict::Fail);
        assert_eq!(Verdict::of(&[finding(false)], None), Verdict::Pass);
        assert_eq!(Verdict::of(&[], None), Verdict::Error);
    }

    #[test]
    fn exit_codes() {
        use Verdict::{Error, Fail, Pass, Skip};
        let done = Some(RunEnd::Completed);
        assert_eq!(code(&[Pass, Skip], 2, done), ExitCode::Pass);
        assert_eq!(code(&[Pass, Fail, Error], 3, done), ExitCode::Fail);
        assert_eq!(code(&[Pass, Error], 2, done), ExitCode::Infrastructure);
        assert_eq!(code(&[Skip], 1, done), ExitCode::NothingSelected);
        assert_eq!(code(&[], 0, done), ExitCode::NothingSelected);
        assert_eq!(code(&[Fail], 2, Some(RunEnd::Interrupted)), ExitCode::Interrupted);
        assert_eq!(code(&[Pass], 1, Some(RunEnd::Terminated)), ExitCode::Terminated);
    }

    #[test]
    fn a_run_that_lost_a_scenario_or_its_end_could_not_tell() {
        assert_eq!(code(&[Verdict::Pass], 2, Some(RunEnd::Completed)), ExitCode::Infrastructure);
        assert_eq!(code(&[Verdict::Pass], 1, None), ExitCode::Infrastructure);
    }
}
