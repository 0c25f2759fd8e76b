//! What code scanning reads: SARIF, the Static Analysis Results Interchange Format (OASIS, version 2.1.0). What did not hold
//! is a result at its line of the scenario file; what made the run inconclusive is a notification of the run (clause 3.20.21).

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::texts::changed;
use super::{Reporter, annotations};
use crate::check::printable;
use crate::host::written;
use crate::outcome::{At, CheckId, Finding, ScenarioReport, listed};
use crate::run::event::{Event, RunFinish};
use crate::run::tally::{ExitCode, Tally};

/// What the path of a URI reference cannot have as it is (RFC 3986, section 3.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Collects results and writes them at the end; until then the file says that the run did not succeed.
pub(crate) struct SarifReporter {
    path: PathBuf,
    /// The folder of the scenarios, which the files are named below.
    scenarios: PathBuf,
    started: String,
    tally: Tally,
    checks: BTreeSet<CheckId>,
    results: Vec<Value>,
    notifications: Vec<Value>,
}

impl SarifReporter {
    pub(crate) fn new(path: PathBuf, scenarios: &Path) -> Self {
        Self {
            path,
            scenarios: scenarios.to_owned(),
            started: String::new(),
            tally: Tally::default(),
            checks: BTreeSet::new(),
            results: Vec::new(),
            notifications: Vec::new(),
        }
    }

    fn scenario(&mut self, report: &ScenarioReport) {
        for (finding, expected, got) in annotations::of(report) {
            self.checks.insert(finding.id);
            self.results.push(self.result(report, finding, expected, got));
        }
        if let Some(fault) = &report.fault {
            let text = format!("{}: inconclusive: {}", report.label, fault.what);
            self.notifications.push(notification(&text, &[self.location(&report.at)]));
        }
    }

    fn result(&self, report: &ScenarioReport, finding: &Finding, expected: &str, got: &str) -> Value {
        let check = finding.check();
        let binding = format!("{} {}", finding.level.word(), listed(&finding.clauses));
        let text = format!("{}: {check} ({}): expected {expected}, got {got}", report.label, binding.trim_end());
        json!({
            "ruleId": finding.id.as_str(),
            "level": annotations::severity(finding.level),
            "message": { "text": text },
            "locations": [self.location(&finding.at)],
            // The line may move, and other messages may come: it is the same finding then.
            "partialFingerprints": { "scenarioAndCheck/v1": format!("{}/{check}", report.label) },
        })
    }

    fn location(&self, at: &At) -> Value {
        let file = self.scenarios.join(&at.file).display().to_string();
        json!({ "physicalLocation": {
            "artifactLocation": { "uri": utf8_percent_encode(&file, ENCODED).to_string() },
            "region": { "startLine": at.line.max(1) },
        }})
    }

    fn end(&mut self, finish: &RunFinish) {
        let isolation = finish.isolation.broken.iter().chain(&finish.isolation.untold);
        let isolation = isolation.map(|text| format!("isolation: {text}"));
        let undeclared = finish.undeclared.iter().map(|file| format!("requested, but declared by no scenario: {file}"));
        let shortfalls = finish.shortfalls.iter().map(|text| format!("less than the assertion lock: {text}"));
        let told = isolation.chain(undeclared).chain(shortfalls);
        self.notifications.extend(told.map(|text| notification(&text, &[])));
    }

    /// Writes what is known so far.
    fn write(&self) -> io::Result<()> {
        let code = self.tally.exit_code();
        let rules: Vec<Value> = self.checks.iter().map(|check| rule(*check)).collect();
        let document = json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "wsgi-proof",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                }},
                "invocations": [{
                    "startTimeUtc": self.started,
                    "exitCode": code as u8,
                    // A run that failed has done what it was to do.
                    "executionSuccessful": matches!(code, ExitCode::Pass | ExitCode::Fail),
                    "toolExecutionNotifications": self.notifications,
                }],
                "results": self.results,
            }],
        });
        let mut text = serde_json::to_vec_pretty(&document).map_err(io::Error::other)?;
        text.push(b'\n');
        written::file(&self.path, &text)
    }
}

impl Reporter for SarifReporter {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.tally.add(event);
        match &changed(event, &printable) {
            Event::RunStarted(start) => {
                self.started.clone_from(&start.started);
                self.write()?;
            }
            Event::ScenarioFinished(report) => self.scenario(report),
            Event::RunFinished(finish) => self.end(finish),
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

/// A check, as what a result is an instance of (clause 3.49).
fn rule(check: CheckId) -> Value {
    json!({
        "id": check.as_str(),
        "shortDescription": { "text": check.says() },
        "defaultConfiguration": { "level": annotations::severity(check.level()) },
    })
}

fn notification(text: &str, locations: &[Value]) -> Value {
    json!({ "level": "error", "message": { "text": text }, "locations": locations })
}
