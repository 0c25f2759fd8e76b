//! A finished run: how it ended, and its report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Output;
use std::sync::OnceLock;

use assert_cmd::assert::{Assert, OutputAssertExt};
use serde_json::Value;
use tempfile::TempDir;

use super::cache::first_run;
use super::program::{NO_ENGINE, text, wsgi_proof};
use super::slots::Slot;

/// What a finished run left.
pub(crate) struct Run {
    output: Output,
    /// `report.json`.
    pub(crate) report: Value,
    /// `junit.xml`.
    pub(crate) junit: String,
}

impl Run {
    /// Runs the program with a report, with these arguments beside.
    pub(crate) fn of(arguments: &[&str]) -> Self {
        Self::with(&[], arguments)
    }

    /// Runs the program with a report, with these environment variables and arguments beside.
    pub(crate) fn with(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        first_run();
        Self::cold(environment, arguments)
    }

    /// As [`Self::with`], without seeing to it that there is an engine.
    pub(crate) fn cold(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let _slot = Slot::take();
        let folder = TempDir::new().expect("a temporary folder");
        let place = folder.path().to_str().expect("a UTF-8 path");
        let mut command = wsgi_proof(&[&["run", "--report", place], arguments].concat());
        let output = command.envs(environment.iter().copied()).output().expect("the program runs");
        let read = |name: &str| {
            std::fs::read_to_string(folder.path().join(name))
                .unwrap_or_else(|error| panic!("no {name}: {error}\n{}", text(&output)))
        };
        let report = serde_json::from_str(&read("report.json")).expect("report.json is JSON");
        Self { report, junit: read("junit.xml"), output }
    }

    /// A run of the contract tier that no engine can have any part in.
    pub(crate) fn without_engine(arguments: &[&str]) -> Self {
        Self::cold(&[("DOCKER_HOST", NO_ENGINE)], &[&["--tier", "contract"], arguments].concat())
    }

    /// How the program ended, and what it printed.
    pub(crate) fn assert(&self) -> Assert {
        self.output.clone().assert()
    }

    /// What the report says of a scenario.
    pub(crate) fn reported(&self, name: &str) -> Option<&Value> {
        let scenarios = self.report["scenarios"].as_array().expect("scenarios");
        scenarios.iter().find(|scenario| scenario["name"] == name)
    }

    /// The verdict of a scenario.
    pub(crate) fn verdict(&self, name: &str) -> &str {
        self.reported(name).and_then(|scenario| scenario["verdict"].as_str()).unwrap_or("not reported")
    }

    /// What the report says of a scenario, as text.
    pub(crate) fn scenario(&self, name: &str) -> String {
        self.reported(name).map_or_else(|| self.output(), |scenario| format!("{scenario:#}"))
    }

    /// The names of the assertions of a scenario that did not hold.
    pub(crate) fn broken(&self, name: &str) -> Vec<String> {
        let findings = self.reported(name).map(|scenario| scenario["findings"].as_array().expect("findings"));
        findings
            .into_iter()
            .flatten()
            .filter(|finding| finding["outcome"]["broken"].is_object())
            .map(|finding| finding["check"].as_str().expect("a check").to_owned())
            .collect()
    }

    /// What the program printed.
    pub(crate) fn output(&self) -> String {
        text(&self.output)
    }
}

/// A run that several tests look at. The first of them that is run starts it, and the others wait for it.
pub(crate) struct SharedRun(OnceLock<Result<Run, String>>);

impl SharedRun {
    /// One that is not yet started.
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The run, which is made so. If that panics, each test of it fails, and none makes it once more.
    pub(crate) fn get(&self, make: impl FnOnce() -> Run) -> &Run {
        if self.0.get().is_none() {
            // The one that makes it may be waiting for that slot.
            assert!(!Slot::is_held(), "a shared run is asked for before a slot is taken");
        }
        let run = self.0.get_or_init(|| {
            catch_unwind(AssertUnwindSafe(make))
                .map_err(|panic| panic.downcast::<String>().map_or_else(|_| "it panicked".to_owned(), |text| *text))
        });
        run.as_ref().unwrap_or_else(|text| panic!("the run that this test shares with others: {text}"))
    }
}
