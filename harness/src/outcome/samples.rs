//! Findings and reports for tests.

use std::path::PathBuf;
use std::time::Duration;

use super::{At, CellName, CheckId, ClauseId, Finding, Level, Outcome, ScenarioReport, Stage, Subject, Verdict};

pub(crate) fn report(name: &str, verdict: Verdict) -> ScenarioReport {
    ScenarioReport {
        name: name.into(),
        cell: cell(),
        label: name.into(),
        summary: format!("The summary of {name}"),
        at: At { file: PathBuf::from(name).join("scenario.toml"), line: 1 },
        proves: vec![ClauseId::build(1)],
        verdict,
        findings: Vec::new(),
        fault: None,
        not_run: Vec::new(),
        logs: Vec::new(),
        took: Duration::from_millis(1500),
        stages: vec![(Stage::Build, Duration::from_millis(1200))],
        reproduce: format!("wsgi-proof run ={name}"),
    }
}

pub(crate) fn cell() -> CellName {
    CellName { variant: "python-3.11".into(), dialect: "docker".into(), builder: "classic".into() }
}

/// A finding of a MUST, which held or did not.
pub(crate) fn finding(broken: bool) -> Finding {
    Finding {
        id: CheckId::BuildOutcome,
        subject: Subject::default(),
        at: At { file: PathBuf::from("x/scenario.toml"), line: 1 },
        level: Level::Must,
        stage: Stage::Build,
        clauses: Vec::new(),
        outcome: if broken { Outcome::Broken { expected: "a".into(), got: "b".into() } } else { Outcome::Held },
    }
}
