//! The reports of one run with every verdict, byte for byte.

#![allow(clippy::unwrap_used)]

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{CtrfReporter, DocumentReporter, GithubReporter, JunitReporter, Reporter, SarifReporter, TerminalReporter};
use crate::outcome::samples::report;
use crate::outcome::{At, CheckId, ClauseId, Fault, Finding, Level, Log, NotRun, Outcome, Stage, Verdict};
use crate::run::event::tests::{finished, started};
use crate::run::event::{Event, PreparationEnd, RunEnd};

pub(super) fn finding(id: CheckId, subject: &str, line: usize, outcome: Outcome) -> Finding {
    let at = At { file: PathBuf::from("failing/scenario.toml"), line };
    Finding {
        id,
        subject: subject.into(),
        at,
        level: Level::Must,
        stage: Stage::Build,
        clauses: vec![ClauseId::build(1)],
        outcome,
    }
}

/// A run with a pass, a fail and an error.
pub(super) fn events() -> Vec<Event> {
    let mut passing = report("passing", Verdict::Pass);
    passing.findings = vec![finding(CheckId::BuildOutcome, "", 4, Outcome::Held)];
    let mut failing = report("failing", Verdict::Fail);
    let broken = Outcome::Broken { expected: "status 200".into(), got: "status 500\nwith a second line".into() };
    failing.findings =
        vec![finding(CheckId::BuildOutcome, "", 4, Outcome::Held), finding(CheckId::HttpStatus, "GET /", 9, broken)];
    failing.not_run = vec![NotRun::NoAnswer { what: "1 further request".into() }];
    let lines = (1..=25).map(|n| format!("line {n} \u{1b}[31m<&>\u{7}")).collect();
    failing.logs = vec![Log { title: "container log".into(), lines }];
    let mut unclear = report("unclear", Verdict::Error);
    let hint = Some("start it again".into());
    unclear.fault = Some(Fault { what: "the engine stopped answering".into(), hint });
    let what = "base image".to_owned();
    let end = PreparationEnd::Ready { note: "0123456789ab, 412 MB".into() };
    vec![
        started(3),
        Event::PreparationStarted { what: what.clone() },
        Event::PreparationProgress { what: what.clone(), line: "Step 1/9".into() },
        Event::PreparationFinished { what, took: Duration::from_secs(71), end },
        Event::ScenarioStarted { label: "passing".into() },
        Event::ScenarioStage { label: "passing".into(), stage: Stage::Build },
        Event::ScenarioFinished(Box::new(passing)),
        Event::ScenarioFinished(Box::new(failing)),
        Event::ScenarioFinished(Box::new(unclear)),
        finished(RunEnd::Completed),
    ]
}

pub(super) fn feed(reporter: &mut dyn Reporter, events: &[Event]) {
    for event in events {
        reporter.event(event).unwrap();
    }
    reporter.finish().unwrap();
}

