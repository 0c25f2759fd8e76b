//! Events: the only thing that reporters and the verdict see of a run.
//!
//! The executor is their sole sender. Match them without a catch-all: a new event must force a decision in each
//! reporter.

use std::fmt;
use std::time::Duration;

use crate::cell::Cell;
use crate::check::Finding;
use crate::dialect::Dialect;
use crate::isolation::Isolation;
use crate::scenario::At;
use crate::verdict::Verdict;

/// Something that happened in a run, in order.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run begins; sent once, first.
    RunStarted(Box<RunStart>),
    /// An image that the scenarios share is being prepared.
    PreparationStarted {
        /// Which, such as `base image`.
        what: String,
    },
    /// A line of its log.
    PreparationProgress {
        /// Which.
        what: String,
        /// The line.
        line: String,
    },
    /// It is ready, or cannot be had.
    PreparationFinished {
        /// Which.
        what: String,
        /// How long it took.
        took: Duration,
        /// What came of it.
        end: PreparationEnd,
    },
    /// A scenario's first step begins.
    ScenarioStarted {
        /// Its label.
        label: String,
    },
    /// A scenario has reached another stage.
    ScenarioStage {
        /// Its label.
        label: String,
        /// The stage.
        stage: Stage,
    },
    /// A scenario is done; sent once for each scenario planned.
    ScenarioFinished(Box<ScenarioReport>),
    /// The run is over; sent once, last.
    RunFinished(Box<RunFinish>),
}

/// What a run sets out to do, and on what.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RunStart {
    /// The run's id, which every resource on the engine carries as a label.
    pub run: String,
    /// When it began, RFC 3339, UTC.
    pub started: String,
    /// The number of scenarios selected.
    pub planned: usize,
    /// Steps run at once, at the most.
    pub jobs: usize,
    /// The engine, and why this one.
    pub engine: String,
    /// The images under test.
    pub candidate: String,
    /// The cells: variant and dialect.
    pub cells: Vec<CellName>,
    /// Whether a broken SHOULD is a fail.
    pub strict: bool,
    /// What keeps builds and containers from the outside.
    pub isolation: String,
    /// Whether filling the fixture store was forbidden.
    pub offline: bool,
}

/// A cell: a variant in a dialect.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CellName {
    /// The variant: distribution and Python.
    pub variant: String,
    /// The dialect.
    pub dialect: Dialect,
}

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variant, self.dialect)
    }
}

impl From<&Cell> for CellName {
    fn from(cell: &Cell) -> Self {
        Self { variant: cell.variant.name.clone(), dialect: cell.dialect }
    }
}

/// What came of preparing a shared image.
#[derive(Debug, Clone)]
pub enum PreparationEnd {
    /// It is ready.
    Ready {
        /// What a person may want to know: its id and size, or that it came from the cache.
        note: String,
    },
    /// The candidate's own build failed.
    Failed {
        /// What was wrong.
        why: String,
        /// The log.
        log: Vec<String>,
    },
    /// The suite could not tell.
    Error(Fault),
}

/// Why the suite could not tell.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A stage of a scenario, for progress and timings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The application image is being built.
    Build,
    /// Configuration, files and commands of the image are being looked at.
    Examine,
    /// The container is starting and being asked.
    Probe,
    /// The container is being stopped.
    Stop,
}

impl Stage {
    /// The word that progress shows.
    pub fn word(self) -> &'static str {
        match self {
            Self::Build => "building",
            Self::Examine => "examining",
            Self::Probe => "probing",
            Self::Stop => "stopping",
        }
    }
}

/// A log that helps to understand a scenario.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Log {
    /// Which: `build log` or `container log`.
    pub title: String,
    /// Its lines.
    pub lines: Vec<String>,
}

