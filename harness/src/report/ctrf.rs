//! The report of test results that several CI services and dashboards read: CTRF, the Common Test Report Format
//! (<https://ctrf.io>), version 0.0.0 of its specification.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Reporter;
use super::texts::changed;
use crate::check::printable;
use crate::host::written;
use crate::outcome::{Outcome, ScenarioReport, Verdict};
use crate::run::event::Event;
use crate::run::tally::{ExitCode, Tally};

/// Collects the results and writes them at the end; until then the file says that the run did not finish.
pub(crate) struct CtrfReporter {
    path: PathBuf,
    /// The folder of the scenarios, which the files are named below.
    scenarios: PathBuf,
    /// When the run began, in milliseconds since 1970.
    start: u64,
    took: Duration,
    tally: Tally,
    tests: Vec<Test>,
}

/// A scenario, or the run as a whole. `other` stands for inconclusive: neither passed nor failed.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Test {
    name: String,
    status: &'static str,
    /// In milliseconds.
    duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    suite: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

impl CtrfReporter {
    pub(crate) fn new(path: PathBuf, scenarios: &Path) -> Self {
        let scenarios = scenarios.to_owned();
        Self { path, scenarios, start: 0, took: Duration::ZERO, tally: Tally::default(), tests: Vec::new() }
    }
}

impl Reporter for CtrfReporter {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.tally.add(event);
        match &changed(event, &printable) {
            Event::RunStarted(start) => {
                let begun = OffsetDateTime::parse(&start.started, &Rfc3339).map_err(io::Error::other)?;
                self.start = u64::try_from(begun.unix_timestamp()).unwrap_or(0) * 1000;
                self.write()?;
            }
            Event::ScenarioFinished(report) => self.tests.push(test(report, &self.scenarios)),
            Event::RunFinished(finish) => self.took = finish.took,
            Event::PreparationStarted { .. }
            | Event::PreparationProgress { .. }
            | Event::PreparationFinished { .. }
            | Event::ScenarioStarted { .. }
            | Event::ScenarioStage { .. } => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.write()
    }
}

impl CtrfReporter {
    /// Writes what is known so far, the run as a whole included.
    fn write(&self) -> io::Result<()> {
        let code = self.tally.exit_code();
        let run = Test {
            name: "run".to_owned(),
            status: match code {
                ExitCode::Pass => "passed",
                ExitCode::Fail => "failed",
                _ => "other",
            },
            duration: milliseconds(self.took),
            message: (code != ExitCode::Pass).then(|| format!("the run ends with exit code {}", code as u8)),
            suite: vec!["wsgi-proof".to_owned()],
            file_path: None,
            line: None,
        };
        let tests: Vec<&Test> = self.tests.iter().chain(std::iter::once(&run)).collect();
        let count = |status: &str| tests.iter().filter(|test| test.status == status).count();
        let document = serde_json::json!({
            "reportFormat": "CTRF",
            "specVersion": "0.0.0",
            "results": {
                "tool": { "name": "wsgi-proof", "version": env!("CARGO_PKG_VERSION") },
                "summary": {
                    "tests": tests.len(),
                    "passed": count("passed"),
                    "failed": count("failed"),
                    "pending": 0,
                    "skipped": count("skipped"),
                    "other": count("other"),
                    "start": self.start,
                    "stop": self.start + milliseconds(self.took),
                },
                "tests": tests,
            },
        });
        let mut text = serde_json::to_vec_pretty(&document).map_err(io::Error::other)?;
        text.push(b'\n');
        written::file(&self.path, &text)
    }
}

fn test(report: &ScenarioReport, scenarios: &Path) -> Test {
    let status = match report.verdict {
        Verdict::Pass | Verdict::Warn | Verdict::Caught => "passed",
        Verdict::Fail => "failed",
        Verdict::Error => "other",
        Verdict::Skip => "skipped",
    };
    Test {
        name: report.label.clone(),
        status,
        duration: milliseconds(report.took),
        message: message(report),
        suite: vec![report.cell.to_string()],
        file_path: Some(scenarios.join(&report.at.file).display().to_string()),
        line: Some(report.at.line),
    }
}

/// Why a scenario did not simply pass.
fn message(report: &ScenarioReport) -> Option<String> {
    let fault = report.fault.iter().map(|fault| fault.what.clone());
    let broken = report.findings.iter().filter_map(|finding| match &finding.outcome {
        Outcome::Held => None,
        Outcome::Broken { expected, got } => {
            Some(format!("{} ({}): expected {expected}, got {got}", finding.check(), finding.at))
        }
    });
    let not_run = report.not_run.iter().map(ToString::to_string);
    let lines: Vec<String> = fault.chain(broken).chain(not_run).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
