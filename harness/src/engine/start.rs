//! How an application container is started.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount};
use testcontainers::{ContainerRequest, GenericImage, ImageExt};

use super::container::run_labels;
use super::{Mounted, Network};
use crate::outcome::RunId;
use crate::suite::limits::Limits;

/// How a container is started, where it is not as the image says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Start {
    /// Arguments instead of the image's `CMD`.
    pub arguments: Option<Vec<String>>,
    pub environment: BTreeMap<String, String>,
    /// The user, with or without a group.
    pub user: Option<String>,
    /// Whether its root is read-only.
    pub read_only: bool,
    /// Paths at which it has temporary file systems, and whether programs there can be executed.
    pub tmpfs: BTreeMap<String, bool>,
    /// A volume that is mounted in it.
    pub volume: Option<Mounted>,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// What it may take.
    pub limits: Limits,
}

impl Start {
    /// The request, with all this in it.
    pub(super) fn apply(&self, mut request: ContainerRequest<GenericImage>) -> ContainerRequest<GenericImage> {
        if let Some(arguments) = &self.arguments {
            request = request.with_cmd(arguments);
        }
        for (name, value) in &self.environment {
            request = request.with_env_var(name, value);
        }
        if let Some(user) = &self.user {
            request = request.with_user(user);
        }
        if self.read_only {
            request = request.with_readonly_rootfs(true);
        }
        let (tmpfs, mounts) = (self.tmpfs(), self.mounts());
        let limits = self.limits;
        request.with_host_config_modifier(move |config| {
            limit(config, limits);
            config.publish_all_ports = Some(false);
            config.tmpfs = Some(tmpfs.clone());
            config.mounts.clone_from(&mounts);
        })
    }
}

impl Start {
    fn tmpfs(&self) -> HashMap<String, String> {
        let option = |exec: bool| if exec { "exec" } else { "noexec" };
        self.tmpfs.iter().map(|(path, exec)| (path.clone(), option(*exec).to_owned())).collect()
    }

    fn mounts(&self) -> Option<Vec<Mount>> {
        self.volume.as_ref().map(|volume| vec![volume.mount()])
    }

    /// The same for a container with a terminal, which the library cannot ask for.
    pub(super) fn with_terminal(&self, image: &str, network: &Network, run: &RunId) -> ContainerCreateBody {
        let mut config = HostConfig {
            network_mode: Some(network.name.clone()),
            extra_hosts: Some(vec![network.host_entry()]),
            readonly_rootfs: Some(self.read_only),
            mounts: self.mounts(),
            tmpfs: Some(self.tmpfs()),
            ..Default::default()
        };
        limit(&mut config, self.limits);
        ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: self.arguments.clone(),
            env: Some(self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            user: self.user.clone(),
            labels: Some(run_labels(run)),
            tty: Some(true),
            host_config: Some(config),
            ..Default::default()
        }
    }
}

/// How many times its limit the engine keeps of a log, at the least. It keeps the end, in JSON, where a byte may take six: so whatever it
/// has dropped, what it has kept is more than the limit, and nobody takes that for the whole.
const KEPT: usize = 7;

/// Limits a container's memory and processes, and what the engine keeps of its log.
pub(super) fn limit(config: &mut HostConfig, limits: Limits) {
    config.memory = Some(limits.memory().into());
    // As much as memory: none beside it.
    config.memory_swap = Some(limits.memory().into());
    config.pids_limit = Some(limits.processes.into());
    let options = HashMap::from([
        ("max-size".to_owned(), (KEPT * limits.log()).to_string()),
        ("max-file".to_owned(), "2".to_owned()),
    ]);
    config.log_config = Some(HostConfigLogConfig { typ: Some("json-file".to_owned()), config: Some(options) });
}
