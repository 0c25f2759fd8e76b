//! Scenarios: a sample application, what is done with it, and what must come out.
//!
//! Two stages: `file` holds the scenario file as it was typed, with spans; the types here are the
//! resolved, valid values, and the rest of the program sees only these. Every expectation keeps the
//! place where it was declared ([`At`]), so that a finding can point at *expected because of this line*.

mod app;
mod applies;
mod context;
pub mod diagnostic;
mod dockerignore;
pub mod file;
mod files;
mod load;
mod pattern;
mod placeholder;
mod rebuild;
mod resolve;
mod serve;
mod service;
mod setting;

use crate::outcome::At;
use std::collections::BTreeMap;
use std::path::PathBuf;

use regex::Regex;

use crate::suite::dialect::Dialect;
use crate::suite::limits::Limit;

pub use context::{ContextError, MAX_CONTEXT, build_context, folder_context, rebuild_context, volume_context};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use dockerignore::PatternError;
pub use load::{APP_FOLDER, SCENARIO_FILE, VOLUME_FOLDER, load};
pub use pattern::as_typed;
pub use service::{
    Body, EndCode, EndExpectation, HttpExpectation, ServeExpectation, StartSettings, StopExpectation, Volume,
};
pub use setting::Setting;

/// An expected value, and where it was declared.
#[derive(Debug, Clone)]
pub struct Declared<T> {
    /// The expected value.
    pub value: T,
    /// Where the scenario file says so.
    pub at: At,
}

/// What a scenario looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// An application image, built from `app/` on the candidate.
    Application,
    /// The candidate's onbuild image itself.
    OnbuildImage,
    /// The candidate's base image itself.
    BaseImage,
}

/// One scenario, resolved and valid.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The folder's name, unique in the suite.
    pub name: String,
    /// One sentence: what must hold.
    pub summary: Declared<String>,
    /// Where the expectation comes from.
    pub source: String,
    /// The clauses of the contract that it proves.
    pub proves: Vec<Declared<String>>,
    /// What the scenario looks at.
    pub subject: Subject,
    /// The dialect that it was loaded for.
    pub dialect: Dialect,
    /// Why it does not apply in the cell that it was loaded for, if so.
    pub not_applicable: Option<Declared<String>>,
    /// Why it does not apply in the contract tier, if so.
    pub not_in_contract_tier: Option<Declared<String>>,
    /// Whether the application's folders `.docker` and `.whiskey` keep their names.
    pub keep_folders: bool,
    /// What the candidate may take, where that is not as usual.
    pub limits: Vec<Limit>,
    /// Files that are made for the build.
    pub generate: Option<Generate>,
    /// The application folder (the build context); only for [`Subject::Application`].
    pub app: Option<PathBuf>,
    /// Modes of files of the application that differ from the default, by their path in `app/`.
    pub modes: BTreeMap<PathBuf, u32>,
    /// Projects that the build may look up in the package index without finding them (PEP 503-normalised).
    pub absent_packages: Vec<String>,
    /// What the build must come to; only for [`Subject::Application`].
    pub build: Option<BuildExpectation>,
    /// The build done again on the layer cache, in order.
    pub rebuilds: Vec<Rebuild>,
    /// What the image's configuration must be.
    pub image: ImageExpectation,
    /// What the image's file system must hold.
    pub files: Vec<FileExpectation>,
    /// Commands run in a fresh container of the image.
    pub commands: Vec<CommandExpectation>,
    /// What the container must do when it is started.
    pub serve: Option<ServeExpectation>,
}

/// Files that are made for the build: `FOLDER/0.txt` and so on, each with its number in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generate {
    /// The folder, relative to the application folder.
    pub folder: PathBuf,
    /// How many files.
    pub files: u32,
}

/// The build done again on the layer cache.
#[derive(Debug, Clone)]
pub struct Rebuild {
    /// Where it stands.
    pub at: At,
    /// Text that files get at their end first, by path relative to the application folder.
    pub append: BTreeMap<PathBuf, String>,
    /// Lines that the log must have, in this order.
    pub log: Vec<Declared<Regex>>,
    /// Lines that the log must not have.
    pub log_absent: Vec<Declared<Regex>>,
}

/// A phase of the build step, in the order of the article.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The `pre-build` hook.
    PreBuild,
    /// The installation of git.
    Git,
    /// The installation of Mercurial.
    Mercurial,
    /// The installation of the requirements.
    Pip,
    /// The `build` hook.
    Build,
}

/// How the build must end.
#[derive(Debug, Clone)]
pub enum BuildOutcome {
    /// The image must be built.
    Success,
    /// The build step must fail, for this reason and no other.
    Failure {
        /// The phase that must fail.
        phase: Declared<Phase>,
        /// The build step's exit code: one of these.
        exit_codes: Declared<Vec<i64>>,
        /// A line that the failing phase must log.
        because: Declared<Regex>,
    },
}

/// What the build must come to.
#[derive(Debug, Clone)]
pub struct BuildExpectation {
    /// How it must end.
    pub outcome: Declared<BuildOutcome>,
    /// The folders that progress lines may name: the dialect's.
    pub folders: &'static [&'static str],
    /// The phases that should announce themselves, exactly and in this order.
    pub phases: Option<Declared<Vec<Phase>>>,
    /// Lines that the log should have, in any order.
    pub should_log: Vec<Declared<Regex>>,
    /// Lines that the log must have, in this order.
    pub log: Vec<Declared<Regex>>,
    /// Lines of the real tools, in an order of their own.
    pub tool_log: Vec<Declared<Regex>>,
    /// Lines that the log must not have.
    pub log_absent: Vec<Declared<Regex>>,
}

