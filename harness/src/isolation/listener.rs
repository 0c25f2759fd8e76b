//! The listeners that canaries try to reach, and what reached them.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::sockopt::set_ipv6_v6only;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket, UnixListener};
use tokio::task::JoinSet;

use crate::outcome::RunId;

/// The longest message of a canary, in bytes.
const MESSAGE: usize = 128;
/// How many connections may wait to be accepted.
const BACKLOG: i32 = 64;
/// How long who has connected may take to say something.
const SILENCE: Duration = Duration::from_secs(10);

/// How many messages are kept: several times those of all canaries.
const MESSAGES: usize = 1000;

/// The first bytes of all that reached a listener; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrivals(Arc<Mutex<Arrived>>);

#[derive(Debug, Default)]
struct Arrived {
    messages: BTreeSet<String>,
    /// Whether nothing is taken any more.
    closed: bool,
}

impl Arrivals {
    /// Writes down a message.
    pub(crate) fn add(&self, message: &[u8]) {
        let mut arrived = self.lock();
        if !arrived.closed && arrived.messages.len() < MESSAGES {
            arrived.messages.insert(String::from_utf8_lossy(message).into_owned());
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    /// Whether there may be more than is kept.
    pub(super) fn is_full(&self) -> bool {
        self.lock().messages.len() >= MESSAGES
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.lock().messages.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
    pub(crate) fn of_host(arrivals: &Arrivals) -> std::io::Result<(Self, Ports)> {
        let mut listeners = Self { tasks: JoinSet::new() };
        let six = listeners.open((Ipv6Addr::UNSPECIFIED, 0).into(), arrivals).ok();
        let (tcp, udp) = listeners.open((Ipv4Addr::UNSPECIFIED, 0).into(), arrivals)?;
        // Everybody can read it: it does not say which run it is.
        let abstract_name = format!("wsgi-proof-{}-canary", RunId::new());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&abstract_name)?;
        let listener = std::os::unix::net::UnixListener::bind_addr(&address)?;
        listener.set_nonblocking(true)?;
        let listener = UnixListener::from_std(listener)?;
        // Who can connect to it says so; there is nothing to be read.
        listeners.tasks.spawn(async move { while listener.accept().await.is_ok() {} });
        Ok((listeners, Ports { tcp, udp, six, abstract_name }))
    }

    /// Listens at an address, by TCP and UDP; the ports.
    fn open(&mut self, address: SocketAddr, arrivals: &Arrivals) -> std::io::Result<(u16, u16)> {
        let (tcp, udp) = (socket(address, SocketType::STREAM)?, socket(address, SocketType::DGRAM)?);
        let (tcp, udp) = (TcpListener::from_std(tcp.into())?, UdpSocket::from_std(udp.into())?);
        let ports = (tcp.local_addr()?.port(), udp.local_addr()?.port());
        self.add(tcp, udp, arrivals);
        Ok(ports)
    }

    fn add(&mut self, tcp: TcpListener, udp: UdpSocket, arrivals: &Arrivals) {
        self.tasks.spawn(accept(tcp, arrivals.clone()));
        self.tasks.spawn(receive(udp, arrivals.clone()));
    }
}

/// A socket at this address. One of IPv6 takes no IPv4 along: at an unspecified address it would answer on a port that another
/// socket has elsewhere, and could not be distinguished from it.
fn socket(address: SocketAddr, kind: SocketType) -> std::io::Result<OwnedFd> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, true)?;
    }
    bind(&socket, &address)?;
    if kind == SocketType::STREAM {
        listen(&socket, BACKLOG)?;
    }
    Ok(socket)
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
    use rustix::net::sockopt::ipv6_v6only;

    use super::*;

    #[test]
    fn what_listens_to_ipv6_does_not_listen_to_ipv4() {
        for kind in [SocketType::STREAM, SocketType::DGRAM] {
            // Without IPv6 there is nothing that could.
            if let Ok(socket) = socket((Ipv6Addr::UNSPECIFIED, 0).into(), kind) {
                assert!(ipv6_v6only(&socket).unwrap());
            }
        }
    }

    #[tokio::test]
    async fn what_reaches_a_listener_is_written_down_and_answered() {
        let arrivals = Arrivals::default();
        let (_listeners, ports) = Listeners::of_host(&arrivals).unwrap();
        let mut client = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, ports.tcp)).await.unwrap();
        client.write_all(b"by TCP").await.unwrap();
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await.unwrap();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        socket.send_to(b"by UDP", (Ipv4Addr::LOCALHOST, ports.udp)).await.unwrap();
        socket.recv(&mut answer).await.unwrap();
        assert_eq!(&answer, b"by UDP");
        assert_eq!(arrivals.all(), ["by TCP", "by UDP"]);
        for number in 0..2 * MESSAGES {
            arrivals.add(number.to_string().as_bytes());
        }
        assert_eq!(arrivals.all().len(), MESSAGES);
        arrivals.close();
        arrivals.add(b"1 too late");
        assert!(!arrivals.all().contains(&"1 too late".to_owned()));
    }
}
