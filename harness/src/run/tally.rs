//! Verdicts: an independent fold over the events, from which the exit code follows. No reporter can change it.

use crate::outcome::Verdict;
use crate::run::event::{Event, RunEnd};

/// Exit codes of the program; `--help` documents them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    Pass = 0,
    /// At least one scenario failed.
    Fail = 1,
    /// The command line or a scenario file is wrong.
    Usage = 2,
    /// Inconclusive: engine, network, disk.
    Infrastructure = 3,
    NothingSelected = 4,
    /// Nothing is broken, but a MUST was not tried.
    NotTried = 5,
    Interrupted = 130,
    /// Nobody reads standard output any more; what a shell shows for SIGPIPE.
    BrokenPipe = 141,
    Terminated = 143,
}

impl ExitCode {
    /// The exit code of another run. What no run ends with is inconclusive.
    pub(crate) fn of(code: u8) -> Self {
        use ExitCode::{Fail, Infrastructure, Interrupted, NothingSelected, Pass, Terminated};
        let known = [Pass, Fail, Infrastructure, NothingSelected, Interrupted, Terminated];
        known.into_iter().find(|known| *known as u8 == code).unwrap_or(Infrastructure)
    }
}

/// Counts of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Tally {
    /// Scenarios that the run set out to do.
    pub planned: usize,
    pub pass: usize,
    /// Scenarios that passed with warnings.
    pub warn: usize,
    /// Scenarios that failed exactly where the control lists.
    pub caught: usize,
    pub fail: usize,
    pub error: usize,
    /// Scenarios that were skipped for a stated reason.
    pub skip: usize,
    pub assertions: usize,
    #[serde(skip)]
    end: Option<RunEnd>,
    /// Whether the candidate is a control.
    #[serde(skip)]
    must_catch: bool,
    /// Whether isolation was broken or inconclusive, or builds requested files that nobody declared.
    pub unsound: bool,
    /// How many requirements of the assertion lock the run did not reach.
    pub shortfalls: usize,
}

impl Tally {
    /// Takes an event into account.
    pub(crate) fn add(&mut self, event: &Event) {
        match event {
            Event::RunStarted(start) => {
                self.planned = start.planned;
                self.must_catch = start.control;
            }
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
    pub(crate) fn reported(&self) -> usize {
        self.pass + self.warn + self.caught + self.fail + self.error + self.skip
    }

    /// Whether the run as a whole tells something: it ended, isolated its builds and containers, and reported what it planned.
    pub(crate) fn is_conclusive(&self) -> bool {
        !self.unsound && self.end == Some(RunEnd::Completed) && self.reported() == self.planned
    }

    /// The exit code: a signal first, then a failure, which outranks an error. A run is inconclusive if it did not
    /// finish, reported another number of scenarios than it planned, or did not isolate its builds and containers.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self.end {
            Some(RunEnd::Interrupted) => return ExitCode::Interrupted,
            Some(RunEnd::Terminated) => return ExitCode::Terminated,
            Some(RunEnd::Completed | RunEnd::TimeIsOver) | None => {}
        }
        if self.fail > 0 || self.shortfalls > 0 {
            ExitCode::Fail
        } else if self.error > 0 || !self.is_conclusive() {
            ExitCode::Infrastructure
        } else if self.pass + self.warn + self.caught == 0 || (self.must_catch && self.caught == 0) {
            ExitCode::NothingSelected
        } else {
            ExitCode::Pass
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::Isolation;
    use crate::outcome::samples::report;
    use crate::run::event::tests::{finished, short, started};

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
    fn a_control_of_which_nothing_was_caught_proves_nothing() {
        let of = |verdict| {
            let mut tally = Tally::default();
            let Event::RunStarted(mut start) = started(1) else { unreachable!() };
            start.control = true;
            tally.add(&Event::RunStarted(start));
            tally.add(&Event::ScenarioFinished(Box::new(report("x", verdict))));
            tally.add(&finished(RunEnd::Completed));
            tally.exit_code()
        };
        assert_eq!((of(Verdict::Pass), of(Verdict::Caught)), (ExitCode::NothingSelected, ExitCode::Pass));
    }

    #[test]
    fn a_run_that_lost_a_scenario_or_its_end_could_not_tell() {
        assert_eq!(code(&[Verdict::Pass], 2, Some(RunEnd::Completed)), ExitCode::Infrastructure);
        assert_eq!(code(&[Verdict::Pass], 1, None), ExitCode::Infrastructure);
    }
}
