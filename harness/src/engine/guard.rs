//! What keeps a build's commands from taking all processes of the machine. The builder takes no such limit, so each container that
//! joins the run's network without one gets it as soon as the engine tells of it. Beside that, who has which address there.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bollard::models::ContainerUpdateBody;
use bollard::query_parameters::{EventsOptions, InspectContainerOptions};
use futures_util::StreamExt;
use tokio::task::{JoinHandle, JoinSet};

use super::{Engine, Network};
use crate::suite::limits::Limits;

/// Watches a run's network until it is dropped.
#[derive(Debug)]
pub(crate) struct Guard {
    task: JoinHandle<()>,
    addresses: Arc<Mutex<HashMap<String, IpAddr>>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Guard {
    /// The address that a container has, or had, on the network; `None` where it had gone before it could be asked for. The
    /// beginning of its id is enough.
    pub(crate) fn address_of(&self, container: &str) -> Option<IpAddr> {
        let addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.iter().find(|(id, _)| id.starts_with(container)).map(|(_, address)| *address)
    }
}

impl Engine {
    /// Limits the processes of every container that joins a run's network from now on.
    pub(crate) fn guard(&self, network: &Network, limits: Limits) -> Guard {
        let (engine, name) = (self.clone(), network.name.clone());
        let addresses: Arc<Mutex<HashMap<String, IpAddr>>> = Arc::default();
        let found = Arc::clone(&addresses);
        let filter = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        let filters =
            HashMap::from([filter("type", "network"), filter("event", "connect"), filter("network", &network.name)]);
        let task = tokio::spawn(async move {
            let options = EventsOptions { filters: Some(filters), ..Default::default() };
            let mut limiting = JoinSet::new();
            let mut events = std::pin::pin!(engine.docker.events(Some(options)));
            while let Some(Ok(event)) = events.next().await {
                let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
                let Some(container) = attributes.get("container").cloned() else { continue };
                // Side by side: a container that waited for its turn could be gone when it is asked for its address.
                let (engine, name, found) = (engine.clone(), name.clone(), Arc::clone(&found));
                limiting.spawn(async move {
                    if let Some(address) = engine.limit_processes(&container, limits.processes, &name).await {
                        found.lock().unwrap_or_else(PoisonError::into_inner).insert(container, address);
                    }
                });
                while limiting.try_join_next().is_some() {}
            }
        });
        Guard { task, addresses }
    }

    /// Limits a container's processes, if nobody has; its address on this network. One that has gone needs no limit.
    async fn limit_processes(&self, container: &str, processes: u32, network: &str) -> Option<IpAddr> {
        let found = self.docker.inspect_container(container, None::<InspectContainerOptions>).await.ok()?;
        let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
        let address = networks.get(network).and_then(|own| own.ip_address.as_ref()).and_then(|text| text.parse().ok());
        if found.host_config.and_then(|config| config.pids_limit).is_some_and(|limit| limit > 0) {
            return address;
        }
        let body = ContainerUpdateBody { pids_limit: Some(processes.into()), ..Default::default() };
        if let Err(error) = self.docker.update_container(container, body).await {
            tracing::warn!(%error, container, "cannot limit the processes of a build's command");
        }
        address
    }
}
