//! `[serve]` of a scenario file as it was typed.

mod http;

use schemars::JsonSchema;
use serde::Deserialize;

pub use http::HttpTable;

use super::{CommandTable, Typed};

/// What a started container must do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServeTable {
    /// Arguments instead of the image's `CMD`.
    pub arguments: Option<Typed<Vec<String>>>,
    /// Requests to port 80, in order; the first also waits until the container is ready.
    #[serde(default)]
    pub http: Vec<Typed<HttpTable>>,
    /// Commands run in the running container.
    #[serde(default)]
    pub command: Vec<Typed<CommandTable>>,
    /// What SIGTERM must lead to.
    pub stop: Option<Typed<StopTable>>,
    /// How the container must end by itself, instead of serving.
    pub end: Option<Typed<EndTable>>,
    /// Regular expressions for lines that the container's whole log must have, in this order.
    #[serde(default)]
    pub log: Vec<Typed<String>>,
    /// Regular expressions for lines that the container's whole log must not have.
    #[serde(default)]
    pub log_absent: Vec<Typed<String>>,
}

/// What SIGTERM must lead to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StopTable {
    /// The container's exit code.
    pub exit_code: Option<Typed<i64>>,
    /// The time that the container has for ending by itself, in seconds: 1 to 300.
    pub within_seconds: Typed<i64>,
}

/// How a container must end by itself: `exit_code` or `nonzero`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndTable {
    /// Its exit code.
    pub exit_code: Option<Typed<i64>>,
    /// `true`: any exit code but 0.
    pub nonzero: Option<Typed<bool>>,
    /// The time that it has for it, in seconds: 1 to 300.
    pub within_seconds: Typed<i64>,
}
