//! The network namespace that the engine's networks are in. The private engine has one of its own, where nothing listens but
//! what a run opens there; another engine's is this host's.

use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::{Builder, Handle, Runtime};

use super::{Engine, EngineError, private};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Where sockets are opened that are to reach containers, or to be reached by them.
pub(crate) struct NetworkNamespace {
    /// Threads in the namespace; none where it is this host's.
    runtime: Option<Runtime>,
    /// The namespace's device and inode numbers, where the engine is known to have one of its own.
    identity: Option<(u64, u64)>,
}

impl Engine {
    /// Where this engine's networks are.
    ///
    /// # Errors
    /// When it is a namespace that cannot be entered.
    pub(crate) fn namespace(&self) -> Result<NetworkNamespace, EngineError> {
        let failed = |why: String| EngineError::Unsuitable { what: format!("cannot use its network namespace: {why}") };
        let found = private::network_namespace(Path::new(&self.data_root));
        match found.map_err(|error| failed(crate::outcome::with_causes(&error)))? {
            Some(namespace) => NetworkNamespace::enter(namespace).map_err(|error| failed(error.to_string())),
            None => Ok(NetworkNamespace::host()),
        }
    }

    /// Whether evidence against a candidate counts which was taken since `begun`: the engine is still there, still the one that the run
    /// began with, and had room on its disk. One that is stopped takes its containers along, and their ends look like the candidate's.
    ///
    /// # Errors
    /// When it does not count.
    pub(crate) async fn is_as_before(&self, namespace: &NetworkNamespace, begun: Instant) -> Result<(), EngineError> {
        self.ping().await?;
        if let Some(full) = self.room.full_since(begun, "what a candidate could not do then may be due to that") {
            return Err(full);
        }
        let Some(before) = namespace.identity else { return Ok(()) };
        let now = private::network_namespace(Path::new(&self.data_root)).ok().flatten();
        match now.and_then(|namespace| identity(&namespace).ok()) {
            Some(now) if now == before => Ok(()),
            _ => Err(EngineError::Restarted),
        }
    }
}

fn identity(namespace: &File) -> std::io::Result<(u64, u64)> {
    namespace.metadata().map(|data| (data.dev(), data.ino()))
}

/// A socket at this address. One of IPv6 takes no IPv4 along: at an unspecified address it would answer on a port that another
/// socket has elsewhere, and could not be distinguished from it.
fn open(address: SocketAddr, kind: SocketType) -> std::io::Result<OwnedFd> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, true)?;
    }
    if kind == SocketType::STREAM {
        set_socket_reuseaddr(&socket, true)?;
    }
    bind(&socket, &address)?;
    if kind == SocketType::STREAM {
        listen(&socket, BACKLOG)?;
    }
    Ok(socket)
}

impl NetworkNamespace {
    /// This host's own namespace.
    pub(crate) fn host() -> Self {
        Self { runtime: None, identity: None }
    }

    fn enter(namespace: File) -> std::io::Result<Self> {
        let wanted = identity(&namespace)?;
        if identity(&File::open("/proc/self/ns/net")?)? == wanted {
            return Ok(Self { runtime: None, identity: Some(wanted) });
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("namespace")
            .enable_all()
            .on_thread_start(move || {
                // Whether it could is seen where the thread is asked, below.
                let _ = move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network));
            })
            .build()?;
        let (sender, receiver) = std::sync::mpsc::channel();
        runtime.spawn(async move {
            drop(sender.send(File::open("/proc/thread-self/ns/net").and_then(|own| identity(&own))));
        });
        let entered = receiver.recv().map_err(std::io::Error::other)??;
        let namespace = Self { runtime: Some(runtime), identity: Some(wanted) };
        if entered == wanted { Ok(namespace) } else { Err(std::io::Error::other("it cannot be entered")) }
    }

    /// Whether it is this host's own: what listens on all of the host's addresses can be reached from the engine's networks
    /// then.
    pub(crate) fn is_hosts(&self) -> bool {
        self.runtime.is_none()
    }

    /// Where tasks are to be spawned that ask containers.
    pub(crate) fn handle(&self) -> Handle {
        self.runtime.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }

    /// A listening socket.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) async fn listen(&self, address: SocketAddr) -> std::io::Result<tokio::net::TcpListener> {
        let opened = self.handle().spawn(async move { open(address, SocketType::STREAM) }).await;
        tokio::net::TcpListener::from_std(opened.map_err(std::io::Error::other)??.into())
    }

    /// A socket for datagrams.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) async fn datagrams(&self, address: SocketAddr) -> std::io::Result<tokio::net::UdpSocket> {
        let opened = self.handle().spawn(async move { open(address, SocketType::DGRAM) }).await;
        tokio::net::UdpSocket::from_std(opened.map_err(std::io::Error::other)??.into())
    }
}

impl Drop for NetworkNamespace {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Not waited for: this may itself be a task.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::Ipv6Addr;

    use rustix::net::sockopt::ipv6_v6only;

    use super::*;

    #[test]
    fn what_listens_to_ipv6_does_not_listen_to_ipv4() {
        for kind in [SocketType::STREAM, SocketType::DGRAM] {
            // Without IPv6 there is nothing that could.
            if let Ok(socket) = open((Ipv6Addr::UNSPECIFIED, 0).into(), kind) {
                assert!(ipv6_v6only(&socket).unwrap());
            }
        }
    }
}
