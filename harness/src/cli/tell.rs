//! Events of a run on their way to the reporters and to the verdict.

use std::path::Path;

use super::Failure;
use crate::outcome::ScenarioReport;
use crate::report::Reporters;
use crate::run::event::{Event, RunFinish};
use crate::run::tally::{ExitCode, Tally};

/// Passes events on, and keeps what the end of the run takes.
pub(super) struct Teller {
    tally: Tally,
    reporters: Reporters,
    /// The scenarios so far, without their logs, which are the reporters'.
    pub(super) reports: Vec<ScenarioReport>,
}

impl Teller {
    /// Tells the terminal, and report files if `report` names a folder for them.
    pub(super) fn new(report: Option<&Path>, scenarios: &Path) -> Result<Self, Failure> {
        Ok(Self::to(Reporters::new(report, scenarios).map_err(no_folder)?))
    }

    /// Tells report files alone, if `report` names a folder for them.
    pub(super) fn quiet(report: Option<&Path>, scenarios: &Path) -> Result<Self, Failure> {
        let reporters = report.map_or_else(|| Ok(Reporters::none()), |folder| Reporters::files(folder, scenarios));
        Ok(Self::to(reporters.map_err(no_folder)?))
    }

    fn to(reporters: Reporters) -> Self {
        Self { tally: Tally::default(), reporters, reports: Vec::new() }
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.tally.add(&event);
        self.reporters.event(&event);
        if let Event::ScenarioFinished(report) = event {
            self.reports.push(ScenarioReport { logs: Vec::new(), ..*report });
        }
    }

    /// Tells the end of the run; the exit code, and the scenarios.
    pub(super) fn finish(mut self, finish: RunFinish) -> (ExitCode, Vec<ScenarioReport>) {
        self.tell(Event::RunFinished(Box::new(finish)));
        let faults = self.reporters.finish();
        for fault in &faults {
            eprintln!("error: the report could not be written: {fault}");
        }
        let code = self.tally.exit_code();
        let unwritten = !faults.is_empty() && code == ExitCode::Pass;
        (if unwritten { ExitCode::Infrastructure } else { code }, self.reports)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn no_folder(error: std::io::Error) -> Failure {
    Failure::usage(format!("the report's folder cannot be made: {error}"), None)
}
