//! The listeners that canaries try to reach, and what reached them.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::linux::net::SocketAddrExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket, UnixListener};
use tokio::task::JoinSet;

use crate::engine::NetworkNamespace;
use crate::outcome::RunId;

/// The longest message of a canary, in bytes.
const MESSAGE: usize = 128;
/// How long who has connected may take to say something.
const SILENCE: Duration = Duration::from_secs(10);

/// The first bytes of all that reached a listener; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals(Arc<Mutex<Vec<String>>>);

impl Arrivals {
    /// Writes down a message.
    pub(crate) fn add(&self, message: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8_lossy(message).into_owned());
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Ports {
    /// TCP, on all IPv4 addresses.
    pub tcp: u16,
    /// UDP, on all IPv4 addresses.
    pub udp: u16,
    /// TCP and UDP, on all IPv6 addresses, where there are any.
    pub six: Option<(u16, u16)>,
    /// The name of a socket in the abstract namespace.
    pub abstract_name: String,
}

/// Listeners, which end when they are dropped.
#[derive(Debug)]
pub(crate) struct Listeners {
    tasks: JoinSet<()>,
}

impl Listeners {
    /// Listeners on ports of this host.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub(crate) async fn of_host(run: &RunId, arrivals: &Arrivals) -> std::io::Result<(Self, Ports)> {
        let host = NetworkNamespace::host();
        let (mut listeners, six) = Self::of_link(&host, arrivals).await;
        let all = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let (tcp, udp) = (host.listen(all).await?, host.datagrams(all).await?);
        let abstract_name = format!("wsgi-proof-{run}-canary");
        let ports = Ports { tcp: tcp.local_addr()?.port(), udp: udp.local_addr()?.port(), six, abstract_name };
        listeners.add(tcp, udp, arrivals);
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&ports.abstract_name)?;
        let listener = std::os::unix::net::UnixListener::bind_addr(&address)?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        // Who can connect to it says so; there is nothing to be read.
        listeners.tasks.spawn(async move { while listener.accept().await.is_ok() {} });
        Ok((listeners, ports))
    }

    /// Listeners for TCP and UDP over IPv6 alone, and their ports, if there is IPv6.
    pub(crate) async fn of_link(namespace: &NetworkNamespace, arrivals: &Arrivals) -> (Self, Option<(u16, u16)>) {
        let mut listeners = Self { tasks: JoinSet::new() };
        let all = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        let (Ok(tcp), Ok(udp)) = (namespace.listen(all).await, namespace.datagrams(all).await) else {
            return (listeners, None);
        };
        let (Ok(first), Ok(second)) = (tcp.local_addr(), udp.local_addr()) else { return (listeners, None) };
        listeners.add(tcp, udp, arrivals);
        (listeners, Some((first.port(), second.port())))
    }

    fn add(&mut self, tcp: TcpListener, udp: UdpSocket, arrivals: &Arrivals) {
        self.tasks.spawn(accept(tcp, arrivals.clone()));
        self.tasks.spawn(receive(udp, arrivals.clone()));
    }
}

async fn accept(listener: TcpListener, arrivals: Arrivals) {
    let mut clients = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let arrivals = arrivals.clone();
        clients.spawn(async move {
            let mut message = [0; MESSAGE];
            if let Ok(Ok(read)) = tokio::time::timeout(SILENCE, client.read(&mut message)).await {
                arrivals.add(&message[..read]);
                drop(client.write_all(&message[..read]).await);
            }
        });
        while clients.try_join_next().is_some() {}
    }
}

async fn receive(socket: UdpSocket, arrivals: Arrivals) {
    let mut message = [0; MESSAGE];
    while let Ok((read, from)) = socket.recv_from(&mut message).await {
        arrivals.add(&message[..read]);
        drop(socket.send_to(&message[..read], from).await);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_reaches_a_listener_is_written_down_and_answered() {
        let arrivals = Arrivals::default();
        let (_listeners, ports) = Listeners::of_host(&RunId::new(), &arrivals).await.unwrap();
        let mut client = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, ports.tcp)).await.unwrap();
        client.write_all(b"by TCP").await.unwrap();
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await.unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket.send_to(b"by UDP", (Ipv4Addr::LOCALHOST, ports.udp)).await.unwrap();
        socket.recv(&mut answer).await.unwrap();
        assert_eq!(&answer, b"by UDP");
        assert_eq!(arrivals.all(), ["by TCP", "by UDP"]);
    }
}
