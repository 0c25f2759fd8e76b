//! `[serve]`: what a started container must do.

mod end;
mod http;
mod start;
mod stop;

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::command;
use super::command::{CommandExpectation, CommandTable};
use crate::outcome::At;
use crate::suite::scenario::Declared;
use crate::suite::scenario::pattern::Purpose;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

use end::EndTable;
pub(crate) use end::{EndCode, EndExpectation};
pub(crate) use http::HttpExpectation;
use http::HttpTable;
use start::VolumeKey;
pub(crate) use start::{StartSettings, Volume};
pub(crate) use stop::StopExpectation;
use stop::StopTable;

/// The longest time that a container may be given for ending by itself, in seconds.
const LONGEST_STOP: u32 = 300;

/// What a started container must do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServeTable {
    /// Arguments instead of the image's `CMD`.
    pub(crate) arguments: Option<Typed<Vec<String>>>,
    /// Environment variables that are given to the container, beside the image's.
    #[serde(default)]
    pub(crate) environment: BTreeMap<Typed<String>, Typed<String>>,
    /// The user that the container is started as, such as `"12345:0"`, instead of the image's.
    pub(crate) user: Option<Typed<String>>,
    /// `true`: the container's root is read-only.
    #[schemars(extend("default" = false))]
    pub(crate) read_only: Option<Typed<bool>>,
    /// Absolute paths at which the container has temporary file systems. No program there can be executed, as is the
    /// engine's default, unless `:exec` follows the path.
    #[serde(default)]
    pub(crate) tmpfs: Vec<Typed<String>>,
    /// A volume with the files of the scenario's folder `volume/` is mounted on `/app`, for reading or for both.
    pub(crate) volume: Option<Typed<VolumeKey>>,
    /// Octal modes of files in `volume/` that differ from 0644 (directories: 0755), by path relative to it.
    #[serde(default)]
    pub(crate) volume_modes: BTreeMap<Typed<String>, Typed<String>>,
    /// Requests to port 80, in order; the first also waits until the container is ready.
    #[serde(default)]
    pub(crate) http: Vec<Typed<HttpTable>>,
    /// Commands run in the running container.
    #[serde(default)]
    pub(crate) command: Vec<Typed<CommandTable>>,
    /// What SIGTERM must lead to.
    pub(crate) stop: Option<Typed<StopTable>>,
    /// The container is ended in this way, started again, asked again, and stopped.
    pub(crate) restart: Option<Typed<RestartKey>>,
    /// `true`: the container has a terminal, which is resized after the requests; then they are sent again.
    #[schemars(extend("default" = false))]
    pub(crate) terminal: Option<Typed<bool>>,
    /// How the container must end by itself, instead of serving.
    pub(crate) end: Option<Typed<EndTable>>,
    /// Regular expressions for lines that the container's whole log should have, in any order; one that is not there is a
    /// warning.
    #[serde(default)]
    pub(crate) should_log: Vec<Typed<String>>,
    /// Regular expressions for lines that the container's whole log must have, in this order.
    #[serde(default)]
    pub(crate) log: Vec<Typed<String>>,
    /// As `log`, in an order of their own: lines of the application and of the real Apache, for which the contract tier has a
    /// stub.
    #[serde(default)]
    pub(crate) tool_log: Vec<Typed<String>>,
    /// Regular expressions for lines that the container's whole log must not have.
    #[serde(default)]
    pub(crate) log_absent: Vec<Typed<String>>,
    /// Absolute paths at and below which the container must have changed nothing, on a volume too.
    #[serde(default)]
    pub(crate) unchanged: Vec<Typed<String>>,
}

/// How a container is ended that is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RestartKey {
    /// By SIGTERM, as `[serve.stop]` says.
    AfterStop,
    /// By SIGKILL, which leaves it no time to clean up.
    AfterKill,
}

/// What a started container must do.
#[derive(Debug, Clone)]
pub(crate) struct ServeExpectation {
    pub at: At,
    /// How the container is started.
    pub start: StartSettings,
    /// Requests to port 80, in order; the first also waits for readiness.
    pub http: Vec<HttpExpectation>,
    /// Commands in the running container.
    pub commands: Vec<CommandExpectation>,
    /// What SIGTERM must lead to.
    pub stop: Option<StopExpectation>,
    /// How it is ended to be started again, and asked again.
    pub restart: Option<RestartKey>,
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
    pub(crate) fn reads_log(&self) -> bool {
        !self.log.is_empty() || !self.tool_log.is_empty() || !self.log_absent.is_empty() || !self.should_log.is_empty()
    }
}

