//! What a started container must do, resolved.

mod http;

use std::collections::BTreeMap;
use std::path::PathBuf;

use regex::Regex;

pub use http::{Body, HttpExpectation};

use super::{CommandExpectation, Declared};
use crate::outcome::At;

/// What a started container must do.
#[derive(Debug, Clone)]
pub struct ServeExpectation {
    /// Where `[serve]` stands.
    pub at: At,
    /// How the container is started.
    pub start: StartSettings,
    /// Requests to port 80, in order; the first also waits for readiness.
    pub http: Vec<HttpExpectation>,
    /// Commands in the running container.
    pub commands: Vec<CommandExpectation>,
    /// What SIGTERM must lead to.
    pub stop: Option<StopExpectation>,
    /// Whether it is started again after that, and asked again.
    pub restart: bool,
    /// How it must end by itself, instead of serving.
    pub end: Option<EndExpectation>,
    /// Lines that the container's log should have, in any order.
    pub should_log: Vec<Declared<Regex>>,
    /// Lines of the container's whole log, in this order.
    pub log: Vec<Declared<Regex>>,
    /// Lines of the application and of the real Apache, in an order of their own.
    pub tool_log: Vec<Declared<Regex>>,
    /// Lines that the container's log must not have.
    pub log_absent: Vec<Declared<Regex>>,
    /// Absolute paths at and below which it must have changed nothing.
    pub unchanged: Vec<Declared<String>>,
}

impl ServeExpectation {
    /// Whether anything is expected of the container's log.
    pub fn reads_log(&self) -> bool {
        !self.log.is_empty() || !self.tool_log.is_empty() || !self.log_absent.is_empty() || !self.should_log.is_empty()
    }
}

/// How a container is started, where it is not as the image says.
#[derive(Debug, Clone, Default)]
pub struct StartSettings {
    /// Arguments instead of the image's `CMD`.
    pub arguments: Option<Vec<String>>,
    /// Further environment variables.
    pub environment: BTreeMap<String, String>,
    /// The user.
    pub user: Option<String>,
    /// Whether its root is read-only.
    pub read_only: bool,
    /// Paths at which it has temporary file systems, and whether programs there can be executed.
    pub tmpfs: BTreeMap<String, bool>,
    /// What is mounted in the application's place.
    pub volume: Option<Volume>,
}

/// The files of a volume.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The folder that they are taken from.
    pub folder: PathBuf,
    /// Modes of files that differ from the default, by their path in the folder.
    pub modes: BTreeMap<PathBuf, u32>,
    /// The name that a folder `.docker` gets: the dialect's; none where folders keep their names.
    pub dialect_folder: Option<&'static str>,
    /// Whether the container may write there.
    pub writable: bool,
}

/// What SIGTERM must lead to.
#[derive(Debug, Clone)]
pub struct StopExpectation {
    /// The container's exit code.
    pub exit_code: Option<Declared<i64>>,
    /// The time that the container has for ending by itself, in seconds.
    pub within_seconds: Declared<u32>,
}

/// How a container must end by itself.
#[derive(Debug, Clone)]
pub struct EndExpectation {
    /// Its exit code.
    pub exit_code: Declared<EndCode>,
    /// The time that it has for it, in seconds.
    pub within_seconds: Declared<u32>,
}

/// The exit code of a container that ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCode {
    /// This one.
    Exactly(i64),
    /// Any but 0.
    NonZero,
}

#[cfg(test)]
impl ServeExpectation {
    /// A container of which nothing is expected.
    pub(crate) fn nothing(at: At) -> Self {
        Self {
            at,
            start: StartSettings::default(),
            http: Vec::new(),
            commands: Vec::new(),
            stop: None,
            restart: false,
            end: None,
            should_log: Vec::new(),
            log: Vec::new(),
            tool_log: Vec::new(),
            log_absent: Vec::new(),
            unchanged: Vec::new(),
        }
    }
}
