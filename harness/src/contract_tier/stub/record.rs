//! The orders of the stubs, and their records: files of the folder [`FOLDER`] in the sandbox.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::contract_tier::requirements::{Pip, Requirement};
use crate::suite::scenario::Signal;

/// The folder in the sandbox that stubs read and write.
pub(crate) const FOLDER: &str = "/run/stubs";
/// Programs that appear when they are installed.
pub(crate) const PROGRAMS: &str = "/run/stubs/bin";
/// Modules that appear when they are installed.
pub(crate) const MODULES: &str = "/run/stubs/site";
/// The file of the orders, in [`FOLDER`].
pub(crate) const ORDERS_FILE: &str = "orders.json";
/// The file of the calls, in [`FOLDER`]: JSON, a line each.
pub(crate) const CALLS_FILE: &str = "calls.jsonl";

/// A program that has a stub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tool {
    Apt,
    Pip,
    Git,
    Hg,
    ModWsgiExpress,
}

/// Where a stub must fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Failing {
    AptUpdate,
    AptInstall,
    /// `pip install` of Mercurial.
    Mercurial,
    /// `pip install` of what the application asks for.
    Requirements,
}

/// The order to a stub to fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub at: Failing,
    /// With which exit code.
    pub exit_code: i32,
    /// The signal by which it ends instead.
    pub signal: Option<Signal>,
    pub message: String,
}

/// The orders of the stubs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Orders {
    /// The pip that the stub stands for.
    pub pip: Pip,
    /// The failure, if there is to be one.
    pub failure: Option<Failure>,
    /// Whether every project is there already, in an older release.
    pub older: bool,
}

/// A call of a stub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    pub tool: Tool,
    pub arguments: Vec<String>,
    pub folder: PathBuf,
    pub user: u32,
    pub process: u32,
    pub environment: BTreeMap<String, String>,
    /// What it brought about.
    pub effect: Effect,
    pub exit_code: i32,
}

/// What a call brought about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Effect {
    None,
    /// Package lists were fetched.
    Lists,
    /// Packages of the system were installed.
    Packages {
        names: Vec<String>,
        /// Whether recommended ones came along.
        recommended: bool,
    },
    /// Python packages were installed.
    Projects(Vec<Installed>),
    /// A server was started.
    Serves,
}

/// An installed Python package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installed {
    /// What asked for it.
    pub requirement: Requirement,
    /// Whether it is the newest release, or the one asked for; and not one that was there before.
    pub fresh: bool,
    /// The checkout that an editable one runs from.
    pub checkout: Option<PathBuf>,
    /// The option because of which it is where an application does not find it.
    pub elsewhere: Option<String>,
    /// The options that left out what it may need.
    pub less: Vec<String>,
}

impl Orders {
    /// Nothing fails, and nothing is there.
    pub(crate) fn of(pip: Pip) -> Self {
        Self { pip, failure: None, older: false }
    }

    /// Reads the orders; in the sandbox.
    pub(super) fn read() -> io::Result<Self> {
        let text = std::fs::read_to_string(Path::new(FOLDER).join(ORDERS_FILE))?;
        serde_json::from_str(&text).map_err(io::Error::other)
    }

    /// The failure that is ordered at this point, if any.
    pub(super) fn fails(&self, at: Failing) -> Option<&Failure> {
        self.failure.as_ref().filter(|failure| failure.at == at)
    }
}

impl Call {
    /// Adds the call to the file of the calls; in the sandbox.
    pub(super) fn append(&self) -> io::Result<()> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        OpenOptions::new().create(true).append(true).open(Path::new(FOLDER).join(CALLS_FILE))?.write_all(&line)
    }

    /// Reads the calls from the folder that the sandbox had as [`FOLDER`].
    ///
    /// # Errors
    /// When the file cannot be read or is not what stubs write.
    pub(crate) fn read_all(folder: &Path) -> io::Result<Vec<Self>> {
        let text = match std::fs::read_to_string(folder.join(CALLS_FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
    }
}