pub(super) fn resolve(resolver: &mut Resolver<'_>, folder: &Path, typed: &Typed<ServeTable>) -> ServeExpectation {
    let table = typed.get();
    let asserts = !table.http.is_empty()
        || !table.command.is_empty()
        || table.stop.is_some()
        || table.end.is_some()
        || !table.log.is_empty()
        || !table.should_log.is_empty()
        || !table.log_absent.is_empty()
        || !table.unchanged.is_empty();
    if !asserts {
        resolver
            .fault(typed.span(), "`[serve]` asserts nothing")
            .advice("add `[[serve.http]]`, or another of its keys");
    }
    if table.end.is_some() {
        nothing_of_one_that_serves(resolver, table);
    }
    if let Some(restart) = &table.restart
        && table.http.is_empty()
        && table.end.is_none()
    {
        resolver
            .fault(restart.span(), "`restart` of a container that is not asked")
            .advice("add `[[serve.http]]`, which is asked again after the restart");
    }
    if let Some(terminal) = &table.terminal
        && *terminal.get()
        && table.http.is_empty()
        && table.end.is_none()
    {
        resolver
            .fault(terminal.span(), "`terminal` of a container that is not asked")
            .advice("add `[[serve.http]]`, which is asked again when the terminal was resized");
    }
    let start = start::resolve(resolver, folder, typed);
    let http = table.http.iter().filter_map(|request| http::resolve(resolver, request)).collect();
    let commands = command::resolve(resolver, &table.command);
    let stop = table.stop.as_ref().and_then(|stop| stop::resolve(resolver, stop.get()));
    let end = table.end.as_ref().and_then(|end| end::resolve(resolver, end));
    let (log, log_absent) = resolver.lines(&table.log, &table.log_absent);
    let should_log = resolver.patterns(&table.should_log, Purpose::Line);
    ServeExpectation {
        at: resolver.at(&typed.span()),
        start,
        http,
        commands,
        stop,
        restart: table.restart.as_ref().map(|restart| *restart.get()),
        end,
        should_log,
        log,
        tool_log: resolver.patterns(&table.tool_log, Purpose::Line),
        log_absent,
        unchanged: unchanged(resolver, &table.unchanged),
    }
}

/// A container that must end by itself cannot be asked anything, nor stopped.
fn nothing_of_one_that_serves(resolver: &mut Resolver<'_>, table: &ServeTable) {
    let http = table.http.first().map(|table| ("[[serve.http]]", table.span()));
    let command = table.command.first().map(|table| ("[[serve.command]]", table.span()));
    let stop = table.stop.as_ref().map(|table| ("[serve.stop]", table.span()));
    let restart = table.restart.as_ref().map(|typed| ("restart", typed.span()));
    let terminal = table.terminal.as_ref().map(|typed| ("terminal", typed.span()));
    for (key, span) in [http, command, stop, restart, terminal].into_iter().flatten() {
        resolver
            .fault(span, format!("`{key}` of a container that must end by itself"))
            .label("only without `[serve.end]`");
    }
}

/// Plain absolute paths, each of them once.
fn unchanged(resolver: &mut Resolver<'_>, paths: &[Typed<String>]) -> Vec<Declared<String>> {
    for (index, path) in paths.iter().enumerate() {
        start::path(resolver, path);
        if paths[..index].iter().any(|earlier| earlier.get() == path.get()) {
            resolver.fault(path.span(), format!("`{}` is there twice", path.get().escape_debug()));
        }
    }
    let mut declared = Vec::new();
    for path in paths {
        let text = resolver.text(path);
        declared.push(resolver.declared(path, text));
    }
    declared
}

/// A time that a container is given.
fn seconds(resolver: &mut Resolver<'_>, typed: &Typed<i64>, fault: &str) -> Option<Declared<u32>> {
    let Ok(seconds @ 1..=LONGEST_STOP) = u32::try_from(*typed.get()) else {
        resolver.fault(typed.span(), fault).label(format!("must be 1 to {LONGEST_STOP} seconds"));
        return None;
    };
    Some(resolver.declared(typed, seconds))
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
            restart: None,
            end: None,
            should_log: Vec::new(),
            log: Vec::new(),
            tool_log: Vec::new(),
            log_absent: Vec::new(),
            unchanged: Vec::new(),
        }
    }
}
