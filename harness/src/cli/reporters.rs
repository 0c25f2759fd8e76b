//! Events of a run on their way to the reporters.

use std::path::Path;

use super::{Failure, output};
use crate::report::Reporters;
use crate::report::format::Format;
use crate::run::event::{Event, RunEnd};
use crate::run::session::Ended;
use crate::run::tally::ExitCode;

/// Who reads a run, beside the report files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Who started it, on standard output.
    Caller(Format),
    Nobody,
}

pub(super) struct RunReporters {
    reporters: Reporters,
    audience: Audience,
}

impl RunReporters {
    /// Reports to the audience, and to report files if `report` names a folder for them.
    pub(super) fn new(audience: Audience, report: Option<&Path>, scenarios: &Path) -> Result<Self, Failure> {
        let reporters = match (audience, report) {
            (Audience::Caller(format), report) => Reporters::new(format, report, scenarios),
            (Audience::Nobody, Some(folder)) => Reporters::files(folder, scenarios),
            (Audience::Nobody, None) => Ok(Reporters::none()),
        };
        let no_folder = |error| Failure::usage(format!("cannot create the folder for reports: {error}"), None);
        reporters.map(|reporters| Self { reporters, audience }).map_err(no_folder)
    }

    pub(super) fn send(&mut self, event: &Event) {
        self.reporters.event(event);
        if let Event::RunFinished(finish) = event
            && self.audience == Audience::Nobody
            && finish.end != RunEnd::Completed
        {
            // What was stopped may have left something, whoever reads the rest.
            for note in &finish.notes {
                output::complain(format_args!("note: {note}"));
            }
        }
    }

    /// Lets the reporters finish; how the run ended, with the faults of the reporters.
    pub(super) fn finish(self, ended: Ended) -> Ended {
        let faults = self.reporters.finish();
        for fault in &faults {
            output::complain(format_args!("error: cannot write the report: {fault}"));
        }
        let unwritten = !faults.is_empty() && ended.code == ExitCode::Pass;
        Ended { code: if unwritten { ExitCode::Infrastructure } else { ended.code }, ..ended }
    }
}
