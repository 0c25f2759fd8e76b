//! Reporters: pure consumers of events, written against a writer.
//!
//! A new format is one file here and its registration in [`Reporters::new`].

pub(crate) mod agreement;
pub(crate) mod compare;
pub(crate) mod conformance;
mod ctrf;
mod document;
mod github;
#[cfg(test)]
mod hostile_tests;
mod junit;
mod logs;
mod markdown;
pub(crate) mod merge;
pub(crate) mod page;
mod progress;
pub(crate) mod read;
mod terminal;
#[cfg(test)]
mod tests;
mod texts;
mod wrap;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use console::Term;

use crate::host::outgoing::{Stdout, is_workflow};
use crate::host::written;
use crate::outcome::redacted;
use crate::run::event::Event;
use logs::Logs;

pub(crate) use ctrf::CtrfReporter;
pub(crate) use document::DocumentReporter;
pub(crate) use github::GithubReporter;
pub(crate) use junit::JunitReporter;
pub(crate) use terminal::TerminalReporter;

/// A consumer of a run's events.
pub(crate) trait Reporter: Send {
    /// Takes one event.
    ///
    /// # Errors
    /// When its output cannot be written.
    fn event(&mut self, event: &Event) -> io::Result<()>;

    /// Writes what can only be written at the end. Called once, also after a run that was cut short.
    ///
    /// # Errors
    /// When its output cannot be written.
    fn finish(&mut self) -> io::Result<()>;
}

/// All reporters of a run. One that fails does not stop the others: every one sees every event.
pub(crate) struct Reporters {
    all: Vec<(String, Box<dyn Reporter>)>,
    faults: Vec<String>,
    logs: Logs,
}

impl Reporters {
    /// The terminal; GitHub's annotations and summary in a workflow; the files of [`Self::files`] when a folder is given.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn new(folder: Option<&Path>, scenarios: &Path) -> io::Result<Self> {
        let progress = io::stderr().is_terminal() && io::stdout().is_terminal();
        let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let width = Term::stdout().size_checked().map(|(_, columns)| columns.into());
        let workflow = is_workflow();
        let terminal =
            TerminalReporter::new(Box::new(Stdout::default()), color, width, progress, scenarios).in_workflow(workflow);
        let mut reporters: Vec<(String, Box<dyn Reporter>)> = vec![("terminal".to_owned(), Box::new(terminal))];
        if workflow {
            let summary = std::env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from);
            let github = GithubReporter::new(Box::new(Stdout::default()), summary, scenarios);
            reporters.push(("GitHub".to_owned(), Box::new(github)));
        }
        if let Some(folder) = folder {
            reporters.extend(Self::files(folder, scenarios)?.all);
        }
        Ok(Self { all: reporters, faults: Vec::new(), logs: Logs::default() })
    }

    /// The files `junit.xml`, `report.json`, `index.html` and `ctrf.json` in a folder, and nothing else.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn files(folder: &Path, scenarios: &Path) -> io::Result<Self> {
        written::folder(folder)?;
        let junit = JunitReporter::new(folder.join("junit.xml"), scenarios);
        let document = DocumentReporter::new(folder);
        let ctrf = CtrfReporter::new(folder.join("ctrf.json"), scenarios);
        let reporters: Vec<(String, Box<dyn Reporter>)> = vec![
            ("junit.xml".to_owned(), Box::new(junit)),
            ("report.json and index.html".to_owned(), Box::new(document)),
            ("ctrf.json".to_owned(), Box::new(ctrf)),
        ];
        Ok(Self { all: reporters, faults: Vec::new(), logs: Logs::default() })
    }

    pub(crate) fn none() -> Self {
        Self { all: Vec::new(), faults: Vec::new(), logs: Logs::default() }
    }

    /// Hands an event to every reporter, without secrets.
    pub(crate) fn event(&mut self, event: &Event) {
        let mut event = texts::changed(event, &|text| redacted(text).into_owned());
        if let Event::ScenarioFinished(report) = &mut event {
            self.logs.bound(&mut report.logs);
        }
        for (name, reporter) in &mut self.all {
            note(&mut self.faults, name, reporter.event(&event));
        }
    }

    /// Lets every reporter finish; returns what could not be written.
    pub(crate) fn finish(mut self) -> Vec<String> {
        for (name, reporter) in &mut self.all {
            note(&mut self.faults, name, reporter.finish());
        }
        self.faults
    }
}

/// Remembers a reporter's first fault; the later ones mostly repeat it.
fn note(faults: &mut Vec<String>, name: &str, result: io::Result<()>) {
    if let Err(error) = result
        && !faults.iter().any(|fault| fault.starts_with(name))
    {
        faults.push(format!("{name}: {error}"));
    }
}
