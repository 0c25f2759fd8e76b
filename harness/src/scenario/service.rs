//! What a started container must do, resolved.

mod http;

use regex::Regex;

pub use http::{Body, HttpExpectation};

use super::{At, CommandExpectation, Declared};

/// What a started container must do.
#[derive(Debug, Clone)]
pub struct ServeExpectation {
    /// Where `[serve]` stands.
    pub at: At,
    /// Arguments instead of the image's `CMD`.
    pub arguments: Option<Vec<String>>,
    /// Requests to port 80, in order; the first also waits for readiness.
    pub http: Vec<HttpExpectation>,
    /// Commands in the running container.
    pub commands: Vec<CommandExpectation>,
    /// What SIGTERM must lead to.
    pub stop: Option<StopExpectation>,
    /// How it must end by itself, instead of serving.
    pub end: Option<EndExpectation>,
    /// Lines of the container's whole log, in this order.
    pub log: Vec<Declared<Regex>>,
    /// Lines that the container's log must not have.
    pub log_absent: Vec<Declared<Regex>>,
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
            arguments: None,
            http: Vec::new(),
            commands: Vec::new(),
            stop: None,
            end: None,
            log: Vec::new(),
            log_absent: Vec::new(),
        }
    }
}
