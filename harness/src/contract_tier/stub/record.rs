//! The orders of the stubs, which they read in the sandbox, and their calls, which they say to the outside.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::contract_tier::requirements::{Pip, Requirement};
use crate::suite::scenario::Signal;

/// The folder in the sandbox that is given to stubs to read.
pub(crate) const GIVEN: &str = "/run/wsgi-proof";
/// The file of the orders, in [`GIVEN`].
pub(crate) const ORDERS_FILE: &str = "orders.json";
/// Where the stubs say their calls, in [`GIVEN`].
pub(crate) const SOCKET_FILE: &str = "calls";
/// The folder in the sandbox that has what stubs make appear.
pub(crate) const FOLDER: &str = "/run/stubs";
/// Programs that appear when they are installed.
pub(crate) const PROGRAMS: &str = "/run/stubs/bin";
/// Modules that appear when they are installed.
pub(crate) const MODULES: &str = "/run/stubs/site";

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
    /// The umask, where others than root could not read what it makes.
    pub hides: Option<u32>,
    /// Whether SIGTERM does not reach it.
    pub deaf: bool,
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
    /// Packages of the system were taken away.
    Removed(Vec<String>),
    /// Python packages were installed.
    Projects(Vec<Installed>),
    /// Python packages were taken away, by the names of their projects.
    Uninstalled(Vec<String>),
    /// A server was started.
    Serves,
    /// pip's own modules were asked for something that the stub does not have.
    Unknown(String),
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
    /// The options that left out what it may need, and a umask because of which only root can read it.
    pub less: Vec<String>,
    /// Whether a pre-release was as good as a release.
    pub pre_release: bool,
}

impl Orders {
    /// Nothing fails, and nothing is there.
    pub(crate) fn of(pip: Pip) -> Self {
        Self { pip, failure: None, older: false }
    }

    /// Reads the orders; in the sandbox.
    pub(super) fn read() -> io::Result<Self> {
        let text = std::fs::read_to_string(Path::new(GIVEN).join(ORDERS_FILE))?;
        serde_json::from_str(&text).map_err(io::Error::other)
    }

    /// The failure that is ordered at this point, if any.
    pub(super) fn fails(&self, at: Failing) -> Option<&Failure> {
        self.failure.as_ref().filter(|failure| failure.at == at)
    }
}

impl Call {
    /// Says the call to whom the sandbox is watched by, and waits until it is written down; in the sandbox.
    pub(super) fn say(&self) -> io::Result<()> {
        let mut stream = UnixStream::connect(Path::new(GIVEN).join(SOCKET_FILE))?;
        stream.write_all(&serde_json::to_vec(self)?)?;
        stream.shutdown(Shutdown::Write)?;
        stream.read_exact(&mut [0])
    }
}
