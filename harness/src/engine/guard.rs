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

use super::network::address_on;
use super::{Engine, Mark, Network};
use crate::mirror::Request;
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
    /// The addresses that it has, or had, on the network.
    stays: Vec<Stay>,
    /// Whether it has joined the network, and its address is not known.
    is_somewhere: bool,
    /// Whether it is being asked.
    is_asked: bool,
    /// Whether it was removed: the engine has nothing more to tell of it.
    is_gone: bool,
}

/// An address, had by a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stay {
    pub address: IpAddr,
    /// Since when, in nanoseconds since 1970 by the clock of the engine's machine. An address is given away again at once, so it was
    /// of whoever had got it last.
    pub since: i64,
}

/// Who may have asked the fixture server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients {
    pub own: Vec<Stay>,
    /// What is known to be of somebody else.
    pub others: Vec<Stay>,
    /// The build that they were, by its number, where it had a relay for itself: then addresses say nothing.
    pub build: Option<u32>,
    /// Whether these are all: a container that ended before it could be asked has no address.
    pub all_known: bool,
}

impl Clients {
    /// The build with this number, which had a relay for itself.
    pub(crate) fn of_build(number: u32) -> Self {
        Self { build: Some(number), all_known: true, ..Self::default() }
    }

    /// Whether a request is one of theirs; nothing where that is not known.
    pub(crate) fn made(&self, request: &Request) -> Option<bool> {
        if self.build.is_some() || request.build.is_some() {
            return Some(self.build == request.build);
        }
        request.from.and_then(|from| self.asked(from, request.at))
    }

    /// Whether a request from this address at this time was one of theirs; nothing where that is not known.
    fn asked(&self, from: IpAddr, at: Option<i64>) -> Option<bool> {
        let stays = |list: &[Stay]| {
            let there = list.iter().filter(|stay| stay.address == from && at.is_none_or(|at| stay.since <= at));
            there.map(|stay| stay.since).max()
        };
        match (stays(&self.own), stays(&self.others)) {
            (Some(own), Some(other)) => Some(at.is_none() || own >= other),
            (Some(_), None) => Some(true),
            (None, Some(_)) => Some(false),
            (None, None) => None,
        }
    }
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
        let too_many = named.len() > NAMED;
        let all_known = !too_many && self.until(|seen| is_told(seen, mark, named)).await;
        self.sorted(all_known, |_, container| container.is_of(mark))
    }

    /// The clients that one container was.
    pub(crate) async fn clients_of(&self, id: &str) -> Clients {
        let is_known =
            |container: &Container| !container.is_asked && !container.is_somewhere && !container.stays.is_empty();
        let all_known = self.until(|seen| seen.get(id).is_some_and(is_known)).await;
        self.sorted(all_known, |other, _| other == id)
    }

    /// Waits until the engine has told of something; whether it has.
    async fn until(&self, is_told: impl Fn(&HashMap<String, Container>) -> bool) -> bool {
        let deadline = Instant::now() + TOLD_WITHIN;
        loop {
            let told = is_told(&self.seen.lock().unwrap_or_else(PoisonError::into_inner));
            if told || Instant::now() >= deadline {
                return told;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    fn sorted(&self, all_known: bool, is_own: impl Fn(&str, &Container) -> bool) -> Clients {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clients = Clients { all_known, ..Clients::default() };
        for (id, container) in &*seen {
            let list = if is_own(id, container) { &mut clients.own } else { &mut clients.others };
            list.extend(&container.stays);
        }
        clients
    }
}

/// Whether all is known of these containers, as far as they are the build's.
fn is_told(seen: &HashMap<String, Container>, mark: Mark, named: &HashSet<&str>) -> bool {
    named.iter().all(|name| {
        let found = seen.iter().find(|(id, _)| id.starts_with(name));
        found.is_some_and(|(_, container)| container.is_told(mark))
    })
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
        self.is_gone && !self.is_asked && !self.is_somewhere
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
                {
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    let container = found.entry(id.clone()).or_default();
                    (container.is_asked, container.is_somewhere) = (true, true);
                }
                let since = event.time_nano.unwrap_or(0);
                // Side by side: a container that waited for its turn could be gone when it is asked for its address.
                let (engine, name, found) = (engine.clone(), name.clone(), Arc::clone(&found));
                limiting.spawn(async move {
                    let answer = engine.limit_processes(&id, limits.processes, &name).await;
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    let container = found.entry(id).or_default();
                    container.is_asked = false;
                    if let Some((config, address)) = answer {
                        container.config = config;
                        container.is_somewhere = address.is_none();
                        container.stays.extend(address.map(|address| Stay { address, since }));
                    }
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
        let address = address_on(network, &found);
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

    fn stay(last: u8, since: i64) -> Stay {
        Stay { address: IpAddr::from([10, 230, 0, last]), since }
    }

    fn container(mark: Mark, last: u8) -> Container {
        let config = HostConfig { shm_size: Some(mark.size().into()), ..Default::default() };
        Container { config: Some(config), stays: vec![stay(last, 5)], is_gone: true, ..Container::default() }
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
            assert_eq!((clients.own, clients.others), (vec![stay(2, 5)], vec![stay(3, 5)]));
            assert!(clients.all_known, "{named:?}");
        }
        let clients = guard.clients_of("bb2").await;
        assert_eq!((clients.own, clients.others, clients.all_known), (vec![stay(3, 5)], vec![stay(2, 5)], true));
    }

    #[tokio::test]
    async fn what_the_engine_has_not_told_of_is_not_known() {
        let own = Mark::new();
        let unasked = Container { is_somewhere: true, is_gone: true, ..Container::default() };
        let guard = guard(vec![("aa1", container(own, 2)), ("bb2", unasked)]);
        let seen = guard.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for name in ["bb2", "dd4"] {
            assert!(!is_told(&seen, own, &HashSet::from(["aa1", name])), "{name}");
        }
    }

    #[test]
    fn an_address_is_of_whoever_had_got_it_last() {
        let clients = Clients {
            own: vec![stay(2, 10), stay(2, 50)],
            others: vec![stay(2, 30), stay(3, 1)],
            build: None,
            all_known: true,
        };
        let asked = |last, at| clients.asked(IpAddr::from([10, 230, 0, last]), at);
        for (at, theirs) in [(10, true), (29, true), (30, false), (49, false), (50, true)] {
            assert_eq!(asked(2, Some(at)), Some(theirs), "{at}");
        }
        assert_eq!(asked(2, Some(9)), None);
        assert_eq!((asked(3, Some(40)), asked(4, Some(40))), (Some(false), None));
        // Without a time it may have been either.
        assert_eq!(asked(2, None), Some(true));
    }
}
