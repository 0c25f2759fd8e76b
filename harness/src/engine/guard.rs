//! What keeps a build's commands from taking all processes of the machine. The builder takes no such limit, so each container that
//! joins the run's network without one gets it as soon as the engine tells of it. Beside that, who has which address there.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::models::{ContainerUpdateBody, EventMessageTypeEnum, HostConfig};
use bollard::query_parameters::{EventsOptions, InspectContainerOptions};
use futures_util::StreamExt;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::{Engine, Mark, Network};
use crate::suite::limits::Limits;

/// How long the engine may take to tell that the containers of a build that has ended are gone.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// How long to wait before looking again whether it has.
const AGAIN_AFTER: Duration = Duration::from_millis(10);
/// How many containers a build's log may name. Whoever prints more names of containers has printed them.
const NAMED: usize = 1000;

/// Watches a run's network until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    task: JoinHandle<()>,
    seen: Seen,
}

/// The containers that the engine has told of, by their ids.
type Seen = Arc<Mutex<HashMap<String, Container>>>;

/// What is known of a container.
#[derive(Debug, Default)]
struct Container {
    /// How it is started, if it was there to be asked.
    config: Option<HostConfig>,
    /// The address that it has, or had, on the network.
    address: Option<IpAddr>,
    /// Whether it has joined the network.
    joined: bool,
    /// Whether it is being asked.
    is_asked: bool,
    /// Whether it was removed: the engine has nothing more to tell of it.
    is_gone: bool,
}

/// Who may have asked the fixture server.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    pub addresses: Vec<IpAddr>,
    /// Addresses that are known to be of somebody else.
    pub others: Vec<IpAddr>,
    /// Whether these are all: a container that ended before it could be asked has no address.
    pub all_known: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Guard {
    /// The clients that the containers of a build were which has ended. Its log names each of them, by the beginning of its id; it may
    /// name others as well, since a command can print the same lines.
    pub(crate) async fn clients(&self, mark: Mark, named: &HashSet<&str>) -> Clients {
        let deadline = Instant::now() + TOLD_WITHIN;
        let too_many = named.len() > NAMED;
        while !too_many && !self.is_told(mark, named) && Instant::now() < deadline {
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        let all_known = !too_many && self.is_told(mark, named);
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clients = Clients { all_known, ..Clients::default() };
        for container in seen.values() {
            let Some(address) = container.address else { continue };
            let list = if container.is_of(mark) { &mut clients.addresses } else { &mut clients.others };
            list.push(address);
        }
        clients
    }

    /// Whether all is known of these containers, as far as they are the build's.
    fn is_told(&self, mark: Mark, named: &HashSet<&str>) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        named.iter().all(|name| {
            let found = seen.iter().find(|(id, _)| id.starts_with(name));
            found.is_some_and(|(_, container)| container.is_told(mark))
        })
    }
}

impl Container {
    fn is_of(&self, mark: Mark) -> bool {
        mark.is_on(self.config.as_ref())
    }

    fn is_told(&self, mark: Mark) -> bool {
        if self.config.is_some() && !self.is_of(mark) {
            return true;
        }
        // Events come in their order: one that is gone and has not joined never ran.
        self.is_gone && !self.is_asked && (!self.joined || self.address.is_some())
    }
}

