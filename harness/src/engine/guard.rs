//! What keeps a build's commands from taking all processes of the machine. The builder takes no such limit, so each container that
//! joins the run's network without one gets it as soon as the engine tells of it.

use std::collections::HashMap;

use bollard::models::ContainerUpdateBody;
use bollard::query_parameters::{EventsOptions, InspectContainerOptions};
use futures_util::StreamExt;
use tokio::task::JoinHandle;

use super::{Engine, Network};
use crate::limits::Limits;

/// Watches a run's network until it is dropped.
#[derive(Debug)]
pub struct Guard(JoinHandle<()>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Engine {
    /// Limits the processes of every container that joins a run's network from now on.
    pub fn guard(&self, network: &Network, limits: Limits) -> Guard {
        let engine = self.clone();
        let filter = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        let filters =
            HashMap::from([filter("type", "network"), filter("event", "connect"), filter("network", &network.name)]);
        Guard(tokio::spawn(async move {
            let options = EventsOptions { filters: Some(filters), ..Default::default() };
            let mut events = std::pin::pin!(engine.docker.events(Some(options)));
            while let Some(Ok(event)) = events.next().await {
                let attributes = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
                if let Some(container) = attributes.get("container") {
                    engine.limit_processes(container, limits.processes).await;
                }
            }
        }))
    }

    /// Limits a container's processes, if nobody has. One that has gone needs none.
    async fn limit_processes(&self, container: &str, processes: u32) {
        let inspected = self.docker.inspect_container(container, None::<InspectContainerOptions>).await;
        let limit = inspected.ok().and_then(|found| found.host_config).and_then(|config| config.pids_limit);
        if limit.is_some_and(|limit| limit > 0) {
            return;
        }
        let body = ContainerUpdateBody { pids_limit: Some(processes.into()), ..Default::default() };
        if let Err(error) = self.docker.update_container(container, body).await {
            tracing::warn!(%error, container, "the processes of a build's command could not be limited");
        }
    }
}
