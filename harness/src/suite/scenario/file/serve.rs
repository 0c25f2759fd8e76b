//! `[serve]` of a scenario file as it was typed.

mod http;

use std::collections::BTreeMap;

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
    /// Environment variables that are given to the container, beside the image's.
    #[serde(default)]
    pub environment: BTreeMap<Typed<String>, Typed<String>>,
    /// The user that the container is started as, such as `"12345:0"`, instead of the image's.
    pub user: Option<Typed<String>>,
    /// `true`: the container's root is read-only.
    pub read_only: Option<Typed<bool>>,
    /// Absolute paths at which the container has temporary file systems. No program there can be executed, as is the
    /// engine's default, unless `:exec` follows the path.
    #[serde(default)]
    pub tmpfs: Vec<Typed<String>>,
    /// A volume with the files of the scenario's folder `volume/` is mounted on `/app`, for reading or for both.
    pub volume: Option<Typed<VolumeKey>>,
    /// Octal modes of files in `volume/` that differ from 0644 (directories: 0755), by path relative to it.
    #[serde(default)]
    pub volume_modes: BTreeMap<Typed<String>, Typed<String>>,
    /// Requests to port 80, in order; the first also waits until the container is ready.
    #[serde(default)]
    pub http: Vec<Typed<HttpTable>>,
    /// Commands run in the running container.
    #[serde(default)]
    pub command: Vec<Typed<CommandTable>>,
    /// What SIGTERM must lead to.
    pub stop: Option<Typed<StopTable>>,
    /// `true`: the stopped container is started again, asked again, and stopped again.
    pub restart: Option<Typed<bool>>,
    /// How the container must end by itself, instead of serving.
    pub end: Option<Typed<EndTable>>,
    /// Regular expressions for lines that the container's whole log should have, in any order; one that is not there is a
    /// warning.
    #[serde(default)]
    pub should_log: Vec<Typed<String>>,
    /// Regular expressions for lines that the container's whole log must have, in this order.
    #[serde(default)]
    pub log: Vec<Typed<String>>,
    /// As `log`, in an order of their own: lines of the application and of the real Apache, for which the contract tier has a
    /// stand-in.
    #[serde(default)]
    pub tool_log: Vec<Typed<String>>,
    /// Regular expressions for lines that the container's whole log must not have.
    #[serde(default)]
    pub log_absent: Vec<Typed<String>>,
    /// Absolute paths at and below which the container must have changed nothing, on a volume too.
    #[serde(default)]
    pub unchanged: Vec<Typed<String>>,
}

/// What a container may do with its volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeKey {
    /// Only read it.
    ReadOnly,
    /// Read and write it.
    ReadWrite,
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
