//! The engine that was chosen, for this very process after it has begun anew.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::transport::{Address, Place, TransportError};
use super::{Endpoint, Origin};

/// The engine that was chosen, and at which socket it is to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Handover {
    /// The process that carries what comes to the socket, where that is no engine's.
    process: u32,
    docker_host: String,
    address: Address,
    origin: Origin,
}

impl Handover {
    /// Hands an engine over. The way to it is closed, and has a new place.
    ///
    /// # Errors
    /// When there is no place.
    pub(crate) fn of(endpoint: Endpoint) -> Result<Self, TransportError> {
        let Endpoint { address, origin, way } = endpoint;
        drop(way);
        let socket = match &address {
            Address::Socket(path) => path.clone(),
            Address::Tcp(_) | Address::Ssh(_) => Place::new()?.leave(),
        };
        let docker_host = format!("unix://{}", socket.display());
        Ok(Self { process: std::process::id(), docker_host, address, origin })
    }

    /// What `DOCKER_HOST` is to be.
    pub(crate) fn docker_host(&self) -> &str {
        &self.docker_host
    }

    /// Opens the way again. In a process of another number, such as this program in a container, the one that was handed the engine
    /// still carries: the socket is all that is needed.
    ///
    /// # Errors
    /// When there is no way any more.
    pub(crate) async fn take_up(self) -> Result<Endpoint, TransportError> {
        let Self { process, docker_host, address, origin } = self;
        let socket = Path::new(docker_host.strip_prefix("unix://").unwrap_or(&docker_host));
        if process != std::process::id() {
            return Ok(Endpoint { address, ..Endpoint::of_socket(socket.to_owned(), origin) });
        }
        let place = match &address {
            Address::Socket(_) => None,
            Address::Tcp(_) | Address::Ssh(_) => {
                Some(Place::of(socket).ok_or_else(|| TransportError::NotOurs(socket.to_owned()))?)
            }
        };
        Endpoint::reach(address, origin, place).await
    }

    /// Removes what was made for it, when nothing comes of it.
    pub(crate) fn give_up(self) {
        if !matches!(self.address, Address::Socket(_)) {
            drop(self.docker_host.strip_prefix("unix://").and_then(|path| Place::of(Path::new(path))));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn reached(address: &str) -> Endpoint {
        Endpoint::reach(Address::parse(address, None).unwrap(), Origin::Variable, None).await.unwrap()
    }

    #[tokio::test]
    async fn an_engine_elsewhere_has_a_socket_before_and_after() {
        let endpoint = reached("tcp://127.0.0.1:1").await;
        let before = endpoint.docker_host().to_owned();
        let handover = Handover::of(endpoint).unwrap();
        assert!(!Path::new(before.strip_prefix("unix://").unwrap()).exists());
        let text = serde_json::to_string(&handover).unwrap();
        let handover: Handover = serde_json::from_str(&text).unwrap();
        let socket = handover.docker_host().strip_prefix("unix://").unwrap().to_owned();
        let endpoint = handover.take_up().await.unwrap();
        assert!(Path::new(&socket).exists());
        endpoint.close();
        assert!(!Path::new(&socket).parent().unwrap().exists());
    }

    #[tokio::test]
    async fn another_process_carries_nothing() {
        let mut handover = Handover::of(reached("tcp://127.0.0.1:1").await).unwrap();
        handover.process += 1;
        let socket = handover.docker_host().strip_prefix("unix://").unwrap().to_owned();
        let endpoint = handover.clone().take_up().await.unwrap();
        assert_eq!(endpoint.docker_host(), handover.docker_host());
        assert!(!Path::new(&socket).exists());
        handover.give_up();
        assert!(!Path::new(&socket).parent().unwrap().exists());
    }

    #[tokio::test]
    async fn an_engine_of_this_machine_is_where_it_was() {
        let endpoint = reached("unix:///nowhere.sock").await;
        assert_eq!(endpoint.docker_host(), "unix:///nowhere.sock");
        let endpoint = Handover::of(endpoint).unwrap().take_up().await.unwrap();
        assert_eq!(endpoint.docker_host(), "unix:///nowhere.sock");
    }
}
