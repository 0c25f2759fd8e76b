//! What every step of a run shares.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::{Loading, OwnRelays, Saving, Shell};
use crate::check::captured::Captured;
use crate::engine::{Clients, Engine, Guard, Mark, Network, Relay, named_containers};
use crate::isolation::Watch;
use crate::mirror::{RequestLog, Server};
use crate::outcome::RunId;
use crate::run::criteria::Criteria;
use crate::run::plan::CandidateOrigin;
use crate::suite::builder::Builder;
use crate::suite::cell::Cell;
use crate::suite::control::Replacements;
use crate::suite::dialect::Dialect;
use crate::suite::limits::Limits;

/// What every step of a run shares.
pub(crate) struct Setup {
    pub engine: Engine,
    /// The run's own network.
    pub network: Network,
    /// What reaches containers, and lets them reach the fixture server, from when it is started.
    pub relay: OnceLock<Relay>,
    /// The relays that builds have for themselves.
    pub own_relays: OwnRelays,
    /// An image that is not under test, for containers of the run's own: the relay's, from when that is started.
    pub plain: OnceLock<String>,
    pub server: Server,
    pub guard: Guard,
    /// What the canaries find.
    pub watch: Arc<Watch>,
    pub run: RunId,
    /// What builds and containers asked of the fixture server.
    pub requests: RequestLog,
    /// The folders that base and onbuild image are built from.
    pub dockerfiles: (PathBuf, PathBuf),
    /// Whether the candidate is the repository's own, whose images are kept for the next run.
    pub own_files: bool,
    /// What scenarios are judged by.
    pub criteria: Criteria,
    pub cache: PathBuf,
    /// Where the images under test come from.
    pub origin: CandidateOrigin,
    /// What stands in for files of `images/base`.
    pub base: Replacements,
    /// What stands in for files of `images/onbuild`.
    pub onbuild: Replacements,
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// What a candidate may take, unless a scenario says otherwise.
    pub limits: Limits,
    /// Projects that any scenario of the run declares absent from the package index.
    pub absent: Vec<String>,
    /// What builds are made with, in one cell or another.
    pub builders: Vec<Builder>,
    /// Steps at once, at the most.
    pub jobs: usize,
    /// Whether the container of a failing scenario is kept.
    pub keep: bool,
    /// What is opened instead of asking what a scenario asks.
    pub shell: Option<Shell>,
    /// The archive that is made of the images under test, if one is.
    pub saving: Option<Saving>,
    /// The archive that the images under test come from, if they do.
    pub loading: Option<Loading>,
}

impl Setup {
    /// Who asked in a build, as far as its log was read.
    pub(super) async fn clients(&self, mark: Mark, log: &Captured) -> Clients {
        let clients = self.guard.clients(mark, &named_containers(log.read_part())).await;
        Clients { all_known: clients.all_known && log.cut().is_none(), ..clients }
    }

    /// The name under which an image is kept for the next run, if it is one of the repository's own. Those of another
    /// candidate go with the run.
    pub(super) fn kept_name(&self, role: &str, cell: &Cell) -> Option<String> {
        self.own_files.then(|| {
            let name = match cell.dialect {
                Dialect::Docker => format!("{role}-{}", cell.variant.name),
                dialect @ Dialect::Whiskey => format!("{role}-{}-{dialect}", cell.variant.name),
            };
            if cell.builder == Builder::default() { name } else { format!("{name}-{}", cell.builder) }
        })
    }
}
