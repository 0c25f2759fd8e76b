//! Reporters: pure consumers of events, written against a writer.
//!
//! A new format is one file here and its registration in [`Reporters::new`].

pub(crate) mod agreement;
mod annotations;
mod causes;
pub(crate) mod compare;
pub(crate) mod conformance;
mod ctrf;
mod document;
pub(crate) mod format;
mod github;
#[cfg(test)]
mod hostile_tests;
mod json_lines;
mod junit;
mod logs;
mod markdown;
pub(crate) mod merge;
pub(crate) mod page;
mod progress;
pub(crate) mod read;
mod sarif;
mod terminal;
#[cfg(test)]
mod tests;
mod texts;
mod wrap;
mod wrong;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use console::Term;

use crate::host::outgoing::{Stdout, is_workflow};
use crate::host::written;
use crate::outcome::redacted;
use crate::run::event::Event;
use format::Format;
use json_lines::JsonLinesReporter;
use logs::Logs;

pub(crate) use ctrf::CtrfReporter;
pub(crate) use document::DocumentReporter;
pub(crate) use github::GithubReporter;
pub(crate) use junit::JunitReporter;
pub(crate) use sarif::SarifReporter;
pub(crate) use terminal::TerminalReporter;

/// So many of something, in words.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

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
    /// Standard output in this format; the summary of a workflow's step; the files of [`Self::files`] when a folder is given.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn new(format: Format, folder: Option<&Path>, scenarios: &Path) -> io::Result<Self> {
        let mut reporters: Vec<(String, Box<dyn Reporter>)> = Vec::new();
        let mut add = |name: &str, reporter| reporters.push((name.to_owned(), reporter));
        match format {
            Format::Human => add("terminal", Box::new(terminal(scenarios))),
            Format::JsonLines => {
                add("JSON lines", Box::new(JsonLinesReporter::new(Box::new(Stdout::default()))));
            }
            Format::Github => {}
            Format::Junit => {
                add("JUnit", Box::new(JunitReporter::to(Box::new(Stdout::default()), scenarios)));
            }
        }
        if is_workflow() || format == Format::Github {
            let annotates = matches!(format, Format::Human | Format::Github);
            let out: Box<dyn Write + Send> = if annotates { Box::new(Stdout::default()) } else { Box::new(io::sink()) };
            let summary = std::env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from);
            add("GitHub", Box::new(GithubReporter::new(out, summary, scenarios)));
        }
        if let Some(folder) = folder {
            reporters.extend(Self::files(folder, scenarios)?.all);
        }
        Ok(Self { all: reporters, faults: Vec::new(), logs: Logs::default() })
    }

    /// The files `junit.xml`, `report.json`, `index.html`, `ctrf.json` and `report.sarif` in a folder, and nothing else.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn files(folder: &Path, scenarios: &Path) -> io::Result<Self> {
        written::folder(folder)?;
        let junit = JunitReporter::new(folder.join("junit.xml"), scenarios);
        let document = DocumentReporter::new(folder);
        let ctrf = CtrfReporter::new(folder.join("ctrf.json"), scenarios);
        let sarif = SarifReporter::new(folder.join("report.sarif"), scenarios);
        let reporters: Vec<(String, Box<dyn Reporter>)> = vec![
            ("junit.xml".to_owned(), Box::new(junit)),
            ("report.json and index.html".to_owned(), Box::new(document)),
            ("ctrf.json".to_owned(), Box::new(ctrf)),
            ("report.sarif".to_owned(), Box::new(sarif)),
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

/// The reporter for standard output as it is: with colours and progress on a terminal.
fn terminal(scenarios: &Path) -> TerminalReporter {
    let progress = io::stderr().is_terminal() && io::stdout().is_terminal();
    let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let width = Term::stdout().size_checked().map(|(_, columns)| columns.into());
    TerminalReporter::new(Box::new(Stdout::default()), color, width, progress, scenarios).in_workflow(is_workflow())
}

/// Remembers a reporter's first fault; the later ones mostly repeat it.
fn note(faults: &mut Vec<String>, name: &str, result: io::Result<()>) {
    if let Err(error) = result
        && !faults.iter().any(|fault| fault.starts_with(name))
    {
        faults.push(format!("{name}: {error}"));
    }
}
