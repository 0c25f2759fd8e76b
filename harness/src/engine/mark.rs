//! What tells the containers of a build from all others. The builder says in its log which containers it uses, but a command can print the
//! same lines; and it gives them no labels. What it does pass on is the size of their `/dev/shm`: no two builds of this process have
//! the same, and no command can change it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, Ordering};

use bollard::models::{ContainerInspectResponse, HostConfig};
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptions};

use super::size::Looks;
use super::{Engine, EngineError};

/// What engines give a container, in bytes.
const USUAL: i32 = 64 << 20;
/// What the sizes of two builds differ by: a page.
const STEP: i32 = 4096;
/// How many builds have sizes of their own before the first one's is used again.
const BUILDS: i32 = 100_000;

/// The mark of a build's containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(i32);

impl Mark {
    /// Another one than those before.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicI32 = AtomicI32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed).rem_euclid(BUILDS);
        Self(USUAL + STEP * (number + 1))
    }

    /// The size for the builder.
    pub(super) fn size(self) -> i32 {
        self.0
    }

    /// Whether a container with this configuration has it.
    pub(super) fn is_on(self, config: Option<&HostConfig>) -> bool {
        config.and_then(|config| config.shm_size) == Some(self.0.into())
    }
}

/// The containers of a build that run at a time.
pub(super) struct Containers {
    mark: Mark,
    network: String,
    /// Whether those that are known are the build's.
    known: HashMap<String, bool>,
    looks: Looks,
}

impl Containers {
    /// Those with this mark on this network.
    pub(super) fn new(mark: Mark, network: &str) -> Self {
        Self { mark, network: network.to_owned(), known: HashMap::new(), looks: Looks::default() }
    }

    /// Whether one of them that is there now has written more than this many bytes.
    ///
    /// # Errors
    /// When the engine cannot say for a while.
    pub(super) async fn are_larger(&mut self, engine: &Engine, bytes: u64) -> Result<bool, EngineError> {
        let filters = HashMap::from([("network".to_owned(), vec![self.network.clone()])]);
        // Those that have ended, too: an image is being made of one, and holes of its files become zeros.
        let options = ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
        // What the engine cannot say now it can say a second later; a build that goes on without it ends by its time.
        let listed = engine.docker.list_containers(Some(options)).await.unwrap_or_default();
        for id in listed.into_iter().filter_map(|container| container.id) {
            if self.is_own(engine, &id).await && self.looks.told(engine.is_larger(&id, bytes).await)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn is_own(&mut self, engine: &Engine, id: &str) -> bool {
        if let Some(is_own) = self.known.get(id) {
            return *is_own;
        }
        let Ok(ContainerInspectResponse { host_config, .. }) =
            engine.docker.inspect_container(id, None::<InspectContainerOptions>).await
        else {
            return false;
        };
        let is_own = self.mark.is_on(host_config.as_ref());
        self.known.insert(id.to_owned(), is_own);
        is_own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_builds_have_the_same() {
        let (one, other) = (Mark::new(), Mark::new());
        let config = HostConfig { shm_size: Some(one.size().into()), ..Default::default() };
        assert!(one.is_on(Some(&config)) && !other.is_on(Some(&config)));
        let usual = HostConfig { shm_size: Some(USUAL.into()), ..Default::default() };
        assert!(!one.is_on(Some(&usual)) && !one.is_on(None));
    }
}