/// What a scenario came to, and why.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// The cell that it was held against.
    pub cell: CellName,
    /// What tells it from the run's other scenarios: its name, and its cell where there are several.
    pub label: String,
    /// Its one sentence.
    pub summary: String,
    /// Where it is declared.
    pub at: At,
    /// The clauses of the contract that it proves.
    pub proves: Vec<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Every assertion made, held or broken, in order.
    pub findings: Vec<Finding>,
    /// Why the suite could not tell.
    pub fault: Option<Fault>,
    /// What was not done, and why.
    pub not_run: Vec<String>,
    /// The logs.
    pub logs: Vec<Log>,
    /// How long the scenario's steps took.
    pub took: Duration,
    /// How long each stage took.
    pub stages: Vec<(Stage, Duration)>,
    /// The command that does it again.
    pub reproduce: String,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// Everything planned was reported.
    Completed,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// It took longer than it may.
    TimeIsOver,
}

/// What is left to say at the end of a run.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RunFinish {
    /// How it ended.
    pub end: RunEnd,
    /// How long it took.
    pub took: Duration,
    /// The processor time of the suite itself in it; the rest is the engine's, or waiting.
    pub own: Duration,
    /// What builds asked of the fixture server.
    pub fixtures: String,
    /// What was asked of it that it does not have, and that no scenario declares absent; a run with any proves nothing.
    pub undeclared: Vec<String>,
    /// What the run did less of than the lock of the suite says; a run with any fails.
    pub shortfalls: Vec<String>,
    /// Scenarios that were repeated and came out otherwise on the same inputs.
    pub flaky: Vec<String>,
    /// How builds and containers turned out to be isolated.
    pub isolation: Isolation,
    /// What a person should know: an engine still running, things kept or left behind.
    pub notes: Vec<String>,
}

#[cfg(test)]
pub(crate) mod tests {
    //! Events for tests of the verdict and of the reporters.

    use std::path::PathBuf;

    use super::*;

    pub(crate) fn started(planned: usize) -> Event {
        Event::RunStarted(Box::new(RunStart {
            run: "0123456789ab".into(),
            started: "2026-11-23T12:00:00Z".into(),
            planned,
            jobs: 2,
            engine: "Docker 20.10.24 (DOCKER_HOST)".into(),
            candidate: "images/base, images/onbuild".into(),
            cells: vec![cell()],
            strict: false,
            isolation: "internal network 10.231.0.0/24".into(),
            offline: false,
        }))
    }

    pub(crate) fn report(name: &str, verdict: Verdict) -> ScenarioReport {
        ScenarioReport {
            name: name.into(),
            cell: cell(),
            label: name.into(),
            summary: format!("The summary of {name}"),
            at: At { file: PathBuf::from(name).join("scenario.toml"), line: 1 },
            proves: vec!["BUILD-1".into()],
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

    fn cell() -> CellName {
        CellName { variant: "python-3.11".into(), dialect: Dialect::Docker }
    }

    pub(crate) fn short(shortfalls: &[&str]) -> Event {
        Event::RunFinished(Box::new(RunFinish {
            end: RunEnd::Completed,
            took: Duration::from_secs(3),
            own: Duration::from_millis(90),
            fixtures: "12 requests, 0 from upstream".into(),
            undeclared: Vec::new(),
            shortfalls: shortfalls.iter().map(ToString::to_string).collect(),
            flaky: Vec::new(),
            isolation: Isolation::default(),
            notes: Vec::new(),
        }))
    }

    pub(crate) fn finished(end: RunEnd) -> Event {
        Event::RunFinished(Box::new(RunFinish {
            end,
            took: Duration::from_secs(3),
            own: Duration::from_millis(90),
            fixtures: "12 requests, 0 from upstream".into(),
            undeclared: Vec::new(),
            shortfalls: Vec::new(),
            flaky: Vec::new(),
            isolation: Isolation::default(),
            notes: vec!["the private engine is still running (`wsgi-proof engine stop` ends it)".into()],
        }))
    }
}
