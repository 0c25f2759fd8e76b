//! Taking away what is ours. What something of somebody else's depends on stays.

use std::time::{Duration, Instant};

use bollard::models::NetworkDisconnectRequest;
use bollard::query_parameters::{ListContainersOptions, ListNetworksOptions};
use futures_util::future::join_all;

use super::network::run_of;
use super::resources::{Kind, Leftover};
use super::{Engine, EngineError};
use crate::outcome::RunId;

/// How long a sweep goes on, where builds were given up. A run that is stopped has five seconds for all.
const SWEEP_LIMIT: Duration = Duration::from_secs(3);
/// How often it is tried to remove what is in the way of itself, where no build is being made.
const SWEEPS: usize = 4;
/// How long a sweep waits before it looks again.
const PAUSE: Duration = Duration::from_millis(200);

impl Engine {
    /// Removes something of ours; whether it has gone. What is gone already is removed; an image that something of somebody else's
    /// needs stays, without our name, and so does a volume that somebody else's container has.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn remove(&self, leftover: &Leftover) -> Result<bool, EngineError> {
        match leftover.kind {
            Kind::Container | Kind::BuildContainer { .. } => self.remove_container(&leftover.id).await.map(|()| true),
            Kind::Network => self.remove_network(&leftover.id).await.map(|()| true),
            Kind::Volume => self.remove_volume(&leftover.id).await,
            Kind::Name => self.remove_image(&leftover.id).await.map(|()| true),
            Kind::Image | Kind::KeptImage => self.remove_ours(leftover).await,
        }
    }

    async fn remove_ours(&self, image: &Leftover) -> Result<bool, EngineError> {
        for tag in &image.tags {
            match self.remove_image(tag).await {
                // The last name of an image that a container was made from.
                Err(EngineError::Refused { status: 409, .. }) => return Ok(false),
                other => other?,
            }
        }
        match self.inspect(&image.id).await? {
            None => return Ok(true),
            // The others are somebody else's names.
            Some(found) if !found.repo_tags.as_deref().unwrap_or_default().is_empty() => return Ok(false),
            Some(_) => {}
        }
        match self.remove_image(&image.id).await {
            Ok(()) => Ok(true),
            // Something that stays is built on it, or a build has begun on it since: then it is somebody's.
            Err(EngineError::Refused { status: 409, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes everything of a run off the engine, and forgets the run. Where it is `alone`, when no other run is alive, also what
    /// builds of kept images left that failed or were cut short: those images do not say of which run they are. What runs goes first.
    /// Goes on when something cannot be removed, and tells of the first that could not. Whether all has gone; it has not as long as the
    /// engine has not ended a build that was given up.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn sweep_run(&self, run: &RunId, alone: impl Fn() -> bool) -> Result<bool, EngineError> {
        let nobodys = alone();
        // What this run made for images that are kept stays with them.
        let is_to_go = |leftover: &Leftover| {
            !leftover.is_kept()
                && (leftover.run == run.as_str() || leftover.run.is_empty() && leftover.kind == Kind::Image && nobodys)
        };
        let begun = Instant::now();
        let mut found: Vec<Leftover> = self.list_ours().await?.into_iter().filter(is_to_go).collect();
        let mut sweeps = 0;
        loop {
            // Whatever the engine makes of a container that is taken away then has no name.
            let (finishing, rest): (Vec<Leftover>, Vec<Leftover>) =
                found.into_iter().partition(Leftover::is_being_finished);
            let removed = self.remove_all_of(&rest).await;
            sweeps += 1;
            let building = self.pending.is_any() || !finishing.is_empty();
            if begun.elapsed() > SWEEP_LIMIT || !building && sweeps >= SWEEPS {
                removed?;
                let has_gone = !self.list_ours().await?.iter().any(is_to_go);
                return Ok(!building && has_gone);
            }
            // A build that was given up goes on as long as nothing stops its next instruction.
            if !self.pending.ended(PAUSE).await && building {
                tokio::time::sleep(PAUSE).await;
            }
            let stayed = rest;
            found = self.list_ours().await?.into_iter().filter(is_to_go).collect();
            // What somebody else needs by now stays.
            let is_needed = |one: &Leftover| stayed.iter().any(|other| other.id == one.id) && removed.is_ok();
            if !self.pending.is_any() && !building && sweeps > 1 && found.iter().all(is_needed) {
                // Whatever was refused meanwhile has gone all the same.
                if self.gave_builds_up(run.as_str())? {
                    self.swept(run.as_str())?;
                } else {
                    self.forget(run.as_str())?;
                }
                return Ok(true);
            }
            if !building && !found.is_empty() {
                // The engine itself is removing what these depend on, and tells of no end of that.
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Removes these, what runs first. Goes on when one cannot be removed, and tells of the first that could not.
    async fn remove_all_of(&self, found: &[Leftover]) -> Result<(), EngineError> {
        let (running, rest): (Vec<_>, Vec<_>) = found.iter().partition(|leftover| leftover.is_container());
        let mut results = join_all(running.into_iter().map(|leftover| self.remove(leftover))).await;
        for leftover in rest {
            results.push(self.remove(leftover).await);
        }
        results.into_iter().try_for_each(|result| result.map(drop))
    }

    /// Takes all containers and networks off an engine that is the suite's alone.
    pub(super) async fn remove_all(&self) -> Result<(), EngineError> {
        let options = ListContainersOptions { all: true, ..Default::default() };
        let containers = self
            .docker
            .list_containers(Some(options))
            .await
            .map_err(|error| self.error("listing containers", error))?;
        for id in containers.into_iter().filter_map(|container| container.id) {
            self.remove_container(&id).await?;
        }
        let filters = Some(std::collections::HashMap::from([("type".to_owned(), vec!["custom".to_owned()])]));
        let networks = self
            .docker
            .list_networks(Some(ListNetworksOptions { filters }))
            .await
            .map_err(|error| self.error("listing networks", error))?;
        for id in networks.into_iter().filter_map(|network| network.id) {
            self.remove_network(&id).await?;
        }
        Ok(())
    }

    /// Removes a network, and what of ours is on it. What is not ours is taken off it.
    pub(super) async fn remove_network(&self, id: &str) -> Result<(), EngineError> {
        let of = |error| self.error("removing a network", error);
        let network = match self.docker.inspect_network(id, None).await.map_err(of) {
            Ok(network) => network,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error),
        };
        for (container, endpoint) in network.containers.unwrap_or_default() {
            let is_named = endpoint.name.as_deref().is_some_and(|name| run_of(name).is_some());
            if is_named || self.is_of_a_build(&container).await? {
                self.remove_container(&container).await?;
                continue;
            }
            let request = NetworkDisconnectRequest { container, force: Some(true) };
            match self.docker.disconnect_network(id, request).await.map_err(of) {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        match self.docker.remove_network(id).await.map_err(of) {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }
}