/// What the image's configuration must be; nothing is expected of what is `None` or empty.
#[derive(Debug, Clone, Default)]
pub struct ImageExpectation {
    /// The `ONBUILD` triggers, exactly and in order.
    pub triggers: Option<Declared<Vec<String>>>,
    /// The entry point, in exec form.
    pub entry_point: Option<Declared<Vec<String>>>,
    /// The default command (`CMD`).
    pub command: Option<Declared<Vec<String>>>,
    /// The exposed ports such as `80/tcp`, exactly, as a set.
    pub exposed_ports: Option<Declared<Vec<String>>>,
    /// The working directory.
    pub working_directory: Option<Declared<String>>,
    /// The user; empty for root by default.
    pub user: Option<Declared<String>>,
    /// What the image may take, in megabytes of 1,000,000 bytes.
    pub max_megabytes: Option<Declared<u64>>,
    /// Environment variables by name, with a pattern for the whole value.
    pub environment: BTreeMap<String, Declared<Regex>>,
    /// Labels by name, with a pattern for the whole value.
    pub labels: BTreeMap<String, Declared<Regex>>,
}

/// What must be at a path of the image's file system.
#[derive(Debug, Clone)]
pub struct FileExpectation {
    /// The absolute path.
    pub path: String,
    /// What must be there.
    pub state: Declared<FileState>,
}

/// What must be at a path.
#[derive(Debug, Clone)]
pub enum FileState {
    /// Something is there.
    Exists {
        /// Its permission bits.
        mode: Option<Declared<u32>>,
        /// Its numeric owner, `uid:gid`.
        owner: Option<Declared<String>>,
        /// A pattern found in its content.
        content: Option<Declared<Regex>>,
    },
    /// Nothing is there.
    Absent,
    /// A directory without entries, or nothing.
    Empty,
}

/// A command, and what it must come to.
#[derive(Debug, Clone)]
pub struct CommandExpectation {
    /// The program and its arguments; no shell.
    pub run: Declared<Vec<String>>,
    /// Its exit code.
    pub exit_code: Declared<i64>,
    /// A pattern found in its standard output and standard error.
    pub output: Option<Declared<Regex>>,
    /// A pattern not found there.
    pub output_absent: Option<Declared<Regex>>,
}

impl Scenario {
    /// Whether anything is expected of the image itself: its configuration, files, or commands in it.
    pub fn examines_image(&self) -> bool {
        !self.image.is_empty() || !self.files.is_empty() || !self.commands.is_empty()
    }
}

impl ImageExpectation {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        let Self {
            triggers,
            entry_point,
            command,
            exposed_ports,
            working_directory,
            user,
            max_megabytes,
            environment,
            labels,
        } = self;
        triggers.is_none()
            && entry_point.is_none()
            && command.is_none()
            && exposed_ports.is_none()
            && working_directory.is_none()
            && user.is_none()
            && max_megabytes.is_none()
            && environment.is_empty()
            && labels.is_empty()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    //! Scenarios for tests of what comes after loading.

    use super::*;
    use crate::suite::cell::tests::cell;

    /// Loads the scenarios of a folder for the default cell.
    pub(crate) fn load_here(root: &std::path::Path) -> Result<Vec<Scenario>, Diagnostics> {
        let variants = ["python-2.7".to_owned(), "python-3.11".to_owned()];
        load(root, &Setting { cell: &cell(Dialect::Docker), variants: &variants })
    }

    /// A scenario of this name on this subject; an application's build must succeed and then serve, or fail.
    pub(crate) fn scenario(name: &str, subject: Subject, succeeds: bool) -> Scenario {
        let at = At { file: PathBuf::from(name).join("scenario.toml"), line: 1 };
        let declared = || At { line: 4, ..at.clone() };
        let outcome = if succeeds {
            BuildOutcome::Success
        } else {
            BuildOutcome::Failure {
                phase: Declared { value: Phase::Pip, at: declared() },
                exit_codes: Declared { value: vec![1], at: declared() },
                because: Declared {
                    value: Regex::new("No matching").unwrap_or_else(|_| unreachable!()),
                    at: declared(),
                },
            }
        };
        let application = subject == Subject::Application;
        Scenario {
            name: name.to_owned(),
            summary: Declared { value: format!("The summary of {name}"), at: at.clone() },
            source: "a test".to_owned(),
            proves: Vec::new(),
            subject,
            dialect: Dialect::Docker,
            not_applicable: None,
            not_in_contract_tier: None,
            keep_folders: false,
            limits: Vec::new(),
            generate: None,
            app: application.then(|| PathBuf::from(name).join("app")),
            modes: BTreeMap::new(),
            absent_packages: Vec::new(),
            build: application.then(|| BuildExpectation {
                outcome: Declared { value: outcome, at: declared() },
                folders: Dialect::Docker.folders(),
                phases: None,
                should_log: Vec::new(),
                log: Vec::new(),
                tool_log: Vec::new(),
                log_absent: Vec::new(),
            }),
            rebuilds: Vec::new(),
            image: ImageExpectation::default(),
            files: Vec::new(),
            commands: Vec::new(),
            serve: (application && succeeds).then(|| ServeExpectation::nothing(at.clone())),
        }
    }
}
