//! The JSON report: [`Document`] is its specification. Beside it stands the page that is made of it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::texts::changed;
use super::{Reporter, page};
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
    pub scenarios: Vec<ScenarioEntry>,
    /// The end of the run.
    pub finish: Option<RunFinish>,
}

/// A scenario, and when it began.
#[derive(Debug, serde::Serialize)]
pub(crate) struct ScenarioEntry {
    #[serde(flatten)]
    pub report: ScenarioReport,
    /// In milliseconds since the run began; none of a scenario that was not run.
    pub began: Option<u64>,
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
    /// When it began, in milliseconds since the run did.
    pub began: Option<u64>,
    /// The log of a failed build.
    pub log: Vec<String>,
}

/// Collects the document and writes it at the end.
pub(crate) struct DocumentReporter {
    folder: PathBuf,
    document: Document,
    begun: Instant,
    /// When what is under way began, by its name, in milliseconds.
    under_way: BTreeMap<String, u64>,
}

impl DocumentReporter {
    /// A reporter that writes `report.json` and the page to this folder.
    pub(crate) fn new(folder: &Path) -> Self {
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
        Self { folder: folder.to_owned(), document, begun: Instant::now(), under_way: BTreeMap::new() }
    }

    fn write(&mut self) -> io::Result<()> {
        self.document.exit_code = self.document.tally.exit_code() as u8;
        page::write(&self.folder, &self.document)
    }

    fn begins(&mut self, name: &str) {
        let since = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.under_way.insert(name.to_owned(), since);
    }
}

impl Reporter for DocumentReporter {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.document.tally.add(event);
        // As they are; but paths that are no UTF-8 would be no JSON.
        match &changed(event, &str::to_owned) {
            Event::RunStarted(start) => {
                self.begun = Instant::now();
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
                    began: self.under_way.remove(what),
                    log,
                });
            }
            Event::ScenarioFinished(report) => {
                let began = self.under_way.remove(&report.label);
                self.document.scenarios.push(ScenarioEntry { report: (**report).clone(), began });
            }
            Event::RunFinished(finish) => {
                self.document.complete =
                    finish.end == RunEnd::Completed && self.document.tally.reported() == self.document.tally.planned;
                self.document.end = Some(finish.end);
                self.document.finish = Some((**finish).clone());
            }
            Event::PreparationStarted { what } => self.begins(what),
            Event::ScenarioStarted { label } => self.begins(label),
            Event::PreparationProgress { .. } | Event::ScenarioStage { .. } => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write()
    }
}