/// A writer whose content can be read afterwards.
#[derive(Clone, Default)]
pub(super) struct Shared(pub(super) Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn terminal() {
    let out = Shared::default();
    feed(&mut TerminalReporter::new(Box::new(out.clone()), false, None, false, Path::new("scenarios")), &events());
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    insta::assert_snapshot!(text.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn on_a_terminal_every_line_fits_the_width() {
    let out = Shared::default();
    feed(&mut TerminalReporter::new(Box::new(out.clone()), false, Some(60), false, Path::new("scenarios")), &events());
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    let wide: Vec<&str> = text.lines().filter(|line| console::measure_text_width(line) > 60).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    assert!(text.contains("passing                        The sum…\n"), "{text}");
}

#[test]
fn junit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("junit.xml");
    feed(&mut JunitReporter::new(path.clone(), Path::new("scenarios")), &events());
    insta::assert_snapshot!(std::fs::read_to_string(path).unwrap());
}

/// It proves nothing, and is not green.
#[test]
fn a_run_in_which_all_was_skipped_is_an_error_in_every_report() {
    let folder = tempfile::tempdir().unwrap();
    let of = |verdict| {
        let (xml, json) = (folder.path().join("junit.xml"), folder.path().join("ctrf.json"));
        let skipped = Event::ScenarioFinished(Box::new(report("skipped", verdict)));
        let events = [started(1), skipped, finished(RunEnd::Completed)];
        feed(&mut JunitReporter::new(xml.clone(), Path::new("scenarios")), &events);
        feed(&mut CtrfReporter::new(json.clone(), Path::new("scenarios")), &events);
        (std::fs::read_to_string(xml).unwrap(), std::fs::read_to_string(json).unwrap())
    };
    let (xml, json) = of(Verdict::Skip);
    assert!(xml.contains("errors=\"1\"") && xml.contains("no scenario ran, so nothing is proved"), "{xml}");
    assert!(json.contains("the run ends with exit code 4"), "{json}");
    let (xml, json) = of(Verdict::Pass);
    assert!(xml.contains("errors=\"0\"") && !json.contains("the run ends with"), "{xml}");
}

#[test]
fn github() {
    let folder = tempfile::tempdir().unwrap();
    let (out, summary) = (Shared::default(), folder.path().join("summary.md"));
    feed(&mut GithubReporter::new(Box::new(out.clone()), Some(summary.clone()), Path::new("scenarios")), &events());
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    insta::assert_snapshot!(format!("{text}---\n{}", std::fs::read_to_string(summary).unwrap()));
}

#[test]
fn document() {
    let folder = tempfile::tempdir().unwrap();
    feed(&mut DocumentReporter::new(folder.path()), &events());
    let text = std::fs::read_to_string(folder.path().join("report.json")).unwrap();
    // When things began is another number each time.
    let began = regex::Regex::new("\"began\": [0-9]+").unwrap();
    insta::assert_snapshot!(began.replace_all(&text, "\"began\": 0"));
}

#[test]
fn ctrf() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ctrf.json");
    let mut reporter = CtrfReporter::new(path.clone(), Path::new("scenarios"));
    reporter.event(&events()[0]).unwrap();
    // As after a SIGKILL: nothing of it may look green.
    let begun = std::fs::read_to_string(&path).unwrap();
    assert!(begun.contains("\"other\": 1") && begun.contains("the run ends with exit code 3"), "{begun}");
    feed(&mut CtrfReporter::new(path.clone(), Path::new("scenarios")), &events());
    insta::assert_snapshot!(std::fs::read_to_string(path).unwrap());
}

#[test]
fn sarif() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.sarif");
    let mut reporter = SarifReporter::new(path.clone(), Path::new("my scenarios"));
    reporter.event(&events()[0]).unwrap();
    // As after a SIGKILL.
    let begun = std::fs::read_to_string(&path).unwrap();
    assert!(begun.contains("\"executionSuccessful\": false"), "{begun}");
    feed(&mut SarifReporter::new(path.clone(), Path::new("my scenarios")), &events());
    insta::assert_snapshot!(std::fs::read_to_string(path).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn a_run_that_was_cut_short_leaves_reports_that_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let (xml, json, page) =
        (folder.path().join("junit.xml"), folder.path().join("report.json"), folder.path().join("index.html"));
    let cut = &events()[..7];
    // No `finish`: as after a SIGKILL.
    let mut junit = JunitReporter::new(xml.clone(), Path::new("scenarios"));
    let mut document = DocumentReporter::new(folder.path());
    for event in cut {
        junit.event(event).unwrap();
        document.event(event).unwrap();
    }
    assert!(std::fs::read_to_string(xml).unwrap().contains("the run did not finish"));
    let text: serde_json::Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    assert_eq!(text["complete"], false);
    assert!(std::fs::read_to_string(page).unwrap().contains("The run did not come to its end"));
}
