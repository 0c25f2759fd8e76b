//! The listeners that canaries try to reach, and what reached them.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::linux::net::SocketAddrExt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket, UnixListener};
use tokio::task::JoinSet;

use crate::engine::{Inside, RunId};

/// The longest message of a canary, in bytes.
const MESSAGE: usize = 128;
/// How long who has connected may take to say something.
const SILENCE: Duration = Duration::from_secs(10);

/// The first bytes of all that reached a listener; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Arrivals(Arc<Mutex<Vec<String>>>);

impl Arrivals {
    /// Writes down a message.
    pub fn add(&self, message: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(String::from_utf8_lossy(message).into_owned());
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where listeners listen.
#[derive(Debug, Clone)]
pub struct Ports {
    /// TCP, on all IPv4 addresses.
    pub tcp: u16,
    /// UDP, on all IPv4 addresses.
    pub udp: u16,
    /// TCP, on all IPv6 addresses, where there are any.
    pub tcp6: Option<u16>,
    /// UDP, on all IPv6 addresses, where there are any.
    pub udp6: Option<u16>,
    /// The name of a socket in the abstract namespace.
    pub abstract_name: String,
}

/// Listeners, which end when they are dropped.
#[derive(Debug)]
pub struct Listeners {
    /// Where they listen.
    pub ports: Ports,
    /// Ended with this.
    _tasks: JoinSet<()>,
}

impl Listeners {
    /// Listeners on ports of this host, or of the namespace `inside` if one is given.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub async fn open(inside: Option<&Inside>, run: &RunId, arrivals: &Arrivals) -> std::io::Result<Self> {
        let all4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let all6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        let mut tasks = JoinSet::new();
        let tcp4 = tcp(inside, all4).await?;
        let udp4 = udp(inside, all4).await?;
        // A host may do without IPv6.
        let tcp6 = tcp(inside, all6).await.ok();
        let udp6 = udp(inside, all6).await.ok();
        let port = |address: std::io::Result<SocketAddr>| address.map(|address| address.port());
        let ports = Ports {
            tcp: port(tcp4.local_addr())?,
            udp: port(udp4.local_addr())?,
            tcp6: tcp6.as_ref().and_then(|socket| port(socket.local_addr()).ok()),
            udp6: udp6.as_ref().and_then(|socket| port(socket.local_addr()).ok()),
            abstract_name: format!("wsgi-proof-{run}-canary"),
        };
        for listener in std::iter::once(tcp4).chain(tcp6) {
            tasks.spawn(accept(listener, arrivals.clone()));
        }
        for socket in std::iter::once(udp4).chain(udp6) {
            tasks.spawn(receive(socket, arrivals.clone()));
        }
        if inside.is_none() {
            let address = std::os::unix::net::SocketAddr::from_abstract_name(&ports.abstract_name)?;
            let listener = std::os::unix::net::UnixListener::bind_addr(&address)?;
            listener.set_nonblocking(true)?;
            let listener = UnixListener::from_std(listener)?;
            // Who can connect to it says so; there is nothing to be read.
            tasks.spawn(async move { while listener.accept().await.is_ok() {} });
        }
        Ok(Self { ports, _tasks: tasks })
    }
}

async fn tcp(inside: Option<&Inside>, address: SocketAddr) -> std::io::Result<TcpListener> {
    match inside {
        Some(inside) => inside.listen(address).await,
        None => TcpListener::bind(address).await,
    }
}

async fn udp(inside: Option<&Inside>, address: SocketAddr) -> std::io::Result<UdpSocket> {
    match inside {
        Some(inside) => inside.datagrams(address).await,
        None => UdpSocket::bind(address).await,
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
        let listeners = Listeners::open(None, &RunId::new(), &arrivals).await.unwrap();
        let mut client = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, listeners.ports.tcp)).await.unwrap();
        client.write_all(b"by TCP").await.unwrap();
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await.unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket.send_to(b"by UDP", (Ipv4Addr::LOCALHOST, listeners.ports.udp)).await.unwrap();
        socket.recv(&mut answer).await.unwrap();
        assert_eq!(&answer, b"by UDP");
        assert_eq!(arrivals.all(), ["by TCP", "by UDP"]);
    }
}
