//! Events of a run on their way to the reporters.

use std::path::Path;

use super::Failure;
use crate::report::Reporters;
use crate::run::event::Event;
use crate::run::session::Ended;
use crate::run::tally::ExitCode;

/// Who is told of a run, beside the report files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    Terminal,
    Nobody,
}

/// Passes events on.
pub(super) struct Teller(Reporters);

impl Teller {
    /// Tells the audience, and report files if `report` names a folder for them.
    pub(super) fn new(audience: Audience, report: Option<&Path>, scenarios: &Path) -> Result<Self, Failure> {
        let reporters = match (audience, report) {
            (Audience::Terminal, report) => Reporters::new(report, scenarios),
            (Audience::Nobody, Some(folder)) => Reporters::files(folder, scenarios),
            (Audience::Nobody, None) => Ok(Reporters::none()),
        };
        let no_folder = |error| Failure::usage(format!("the report's folder cannot be made: {error}"), None);
        reporters.map(Self).map_err(no_folder)
    }

    pub(super) fn tell(&mut self, event: &Event) {
        self.0.event(event);
    }

    /// Lets the reporters finish; what the run came to, with what they could not write.
    pub(super) fn finish(self, ended: Ended) -> Ended {
        let faults = self.0.finish();
        for fault in &faults {
            eprintln!("error: the report could not be written: {fault}");
        }
        let unwritten = !faults.is_empty() && ended.code == ExitCode::Pass;
        Ended { code: if unwritten { ExitCode::Infrastructure } else { ended.code }, ..ended }
    }
}
