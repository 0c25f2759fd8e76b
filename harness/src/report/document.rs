//! The JSON report: [`Document`] is its specification.

use std::io;
use std::path::PathBuf;

use super::Reporter;
use super::texts::changed;
use crate::host::written;
use crate::outcome::ScenarioReport;
use crate::run::event::{Event, RunEnd, RunFinish, RunStart};
use crate::run::tally::Tally;

/// The whole of `report.json`.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Document {
    /// The version of this format: 1.
    pub version: u32,
    /// `complete` when the run reached its end; otherwise the rest says how far it came.
    pub complete: bool,
    /// How the run ended, if it did.
    pub end: Option<RunEnd>,
    /// The exit code that follows from the verdicts.
    pub exit_code: u8,
    /// The selection and the candidate.
    pub run: Option<RunStart>,
    pub tally: Tally,
    /// Images that the scenarios share, in the order in which they became ready.
    pub preparations: Vec<PreparationEntry>,
    /// The scenarios, in the order in which they were done.
    pub scenarios: Vec<ScenarioReport>,
    /// The end of the run.
    pub finish: Option<RunFinish>,
}

/// An image that the scenarios share.
#[derive(Debug, serde::Serialize)]
pub(crate) struct PreparationEntry {
    pub what: String,
    /// Whether it became ready.
    pub ready: bool,
    /// Its id and size, or what was wrong.
    pub note: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u128,
    /// The log of a failed build.
    pub log: Vec<String>,
}

/// Collects the document and writes it at the end.
pub(crate) struct DocumentReporter {
    path: PathBuf,
    document: Document,
}

impl DocumentReporter {
    /// A reporter that writes to this file.
    pub(crate) fn new(path: PathBuf) -> Self {
        let document = Document {
            version: 1,
            complete: false,
            end: None,
            exit_code: 0,
            run: None,
            tally: Tally::default(),
            preparations: Vec::new(),
            scenarios: Vec::new(),
            finish: None,
        };
        Self { path, document }
    }

    fn write(&mut self) -> io::Result<()> {
        self.document.exit_code = self.document.tally.exit_code() as u8;
        let mut text = serde_json::to_vec_pretty(&self.document).map_err(io::Error::other)?;
        text.push(b'\n');
        written::file(&self.path, &text)
    }
}

impl Reporter for DocumentReporter {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.document.tally.add(event);
        // As they are; but paths that are no UTF-8 would be no JSON.
        match &changed(event, &str::to_owned) {
            Event::RunStarted(start) => {
                self.document.run = Some((**start).clone());
                // A report that says "not complete" stands from the first moment, so that a killed run cannot leave an older
                // green one behind.
                self.write()?;
            }
            Event::PreparationFinished { what, took, end } => {
                use crate::run::event::PreparationEnd::{Error, Failed, Ready};
                let (ready, note, log) = match end {
                    Ready { note } => (true, note.clone(), Vec::new()),
                    Failed { why, log } => (false, why.clone(), log.clone()),
                    Error(fault) => (false, fault.what.clone(), Vec::new()),
                };
                let milliseconds = took.as_millis();
                self.document.preparations.push(PreparationEntry {
                    what: what.clone(),
                    ready,
                    note,
                    milliseconds,
                    log,
                });
            }
            Event::ScenarioFinished(report) => self.document.scenarios.push((**report).clone()),
            Event::RunFinished(finish) => {
                self.document.complete =
                    finish.end == RunEnd::Completed && self.document.tally.reported() == self.document.tally.planned;
                self.document.end = Some(finish.end);
                self.document.finish = Some((**finish).clone());
            }
            Event::PreparationStarted { .. }
            | Event::PreparationProgress { .. }
            | Event::ScenarioStarted { .. }
            | Event::ScenarioStage { .. } => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write()
    }
}
