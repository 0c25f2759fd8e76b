//! Events: the only thing that reporters and the verdict see of a run.
//!
//! The executor is their sole sender. Match them without a catch-all: a new event must force a decision in each
//! reporter.

use crate::outcome::{CellName, Fault, ScenarioReport, Stage};
use std::time::Duration;

use crate::isolation::Isolation;
use crate::run::shard::ShardOf;

/// Something that happened in a run, in order. As JSON it names itself in `event`.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
    /// The run begins; sent once, first.
    RunStarted(Box<RunStart>),
    /// An image that the scenarios share is being prepared.
    PreparationStarted {
        /// Which, such as `base image`.
        what: String,
    },
    /// A line of its log.
    PreparationProgress { what: String, line: String },
    /// It is ready, or not available.
    PreparationFinished {
        what: String,
        /// How long it took.
        took: Duration,
        end: PreparationEnd,
    },
    /// A scenario's first step begins.
    ScenarioStarted { label: String },
    /// A scenario has reached another stage.
    ScenarioStage { label: String, stage: Stage },
    /// A scenario is done; sent once for each scenario planned.
    ScenarioFinished(Box<ScenarioReport>),
    /// The run is over; sent once, last.
    RunFinished(Box<RunFinish>),
}

/// What a run sets out to do, and on what.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct RunStart {
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
    /// The digest of the suite; none where its folder has what cannot be packed.
    pub suite: Option<String>,
    /// The cells: variant, dialect and builder.
    pub cells: Vec<CellName>,
    /// Whether SHOULD violations are failures.
    pub strict: bool,
    /// Whether the candidate is a control, which must be caught.
    #[serde(skip)]
    pub control: bool,
    /// What keeps builds and containers from the outside.
    pub isolation: String,
    /// Whether filling the fixture store was forbidden.
    pub offline: bool,
    /// Of a part of a run, which one.
    pub shard: Option<ShardOf>,
}

/// The result of preparing a shared image.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PreparationEnd {
    Ready {
        /// What a person may want to know: its id and size, or that it came from the cache.
        note: String,
    },
    /// The candidate's own build failed.
    Failed {
        why: String,
        log: Vec<String>,
    },
    Error(Fault),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RunEnd {
    /// Everything planned was reported.
    Completed,
    Interrupted,
    Terminated,
    /// It took longer than it may.
    TimeIsOver,
}

/// What is left to say at the end of a run.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct RunFinish {
    pub end: RunEnd,
    /// How long it took.
    pub took: Duration,
    /// The processor time of the suite itself in it; the rest is the engine's, or waiting.
    pub own: Duration,
    /// What builds asked of the fixture server.
    pub fixtures: String,
    /// Requests for what it does not have, and no scenario declares absent; a run with any is inconclusive.
    pub undeclared: Vec<String>,
    /// What the assertion lock requires and the run did not reach; a run with any fails.
    pub shortfalls: Vec<String>,
    /// Flaky scenarios, with their results.
    pub flaky: Vec<String>,
    /// How builds and containers turned out to be isolated.
    pub isolation: Isolation,
    /// What a person should know: an engine still running, things kept or left behind.
    pub notes: Vec<String>,
}

#[cfg(test)]
pub(crate) mod tests {
    //! Events for tests of the verdict and of the reporters.

    use super::*;
    use crate::outcome::samples::cell;

    pub(crate) fn started(planned: usize) -> Event {
        Event::RunStarted(Box::new(RunStart {
            run: "0123456789ab".into(),
            started: "2026-11-23T12:00:00Z".into(),
            planned,
            jobs: 2,
            engine: "Docker 20.10.24 (DOCKER_HOST)".into(),
            candidate: "images/base, images/onbuild".into(),
            suite: Some("sha256:0123".into()),
            cells: vec![cell()],
            strict: false,
            control: false,
            isolation: "internal network 10.231.0.0/24".into(),
            offline: false,
            shard: None,
        }))
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