impl Engine {
    /// Limits the processes of every container that joins a run's network from now on.
    pub(crate) fn guard(&self, network: &Network, limits: Limits) -> Guard {
        let (engine, name) = (self.clone(), network.name.clone());
        let seen = Seen::default();
        let found = Arc::clone(&seen);
        let filter = |name: &str, values: [&str; 2]| (name.to_owned(), values.map(str::to_owned).to_vec());
        let filters =
            HashMap::from([filter("type", ["network", "container"]), filter("event", ["connect", "destroy"])]);
        let task = tokio::spawn(async move {
            let options = EventsOptions { filters: Some(filters), ..Default::default() };
            let mut limiting = JoinSet::new();
            let mut events = std::pin::pin!(engine.docker.events(Some(options)));
            while let Some(Ok(event)) = events.next().await {
                let is_removal = event.typ == Some(EventMessageTypeEnum::CONTAINER);
                let actor = event.actor.unwrap_or_default();
                let mut attributes = actor.attributes.unwrap_or_default();
                if is_removal {
                    let id = actor.id.unwrap_or_default();
                    found.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().is_gone = true;
                    continue;
                }
                if attributes.get("name") != Some(&name) {
                    continue;
                }
                let Some(id) = attributes.remove("container") else { continue };
                let joined = Container { joined: true, is_asked: true, ..Container::default() };
                found.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), joined);
                // Side by side: a container that waited for its turn could be gone when it is asked for its address.
                let (engine, name, found) = (engine.clone(), name.clone(), Arc::clone(&found));
                limiting.spawn(async move {
                    let answer = engine.limit_processes(&id, limits.processes, &name).await;
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    let container = found.entry(id).or_default();
                    container.is_asked = false;
                    (container.config, container.address) = answer.unwrap_or_default();
                });
                while limiting.try_join_next().is_some() {}
            }
        });
        Guard { task, seen }
    }

    /// Limits a container's processes, if nobody has; how it was started, and its address on this network. One that has gone needs no
    /// limit.
    async fn limit_processes(
        &self,
        container: &str,
        processes: u32,
        network: &str,
    ) -> Option<(Option<HostConfig>, Option<IpAddr>)> {
        let found = self.docker.inspect_container(container, None::<InspectContainerOptions>).await.ok()?;
        let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let address = networks.get(network).and_then(|own| own.ip_address.as_ref()).and_then(|text| text.parse().ok());
        let config = found.host_config;
        if config.as_ref().and_then(|config| config.pids_limit).is_some_and(|limit| limit > 0) {
            return Some((config, address));
        }
        let body = ContainerUpdateBody { pids_limit: Some(processes.into()), ..Default::default() };
        if let Err(error) = self.docker.update_container(container, body).await {
            tracing::warn!(%error, container, "cannot limit the processes of a build's command");
        }
        Some((config, address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(mark: Mark, last: u8) -> Container {
        let config = HostConfig { shm_size: Some(mark.size().into()), ..Default::default() };
        let address = Some(IpAddr::from([10, 230, 0, last]));
        Container { config: Some(config), address, joined: true, is_gone: true, is_asked: false }
    }

    fn guard(containers: Vec<(&str, Container)>) -> Guard {
        let seen = containers.into_iter().map(|(id, container)| (id.to_owned(), container)).collect();
        Guard { task: tokio::spawn(async {}), seen: Arc::new(Mutex::new(seen)) }
    }

    #[tokio::test]
    async fn the_containers_of_a_build_are_its_clients_whatever_its_log_says() {
        let (own, other) = (Mark::new(), Mark::new());
        let never_ran = Container { is_gone: true, ..Container::default() };
        let guard = guard(vec![("aa1", container(own, 2)), ("bb2", container(other, 3)), ("cc3", never_ran)]);
        // Named or not, what has the mark is its own; what a command has named is not.
        for named in [&["aa1", "cc3"][..], &["aa1", "bb2"], &["bb2"], &[]] {
            let clients = guard.clients(own, &named.iter().copied().collect()).await;
            assert_eq!(
                (clients.addresses, clients.others),
                (vec![[10, 230, 0, 2].into()], vec![[10, 230, 0, 3].into()])
            );
            assert!(clients.all_known, "{named:?}");
        }
    }

    #[tokio::test]
    async fn what_the_engine_has_not_told_of_is_not_known() {
        let own = Mark::new();
        let unasked = Container { joined: true, is_gone: true, ..Container::default() };
        let guard = guard(vec![("aa1", container(own, 2)), ("bb2", unasked)]);
        for name in ["bb2", "dd4"] {
            assert!(!guard.is_told(own, &HashSet::from(["aa1", name])), "{name}");
        }
    }
}
